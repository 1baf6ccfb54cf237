// Overlays: parts of the firmware that are seldom used. They are kept packed and evaluated when they are wanted, so
// that boards which do not want them have neither their heap nor the time to unpack it at each start.
// Not here: which are loaded (loader.ts), how they are packed (image/bundle.ts, image/kernel.ts).

/**
 * What each overlay is: the functions of the plane as JavaScript, or what its entry file exports. Each entry file adds itself,
 * so that nobody who wants one of them imports them all.
 */
// biome-ignore lint/suspicious/noEmptyInterface: see above
export interface Overlays {}

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
  'dns',
  'dhcp',
  'floppy',
  'forward',
  'forward/health',
  'forward/old',
  'note',
  'queue',
  'rules',
  'rules/listing',
  'rules/log',
  'rules/explain',
  'rules/ipchains',
  'rules/ipfwadm',
  'rules/files',
  'shell',
  'shell/filters',
  'shell/programs',
  'ppp',
  'ppp/link',
  'ppp/pppoe',
  'ppp/answer',
] as const satisfies OverlayName[];

/**
 * Those whose packed bytes are in RAM on every board. Of the others a small board with a disk reads them from there (disk-overlays.ts),
 * so here is what is wanted when the disk is gone, to get in and to see why, and what others than the operator call for: connections, by
 * which hosts ask for names, lines that rules log, hosts that are asked whether they are there.
 */
export const OVERLAYS_IN_RAM: readonly OverlayName[] = [
  'access',
  'crash',
  'show',
  'status',
  'tcp',
  'rules/log',
  'forward/health',
];

/** The entry file of an overlay, from the repository's root; a part may have several, in folders of its own. */
export function overlayEntry(name: OverlayName): string {
  return `src/control/${name}/overlay.ts`;
}
