// A disk (disk.ts) on a floppy: drive A of a PC with a 1.44 MB floppy, which must be the one that was booted. Where
// sectors are, the motor, the head, and what is done about failures. Controller and DMA: fdc.ts.
//
//    use            motor on, SPIN_TICKS; it stops MOTOR_TICKS after the last use
//    error          the head goes to track 0 and back, then the command again, RETRIES times
//    no answer      reset before the next command; no second try, as the first took TRANSFER_TICKS
//    user is gone   the same
//    floppy taken   the drive says so (DSKCHG) until the head has stepped with a floppy in: then its boot sector is read, as
//                   at each start of the motor. Where that line is broken it is read before each command.
//
// A command moves as many sectors as lie side by side on a track and in RAM; sectors elsewhere than in the plane's memory
// pass through the buffer. Nothing here is done in an interrupt, and a tick is looked at once.
// Not here: other formats and drive B, which a board is not booted from.

import {
  BOOT_SECTOR_AT_MEDIUM,
  FLOPPY_HEADS,
  FLOPPY_TRACK_SECTORS,
  IMAGE_SECTORS,
} from '../../src/base/layout.ts';
import * as ports from '../ports.ts';
import { type Disk, type DiskJob, SECTOR_BYTES } from './disk.ts';
import {
  give,
  NO_ANSWER,
  NO_CONTROLLER,
  resetController,
  results,
  senseInterrupt,
  startDma,
  stopDma,
} from './fdc.ts';
import * as fdc from './floppy-registers.ts';
import { createTurns, type Turns } from './turns.ts';

/** What the driver needs of the machine. */
export interface FloppyPlace {
  /** The plane's memory. */
  readonly memory: Uint8Array;
  /** Where in it a sector is free for data that is meant for elsewhere; a multiple of SECTOR_BYTES. */
  readonly buffer: number;
  /** The physical address of a byte of it, below 16 MiB. Pages lie anywhere. */
  physical(at: number): number;
  /** Ticks, 10 ms each. */
  now(): number;
  /** Runs a function after so many ticks. */
  after(ticks: number, run: () => void): void;
  /** The motor has stopped: nothing is kept of the driver that a new one would not find out. */
  stopped?(): void;
}

/** Texts of failures that trying again does not mend. */
export const WRITE_PROTECTED = 'the floppy is write-protected';
export const NO_FLOPPY = 'there is no floppy in the drive';
export const NOT_BOOTED = 'the floppy in the drive is not the one that was booted';
const LASTING: readonly string[] = [NO_ANSWER, NO_CONTROLLER, WRITE_PROTECTED, NO_FLOPPY, NOT_BOOTED];

const RETRIES = 3;
/** The motor turns as it should after 500 ms; the first tick may be short, here and below. */
export const SPIN_TICKS = 51;
export const MOTOR_TICKS = 200;
/** The head stands still 15 ms after a step. */
const SETTLE_TICKS = 3;
/** Track 0 is 80 steps away at most; a controller that has not come to an end then may take as long again. */
const CYLINDERS = 80;
const LATE_TICKS = 50;
/** Finding a sector takes two turns of 200 ms at most, moving it one. */
export const TRANSFER_TICKS = 100;
/** What waits longer for its turn is told so: an area that is erased, with a retry each command. */
const TURN_TICKS = 3000;

/** Ticks in which the head makes so many steps. */
const stepTicks = (steps: number): number => Math.ceil((steps * fdc.STEP_MILLISECONDS) / 10) + 1;

/** Why a transfer failed, of its result; undefined if it did not. */
function causeOf([st0 = 0, st1 = 0, st2 = 0]: readonly number[]): string | undefined {
  if ((st0 & fdc.ST0_IC) === 0) return undefined;
  if ((st1 & fdc.ST1_NW) !== 0) return WRITE_PROTECTED;
  if ((st0 & fdc.ST0_NR) !== 0) return 'the floppy drive is not ready (NR)';
  if ((st1 & fdc.ST1_OR) !== 0) return 'the data came too late (OR)';
  if ((st1 & fdc.ST1_EN) !== 0) return 'the DMA did not move the data (EN)';
  if ((st1 & fdc.ST1_DE) !== 0) return 'the data cannot be read (DE)';
  if ((st2 & fdc.ST2_WC) !== 0) return 'the head is on another cylinder (WC)';
  if ((st1 & (fdc.ST1_ND | fdc.ST1_MA)) !== 0) return 'the sector is not found (ND)';
  return `the floppy controller reports 0x${[st0, st1, st2].map(byte => byte.toString(16).padStart(2, '0')).join('')}`;
}

// biome-ignore lint/correctness/useYield: a job that has nothing to do
function* nothing(): DiskJob {
  return undefined;
}

