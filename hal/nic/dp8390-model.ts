// An NE2000 board for tests: DP8390, 16 KB of memory, PROM and reset port, with faults that can be switched on.
// Made from the data sheet's words, not from the driver's: it keeps its own numbers for registers and bits, and
// writes down in `violations` what the data sheet forbids or what would harm on a real bus.

import type { BusModel, Device } from '../bus-model.ts';

const ISR = { PRX: 1, PTX: 2, TXE: 8, OVW: 0x10, CNT: 0x20, RDC: 0x40, RST: 0x80 };
const MEMORY_FIRST = 0x4000;
const MEMORY_END = 0x8000;
/** Accesses that the driver must let pass between stop and start after an overrun: refresh changes of 15 us. */
const STOP_ACCESSES = 107;

export interface Dp8390Options {
  line?: number;
  /** Accesses to the bus that a transmit lasts; 0: it ends at once, as in QEMU. */
  transmitTime?: number;
  /** Whether the remote DMA goes on at PSTART where it comes to PSTOP. */
  remoteWraps?: boolean;
  /** Whether the header counts another page where the checksum alone would need it. */
  extraPage?: boolean;
  /** Whether stop cuts a transmit off, without PTX or TXE. */
  stopAborts?: boolean;
  /** End of the board's memory, 0x8000 by default. */
  memoryEnd?: number;
  /**
   * Loopback and monitor mode do not keep frames out, and the station address is the PROM's at once, as in QEMU's chip:
   * only stop and a full ring keep them out.
   */
  hearsInLoopback?: boolean;
  /** Accesses to the bus that a frame takes to arrive; stop lets it end, and RST waits for that. 0: none. */
  receiveTime?: number;
  /** The data port takes 32 bits at a time too; else the upper half of such an access goes nowhere. */
  wide?: boolean;
  /** The reset port does nothing, as in clones that know the command register's stop alone. */
  deafResetPort?: boolean;
}

interface Arrival {
  frame: Uint8Array;
  /** Page at which the chip's own counter began to store it. */
  page: number;
  left: number;
}

export class Dp8390Model implements Device {
  readonly sent: Uint8Array[] = [];
  readonly violations: string[] = [];
  readonly memory = new Uint8Array(0x10000).fill(0xff);
  /** Frames stored in the ring, and lost because it was full or closed. */
  stored = 0;
  missed = 0;
  resets = 0;
  // Faults.
  absent = false;
  /** The remote DMA moves nothing and never ends, until a reset (or for ever). */
  remoteStuck: 'no' | 'until reset' | 'for ever' = 'no';
  /** The remote DMA is stuck until reset after so many more of them; -1: never. */
  remoteSticksAfter = -1;
  /** Transmits never end. */
  transmitStuck = false;
  /** Transmits end with TXE. */
  transmitFails = false;
  /** Called after each access to the bus: a place from which to send frames. */
  onAccess: (() => void) | undefined;

  private arrival: Arrival | null = null;
  private cr = 0x21;
  private isr = 0x80;
  private imr = 0;
  private tcr = 0;
  private rcr = 0;
  private dcr = 0;
  private pstart = 0;
  private pstop = 0;
  private bnry = 0;
  private curr = 0;
  private tpsr = 0;
  private tbcr = 0;
  private rsar = 0;
  private rbcr = 0;
  private readonly tally = [0, 0, 0];
  private readonly par = new Uint8Array(6);
  private readonly mar = new Uint8Array(8);
  private remote: { write: boolean; address: number; left: number } | null = null;
  private transmitLeft = -1;
  /** Where an overrun's recovery stands; the steps of the data sheet, section 7.0. */
  private overrun: 'no' | 'seen' | 'stopped' | 'looped' | 'started' | 'removed' = 'no';
  private stoppedAt = 0;

  constructor(
    private readonly bus: BusModel,
    port: number,
    readonly mac: Uint8Array,
    readonly options: Dp8390Options = {},
  ) {
    bus.place(port, 32, this);
  }

  // --- the wire's side ---------------------------------------------------------------------------------

  /** A frame without its checksum arrives. Answers whether the chip takes it. */
  receive(frame: Uint8Array): boolean {
    const isKeptOut = (this.tcr & 6) !== 0 && this.options.hearsInLoopback !== true;
    if (this.stopped || isKeptOut || this.arrival !== null || !this.accepts(frame)) return false;
    if (this.curr < this.pstart || this.curr >= this.pstop) {
      this.violate(`a frame is stored at page ${this.curr}, outside of the ring`);
      return false;
    }
    if (this.options.receiveTime !== undefined) {
      this.arrival = { frame, page: this.curr, left: this.options.receiveTime };
      return true;
    }
    return this.store(frame);
  }

