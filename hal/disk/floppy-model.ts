// A PC's floppy controller (uPD765A) with a drive and the DMA channel that moves its data, for tests and for the sim
// board: registers as the data sheets describe them, the floppy as functions on sectors, time in ticks of 10 ms. What can
// go wrong is set from outside. What a driver must not do is noted (violations): a command while the head steps or before
// the motor turns as it should, data before the head stands still, a byte that was not asked for, a DMA that would wrap.
// Not here: the bus (bus-model.ts), the driver (floppy.ts).

import { FLOPPY_HEADS, FLOPPY_TRACK_SECTORS } from '../../src/base/layout.ts';
import type { Medium } from './ata-model.ts';
import { SECTOR_BYTES } from './disk.ts';
import * as fdc from './floppy-registers.ts';

/** Bytes of each command that the uPD765A knows, of those that a driver needs. */
const LENGTHS = new Map([
  [fdc.SPECIFY, 3],
  [fdc.RECALIBRATE, 2],
  [fdc.SENSE_INTERRUPT_STATUS, 1],
  [fdc.SEEK, 3],
  [fdc.READ_DATA, 9],
  [fdc.WRITE_DATA, 9],
]);
const SPIN_TICKS = 50;
const SETTLE_TICKS = 2;
/** Finding a sector and moving it: a turn and a half. */
const MOVE_TICKS = 30;
/** Steps of a RECALIBRATE, of which a drive with more tracks needs two. */
const RECALIBRATE_STEPS = 79;

/** What a command ends with: ST0 (its interrupt code), ST1, ST2. */
export type Status = readonly [number, number, number];

/** The drive, the floppy in it, and what is wrong with them. */
export class FloppyModel {
  /** Where the head is: the BIOS has left it anywhere. */
  cylinder = 79;
  isMotorOn = false;
  isProtected = false;
  /** There is a drive. */
  isThere = true;
  /** The floppy was taken out since the last step. */
  isChanged = false;
  /** The line that says so is always low, or always high. */
  changeLine: boolean | undefined;
  /** Sectors whose data cannot be read. */
  readonly bad = new Set<number>();
  /** Called before each READ DATA and WRITE DATA: how it fails, 'hang', or undefined to go on. */
  fault: (command: number, sector: number) => Status | 'hang' | undefined = () => undefined;
  /** A SEEK ends on this cylinder instead. */
  strayTo: number | undefined;
  /** Commands so far, with the sector or cylinder. */
  readonly commands: [number, number][] = [];
  motorStarts = 0;

  constructor(public medium: Medium | undefined) {}

  /** Takes the floppy out, and puts another in, or none. */
  change(medium: Medium | undefined): void {
    this.medium = medium;
    this.isChanged = true;
  }
}

/** The first 8237A of a PC, its channel 2. */
class DmaModel {
  private readonly base = { address: 0, count: 0, page: 0, mode: 0 };
  private isHigh = false;
  isMasked = true;

  readonly device = {
    read: () => 0xff,
    write: (offset: number, value: number) => this.write(offset, value),
  };
  readonly page = {
    read: () => this.base.page,
    write: (_offset: number, value: number) => {
      this.base.page = value;
    },
  };

  /** Bytes that it moves until TC, or 0 if it does not move any in this direction. */
  bytes(toMemory: boolean): number {
    const mode = toMemory ? fdc.DMA_TO_MEMORY : fdc.DMA_FROM_MEMORY;
    return this.isMasked || this.base.mode !== (mode | fdc.DMA_CHANNEL) ? 0 : this.base.count + 1;
  }

  /** The physical address of a byte. */
  at(index: number): number {
    return this.base.page * fdc.DMA_PAGE_BYTES + ((this.base.address + index) & 0xffff);
  }

  get wraps(): boolean {
    return this.base.address + this.base.count > 0xffff;
  }

  private write(offset: number, value: number): void {
    if (offset === fdc.DMA_CLEAR_FLIPFLOP) this.isHigh = false;
    else if (offset === fdc.DMA_MODE) this.base.mode = value;
    else if (offset === fdc.DMA_MASK && (value & 3) === fdc.DMA_CHANNEL)
      this.isMasked = (value & fdc.DMA_MASKED) !== 0;
    else if (offset === fdc.DMA_ADDRESS) this.base.address = this.half(this.base.address, value);
    else if (offset === fdc.DMA_COUNT) this.base.count = this.half(this.base.count, value);
  }

  private half(before: number, value: number): number {
    const high = this.isHigh;
    this.isHigh = !high;
    return high ? (before & 0xff) | (value << 8) : (before & 0xff00) | value;
  }
}

