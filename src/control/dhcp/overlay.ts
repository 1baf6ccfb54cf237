// The overlay `dhcp`: what `show leases` lists. Not here: the command's entry (commands.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    dhcp: typeof import('./overlay.ts');
  }
}

export { showLeases } from './show.ts';