  /** Puts a frame into the ring. Answers whether there was room. */
  private store(frame: Uint8Array): boolean {
    const pages = Math.ceil((frame.length + (this.options.extraPage === false ? 5 : 8)) / 256);
    if (this.overrun !== 'no' || this.hits(pages)) {
      if (this.overrun === 'no') this.overrun = 'seen';
      this.isr |= ISR.OVW;
      this.missed++;
      this.addTally(2);
      this.drive();
      return false;
    }
    const count = frame.length + 4;
    let next = this.curr + pages;
    if (next >= this.pstop) next -= this.pstop - this.pstart;
    const image = new Uint8Array(4 + frame.length + 4).fill(0xc5);
    image.set([1 | (((frame[0] as number) & 1) << 5), next, count & 0xff, count >> 8]);
    image.set(frame, 4);
    let at = this.curr << 8;
    for (const byte of image) {
      this.memory[at++] = byte;
      if (at === this.pstop << 8) at = this.pstart << 8;
    }
    this.curr = next;
    this.stored++;
    this.isr |= ISR.PRX;
    this.drive();
    return true;
  }

  /** Damages byte `offset` of the header that the next frame would get or the last one got. */
  damage(page: number, offset: number, value: number): void {
    this.memory[(page << 8) + offset] = value;
  }

  /** Whether frames are looked at: a chip that is stopped or turned back on itself knows nothing of them. */
  get hears(): boolean {
    return !this.stopped && (this.tcr & 6) === 0;
  }

  /** The page where the next frame will be stored. */
  get current(): number {
    return this.curr;
  }

  /** Adds to a tally: 0 alignment, 1 checksum, 2 missed. */
  addTally(n: number): void {
    this.tally[n] = Math.min(this.tally[n]! + 1, 192);
    if (this.tally[n]! >= 128) this.isr |= ISR.CNT;
    this.drive();
  }

  private get stopped(): boolean {
    return (this.cr & 1) !== 0;
  }

  private accepts(frame: Uint8Array): boolean {
    if ((this.rcr & 0x20) !== 0 && this.options.hearsInLoopback !== true) return false;
    if (frame.subarray(0, 6).every(byte => byte === 0xff)) return (this.rcr & 4) !== 0;
    if (((frame[0] as number) & 1) !== 0) return (this.rcr & 8) !== 0;
    const own = this.options.hearsInLoopback === true ? this.mac : this.par;
    return (this.rcr & 0x10) !== 0 || own.every((byte, i) => byte === frame[i]);
  }

  /** Whether storing `pages` from CURR on would run into BNRY. */
  private hits(pages: number): boolean {
    let page = this.curr;
    for (let i = 0; i < pages; i++) {
      if (page === this.bnry) return true;
      page = page + 1 === this.pstop ? this.pstart : page + 1;
    }
    return false;
  }

  // --- the bus's side --------------------------------------------------------------------------------------

  read(offset: number, width: number): number {
    if (this.absent) return 2 ** (8 * width) - 1;
    if (offset >= 0x18) return 0;
    if (offset >= 0x10) return this.readData(width);
    if (offset === 0) return this.cr;
    const page = this.cr >> 6;
    if (page === 0) return this.readPage0(offset);
    if (page === 1)
      return offset < 7 ? this.par[offset - 1]! : offset === 7 ? this.curr : this.mar[offset - 8]!;
    this.violate(`register ${offset} read in page ${page}`);
    return 0xff;
  }

  write(offset: number, value: number, width: number): void {
    if (this.absent) return;
    if (offset >= 0x18) {
      if (this.options.deafResetPort !== true) this.reset();
      return;
    }
    if (offset >= 0x10) {
      this.writeData(value, width);
      return;
    }
    if (offset === 0) this.command(value);
    else if (this.cr >> 6 === 0) this.writePage0(offset, value);
    else if (this.cr >> 6 === 1) this.writePage1(offset, value);
    else this.violate(`register ${offset} written in page ${this.cr >> 6}`);
    this.drive();
  }

  tick(): void {
    if (this.arrival !== null && --this.arrival.left <= 0) this.endArrival(this.arrival);
    this.onAccess?.();
    if (this.transmitLeft > 0 && !this.transmitStuck && --this.transmitLeft === 0) this.endTransmit();
  }

