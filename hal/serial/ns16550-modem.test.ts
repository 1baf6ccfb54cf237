import test from 'ava';
import { NOW_AT, SERIAL_CHANGED_AT, WAKE_AT } from '../../src/base/cells.ts';
import { i32at, puti32 } from '../../src/base/memory.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { BusModel, portsOf } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import {
  resetSerial,
  SERIAL_CTS,
  SERIAL_DCD,
  SERIAL_DROPS,
  SERIAL_DSR,
  SERIAL_MODEM,
  SERIAL_RI,
  SERIAL_RINGS,
  SERIAL_RTS_CTS,
  SERIAL_WATCHED,
  serialAt,
} from './ns16550.ts';
import { DCD, RI, UartModel } from './ns16550-model.ts';

const COM2 = 0x2f8;
const LINE = 3;
const PORT = 1;

let bus = new BusModel();
const ports = portsOf(() => bus);
const builds = [javascriptBuild(), await wasmBuild(ports)];
attachPorts(ports);

for (const { plane, name, use } of builds) {
  function start(): UartModel {
    use();
    bus = new BusModel();
    resetSerial();
    const uart = new UartModel(bus, COM2, LINE);
    plane.serialProbe(PORT, COM2, LINE, 1);
    puti32(WAKE_AT, i32at(NOW_AT) + 1000);
    return uart;
  }

  const word = (field: number) => i32at(serialAt(PORT) + field);

  function interrupt(): void {
    while (bus.pic.take(LINE)) plane.serialInterrupt(LINE);
  }

  test.serial(`serialSetRate() sets any rate that a modem has (${name})`, t => {
    const uart = start();
    for (const rate of [300, 1200, 2400, 9600, 19200, 38400, 57600, 115200]) {
      t.is(plane.serialSetRate(PORT, 115200 / rate), 1);
      t.is(uart.rate, rate);
    }
    for (const divisor of [0, -1, 0x10000]) t.is(plane.serialSetRate(PORT, divisor), 0);
    t.is(plane.serialSetRate(2, 1), 0, 'there is no port');
    t.is(uart.rate, 115200);
  });

  test.serial(`serialSetDtr() lets DTR fall and rise, and RTS is as it was (${name})`, t => {
    const uart = start();
    t.true(uart.dtr && uart.rts);
    plane.serialSetDtr(PORT, 0);
    t.true(!uart.dtr && uart.rts);
    // A ring that fills lets RTS fall, and DTR stays where it is.
    for (let n = 0; n < 3100; n++) {
      uart.receive(0x41);
      interrupt();
    }
    t.true(!uart.dtr && !uart.rts);
    plane.serialSetDtr(PORT, 1);
    t.true(uart.dtr && !uart.rts);
    plane.serialRead(PORT, 1);
    plane.serialTick();
    t.true(uart.dtr && uart.rts, 'nobody had read it, so it was thrown away');
    plane.serialSetDtr(2, 0);
  });

  test.serial(`a modem's lines are read, and where they are watched a change calls control (${name})`, t => {
    const uart = start();
    t.is(plane.serialModem(PORT), SERIAL_CTS | SERIAL_DSR | SERIAL_DCD);
    uart.setModem(DCD, false);
    interrupt();
    t.is(plane.wanted(), 0, 'not watched');
    t.is(plane.serialModem(PORT), SERIAL_CTS | SERIAL_DSR);
    plane.serialSetMode(PORT, SERIAL_RTS_CTS | SERIAL_WATCHED);
    t.is(plane.wanted(), 0);
    uart.setModem(DCD, true);
    interrupt();
    t.is(i32at(SERIAL_CHANGED_AT), 1 << PORT);
    t.is(plane.wanted(), 1);
    puti32(SERIAL_CHANGED_AT, 0);
    t.is(plane.wanted(), 0);
    uart.setModem(DCD, false);
    interrupt();
    t.is(word(SERIAL_DROPS), 2);
    t.is(word(SERIAL_MODEM), SERIAL_CTS | SERIAL_DSR);
    // Two rings: one that is seen while it lasts, and one that is over when somebody looks.
    puti32(SERIAL_CHANGED_AT, 0);
    uart.setModem(RI, true);
    t.is(plane.serialModem(PORT) & SERIAL_RI, SERIAL_RI);
    uart.setModem(RI, false);
    interrupt();
    uart.setModem(RI, true);
    uart.setModem(RI, false);
    interrupt();
    t.is(word(SERIAL_RINGS), 2);
    t.is(i32at(SERIAL_CHANGED_AT), 1 << PORT);
    t.is(plane.serialModem(3), 0);
    puti32(SERIAL_CHANGED_AT, 0);
  });
}
