// PCI configuration space by mechanism #1: finding devices, their base addresses and interrupt lines.
// PCI Local Bus Specification 2.1, sections 3.7.4.1 and 6.1. Addresses are the BIOS's; none are given out here.
// Not here: which devices are ours (board/pc.ts).

import { in32, out8, out16, out32 } from './ports.ts';

const CONFIG_ADDRESS: i32 = 0xcf8;
const CONFIG_DATA: i32 = 0xcfc;
const ENABLE: i32 = 1 << 31;

const REGISTER_ID: i32 = 0x00;
const REGISTER_COMMAND: i32 = 0x04;
const REGISTER_CLASS: i32 = 0x08;
const REGISTER_HEADER: i32 = 0x0c;
const REGISTER_BAR0: i32 = 0x10;
const REGISTER_INTERRUPT: i32 = 0x3c;
/** Command: answer in I/O space. */
const COMMAND_IO: i32 = 1;
const MULTIFUNCTION: i32 = 0x800000;

/** Buses behind bridges that boards of this class have; devices and functions of a bus. */
const BUS_COUNT: i32 = 4;
const DEVICE_COUNT: i32 = 32;
const FUNCTION_COUNT: i32 = 8;

/** Whether there is a PCI bus whose bridge speaks mechanism #1. */
export function pciPresent(): i32 {
  const before: i32 = in32(CONFIG_ADDRESS);
  out32(CONFIG_ADDRESS, ENABLE);
  const found: i32 = (in32(CONFIG_ADDRESS) | 0) === ENABLE ? 1 : 0;
  out32(CONFIG_ADDRESS, before);
  return found;
}

/** Reads a register (a multiple of 4) of the function at `place`: bus << 16 | device << 11 | function << 8. */
export function pciRead(place: i32, register: i32): i32 {
  out32(CONFIG_ADDRESS, ENABLE | place | register);
  return in32(CONFIG_DATA) | 0;
}

export function pciWrite(place: i32, register: i32, value: i32): void {
  out32(CONFIG_ADDRESS, ENABLE | place | register);
  out32(CONFIG_DATA, value);
}

/** The same for one byte, or two at a multiple of 2: some devices tell the widths apart. */
export function pciWrite8(place: i32, register: i32, value: i32): void {
  out32(CONFIG_ADDRESS, ENABLE | place | (register & ~3));
  out8(CONFIG_DATA + (register & 3), value);
}

export function pciWrite16(place: i32, register: i32, value: i32): void {
  out32(CONFIG_ADDRESS, ENABLE | place | (register & ~3));
  out16(CONFIG_DATA + (register & 3), value);
}

/** From the place of a function to that of the next, and one past the last. */
export const PCI_FUNCTION: i32 = 1 << 8;
export const PCI_END: i32 = (BUS_COUNT * DEVICE_COUNT * FUNCTION_COUNT) << 8;

/** The first function at or after `from` and before `end`, in the bus's order, that exists; or -1. */
export function pciNext(from: i32, end: i32): i32 {
  const last: i32 = end >> 8;
  let n: i32 = from >> 8;
  while (n < last) {
    const device: i32 = (n & ~7) << 8;
    // A device with one function may answer for all eight; only a multifunction device is asked for more.
    const isOne: i32 = (n & 7) !== 0 && (pciRead(device, REGISTER_HEADER) & MULTIFUNCTION) === 0 ? 1 : 0;
    const id: i32 = isOne !== 0 ? -1 : pciRead(n << 8, REGISTER_ID);
    if (id !== -1 && id !== 0) return n << 8;
    // No device is without its function 0 (section 3.2.2.3.4).
    n = isOne !== 0 || (n & 7) === 0 ? (n & ~7) + FUNCTION_COUNT : n + 1;
  }
  return -1;
}

/** Vendor in the low half, device in the high half. */
export function pciId(place: i32): i32 {
  return pciRead(place, REGISTER_ID);
}

/** 1 for an Ethernet controller: class 2, network, and subclass 0 (appendix D). */
export function pciIsEthernet(place: i32): i32 {
  return pciRead(place, REGISTER_CLASS) >>> 16 === 0x0200 ? 1 : 0;
}

/** First port of the base address `n`, or 0 if it is no I/O space. */
export function pciPort(place: i32, n: i32): i32 {
  const bar: i32 = pciRead(place, REGISTER_BAR0 + 4 * n);
  return (bar & 1) !== 0 ? bar & 0xfffc : 0;
}

/** Interrupt line that the BIOS chose, or -1. */
export function pciLine(place: i32): i32 {
  const line: i32 = pciRead(place, REGISTER_INTERRUPT) & 0xff;
  return line > 0 && line < 16 ? line : -1;
}

/** Lets the function answer at its ports. Status bits are written as 0, which changes none of them. */
export function pciEnable(place: i32): void {
  const command: i32 = pciRead(place, REGISTER_COMMAND) & 0xffff;
  pciWrite(place, REGISTER_COMMAND, command | COMMAND_IO);
}
