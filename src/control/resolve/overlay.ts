// The overlay `resolve`: the command of that name, apart from the other tools, as it is as large as they are together.
// Not here: the command's entry (../tools/commands.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    resolve: typeof import('./overlay.ts');
  }
}

export { resolve } from './resolve.ts';