/** The floppy that was booted, whose medium number this is. Nothing is done to the drive before the first use. */
export class FloppyDisk implements Disk {
  readonly sectorCount = IMAGE_SECTORS;
  readonly model = 'floppy';
  /** The controller may be in the middle of a command, or has not answered. */
  private isLost = true;
  /** The floppy is the one that was booted. */
  private isRight = false;
  /** Where the head is, -1 if nobody knows. */
  private cylinder = -1;
  /** When the motor was switched on; and what was last done. */
  private motorFrom: number | undefined;
  private usedAt = 0;
  private isUsed = false;
  private readonly turns: Turns;
  private readonly now = (): number => this.place.now();

  constructor(
    private readonly place: FloppyPlace,
    private readonly medium: number,
  ) {
    this.turns = createTurns(() => place.now(), TURN_TICKS);
  }

  read(sector: number, bytes: Uint8Array): DiskJob {
    return this.use(() => this.transfer(sector, bytes, fdc.READ_DATA));
  }

  write(sector: number, bytes: Uint8Array): DiskJob {
    return this.use(() => this.transfer(sector, bytes, fdc.WRITE_DATA));
  }

  /** A command that has ended has written. */
  flush(): DiskJob {
    return this.turns.inTurn(nothing);
  }

  private isChanged(): boolean {
    return (ports.in8(fdc.DIR) & fdc.DSKCHG) !== 0;
  }

  private switchOn(): void {
    if (this.motorFrom !== undefined) return;
    ports.out8(fdc.DOR, fdc.DOR_MOTOR_A | fdc.DOR_DMA_GATE | fdc.DOR_NOT_RESET);
    this.motorFrom = this.now();
    this.place.after(MOTOR_TICKS, () => this.switchOff());
  }

  private switchOff(): void {
    const left = this.isUsed ? MOTOR_TICKS : MOTOR_TICKS - ((this.now() - this.usedAt) | 0);
    if (left > 0) {
      this.place.after(left, () => this.switchOff());
      return;
    }
    ports.out8(fdc.DOR, fdc.DOR_DMA_GATE | fdc.DOR_NOT_RESET);
    this.motorFrom = undefined;
    // Not every drive says that its floppy was taken out.
    this.isRight = false;
    this.place.stopped?.();
  }

  /** Moves the head by a command that has no result; `steps` at most. */
  private *step(command: readonly number[], target: number, steps: number): DiskJob {
    this.isLost = true;
    this.cylinder = -1;
    if (!(yield* give(this.now, command))) return NO_ANSWER;
    yield stepTicks(steps);
    for (const from = this.now(); ((this.now() - from) | 0) < LATE_TICKS; yield 1) {
      const bytes = yield* senseInterrupt(this.now);
      if (bytes === undefined) return NO_ANSWER;
      const [st0 = 0, at] = bytes;
      if (st0 === fdc.ST0_INVALID || (st0 & fdc.ST0_SEEK_END) === 0) continue;
      this.isLost = false;
      if ((st0 & fdc.ST0_EC) !== 0) return 'no floppy drive answers (EC)';
      if ((st0 & fdc.ST0_IC) !== 0 || at !== target) return 'the head does not find its cylinder';
      this.cylinder = target;
      yield SETTLE_TICKS;
      return undefined;
    }
    return NO_ANSWER;
  }

  private *seek(target: number, head = 0): DiskJob {
    if (this.cylinder === target) return undefined;
    return yield* this.step([fdc.SEEK, head << 2, target], target, Math.abs(target - this.cylinder));
  }

  /** Motor, controller, head and floppy are as a command needs them. */
  private *ready(): DiskJob {
    this.switchOn();
    if (this.isLost) {
      this.cylinder = -1;
      const why = yield* resetController(this.now);
      if (why !== undefined) return why;
      this.isLost = false;
    }
    if (this.cylinder < 0) {
      const why = yield* this.step([fdc.RECALIBRATE, 0], 0, CYLINDERS);
      if (why !== undefined) return why;
    }
    const left = SPIN_TICKS - ((this.now() - (this.motorFrom ?? this.now())) | 0);
    if (left > 0) yield left;
    return yield* this.known();
  }

  /** Sees to it that the floppy is the one that was booted. */
  private *known(): DiskJob {
    const wasChanged = this.isChanged();
    if (this.isRight && !wasChanged) return undefined;
    this.isRight = false;
    if (wasChanged) {
      const why = yield* this.seek(this.cylinder === 0 ? 1 : 0);
      if (why !== undefined) return why;
    }
    const why = yield* this.move(fdc.READ_DATA, 0, 1, this.place.buffer);
    if (why !== undefined) return this.isChanged() ? NO_FLOPPY : why;
    const at = this.place.memory.byteOffset + this.place.buffer + BOOT_SECTOR_AT_MEDIUM;
    this.isRight = new DataView(this.place.memory.buffer).getInt32(at, true) === this.medium;
    return this.isRight ? undefined : NOT_BOOTED;
  }

