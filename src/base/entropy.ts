// Unpredictable numbers: a pool stirred by the timing of interrupts, and a generator that it feeds.
//
// stirEntropy() is paid by every interrupt, so it only rotates one of eight words and adds the sample: about
// a dozen instructions. random32() does the thorough work, an eighth of it with each number that it hands out, so that
// no packet pays for all: it XORs the eight words into the key and runs ChaCha's permutation (D. J. Bernstein,
// "ChaCha, a variant of Salsa20", 2008; the quarter round of RFC 8439, section 2.1) with 8 rounds. Half of the block
// becomes the next key, the other half is handed out word by word and wiped ("Fast-key-erasure random-number
// generators", Bernstein, 2017): who reads the memory later cannot tell what was handed out before.
// So a number knows the pool of 8 to 16 numbers ago; freshenEntropy() is for those that want it as it is now.
//
//    0      key (8 words)          32     counter
//    36     samples so far         40     numbers left to hand out
//    64     pool (8 words)         96     numbers to hand out (8 words)
//    128    block under way (16 words): 8 for the next key, 8 to hand out
//
// How much is in it: a sample is a PIT reading (838 ns) at an interrupt whose moment was set by another
// crystal: a network card's or a serial line's. Such crystals drift by tens of ppm against ours, and queues
// on the way add microseconds, so a bit a sample would be modest; we count a quarter of one. Timer interrupts
// come from the same crystal and bring next to nothing; they are stirred in but should not be counted on.
// Nothing here is remembered over a reset: what a snapshot of the heap holds cannot repeat a number, for the
// pool lies in the plane's memory, which starts as zeros and gets the boot's own timings first.
// Everything follows from the samples alone, so that a test can repeat it.

import { NOW_AT } from './cells.ts';
import { ENTROPY_AT, ENTROPY_BYTES } from './limits.ts';
import { fill, i32at, puti32 } from './memory.ts';

const KEY_AT: i32 = ENTROPY_AT;
const COUNTER_AT: i32 = ENTROPY_AT + 32;
const SAMPLES_AT: i32 = ENTROPY_AT + 36;
const LEFT_AT: i32 = ENTROPY_AT + 40;
const POOL_AT: i32 = ENTROPY_AT + 64;
const BLOCK_AT: i32 = ENTROPY_AT + 128;
const OUTPUT_AT: i32 = ENTROPY_AT + 96;
/**
 * Words of a block that are handed out, its second half; and half double rounds that make the next one: ChaCha8, of
 * which no attack is known; its author's fastest proposal.
 */
const OUTPUT_WORDS: i32 = 8;
const SAMPLES_PER_BIT: i32 = 4;
/** The key's size: the pool cannot hold more. */
const POOL_BITS: i32 = 256;

export function resetEntropy(): void {
  fill(ENTROPY_AT, 0, ENTROPY_BYTES);
}

/** Takes in one sample, any 32 bits: the more of them unknown to a stranger, the better. */
export function stirEntropy(sample: i32): void {
  const n: i32 = i32at(SAMPLES_AT);
  const p: i32 = POOL_AT + ((n & 7) << 2);
  const word: i32 = i32at(p);
  // The rotation by 7, coprime to 32, spreads the samples' lively low bits over the whole word.
  puti32(p, (((word << 7) | (word >>> 25)) + sample) | 0);
  puti32(SAMPLES_AT, (n + 1) | 0);
}

/** Bits that a stranger cannot know, estimated: 0 to 256. */
export function entropyBits(): i32 {
  const n: i32 = i32at(SAMPLES_AT);
  if (n < 0) return POOL_BITS;
  const bits: i32 = (n / SAMPLES_PER_BIT) | 0;
  return bits > POOL_BITS ? POOL_BITS : bits;
}

/** 32 unpredictable bits. Costs some 350 instructions, the first of all 2,500. */
export function random32(): i32 {
  if (i32at(LEFT_AT) === 0) makeBlock();
  const left: i32 = i32at(LEFT_AT) - 1;
  const n: i32 = OUTPUT_WORDS - 1 - left;
  const p: i32 = OUTPUT_AT + (n << 2);
  const word: i32 = i32at(p);
  puti32(p, 0);
  puti32(LEFT_AT, left);
  step(n);
  return word;
}

