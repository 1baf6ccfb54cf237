// The board with PCI: which devices are Ethernet cards that we have a driver for. ISA slots are looked at after.
// Not here: configuration space (hal/pci.ts), the ISA ports (isapc.ts).

import { cardAt, NIC_NE2000_PCI, NIC_PLACE, NIC_PLACE_PCI } from '../hal/nic/card.ts';
import { nicProbe } from '../hal/nic/nic.ts';
import {
  PCI_END,
  PCI_FUNCTION,
  pciEnable,
  pciId,
  pciIsEthernet,
  pciLine,
  pciNext,
  pciPort,
  pciPresent,
} from '../hal/pci.ts';
import { UNDRIVEN_AT } from '../src/base/cells.ts';
import { NIC_COUNT } from '../src/base/limits.ts';
import { i32at, puti32 } from '../src/base/memory.ts';
import { probeIsaCards } from './isapc.ts';

/** More functions than a small board has; the walk ends there whatever the bus answers. */
const FUNCTION_LIMIT: i32 = 64;

/** Looks for all Ethernet cards, in this order; none is started. Answers how many there are. */
export function probeCards(): i32 {
  return probeIsaCards(pciPresent() === 0 ? 0 : probePciCards(0));
}

/** Gives PCI cards the numbers from `index` on. Answers the first number that is free. */
export function probePciCards(index: i32): i32 {
  let next: i32 = index;
  let from: i32 = 0;
  for (let n: i32 = 0; n < FUNCTION_LIMIT && next < NIC_COUNT; n++) {
    const place: i32 = pciNext(from, PCI_END);
    if (place < 0) break;
    from = place + PCI_FUNCTION;
    if (isNe2000(pciId(place)) === 0) {
      if (i32at(UNDRIVEN_AT) === 0 && pciIsEthernet(place) !== 0) puti32(UNDRIVEN_AT, pciId(place));
      continue;
    }
    const port: i32 = pciPort(place, 0);
    if (port === 0) continue;
    pciEnable(place);
    if (nicProbe(next, NIC_NE2000_PCI, port, pciLine(place)) === 0) continue;
    puti32(cardAt(next) + NIC_PLACE, NIC_PLACE_PCI | place);
    next += 1;
  }
  return next;
}

/**
 * Whether device << 16 | vendor is a chip that is an NE2000 on PCI. `| 0` makes an i32 of what has bit 31.
 * Not the Holtek HT80229 (12c3:5598): its data port takes accesses of 32 bits alone, and its memory is half as long.
 */
function isNe2000(id: i32): i32 {
  switch (id) {
    case 0x802910ec | 0: // RTL8029AS, and QEMU's ne2k_pci
    case 0x09401050: // Winbond W89C940
    case 0x5a5a1050: // Winbond W89C940F
    case 0x19808c4a: // Winbond W89C940 with a wrong EEPROM
    case 0x140111f6: // Compex ReadyLink 2000
    case 0x30008e2e: // KTI ET32P2
    case 0x50004a14: // NetVin NV5000SC
    case 0x09261106: // VIA VT86C926
    case 0x0e3410bd: // SureCom NE34
    case 0x005812c3: // Holtek HT80232
      return 1;
    default:
      return 0;
  }
}
