import test, { type ExecutionContext } from 'ava';
import { COUNT_SERIAL_OVERRUN, resetCounters } from '../../src/base/counters.ts';
import {
  COUNTERS_AT,
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../../src/base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../src/base/memory.ts';
import { javascriptBuild, type Plane, wasmBuild } from '../../tools/builds.ts';
import { BusModel, portsOf } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import {
  HELD_BY_CTS,
  HELD_BY_XOFF,
  HELD_PEER,
  resetSerial,
  SERIAL_16450,
  SERIAL_16550,
  SERIAL_BREAKS,
  SERIAL_FRAMING_ERRORS,
  SERIAL_HELD,
  SERIAL_KIND,
  SERIAL_NONE,
  SERIAL_OVERRUNS,
  SERIAL_PARITY_ERRORS,
  SERIAL_RING_FULL,
  SERIAL_RTS_CTS,
  SERIAL_RX_BYTES,
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_BYTES,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  SERIAL_XON_XOFF,
  serialAt,
} from './ns16550.ts';
import { BREAK, FRAMING, OVERRUN, PARITY, type UartKind, UartModel } from './ns16550-model.ts';

const COM1 = 0x3f8;
const COM3 = 0x3e8;
const LINE = 4;

let bus = new BusModel();
const ports = portsOf(() => bus);
const builds = [javascriptBuild(), await wasmBuild(ports)];
attachPorts(ports);

function onPort(
  title: string,
  kind: UartKind,
  body: (t: ExecutionContext, plane: Plane, uart: UartModel) => void,
) {
  for (const build of builds) {
    test.serial(`${title} (${kind}, ${build.name})`, t => {
      build.use();
      bus = new BusModel();
      resetCounters();
      resetSerial();
      const uart = new UartModel(bus, COM1, LINE, kind);
      t.is(build.plane.serialProbe(0, COM1, LINE, 1), 1);
      body(t, build.plane, uart);
      t.deepEqual(uart.violations, []);
    });
  }
}

function state(field: number, index = 0): number {
  return i32at(serialAt(index) + field);
}

/** Takes the bytes that have been received, as control does. */
function take(index = 0): number[] {
  const bytes = [];
  const tail = state(SERIAL_RX_TAIL, index);
  for (let head = state(SERIAL_RX_HEAD, index); head !== tail; head = (head + 1) | 0) {
    bytes.push(get8(SERIAL_RECEIVE_AT + index * SERIAL_RECEIVE_BYTES + (head & (SERIAL_RECEIVE_BYTES - 1))));
  }
  puti32(serialAt(index) + SERIAL_RX_HEAD, tail);
  return bytes;
}

/** Puts bytes into the transmit ring, as control does. */
function put(bytes: number[], index = 0): void {
  let tail = state(SERIAL_TX_TAIL, index);
  for (const byte of bytes) {
    put8(SERIAL_TRANSMIT_AT + index * SERIAL_TRANSMIT_BYTES + (tail & (SERIAL_TRANSMIT_BYTES - 1)), byte);
    tail = (tail + 1) | 0;
  }
  puti32(serialAt(index) + SERIAL_TX_TAIL, tail);
}

function interrupt(plane: Plane): number {
  let taken = 0;
  while (bus.pic.take(LINE) && taken < 1000) {
    plane.serialInterrupt(LINE);
    taken++;
  }
  return taken;
}

function sequence(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

test.serial('serialProbe() finds each kind, and none on an empty bus or other devices', t => {
  javascriptBuild();
  attachPorts(ports);
  const { serialProbe } = builds[0]!.plane;
  for (const [kind, expected] of [
    ['16550A', SERIAL_16550],
    ['16550', SERIAL_16450],
    ['16450', SERIAL_16450],
    ['8250', SERIAL_16450],
  ] as const) {
    bus = new BusModel();
    const uart = new UartModel(bus, COM1, LINE, kind);
    t.is(serialProbe(0, COM1, LINE, 12), 1);
    t.is(state(SERIAL_KIND), expected);
    t.is(uart.rate, 9600);
    t.true(uart.rts);
  }
  bus = new BusModel();
  t.is(serialProbe(0, COM1, LINE, 1), 0);
  t.is(state(SERIAL_KIND), SERIAL_NONE);
  for (const value of [0, 0x0f, 0x60, 0x90]) {
    bus = new BusModel();
    bus.place(COM1, 8, { read: () => value, write() {} });
    t.is(serialProbe(0, COM1, LINE, 1), 0);
  }
  const memory = new Array<number>(8).fill(0x60);
  bus = new BusModel();
  bus.place(COM1, 8, {
    read: offset => memory[offset]!,
    write: (offset, value) => {
      memory[offset] = value;
    },
  });
  t.is(serialProbe(0, COM1, LINE, 1), 0, 'memory is no UART');
});

test.serial('probeSerialPorts() finds COM1 and COM3 by their ports', t => {
  bus = new BusModel();
  new UartModel(bus, COM1, 4);
  new UartModel(bus, COM3, 4);
  t.is(builds[0]!.plane.probeSerialPorts(), 5);
});

for (const kind of ['16550A', '16450'] as const) {
  onPort('bytes come in order, all values, around the ring', kind, (t, plane, uart) => {
    for (let round = 0; round < 40; round++) {
      const bytes = sequence(256);
      for (const byte of bytes) {
        uart.receive(byte);
        if (kind !== '16550A' || byte % 5 === 0) interrupt(plane);
      }
      interrupt(plane);
      t.deepEqual(take(), bytes);
    }
    t.is(state(SERIAL_RX_BYTES), 40 * 256);
    t.is(i32at(COUNTERS_AT + 4 * COUNT_SERIAL_OVERRUN), 0);
  });

  onPort('serialStart() sends all of the ring, in bursts that the chip holds', kind, (t, plane, uart) => {
    const bytes = sequence(SERIAL_TRANSMIT_BYTES);
    for (let round = 0; round < 3; round++) {
      put(bytes);
      plane.serialStart(0);
      t.is(uart.waiting, kind === '16550A' ? 16 : 1);
      plane.serialStart(0);
      let interrupts = 0;
      for (let i = 0; i < SERIAL_TRANSMIT_BYTES && uart.waiting > 0; i++) {
        uart.transmit();
        interrupts += interrupt(plane);
      }
      t.is(interrupts, (kind === '16550A' ? SERIAL_TRANSMIT_BYTES / 16 : SERIAL_TRANSMIT_BYTES) - 1);
      t.deepEqual(uart.sent.splice(0), bytes);
    }
    t.is(state(SERIAL_TX_BYTES), 3 * SERIAL_TRANSMIT_BYTES);
    t.is(state(SERIAL_TX_HEAD), state(SERIAL_TX_TAIL));
  });
}

onPort('serialStart() waits for a transmitter that is still busy', '16550A', (t, plane, uart) => {
  put([1]);
  plane.serialStart(0);
  put([2, 3]);
  plane.serialStart(0);
  t.is(uart.waiting, 1);
  uart.transmit();
  interrupt(plane);
  uart.transmit();
  t.deepEqual(uart.sent, [1, 2, 3]);
});

onPort('both ways at once lose nothing', '16550A', (t, plane, uart) => {
  const bytes = sequence(3000);
  put(bytes);
  plane.serialStart(0);
  const got: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    uart.receive(bytes[i]!);
    if (i % 3 === 0) uart.transmit(5);
    if (i % 7 === 0) interrupt(plane);
    if (i % 100 === 0) got.push(...take());
  }
  for (let i = 0; i < 1000; i++) {
    uart.transmit();
    interrupt(plane);
  }
  got.push(...take());
  t.deepEqual(got, bytes);
  t.deepEqual(uart.sent, bytes);
});

onPort('errors are counted by kind and their bytes are dropped', '16550A', (t, plane, uart) => {
  uart.receive(0x41);
  uart.receive(0x80, PARITY);
  uart.receive(0x42);
  uart.receive(0x81, FRAMING);
  uart.receive(0, BREAK | FRAMING);
  uart.receive(0x43);
  interrupt(plane);
  t.deepEqual(take(), [0x41, 0x42, 0x43]);
  t.is(state(SERIAL_PARITY_ERRORS), 1);
  t.is(state(SERIAL_FRAMING_ERRORS), 1);
  t.is(state(SERIAL_BREAKS), 1);
});

onPort('errors of waiting bytes survive serialStart() and serialTick()', '16550A', (t, plane, uart) => {
  uart.receive(0x80, PARITY);
  put([1]);
  plane.serialStart(0);
  uart.receive(0x80, FRAMING);
  plane.serialTick();
  interrupt(plane);
  t.deepEqual(take(), []);
  t.is(state(SERIAL_PARITY_ERRORS), 1);
  t.is(state(SERIAL_FRAMING_ERRORS), 1);
});

onPort('bytes that the chip lost are counted', '16550A', (t, plane, uart) => {
  const bytes = sequence(20);
  for (const byte of bytes) uart.receive(byte);
  interrupt(plane);
  t.deepEqual(take(), bytes.slice(0, 16));
  t.is(state(SERIAL_OVERRUNS), 1);
  t.is(i32at(COUNTERS_AT + 4 * COUNT_SERIAL_OVERRUN), OVERRUN / 2);
});

onPort(
  'a ring that control does not empty drops RTS, then counts, and keeps what it has',
  '16550A',
  (t, plane, uart) => {
    const bytes = sequence(SERIAL_RECEIVE_BYTES + 10);
    let stopped = 0;
    for (const [i, byte] of bytes.entries()) {
      uart.receive(byte);
      interrupt(plane);
      if (!uart.rts && stopped === 0) stopped = i;
    }
    t.true(stopped >= (SERIAL_RECEIVE_BYTES * 3) / 4 && stopped < SERIAL_RECEIVE_BYTES - 512);
    t.is(state(SERIAL_RING_FULL), 10);
    t.is(i32at(COUNTERS_AT + 4 * COUNT_SERIAL_OVERRUN), 10);
    t.is(state(SERIAL_HELD), HELD_PEER);
    plane.serialTick();
    t.false(uart.rts);
    t.deepEqual(take(), bytes.slice(0, SERIAL_RECEIVE_BYTES));
    plane.serialTick();
    t.true(uart.rts);
    t.is(state(SERIAL_HELD), 0);
    t.deepEqual(uart.sent, [], 'no XOFF without its mode');
  },
);

onPort('XOFF and XON go out before other bytes, by the fill of the ring', '16550A', (t, plane, uart) => {
  plane.serialSetMode(0, SERIAL_XON_XOFF);
  const letters = Array.from({ length: 3500 }, (_, i) => 0x61 + (i % 26));
  for (const byte of letters) {
    uart.receive(byte);
    interrupt(plane);
  }
  put([0x41, 0x42]);
  plane.serialStart(0);
  for (let i = 0; i < 4; i++) {
    uart.transmit();
    interrupt(plane);
  }
  t.deepEqual(uart.sent.splice(0), [0x13, 0x41, 0x42]);
  t.deepEqual(take(), letters);
  plane.serialTick();
  uart.transmit();
  t.deepEqual(uart.sent, [0x11]);
});

onPort(
  'a peer that sends XOFF is waited for until its XON, and neither reaches control',
  '16550A',
  (t, plane, uart) => {
    plane.serialSetMode(0, SERIAL_XON_XOFF);
    put(sequence(100));
    plane.serialStart(0);
    uart.receive(0x13);
    interrupt(plane);
    t.is(state(SERIAL_HELD), HELD_BY_XOFF);
    for (let i = 0; i < 10; i++) {
      uart.transmit();
      interrupt(plane);
      plane.serialTick();
    }
    t.true(uart.sent.length <= 32);
    uart.receive(0x11);
    for (let i = 0; i < 10; i++) {
      interrupt(plane);
      uart.transmit();
    }
    t.deepEqual(uart.sent, sequence(100));
    t.deepEqual(take(), []);
  },
);

/** Bytes that a peer's own FIFO still sends after it was told to wait. */
const PEER_FIFO = 128;

/** A paste to a control that empties the ring now and then only. Answers what it got, and how often the peer waited. */
function paste(
  plane: Plane,
  uart: UartModel,
  bytes: number[],
  mayGo: () => boolean,
): { got: number[]; waits: number } {
  const got: number[] = [];
  let waits = 0;
  let left = PEER_FIFO;
  for (let sent = 0, turn = 0; sent < bytes.length; turn++) {
    for (let i = 0; i < 14 && sent < bytes.length; i++) {
      if (mayGo()) left = PEER_FIFO;
      else if (left === PEER_FIFO) waits++;
      if (left === 0) break;
      if (!mayGo()) left--;
      uart.receive(bytes[sent++]!);
    }
    interrupt(plane);
    uart.transmit();
    interrupt(plane);
    plane.serialTick();
    if (turn % 400 === 399) got.push(...take());
  }
  return { got: [...got, ...take()], waits };
}

const PASTE = Array.from(
  { length: 600 },
  (_, i) => `set dns host host-number-${i} 10.0.${i >> 8}.${i & 255}\r`,
)
  .join('')
  .split('')
  .map(letter => letter.charCodeAt(0));

for (const mode of [SERIAL_RTS_CTS, SERIAL_XON_XOFF]) {
  const sign = mode === SERIAL_RTS_CTS ? 'RTS' : 'XOFF';
  onPort(`a paste of 600 lines that obeys ${sign} loses no byte`, '16550A', (t, plane, uart) => {
    plane.serialSetMode(0, mode);
    const byXon = (): boolean => uart.sent.findLast(byte => byte === 0x11 || byte === 0x13) !== 0x13;
    const { got, waits } = paste(plane, uart, PASTE, mode === SERIAL_RTS_CTS ? () => uart.rts : byXon);
    t.deepEqual(got, PASTE);
    t.true(waits >= 3, `it waited ${waits} times`);
    t.is(state(SERIAL_RING_FULL), 0);
    t.is(state(SERIAL_OVERRUNS), 0);
  });
}

onPort(
  'who waits for XON gets it when that mode ends, and XOFF when it comes',
  '16550A',
  (t, plane, uart) => {
    plane.serialSetMode(0, SERIAL_XON_XOFF);
    for (const byte of sequence(3500)) {
      if (byte !== 0x11 && byte !== 0x13) uart.receive(byte);
      interrupt(plane);
    }
    uart.transmit();
    for (const [mode, sign] of [
      [0, 0x11],
      [SERIAL_XON_XOFF, 0x13],
    ] as const) {
      plane.serialSetMode(0, mode);
      plane.serialTick();
      uart.transmit();
      t.is(uart.sent.at(-1), sign);
      t.false(uart.rts);
    }
  },
);

onPort('XON and XOFF are ordinary bytes outside their mode', '16550A', (t, plane, uart) => {
  for (const byte of [0x13, 0x11]) uart.receive(byte);
  interrupt(plane);
  t.deepEqual(take(), [0x13, 0x11]);
});

onPort('CTS stops and restarts the transmitter in its mode only', '16550A', (t, plane, uart) => {
  uart.setCts(false);
  put(sequence(16));
  plane.serialStart(0);
  uart.transmit();
  interrupt(plane);
  t.is(uart.sent.splice(0).length, 16, 'a console cable may lack the line');
  plane.serialSetMode(0, SERIAL_RTS_CTS);
  t.is(state(SERIAL_HELD), HELD_BY_CTS);
  put(sequence(40));
  plane.serialStart(0);
  plane.serialTick();
  t.is(uart.waiting, 0);
  uart.setCts(true);
  for (let i = 0; i < 5; i++) {
    interrupt(plane);
    uart.transmit();
  }
  t.deepEqual(uart.sent, sequence(40));
});

onPort('serialTick() goes on where interrupts were lost', '16550A', (t, plane, uart) => {
  uart.losesEmpty = true;
  put(sequence(50));
  plane.serialStart(0);
  uart.receive(0x55);
  for (let i = 0; i < 5; i++) {
    uart.transmit();
    bus.pic.take(LINE);
    plane.serialTick();
  }
  t.deepEqual(uart.sent, sequence(50));
  t.deepEqual(take(), [0x55]);
});

onPort('an interrupt without a cause, or of another line, changes nothing', '16550A', (t, plane, uart) => {
  plane.serialInterrupt(LINE);
  uart.receive(1);
  plane.serialInterrupt(3);
  t.deepEqual(take(), []);
  plane.serialInterrupt(LINE);
  t.deepEqual(take(), [1]);
});

onPort('two ports on one line are both served before the line is left', '16550A', (t, plane, uart) => {
  const other = new UartModel(bus, COM3, LINE);
  t.is(plane.serialProbe(2, COM3, LINE, 1), 1);
  uart.receive(1);
  other.receive(3);
  plane.serialInterrupt(LINE);
  t.deepEqual(take(0), [1]);
  t.deepEqual(take(2), [3]);
});

onPort('a UART that vanishes costs bounded time and no bytes', '16550A', (t, plane, uart) => {
  put(sequence(64));
  plane.serialStart(0);
  uart.absent = true;
  const before = bus.time;
  for (let i = 0; i < 10; i++) {
    plane.serialInterrupt(LINE);
    plane.serialTick();
    plane.serialStart(0);
  }
  t.true(bus.time - before < 200);
  t.deepEqual(take(), []);
  t.is(state(SERIAL_TX_TAIL) - state(SERIAL_TX_HEAD), 48);
});

onPort('a UART that never falls quiet costs bounded time', '16550A', (t, plane) => {
  bus = new BusModel();
  bus.place(COM1, 8, { read: offset => (offset === 2 ? 0xcc : 0x61), write() {} });
  plane.serialInterrupt(LINE);
  t.true(bus.time < 450, `${bus.time} accesses`);
});

onPort('a transmitter that is empty at once: many short interrupts', '16550A', (t, plane, uart) => {
  uart.isInstant = true;
  put(sequence(SERIAL_TRANSMIT_BYTES));
  plane.serialStart(0);
  let longest = 0;
  for (let from = bus.time; bus.pic.take(LINE); from = bus.time) {
    plane.serialInterrupt(LINE);
    longest = Math.max(longest, bus.time - from);
  }
  t.true(longest > 0 && longest < 200, `${longest} accesses`);
  t.deepEqual(uart.sent, sequence(SERIAL_TRANSMIT_BYTES));
});
