// An IDE channel with one or two disks, for tests and for the sim board: registers and data port as ATA/ATAPI-4
// describes them, the medium as functions on sectors. What can go wrong is set from outside: bad sectors, an
// error or silence at the n-th command, a device without LBA, one that is slow.
// Not here: the bus (bus-model.ts), the driver (ata.ts).

import * as ata from './ata-registers.ts';
import { SECTOR_BYTES } from './disk.ts';

export interface Medium {
  readonly sectorCount: number;
  read(sector: number): Uint8Array;
  write(sector: number, bytes: Uint8Array): void;
  /** What was written must be safe now. */
  flush?(): void;
}

/** A medium in memory. */
export function memoryMedium(bytes: Uint8Array): Medium {
  const at = (sector: number) => bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
  return {
    sectorCount: bytes.length / SECTOR_BYTES,
    read: sector => at(sector).slice(),
    write: (sector, data) => at(sector).set(data),
  };
}

export interface DriveOptions {
  model?: string;
  /** Cylinders, heads, sectors a track; with it the drive has no LBA. */
  geometry?: readonly [number, number, number];
  /** Reads of the status until a command is done. */
  slowness?: number;
  /** FLUSH CACHE is refused, as by devices before ATA-4. */
  hasNoFlush?: boolean;
  /** SET FEATURES is refused, as by devices whose writes have no cache. */
  hasNoFeatures?: boolean;
  /** Reads of the status with BSY, then as many without DRDY, after power-on and after a reset. */
  wakeReads?: number;
}

/** A disk on the channel, and what is wrong with it. */
export class DriveModel {
  /** Sectors whose data cannot be read or written: the bits of the Error register. */
  readonly bad = new Map<number, number>();
  /** A bad sector is good again when it has been written, as the drive gives it another place. */
  isHealing = false;
  /** Commands so far, in order. */
  readonly commands: number[] = [];
  /** The write cache is switched off; a reset switches it on. */
  isWriteThrough = false;
  /** Called before each command: answers bits of the Error register, 'hang', or undefined to go on. */
  fault: (command: number) => number | 'hang' | undefined = () => undefined;
  /** A hung device: BSY until a reset, or for ever. */
  isHung = false;
  isDead = false;
  flushes = 0;

  constructor(
    readonly medium: Medium,
    readonly options: DriveOptions = {},
  ) {}

  identity(): Uint8Array {
    const { geometry, model = 'Masqbox model', hasNoFlush } = this.options;
    const words = new Uint16Array(SECTOR_BYTES / 2);
    const [cylinders, heads, sectors] = geometry ?? [Math.ceil(this.medium.sectorCount / (16 * 63)), 16, 63];
    ata.ID_DEFAULT.forEach((word, i) => {
      words[word] = [cylinders, heads, sectors][i] as number;
    });
    for (let i = 0; i < ata.ID_MODEL_WORDS; i++) {
      const text = model.padEnd(2 * ata.ID_MODEL_WORDS);
      words[ata.ID_MODEL + i] = (text.charCodeAt(2 * i) << 8) | text.charCodeAt(2 * i + 1);
    }
    if (geometry === undefined) {
      words[ata.ID_CAPABILITIES] = ata.ID_LBA;
      words[ata.ID_LBA_SECTORS] = this.medium.sectorCount & 0xffff;
      words[ata.ID_LBA_SECTORS + 1] = this.medium.sectorCount >>> 16;
    }
    words[ata.ID_COMMANDS] = ata.ID_COMMANDS_MARK | (hasNoFlush === true ? 0 : ata.ID_FLUSH_CACHE);
    return new Uint8Array(words.buffer);
  }
}

/** The channel: both devices hear every register write, the selected one answers. */
export class ChannelModel {
  private readonly registers = new Uint8Array(ata.COMMAND_BLOCK_PORTS);
  private status = ata.DRDY;
  private error = 0;
  private busy = 0;
  /** Reads of the status without DRDY, once BSY is 0. */
  private sleepy = 0;
  private data: Uint8Array | undefined;
  private at = 0;
  /** The next sector and how many are left, of the command that runs. */
  private sector = 0;
  private left = 0;
  private isWriting = false;
  private control = 0;

  constructor(readonly drives: readonly (DriveModel | undefined)[]) {
    this.wake();
  }

  /** The command block as a device of the bus (bus-model.ts). */
  readonly command = {
    read: (offset: number, width: number) =>
      offset === ata.DATA && width === 2 ? this.take() : this.read(offset),
    write: (offset: number, value: number, width: number) => {
      if (offset === ata.DATA && width === 2) this.give(value);
      else this.write(offset, value);
    },
  };
  /** The control block. */
  readonly controlBlock = {
    read: () => this.read(ata.STATUS),
    write: (_offset: number, value: number) => {
      if ((value & ata.SRST) !== 0 && (this.control & ata.SRST) === 0) this.reset();
      this.control = value;
    },
  };

  private get drive(): DriveModel | undefined {
    return this.drives[(this.registers[ata.DEVICE_HEAD] as number) & ata.DEVICE_1 ? 1 : 0];
  }

  private wake(): void {
    this.busy = this.drives.find(drive => drive !== undefined)?.options.wakeReads ?? 0;
    this.sleepy = this.busy;
  }

