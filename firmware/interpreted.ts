// The first script of the firmware: the plane as JavaScript, for the interpreted engine. `__plane` are its
// functions. It has accessors of its own, so that all of it can be inlined.

import { PLANE_BYTES } from '../src/plane/limits.ts';
import { attach } from '../src/plane/memory.ts';
import * as plane from './plane.ts';

declare const __memory: ArrayBuffer;

attach(__memory, 0, PLANE_BYTES);

(globalThis as { __plane?: typeof plane }).__plane = plane;
