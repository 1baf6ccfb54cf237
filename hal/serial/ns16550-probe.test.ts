// UARTs and emulators without loopback, which are known by their scratch register, and what is none.
// Not here: the kinds that have it (ns16550.test.ts).

import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { BusModel, portsOf } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import { UartModel } from './ns16550-model.ts';

const COM1 = 0x3f8;
const LINE = 4;

let bus = new BusModel();
const ports = portsOf(() => bus);
const builds = [javascriptBuild(), await wasmBuild(ports)];
attachPorts(ports);

test.serial('serialProbe() knows a UART without loopback by its scratch register', t => {
  for (const build of builds) {
    build.use();
    for (const [kind, found] of [
      ['16550A', 1],
      ['16450', 1],
      ['8250', 0],
    ] as const) {
      bus = new BusModel();
      const uart = new UartModel(bus, COM1, LINE, kind);
      uart.hasLoopback = false;
      t.is(build.plane.serialProbe(0, COM1, LINE, 1), found, `${kind}, ${build.name}`);
      if (found === 1) t.is(uart.rate, 115200);
      t.deepEqual(uart.violations, []);
    }
    // Memory that keeps all that is written, also with a register that says that no interrupt has a cause.
    for (const fixed of [-1, 2]) {
      const memory = new Array<number>(8).fill(0x61);
      bus = new BusModel();
      bus.place(COM1, 8, {
        read: offset => memory[offset]!,
        write: (offset, value) => {
          if (offset !== fixed) memory[offset] = value;
        },
      });
      t.is(build.plane.serialProbe(0, COM1, LINE, 1), 0, 'memory is no UART');
    }
  }
});
