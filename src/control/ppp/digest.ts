// MD5 (RFC 1321), MD4 (RFC 1320) and SHA-1 (RFC 3174) of a short text in one piece, as CHAP wants them: some 10 ms of a 486 each.
// Not here: SHA-256, of which others make thousands (../core/sha256.ts). Rejected: packages, of which none has MD4 beside DES
// and each brings its own streams and encodings, three times as much as is here.

const BLOCK_BYTES = 64;
const FIRST = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
/** Of MD5: the integer part of 2^32 times the sine of 1 to 64, in radians. */
const SINES =
  'd76aa478e8c7b756242070dbc1bdceeef57c0faf4787c62aa8304613fd469501698098d88b44f7afffff5bb1895cd7be' +
  '6b901122fd987193a679438e49b40821f61e2562c040b340265e5a51e9b6c7aad62f105d02441453d8a1e681e7d3fbc8' +
  '21e1cde6c33707d6f4d50d87455a14eda9e3e905fcefa3f8676f02d98d2a4c8afffa39428771f6816d9d6122fde5380c' +
  'a4beea444bdecfa9f6bb4b60bebfbc70289b7ec6eaa127fad4ef308504881d05d9d4d039e6db99e51fa27cf8c4ac5665' +
  'f4292244432aff97ab9423a7fc93a039655b59c38f0ccc92ffeff47d85845dd16fa87e4ffe2ce6e0a30143144e0811a1' +
  'f7537e82bd3af2352ad7d2bbeb86d391';
/** Turns of a step, four for each of the rounds. */
const MD5_TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const MD4_TURNS = [3, 7, 11, 19, 3, 5, 9, 13, 3, 9, 11, 15];
/** Of MD4's third round: which word a step takes. */
const MD4_THIRD = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

const turned = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** The parts of a text, one behind the other. */
export function joined(...parts: ArrayLike<number>[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

type Words = [number, number, number, number, number];

/** Pads a text, takes its blocks, and answers the first words of the state as bytes. */
function digest(
  text: Uint8Array,
  isLittle: boolean,
  count: number,
  take: (state: Words, block: number[]) => void,
): Uint8Array {
  const padded = new Uint8Array((((text.length + 8) >> 6) + 1) * BLOCK_BYTES);
  padded.set(text);
  padded[text.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - (isLittle ? 8 : 4), text.length * 8, isLittle);
  const state = [...FIRST] as Words;
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    const block: number[] = [];
    for (let i = 0; i < BLOCK_BYTES; i += 4) block.push(view.getInt32(at + i, isLittle));
    take(state, block);
  }
  const out = new DataView(new ArrayBuffer(4 * count));
  for (let i = 0; i < count; i++) out.setInt32(4 * i, state[i] as number, isLittle);
  return new Uint8Array(out.buffer);
}

export function md5(text: Uint8Array): Uint8Array {
  return digest(text, true, 4, md5Block);
}

export function md4(text: Uint8Array): Uint8Array {
  return digest(text, true, 4, md4Block);
}

export function sha1(text: Uint8Array): Uint8Array {
  return digest(text, false, 5, sha1Block);
}

function md5Block(state: Words, block: number[]): void {
  let [a, b, c, d] = state;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let f = c ^ (b | ~d);
    let word = 7 * i;
    if (round === 0) {
      f = (b & c) | (~b & d);
      word = i;
    } else if (round === 1) {
      f = (b & d) | (c & ~d);
      word = 5 * i + 1;
    } else if (round === 2) {
      f = b ^ c ^ d;
      word = 3 * i + 5;
    }
    const sine = Number.parseInt(SINES.slice(8 * i, 8 * i + 8), 16);
    const sum = (a + f + sine + (block[word & 15] as number)) | 0;
    a = d;
    d = c;
    c = b;
    b = (b + turned(sum, MD5_TURNS[4 * round + (i & 3)] as number)) | 0;
  }
  add(state, [a, b, c, d]);
}

function md4Block(state: Words, block: number[]): void {
  let [a, b, c, d] = state;
  for (let i = 0; i < 48; i++) {
    const round = i >> 4;
    let f = (b & c) | (~b & d);
    let word = i;
    let more = 0;
    if (round === 1) {
      f = (b & c) | (b & d) | (c & d);
      word = ((i & 3) << 2) | ((i >> 2) & 3);
      more = 0x5a827999;
    } else if (round === 2) {
      f = b ^ c ^ d;
      word = MD4_THIRD[i & 15] as number;
      more = 0x6ed9eba1;
    }
    const sum = (a + f + more + (block[word] as number)) | 0;
    a = d;
    d = c;
    c = b;
    b = turned(sum, MD4_TURNS[4 * round + (i & 3)] as number);
  }
  add(state, [a, b, c, d]);
}

function sha1Block(state: Words, block: number[]): void {
  let [a, b, c, d, e] = state;
  for (let i = 0; i < 80; i++) {
    if (i > 15) {
      const word =
        (block[i - 3] as number) ^
        (block[i - 8] as number) ^
        (block[i - 14] as number) ^
        (block[i - 16] as number);
      block.push(turned(word, 1));
    }
    let f = b ^ c ^ d;
    let more = 0xca62c1d6;
    if (i < 20) {
      f = (b & c) | (~b & d);
      more = 0x5a827999;
    } else if (i < 40) {
      more = 0x6ed9eba1;
    } else if (i < 60) {
      f = (b & c) | (b & d) | (c & d);
      more = 0x8f1bbcdc;
    }
    const sum = (turned(a, 5) + f + e + more + (block[i] as number)) | 0;
    e = d;
    d = c;
    c = turned(b, 30);
    b = a;
    a = sum;
  }
  add(state, [a, b, c, d, e]);
}

function add(state: Words, words: readonly number[]): void {
  for (let i = 0; i < words.length; i++) state[i] = ((state[i] as number) + (words[i] as number)) | 0;
}