  private reset(): void {
    for (const drive of this.drives) {
      if (drive === undefined) continue;
      drive.isHung = drive.isDead;
      drive.isWriteThrough = false;
    }
    this.wake();
    this.registers.fill(0);
    this.status = ata.DRDY;
    this.data = undefined;
  }

  private read(offset: number): number {
    if (this.drives.every(drive => drive === undefined)) return 0xff;
    const { drive } = this;
    // Device 0 answers for a device 1 that is not there: with 0 (9.16.1).
    if (drive === undefined) return 0;
    if (offset === ata.ERROR) return this.error;
    if (offset !== ata.STATUS) return this.registers[offset] as number;
    if (drive.isHung || this.busy-- > 0) return ata.BSY;
    if (this.sleepy > 0) {
      this.sleepy--;
      return this.status & ~ata.DRDY;
    }
    return this.status;
  }

  private write(offset: number, value: number): void {
    if (offset !== ata.COMMAND) this.registers[offset] = value;
    else if (this.drive !== undefined && !this.drive.isHung) this.run(this.drive, value);
  }

  private run(drive: DriveModel, command: number): void {
    drive.commands.push(command);
    this.data = undefined;
    this.busy = drive.options.slowness ?? 0;
    this.status = ata.DRDY;
    const needsReady = command !== ata.IDENTIFY_DEVICE && command !== ata.INITIALIZE_DEVICE_PARAMETERS;
    const fault = needsReady && this.sleepy > 0 ? ata.ABRT : drive.fault(command);
    if (fault === 'hang') drive.isHung = true;
    else if (fault !== undefined) this.fail(fault);
    else this.execute(drive, command);
  }

  private execute(drive: DriveModel, command: number): void {
    const count = (this.registers[ata.SECTOR_COUNT] as number) || 256;
    this.left = 0;
    switch (command) {
      case ata.IDENTIFY_DEVICE:
        this.offer(drive.identity());
        break;
      case ata.READ_SECTORS:
      case ata.WRITE_SECTORS:
        this.sector = this.address(drive);
        this.left = count;
        this.isWriting = command === ata.WRITE_SECTORS;
        this.next(drive);
        break;
      case ata.FLUSH_CACHE:
        if (drive.options.hasNoFlush === true) this.fail(ata.ABRT);
        else drive.medium.flush?.();
        drive.flushes++;
        break;
      case ata.SET_FEATURES:
        if (drive.options.hasNoFeatures === true || this.registers[ata.FEATURES] !== ata.DISABLE_WRITE_CACHE)
          this.fail(ata.ABRT);
        else drive.isWriteThrough = true;
        break;
      case ata.INITIALIZE_DEVICE_PARAMETERS:
        break;
      default:
        this.fail(ata.ABRT);
    }
  }

  private address(drive: DriveModel): number {
    const [low, middle, high, head] = this.registers.subarray(
      ata.SECTOR_NUMBER,
      ata.DEVICE_HEAD + 1,
    ) as unknown as [number, number, number, number];
    if ((head & ata.DEVICE_LBA) !== 0) {
      return drive.options.geometry === undefined
        ? low | (middle << 8) | (high << 16) | ((head & 15) << 24)
        : -1;
    }
    const [, heads, sectors] = drive.options.geometry ?? [0, 16, 63];
    return ((middle | (high << 8)) * heads + (head & 15)) * sectors + low - 1;
  }

  /** Makes ready for the next sector of a transfer, or ends it. */
  private next(drive: DriveModel): void {
    this.data = undefined;
    this.status = ata.DRDY;
    if (this.left === 0) return;
    this.busy = drive.options.slowness ?? 0;
    if (this.sector < 0 || this.sector >= drive.medium.sectorCount) this.fail(ata.IDNF);
    else if (this.isWriting) this.offer(new Uint8Array(SECTOR_BYTES));
    else {
      const bad = drive.bad.get(this.sector);
      if (bad !== undefined) this.fail(bad);
      else this.offer(drive.medium.read(this.sector));
    }
  }

  private offer(data: Uint8Array): void {
    this.data = data;
    this.at = 0;
    this.status = ata.DRDY | ata.DRQ;
  }

  private fail(error: number): void {
    this.error = error;
    this.status = ata.DRDY | ata.ERR;
    this.data = undefined;
    this.left = 0;
  }

  private take(): number {
    const { data, drive } = this;
    if (data === undefined || drive === undefined || this.busy > 0) return 0xffff;
    const word = (data[this.at] as number) | ((data[this.at + 1] as number) << 8);
    this.at += 2;
    if (this.at === data.length) this.done(drive);
    return word;
  }

  private give(value: number): void {
    const { data, drive } = this;
    if (data === undefined || drive === undefined || !this.isWriting || this.busy > 0) return;
    data[this.at] = value & 0xff;
    data[this.at + 1] = value >> 8;
    this.at += 2;
    if (this.at < data.length) return;
    if (drive.isHealing) drive.bad.delete(this.sector);
    const bad = drive.bad.get(this.sector);
    if (bad !== undefined) {
      this.fail(bad);
      return;
    }
    drive.medium.write(this.sector, data);
    this.done(drive);
  }

  private done(drive: DriveModel): void {
    this.sector++;
    this.left = Math.max(0, this.left - 1);
    this.next(drive);
  }
}
