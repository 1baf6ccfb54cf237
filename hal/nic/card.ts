// The block of memory that belongs to one card: what every driver keeps (nic.ts reads it), then what the
// driver of its kind needs. One block a card, NIC_BYTES each, at NICS_AT. Which link it is the device of stands in it too.
//
//    0      4      8     12        16    22   24         32       36      40     44            108       120     128    192
//    | kind | port | irq | started | MAC | -- | counters | driver | level | link | record | -- | station | place | chip | scratch |

import { NIC_END_AT } from '../../src/base/cells.ts';
import { interfaceAt } from '../../src/base/interface.ts';
import { NIC_BYTES, NIC_COUNT, NICS_AT } from '../../src/base/limits.ts';
import { fill, i32at, puti32 } from '../../src/base/memory.ts';

export const NIC_KIND: i32 = 0;
/** First port of the card; for NIC_RING the number that ends its station address. */
export const NIC_PORT: i32 = 4;
/** Interrupt line, or -1: then the card is served by nicTick() alone. */
export const NIC_IRQ: i32 = 8;
export const NIC_STARTED: i32 = 12;
/** Station address, 6 bytes as on the wire. */
export const NIC_MAC: i32 = 16;
/** Receive rings that overflowed or held a bad header. */
export const NIC_OVERRUNS: i32 = 24;
/** Chip resets because a transmit or remote DMA never ended. */
export const NIC_RESETS: i32 = 28;
/** Its driver and whether its interrupt line is a level, by its kind (drivers.ts). */
export const NIC_DRIVER: i32 = 32;
export const NIC_LEVEL: i32 = 36;
/** The link that it is the device of, or -1; and that link's record, which counts its frames. */
export const NIC_LINK: i32 = 40;
export const NIC_RECORD: i32 = 44;
/** The station address that it has been given, 6 bytes: its own, or another. */
export const NIC_STATION: i32 = 108;
/** Where the card is plugged: its ISA port, NIC_PLACE_PCI and its place on the PCI bus, or the ring's number. */
export const NIC_PLACE: i32 = 120;
/** Of the driver of the card's kind: 64 bytes. */
export const NIC_CHIP: i32 = 128;
/** Bytes on their way to or from a card: 64. */
export const NIC_SCRATCH: i32 = 192;

/** No card. */
export const NIC_NONE: i32 = 0;
/** Queues in memory (ring.ts). */
export const NIC_RING: i32 = 1;
export const NIC_NE2000_ISA: i32 = 2;
export const NIC_NE2000_PCI: i32 = 3;
/** One whose data port takes 16 bits at a time alone. */
export const NIC_NE2000_PCI_16: i32 = 4;
/** Kinds are below. */
export const NIC_KIND_END: i32 = 5;

/** In NIC_PLACE: bus << 16 | device << 11 | function << 8 is the rest. The BIOS may change its port, but not this. */
export const NIC_PLACE_PCI: i32 = 1 << 31;

/** nicService(): frames wait to be taken with nicReceive(). */
export const NIC_RECEIVED: i32 = 1;
/** nicService(): there is room for a frame again. */
export const NIC_SENT: i32 = 2;

/** Shortest frame on the wire, without its checksum (IEEE 802.3: 64 with it). */
export const FRAME_MIN: i32 = 60;

/** Address of a card's block. */
export function cardAt(card: i32): i32 {
  return NICS_AT + card * NIC_BYTES;
}

/** Forgets all cards. */
export function resetCards(): void {
  fill(NICS_AT, 0, NIC_COUNT * NIC_BYTES);
  for (let card: i32 = 0; card < NIC_COUNT; card++) {
    puti32(cardAt(card) + NIC_IRQ, -1);
    puti32(cardAt(card) + NIC_LINK, -1);
    puti32(cardAt(card) + NIC_RECORD, interfaceAt(card));
  }
  puti32(NIC_END_AT, 0);
}

/** Adds to a word of memory, which wraps at 2^32. */
export function add(p: i32, n: i32): void {
  puti32(p, (i32at(p) + n) | 0);
}
