// The watchdog in Intel's 6300ESB I/O controller hub, and QEMU's. Data sheet 300641, chapter 16.
//
// It counts two stages, the second of which pulls the reset line. Registers in memory take a write only after 80h
// and 86h have been written to the reload register.
//
//    configuration space   60h config: bits 0..1 interrupt (11: none), bit 2 fast clock, bit 5 no reset
//                          68h lock: bit 0 locked, bit 1 enabled
//    memory                00h, 04h preload of a stage, in 983 us     0ch reload: bit 8 starts again

import { store16, store32 } from '../device-memory.ts';
import {
  PCI_END,
  PCI_FUNCTION,
  pciId,
  pciNext,
  pciPresent,
  pciRead,
  pciWrite,
  pciWrite8,
  pciWrite16,
} from '../pci.ts';

/** Device in the upper half, vendor in the lower. */
const ID: i32 = 0x25ab8086;
/** A look takes the functions of so many places: at worst 3 accesses of the bus for each. */
const PIECE: i32 = 64 * PCI_FUNCTION;
export const I6300ESB_PIECES: i32 = PCI_END / PIECE;

const COMMAND: i32 = 0x04;
const COMMAND_MEMORY: i32 = 2;
const BAR0: i32 = 0x10;
const CONFIG: i32 = 0x60;
const CONFIG_NO_INTERRUPT: i32 = 3;
const LOCK: i32 = 0x68;
const LOCK_ENABLE: i32 = 2;

const PRELOAD1: i32 = 0x00;
const PRELOAD2: i32 = 0x04;
const RELOAD: i32 = 0x0c;
const RELOAD_NOW: i32 = 0x100;
/** 10 s a stage. */
const STAGE: i32 = 10240;

/** Where it is in the piece `piece` of the PCI bus's places, of I6300ESB_PIECES; or -1. */
export function i6300esbFind(piece: i32): i32 {
  if (pciPresent() === 0) return -1;
  const end: i32 = (piece + 1) * PIECE;
  let place: i32 = pciNext(piece * PIECE, end);
  while (place >= 0 && pciId(place) !== ID) place = pciNext(place + PCI_FUNCTION, end);
  return place;
}

/** Starts it. Answers the physical address of its registers, which feeding takes; 0 if the BIOS gave it none. */
export function i6300esbStart(place: i32): i32 {
  const base: i32 = pciRead(place, BAR0) & ~15;
  if (base === 0) return 0;
  pciWrite(place, COMMAND, (pciRead(place, COMMAND) & 0xffff) | COMMAND_MEMORY);
  pciWrite16(place, CONFIG, CONFIG_NO_INTERRUPT);
  unlock(base);
  store32(base + PRELOAD1, STAGE);
  unlock(base);
  store32(base + PRELOAD2, STAGE);
  i6300esbFeed(base);
  pciWrite8(place, LOCK, LOCK_ENABLE);
  return base;
}

export function i6300esbFeed(base: i32): void {
  unlock(base);
  store16(base + RELOAD, RELOAD_NOW);
}

export function i6300esbStop(place: i32): void {
  pciWrite8(place, LOCK, 0);
}

function unlock(base: i32): void {
  store16(base + RELOAD, 0x80);
  store16(base + RELOAD, 0x86);
}
