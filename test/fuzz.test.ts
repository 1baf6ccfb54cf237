// A bounded part of the fuzzing (fuzz.ts), every failure of the past, and whether the fuzzers see mistakes at all.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { BUFFER_COUNT, FRAME_MAX, PLANE_END, PLANE_FIRST, POOL_STATE_AT } from '../src/base/limits.ts';
import { i32at, puti32 } from '../src/base/memory.ts';
import { createRandom } from '../src/control/debug/random.ts';
import { createTraffic } from '../src/control/debug/traffic.ts';
import { runSeed } from '../tools/harness/random.ts';
import { audit } from './fuzz/audit.ts';
import * as checked from './fuzz/checked-memory.ts';
import { checkedBuild } from './fuzz/checked-plane.ts';
import { consoleFuzzer } from './fuzz/console.ts';
import { driverFuzzer } from './fuzz/driver.ts';
import { formatCase, frameFuzzer, parseCase } from './fuzz/frames.ts';
import { mutate, noise } from './fuzz/mutate.ts';

const CORPUS = join(import.meta.dirname, 'fuzz/corpus');
const FRAMES = 500;
/** Milliseconds for each of the three. */
const FRAMES_TIME = 6000;
const DRIVER_TIME = 3000;
const CONSOLE_TIME = 4000;
const PROPERTY_RUNS = 400;

/** Runs seeds from the suite's on until the time is over or something is found. */
function seeds(milliseconds: number, run: (seed: number) => string | undefined): string | undefined {
  const end = performance.now() + milliseconds;
  for (let seed = runSeed(); performance.now() < end; seed = (seed + 1) & 0x7fffffff) {
    const fault = run(seed);
    if (fault !== undefined) return `MASQBOX_SEED=${seed}: ${fault}`;
  }
  return undefined;
}

test.serial('damaged frames harm neither JavaScript nor WebAssembly', async t => {
  const fuzzer = await frameFuzzer();
  const fault = seeds(FRAMES_TIME, seed => {
    const failure = fuzzer.run(seed, FRAMES);
    return failure === undefined ? undefined : `${failure.fault}\n${formatCase(failure)}`;
  });
  t.is(fault, undefined);
});

test.serial('any frames, as fast-check makes and shrinks them, harm nothing', async t => {
  const fuzzer = await frameFuzzer();
  const change = fc.record({ at: fc.nat(80), value: fc.nat(255) });
  const arrival = fc.record({
    pick: fc.nat(400),
    card: fc.nat(1),
    ticks: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(40_000)),
    length: fc.option(fc.nat(FRAME_MAX), { freq: 8 }),
    changes: fc.array(change, { maxLength: 4 }),
    bytes: fc.option(fc.uint8Array({ maxLength: 100 }), { freq: 8 }),
  });
  const property = fc.property(fc.nat(63), fc.array(arrival, { maxLength: 120 }), (seed, list) => {
    const traffic = createTraffic(seed);
    const frames = Array.from({ length: 401 }, () => traffic.next().frame);
    const arrivals = list.map(({ pick, card, ticks, length, changes, bytes }, i) => {
      const frame = (bytes ?? frames[pick]!).slice(0, length ?? FRAME_MAX);
      for (const { at, value } of changes) if (at < frame.length) frame[at] = value;
      return { card, ticks, sample: i, frame };
    });
    const fault = fuzzer.replay({ seed, arrivals });
    if (fault !== undefined) throw new Error(`${fault}\n${formatCase({ seed, arrivals })}`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: PROPERTY_RUNS, seed: runSeed() }));
});

test.serial('garbage in the card, hangs and lost interrupts harm nothing, and the card recovers', async t => {
  const fuzzer = await driverFuzzer();
  t.is(
    seeds(DRIVER_TIME, seed => fuzzer.run(seed, 300)),
    undefined,
  );
});

test.serial('no bytes and no command make an exception escape from the console', async t => {
  const fuzzer = await consoleFuzzer();
  t.is(
    seeds(CONSOLE_TIME, seed => fuzzer.run(seed, 30)),
    undefined,
  );
});

test.serial('every failure of the past is mended', async t => {
  const fuzzer = await frameFuzzer();
  const names = readdirSync(CORPUS).filter(file => file.endsWith('.frames'));
  t.true(names.length > 0, 'the corpus is empty');
  for (const name of names) {
    const past = parseCase(readFileSync(join(CORPUS, name), 'utf8'));
    t.true(past.arrivals.length > 0, name);
    t.is(fuzzer.replay(past), undefined, name);
  }
});

test('parseCase() reads what formatCase() writes', t => {
  const arrivals = [
    { card: 1, ticks: 40_000, sample: 7, frame: new Uint8Array([1, 2, 255]) },
    { card: 0, ticks: 0, sample: 0, frame: new Uint8Array(0) },
  ];
  t.deepEqual(parseCase(formatCase({ seed: 12, arrivals })), { seed: 12, arrivals });
});

test('mutate() and noise() never make a frame longer than the wire allows, and change most', t => {
  const random = createRandom(1);
  const traffic = createTraffic(1);
  let changed = 0;
  for (let i = 0; i < 2000; i++) {
    const { frame } = traffic.next();
    const damaged = mutate(random, frame);
    t.true(damaged.length <= FRAME_MAX && noise(random, frame).length <= FRAME_MAX);
    if (Buffer.compare(damaged, frame) !== 0) changed++;
  }
  t.true(changed > 1500, `only ${changed}`);
});

test('checked memory refuses what lies outside, is not aligned or is no i32', t => {
  checked.attach(new ArrayBuffer(PLANE_END), 0, PLANE_END);
  checked.puti32(PLANE_FIRST, -1);
  t.is(checked.get16(PLANE_FIRST + 1), 0xffff);
  const wrong = [
    () => checked.get8(PLANE_FIRST - 1),
    () => checked.get32(PLANE_END - 3),
    () => checked.i32at(PLANE_FIRST + 2),
    () => checked.u16at(PLANE_FIRST + 1),
    () => checked.get8(Number.NaN),
    () => checked.get8(PLANE_FIRST + 0.5),
    () => checked.puti32(PLANE_FIRST, 0x80000000),
    () => checked.put8(PLANE_FIRST, 0.5),
    () => checked.copy(PLANE_FIRST, PLANE_FIRST, -1),
    () => checked.fill(PLANE_END - 4, 0, 5),
    () => checked.multiply(2 ** 31, 1),
  ];
  for (const access of wrong) t.throws(access, { instanceOf: RangeError }, String(access));
});

test.serial('audit() sees buffers that are lost, held twice, or no buffers', async t => {
  const build = await checkedBuild();
  build.use();
  const { plane } = build;
  plane.planeReset();
  t.deepEqual(audit(), []);
  const packet = plane.allocate();
  t.deepEqual(audit(), ['1 buffers are nowhere']);
  plane.release(packet);
  plane.release(packet);
  t.regex(audit().join(), /held by the pool and the pool/);
  plane.planeReset();
  puti32(POOL_STATE_AT + 4, i32at(POOL_STATE_AT + 4) - 1);
  t.deepEqual(audit(), [`the pool: ${BUFFER_COUNT} buffers, it says ${BUFFER_COUNT - 1}`]);
  puti32(POOL_STATE_AT, 12345);
  t.regex(audit().join(), /the pool holds 12345, which is no buffer/);
});
