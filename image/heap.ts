// The engine's heap by its chunks. Its malloc is Doug Lea's (version 2.8): chunks lie one behind the other; the word at 4
// holds a chunk's size, and in bit 1 whether it is in use. The last, free, is the top, followed by a foot of 40 bytes,
// where the heap ends. board/i486/control.c walks it, too.

/** Of malloc: what follows the top chunk. */
export const HEAP_FOOT = 40;

export interface Chunk {
  /** Address of its two words of header; what malloc answered lies 8 further on. */
  at: number;
  /** Bytes with the header. */
  size: number;
  used: boolean;
}

/** The first chunk of the heap that begins at `base`. */
export function firstChunk(memory: WebAssembly.Memory, base: number): number {
  const at = (base + 15) & ~15;
  return new Uint32Array(memory.buffer)[(at >> 2) + 1] === 0 ? at + 8 : at;
}

export function* heapChunks(memory: WebAssembly.Memory, base: number): Generator<Chunk> {
  const words = new Uint32Array(memory.buffer);
  for (let at = firstChunk(memory, base); ; ) {
    const head = words[(at >> 2) + 1] as number;
    const size = head & ~7;
    if (head === HEAP_FOOT) return;
    // The top chunk alone, which is what is left, may be as small as its header.
    if (size < 8 || at + size > memory.buffer.byteLength) throw new Error(`No chunk of malloc at ${at}`);
    yield { at, size, used: (head & 2) !== 0 };
    at += size;
  }
}

/** Bytes of the chunks in use, or of the free ones. */
export function heapBytes(memory: WebAssembly.Memory, base: number, used: boolean): number {
  let bytes = 0;
  for (const chunk of heapChunks(memory, base)) if (chunk.used === used) bytes += chunk.size;
  return bytes;
}
