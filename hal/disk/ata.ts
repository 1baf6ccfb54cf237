// One ATA device in PIO mode, polled: selecting it, commands, data, errors, reset. ATA/ATAPI-4 (T13/1153D),
// sections 9.6 to 9.8 (protocols), 9.2 (software reset). Registers: ata-registers.ts.
//
//    select: wait for BSY=0 DRQ=0, write Device/Head, wait for BSY=0 DRQ=0, and DRDY=1 but to identify it
//    data:   command, then for each sector: wait for BSY=0, look at ERR and DF, DRQ=1, 256 words
//    writes end with a wait for BSY=0 and a look at ERR and DF
//
// How fast words move is settled between the bus and the device (PIO mode, IORDY), as the BIOS has set both up; a soft
// reset leaves the bus alone, and a device that is slower holds it.
//
// Each wait spins for a moment, for a card that is quick, then yields a tick at a time, to the standard's bound.
// Not here: addresses of sectors, retries and turns (ata-disk.ts), which devices there are (ide.ts).

import * as ports from '../ports.ts';
import * as ata from './ata-registers.ts';
import { SECTOR_BYTES } from './disk.ts';

/** A device, and what its driver needs of the machine. */
export interface Device {
  /** First port of the command block; the port of the control block. */
  readonly command: number;
  readonly control: number;
  /** 0 master, 1 slave. */
  readonly unit: number;
  /** The plane's memory, into which the string instructions of the ports move data. */
  readonly memory: Uint8Array;
  /** Where in it SECTOR_BYTES are free for data that is meant for elsewhere. */
  readonly buffer: number;
  /** Ticks, 10 ms each. */
  now(): number;
}

/** What a command is told; numbers of sectors are 1 to 256. */
export interface Task {
  command: number;
  count: number;
  /** Sector Number, Cylinder Low, Cylinder High, and the low bits of Device/Head with L. */
  registers: readonly [number, number, number, number];
  /** Features, where the command has any. */
  features?: number;
}

/** Texts of failures that are asked for. */
export const NO_ANSWER = 'the disk does not answer';
export const ABORTED = 'the disk refuses the command (ABRT)';

/** Reads of the status before a wait gives way: some 5 ms on a 486, and a card is ready within one. */
const SPINS = 250;
/** The same when a tick has passed. */
const SPINS_LATER = 10;
/** A device may take 30 s for a command when it must spin up or try again; and 31 s after a reset (9.2). */
export const COMMAND_TICKS = 3000;
const RESET_TICKS = 3100;
/** A device whose BSY does not end before a command is hung; it needs a reset. */
const SELECT_TICKS = 100;
/** Sectors moved before others get a turn: 16 take 3 ms on a quick card. */
const TURN_SECTORS = 16;
const WORDS = SECTOR_BYTES / 2;

/** Waits until the bits `zeros` are 0 and the bits `ones` 1; answers the status, or -1 after `ticks`. */
export function* settle(
  device: Device,
  zeros: number,
  ticks: number,
  ones = 0,
): Generator<number, number, void> {
  const from = device.now();
  let spins = SPINS;
  for (;;) {
    for (let i = 0; i < spins; i++) {
      const status = ports.in8(device.control) & 0xff;
      if ((status & (zeros | ones)) === ones) return status;
    }
    if (((device.now() - from) | 0) >= ticks) return -1;
    spins = SPINS_LATER;
    yield 1;
  }
}

/** What the Error register says. */
function errorText(device: Device, status: number): string {
  if ((status & ata.DF) !== 0) return 'the disk reports a fault (DF)';
  const error = ports.in8(device.command + ata.ERROR);
  if ((error & ata.UNC) !== 0) return 'the data cannot be read (UNC)';
  if ((error & ata.IDNF) !== 0) return 'the sector is not found (IDNF)';
  if ((error & ata.ABRT) !== 0) return ABORTED;
  return `the disk reports error 0x${(error & 0xff).toString(16).padStart(2, '0')}`;
}

