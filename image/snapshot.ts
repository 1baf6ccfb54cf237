// The heap snapshot: linear memory after the bundle has been evaluated, as the board starts from it.
// What is frozen here is thawed by the floor: the engine's stack pointer, the heap's limit, the facts.
//
//   constants        | static data            (hole: plane, stack)       heap
//   0 .. constantBytes .. staticBytes  |                          | heapAt .. heapAt + heapBytes
//
// The blob is static data and heap one behind the other, whole pages. The engine's constants, which nobody ever writes, are
// not in it: they lie in the kernel as they are, and are mapped from there, so that no start has to unpack them.

import { HOST_COLLECT, HOST_OVERLAY } from '../src/base/abi.ts';
import { PLANE_BASE } from '../src/base/limits.ts';
import { bundle } from './bundle.ts';
import { compact, SHIFT } from './compact.ts';
import { type Compiled, type Embedded, embed, type Firmware, freshMemory, heapTopAt } from './embed.ts';
import { heapBytes, heapChunks } from './heap.ts';

const PAGE = 4096;
/** Of malloc: the links at the start of a free chunk. */
const LINK_BYTES = 32;

export interface Snapshot {
  bytes: Uint8Array;
  /** What the engine's memory begins with and never changes. */
  constants: Uint8Array;
  staticBytes: number;
  heapAt: number;
  heapBytes: number;
  /** Address of the word that holds the heap's end, which grows as the engine takes more. */
  breakAt: number;
  engine: Embedded;
  /** The module of each overlay, by number, and what it takes of the heap once it is evaluated. */
  overlays: readonly (Compiled & { heapBytes: number })[];
}

export async function takeSnapshot(): Promise<Snapshot> {
  const firmware = await bundle();
  const engine = embed(firmware);
  try {
    compact(engine, embed(firmware, undefined, undefined, undefined, SHIFT));
  } catch (error) {
    // A larger snapshot does as well. image/snapshot.test.ts fails then.
    console.log(`The heap keeps its holes: ${(error as Error).message}`);
  }
  const memory = new Uint8Array(engine.memory.buffer);
  scrubFreeMemory(engine.memory, engine.stackPointer);
  const heapAt = engine.stackPointer & ~(PAGE - 1);
  const heapEnd = wholePages(lastByte(memory, heapAt, memory.length));
  const staticBytes = wholePages(lastByte(memory, 0, PLANE_BASE));
  if (staticBytes >= PLANE_BASE) throw new Error('Cannot take a snapshot: static data reaches the plane');
  const constants = memory.slice(0, constantBytes(memory));
  const bytes = Uint8Array.from([
    ...memory.subarray(constants.length, staticBytes),
    ...memory.subarray(heapAt, heapEnd),
  ]);
  const overlays = measured(firmware, engine);
  if (Buffer.compare(memory.subarray(0, constants.length), constants) !== 0)
    throw new Error('Cannot take a snapshot: what were taken for constants of the engine is written to');
  return {
    ...{ bytes, constants, staticBytes, heapAt, heapBytes: heapEnd - heapAt, breakAt: heapTopAt(), engine },
    overlays,
  };
}

/**
 * The pages before the first byte that is not as the engine's file has it: LLVM's linker puts constants first. Should one of
 * them be written to after all, the board finds that out, as it maps them read-only.
 */
function constantBytes(memory: Uint8Array): number {
  const fresh = freshMemory();
  const first = fresh.findIndex((byte, at) => byte !== memory[at]);
  return first - (first % PAGE);
}

/** Loads each overlay into an engine that is needed no more: what it takes depends on nothing but its own code. */
function measured({ overlays }: Firmware, engine: Embedded): Snapshot['overlays'] {
  const { memory, stackPointer, evaluate } = engine;
  const used = (): number => {
    evaluate(`globalThis.__overlay = 0; __host(${HOST_COLLECT}); ({}); 1`);
    return heapBytes(memory, stackPointer, true);
  };
  return overlays.map((overlay, number) => {
    const before = used();
    evaluate(`__host(${HOST_OVERLAY}, ${number}); 1`);
    return { ...overlay, heapBytes: heapBytes(memory, stackPointer, true) - before };
  });
}

/** Zeroes the heap's free chunks: parsing leaves much rubbish behind. */
function scrubFreeMemory(linear: WebAssembly.Memory, heapBase: number): void {
  const memory = new Uint8Array(linear.buffer);
  const free = [...heapChunks(linear, heapBase)].filter(({ used }) => !used);
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