/** What the controller does until a tick, and then. */
interface Action {
  until: number;
  end: () => void;
}

export class FdcModel {
  readonly dma = new DmaModel();
  /** A hung controller takes no reset either. */
  isDead = false;
  private dor = fdc.DOR_NOT_RESET | fdc.DOR_DMA_GATE;
  private rate = fdc.CCR_500K;
  private command: number[] = [];
  private result: number[] = [];
  private action: Action | undefined;
  private stepping: Action | undefined;
  /** ST0 and cylinder of interrupts that nobody has asked for yet. */
  private interrupts: [number, number][] = [];
  private isSpecified = false;
  private motorFrom = 0;
  private steppedAt = -SETTLE_TICKS;

  /**
   * @param now ticks
   * @param ram where a byte of physical memory lies in `memory()`
   */
  constructor(
    readonly drive: FloppyModel,
    private readonly now: () => number,
    private readonly memory: () => Uint8Array,
    private readonly ram: (physical: number) => number = physical => physical,
    readonly violations: string[] = [],
  ) {}

  /** The ports from FLOPPY_PORT on as a device of the bus; DIR and CCR. */
  readonly device = {
    read: (offset: number) => this.read(fdc.FLOPPY_PORT + offset),
    write: (offset: number, value: number) => this.write(fdc.FLOPPY_PORT + offset, value),
  };
  readonly last = {
    read: () => (this.changed() ? fdc.DSKCHG : 0),
    write: (_offset: number, value: number) => {
      this.rate = value;
    },
  };

  private changed(): boolean {
    return this.drive.isMotorOn && (this.drive.changeLine ?? this.drive.isChanged);
  }

  private violate(what: string): void {
    this.violations.push(`${what} at ${this.now()}`);
  }

  /** Lets happen what is due. */
  private settle(): void {
    for (const key of ['action', 'stepping'] as const) {
      const action = this[key];
      if (action === undefined || this.now() < action.until) continue;
      this[key] = undefined;
      action.end();
    }
  }

  private read(port: number): number {
    this.settle();
    if (port === fdc.DOR) return this.dor;
    if (port === fdc.MSR) return this.status();
    if (port !== fdc.FIFO) return 0xff;
    const [byte] = this.result.splice(0, 1);
    if (byte === undefined) this.violate('a result was read that is none');
    return byte ?? 0xff;
  }

  private status(): number {
    if (this.isDead || (this.dor & fdc.DOR_NOT_RESET) === 0) return 0;
    if (this.action !== undefined) return fdc.CB;
    if (this.result.length > 0) return fdc.RQM | fdc.DIO | fdc.CB;
    return fdc.RQM | (this.command.length > 0 ? fdc.CB : 0);
  }

  private write(port: number, value: number): void {
    this.settle();
    if (port === fdc.DOR) this.setDor(value);
    if (port !== fdc.FIFO) return;
    if (this.status() !== fdc.RQM && this.status() !== (fdc.RQM | fdc.CB)) {
      this.violate('a byte was given that was not asked for');
      return;
    }
    this.command.push(value);
    const [code = 0] = this.command;
    const length = LENGTHS.get(code);
    if (length === undefined) {
      this.violate(`command 0x${code.toString(16)}`);
      this.result = [fdc.ST0_INVALID];
      this.command = [];
    } else if (this.command.length === length) this.run(code, this.command.splice(0));
  }

  private setDor(value: number): void {
    const before = this.dor;
    const { drive } = this;
    this.dor = value;
    const isOn = (value & fdc.DOR_MOTOR_A) !== 0;
    if (isOn && !drive.isMotorOn) {
      this.motorFrom = this.now();
      drive.motorStarts++;
    }
    if (!isOn && this.action !== undefined) this.violate('the motor was switched off during a command');
    drive.isMotorOn = isOn;
    if ((value & fdc.DOR_NOT_RESET) === 0) {
      this.command = [];
      this.result = [];
      this.action = undefined;
      this.stepping = undefined;
      this.interrupts = [];
      this.isSpecified = false;
    } else if ((before & fdc.DOR_NOT_RESET) === 0) {
      const end = () => {
        this.interrupts = [0, 1, 2, 3].map(unit => [fdc.ST0_POLLING | unit, 0]);
      };
      this.stepping = { until: this.now() + 1, end };
    }
  }

