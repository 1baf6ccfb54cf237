// A line for tests: its record, two rings, buffers between guards, in both builds of test/line-plane.ts, and metered.

import { compilePortable } from '../image/plane-wasm.ts';
import { PLANE_BASE } from '../src/base/limits.ts';
import { FCS_TABLE_BYTES, LINE_BYTES, VJ_BYTES } from '../src/base/line-limits.ts';
import {
  LINE_IN_RING,
  LINE_OUT_RING,
  LINE_RX_FRAME,
  LINE_RX_LENGTH,
  LINE_RX_PROTOCOL,
} from '../src/base/line-record.ts';
import { attach, i32at, puti32 } from '../src/base/memory.ts';
import * as javascript from './line-plane.ts';
import { meter } from './metered.ts';

const ENTRY = 'test/line-plane.ts';
const MEMORY_BYTES = 65536;

export const TABLE = 64;
export const LINE = TABLE + FCS_TABLE_BYTES;
/** Heads and tails of the rings: received, sent. */
const POSITIONS = LINE + LINE_BYTES;
export const RING_BYTES = 4096;
const IN_RING = POSITIONS + 64;
const OUT_RING = IN_RING + RING_BYTES;
export const VJ_OUT = OUT_RING + RING_BYTES;
export const VJ_IN = VJ_OUT + VJ_BYTES;
/** Where frames are received, with a guard before and behind, and from where they are sent. */
export const BUFFER = VJ_IN + VJ_BYTES + 1024;
export const BUFFER_ROOM = 1502;
export const SOURCE = BUFFER + 4096;
const GUARD = 0xa5;

export type LinePlane = typeof javascript;

export interface LineBuild {
  name: string;
  plane: LinePlane;
  memory: Uint8Array;
  use(): void;
  /** Operations that a call took, of the metered one. */
  operations?: (call: () => void) => number;
}

export interface Frame {
  protocol: number;
  bytes: number[];
}

async function wasm(name: string, code: Uint8Array<ArrayBuffer>): Promise<LineBuild> {
  const linear = new WebAssembly.Memory({ initial: (PLANE_BASE + MEMORY_BYTES) >> 16 });
  const module = await WebAssembly.compile(code);
  const instance = await WebAssembly.instantiate(module, { env: { memory: linear, abort() {} } });
  const counted = instance.exports['operations'] as unknown as { value: number };
  return {
    name,
    plane: instance.exports as unknown as LinePlane,
    memory: new Uint8Array(linear.buffer, PLANE_BASE, MEMORY_BYTES),
    use: () => attach(linear.buffer, PLANE_BASE, MEMORY_BYTES),
    operations: call => {
      counted.value = 0;
      call();
      return counted.value;
    },
  };
}

/** JavaScript and WebAssembly. */
export async function lineBuilds(): Promise<LineBuild[]> {
  const memory = new Uint8Array(MEMORY_BYTES);
  const use = () => attach(memory.buffer, 0, MEMORY_BYTES);
  const code = Uint8Array.from(await compilePortable(ENTRY));
  return [{ name: 'JavaScript', plane: javascript, memory, use }, await wasm('WebAssembly', code)];
}

export async function meteredLine(): Promise<LineBuild> {
  return wasm('metered', meter(await compilePortable(ENTRY)));
}

export const bytesOf = (hex: string): number[] => [...Buffer.from(hex.replaceAll(' ', ''), 'hex')];
export const hexOf = (bytes: ArrayLike<number>): string => Buffer.from(Array.from(bytes)).toString('hex');

export class LineLab {
  constructor(
    readonly build: LineBuild,
    private readonly kind: 'hdlc' | 'slip' = 'hdlc',
  ) {
    this.reset();
  }

  reset(): void {
    const { plane, memory } = this.build;
    this.build.use();
    memory.fill(GUARD);
    memory.fill(0, POSITIONS, POSITIONS + 64);
    plane.fcsTable(TABLE);
    plane.lineReset(LINE, TABLE);
    plane.lineRing(LINE + LINE_IN_RING, IN_RING, RING_BYTES, POSITIONS, POSITIONS + 4);
    plane.lineRing(LINE + LINE_OUT_RING, OUT_RING, RING_BYTES, POSITIONS + 8, POSITIONS + 12);
    plane.lineGive(LINE, BUFFER, BUFFER_ROOM);
    plane.vjReset(VJ_OUT, 16, 0);
    plane.vjReset(VJ_IN, 16, 0);
  }

