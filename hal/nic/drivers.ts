// The table of cards: one line a kind says which driver it has, what its interrupt line is like and how that is found; and one a chip
// of the PCI bus, which kind it is. One more driver is a kind in card.ts, its line here and its name in card-names.ts, and a line
// in each function of nic.ts that drivers have. A kind without a driver may stand in card.ts too: such a card is no link's.
// Not here: at which places cards are looked for (board/).

import { NIC_NE2000_ISA, NIC_NE2000_PCI, NIC_NE2000_PCI_16, NIC_NONE, NIC_RING } from './card.ts';

export const DRIVER_NONE: i32 = 0;
/** ring.ts */
export const DRIVER_RING: i32 = 1;
/** dp8390.ts */
export const DRIVER_DP8390: i32 = 2;

/** What cardTraits() answers: the driver; that the interrupt line is a level and not an edge; that it is found by trial; that data goes by 32 bits. */
export const TRAIT_DRIVER: i32 = 0xff;
export const TRAIT_LEVEL: i32 = 0x100;
export const TRAIT_LINE_BY_TRIAL: i32 = 0x200;
export const TRAIT_WIDE: i32 = 0x400;

/** What holds for a kind of card; a kind that has no line here has no driver. */
export function cardTraits(kind: i32): i32 {
  switch (kind) {
    case NIC_RING:
      return DRIVER_RING;
    case NIC_NE2000_ISA:
      return DRIVER_DP8390 | TRAIT_LINE_BY_TRIAL;
    // PCI Local Bus Specification 2.1, section 2.2.6: lines are shared, and levels.
    case NIC_NE2000_PCI:
      return DRIVER_DP8390 | TRAIT_LEVEL | TRAIT_WIDE;
    case NIC_NE2000_PCI_16:
      return DRIVER_DP8390 | TRAIT_LEVEL;
    default:
      return DRIVER_NONE;
  }
}

/**
 * The kind of a chip on the PCI bus, by its device << 16 | vendor; NIC_NONE: there is no driver. `| 0` makes an i32 of what has bit 31.
 * Not the Holtek HT80229 (12c3:5598): its data port takes accesses of 32 bits alone, and its memory is half as long.
 */
export function pciKind(id: i32): i32 {
  switch (id) {
    case 0x802910ec | 0: // RTL8029AS, and QEMU's ne2k_pci
    case 0x09401050: // Winbond W89C940
    case 0x5a5a1050: // Winbond W89C940F
    case 0x19808c4a: // Winbond W89C940 with a wrong EEPROM
    case 0x140111f6: // Compex ReadyLink 2000
    case 0x30008e2e: // KTI ET32P2
    case 0x50004a14: // NetVin NV5000SC
    case 0x0e3410bd: // SureCom NE34
      return NIC_NE2000_PCI;
    // Their data ports are 16 bits wide, as the driver of Linux has it.
    case 0x09261106: // VIA VT86C926
    case 0x005812c3: // Holtek HT80232
      return NIC_NE2000_PCI_16;
    default:
      return NIC_NONE;
  }
}
