// The table of drivers: which driver a kind of card has, and what its interrupt line is like. One more driver is a kind in
// card.ts, a line in each function here, and one in each function of nic.ts that drivers have.
// Not here: at which places a kind is looked for (board/), its name for people (src/control/show/commands.ts).

import { NIC_NE2000_ISA, NIC_NE2000_PCI, NIC_RING } from './card.ts';

export const DRIVER_NONE: i32 = 0;
/** ring.ts */
export const DRIVER_RING: i32 = 1;
/** dp8390.ts */
export const DRIVER_DP8390: i32 = 2;

/** The driver of a kind of card; DRIVER_NONE: it has none, and no interface gets such a card. */
export function driverOf(kind: i32): i32 {
  switch (kind) {
    case NIC_RING:
      return DRIVER_RING;
    case NIC_NE2000_ISA:
    case NIC_NE2000_PCI:
      return DRIVER_DP8390;
    default:
      return DRIVER_NONE;
  }
}

/** 1 where the interrupt line is a level, as on the PCI bus (Local Bus Specification 2.1, section 2.2.6), and not an edge. */
export function isLevelOf(kind: i32): i32 {
  return kind === NIC_NE2000_PCI ? 1 : 0;
}
