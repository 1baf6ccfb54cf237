// DES of one block (FIPS 46-3), by which MS-CHAP hides a hash of the password (RFC 2433, section 5). Numbers of bits count from 1, as the
// standard's tables do, from the left.
// Not here: what is encrypted (ms-chap.ts). Nothing is kept secret by it today; the protocol has nothing else.

/** S-boxes, four rows of sixteen each, a hexadecimal digit an entry. */
const BOXES = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
];
/** Permutation behind the boxes. */
const P = [
  16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22,
  11, 4, 25,
];
/** Permuted choice 2: of both halves of the key, 28 bits each, those that a round takes. */
const CHOICE = [
  14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41, 52, 31, 37, 47,
  55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];
/** Rounds before which the halves of the key turn by one bit in place of two. */
const ONE_BIT = [0, 1, 8, 15];
const ROUNDS = 16;
const HALF = 0xfffffff;

/** The boxes with the permutation behind them, 64 words each: made once for the blocks of one response. */
function combined(): Int32Array {
  const words = new Int32Array(512);
  for (let i = 0; i < 512; i++) {
    const box = i >> 6;
    const row = ((i >> 4) & 2) | (i & 1);
    const value = Number.parseInt((BOXES[box] as string)[16 * row + ((i >> 1) & 15)] as string, 16);
    let word = 0;
    for (let bit = 0; bit < 32; bit++) {
      const from = (P[bit] as number) - 1 - 4 * box;
      if (from >= 0 && from < 4 && ((value >> (3 - from)) & 1) !== 0) word |= 1 << (31 - bit);
    }
    words[i] = word;
  }
  return words;
}

/** Bit `n`, from 0, of the key of seven bytes at `at`: those of the eight that are no parity. */
const bitOf = (key: Uint8Array, at: number, n: number): number =>
  ((key[at + (n >> 3)] as number) >> (7 - (n & 7))) & 1;

/** Both halves of the key (permuted choice 1), from seven bytes. */
function halves(key: Uint8Array, at: number): [c: number, d: number] {
  let c = 0;
  let d = 0;
  for (let n = 0; n < 28; n++) {
    // The standard's columns run upwards through the eight bytes; each byte of the key has seven of our bits.
    const column = n >> 3;
    const byte = 7 - (n & 7);
    c = (c << 1) | bitOf(key, at, 7 * byte + column);
    d = (d << 1) | bitOf(key, at, n < 24 ? 7 * byte + 6 - column : 7 * (27 - n) + 3);
  }
  return [c, d];
}

/** The 48 bits of each round's key, as eight of six. */
function schedule(key: Uint8Array, at: number): Uint8Array {
  const keys = new Uint8Array(8 * ROUNDS);
  let [c, d] = halves(key, at);
  for (let round = 0; round < ROUNDS; round++) {
    const by = ONE_BIT.includes(round) ? 1 : 2;
    c = ((c << by) | (c >>> (28 - by))) & HALF;
    d = ((d << by) | (d >>> (28 - by))) & HALF;
    for (let i = 0; i < 48; i++) {
      const bit = CHOICE[i] as number;
      const value = bit <= 28 ? c >>> (28 - bit) : d >>> (56 - bit);
      const place = 8 * round + Math.floor(i / 6);
      keys[place] = ((keys[place] as number) << 1) | (value & 1);
    }
  }
  return keys;
}

/** The 32 bits of a block before (`from` 1: the left half, 0: the right one) in the order of the initial permutation. */
function permuted(block: Uint8Array, from: number): number {
  let word = 0;
  for (let i = 0; i < 32; i++) {
    const column = 2 * (i >> 3) + from;
    word = (word << 1) | (((block[7 - (i & 7)] as number) >> (7 - column)) & 1);
  }
  return word;
}

/** What of a round's half and key goes into the other half. */
function mixed(boxes: Int32Array, half: number, keys: Uint8Array, round: number): number {
  let word = 0;
  for (let box = 0; box < 8; box++) {
    // Six bits, the first of them the last of the four before.
    const by = (4 * box + 5) & 31;
    const six = ((half << by) | (half >>> (32 - by))) & 63;
    word |= boxes[64 * box + (six ^ (keys[8 * round + box] as number))] as number;
  }
  return word;
}

function encrypt(boxes: Int32Array, keys: Uint8Array, block: Uint8Array): Uint8Array {
  let left = permuted(block, 1);
  let right = permuted(block, 0);
  for (let round = 0; round < ROUNDS; round++) {
    const next = left ^ mixed(boxes, right, keys, round);
    left = right;
    right = next;
  }
  // The halves change places, and the initial permutation is undone.
  const out = new Uint8Array(8);
  for (let i = 0; i < 32; i++) {
    const byte = 7 - (i & 7);
    const column = 2 * (i >> 3);
    out[byte] = (out[byte] as number) | (((right >>> (31 - i)) & 1) << (6 - column));
    out[byte] = (out[byte] as number) | (((left >>> (31 - i)) & 1) << (7 - column));
  }
  return out;
}

/** A block of 8 bytes under each of the keys of 7 bytes that stand one behind the other in `keys`. */
export function desBlocks(keys: Uint8Array, block: Uint8Array): Uint8Array {
  const boxes = combined();
  const out = new Uint8Array((8 * keys.length) / 7);
  for (let at = 0; at < keys.length; at += 7)
    out.set(encrypt(boxes, schedule(keys, at), block), (8 * at) / 7);
  return out;
}
