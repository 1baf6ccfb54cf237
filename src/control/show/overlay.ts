// The overlay `show`: what the board lists, its log and its settings among it. Not here: the commands (commands.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    show: typeof import('./overlay.ts');
  }
}

export { exportConfig, showConfig } from './config.ts';
export { showDisk } from './disk.ts';
export { showFlows } from './flows.ts';
export { showLog } from './log.ts';
export { periodListing, showMasq } from './masquerade.ts';
export { showArp, showCounters, showInterfaces, showRoutes } from './tables.ts';