  private run(code: number, bytes: number[]): void {
    if (this.stepping !== undefined) this.violate(`command 0x${code.toString(16)} while the head steps`);
    const [, , cylinder = 0] = bytes;
    switch (code) {
      case fdc.SPECIFY:
        this.isSpecified = bytes[1] === fdc.SRT_HUT && bytes[2] === fdc.HLT_ND;
        break;
      case fdc.SENSE_INTERRUPT_STATUS:
        this.result = this.interrupts.shift() ?? [fdc.ST0_INVALID];
        break;
      case fdc.RECALIBRATE:
        this.step(code, 0);
        break;
      case fdc.SEEK:
        this.step(code, cylinder);
        break;
      default:
        this.transfer(code, bytes);
    }
  }

  private step(code: number, target: number): void {
    const { drive } = this;
    drive.commands.push([code, target]);
    if (!this.isSpecified) this.violate('a step without SPECIFY');
    const most = code === fdc.RECALIBRATE ? RECALIBRATE_STEPS : 255;
    const steps = Math.min(Math.abs(target - drive.cylinder), most);
    const end = () => {
      this.steppedAt = this.now();
      if (!drive.isThere) {
        this.interrupts = [[fdc.ST0_ABNORMAL | fdc.ST0_SEEK_END | fdc.ST0_EC, 0]];
        return;
      }
      const from = drive.cylinder;
      drive.cylinder = from + Math.sign(target - from) * steps;
      if (code === fdc.SEEK && drive.strayTo !== undefined) drive.cylinder = drive.strayTo;
      if (steps > 0 && drive.medium !== undefined) drive.isChanged = false;
      const isMissed = code === fdc.RECALIBRATE && drive.cylinder !== 0;
      const st0 = fdc.ST0_SEEK_END | (isMissed ? fdc.ST0_ABNORMAL | fdc.ST0_EC : 0);
      this.interrupts = [[st0, target]];
    };
    const ticks = Math.ceil((steps * fdc.STEP_MILLISECONDS) / 10);
    this.stepping = { until: this.now() + ticks, end };
  }

  private transfer(code: number, bytes: number[]): void {
    const [, , cylinder = 0, head = 0, first = 0, n, eot] = bytes;
    const { drive } = this;
    const sector = (cylinder * FLOPPY_HEADS + head) * FLOPPY_TRACK_SECTORS + first - 1;
    drive.commands.push([code, sector]);
    if (!drive.isMotorOn || this.now() - this.motorFrom < SPIN_TICKS)
      this.violate('the motor does not turn yet');
    if (this.now() - this.steppedAt < SETTLE_TICKS) this.violate('the head does not stand still yet');
    if (n !== fdc.N_512 || eot !== FLOPPY_TRACK_SECTORS || bytes[1] !== head << 2)
      this.violate('another format');
    const fault = drive.fault(code, sector);
    if (fault === 'hang' || drive.medium === undefined) {
      // Without a floppy there is no index pulse, and the controller waits for one.
      this.action = { until: Number.POSITIVE_INFINITY, end() {} };
      return;
    }
    const { medium } = drive;
    const end = () => {
      const status = fault ?? this.move(code, cylinder, sector, medium);
      this.result = [...status, cylinder, head, first, fdc.N_512];
    };
    this.action = { until: this.now() + MOVE_TICKS, end };
  }

  /** Moves the sectors; answers what the command ends with. */
  private move(code: number, cylinder: number, sector: number, medium: Medium): Status {
    const abnormal = (st1: number, st2 = 0): Status => [fdc.ST0_ABNORMAL, st1, st2];
    const { dma, drive } = this;
    const isRead = code === fdc.READ_DATA;
    if (!isRead && drive.isProtected) return abnormal(fdc.ST1_NW);
    if (this.rate !== fdc.CCR_500K) return abnormal(fdc.ST1_MA);
    if (drive.cylinder !== cylinder) return abnormal(fdc.ST1_ND, fdc.ST2_WC);
    const bytes = (this.dor & fdc.DOR_DMA_GATE) === 0 ? 0 : dma.bytes(isRead);
    if (bytes === 0) return abnormal(fdc.ST1_OR);
    if (dma.wraps) this.violate('the DMA wraps');
    const memory = this.memory();
    for (let done = 0; done < bytes; done += SECTOR_BYTES) {
      const place = sector + done / SECTOR_BYTES;
      if (done > 0 && place % FLOPPY_TRACK_SECTORS === 0) return abnormal(fdc.ST1_EN);
      const data = isRead ? medium.read(place) : new Uint8Array(SECTOR_BYTES);
      for (let i = 0; i < SECTOR_BYTES; i++) {
        const at = this.ram(dma.at(done + i));
        if (isRead) memory[at] = data[i] as number;
        else data[i] = memory[at] as number;
      }
      if (isRead && drive.bad.has(place)) return abnormal(fdc.ST1_DE);
      if (isRead) continue;
      medium.write(place, data);
      medium.flush?.();
    }
    return [0, 0, 0];
  }
}
