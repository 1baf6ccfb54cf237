// Control's entry: wires it to the machine under the engine, and to its overlays.
// Whatever runs here at the top runs when the snapshot is made, not at boot: it may define and wire, but it
// reads no table, calls no host and remembers nothing. The first `__step()` is the boot.

import { PLANE_BYTES } from '../src/base/limits.ts';
import { attach } from '../src/base/memory.ts';
import { createControl } from '../src/control/control.ts';
import { createLoader } from '../src/control/core/loader.ts';
import {
  hostCollect,
  hostHeapFree,
  hostLend,
  hostLock,
  hostOverlay,
  hostPhysical,
  hostPut,
  hostReset,
  hostUnlock,
  hostUnmask,
  nativePlane,
} from './host.ts';

declare const __memory: ArrayBuffer;
/** Put in by image/bundle.ts; the plane's names as planeNames() answers them, '' for those that control does not call. */
declare const MASQBOX_VERSION: string;
declare const MASQBOX_BUILT: number;
declare const MASQBOX_PLANE_NAMES: string[];

attach(__memory, 0, PLANE_BYTES);

const control = createControl({
  plane: nativePlane(MASQBOX_PLANE_NAMES),
  ...createLoader(hostOverlay, hostCollect),
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