  private readPage0(offset: number): number {
    if (offset === 3) return this.bnry;
    if (offset === 4) return 1;
    if (offset === 7) return this.isr;
    if (offset >= 13) {
      const value = this.tally[offset - 13]!;
      this.tally[offset - 13] = 0;
      return value;
    }
    return 0;
  }

  private writePage0(offset: number, value: number): void {
    if ([1, 2, 12, 14].includes(offset) && !this.stopped)
      this.violate(`register ${offset} set while running`);
    if (offset === 1) this.pstart = value;
    if (offset === 2) this.pstop = value;
    if (offset === 3) this.setBoundary(value);
    if (offset === 4) this.tpsr = value;
    if (offset === 5) this.tbcr = (this.tbcr & 0xff00) | value;
    if (offset === 6) this.tbcr = (this.tbcr & 0xff) | (value << 8);
    if (offset === 7) this.acknowledge(value);
    if (offset === 8) this.rsar = (this.rsar & 0xff00) | value;
    if (offset === 9) this.rsar = (this.rsar & 0xff) | (value << 8);
    if (offset === 10) this.rbcr = (this.rbcr & 0xff00) | value;
    if (offset === 11) this.rbcr = (this.rbcr & 0xff) | (value << 8);
    if (offset === 12) this.rcr = value;
    if (offset === 13) this.setTransmitMode(value);
    if (offset === 14) this.dcr = value;
    if (offset === 15) this.imr = value;
  }

  private writePage1(offset: number, value: number): void {
    if (!this.stopped) this.violate(`register ${offset} of page 1 set while running`);
    if (offset < 7) this.par[offset - 1] = value;
    else if (offset === 7) this.curr = value;
    else this.mar[offset - 8] = value;
  }

  private command(value: number): void {
    const wasStopped = this.stopped;
    const rd = (value >> 3) & 7;
    if (rd === 0) this.violate('command with RD = 0');
    this.cr = (value & 0xfb) | (this.cr & 4);
    if ((value & 1) !== 0) {
      if (!wasStopped) this.stop();
      return;
    }
    if ((value & 2) !== 0) this.start(wasStopped);
    if ((rd & 4) !== 0) this.remote = null;
    else if (rd !== 0) this.startRemote(rd === 2);
    if ((value & 4) !== 0) this.startTransmit();
  }

  private stop(): void {
    this.stoppedAt = this.bus.time;
    if (this.overrun === 'seen') this.overrun = 'stopped';
    if (this.transmitLeft > 0 && this.options.stopAborts === true) {
      this.transmitLeft = -1;
      this.cr &= ~4;
    }
    if (this.arrival === null) this.isr |= ISR.RST;
  }

  /** The chip's own counter, and not CURR as it may have been set meanwhile, says where the frame lies. */
  private endArrival({ frame, page }: Arrival): void {
    this.arrival = null;
    this.curr = page;
    this.store(frame);
    if (this.stopped) this.isr |= ISR.RST;
  }

  private start(wasStopped: boolean): void {
    if (!wasStopped) return;
    this.isr &= ~ISR.RST;
    if (this.overrun === 'looped') {
      if (this.rbcr !== 0) this.violate('overrun: RBCR not cleared');
      if (this.bus.time - this.stoppedAt < STOP_ACCESSES) this.violate('overrun: no pause after stop');
      this.overrun = 'started';
    } else if (this.overrun !== 'no') this.violate(`overrun: start after ${this.overrun}`);
  }

  private setTransmitMode(value: number): void {
    if (this.overrun === 'stopped' && (value & 6) === 2) this.overrun = 'looped';
    if (this.overrun === 'removed' && (value & 6) === 0) {
      if ((this.isr & ISR.OVW) !== 0) this.violate('overrun: loopback left before OVW was reset');
      this.overrun = 'no';
    }
    this.tcr = value;
  }

  private setBoundary(value: number): void {
    if (value < this.pstart || value >= this.pstop) this.violate(`BNRY set to ${value}`);
    if (this.overrun === 'started') this.overrun = 'removed';
    else if (this.overrun === 'seen' && value !== this.bnry && !this.stopped && (this.isr & ISR.OVW) === 0) {
      this.violate('overrun: ring emptied without recovery');
    }
    this.bnry = value;
  }

  private acknowledge(value: number): void {
    if ((value & ISR.OVW) !== 0 && !['no', 'removed'].includes(this.overrun) && !this.stopped) {
      this.violate(`overrun: OVW reset after ${this.overrun}`);
    }
    this.isr &= ~(value & 0x7f);
  }

