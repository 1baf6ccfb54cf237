// What kinds of cards are called, for people: beside the table of drivers (drivers.ts), which is code of the packet path and has no
// texts. A test compares the two.

import { NIC_NE2000_ISA, NIC_NE2000_PCI, NIC_NE2000_PCI_16, NIC_RING } from './card.ts';

export const CARD_NAMES: ReadonlyMap<number, string> = new Map([
  [NIC_RING, 'ring in memory'],
  [NIC_NE2000_ISA, 'NE2000 ISA'],
  [NIC_NE2000_PCI, 'NE2000 PCI'],
  [NIC_NE2000_PCI_16, 'NE2000 PCI'],
]);
