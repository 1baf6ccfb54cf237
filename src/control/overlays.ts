// Overlays: parts of the firmware that are seldom used. They are kept packed and evaluated when they are wanted, so
// that boards which do not want them have neither their heap nor the time to unpack it at each start.
// Not here: which are loaded (loader.ts), how they are packed (image/bundle.ts, image/kernel.ts).

import type { Plane } from './machine.ts';

/** What each overlay is: the functions of the plane as JavaScript, or what its entry file exports. */
export interface Overlays {
  interpreted: Plane;
  debug: typeof import('./debug/overlay.ts');
  crash: typeof import('./crash/overlay.ts');
  schema: typeof import('./schema/overlay.ts');
  tools: typeof import('./tools/overlay.ts');
  access: typeof import('./access/overlay.ts');
  setup: typeof import('./setup/overlay.ts');
  show: typeof import('./show/overlay.ts');
  status: typeof import('./status/overlay.ts');
  update: typeof import('./update/overlay.ts');
  transfer: typeof import('./transfer/overlay.ts');
  signature: typeof import('./signature/overlay.ts');
  tcp: typeof import('./tcp/overlay.ts');
  cards: typeof import('./cards/overlay.ts');
  time: typeof import('./time/overlay.ts');
  lan: typeof import('./lan/overlay.ts');
  wan: typeof import('./wan/overlay.ts');
  resolve: typeof import('./resolve/overlay.ts');
  floppy: typeof import('./floppy/overlay.ts');
}

export type OverlayName = keyof Overlays;

/** Their order is the numbers by which the machine knows them; those but the first have an entry file. */
export const OVERLAY_NAMES = [
  'interpreted',
  'debug',
  'crash',
  'schema',
  'tools',
  'access',
  'setup',
  'show',
  'status',
  'update',
  'transfer',
  'signature',
  'tcp',
  'cards',
  'time',
  'lan',
  'wan',
  'resolve',
  'floppy',
] as const satisfies OverlayName[];

/** The entry file of an overlay, from the repository's root. */
export function overlayEntry(name: OverlayName): string {
  return `src/control/${name}/overlay.ts`;
}
