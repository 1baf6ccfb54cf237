// What drivers and service may ask of the two interrupt controllers: which lines have an interrupt waiting, and
// to hold one back. Intel 8259A data sheet, "Reading the 8259A status" and "Poll command" (OCW3), "Interrupt mask
// register" (OCW1), "End of interrupt" (OCW2).
// Not here: set-up, priorities and end of interrupt, which are the floor's (board/i486/).

import { in8, out8 } from './ports.ts';

const MASTER: i32 = 0x20;
const SLAVE: i32 = 0xa0;
/** OCW1 is read and written at the port behind a controller's first. */
const MASK: i32 = 1;
/** OCW3: the next read answers the interrupt request register. It is also what the chips start with. */
const READ_IRR: i32 = 0x0a;
/** OCW3: the next read takes the most urgent request as the processor would, and answers POLLED and its number. */
const POLL: i32 = 0x0c;
const POLLED: i32 = 0x80;
/** OCW2: the end of the interrupt whose number is added. */
const SPECIFIC_END: i32 = 0x60;

/** Lines with a request waiting, a bit each, masked ones too. Line 2 is the slave's and never set. */
export function pendingLines(): i32 {
  out8(MASTER, READ_IRR);
  out8(SLAVE, READ_IRR);
  return (in8(MASTER) & 0xfb) | (in8(SLAVE) << 8);
}

/**
 * Holds a line back. A PCI card's line is a level, and an interrupt that is only noted down for later would come
 * again at once and for ever; an edge that comes meanwhile is remembered.
 */
export function maskLine(line: i32): void {
  const port: i32 = portOf(line);
  out8(port, in8(port) | (1 << (line & 7)));
}

/** Lets a line through again. */
export function unmaskLine(line: i32): void {
  const port: i32 = portOf(line);
  out8(port, in8(port) & ~(1 << (line & 7)));
}

/**
 * Takes back the request of a masked line, which an edge has left there; the line may have fallen since. The slave's
 * request at the master may stay, and comes as an interrupt without a cause.
 */
export function forgetRequest(line: i32): void {
  const command: i32 = line < 8 ? MASTER : SLAVE;
  const before: i32 = in8(command + MASK);
  // Alone let through, so that no other request is taken.
  out8(command + MASK, 0xff & ~(1 << (line & 7)));
  out8(command, POLL);
  if ((in8(command) & POLLED) !== 0) out8(command, SPECIFIC_END | (line & 7));
  out8(command + MASK, before);
}

function portOf(line: i32): i32 {
  return (line < 8 ? MASTER : SLAVE) + MASK;
}
