// For each place of some bytes, what stands there and stood before: lengths, each longer than the one before it, and the nearest
// distance for each. Found by chains of places that begin with the same three bytes; of two bytes only the last place is looked at.
// Not here: which of them are taken (encode.ts).

/** Places that are tried. */
const CHAIN_DEPTH = 256;
/** Two bytes further back cost more than as literals. */
const PAIR_MOST = 2048;
const HASH_BITS = 16;

export interface Matches {
  /** Where the list of each place begins in the other two, and where the last one's ends. */
  begin: Int32Array;
  length: Int32Array;
  distance: Int32Array;
}

/** @param most the longest length that is wanted */
export function findMatches(bytes: Uint8Array, most: number): Matches {
  const begin = new Int32Array(bytes.length + 1);
  const length: number[] = [];
  const distance: number[] = [];
  const heads = new Int32Array(1 << HASH_BITS).fill(-1);
  const before = new Int32Array(bytes.length);
  const pairs = new Int32Array(1 << 16).fill(-1);
  for (let at = 0; at < bytes.length; at++) {
    begin[at] = length.length;
    if (at + 2 > bytes.length) continue;
    const pair = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    const near = pairs[pair] as number;
    pairs[pair] = at;
    if (near >= 0 && at - near <= PAIR_MOST) {
      length.push(2);
      distance.push(at - near);
    }
    if (at + 3 > bytes.length) continue;
    const hash = Math.imul(pair | ((bytes[at + 2] as number) << 16), 0x9e3779b1) >>> (32 - HASH_BITS);
    let from = heads[hash] as number;
    before[at] = from;
    heads[hash] = at;
    const limit = Math.min(most, bytes.length - at);
    let found = 2;
    for (let i = 0; i < CHAIN_DEPTH && from >= 0 && found < limit; i++) {
      if (bytes[from + found] === bytes[at + found]) {
        let n = 0;
        while (n < limit && bytes[from + n] === bytes[at + n]) n++;
        if (n > found) {
          found = n;
          length.push(n);
          distance.push(at - from);
        }
      }
      from = before[from] as number;
    }
  }
  begin[bytes.length] = length.length;
  return { begin, length: Int32Array.from(length), distance: Int32Array.from(distance) };
}
