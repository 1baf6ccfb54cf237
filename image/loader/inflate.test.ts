// inflate() against zlib: in JavaScript and as WebAssembly.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { PLANE_BASE } from '../../src/plane/limits.ts';
import { attach } from '../../src/plane/memory.ts';
import { INFLATE_AT, INFLATE_BYTES } from '../layout.ts';
import { compilePortable } from '../plane-wasm.ts';
import { HUFFMAN_END } from './huffman.ts';
import * as javascript from './inflate.ts';

type Inflate = typeof javascript.inflate;
interface Build {
  name: string;
  bytes: Uint8Array;
  inflate: Inflate;
}

const MEMORY = 4 << 20;
const SOURCE = 0x40000;
const TARGET = 0x180000;
/** What lies around the target, and must still lie there afterwards. */
const DIRT = 0xa5;

const builds: Build[] = [];
test.before(async () => {
  const buffer = new ArrayBuffer(MEMORY);
  attach(buffer, 0, MEMORY);
  builds.push({ name: 'JavaScript', bytes: new Uint8Array(buffer), inflate: javascript.inflate });
  const memory = new WebAssembly.Memory({ initial: (MEMORY + PLANE_BASE) >> 16 });
  const module = new WebAssembly.Module(await compilePortable('image/loader/inflate.ts'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, machine: { clockPoll() {} } });
  builds.push({
    name: 'WebAssembly',
    bytes: new Uint8Array(memory.buffer, PLANE_BASE),
    inflate: exports['inflate'] as Inflate,
  });
});

/** Unpacks on one build into a target of `room` bytes and checks that nothing around it has changed. */
function unpack(
  t: ExecutionContext,
  build: Build,
  packed: Uint8Array,
  room: number,
  shift = 0,
): Uint8Array | number {
  const { bytes, inflate } = build;
  bytes.fill(DIRT, TARGET - 512, TARGET + room + 1024);
  bytes.fill(0xff, SOURCE + shift + packed.length, SOURCE + shift + packed.length + 64);
  bytes.set(packed, SOURCE + shift);
  const written = inflate(SOURCE + shift, packed.length, TARGET, room);
  const around = [bytes.subarray(TARGET - 512, TARGET), bytes.subarray(TARGET + room, TARGET + room + 1024)];
  if (around.some(part => part.some(byte => byte !== DIRT))) t.fail(`${build.name} wrote outside the target`);
  if (written > room) t.fail(`${build.name} says that it wrote ${written} bytes to ${room}`);
  return written < 0 ? written : bytes.slice(TARGET, TARGET + written);
}

/** What zlib makes of it, or null when it refuses. */
function reference(packed: Uint8Array): Buffer | null {
  try {
    return inflateRawSync(packed, { finishFlush: constants.Z_FINISH });
  } catch {
    return null;
  }
}

/** A repeatable stream of numbers below 2^32. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Text of many kinds: runs, words, noise, copies from near and far. */
function sample(seed: number, length: number): Buffer {
  const next = random(seed);
  const out = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const n = Math.min(length - at, 1 + next(next(8) === 0 ? 5000 : 40));
    const kind = next(4);
    const from = at > 0 ? next(Math.min(at, 40000)) : 0;
    const base = next(256);
    for (let i = 0; i < n; i++) {
      if (kind === 0) out[at + i] = next(256);
      else if (kind === 1) out[at + i] = base;
      else if (kind === 2) out[at + i] = 97 + next(6);
      else out[at + i] = out[at - 1 - from + i] ?? 0;
    }
    at += n;
  }
  return out;
}

const strategies = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
];

test('inflate() unpacks what zlib packs, at every level and by every strategy', t => {
  const lengths = [0, 1, 2, 257, 258, 511, 512, 513, 4000, 70000, 300000];
  lengths.forEach((length, i) => {
    const text = sample(i, length);
    for (const level of [0, 1, 6, 9]) {
      for (const strategy of strategies) {
        const packed = deflateRawSync(text, { level, strategy, memLevel: 1 + ((i + level) % 9) });
        for (const build of builds) {
          const out = unpack(t, build, packed, length, i % 4);
          if (typeof out === 'number' || text.compare(out) !== 0) {
            t.fail(`${build.name}: ${length} bytes, level ${level}, strategy ${strategy}: ${out}`);
          }
        }
      }
    }
  });
  t.pass();
});