  /** A word of the line's record. */
  word(offset: number): number {
    this.build.use();
    return i32at(LINE + offset);
  }

  set(offset: number, value: number): void {
    this.build.use();
    puti32(LINE + offset, value);
  }

  /** Puts positions near the end of the count, where they wrap. */
  positions(at: number): void {
    this.build.use();
    for (let i = 0; i < 4; i++) puti32(POSITIONS + 4 * i, at);
  }

  /** Bytes from the line, as many as the ring has room for: how many that were. */
  arrive(bytes: ArrayLike<number>): number {
    this.build.use();
    const { memory } = this.build;
    const head = i32at(POSITIONS);
    let tail = i32at(POSITIONS + 4);
    let n = 0;
    for (; n < bytes.length && ((tail - head) | 0) < RING_BYTES; n++) {
      memory[IN_RING + (tail & (RING_BYTES - 1))] = bytes[n] as number;
      tail = (tail + 1) | 0;
    }
    puti32(POSITIONS + 4, tail);
    return n;
  }

  /** One call of the receiver; the buffer is given again. */
  receiveOnce(most = RING_BYTES): Frame | undefined {
    this.build.use();
    const { plane, memory } = this.build;
    const found = this.kind === 'hdlc' ? plane.hdlcReceive(LINE, most) : plane.slipReceive(LINE, most);
    if (found === 0) return undefined;
    const at = i32at(LINE + LINE_RX_FRAME);
    const bytes = [...memory.subarray(at, at + i32at(LINE + LINE_RX_LENGTH))];
    plane.lineGive(LINE, BUFFER, BUFFER_ROOM);
    return { protocol: i32at(LINE + LINE_RX_PROTOCOL), bytes };
  }

  /** Frames in what comes, however long it is. */
  receive(bytes: ArrayLike<number>, most = RING_BYTES): Frame[] {
    const frames: Frame[] = [];
    const all = Array.from(bytes);
    for (let at = 0; ; ) {
      at += this.arrive(all.slice(at, at + RING_BYTES));
      const frame = this.receiveOnce(most);
      if (frame !== undefined) frames.push(frame);
      else if (at >= all.length && this.waiting() === 0) return frames;
    }
  }

  waiting(): number {
    this.build.use();
    return (i32at(POSITIONS + 4) - i32at(POSITIONS)) | 0;
  }

  /** Takes what has been put into the ring for the line. */
  drain(most = RING_BYTES): number[] {
    this.build.use();
    const { memory } = this.build;
    const out: number[] = [];
    let head = i32at(POSITIONS + 8);
    const tail = i32at(POSITIONS + 12);
    for (; head !== tail && out.length < most; head = (head + 1) | 0)
      out.push(memory[OUT_RING + (head & (RING_BYTES - 1))] as number);
    puti32(POSITIONS + 8, head);
    return out;
  }

  begin(protocol: number, bytes: ArrayLike<number>): number {
    const { plane, memory } = this.build;
    this.build.use();
    memory.set(Array.from(bytes), SOURCE);
    return this.kind === 'hdlc'
      ? plane.hdlcStart(LINE, protocol, SOURCE, bytes.length)
      : plane.slipStart(LINE, protocol, SOURCE, bytes.length);
  }

  continue(most = RING_BYTES): number {
    this.build.use();
    const { plane } = this.build;
    return this.kind === 'hdlc' ? plane.hdlcSend(LINE, most) : plane.slipSend(LINE, most);
  }

  /** A frame's bytes on the line. */
  send(protocol: number, bytes: ArrayLike<number>, most = RING_BYTES, room = RING_BYTES): number[] {
    const out: number[] = [];
    if (this.begin(protocol, bytes) === 0) throw new Error('a frame is under way');
    while (this.continue(most) === 0) out.push(...this.drain(room));
    out.push(...this.drain());
    return out;
  }

  /** Whether nothing was written around the buffer. */
  isGuarded(): boolean {
    const { memory } = this.build;
    const before = memory.subarray(BUFFER - 1024, BUFFER);
    const behind = memory.subarray(BUFFER + BUFFER_ROOM, BUFFER + BUFFER_ROOM + 1024);
    return before.every(byte => byte === GUARD) && behind.every(byte => byte === GUARD);
  }
}
