import test from 'ava';
import {
  TICKS_PER_SECOND,
  WATCHDOG_AT,
  WATCHDOG_BYTES,
  WATCHDOG_SILENT_TICKS,
} from '../../src/base/limits.ts';
import { javascriptBuild } from '../../tools/builds.ts';
import { BusModel, PciModel } from '../bus-model.ts';
import { attachDeviceMemory } from '../device-memory.ts';
import { attachPorts } from '../ports.ts';
import {
  WATCHDOG_I6300ESB,
  WATCHDOG_IB700,
  WATCHDOG_NONE,
  WATCHDOG_PIECES,
  watchdogAlive,
  watchdogStart,
  watchdogStop,
  watchdogTick,
} from './watchdog.ts';

const BASE = 0xfebf1000 | 0;
const PLACE = 4 << 11;

/** A bus with both chips; what they are told is written down. */
function bench(): { told: string[]; pci: PciModel; bus: BusModel } {
  const build = javascriptBuild();
  build.use();
  build.memory.fill(0, WATCHDOG_AT, WATCHDOG_AT + WATCHDOG_BYTES);
  const told: string[] = [];
  const bus = new BusModel();
  const pci = new PciModel();
  bus.place(0x441, 3, {
    read: () => 0xff,
    write: (offset, value) => told.push(`${offset === 0 ? 'stop' : 'feed'} ${value}`),
  });
  bus.place(0xcf8, 8, {
    read: (offset, width) => pci.read(offset, width),
    write: (offset, value, width) => {
      if (width < 4) told.push(`config ${width} bytes ${value}`);
      pci.write(offset, value, width);
    },
  });
  attachPorts(bus);
  attachDeviceMemory({
    store: (address, value, bytes) => told.push(`${bytes} bytes at ${(address - BASE) | 0}: ${value}`),
  });
  return { told, pci, bus };
}

function run(from: number, ticks: number): void {
  for (let now = from + 1; now <= from + ticks; now++) watchdogTick(now | 0);
}

test('watchdogTick() feeds an IB700 once a second, as long as control is alive', t => {
  const { told } = bench();
  const start = 0x7fffff00; // the ticks pass their sign on the way
  t.is(watchdogStart(WATCHDOG_IB700, 0, start), WATCHDOG_IB700);
  t.deepEqual(told.splice(0), ['feed 5']);
  run(start, WATCHDOG_SILENT_TICKS);
  t.is(told.splice(0).length, WATCHDOG_SILENT_TICKS / TICKS_PER_SECOND);
  run(start + WATCHDOG_SILENT_TICKS, 10 * TICKS_PER_SECOND);
  t.deepEqual(told, []);
  watchdogAlive((start + WATCHDOG_SILENT_TICKS + 10 * TICKS_PER_SECOND) | 0);
  run(start + WATCHDOG_SILENT_TICKS + 10 * TICKS_PER_SECOND, TICKS_PER_SECOND);
  t.deepEqual(told.splice(0), ['feed 5']);
  watchdogStop();
  t.deepEqual(told.splice(0), ['stop 0']);
  run(start, 10 * TICKS_PER_SECOND);
  t.deepEqual(told, []);
});

test('watchdogStart() finds an i6300esb, unlocks each write, and enables it last', t => {
  const { told, pci } = bench();
  const registers = new Int32Array(64).fill(0);
  registers[0] = 0x25ab8086;
  registers[4] = BASE;
  pci.functions.set(PLACE, registers);
  t.is(watchdogStart(WATCHDOG_I6300ESB, 0, 0), WATCHDOG_I6300ESB);
  const unlock = ['2 bytes at 12: 128', '2 bytes at 12: 134'];
  t.deepEqual(told.splice(0), [
    'config 2 bytes 3',
    ...unlock,
    '4 bytes at 0: 10240',
    ...unlock,
    '4 bytes at 4: 10240',
    ...unlock,
    '2 bytes at 12: 256',
    'config 1 bytes 2',
  ]);
  t.is((registers[1] as number) & 2, 2);
  run(0, TICKS_PER_SECOND);
  t.deepEqual(told.splice(0), [...unlock, '2 bytes at 12: 256']);
  t.is(watchdogStart(WATCHDOG_NONE, 0, 0), WATCHDOG_NONE);
  t.deepEqual(told, ['config 1 bytes 0']);
});

test('watchdogStart() looks through a piece of the bus at a time, however full it is', t => {
  const { pci, bus } = bench();
  const other = new Int32Array(64).fill(0);
  other[0] = 0x12345678;
  other[3] = 0x800000; // multifunction
  for (let n = 0; n < 1024; n++) pci.functions.set(n << 8, other);
  const registers = new Int32Array(64).fill(0);
  registers[0] = 0x25ab8086;
  registers[4] = BASE;
  pci.functions.set(1023 << 8, registers);
  let worst = 0;
  for (let piece = 0; piece < WATCHDOG_PIECES; piece++) {
    const before = bus.time;
    const kind = watchdogStart(WATCHDOG_I6300ESB, piece, 0);
    worst = Math.max(worst, bus.time - before);
    t.is(kind, piece === WATCHDOG_PIECES - 1 ? WATCHDOG_I6300ESB : WATCHDOG_NONE);
  }
  t.log(`${worst} accesses`);
  t.true(worst < 420, `${worst}`);
});

test('watchdogStart() answers that there is none: no PCI bus, no such device, no address', t => {
  const { told, pci } = bench();
  t.is(watchdogStart(WATCHDOG_I6300ESB, 0, 0), WATCHDOG_NONE);
  const registers = new Int32Array(64).fill(0);
  registers[0] = 0x25ab8086;
  pci.functions.set(PLACE, registers);
  t.is(watchdogStart(WATCHDOG_I6300ESB, 0, 0), WATCHDOG_NONE);
  attachPorts(new BusModel());
  t.is(watchdogStart(WATCHDOG_I6300ESB, 0, 0), WATCHDOG_NONE);
  run(0, 10 * TICKS_PER_SECOND);
  t.deepEqual(told, []);
});
