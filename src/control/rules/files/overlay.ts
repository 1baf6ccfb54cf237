// The overlay `rules/files`: what rules of ipchains and ipfwadm are as text beside their listings, which is seldom wanted: the tables in
// /proc/net (proc.ts), ipchains-save (save.ts) and ipchains-restore (restore.ts). What a rule's cells say is asked of the dialects' own
// overlays, so that no board holds it twice.

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/files': typeof import('./overlay.ts');
  }
}

export { procText } from './proc.ts';
export { restoreChains } from './restore.ts';
export { saveChains } from './save.ts';
