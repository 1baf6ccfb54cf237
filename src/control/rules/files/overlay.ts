// The overlay `rules/files`: what rules of ipchains and ipfwadm are as text beside their listings, which is seldom wanted: the tables in
// /proc/net (proc.ts), ipchains-save (save.ts) and ipchains-restore (restore.ts). Rules are read here once more: on a
// board of 4 MB there is no room for a dialect's own overlay beside the shell that asks.

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/files': typeof import('./overlay.ts');
  }
}

export { procText } from './proc.ts';
export { restoreChains } from './restore.ts';
export { saveChains } from './save.ts';
