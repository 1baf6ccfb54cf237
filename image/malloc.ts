// The state of the engine's malloc, which is Doug Lea's (version 2.8): its malloc_state lies in static data, 114 words.
// Not here: the chunks (heap.ts), who moves them (compact.ts).

import { type Chunk, HEAP_FOOT, heapChunks } from './heap.ts';

const PAGE = 4096;
const GRANULE = 16;

/** In malloc_state: words. */
const STATE_SMALL_MAP = 0;
const STATE_TREE_MAP = 1;
const STATE_VICTIM_BYTES = 2;
const STATE_TOP_BYTES = 3;
const STATE_VICTIM = 5;
const STATE_TOP = 6;
const STATE_SMALL_BINS = 10;
const SMALL_BINS = 32;
const STATE_TREE_BINS = 76;
const TREE_BINS = 32;
const STATE_FOOTPRINT = 108;
const STATE_SEGMENT_BYTES = 113;
const BEFORE_USED = 1;

/** Words of the state as far as it is of interest. */
export const STATE_WORDS = STATE_SEGMENT_BYTES + 1;

type Words = Uint32Array;

/**
 * Lets the heap end at `end`, as that of another engine does. @param base where it begins
 */
export function endHeapAt(memory: WebAssembly.Memory, base: number, end: number, breakAt: number): void {
  const words = new Uint32Array(memory.buffer);
  const { at: top, size } = [...heapChunks(memory, base)].at(-1) as Chunk;
  setEnd(words, mallocState(words, top), top, size, end, breakAt);
}

/** Lets the top chunk, `before` bytes till now, reach to `end`. */
function setEnd(
  words: Words,
  state: number,
  top: number,
  before: number,
  end: number,
  breakAt: number,
): void {
  const bytes = end - HEAP_FOOT - top;
  const more = end - (words[breakAt >> 2] as number);
  words[(top + before + 4) >> 2] = 0;
  words[(top + 4) >> 2] = bytes | BEFORE_USED;
  words[(top + bytes + 4) >> 2] = HEAP_FOOT;
  words[state + STATE_TOP_BYTES] = bytes;
  for (const word of [state + STATE_FOOTPRINT, state + STATE_SEGMENT_BYTES, breakAt >> 2])
    words[word] = (words[word] as number) + more;
}

/** Where malloc_state begins, as a word: it names the top chunk, and how long that is. */
export function mallocState(words: Words, top: number): number {
  const bytes = (words[(top + 4) >> 2] as number) & ~7;
  const found: number[] = [];
  for (let word = 0; word < 1 << 15; word++) {
    if (words[word + STATE_TOP] === top && words[word + STATE_TOP_BYTES] === bytes) found.push(word);
  }
  if (found.length !== 1) throw new Error('Cannot find the state of malloc: the engine has another version');
  return found[0] as number;
}

/** malloc with nothing free but the top, which begins at `top` and ends with its page. */
export function renewState(words: Words, state: number, top: number, breakAt: number): void {
  const end = Math.ceil((top + GRANULE + HEAP_FOOT) / PAGE) * PAGE;
  new Uint8Array(words.buffer).fill(0, top + 4, words[breakAt >> 2] as number);
  words[state + STATE_SMALL_MAP] = 0;
  words[state + STATE_TREE_MAP] = 0;
  words[state + STATE_VICTIM_BYTES] = 0;
  words[state + STATE_VICTIM] = 0;
  words[state + STATE_TOP] = top;
  for (let bin = 0; bin < SMALL_BINS; bin++) {
    const word = state + STATE_SMALL_BINS + 2 * bin;
    words[word + 2] = 4 * word;
    words[word + 3] = 4 * word;
  }
  words.fill(0, state + STATE_TREE_BINS, state + STATE_TREE_BINS + TREE_BINS);
  setEnd(words, state, top, 0, end, breakAt);
}
