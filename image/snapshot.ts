// The heap snapshot: linear memory after the bundle has been evaluated, as the board starts from it.
// What is frozen here is thawed by the floor: the engine's stack pointer, the heap's limit, the facts.
//
//   static data            (hole: plane, stack)       heap
//   0 .. staticBytes  |                          | heapAt .. heapAt + heapBytes
//
// The blob is the two parts one behind the other, whole pages.
import { bundle } from '../firmware/bundle.ts';
import { type Embedded, embed, type Firmware, heapTopAt } from '../firmware/embed.ts';
import { PLANE_BASE } from '../src/plane/limits.ts';

const PAGE = 4096;
/** Of malloc: what follows the top chunk, and the links at the start of a free one. */
const FOOT_BYTES = 40;
const LINK_BYTES = 32;

export interface Snapshot {
  bytes: Uint8Array;
  staticBytes: number;
  heapAt: number;
  heapBytes: number;
  /** Address of the word that holds the heap's end, which grows as the engine takes more. */
  breakAt: number;
  engine: Embedded;
  /** The module of each overlay, by number. */
  overlays: Firmware['overlays'];
}

export async function takeSnapshot(): Promise<Snapshot> {
  const firmware = await bundle();
  const engine = embed(firmware);
  const memory = new Uint8Array(engine.memory.buffer);
  scrubFreeMemory(engine.memory, engine.stackPointer);
  const heapAt = engine.stackPointer & ~(PAGE - 1);
  const heapEnd = wholePages(lastByte(memory, heapAt, memory.length));
  const staticBytes = wholePages(lastByte(memory, 0, PLANE_BASE));
  if (staticBytes >= PLANE_BASE) throw new Error('Cannot take a snapshot: static data reaches the plane');
  const bytes = new Uint8Array(staticBytes + heapEnd - heapAt);
  bytes.set(memory.subarray(0, staticBytes), 0);
  bytes.set(memory.subarray(heapAt, heapEnd), staticBytes);
  return {
    ...{ bytes, staticBytes, heapAt, heapBytes: heapEnd - heapAt, breakAt: heapTopAt(), engine },
    overlays: firmware.overlays,
  };
}

interface Chunk {
  /** Address of its two words of header; what malloc answered lies 8 further on. */
  at: number;
  /** Bytes with the header. */
  size: number;
  used: boolean;
}

/**
 * The heap's chunks. The engine's malloc is Doug Lea's (version 2.8): they lie one behind the other; the word
 * at 4 holds a chunk's size and in bit 1 whether it is in use. The last, free, is the top, followed by a foot
 * of 40 bytes, where the heap ends.
 */
function* heapChunks(memory: Uint8Array, heapBase: number): Generator<Chunk> {
  const words = new Uint32Array(memory.buffer);
  let at = (heapBase + 15) & ~15;
  if ((words[(at >> 2) + 1] as number) === 0) at += 8;
  for (;;) {
    const head = words[(at >> 2) + 1] as number;
    const size = head & ~7;
    if (head === FOOT_BYTES) return;
    if (size < 16 || at + size > memory.length) {
      throw new Error(`Cannot take a snapshot: no chunk of malloc at ${at}`);
    }
    yield { at, size, used: (head & 2) !== 0 };
    at += size;
  }
}

/** Zeroes the heap's free chunks: parsing leaves much rubbish behind. */
function scrubFreeMemory(linear: WebAssembly.Memory, heapBase: number): void {
  const memory = new Uint8Array(linear.buffer);
  const free = [...heapChunks(memory, heapBase)].filter(({ used }) => !used);
  for (const { at, size } of free) if (size > LINK_BYTES) memory.fill(0, at + LINK_BYTES, at + size);
}

function lastByte(memory: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && memory[end - 1] === 0) end--;
  return end;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}
