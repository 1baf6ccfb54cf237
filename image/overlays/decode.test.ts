// decode.ts and encode.ts against each other and against a plain reading of the format, in JavaScript and as WebAssembly: any text, all
// overlays of the firmware, damage, what is too short. Not here: LZ4 (../loader/unpack.test.ts), loading (board/i486/overlay.c).
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { OVERLAY_MARGIN, OVERLAY_MARGIN_PART } from '../../src/base/abi.ts';
import { CRC_TABLES_AT, UNPACK_AT, UNPACK_BYTES } from '../../src/base/layout.ts';
import { PLANE_BASE } from '../../src/base/limits.ts';
import { attach } from '../../src/base/memory.ts';
import { meter } from '../../test/metered.ts';
import { runSeed } from '../../tools/harness/random.ts';
import { bundle } from '../bundle.ts';
import { textOfPieces } from '../loader/text-pieces.ts';
import { UNPACK_BAD_OFFSET, UNPACK_FULL, UNPACK_TRUNCATED } from '../loader/unpack.ts';
import { pack } from '../pack.ts';
import { compilePortable } from '../plane-wasm.ts';
import * as javascript from './decode.ts';
import { type Encoded, encode } from './encode.ts';
import {
  CONTEXTS,
  COUNT_BYTES,
  DISTANCE_BITS,
  DISTANCE_KINDS,
  DISTANCES_PLAIN,
  LENGTH_LEAST,
  LENGTHS_PLAIN,
  LITERALS,
  MANY_SHIFT,
  REPEATS,
  SYMBOL_BITS,
} from './format.ts';

const BAD_CODE = -4;
type Unpack = typeof javascript.unpackEither;
interface Build {
  name: string;
  bytes: Uint8Array;
  unpack: Unpack;
}

const MEMORY = 4 << 20;
const TARGET = 0x180000;
const CODES = 0x100000;
/** What lies around the target, and must still lie there afterwards. */
const DIRT = 0xa5;
const AROUND = 1024;
/** Inputs of each kind. */
const DAMAGED = 400;
/** What may be missing of an overlay that is unpacked all the same. */
const PADDING = 4;

/** Operations: to make the tables; of an overlay's byte, and of a byte that noise becomes. */
const MAKING = 60_000;
const OF_A_BYTE = 28;
const OF_A_WORST_BYTE = 120;

/** What the WebAssembly has carried out so far, an operation being about an instruction of the 486 (test/metered.ts). */
let counted: { value: number };
const builds: Build[] = [];
test.before(async () => {
  const buffer = new ArrayBuffer(MEMORY);
  attach(buffer, 0, MEMORY);
  builds.push({ name: 'JavaScript', bytes: new Uint8Array(buffer), unpack: javascript.unpackEither });
  const memory = new WebAssembly.Memory({ initial: (MEMORY + PLANE_BASE) >> 16 });
  const module = new WebAssembly.Module(meter(await compilePortable('image/overlays/decode.ts')));
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, machine: { clockPoll() {} } });
  counted = exports['operations'] as unknown as { value: number };
  builds.push({
    name: 'WebAssembly',
    bytes: new Uint8Array(memory.buffer, PLANE_BASE),
    unpack: exports['unpackEither'] as Unpack,
  });
});

/**
 * Unpacks on one build into a target of `room` bytes, and checks that nothing has changed around it, nor around the scratch. The
 * input ends where memory ends: a byte read behind it is an exception.
 */
function unpack(
  t: ExecutionContext,
  build: Build,
  codes: Uint8Array,
  packed: Uint8Array,
  room: number,
): Uint8Array | number {
  const { bytes } = build;
  const scratchEnd = UNPACK_AT + UNPACK_BYTES;
  const guarded = [
    [TARGET - AROUND, TARGET],
    [TARGET + room, TARGET + room + AROUND],
    [CRC_TABLES_AT - AROUND, CRC_TABLES_AT],
    [scratchEnd, scratchEnd + AROUND],
  ] as const;
  for (const [from, to] of guarded) bytes.fill(DIRT, from, to);
  bytes.set(codes, CODES);
  bytes.set(packed, MEMORY - packed.length);
  const before = counted.value;
  const written = build.unpack(MEMORY - packed.length, packed.length, TARGET, room, CODES);
  const operations = (counted.value - before) >>> 0;
  if (operations > MAKING + OF_A_WORST_BYTE * (1 + room))
    t.fail(`${operations} operations for ${room} bytes`);
  if (guarded.some(([from, to]) => bytes.subarray(from, to).some(byte => byte !== DIRT)))
    t.fail(`${build.name} wrote outside the target`);
  if (written >= 0 && written !== room)
    t.fail(`${build.name} says that it wrote ${written} bytes to ${room}`);
  return written < 0 ? written : bytes.slice(TARGET, TARGET + written);
}