  private reset(): void {
    this.resets++;
    this.cr = 0x21;
    this.isr = ISR.RST;
    this.imr = 0;
    this.remote = null;
    this.transmitLeft = -1;
    this.arrival = null;
    this.overrun = 'no';
    if (this.remoteStuck === 'until reset') this.remoteStuck = 'no';
    this.drive();
  }

  // --- transmit ------------------------------------------------------------------------------------------------

  private startTransmit(): void {
    if (this.stopped) {
      this.violate('transmit while stopped');
      return;
    }
    if ((this.tcr & 6) !== 0) this.violate('transmit in loopback');
    if (this.transmitLeft >= 0) {
      this.violate('transmit while transmitting');
      return;
    }
    if (this.tbcr < 60 || this.tbcr > 1514) this.violate(`transmit of ${this.tbcr} bytes`);
    if ((this.isr & (ISR.PTX | ISR.TXE)) !== 0) this.violate('transmit before the last one was acknowledged');
    this.cr |= 4;
    this.transmitLeft = this.options.transmitTime ?? 0;
    if (this.transmitLeft === 0 && !this.transmitStuck) this.endTransmit();
  }

  private endTransmit(): void {
    this.transmitLeft = -1;
    this.cr &= ~4;
    if (this.transmitFails) this.isr |= ISR.TXE;
    else {
      const from = this.tpsr << 8;
      this.sent.push(this.memory.slice(from, from + this.tbcr));
      this.isr |= ISR.PTX;
    }
    this.drive();
  }

  // --- remote DMA ------------------------------------------------------------------------------------------------

  private startRemote(write: boolean): void {
    if (this.stopped) {
      this.violate('remote DMA while stopped');
      return;
    }
    if (this.dcr !== 0x49) this.violate(`remote DMA with DCR ${this.dcr}`);
    if ((this.rbcr & 1) !== 0) this.violate('odd count of a remote DMA of words');
    if (this.remote !== null && this.remoteStuck === 'no') this.violate('remote DMA cut off');
    if (this.remoteSticksAfter === 0) this.remoteStuck = 'until reset';
    if (this.remoteSticksAfter >= 0) this.remoteSticksAfter--;
    this.remote = { write, address: this.rsar, left: this.rbcr };
    if (this.rbcr === 0 && this.remoteStuck === 'no') this.endRemote();
  }

  private endRemote(): void {
    this.remote = null;
    this.rbcr = 0;
    this.isr |= ISR.RDC;
    this.drive();
  }

  private readData(width: number): number {
    if (width === 4)
      return (this.readData(2) | ((this.options.wide === true ? this.readData(2) : 0xffff) << 16)) >>> 0;
    if (this.remoteStuck !== 'no') return 0xffff;
    const remote = this.remote;
    if (width !== 2 || remote === null || remote.write) {
      this.violate('data port read without a remote read');
      return 0xffff;
    }
    const at = remote.address;
    const word = at < 32 ? 0xee00 | this.prom(at >> 1) : this.memory[at]! | (this.memory[at + 1]! << 8);
    this.step();
    return word;
  }

  private writeData(value: number, width: number): void {
    if (width === 4) {
      this.writeData(value & 0xffff, 2);
      if (this.options.wide === true) this.writeData(value >>> 16, 2);
      return;
    }
    if (this.remoteStuck !== 'no') return;
    const remote = this.remote;
    if (width !== 2 || remote === null || !remote.write) {
      this.violate('data port written without a remote write');
      return;
    }
    if (remote.address >= MEMORY_FIRST && remote.address < (this.options.memoryEnd ?? MEMORY_END)) {
      this.memory[remote.address] = value & 0xff;
      this.memory[remote.address + 1] = value >> 8;
    }
    this.step();
  }

  private step(): void {
    const remote = this.remote!;
    remote.address = (remote.address + 2) & 0xffff;
    if (this.options.remoteWraps === true && remote.address === this.pstop << 8)
      remote.address = this.pstart << 8;
    remote.left -= 2;
    if (remote.left <= 0) this.endRemote();
  }

  private prom(i: number): number {
    return i < 6 ? this.mac[i]! : i >= 14 ? 0x57 : 0;
  }

  private drive(): void {
    this.bus.pic.drive(this.options.line ?? 9, (this.isr & this.imr & 0x7f) !== 0);
  }

  private violate(what: string): void {
    this.violations.push(what);
  }
}
