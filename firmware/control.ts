// Control's entry: wires it to the machine under the engine, and to the plane's JavaScript (interpreted.ts).
// Whatever runs here at the top runs when the snapshot is made, not at boot: it may define and wire, but it
// reads no table, calls no host and remembers nothing. The first `__step()` is the boot.

import { createControl } from '../src/control/control.ts';
import { PLANE_BYTES } from '../src/plane/limits.ts';
import { attach } from '../src/plane/memory.ts';
import {
  hostHeapFree,
  hostLock,
  hostPut,
  hostReset,
  hostUnlock,
  hostUnmask,
  nativePlane,
  type Plane,
} from './host.ts';

declare const __memory: ArrayBuffer;
declare const __plane: Plane;
/** Put in by bundle.ts. */
declare const MASQBOX_VERSION: string;

attach(__memory, 0, PLANE_BYTES);

const control = createControl({
  plane: nativePlane(__plane),
  interpreted: __plane,
  memory: new Uint8Array(__memory, 0, PLANE_BYTES),
  version: MASQBOX_VERSION,
  lock: hostLock,
  unlock: hostUnlock,
  unmask: hostUnmask,
  reset: hostReset,
  heapFree: hostHeapFree,
  put: hostPut,
});

(globalThis as { __step?: () => void }).__step = control.step;