/** Whether two answers are the same, told in few words. */
function same(
  t: ExecutionContext,
  got: Uint8Array | number,
  expected: Uint8Array | number,
  what: string,
): void {
  if (typeof got === 'number' || typeof expected === 'number') t.is(got, expected, what);
  else t.is(Buffer.compare(got, expected), 0, what);
}

/** The codes as strings of bits, each with its symbol. */
function codeMaps(codes: Uint8Array): Map<string, number>[] {
  let at = LITERALS;
  const table = (most: number): Map<string, number> => {
    const map = new Map<string, number>();
    let symbol = at + COUNT_BYTES * most;
    let code = 0;
    for (let n = 1; n <= most; n++, at += COUNT_BYTES) {
      const word = ((codes[at] as number) << 8) | (codes[at + 1] as number);
      const count = word & ((1 << MANY_SHIFT) - 1);
      for (let i = 0; i < count; i++) {
        const high = i < count - (word >> MANY_SHIFT) ? 0 : LITERALS;
        map.set((code++).toString(2).padStart(n, '0'), (codes[symbol++] as number) + high);
      }
      code *= 2;
    }
    at = symbol;
    return map;
  };
  return [
    ...Array.from({ length: CONTEXTS }, () => table(SYMBOL_BITS)),
    ...Array.from({ length: DISTANCE_KINDS }, () => table(DISTANCE_BITS)),
  ];
}

/** The format read bit by bit; a number below 0 says why it is none. */
function reference(codes: Uint8Array, packed: Uint8Array, room: number): Uint8Array | number {
  const maps = codeMaps(codes);
  const out: number[] = [];
  const last = [1, 1, 1];
  let at = 0;
  /** The decoder reads halves, and has 16 bits whenever it takes some. */
  const short = (): boolean => at + 16 > 8 * (packed.length & ~1);
  const bit = (): string => String(((packed[at >> 3] as number) >> (7 - (at++ & 7))) & 1);
  const bits = (n: number): number => Number.parseInt(`0${Array.from({ length: n }, bit).join('')}`, 2);
  const symbolOf = (table: number, most: number): number => {
    for (let code = bit(); ; code += bit()) {
      const symbol = (maps[table] as Map<string, number>).get(code);
      if (symbol !== undefined) return symbol;
      if (code.length === most) return BAD_CODE;
    }
  };
  while (out.length < room) {
    if (short()) return UNPACK_TRUNCATED;
    const symbol = symbolOf(codes[out.at(-1) ?? 0] as number, SYMBOL_BITS);
    if (symbol < 0) return symbol;
    if (symbol < LITERALS) {
      out.push(symbol);
      continue;
    }
    if (short()) return UNPACK_TRUNCATED;
    const slot = symbol - LITERALS;
    const more = slot - LENGTHS_PLAIN + 1;
    const length = more <= 0 ? slot + LENGTH_LEAST : LENGTHS_PLAIN + 2 ** more + bits(more);
    const said = symbolOf(CONTEXTS + Math.min(slot, DISTANCE_KINDS - 1), DISTANCE_BITS);
    if (said < 0) return said;
    if (short()) return UNPACK_TRUNCATED;
    let distance = last[said] as number;
    if (said < REPEATS) last.splice(said, 1);
    else {
      last.pop();
      const place = said - REPEATS;
      const after = place < DISTANCES_PLAIN ? 0 : (place >> 1) - 1;
      distance = 1 + (after === 0 ? place : (2 | (place & 1)) * 2 ** after + bits(after));
    }
    last.unshift(distance);
    if (distance > out.length) return UNPACK_BAD_OFFSET;
    if (length > room - out.length) return UNPACK_FULL;
    for (let i = 0; i < length; i++) out.push(out[out.length - distance] as number);
  }
  return Uint8Array.from(out);
}

const pieces = textOfPieces(20, 6000);

test('what encode() packed is unpacked again, whatever it is, and in place where the packer says so', t => {
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 3 }), texts => {
      const { codes, packed } = encode(texts);
      for (const [i, text] of texts.entries()) {
        const { bytes: from, lead } = packed[i] as Encoded['packed'][number];
        same(t, reference(codes, from, text.length), text, 'plain');
        for (const build of builds) {
          same(t, unpack(t, build, codes, from, text.length), text, build.name);
          const { bytes, name } = build;
          const room = Math.max(text.length + lead + 3, from.length);
          bytes.set(from, TARGET + room - from.length);
          t.is(
            build.unpack(TARGET + room - from.length, from.length, TARGET, text.length, CODES),
            text.length,
          );
          t.is(Buffer.compare(bytes.subarray(TARGET, TARGET + text.length), text), 0, `${name}, in place`);
        }
      }
    }),
    { numRuns: 25, seed: runSeed() },
  );
});

