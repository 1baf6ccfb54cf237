// The overlay `interpreted`: the plane as JavaScript, for the interpreted engine. It has accessors of its own, so
// that all of it can be inlined.

import { PLANE_BYTES } from '../src/base/limits.ts';
import { attach } from '../src/base/memory.ts';
import * as plane from './plane.ts';

declare const __memory: ArrayBuffer;

attach(__memory, 0, PLANE_BYTES);

(globalThis as { __overlay?: typeof plane }).__overlay = plane;
