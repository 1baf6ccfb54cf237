// The plane's WebAssembly with a meter: it counts the operations that a call of the plane carries out, so that a test
// can bound what input costs, the same on every host. An operation is a WebAssembly instruction that does something:
// not a constant, not the reading or writing of a local, not the frame of a block. memory.fill and memory.copy count a
// quarter of their bytes. On the board an operation is about one instruction of the 486, see docs/performance.md.
// Not here: instructions on the booted board (harness/icount.ts).
//
// How: the functions' bodies are cut into runs without a jump (WebAssembly Core Specification, chapter 5), and in front
// of each run its number of operations is added to a global that is exported.

import type { Ports } from '../hal/ports.ts';
import { compilePlane } from '../image/plane-wasm.ts';
import { PLANE_BASE, PLANE_BYTES } from '../src/base/limits.ts';
import { attach } from '../src/base/memory.ts';
import { type Build, noPorts, type Plane } from '../tools/builds.ts';

const SECTION_IMPORT = 2;
const SECTION_GLOBAL = 6;
const SECTION_EXPORT = 7;
const SECTION_CODE = 10;

const I32_CONST = 0x41;
const GLOBAL_GET = 0x23;
const GLOBAL_SET = 0x24;
const I32_ADD = 0x6a;
const I32_SHR_U = 0x76;
/** Opcodes behind which another run may start: loop, if, else, end, br, br_if, br_table, return, unreachable, calls. */
const ENDS_RUN = new Set([0x00, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11]);
/** Opcodes that are no work: nop, block, loop, else, end, drop, locals, constants. */
const FREE = new Set([0x01, 0x02, 0x03, 0x05, 0x0b, 0x1a, 0x20, 0x21, 0x22, 0x41, 0x42, 0x43, 0x44]);

export interface Metered extends Build {
  /** Operations that `call` took. */
  operations(call: () => void): number;
}

