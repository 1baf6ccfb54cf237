// Port I/O, JavaScript's body: the only way from a driver to a chip. AssemblyScript's body is ports.as.ts,
// where each function is an instruction of the 486.
//
// The string forms move 16-bit words between one port and the plane's memory, in the machine's byte order.

/** What stands behind the ports: the machine (through the floor's host calls) or a model of a chip. */
export interface Ports {
  in8(port: number): number;
  in16(port: number): number;
  in32(port: number): number;
  out8(port: number, value: number): void;
  out16(port: number, value: number): void;
  out32(port: number, value: number): void;
  /** Reads `count` 16-bit words from `port` into plane memory at `p`. */
  ins16(port: number, p: number, count: number): void;
  /** Writes `count` 16-bit words from plane memory at `p` to `port`. */
  outs16(port: number, p: number, count: number): void;
  ins32(port: number, p: number, count: number): void;
  outs32(port: number, p: number, count: number): void;
}

let ports: Ports;

/** Says what stands behind the ports. Once, before any driver runs. */
export function attachPorts(behind: Ports): void {
  ports = behind;
}

export function in8(port: i32): i32 {
  return ports.in8(port);
}

export function in16(port: i32): i32 {
  return ports.in16(port);
}

export function in32(port: i32): i32 {
  return ports.in32(port);
}

export function out8(port: i32, value: i32): void {
  ports.out8(port, value);
}

export function out16(port: i32, value: i32): void {
  ports.out16(port, value);
}

export function out32(port: i32, value: i32): void {
  ports.out32(port, value);
}

/** Writes a byte and the two of `half`, the low one first, to three ports one after the other, each by itself. */
export function out8x3(port: i32, byte: i32, half: i32): void {
  ports.out8(port, byte);
  ports.out8(port + 1, half & 0xff);
  ports.out8(port + 2, (half >>> 8) & 0xff);
}

/** The same with two halves of two bytes to four ports. */
export function out8x4(port: i32, first: i32, second: i32): void {
  ports.out8(port, first & 0xff);
  ports.out8(port + 1, (first >>> 8) & 0xff);
  ports.out8(port + 2, second & 0xff);
  ports.out8(port + 3, (second >>> 8) & 0xff);
}

export function ins16(port: i32, p: i32, count: i32): void {
  ports.ins16(port, p, count);
}

export function outs16(port: i32, p: i32, count: i32): void {
  ports.outs16(port, p, count);
}

/** The same with words of 32 bits. */
export function ins32(port: i32, p: i32, count: i32): void {
  ports.ins32(port, p, count);
}

export function outs32(port: i32, p: i32, count: i32): void {
  ports.outs32(port, p, count);
}
