// The evaluated heap without holes: blocks that only the evaluation needed lie between those that stay, a tenth of the heap.
// Here what stays is moved together, and malloc's own state is made new, so that the snapshot holds nothing else.
//
// Where the pointers are is found by comparison. Two engines do the same, and the heap of one lies SHIFT bytes higher from the
// start: what differs by SHIFT is a pointer, what is equal is none. SHIFT has no byte that is 0, so that a word some of whose
// bytes were a pointer's before, as behind a string's end, is not taken for one. What else hangs on addresses is the engine's
// table of shapes, whose hash begins with the prototype's address: it is made anew, by the engine's formula, which is tried on
// what is there first. Its order is another in the two engines, and blocks hold rests of older ones: what differs otherwise and
// was an address in one of them is such a rest, as what is in use would differ by SHIFT. At any other difference nothing is moved.
//
//    | used | free | used | used | free |top      ->      | used | used | used |top
//
// malloc is Doug Lea's (version 2.8), QuickJS that of package.json: the offsets are those of their structures, from their
// sources. Not here: what is dropped before (lean/), the snapshot (snapshot.ts).

import { type Embedded, heapTopAt } from './embed.ts';
import { heapChunks } from './heap.ts';
import { SHAPE_PLACES } from './lean/functions.ts';
import { mallocState, renewState, STATE_WORDS } from './malloc.ts';

/** How much higher the second engine's heap lies: a multiple of malloc's alignment. */
export const SHIFT = 0x123450;

/** In JSRuntime: the collector's list, and the table of shapes: bits, size, count, and where it is. */
const GC_LIST = 80;
const SHAPE_TABLE_BITS = 232;
const SHAPE_TABLE_BYTES = 236;
const SHAPE_TABLE = 244;
/** In JSShape. */
const SHAPE_TYPE = 4;
const SHAPE_IS_HASHED = 16;
const SHAPE_HASH = 20;
const SHAPE_COUNT = 32;
const SHAPE_NEXT = 40;
const SHAPE_PROTOTYPE = 44;
const SHAPE_PROPERTIES = 48;
const TYPE_SHAPE = 2;
const HASH_FACTOR = 0x9e370001;
/** Properties of the largest object that is told by its hash. */
const PROPERTIES_MOST = 100;

/** In the second word of what the collector knows: its type, and bits that nobody sets. */
const TYPE_MASK = 15;
const UNUSED_BITS = 0xe0;
/**
 * Before a value, which begins at a multiple of 8: in a JSObject, and a JSVarRef. And what a JSObject's class has no use for, of
 * the union behind it: what it uses there are pointers, and numbers that are the same in both engines.
 */
const UNUSED_WORDS = [
  ...[28, 32, 36, 40, 44].map(at => ({ type: 0, bytes: 56, at })),
  { type: 3, bytes: 40, at: 20 },
];

type Words = Uint32Array;

/** A block that stays: from its head, the word with its size, to the next one's. */
interface Block {
  from: number;
  bytes: number;
  to: number;
}

/** Moves all blocks of an engine's heap together. @param twin the same engine, its heap SHIFT bytes higher */
export function compact(engine: Embedded, twin: Embedded): void {
  const { memory, runtime, stackPointer } = engine;
  const words = new Uint32Array(memory.buffer);
  const chunks = [...heapChunks(memory, stackPointer)];
  const top = chunks.pop() as { at: number };
  const state = mallocState(words, top.at);
  const blocks: Block[] = [];
  let to = (chunks[0] as { at: number }).at + 4;
  for (const { at, size, used } of chunks) {
    if (!used) continue;
    blocks.push({ from: at + 4, bytes: size, to });
    to += size;
  }
  const moved = mover(blocks);
  const shapes = shapesOf(words, runtime);
  const table = words[(runtime + SHAPE_TABLE) >> 2] as number;
  // A shape's block begins with its table, so that its second word is told here; behind the type in it nobody sets anything.
  const hashes = new Set(
    shapes.all.flatMap(shape => [shape + SHAPE_TYPE, shape + SHAPE_HASH, shape + SHAPE_NEXT]),
  );
  for (let at = 0; at < (words[(runtime + SHAPE_TABLE_BYTES) >> 2] as number); at++)
    hashes.add(table + 4 * at);
  const pointers = pointersOf(words, new Uint32Array(twin.memory.buffer), blocks, hashes);
  for (const at of [...pointers, ...staticPointers(words, twin, state)]) {
    const target = moved(words[at >> 2] as number);
    if (target !== undefined) words[at >> 2] = target;
  }
  const bytes = new Uint8Array(memory.buffer);
  for (const block of blocks) {
    bytes.copyWithin(block.to, block.from, block.from + block.bytes);
    words[block.to >> 2] = block.bytes | 3;
  }
  renewState(words, state, to - 4, heapTopAt());
  engine.moved(address => moved(address) ?? address);
  rehash(
    words,
    engine.runtime,
    shapes.hashed.map(shape => moved(shape) as number),
  );
}

/** Answers where an address of a block lies when it is moved; undefined outside of blocks. */
function mover(blocks: readonly Block[]): (address: number) => number | undefined {
  return address => {
    let [low, high] = [0, blocks.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((blocks[middle] as Block).from <= address) low = middle;
      else high = middle;
    }
    const { from, bytes, to } = blocks[low] as Block;
    return address >= from && address < from + bytes ? address - from + to : undefined;
  };
}