  /** One command: sectors that lie side by side on a track and, from `at` on, in RAM. */
  private *move(command: number, sector: number, count: number, at: number): DiskJob {
    const track = Math.floor(sector / FLOPPY_TRACK_SECTORS);
    const [target, head] = [Math.floor(track / FLOPPY_HEADS), track % FLOPPY_HEADS];
    const why = yield* this.seek(target, head);
    if (why !== undefined) return why;
    this.isLost = true;
    const mode = command === fdc.WRITE_DATA ? fdc.DMA_FROM_MEMORY : fdc.DMA_TO_MEMORY;
    startDma(this.place.physical(at), count * SECTOR_BYTES, mode);
    try {
      const first = (sector % FLOPPY_TRACK_SECTORS) + 1;
      const format = [fdc.N_512, FLOPPY_TRACK_SECTORS, fdc.GPL_1440K, fdc.DTL];
      const bytes = [command, head << 2, target, head, first].concat(format);
      if (!(yield* give(this.now, bytes))) return NO_ANSWER;
      yield 1;
      const result = yield* results(this.now, TRANSFER_TICKS);
      if (result === undefined || result.length === 0) return NO_ANSWER;
      this.isLost = false;
      return causeOf(result);
    } finally {
      stopDma();
    }
  }

  /** Runs a command, again after an error. */
  private *attempt(command: () => DiskJob): DiskJob {
    let why: string | undefined;
    for (let tries = 0; tries <= RETRIES; tries++) {
      if (tries > 0) this.cylinder = -1;
      why = (yield* this.ready()) ?? (yield* command());
      if (why === undefined || LASTING.includes(why)) return why;
    }
    return why;
  }

  /** How many of `most` sectors from `at` on lie side by side in RAM, where one DMA reaches them. */
  private adjacent(at: number, most: number): number {
    const first = this.place.physical(at);
    const page = Math.floor(first / fdc.DMA_PAGE_BYTES);
    for (let count = 1; count < most; count++) {
      const bytes = count * SECTOR_BYTES;
      if (this.place.physical(at + bytes) !== first + bytes) return count;
      if (Math.floor((first + bytes) / fdc.DMA_PAGE_BYTES) !== page) return count;
    }
    return most;
  }

  /** One sector that does not lie where a DMA reaches it. */
  private *moveOne(command: number, sector: number, bytes: Uint8Array): DiskJob {
    const { memory, buffer } = this.place;
    const between = memory.subarray(buffer, buffer + SECTOR_BYTES);
    if (command === fdc.WRITE_DATA) between.set(bytes);
    const cause = yield* this.move(command, sector, 1, buffer);
    if (cause === undefined && command === fdc.READ_DATA) bytes.set(between);
    return cause;
  }

  private *transfer(sector: number, bytes: Uint8Array, command: number): DiskJob {
    const total = bytes.length / SECTOR_BYTES;
    if (!Number.isInteger(total))
      throw new Error(`Cannot move ${bytes.length} bytes: they are not whole sectors`);
    if (sector < 0 || sector + total > IMAGE_SECTORS)
      return `sector ${sector + total - 1} is behind the floppy's end`;
    const start =
      bytes.buffer === this.place.memory.buffer ? bytes.byteOffset - this.place.memory.byteOffset : -1;
    // A sector that begins in the middle of one may lie on two pages.
    const isDirect = start >= 0 && start % SECTOR_BYTES === 0;
    for (let done = 0, count = 1; done < total; done += count) {
      const from = sector + done;
      const most = Math.min(total - done, FLOPPY_TRACK_SECTORS - (from % FLOPPY_TRACK_SECTORS));
      const at = start + done * SECTOR_BYTES;
      count = isDirect ? this.adjacent(at, most) : 1;
      const part = bytes.subarray(done * SECTOR_BYTES, (done + count) * SECTOR_BYTES);
      const why = yield* this.attempt(() =>
        isDirect ? this.move(command, from, count, at) : this.moveOne(command, from, part),
      );
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** A job of a user in its turn; the motor knows of it. */
  private use(job: () => DiskJob): DiskJob {
    return this.turns.inTurn(() => this.used(job));
  }

  private *used(job: () => DiskJob): DiskJob {
    this.isUsed = true;
    try {
      return yield* job();
    } finally {
      this.isUsed = false;
      this.usedAt = this.now();
    }
  }
}
