// unpack() and pack() against each other, against a plain reading of the format, and against lz4 itself: in
// JavaScript and as WebAssembly.
import { execFileSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { UNPACK_AT, UNPACK_BYTES } from '../../src/base/layout.ts';
import { PLANE_BASE } from '../../src/base/limits.ts';
import { attach } from '../../src/base/memory.ts';
import { runSeed } from '../../tools/harness/random.ts';
import { pack } from '../pack.ts';
import { compilePortable } from '../plane-wasm.ts';
import { textOfPieces } from './text-pieces.ts';
import * as javascript from './unpack.ts';

const { UNPACK_BAD_OFFSET, UNPACK_FULL, UNPACK_TRUNCATED } = javascript;
type Unpack = typeof javascript.unpack;
interface Build {
  name: string;
  bytes: Uint8Array;
  unpack: Unpack;
}

const MEMORY = 4 << 20;
const TARGET = 0x180000;
/** What lies around the target, and must still lie there afterwards. */
const DIRT = 0xa5;
const AROUND = 1024;

const builds: Build[] = [];
test.before(async () => {
  const buffer = new ArrayBuffer(MEMORY);
  attach(buffer, 0, MEMORY);
  builds.push({ name: 'JavaScript', bytes: new Uint8Array(buffer), unpack: javascript.unpack });
  const memory = new WebAssembly.Memory({ initial: (MEMORY + PLANE_BASE) >> 16 });
  const module = new WebAssembly.Module(await compilePortable('image/loader/unpack.ts'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, machine: { clockPoll() {} } });
  builds.push({
    name: 'WebAssembly',
    bytes: new Uint8Array(memory.buffer, PLANE_BASE),
    unpack: exports['unpack'] as Unpack,
  });
});

/**
 * Unpacks on one build into a target of `room` bytes and checks that nothing around it has changed. The input ends
 * where memory ends: a byte read behind it is an exception.
 */
function unpack(t: ExecutionContext, build: Build, packed: Uint8Array, room: number): Uint8Array | number {
  const { bytes } = build;
  bytes.fill(DIRT, TARGET - AROUND, TARGET + room + AROUND);
  bytes.set(packed, MEMORY - packed.length);
  const written = build.unpack(MEMORY - packed.length, packed.length, TARGET, room);
  const around = [
    bytes.subarray(TARGET - AROUND, TARGET),
    bytes.subarray(TARGET + room, TARGET + room + AROUND),
  ];
  if (around.some(part => part.some(byte => byte !== DIRT))) t.fail(`${build.name} wrote outside the target`);
  if (written > room) t.fail(`${build.name} says that it wrote ${written} bytes to ${room}`);
  return written < 0 ? written : bytes.slice(TARGET, TARGET + written);
}

/** The format read byte by byte; null for what is no block or is longer than the room. */
function reference(packed: Uint8Array, room: number): Uint8Array | null {
  const out: number[] = [];
  let at = 0;
  const length = (nibble: number): number => {
    let sum = nibble;
    let more = nibble === 15 ? 255 : 0;
    while (more === 255) {
      more = packed[at++] ?? Number.NaN;
      sum += more;
    }
    return sum;
  };
  while (at < packed.length) {
    const token = packed[at++] as number;
    const literals = length(token >> 4);
    if (!(at + literals <= packed.length) || out.length + literals > room) return null;
    for (let i = 0; i < literals; i++) out.push(packed[at++] as number);
    if (at === packed.length) break;
    const offset = (packed[at] as number) | ((packed[at + 1] ?? Number.NaN) << 8);
    if (at + 2 > packed.length) return null;
    at += 2;
    const match = length(token & 15) + 4;
    if (!(match >= 4) || offset === 0 || offset > out.length || out.length + match > room) return null;
    for (let i = 0; i < match; i++) out.push(out[out.length - offset] as number);
  }
  return Uint8Array.from(out);
}

const pieces = textOfPieces(30, 9000);

test('unpack() gives back what pack() packed, whatever it is', t => {
  fc.assert(
    fc.property(pieces, text => {
      const packed = pack(text);
      t.deepEqual(reference(packed, text.length), text);
      for (const build of builds) t.deepEqual(unpack(t, build, packed, text.length), text, build.name);
    }),
    { numRuns: 60, seed: runSeed() },
  );
});

test('pack() leaves as many of the last bytes as they are as it is told, at the end of the block', t => {
  fc.assert(
    fc.property(pieces, fc.nat(9000), (text, most) => {
      const plain = Math.min(most, text.length);
      const packed = pack(text, plain);
      t.is(Buffer.compare(packed.subarray(packed.length - plain), text.subarray(text.length - plain)), 0);
      for (const build of builds) t.deepEqual(unpack(t, build, packed, text.length), text, build.name);
    }),
    { numRuns: 60, seed: runSeed() },
  );
});

test('pack() and unpack() hold to the format: lz4 reads the one, the other reads lz4', t => {
  const text = fc
    .sample(pieces, { numRuns: 8, seed: 5 })
    .sort((a, b) => b.length - a.length)[0] as Uint8Array;
  t.true(text.length > 10000);
  // The legacy frame: a magic number, and the block behind its length.
  const frame = Buffer.from('02214c1800000000', 'hex');
  const packed = pack(text);
  frame.writeUInt32LE(packed.length, 4);
  const input = Buffer.concat([frame, packed]);
  t.deepEqual(new Uint8Array(execFileSync('lz4', ['-d', '-c'], { input })), text);
  for (const level of ['-1', '-9', '-12']) {
    const theirs = execFileSync('lz4', ['-l', level, '-c'], { input: text });
    for (const build of builds) t.deepEqual(unpack(t, build, theirs.subarray(8), text.length), text);
  }
});

test('pack() ends a block as the format asks: five literals, and no match in the last twelve bytes', t => {
  for (let length = 0; length < 40; length++) {
    const text = new Uint8Array(length).fill(7);
    const packed = pack(text);
    t.deepEqual(reference(packed, length), text);
    if (length < 13) t.is(packed[0], Math.min(length, 15) << 4);
    else t.is((packed.at(-6) as number) >> 4, 5);
  }
});

test('unpack() refuses every truncation that cuts a sequence, and a target that is too small', t => {
  const [text] = fc.sample(pieces, { numRuns: 1, seed: 42 });
  const cut = (text as Uint8Array).subarray(0, 3000);
  const packed = pack(cut);
  for (const build of builds) {
    for (let n = 0; n < packed.length; n++) {
      const out = unpack(t, build, packed.subarray(0, n), cut.length);
      const expected = reference(packed.subarray(0, n), cut.length);
      if (expected === null) t.true(typeof out === 'number', `${build.name} took ${n} bytes`);
      else t.deepEqual(out, expected);
    }
    for (let room = 0; room < cut.length; room++) t.is(unpack(t, build, packed, room), UNPACK_FULL);
  }
});

test('unpack() says what a plain reader says about damaged input, and never writes outside', t => {
  let accepted = 0;
  const damage = fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(pieces, damage, (text, flips) => {
      const packed = pack(text);
      for (const { at, value } of flips) packed[at % packed.length] = value;
      const room = text.length + 100;
      const expected = reference(packed, room);
      if (expected !== null) accepted++;
      for (const build of builds) {
        const out = unpack(t, build, packed, room);
        if (expected === null) t.true(typeof out === 'number', build.name);
        else t.deepEqual(out, expected, build.name);
      }
    }),
    { numRuns: 300, seed: runSeed() },
  );
  t.true(accepted > 20 && accepted < 300, `${accepted} of 300 were still valid`);
});