test('inflate() refuses every truncation', t => {
  const text = sample(42, 1500);
  for (const options of [{ level: 0 }, { level: 9 }, { level: 9, strategy: constants.Z_FIXED }]) {
    const packed = deflateRawSync(text, options);
    for (const build of builds) {
      for (let n = 0; n < packed.length; n++) {
        if (typeof unpack(t, build, packed.subarray(0, n), 2000) !== 'number') {
          t.fail(`${build.name} took ${n} of ${packed.length} bytes`);
        }
      }
    }
  }
  t.pass();
});

test('inflate() refuses a target that is too small, by any number of bytes', t => {
  const text = sample(43, 1200);
  const packed = deflateRawSync(text, { level: 9 });
  for (const build of builds) {
    for (let room = 0; room < text.length; room++) {
      t.is(unpack(t, build, packed, room), javascript.INFLATE_FULL);
    }
    t.deepEqual(unpack(t, build, packed, text.length), new Uint8Array(text));
    t.is(unpack(t, build, deflateRawSync(text, { level: 0 }), text.length - 1), javascript.INFLATE_FULL);
  }
});

test('inflate() says what zlib says about damaged input, and never writes outside', t => {
  const next = random(7);
  let accepted = 0;
  for (let round = 0; round < 3000; round++) {
    const text = sample(round, 1 + next(3000));
    const packed = deflateRawSync(text, {
      level: next(10),
      strategy: strategies[next(4)] as number,
    });
    for (let flips = 1 + next(3); flips > 0; flips--) {
      const at = next(4) === 0 ? next(packed.length) : next(Math.min(packed.length, 80));
      packed[at] = (packed[at] as number) ^ (1 << next(8));
    }
    const expected = reference(packed);
    if (expected !== null && expected.length > 1_000_000) continue;
    const room = expected?.length ?? 6000;
    for (const build of builds) {
      const out = unpack(t, build, packed, room, round % 2);
      if (
        expected === null ? typeof out !== 'number' : typeof out === 'number' || expected.compare(out) !== 0
      ) {
        t.fail(`${build.name}, round ${round}: ${out} instead of ${expected?.length ?? 'an error'}`);
      }
    }
    if (expected !== null) accepted += 1;
  }
  t.true(accepted > 100 && accepted < 2900, `${accepted} of 3000 were still valid`);
});

test('inflate() survives noise', t => {
  const next = random(11);
  for (let round = 0; round < 3000; round++) {
    const noise = Uint8Array.from({ length: 1 + next(400) }, () => next(256));
    const expected = reference(noise);
    for (const build of builds) {
      const out = unpack(t, build, noise, 100000);
      t.is(typeof out === 'number', expected === null, `${build.name}, round ${round}`);
    }
  }
});

// RFC 1951 by hand: block headers in the lowest bits first.
test('inflate() refuses each kind of bad block by its own number', t => {
  const cases: [string, number[], number][] = [
    ['nothing at all', [], javascript.INFLATE_TRUNCATED],
    ['block type 3', [0b111], javascript.INFLATE_BAD_BLOCK],
    ['stored, length cut', [0b001, 1, 0], javascript.INFLATE_TRUNCATED],
    ['stored, wrong complement', [0b001, 1, 0, 0xff, 0xff, 9], javascript.INFLATE_BAD_BLOCK],
    ['fixed, copy with nothing before it', [0x03, 0x02, 0, 0, 0, 0], javascript.INFLATE_BAD_DISTANCE],
    ['fixed, symbol 286', [0b011 | (0b01100011 << 3), 0b011, 0, 0], javascript.INFLATE_BAD_SYMBOL],
    ['dynamic, 287 literals', [0b101 | (30 << 3), 0, 0, 0, 0], javascript.INFLATE_BAD_CODES],
    ['dynamic, all lengths 0', [0b101, 0, 0, 0, 0, 0, 0], javascript.INFLATE_BAD_CODES],
  ];
  for (const [name, packed, expected] of cases) {
    t.is(reference(Uint8Array.from(packed)), null, name);
    for (const build of builds) t.is(unpack(t, build, Uint8Array.from(packed), 1000), expected, name);
  }
});

test('inflate() keeps within its scratch', t => {
  t.true(HUFFMAN_END <= INFLATE_AT + INFLATE_BYTES, `${HUFFMAN_END}`);
  const packed = deflateRawSync(sample(3, 50000));
  for (const build of builds) {
    build.bytes.fill(DIRT, INFLATE_AT + INFLATE_BYTES, INFLATE_AT + INFLATE_BYTES + 4096);
    unpack(t, build, packed, 50000);
    const after = build.bytes.subarray(INFLATE_AT + INFLATE_BYTES, INFLATE_AT + INFLATE_BYTES + 4096);
    t.true(after.every(byte => byte === DIRT));
  }
});
