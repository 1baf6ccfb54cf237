// The board with PCI: where its Ethernet cards are looked for, and those for which there is a driver. ISA slots are looked at after.
// Not here: which chips those are (hal/nic/drivers.ts), configuration space (hal/pci.ts), the ISA ports (isapc.ts).

import { cardAt, NIC_NONE, NIC_PLACE, NIC_PLACE_PCI } from '../hal/nic/card.ts';
import { pciKind } from '../hal/nic/drivers.ts';
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
    const kind: i32 = pciKind(pciId(place));
    if (kind === NIC_NONE) {
      if (i32at(UNDRIVEN_AT) === 0 && pciIsEthernet(place) !== 0) puti32(UNDRIVEN_AT, pciId(place));
      continue;
    }
    const port: i32 = pciPort(place, 0);
    if (port === 0) continue;
    pciEnable(place);
    if (nicProbe(next, kind, port, pciLine(place)) === 0) continue;
    puti32(cardAt(next) + NIC_PLACE, NIC_PLACE_PCI | place);
    next += 1;
  }
  return next;
}
