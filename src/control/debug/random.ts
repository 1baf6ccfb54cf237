// Repeatable numbers and a checksum for the debug commands. The numbers come from a seed alone: ports and
// identifiers on the wire are the entropy pool's affair (src/base/entropy.ts), never this file's.

export interface Random {
  /** An i32. */
  next(): number;
  /** 0 to n - 1, n at most 65,536. */
  below(n: number): number;
}

/** Marsaglia's xorshift with 32 bits of state: the same numbers in every engine. */
export function createRandom(seed: number): Random {
  let state = seed | 0 || 0x9e3779b9 | 0;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 16; i++) next();
  return { next, below: n => (next() >>> 8) % n };
}

const table = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  table[i] = value;
}

/** CRC-32 (ISO 3309, the one of zlib) of a string's character codes, two bytes each, continuing `crc`. */
export function crcOfText(text: string, crc = 0): number {
  let value = ~crc;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    value = (table[(value ^ code) & 255] as number) ^ (value >>> 8);
    value = (table[(value ^ (code >> 8)) & 255] as number) ^ (value >>> 8);
  }
  return ~value;
}
