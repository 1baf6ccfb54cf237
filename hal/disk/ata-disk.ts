// A disk (disk.ts) on an ATA device: what IDENTIFY DEVICE says of it, addresses of sectors by LBA or by cylinder,
// head and sector, and what is done about failures. ATA/ATAPI-4 (T13/1153D), 8.12, 9.1.
//
//    error          reset, then the command again, RETRIES times
//    no answer      reset; no second try, as the first took COMMAND_TICKS
//    user is gone   (^C ends its generator in the middle of a command, or his time is over) reset before the next command
//
// FLUSH CACHE came with ATA-4: CompactFlash cards and older disks may not have it. They are told to write at once
// instead (SET FEATURES), and FLUSH CACHE is sent even so, for those that have it and do not say so; what refuses
// either has nothing to flush.
//
// Not here: registers and waits (ata.ts), which device (ide.ts), turns (turns.ts).

import * as ports from '../ports.ts';
import {
  ABORTED,
  COMMAND_TICKS,
  type Device,
  NO_ANSWER,
  readData,
  runCommand,
  softReset,
  type Task,
  writeData,
} from './ata.ts';
import * as ata from './ata-registers.ts';
import { type DiskJob, type PromptDisk, runFor, SECTOR_BYTES } from './disk.ts';
import { createTurns, type Turns } from './turns.ts';

const RETRIES = 2;
/** Sectors of one command at most: the register's 0 means 256. */
const COMMAND_SECTORS = 256;
/** What waits longer for its turn is told so: a command and its retries with their resets. */
const TURN_TICKS = 4 * COMMAND_TICKS;
/** What 28 bits of address reach. */
const LBA28_SECTORS = 1 << 28;
/** The address of a command that has none. */
const NOWHERE = [0, 0, 0, 0] as const;

/** What a device is, of the words of IDENTIFY DEVICE. */
export interface Identity {
  model: string;
  sectorCount: number;
  hasLba: boolean;
  /** FLUSH CACHE is a command of the device, and a refusal of it a failure. */
  hasFlush: boolean;
  heads: number;
  sectors: number;
}

/** Reads IDENTIFY DEVICE; answers the cause when this is no disk. */
export function readIdentity(bytes: Uint8Array): Identity | string {
  const word = (index: number): number =>
    (bytes[2 * index] as number) | ((bytes[2 * index + 1] as number) << 8);
  // The translation in force is the BIOS's; a device that does not tell, or tells zeros, has its own.
  const isTold = (word(ata.ID_VALID) & 1) !== 0 && ata.ID_CURRENT.every(index => word(index) !== 0);
  const [cylinders, heads, sectors] = (isTold ? ata.ID_CURRENT : ata.ID_DEFAULT).map(word) as [
    number,
    number,
    number,
  ];
  let model = '';
  // The first character of each pair is the high byte.
  for (let i = 0; i < 2 * ata.ID_MODEL_WORDS; i++) {
    model += String.fromCharCode(bytes[2 * ata.ID_MODEL + (i ^ 1)] as number);
  }
  const commands = word(ata.ID_COMMANDS);
  const lba = word(ata.ID_LBA_SECTORS) + word(ata.ID_LBA_SECTORS + 1) * 0x10000;
  const hasLba = (word(ata.ID_CAPABILITIES) & ata.ID_LBA) !== 0 && lba > 0;
  const sectorCount = hasLba ? Math.min(lba, LBA28_SECTORS) : cylinders * heads * sectors;
  if (sectorCount === 0 || (!hasLba && (heads > 16 || sectors > 255)))
    return 'what it says of itself makes no sense';
  return {
    model: model.replace(/[^ -~]/g, '').trim(),
    sectorCount,
    hasLba,
    hasFlush:
      (commands & ata.ID_COMMANDS_VALID) === ata.ID_COMMANDS_MARK && (commands & ata.ID_FLUSH_CACHE) !== 0,
    heads,
    sectors,
  };
}

/** Asks a device what it is; answers the cause when it is no disk. `bytes` are a sector's, for the answer. */
export function* identify(device: Device, bytes: Uint8Array): Generator<number, Identity | string> {
  ports.out8(device.control, ata.NIEN);
  const task = { command: ata.IDENTIFY_DEVICE, count: 1, registers: NOWHERE };
  const why = yield* readData(device, task, bytes);
  return why ?? readIdentity(bytes);
}

/** Registers of a sector's address (9.1), as Task has them. */
export function addressOf(identity: Identity, sector: number): readonly [number, number, number, number] {
  const { hasLba, heads, sectors } = identity;
  if (hasLba) {
    return [
      sector & 0xff,
      (sector >> 8) & 0xff,
      (sector >> 16) & 0xff,
      ata.DEVICE_LBA | ((sector >> 24) & 15),
    ];
  }
  const track = Math.floor(sector / sectors);
  const cylinder = Math.floor(track / heads);
  return [(sector % sectors) + 1, cylinder & 0xff, cylinder >> 8, track % heads];
}

