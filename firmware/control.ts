// Control's entry: wires it to the machine under the engine, and to its overlays.
// Whatever runs here at the top runs when the snapshot is made, not at boot: it may define and wire, but it
// reads no table, calls no host and remembers nothing. The first `__step()` is the boot.

import { PLANE_BYTES } from '../src/base/limits.ts';
import { attach } from '../src/base/memory.ts';
import { createControl } from '../src/control/control.ts';
import { createLoader } from '../src/control/core/loader.ts';
import {
  hostHeapFree,
  hostLend,
  hostLock,
  hostOverlays,
  hostPhysical,
  hostPut,
  hostReset,
  hostUnlock,
  hostUnmask,
  namedPlane,
  numberedPlane,
  planeNames,
} from './host.ts';

declare const __memory: ArrayBuffer;
/** Put in by image/bundle.ts; the last is the number of the plane's crc32(). */
declare const MASQBOX_VERSION: string;
declare const MASQBOX_BUILT: number;
declare const MASQBOX_CRC32: number;

attach(__memory, 0, PLANE_BYTES);

const control = createControl({
  plane: numberedPlane(MASQBOX_CRC32),
  named: interpreted => namedPlane(planeNames(interpreted)),
  ...createLoader(hostOverlays),
  memory: new Uint8Array(__memory, 0, PLANE_BYTES),
  version: MASQBOX_VERSION,
  built: MASQBOX_BUILT,
  lock: hostLock,
  unlock: hostUnlock,
  unmask: hostUnmask,
  reset: hostReset,
  heapFree: hostHeapFree,
  lend: hostLend,
  physical: hostPhysical,
  put: hostPut,
});

(globalThis as { __step?: () => void }).__step = control.step;
