// Packs bytes to an LZ4 block, so that unpacking is quick: the board waits for it at each start, and hosts do not
// wait for this. The parse is the cheapest one there is, by bytes and by the unpacker's instructions together.
// Format: lz4_Block_format.md of the lz4 project. Unpacking: image/loader/unpack.ts.

const MATCH_LEAST = 4;
const OFFSET_MOST = 65535;
/** The format's end: the last bytes are literals, and no match starts among the last twelve. */
const LAST_LITERALS = 5;
const LAST_MATCH = 12;
const MORE = 15;
/** Places that are tried for the longest match. */
const CHAIN_DEPTH = 512;
/** A match this long is taken whole, and what lies within it is not looked at place by place. */
const LONG_MATCH = 64;
/**
 * What costs beside the block's bytes, in bytes: a sequence, a length that does not fit the token's nibble and so goes the careful way,
 * a byte that is unpacked. The unpacker spends some 35 instructions on a sequence. With more than 1 for it a match of four bytes is never
 * taken: the snapshot has 17 % fewer sequences then, unpacks in 12 ms less, and is 12 KB longer, of the slot and of every board's RAM.
 */
const COSTS = { sequence: 0.8, long: 1, byte: 0.03 };

interface Matches {
  /** For each place, the longest match's length, or 0, and how far back it lies. */
  length: Int32Array;
  offset: Int32Array;
}

/**
 * The block.
 * @param plain of the last bytes, how many are in it as they are: the block ends with them, and who knows that may read them there
 */
export function pack(bytes: Uint8Array, plain = 0): Uint8Array {
  const matches = findMatches(bytes, plain);
  return write(bytes, matches, parse(matches));
}

/** By chains of the places that start with the same four bytes, the nearest first. None reaches the last bytes. */
function findMatches(bytes: Uint8Array, plain: number): Matches {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const heads = new Map<number, number>();
  const before = new Int32Array(bytes.length);
  const length = new Int32Array(bytes.length);
  const offset = new Int32Array(bytes.length);
  const end = bytes.length - Math.max(LAST_LITERALS, plain);
  for (let at = 0; at + LAST_MATCH <= bytes.length && at + MATCH_LEAST <= end; at++) {
    const key = view.getInt32(at, true);
    before[at] = heads.get(key) ?? -1;
    heads.set(key, at);
    const inherited = at > 0 ? (length[at - 1] as number) - 1 : 0;
    if (inherited >= LONG_MATCH) {
      length[at] = inherited;
      offset[at] = offset[at - 1] as number;
      continue;
    }
    const most = end - at;
    let found = MATCH_LEAST - 1;
    let from = before[at] as number;
    for (let i = 0; i < CHAIN_DEPTH && from >= 0 && at - from <= OFFSET_MOST && found < most; i++) {
      if (bytes[from + found] === bytes[at + found]) {
        let n = 0;
        while (n < most && bytes[from + n] === bytes[at + n]) n++;
        if (n > found) {
          found = n;
          length[at] = n;
          offset[at] = at - from;
        }
      }
      from = before[from] as number;
    }
  }
  return { length, offset };
}

/** From the end backwards: the cheapest way from each place on. Answers the match to take at each, 0 for a literal. */
function parse({ length }: Matches): Int32Array {
  const cost = new Float64Array(length.length + 1);
  const taken = new Int32Array(length.length);
  for (let at = length.length - 1; at >= 0; at--) {
    let best = (cost[at + 1] as number) + 1 + COSTS.byte;
    const most = length[at] as number;
    for (let n = most > LONG_MATCH ? most : MATCH_LEAST; n <= most; n++) {
      const more = n - MATCH_LEAST - MORE;
      const price =
        3 + COSTS.sequence + COSTS.byte * n + (more < 0 ? 0 : COSTS.long + Math.floor(more / 255));
      const whole = (cost[at + n] as number) + price;
      if (whole <= best) {
        best = whole;
        taken[at] = n;
      }
    }
    cost[at] = best;
  }
  return taken;
}

/** @param taken the match to take at each place, 0 for a literal */
function write(bytes: Uint8Array, matches: Matches, taken: Int32Array): Uint8Array {
  // All literals: a byte of length for each 255, and the token.
  const packed = new Uint8Array(bytes.length + Math.ceil(bytes.length / 255) + 16);
  let out = 0;
  const more = (rest: number): void => {
    for (let left = rest; left >= 0; left -= 255) packed[out++] = Math.min(left, 255);
  };
  const nibble = (length: number): number => Math.min(length, MORE);
  let start = 0;
  for (let at = 0; at <= bytes.length; ) {
    const match = taken[at] ?? 0;
    if (match === 0 && at < bytes.length) {
      at++;
      continue;
    }
    const literals = at - start;
    packed[out++] = (nibble(literals) << 4) | (match === 0 ? 0 : nibble(match - MATCH_LEAST));
    more(literals - MORE);
    packed.set(bytes.subarray(start, at), out);
    out += literals;
    if (match === 0) break;
    const offset = matches.offset[at] as number;
    packed[out++] = offset & 0xff;
    packed[out++] = offset >> 8;
    more(match - MATCH_LEAST - MORE);
    at += match;
    start = at;
  }
  return packed.slice(0, out);
}
