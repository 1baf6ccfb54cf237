// Where in the stream bytes are missing, as the driver notes it for who reads lines.
import test from 'ava';
import { SERIAL_RECEIVE_BYTES } from '../../src/base/limits.ts';
import { i32at, puti32 } from '../../src/base/memory.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { BusModel, portsOf } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import {
  resetSerial,
  SERIAL_LOST,
  SERIAL_LOST_FROM,
  SERIAL_LOST_TO,
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  serialAt,
} from './ns16550.ts';
import { BREAK, FRAMING, UartModel } from './ns16550-model.ts';

const COM1 = 0x3f8;
const LINE = 4;

let bus = new BusModel();
const ports = portsOf(() => bus);
const builds = [javascriptBuild(), await wasmBuild(ports)];
attachPorts(ports);

for (const build of builds) {
  test.serial(`where bytes were lost is noted, until it is taken back (${build.name})`, t => {
    build.use();
    bus = new BusModel();
    resetSerial();
    const uart = new UartModel(bus, COM1, LINE, '16550A');
    t.is(build.plane.serialProbe(0, COM1, LINE, 1), 1);
    const noted = () =>
      [SERIAL_LOST, SERIAL_LOST_FROM, SERIAL_LOST_TO].map(field => i32at(serialAt(0) + field));
    const receive = (count: number): void => {
      for (let i = 0; i < count; i++) uart.receive(0x41);
    };
    const interrupt = (): void => {
      for (let i = 0; i < 1000 && bus.pic.take(LINE); i++) build.plane.serialInterrupt(LINE);
    };
    receive(5);
    interrupt();
    t.is(noted()[0], 0);
    uart.receive(0x80, FRAMING);
    interrupt();
    t.deepEqual(noted(), [1, 5, 5], 'a byte that came wrong');
    receive(20);
    interrupt();
    // The FIFO has 16 bytes from before the loss, and 4 were lost behind them.
    t.deepEqual(noted(), [1, 5, 21]);
    puti32(serialAt(0) + SERIAL_LOST, 0);
    receive(1);
    interrupt();
    uart.receive(0, BREAK);
    interrupt();
    t.is(noted()[0], 0, 'a break is no byte');
    for (let i = 0; i < SERIAL_RECEIVE_BYTES; i++) {
      receive(1);
      interrupt();
    }
    t.deepEqual(noted(), [1, SERIAL_RECEIVE_BYTES, SERIAL_RECEIVE_BYTES], 'nobody took what had come');
  });
}

/** A byte of 10 bits at 115200. */
const BYTE_MICROSECONDS = 10e6 / 115200;
const BYTES = 3000;

for (const build of builds) {
  for (const [microseconds, isLost] of [
    [500, false],
    [900, true],
  ] as const) {
    const title = isLost ? 'would lose bytes' : 'lose no byte at 115200';
    test.serial(`interrupts that are off for ${microseconds} us ${title} (${build.name})`, t => {
      build.use();
      bus = new BusModel();
      resetSerial();
      const uart = new UartModel(bus, COM1, LINE, '16550A');
      t.is(build.plane.serialProbe(0, COM1, LINE, 1), 1);
      uart.waitsForThreshold = true;
      let due = Number.POSITIVE_INFINITY;
      for (let i = 0; i < BYTES + 20; i++) {
        const now = i * BYTE_MICROSECONDS;
        // The worst moment: the request comes when they have just been turned off.
        if (due === Number.POSITIVE_INFINITY && bus.pic.take(LINE)) due = now + microseconds;
        if (now >= due) {
          do build.plane.serialInterrupt(LINE);
          while (bus.pic.take(LINE));
          due = Number.POSITIVE_INFINITY;
          // Control takes what has come.
          puti32(serialAt(0) + SERIAL_RX_HEAD, i32at(serialAt(0) + SERIAL_RX_TAIL));
        }
        if (i < BYTES) uart.receive(i & 255);
      }
      t.is(i32at(serialAt(0) + SERIAL_LOST) !== 0, isLost);
      const came = i32at(serialAt(0) + SERIAL_RX_TAIL);
      t.true(isLost ? came < BYTES - 100 : came > BYTES - 16, `${came}`);
    });
  }
}