/** Selects the device and gives it a command; answers why not, or undefined. */
function* begin(device: Device, task: Task): Generator<number, string | undefined> {
  const { command, count, features } = task;
  const [sector, low, high, head] = task.registers;
  const port = device.command;
  const idle = ata.BSY | ata.DRQ;
  if ((yield* settle(device, idle, SELECT_TICKS)) < 0) return NO_ANSWER;
  const select = ata.DEVICE_OBSOLETE | (device.unit === 0 ? 0 : ata.DEVICE_1);
  ports.out8(port + ata.DEVICE_HEAD, select | head);
  // The status is valid 400 ns later: a call of the host takes longer.
  const isEarly = command === ata.IDENTIFY_DEVICE || command === ata.INITIALIZE_DEVICE_PARAMETERS;
  const [ticks, ready] = isEarly ? [SELECT_TICKS, 0] : [COMMAND_TICKS, ata.DRDY];
  if ((yield* settle(device, idle, ticks, ready)) < 0) return NO_ANSWER;
  if (features !== undefined) ports.out8(port + ata.FEATURES, features);
  ports.out8(port + ata.SECTOR_COUNT, count & 0xff);
  ports.out8(port + ata.SECTOR_NUMBER, sector);
  ports.out8(port + ata.CYLINDER_LOW, low);
  ports.out8(port + ata.CYLINDER_HIGH, high);
  ports.out8(port + ata.COMMAND, command);
  return undefined;
}

/** Waits for the device to want or to give a sector; answers why it does not, or undefined. */
function* awaitData(device: Device): Generator<number, string | undefined> {
  const status = yield* settle(device, ata.BSY, COMMAND_TICKS);
  if (status < 0) return NO_ANSWER;
  if ((status & (ata.ERR | ata.DF)) !== 0) return errorText(device, status);
  return (status & ata.DRQ) === 0 ? 'the disk neither takes nor gives data' : undefined;
}

/** The device has the next sector already: a generator to see that takes longer than the sector. */
function isOffering(device: Device): boolean {
  return (ports.in8(device.control) & (ata.BSY | ata.DRQ | ata.ERR | ata.DF)) === ata.DRQ;
}

/** A command without data: answers why it failed, or undefined. */
export function* runCommand(device: Device, task: Task): Generator<number, string | undefined> {
  const why = yield* begin(device, task);
  if (why !== undefined) return why;
  const status = yield* settle(device, ata.BSY, COMMAND_TICKS);
  if (status < 0) return NO_ANSWER;
  return (status & (ata.ERR | ata.DF)) === 0 ? undefined : errorText(device, status);
}

/** A command that brings `task.count` sectors to `bytes`: answers why it failed, or undefined. */
export function* readData(
  device: Device,
  task: Task,
  bytes: Uint8Array,
): Generator<number, string | undefined> {
  const why = yield* begin(device, task);
  if (why !== undefined) return why;
  for (let i = 0; i < task.count; i++) {
    if (!isOffering(device)) {
      const cause = yield* awaitData(device);
      if (cause !== undefined) return cause;
    }
    const target = planeAddress(device, bytes, i);
    ports.ins16(device.command + ata.DATA, target ?? device.buffer, WORDS);
    if (target === undefined) bytes.set(bufferOf(device), i * SECTOR_BYTES);
    if (i % TURN_SECTORS === TURN_SECTORS - 1) yield 0;
  }
  return undefined;
}

/** A command that takes `task.count` sectors from `bytes`: answers why it failed, or undefined. */
export function* writeData(
  device: Device,
  task: Task,
  bytes: Uint8Array,
): Generator<number, string | undefined> {
  const why = yield* begin(device, task);
  if (why !== undefined) return why;
  for (let i = 0; i < task.count; i++) {
    const cause = yield* awaitData(device);
    if (cause !== undefined) return cause;
    const source = planeAddress(device, bytes, i);
    if (source === undefined) {
      bufferOf(device).set(bytes.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES));
    }
    ports.outs16(device.command + ata.DATA, source ?? device.buffer, WORDS);
    if (i % TURN_SECTORS === TURN_SECTORS - 1) yield 0;
  }
  const status = yield* settle(device, ata.BSY, COMMAND_TICKS);
  if (status < 0) return NO_ANSWER;
  return (status & (ata.ERR | ata.DF)) === 0 ? undefined : errorText(device, status);
}

/** Resets both devices of the channel, and leaves their interrupts off; answers why not, or undefined. */
export function* softReset(device: Device): Generator<number, string | undefined> {
  ports.out8(device.control, ata.SRST | ata.NIEN);
  // 5 us at least; and 2 ms from its end until the status counts: a tick is 10 ms, but the first may be short.
  yield 1;
  ports.out8(device.control, ata.NIEN);
  yield 2;
  return (yield* settle(device, ata.BSY, RESET_TICKS)) < 0 ? NO_ANSWER : undefined;
}

/** Where sector `i` of `bytes` lies in plane memory, or undefined if it is elsewhere. */
function planeAddress({ memory }: Device, bytes: Uint8Array, i: number): number | undefined {
  return bytes.buffer === memory.buffer ? bytes.byteOffset - memory.byteOffset + i * SECTOR_BYTES : undefined;
}

function bufferOf({ memory, buffer }: Device): Uint8Array {
  return memory.subarray(buffer, buffer + SECTOR_BYTES);
}
