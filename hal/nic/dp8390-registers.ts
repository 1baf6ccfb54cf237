// The DP8390's registers, in the data sheet's names, and what the driver keeps of a chip.
// National Semiconductor DP8390D/NS32490D data sheet, July 1995, section 10.0; the RTL8019AS, RTL8029AS,
// DP83901, DP83902, DP83905 and W89C940 have the same.
// Not here: the board's reset port and PROM (ne2000.ts), the procedures (dp8390.ts).
//
// The chip's own memory on an NE2000, in pages of 256 bytes:
//
//    0x40          0x46          0x4c                                               0x80
//    | transmit 0  | transmit 1  | receive ring: 52 pages                           |
//                                PSTART                                             PSTOP

import { NIC_CHIP } from './card.ts';

// All pages.
export const CR: i32 = 0x00;
// Page 0.
export const PSTART: i32 = 0x01;
export const PSTOP: i32 = 0x02;
export const BNRY: i32 = 0x03;
export const TPSR: i32 = 0x04;
export const TBCR0: i32 = 0x05;
export const TBCR1: i32 = 0x06;
export const ISR: i32 = 0x07;
export const RSAR0: i32 = 0x08;
export const RSAR1: i32 = 0x09;
export const RBCR0: i32 = 0x0a;
export const RBCR1: i32 = 0x0b;
/** Written: receive configuration. (Read, it is RSR.) */
export const RCR: i32 = 0x0c;
/** Written: transmit configuration. Read: CNTR0, frames with alignment errors. */
export const TCR: i32 = 0x0d;
export const CNTR0: i32 = 0x0d;
/** Written: data configuration. Read: CNTR1, frames with a wrong checksum. */
export const DCR: i32 = 0x0e;
export const CNTR1: i32 = 0x0e;
/** Written: interrupt mask. Read: CNTR2, frames missed for want of room. */
export const IMR: i32 = 0x0f;
export const CNTR2: i32 = 0x0f;
// Page 1.
export const PAR0: i32 = 0x01;
export const CURR: i32 = 0x07;
export const MAR0: i32 = 0x08;
/** The board's port behind the chip's 16: words of the remote DMA. */
export const DATA: i32 = 0x10;

// Command register. RD2 means "no remote DMA" and must be set in each write that starts none.
export const CR_STOP: i32 = 0x21;
export const CR_STOP_PAGE1: i32 = 0x61;
export const CR_START: i32 = 0x22;
export const CR_START_PAGE1: i32 = 0x62;
export const CR_TRANSMIT: i32 = 0x26;
export const CR_REMOTE_READ: i32 = 0x0a;
export const CR_REMOTE_WRITE: i32 = 0x12;
export const CR_TXP: i32 = 0x04;

// Interrupt status and mask.
export const ISR_PRX: i32 = 0x01;
export const ISR_PTX: i32 = 0x02;
export const ISR_RXE: i32 = 0x04;
export const ISR_TXE: i32 = 0x08;
export const ISR_OVW: i32 = 0x10;
export const ISR_CNT: i32 = 0x20;
export const ISR_RDC: i32 = 0x40;
export const ISR_RST: i32 = 0x80;

/** Words (WTS), low byte first, no loopback (LS), FIFO threshold 8 bytes (FT1). */
export const DCR_WORDS: i32 = 0x49;
/** Our own address and broadcasts (AB); no multicast, no runts, no frames with errors. */
export const RCR_NORMAL: i32 = 0x04;
/** Frames for other stations are stored too. */
export const RCR_PRO: i32 = 0x10;
/** Check addresses, keep nothing (MON). */
export const RCR_MONITOR: i32 = 0x20;
export const TCR_NORMAL: i32 = 0x00;
/** Mode 1: the transmitter turned back inside the chip. */
export const TCR_LOOPBACK: i32 = 0x02;

// The header that the chip puts before each frame: status, next page, and the count of bytes with the frame's
// checksum, low byte first. The low half of the status says PRX and nothing else for a good frame.
export const HEADER_BYTES: i32 = 4;
export const CHECKSUM_BYTES: i32 = 4;
export const STATUS_ERRORS: i32 = 0x0f;
export const STATUS_PRX: i32 = 0x01;

export const TRANSMIT_PAGE_0: i32 = 0x40;
export const TRANSMIT_PAGE_1: i32 = 0x46;
export const RING_START: i32 = 0x4c;
export const RING_STOP: i32 = 0x80;
export const RING_PAGES: i32 = RING_STOP - RING_START;

// What is kept of a chip, in its card's block.
/** Page of the next frame to read. */
export const DP_NEXT: i32 = NIC_CHIP;
/** CURR when it was read last: frames lie from DP_NEXT up to here. */
export const DP_CURRENT: i32 = NIC_CHIP + 4;
/** First page of the buffer that is being sent, 0 if none, and the frame's length. */
export const DP_SENDING: i32 = NIC_CHIP + 8;
export const DP_SENDING_BYTES: i32 = NIC_CHIP + 12;
/** First page of the buffer that waits behind it, 0 if none, and the frame's length. */
export const DP_LOADED: i32 = NIC_CHIP + 16;
export const DP_LOADED_BYTES: i32 = NIC_CHIP + 20;
/** Tick at which sending began. */
export const DP_SENT_AT: i32 = NIC_CHIP + 24;
/** What IMR holds while the chip runs and does not recover. */
export const DP_MASK: i32 = NIC_CHIP + 28;
/** After an overrun: one more than the frames to remove before the chip goes on; else 0. */
export const DP_RECOVER: i32 = NIC_CHIP + 32;
/** The frame in DP_SENDING is to be sent when recovery ends ("Resend" in the data sheet). */
export const DP_RESEND: i32 = NIC_CHIP + 36;
/** A buffer became free in a reset: the next service says NIC_SENT. */
export const DP_FREED: i32 = NIC_CHIP + 40;
/** The board's reset port, or 0. */
export const DP_RESET_PORT: i32 = NIC_CHIP + 44;
/** While the chip is stopped after an overrun: changes of the refresh line that it must still stand; else 0. */
export const DP_STOPPED: i32 = NIC_CHIP + 48;
/** While it is started anew: readings of RST that are left. Below 0: that follows a recovery. Else 0. */
export const DP_RESTART: i32 = NIC_CHIP + 52;
/** The data port takes 32 bits at a time. */
export const DP_WIDE: i32 = NIC_CHIP + 56;
