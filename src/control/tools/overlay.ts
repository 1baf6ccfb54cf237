// The overlay `tools`: ping, traceroute and capture, which a router runs a few times in its life.
// Not here: the commands (commands.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    tools: typeof import('./overlay.ts');
  }
}

export { capture } from './capture.ts';
export { ping } from './ping.ts';
export { traceroute } from './traceroute.ts';