/** Where in the blocks pointers are. @param hashes words that depend on addresses otherwise */
function pointersOf(words: Words, twin: Words, blocks: readonly Block[], hashes: Set<number>): number[] {
  const found: number[] = [];
  const [first, last] = [blocks[0], blocks.at(-1)] as [Block, Block];
  const isAddress = (value: number, bits: number, shift: number): boolean =>
    value >>> bits >= (first.from + shift) >>> bits && value >>> bits <= (last.from + shift) >>> bits;
  /** In one of them of an address, or of a shape's hash, above some low bytes that are new and alike. */
  const isRest = (here: number, there: number): boolean =>
    ((here ^ there) & 0xffffff) === 0 ||
    // The second word of a shape that is gone, which is like that of shapes that are there: see compact().
    ((here & TYPE_MASK) === TYPE_SHAPE && (there & TYPE_MASK) === TYPE_SHAPE) ||
    [0, 8, 16].some(
      bits =>
        ((here ^ there) & ((1 << bits) - 1)) === 0 &&
        (isAddress(here, bits, 0) || isAddress(there, bits, SHIFT) || differAsHashes(here, there, bits)),
    );
  for (const { from, bytes } of blocks) {
    if (words[from >> 2] !== twin[(from + SHIFT) >> 2]) throw new Error(`The heaps differ at ${from}`);
    for (let at = from + 4; at < from + bytes; at += 4) {
      const [here, there] = [words[at >> 2] as number, twin[(at + SHIFT) >> 2] as number];
      if (here === there || hashes.has(at)) continue;
      if ((here + SHIFT) >>> 0 === there) found.push(at);
      else if (!isUnused(words, from, bytes, at, here ^ there) && !isRest(here, there))
        throw new Error(`Cannot tell what lies in the heap at ${at}`);
    }
  }
  return found;
}

/** What the collector knows has bits and words that the engine never sets. */
function isUnused(words: Words, from: number, bytes: number, at: number, difference: number): boolean {
  if (at === from + 8) return (difference & ~UNUSED_BITS) === 0;
  const type = (words[(from + 8) >> 2] as number) & TYPE_MASK;
  return UNUSED_WORDS.some(
    unused => unused.type === type && unused.bytes === bytes && at === from + 4 + unused.at,
  );
}

/** By how much the hashes of a shape differ in both, by its properties' number. */
const HASH_DIFFERENCES = Array.from({ length: PROPERTIES_MOST }, (_, count) => {
  let difference = SHIFT;
  for (let step = 0; step < 2 * count + 1; step++) difference = Math.imul(difference, HASH_FACTOR) >>> 0;
  return difference;
});

function differAsHashes(here: number, there: number, bits: number): boolean {
  return HASH_DIFFERENCES.some(difference => {
    const over = ((there >>> bits) - (here >>> bits) - (difference >>> bits)) & (0xffffffff >>> bits);
    return over === 0 || (bits > 0 && over === 1);
  });
}

/** Where below the plane's memory pointers into the heap are, but malloc's state. */
function staticPointers(words: Words, { memory }: Embedded, state: number): number[] {
  const twin = new Uint32Array(memory.buffer);
  const found: number[] = [];
  for (let word = 0; word < 1 << 15; word++) {
    if (word >= state && word < state + STATE_WORDS) continue;
    const difference = ((twin[word] as number) - (words[word] as number)) >>> 0;
    if (difference === SHIFT) found.push(4 * word);
    else if (difference !== 0) throw new Error(`Cannot tell what the engine has at ${4 * word}`);
  }
  return found.filter(at => at !== heapTopAt());
}

/** All shapes, and those in the table, each of which shows that the formula of the hash is right. */
function shapesOf(words: Words, runtime: number): { all: number[]; hashed: number[] } {
  const bytes = new Uint8Array(words.buffer);
  const all: number[] = [];
  const head = runtime + GC_LIST;
  for (let link = words[(head >> 2) + 1] as number; link !== head; link = words[(link >> 2) + 1] as number) {
    const at = link - 8;
    if (((bytes[at + 4] as number) & TYPE_MASK) === TYPE_SHAPE) all.push(at);
  }
  // The shape of bare functions (lean/modules.ts) has no place for properties, and is in no table.
  const hashed = all.filter(
    shape => bytes[shape + SHAPE_IS_HASHED] !== 0 && words[(shape + SHAPE_PLACES) >> 2] !== 0,
  );
  if (hashed.length === 0 || hashed.some(shape => words[(shape + SHAPE_HASH) >> 2] !== hashOf(words, shape)))
    throw new Error('Cannot reckon the hash of a shape: the engine has another version');
  return { all, hashed };
}

/** js_shape_hash() over prototype and properties. */
function hashOf(words: Words, shape: number): number {
  const step = (hash: number, value: number): number => Math.imul((hash + value) | 0, HASH_FACTOR) >>> 0;
  let hash = step(1, words[(shape + SHAPE_PROTOTYPE) >> 2] as number);
  for (let i = 0; i < (words[(shape + SHAPE_COUNT) >> 2] as number); i++) {
    const property = (shape + SHAPE_PROPERTIES + 8 * i) >> 2;
    hash = step(step(hash, words[property + 1] as number), (words[property] as number) >>> 26);
  }
  return hash;
}

/** Makes the table of shapes anew. */
function rehash(words: Words, runtime: number, shapes: readonly number[]): void {
  const bits = words[(runtime + SHAPE_TABLE_BITS) >> 2] as number;
  const size = words[(runtime + SHAPE_TABLE_BYTES) >> 2] as number;
  const table = (words[(runtime + SHAPE_TABLE) >> 2] as number) >> 2;
  words.fill(0, table, table + size);
  for (const shape of shapes) {
    const hash = hashOf(words, shape);
    const bucket = table + (hash >>> (32 - bits));
    words[(shape + SHAPE_HASH) >> 2] = hash;
    words[(shape + SHAPE_NEXT) >> 2] = words[bucket] as number;
    words[bucket] = shape;
  }
}
