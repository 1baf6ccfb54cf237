// The RTC against a model of the chip behind ports 0x70 and 0x71.

import test from 'ava';
import fc from 'fast-check';
import { attachPorts } from '../../../hal/ports.ts';
import { noPorts } from '../../../tools/builds.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { secondsOf } from './civil.ts';
import { decode, encode, readRtc, writeRtc } from './rtc.ts';

const BINARY = 4;
const HOURS_24 = 2;

/** A chip with 14 registers whose update flag is up for so many looks, and whose second turns at a reading. */
function chip(control: number, seconds: number, busy = 0) {
  const registers = new Uint8Array(14);
  registers[11] = control;
  registers[13] = 0x80;
  const put = (time: number) => {
    for (const [register, value] of encode(time, control)) registers[register] = value;
  };
  put(seconds);
  const state = { registers, reads: 0, looks: 0, turnAt: -1 };
  let index = 0;
  attachPorts({
    ...noPorts,
    out8: (port, value) => {
      if (port === 0x70) index = value;
      else if (port === 0x71) registers[index] = value;
    },
    in8: port => {
      if (port !== 0x71) return 0xff;
      if (index === 10) {
        state.looks++;
        return busy-- > 0 ? 0x80 : 0;
      }
      if (++state.reads === state.turnAt) put(seconds + 1);
      return registers[index] as number;
    },
  });
  return state;
}

const TIME = secondsOf(2026, 12, 31, 23, 59, 59);

test.serial('readRtc() reads BCD and binary, 12 and 24 hours', t => {
  for (const control of [0, BINARY, HOURS_24, BINARY | HOURS_24]) {
    for (const hour of [0, 1, 11, 12, 13, 23]) {
      const time = secondsOf(2026, 2, 28, hour, 59, 58);
      chip(control, time);
      t.is(readRtc(), time, `control ${control}, hour ${hour}`);
    }
  }
});

test.serial('readRtc() waits for an update, but not for ever', t => {
  chip(HOURS_24, TIME, 100);
  t.is(readRtc(), TIME);
  const { looks } = chip(HOURS_24, TIME, Number.POSITIVE_INFINITY);
  t.is(readRtc(), undefined);
  t.true(looks < 10_000);
});

test.serial('readRtc() is not misled by a year that turns while it reads', t => {
  // Registers B and D are read first, then six fields: the turn falls before each of them.
  for (let turnAt = 3; turnAt <= 9; turnAt++) {
    chip(HOURS_24, TIME).turnAt = turnAt;
    const time = readRtc();
    t.true(time === TIME || time === TIME + 1, `turn at ${turnAt}: ${time}`);
  }
});

test.serial('readRtc() finds no clock where there is none, and none with a dead battery', t => {
  attachPorts(noPorts);
  t.is(readRtc(), undefined);
  const { registers } = chip(HOURS_24, TIME);
  registers[13] = 0;
  t.is(readRtc(), undefined);
});

test.serial('writeRtc() sets what readRtc() reads, with updates held meanwhile', t => {
  for (const control of [0, BINARY, HOURS_24, BINARY | HOURS_24]) {
    const { registers } = chip(control, 0);
    writeRtc(TIME + 0.7);
    t.is(readRtc(), TIME);
    t.is(registers[11], control);
    t.is(registers[6], (control & BINARY) !== 0 ? 5 : 0x05); // a Thursday
  }
});

test('decode() refuses what is no time and never throws', t => {
  const fields = encode(TIME, HOURS_24).map(([, value]) => value);
  fields.splice(3, 1); // the weekday
  t.is(decode(fields, HOURS_24), TIME);
  for (const [place, value] of [
    [0, 0x60],
    [1, 0x5a],
    [2, 0x24],
    [3, 0],
    [3, 0x32],
    [4, 0x13],
    [5, 0xa0],
  ] as const) {
    const changed = [...fields];
    changed[place] = value;
    t.is(decode(changed, HOURS_24), undefined, `field ${place} is ${value}`);
  }
  const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 255 }), (values, control) => {
      const time = decode(values, control);
      if (time !== undefined)
        t.true(time >= secondsOf(1980, 1, 1, 0, 0, 0) && time < secondsOf(2080, 1, 1, 0, 0, 0));
    }),
    { numRuns: 3000, seed: runSeed() },
  );
});
