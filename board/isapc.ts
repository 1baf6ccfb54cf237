// The ISA board: at which ports Ethernet cards and serial ports are looked for.
// Not here: how one is recognized (hal/nic/ne2000.ts, hal/serial/ns16550.ts).
//
// The ports are those that NE2000 jumpers offer, 0x300 first, the factory's. An empty port is only read. Where a PCI
// card was found, it is that card that answers, and no ISA card. The interrupt line is found by trial.

import { cardAt, NIC_NE2000_ISA, NIC_PORT } from '../hal/nic/card.ts';
import { nicProbe } from '../hal/nic/nic.ts';
import { serialProbe } from '../hal/serial/ns16550.ts';
import { NIC_COUNT } from '../src/base/limits.ts';
import { i32at } from '../src/base/memory.ts';

/** Ports of a card. */
const CARD_PORTS: i32 = 32;

/** Looks for cards and gives them the numbers from `index` on. Answers the first number that is free. */
export function probeIsaCards(index: i32): i32 {
  let next: i32 = probeAt(index, 0x300);
  next = probeAt(next, 0x320);
  next = probeAt(next, 0x340);
  next = probeAt(next, 0x360);
  return probeAt(next, 0x280);
}

function probeAt(index: i32, port: i32): i32 {
  if (index >= NIC_COUNT) return index;
  for (let other: i32 = 0; other < index; other++) {
    const from: i32 = i32at(cardAt(other) + NIC_PORT);
    if (port < from + CARD_PORTS && from < port + CARD_PORTS) return index;
  }
  return index + nicProbe(index, NIC_NE2000_ISA, port, -1);
}

/** Looks for COM1 to COM4, at 115200 baud. Answers a bit for each that is there. */
export function probeSerialPorts(): i32 {
  return (
    serialProbe(0, 0x3f8, 4, 1) |
    (serialProbe(1, 0x2f8, 3, 1) << 1) |
    (serialProbe(2, 0x3e8, 4, 1) << 2) |
    (serialProbe(3, 0x2e8, 3, 1) << 3)
  );
}