test('unpack() survives noise', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), noise => {
      const expected = reference(noise, 100000);
      for (const build of builds)
        t.is(typeof unpack(t, build, noise, 100000) === 'number', expected === null);
    }),
    { numRuns: 2000, seed: runSeed() },
  );
});

test('unpack() refuses each kind of bad input by its own number', t => {
  const cases: [string, number[], number][] = [
    ['literals cut', [0x50, 1, 2], UNPACK_TRUNCATED],
    ['length of literals cut', [0xf0, 255], UNPACK_TRUNCATED],
    ['offset cut', [0x10, 1, 1], UNPACK_TRUNCATED],
    ['length of a match cut', [0x1f, 1, 1, 0], UNPACK_TRUNCATED],
    ['offset 0', [0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5], UNPACK_BAD_OFFSET],
    ['offset before the target', [0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5], UNPACK_BAD_OFFSET],
    ['literals beyond the target', [0xf0, 0, ...new Array(15).fill(1)], UNPACK_FULL],
    ['match beyond the target', [0x1f, 1, 1, 0, 200, 0x50, 1, 2, 3, 4, 5], UNPACK_FULL],
  ];
  for (const [name, packed, expected] of cases) {
    for (const build of builds) t.is(unpack(t, build, Uint8Array.from(packed), 10), expected, name);
  }
});

test('unpack() keeps within its scratch', t => {
  const [text] = fc.sample(pieces, { numRuns: 1, seed: 3 });
  for (const build of builds) {
    build.bytes.fill(DIRT, UNPACK_AT - 64, UNPACK_AT);
    build.bytes.fill(DIRT, UNPACK_AT + UNPACK_BYTES, UNPACK_AT + UNPACK_BYTES + 64);
    unpack(t, build, pack(text as Uint8Array), (text as Uint8Array).length);
    const before = build.bytes.subarray(UNPACK_AT - 64, UNPACK_AT);
    const after = build.bytes.subarray(UNPACK_AT + UNPACK_BYTES, UNPACK_AT + UNPACK_BYTES + 64);
    t.true([...before, ...after].every(byte => byte === DIRT));
  }
});