/** The next numbers know all that the pool does: for keys that stay. Costs some 3,000 instructions. */
export function freshenEntropy(): void {
  if (i32at(LEFT_AT) !== 0) for (let n: i32 = OUTPUT_WORDS - i32at(LEFT_AT); n < OUTPUT_WORDS; n++) step(n);
  makeBlock();
}

function makeBlock(): void {
  for (let n: i32 = 0; n < OUTPUT_WORDS; n++) step(n);
}

/** One of eight steps towards the next block, of which each is half a double round. */
function step(n: i32): void {
  if (n === 0) startBlock();
  if ((n & 1) === 0) {
    quarterRound(0, 16, 32, 48);
    quarterRound(4, 20, 36, 52);
    quarterRound(8, 24, 40, 56);
    quarterRound(12, 28, 44, 60);
  } else {
    quarterRound(0, 20, 40, 60);
    quarterRound(4, 24, 44, 48);
    quarterRound(8, 28, 32, 52);
    quarterRound(12, 16, 36, 56);
  }
  if (n === OUTPUT_WORDS - 1) endBlock();
}

/** The key, the pool and the time. */
function startBlock(): void {
  // "expand 32-byte k", ChaCha's constants, little-endian.
  puti32(BLOCK_AT, 0x61707865);
  puti32(BLOCK_AT + 4, 0x3320646e);
  puti32(BLOCK_AT + 8, 0x79622d32);
  puti32(BLOCK_AT + 12, 0x6b206574);
  for (let i: i32 = 0; i < 32; i += 4) {
    const word: i32 = i32at(KEY_AT + i) ^ i32at(POOL_AT + i);
    puti32(KEY_AT + i, word);
    puti32(BLOCK_AT + 16 + i, word);
  }
  const counter: i32 = (i32at(COUNTER_AT) + 1) | 0;
  puti32(COUNTER_AT, counter);
  puti32(BLOCK_AT + 48, counter);
  puti32(BLOCK_AT + 52, i32at(NOW_AT));
  puti32(BLOCK_AT + 56, i32at(SAMPLES_AT));
  puti32(BLOCK_AT + 60, 0);
}

/**
 * The next numbers, and the next key. ChaCha adds its input to the permuted block so that nobody can run it backwards;
 * adding the key to the half that becomes the next key, and to the half that is handed out, does the same here.
 */
function endBlock(): void {
  for (let i: i32 = 0; i < 32; i += 4) {
    const key: i32 = i32at(KEY_AT + i);
    puti32(OUTPUT_AT + i, (i32at(BLOCK_AT + 32 + i) + key) | 0);
    puti32(KEY_AT + i, (i32at(BLOCK_AT + i) + key) | 0);
    puti32(BLOCK_AT + i, 0);
    puti32(BLOCK_AT + 32 + i, 0);
  }
  puti32(LEFT_AT, OUTPUT_WORDS);
}

/** RFC 8439, section 2.1; the arguments are offsets in the block. */
function quarterRound(atA: i32, atB: i32, atC: i32, atD: i32): void {
  let a: i32 = i32at(BLOCK_AT + atA);
  let b: i32 = i32at(BLOCK_AT + atB);
  let c: i32 = i32at(BLOCK_AT + atC);
  let d: i32 = i32at(BLOCK_AT + atD);
  a = (a + b) | 0;
  d ^= a;
  d = (d << 16) | (d >>> 16);
  c = (c + d) | 0;
  b ^= c;
  b = (b << 12) | (b >>> 20);
  a = (a + b) | 0;
  d ^= a;
  d = (d << 8) | (d >>> 24);
  c = (c + d) | 0;
  b ^= c;
  b = (b << 7) | (b >>> 25);
  puti32(BLOCK_AT + atA, a);
  puti32(BLOCK_AT + atB, b);
  puti32(BLOCK_AT + atC, c);
  puti32(BLOCK_AT + atD, d);
}
