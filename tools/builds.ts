// The plane twice: its JavaScript in this process, and its WebAssembly by AssemblyScript, each with a memory
// of its own and the same functions. A suite runs on both; `use` points the accessors of src/base/memory.ts, by which
// tests read and write, at that build's memory.

import * as javascript from '../firmware/plane.ts';
import { attachPorts, type Ports } from '../hal/ports.ts';
import { compilePlane } from '../image/plane-wasm.ts';
import { PLANE_BASE, PLANE_BYTES } from '../src/base/limits.ts';
import { attach } from '../src/base/memory.ts';

export type Plane = typeof javascript;

export interface Build {
  name: string;
  plane: Plane;
  /** The plane's memory, PLANE_BYTES. */
  memory: Uint8Array;
  /** Points src/base/memory.ts of this process at this build's memory. */
  use(): void;
}

/** Ports with nothing behind them: reads float high, writes go nowhere. */
export const noPorts: Ports = {
  in8: () => 0xff,
  in16: () => 0xffff,
  in32: () => -1,
  out8() {},
  out16() {},
  out32() {},
  ins16() {},
  outs16() {},
  ins32() {},
  outs32() {},
};

export function javascriptBuild(): Build {
  const memory = new Uint8Array(PLANE_BYTES);
  const use = () => attach(memory.buffer, 0, PLANE_BYTES);
  attachPorts(noPorts);
  use();
  return { name: 'JavaScript', plane: javascript, memory, use };
}

/** @param ports what stands behind the wasm's port imports; addresses of the string forms are plane addresses. */
export async function wasmBuild(ports: Ports = noPorts): Promise<Build> {
  const pages = (PLANE_BASE + PLANE_BYTES + 0xffff) >> 16;
  const linear = new WebAssembly.Memory({ initial: pages });
  const module = await WebAssembly.compile(await compilePlane());
  const port = {
    ...ports,
    ...{ store16() {}, store32() {} },
    ins16: (from: number, at: number, count: number) => ports.ins16(from, at - PLANE_BASE, count),
    outs16: (to: number, at: number, count: number) => ports.outs16(to, at - PLANE_BASE, count),
    ins32: (from: number, at: number, count: number) => ports.ins32(from, at - PLANE_BASE, count),
    outs32: (to: number, at: number, count: number) => ports.outs32(to, at - PLANE_BASE, count),
  };
  const instance = await WebAssembly.instantiate(module, { env: { memory: linear, abort() {} }, port });
  const memory = new Uint8Array(linear.buffer, PLANE_BASE, PLANE_BYTES);
  const use = () => attach(linear.buffer, PLANE_BASE, PLANE_BYTES);
  return { name: 'WebAssembly', plane: instance.exports as unknown as Plane, memory, use };
}