export class AtaDisk implements PromptDisk {
  readonly sectorCount: number;
  readonly model: string;
  /** The device may be in the middle of a command, or has not answered. */
  private isLost = false;
  /** It was told to write at once, since its last reset. */
  private isWriteThrough: boolean;
  private readonly turns: Turns;

  constructor(
    private readonly device: Device,
    private readonly identity: Identity,
  ) {
    this.sectorCount = identity.sectorCount;
    this.model = identity.model;
    this.isWriteThrough = identity.hasFlush;
    this.turns = createTurns(device.now, TURN_TICKS);
  }

  read(sector: number, bytes: Uint8Array): DiskJob {
    return this.turns.inTurn(() => this.transfer(sector, bytes, ata.READ_SECTORS));
  }

  readNow(sector: number, bytes: Uint8Array, ticks: number): string | undefined {
    const { now } = this.device;
    const from = now();
    if (!this.turns.finish(ticks)) return 'the disk is busy';
    const job = this.transfer(sector, bytes, ata.READ_SECTORS);
    const done = runFor(job, now, from + ticks - now());
    // Whatever is given up in the middle of a command, the next one begins with a reset.
    if (done === undefined) job.return(undefined);
    return done === undefined ? NO_ANSWER : done.value;
  }

  write(sector: number, bytes: Uint8Array): DiskJob {
    return this.turns.inTurn(() => this.transfer(sector, bytes, ata.WRITE_SECTORS));
  }

  flush(): DiskJob {
    return this.turns.inTurn(() => this.attempt(() => this.flushCache()));
  }

  private *reset(): DiskJob {
    this.isLost = true;
    this.isWriteThrough = this.identity.hasFlush;
    const why = yield* softReset(this.device);
    if (why !== undefined) return why;
    if (!this.identity.hasLba) {
      // The reset may have brought back another translation than the BIOS and IDENTIFY DEVICE speak of.
      const { heads, sectors } = this.identity;
      const task = {
        command: ata.INITIALIZE_DEVICE_PARAMETERS,
        count: sectors,
        registers: [0, 0, 0, heads - 1] as const,
      };
      const cause = yield* runCommand(this.device, task);
      if (cause !== undefined && cause !== ABORTED) return cause;
    }
    this.isLost = false;
    return undefined;
  }

  /** Runs a command, again after an error. */
  private *attempt(command: () => DiskJob): DiskJob {
    let why: string | undefined;
    for (let tries = 0; tries <= RETRIES; tries++) {
      if (this.isLost) {
        const cause = yield* this.reset();
        if (cause !== undefined) return why ?? cause;
      }
      this.isLost = true;
      why = yield* command();
      this.isLost = why !== undefined;
      if (why === undefined || why === NO_ANSWER) return why;
    }
    return why;
  }

  private *writeThrough(): DiskJob {
    if (this.isWriteThrough) return undefined;
    const task = {
      command: ata.SET_FEATURES,
      features: ata.DISABLE_WRITE_CACHE,
      count: 0,
      registers: NOWHERE,
    };
    const why = yield* runCommand(this.device, task);
    this.isWriteThrough = why === undefined || why === ABORTED;
    return this.isWriteThrough ? undefined : why;
  }

  private *writeSectors(task: Task, bytes: Uint8Array): DiskJob {
    return (yield* this.writeThrough()) ?? (yield* writeData(this.device, task, bytes));
  }

  private *transfer(sector: number, bytes: Uint8Array, command: number): DiskJob {
    const total = bytes.length / SECTOR_BYTES;
    if (!Number.isInteger(total))
      throw new Error(`Cannot move ${bytes.length} bytes: they are not whole sectors`);
    if (sector < 0 || sector + total > this.identity.sectorCount) {
      return `sector ${sector + total - 1} is behind the disk's end`;
    }
    for (let done = 0; done < total; done += COMMAND_SECTORS) {
      const count = Math.min(COMMAND_SECTORS, total - done);
      const part = bytes.subarray(done * SECTOR_BYTES, (done + count) * SECTOR_BYTES);
      const task = { command, count, registers: addressOf(this.identity, sector + done) };
      const why = yield* this.attempt(() =>
        command === ata.WRITE_SECTORS ? this.writeSectors(task, part) : readData(this.device, task, part),
      );
      if (why !== undefined) return why;
    }
    return undefined;
  }

  private *flushCache(): DiskJob {
    const why = yield* runCommand(this.device, { command: ata.FLUSH_CACHE, count: 0, registers: NOWHERE });
    return why === ABORTED && !this.identity.hasFlush ? undefined : why;
  }
}
