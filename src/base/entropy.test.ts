import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { ENTROPY_AT, ENTROPY_BYTES } from './limits.ts';
import { get8 } from './memory.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane } = build;
  const numbers = (samples: number[], count: number): number[] => {
    build.use();
    plane.resetEntropy();
    for (const sample of samples) plane.stirEntropy(sample);
    return Array.from({ length: count }, () => plane.random32());
  };

  test.serial(`${build.name}: random32() follows from the samples alone`, t => {
    const samples = Array.from({ length: 50 }, (_, i) => (i * 2654435761) | 0);
    t.deepEqual(numbers(samples, 40), numbers(samples, 40));
  });

  test.serial(`${build.name}: random32() is ChaCha8 with the key replaced by each block`, t => {
    const given = numbers([1, 2, 3, 0x7fffffff, -1], 24);
    // Each word of the pool has got one sample or none; the key starts as zeros.
    const pool = [1, 2, 3, 0x7fffffff, -1, 0, 0, 0];
    let key = new Array<number>(8).fill(0);
    const expected: number[] = [];
    for (let counter = 1; counter <= 3; counter++) {
      const mixed = key.map((word, i) => word ^ (pool[i] as number));
      const block = chacha([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...mixed, counter, 0, 5, 0], 4);
      key = mixed.map((word, i) => (word + (block[i] as number)) | 0);
      expected.push(...mixed.map((word, i) => (word + (block[8 + i] as number)) | 0));
    }
    t.deepEqual(given, expected);
  });

  test.serial(`${build.name}: one bit of any sample changes all that follows`, t => {
    const samples = Array.from({ length: 64 }, (_, i) => i);
    const plain = numbers(samples, 8);
    for (let bit = 0; bit < 32; bit++) {
      for (const which of [0, 17, 63]) {
        const other = numbers(samples.with(which, (samples[which] as number) ^ (1 << bit)), 8);
        const changed = other.reduce((n, x, i) => n + bits(x ^ (plain[i] as number)), 0);
        // 128 of 256 bits on average, deviation 8: six of them either way.
        t.true(changed > 80 && changed < 176, `${changed} bits changed by bit ${bit} of sample ${which}`);
      }
    }
  });

  test.serial(`${build.name}: random32() goes on after a sample that comes in the middle of a block`, t => {
    const quiet = numbers([5], 24);
    numbers([5], 4);
    plane.stirEntropy(99);
    const rest = Array.from({ length: 20 }, () => plane.random32());
    t.deepEqual(
      rest.slice(0, 12),
      quiet.slice(4, 16),
      'the block that was made is used up, and that under way',
    );
    t.notDeepEqual(rest.slice(12), quiet.slice(16));
  });

  test.serial(`${build.name}: freshenEntropy() lets the next number know all samples`, t => {
    for (let drawn = 0; drawn < 9; drawn++) {
      const after = (samples: number[]) => {
        numbers([5], drawn);
        for (const sample of samples) plane.stirEntropy(sample);
        plane.freshenEntropy();
        return Array.from({ length: 16 }, () => plane.random32());
      };
      const fresh = after([]);
      t.deepEqual(fresh, after([]), `${drawn}`);
      const other = after([99]);
      t.is(new Set([...fresh, ...other]).size, 32, `${drawn}`);
    }
  });

  test.serial(`${build.name}: a number handed out is not left in memory`, t => {
    const given = numbers([1, 2, 3], 19);
    const memory = Array.from({ length: ENTROPY_BYTES }, (_, i) => get8(ENTROPY_AT + i));
    for (const number of given) {
      const bytes = [number & 255, (number >>> 8) & 255, (number >>> 16) & 255, number >>> 24];
      const at = memory.findIndex((_, i) => bytes.every((byte, j) => memory[i + j] === byte));
      t.is(at, -1);
    }
  });

  test.serial(`${build.name}: random32() is even: ones, and bytes by chi square`, t => {
    const count = 20_000;
    const histogram = new Array<number>(256).fill(0);
    let ones = 0;
    for (const number of numbers([42], count)) {
      ones += bits(number);
      for (let i = 0; i < 32; i += 8) (histogram[(number >>> i) & 255] as number)++;
    }
    t.true(Math.abs(ones - count * 16) < 6 * Math.sqrt(count * 8), `${ones} ones`);
    const mean = (count * 4) / 256;
    const chiSquare = histogram.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
    t.true(chiSquare > 150 && chiSquare < 400, `chi square ${chiSquare} of 255 degrees`);
  });

  test.serial(`${build.name}: entropyBits() counts a quarter of a bit a sample, up to 256`, t => {
    numbers([], 0);
    t.is(plane.entropyBits(), 0);
    numbers([1, 2, 3, 4, 5, 6, 7], 0);
    t.is(plane.entropyBits(), 1);
    numbers(new Array<number>(5000).fill(1), 0);
    t.is(plane.entropyBits(), 256);
  });
}

function bits(x: number): number {
  return (x >>> 0).toString(2).replaceAll('0', '').length;
}

function rotate(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

/** RFC 8439, section 2.1, on four of the words of x. */
function quarter(x: number[], ...at: number[]): void {
  const [a, b, c, d] = at as [number, number, number, number];
  for (const [to, from, turned, by] of [
    [a, b, d, 16],
    [c, d, b, 12],
    [a, b, d, 8],
    [c, d, b, 7],
  ] as const) {
    x[to] = ((x[to] as number) + (x[from] as number)) | 0;
    x[turned] = rotate((x[turned] as number) ^ (x[to] as number), by);
  }
}

/** ChaCha's permutation, without the final sum. */
function chacha(input: number[], doubleRounds: number): number[] {
  const x = [...input];
  for (let i = 0; i < doubleRounds; i++) {
    for (let j = 0; j < 4; j++) quarter(x, j, 4 + j, 8 + j, 12 + j);
    for (let j = 0; j < 4; j++) quarter(x, j, 4 + ((j + 1) % 4), 8 + ((j + 2) % 4), 12 + ((j + 3) % 4));
  }
  return x;
}

test("the test's own quarter round is that of RFC 8439, section 2.1.1", t => {
  const x = [0x11111111, 0x01020304, 0x9b8d6f43 | 0, 0x01234567];
  quarter(x, 0, 1, 2, 3);
  t.deepEqual(
    x.map(word => word >>> 0),
    [0xea2a92f4, 0xcb1cf8ce, 0x4581472e, 0x5881c4bb],
  );
});
