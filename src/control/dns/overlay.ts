// The overlay `dns`: the commands `resolve` and `show dns`. Not here: their entries (commands.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    dns: typeof import('./overlay.ts');
  }
}

export { resolve } from './resolve.ts';
export { showDns } from './show.ts';
