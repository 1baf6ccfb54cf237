// The overlay `schema`: completion, `?`, marks and the `help` command. Running a line needs none of it.

declare module '../core/overlays.ts' {
  interface Overlays {
    schema: typeof import('./overlay.ts');
  }
}

export { known } from './known.ts';
export { createLineHelp } from './line-help.ts';