test('LZ4 is unpacked where no codes are given', t => {
  const text = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) >> 9);
  const packed = pack(text);
  for (const { bytes, unpack } of builds) {
    bytes.set(packed, CODES);
    t.is(unpack(CODES, packed.length, TARGET, text.length, 0), text.length);
    t.is(Buffer.compare(bytes.subarray(TARGET, TARGET + text.length), text), 0);
  }
});

let firmware: Promise<{ texts: Uint8Array[]; encoded: Encoded }> | undefined;
const overlays = (): Promise<{ texts: Uint8Array[]; encoded: Encoded }> => {
  firmware ??= bundle().then(({ overlays }) => {
    const texts = overlays.map(({ bytecode }) => bytecode);
    return { texts, encoded: encode(texts) };
  });
  return firmware;
};

test('each overlay of the firmware is unpacked again, takes less than half with the codes and what it may cost, and has its place for that', async t => {
  t.timeout(600_000);
  const { texts, encoded } = await overlays();
  let operations = 0;
  for (const [i, text] of texts.entries()) {
    const { bytes, lead } = encoded.packed[i] as Encoded['packed'][number];
    t.true(
      lead + 3 <= OVERLAY_MARGIN + Math.floor(text.length / OVERLAY_MARGIN_PART),
      `overlay ${i}: ${lead}`,
    );
    for (const build of builds) {
      const before = counted.value;
      same(t, unpack(t, build, encoded.codes, bytes, text.length), text, `overlay ${i}, ${build.name}`);
      operations += (counted.value - before) >>> 0;
    }
  }
  const sum = (parts: readonly Uint8Array[]): number => parts.reduce((total, part) => total + part.length, 0);
  const all = sum(encoded.packed.map(({ bytes }) => bytes)) + encoded.codes.length;
  const plain = sum(texts);
  t.true(all < plain / 2, `${all} bytes of ${plain}`);
  t.true(operations < MAKING * texts.length + OF_A_BYTE * plain, `${operations} operations`);
  t.log(
    `${plain} bytes are ${all}, of them ${encoded.codes.length} of codes, and take ${operations} operations`,
  );
});

test('damaged overlays are refused or become something else of the same length, as a plain reader says, and nothing is written outside', async t => {
  t.timeout(600_000);
  const { texts, encoded } = await overlays();
  const { codes } = encoded;
  const small = [...texts.keys()].filter(i => (texts[i] as Uint8Array).length < 9000);
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...small),
      fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat(), { freq: 3 }),
      (which, changes, cut) => {
        const room = (texts[which] as Uint8Array).length;
        const bytes = (encoded.packed[which] as Encoded['packed'][number]).bytes.slice();
        for (const { at, value } of changes) bytes[at % bytes.length] = value;
        const packed = cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
        const expected = reference(codes, packed, room);
        if (typeof expected === 'number') refused++;
        for (const build of builds) same(t, unpack(t, build, codes, packed, room), expected, build.name);
      },
    ),
    { numRuns: DAMAGED, seed: runSeed() },
  );
  t.true(refused > 0);
});

test('noise in the place of an overlay ends, and is mostly refused', async t => {
  t.timeout(600_000);
  const { codes } = (await overlays()).encoded;
  const said = new Map<string, number>();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 3000 }), fc.nat(20000), (packed, room) => {
      const expected = reference(codes, packed, room);
      const key = typeof expected === 'number' ? String(expected) : 'text';
      said.set(key, (said.get(key) ?? 0) + 1);
      for (const build of builds) same(t, unpack(t, build, codes, packed, room), expected, build.name);
    }),
    { numRuns: DAMAGED, seed: runSeed() },
  );
  t.log(Object.fromEntries(said));
  for (const reason of [UNPACK_TRUNCATED, UNPACK_BAD_OFFSET]) t.true(said.has(String(reason)));
});

test('every truncation of an overlay is refused that takes more than the padding, and so is a target that is too small for its last match', async t => {
  t.timeout(600_000);
  const { texts, encoded } = await overlays();
  const which = texts.findIndex(({ length }) => length < 2000);
  const text = texts[which] as Uint8Array;
  const { bytes } = encoded.packed[which] as Encoded['packed'][number];
  for (const build of builds) {
    for (let n = 0; n < bytes.length; n++) {
      const got = unpack(t, build, encoded.codes, bytes.subarray(0, n), text.length);
      same(t, got, n < bytes.length - PADDING || typeof got === 'number' ? UNPACK_TRUNCATED : text, `${n}`);
    }
    for (let room = 0; room < text.length; room++) {
      const got = unpack(t, build, encoded.codes, bytes, room);
      same(t, got, typeof got === 'number' ? UNPACK_FULL : text.subarray(0, room), `${room}`);
    }
  }
});
