// The overlay `shell`: what runs lines and scripts. What is remembered between them is the part's (shell.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    shell: typeof import('./overlay.ts');
  }
}

export { addLine, clearScript, keepScript, runKept, runNamed, showScript } from './kept.ts';
export { runLine, runScript } from './session.ts';
