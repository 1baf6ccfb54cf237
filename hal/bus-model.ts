// The machine's ports for tests: devices at port ranges, all ones where there is none, and time that goes on by
// one at each access. Models of what every PC has: interrupt controllers, refresh line, PCI configuration.
// Not here: the models of cards and serial chips, beside their drivers.

import { get8, put8 } from '../src/base/memory.ts';
import type { Ports } from './ports.ts';

/** What stands at a range of ports. Offsets count from the range's start, widths are 1, 2 or 4 bytes. */
export interface Device {
  read(offset: number, width: number): number;
  write(offset: number, value: number, width: number): void;
  /** Called after each access to the bus, whoever it was for. */
  tick?(): void;
}

export class BusModel implements Ports {
  /** Accesses so far; a string form counts once. */
  time = 0;
  readonly pic = new PicModel();
  private readonly ranges: { from: number; count: number; device: Device }[] = [];

  constructor() {
    this.place(0x20, 2, this.pic.controller(0));
    this.place(0xa0, 2, this.pic.controller(8));
    this.place(0x61, 1, new RefreshModel());
  }

  place(from: number, count: number, device: Device): void {
    this.ranges.push({ from, count, device });
  }

  in8(port: number): number {
    return this.read(port, 1);
  }

  in16(port: number): number {
    return this.read(port, 2);
  }

  in32(port: number): number {
    return this.read(port, 4) | 0;
  }

  out8(port: number, value: number): void {
    this.write(port, value & 0xff, 1);
  }

  out16(port: number, value: number): void {
    this.write(port, value & 0xffff, 2);
  }

  out32(port: number, value: number): void {
    this.write(port, value, 4);
  }

  ins16(port: number, p: number, count: number): void {
    const at = this.find(port);
    for (let i = 0; i < count; i++) {
      const word = at === undefined ? 0xffff : at.device.read(port - at.from, 2);
      put8(p + 2 * i, word & 0xff);
      put8(p + 2 * i + 1, word >> 8);
    }
    this.tick();
  }

  outs16(port: number, p: number, count: number): void {
    const at = this.find(port);
    for (let i = 0; i < count; i++) {
      at?.device.write(port - at.from, get8(p + 2 * i) | (get8(p + 2 * i + 1) << 8), 2);
    }
    this.tick();
  }

  ins32(port: number, p: number, count: number): void {
    const at = this.find(port);
    for (let i = 0; i < count; i++) {
      const word = at === undefined ? -1 : at.device.read(port - at.from, 4);
      for (let byte = 0; byte < 4; byte++) put8(p + 4 * i + byte, (word >>> (8 * byte)) & 0xff);
    }
    this.tick();
  }

  outs32(port: number, p: number, count: number): void {
    const at = this.find(port);
    for (let i = 0; i < count; i++) {
      let word = 0;
      for (let byte = 0; byte < 4; byte++) word |= get8(p + 4 * i + byte) << (8 * byte);
      at?.device.write(port - at.from, word >>> 0, 4);
    }
    this.tick();
  }

  private read(port: number, width: number): number {
    const at = this.find(port);
    const value = at === undefined ? 2 ** (8 * width) - 1 : at.device.read(port - at.from, width);
    this.tick();
    return value;
  }

  private write(port: number, value: number, width: number): void {
    const at = this.find(port);
    at?.device.write(port - at.from, value, width);
    this.tick();
  }

  private find(port: number) {
    return this.ranges.find(range => port >= range.from && port < range.from + range.count);
  }

  private tick(): void {
    this.time++;
    for (const { device } of this.ranges) device.tick?.();
  }
}

/** The ports of whatever bus stands there at an access: each test begins with one of its own. */
export function portsOf(bus: () => BusModel): Ports {
  return {
    in8: port => bus().in8(port),
    in16: port => bus().in16(port),
    in32: port => bus().in32(port),
    out8: (port, value) => bus().out8(port, value),
    out16: (port, value) => bus().out16(port, value),
    out32: (port, value) => bus().out32(port, value),
    ins16: (port, p, count) => bus().ins16(port, p, count),
    outs16: (port, p, count) => bus().outs16(port, p, count),
    ins32: (port, p, count) => bus().ins32(port, p, count),
    outs32: (port, p, count) => bus().outs32(port, p, count),
  };
}

/** Two 8259A as a PC has them: edge-triggered, a request is remembered until it is taken. */
export class PicModel {
  private levels = 0;
  private requests = 0;

  /** A card drives its line high (true) or low. */
  drive(line: number, high: boolean): void {
    const bit = 1 << line;
    if (high && (this.levels & bit) === 0) this.requests |= bit;
    this.levels = high ? this.levels | bit : this.levels & ~bit;
  }

  /** The processor takes the request of a line: whether there was one. */
  take(line: number): boolean {
    const had = (this.requests & (1 << line)) !== 0;
    this.requests &= ~(1 << line);
    return had;
  }

  /** Requests that were taken by the poll command and not ended, a bit a line. */
  inService = 0;
  private masks = 0xffff;
  private readonly polls = new Set<number>();

  /** The two ports of a controller whose first line is `first`: commands, of which the poll is one, and the mask. */
  controller(first: number): Device {
    return {
      read: offset => {
        if (offset === 1) return (this.masks >> first) & 0xff;
        return this.polls.delete(first) ? this.poll(first) : (this.requests >> first) & 0xff;
      },
      write: (offset, value) => {
        if (offset === 1) this.masks = (this.masks & ~(0xff << first)) | (value << first);
        else if ((value & 0x1c) === 0x0c) this.polls.add(first);
        else if ((value & 0xf8) === 0x60) this.inService &= ~(1 << (first + (value & 7)));
      },
    };
  }

  /** What the processor would be given: the controller's lowest request that is not masked. */
  private poll(first: number): number {
    const open = this.requests & ~this.masks & (0xff << first);
    if (open === 0) return 0;
    const line = 31 - Math.clz32(open & -open);
    this.requests &= ~(1 << line);
    this.inService |= 1 << line;
    return 0x80 | (line & 7);
  }
}

/** Port 0x61: bit 4 changes at every third read. */
class RefreshModel implements Device {
  private reads = 0;

  read(): number {
    return (Math.floor(this.reads++ / 3) & 1) << 4;
  }

  write(): void {}
}

/** Configuration mechanism #1, at 0xcf8 for eight ports: functions by place, registers by number / 4. */
export class PciModel implements Device {
  readonly functions = new Map<number, Int32Array>();
  private address = 0;

  read(offset: number, width: number): number {
    if (width !== 4) return 2 ** (8 * width) - 1;
    if (offset === 0) return this.address >>> 0;
    return (this.selected()?.[(this.address & 0xff) >> 2] ?? -1) >>> 0;
  }

  write(offset: number, value: number, width: number): void {
    if (width !== 4) return;
    const registers = this.selected();
    if (offset === 0) this.address = value | 0;
    else if (registers) registers[(this.address & 0xff) >> 2] = value;
  }

  private selected(): Int32Array | undefined {
    return this.address < 0 ? this.functions.get(this.address & 0xffff00) : undefined;
  }
}