class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
  ) {}

  byte(): number {
    return this.bytes[this.at++] as number;
  }

  /** An integer in LEB128; only unsigned ones are asked for their value. */
  leb(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

function leb(value: number): number[] {
  const all: number[] = [];
  let rest = value;
  do {
    all.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest !== 0);
  return all;
}

/** A signed one that is not negative. */
function constant(value: number): number[] {
  const all = leb(value);
  const last = all[all.length - 1] as number;
  if ((last & 0x40) === 0) return [I32_CONST, ...all];
  all[all.length - 1] = last | 0x80;
  return [I32_CONST, ...all, 0];
}

/** Skips the immediates of an opcode; true for memory.copy and memory.fill. */
function skipImmediates(code: Reader, opcode: number): boolean {
  if (opcode >= 0x28 && opcode <= 0x3e) {
    code.leb();
    code.leb();
  } else if (opcode === 0x0e) {
    for (let left = code.leb() + 1; left > 0; left--) code.leb();
  } else if (opcode === 0x11) {
    code.leb();
    code.leb();
  } else if (opcode === 0x43 || opcode === 0x44) {
    code.take(opcode === 0x43 ? 4 : 8);
  } else if (opcode === 0xfc) {
    const further = code.leb();
    if (further < 8) return false;
    if (further !== 10 && further !== 11) throw new Error(`Cannot meter opcode 0xfc ${further}`);
    code.leb();
    if (further === 10) code.leb();
    return true;
  } else if (
    [0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x40, 0x41, 0x42].includes(
      opcode,
    )
  ) {
    code.leb();
  } else if (opcode > 0xc4 || (opcode > 0x11 && opcode < 0x1a) || (opcode > 0x1b && opcode < 0x20)) {
    throw new Error(`Cannot meter opcode ${opcode}`);
  }
  return false;
}

/** One function's body with its meter; `meter` and `bytes` are the globals' numbers. */
function meterBody(body: Uint8Array, meter: number, bytes: number): number[] {
  const code = new Reader(body);
  for (let groups = code.leb(); groups > 0; groups--) {
    code.leb();
    code.byte();
  }
  const out = [...body.subarray(0, code.at)];
  const add = (...what: number[]) => [GLOBAL_GET, ...leb(meter), ...what, I32_ADD, GLOBAL_SET, ...leb(meter)];
  let run: number[] = [];
  let operations = 0;
  const flush = () => {
    if (operations !== 0) out.push(...add(...constant(operations)));
    out.push(...run);
    run = [];
    operations = 0;
  };
  while (code.at < body.length) {
    const from = code.at;
    const opcode = code.byte();
    const isBlock = skipImmediates(code, opcode);
    if (isBlock) {
      // The number of bytes lies on the stack.
      run.push(GLOBAL_SET, ...leb(bytes), ...add(GLOBAL_GET, ...leb(bytes), ...constant(2), I32_SHR_U));
      run.push(GLOBAL_GET, ...leb(bytes));
    }
    run.push(...body.subarray(from, code.at));
    if (!FREE.has(opcode)) operations++;
    if (ENDS_RUN.has(opcode)) flush();
  }
  flush();
  return out;
}

function importedGlobals(section: Uint8Array): number {
  const reader = new Reader(section);
  let globals = 0;
  for (let left = reader.leb(); left > 0; left--) {
    reader.take(reader.leb());
    reader.take(reader.leb());
    const kind = reader.byte();
    if (kind === 0) reader.leb();
    else if (kind === 3) {
      reader.take(2);
      globals++;
    } else {
      if (kind === 1) reader.byte();
      const flags = reader.leb();
      reader.leb();
      if ((flags & 1) !== 0) reader.leb();
    }
  }
  return globals;
}

/** A module that exports its meter as the global `operations`. */
export function meter(wasm: Uint8Array): Uint8Array<ArrayBuffer> {
  const reader = new Reader(wasm, 8);
  const sections: [id: number, bytes: Uint8Array][] = [];
  while (reader.at < wasm.length) {
    const id = reader.byte();
    sections.push([id, reader.take(reader.leb())]);
  }
  if (!sections.some(([id]) => id === SECTION_GLOBAL)) {
    const place = sections.findIndex(([id]) => id !== 0 && id > SECTION_GLOBAL);
    sections.splice(place, 0, [SECTION_GLOBAL, Uint8Array.of(0)]);
  }
  const section = (id: number) => sections.find(([here]) => here === id)?.[1] ?? new Uint8Array([0]);
  const first = importedGlobals(section(SECTION_IMPORT)) + new Reader(section(SECTION_GLOBAL)).leb();
  const out = [...wasm.subarray(0, 8)];
  for (const [id, bytes] of sections) {
    const rest = new Reader(bytes);
    let body = [...bytes];
    if (id === SECTION_GLOBAL) {
      const count = rest.leb();
      const zero = [0x7f, 1, I32_CONST, 0, 0x0b];
      body = [...leb(count + 2), ...bytes.subarray(rest.at), ...zero, ...zero];
    } else if (id === SECTION_EXPORT) {
      const count = rest.leb();
      const name = [...Buffer.from('operations')];
      body = [...leb(count + 1), ...bytes.subarray(rest.at), name.length, ...name, 3, ...leb(first)];
    } else if (id === SECTION_CODE) {
      const count = rest.leb();
      body = leb(count);
      for (let i = 0; i < count; i++) {
        const metered = meterBody(rest.take(rest.leb()), first, first + 1);
        for (const byte of leb(metered.length)) body.push(byte);
        for (const byte of metered) body.push(byte);
      }
    }
    out.push(id, ...leb(body.length));
    for (const byte of body) out.push(byte);
  }
  return Uint8Array.from(out);
}

/** The plane as wasmBuild() of tools/builds.ts, metered. @param ports what stands behind its ports of one byte */
export async function meteredBuild(ports: Ports = noPorts): Promise<Metered> {
  const pages = (PLANE_BASE + PLANE_BYTES + 0xffff) >> 16;
  const linear = new WebAssembly.Memory({ initial: pages });
  const port = { ...noPorts, in8: ports.in8, out8: ports.out8, ...{ store16() {}, store32() {} } };
  const module = await WebAssembly.compile(meter(await compilePlane()));
  const instance = await WebAssembly.instantiate(module, { env: { memory: linear, abort() {} }, port });
  const counted = instance.exports['operations'] as unknown as { value: number };
  const memory = new Uint8Array(linear.buffer, PLANE_BASE, PLANE_BYTES);
  const operations = (call: () => void): number => {
    counted.value = 0;
    call();
    return counted.value;
  };
  const use = () => attach(linear.buffer, PLANE_BASE, PLANE_BYTES);
  return { name: 'metered', plane: instance.exports as unknown as Plane, memory, use, operations };
}
