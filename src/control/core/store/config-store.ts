// The saved configuration: two areas of the disk (src/base/layout.ts), written in turn, so that the one in force is never
// touched. The area's first sector, which makes the rest valid by its CRC-32, is written last:
//
//    area A  | header, text | text ... |   sequence 7, in force
//    area B  | header, text | text ... |   sequence 6
//                  3.            1.        then a flush, 2. and 4.
//
// Where one of them cannot be written, or be read again, there is nothing for it but to write over the other.
// A cut before 3 is whole leaves B with a checksum that is wrong, and A in force; after it, B.
// Everything passes through the plane's memory (STORE_AT), where checksums and the disk's data are native code.
// Not here: what the text means (version.ts, src/control/core/registry.ts), who may use the store's memory when (store.ts).

import type { Disk } from '../../../../hal/disk/disk.ts';
import * as layout from '../../../base/layout.ts';
import { STORE_AT } from '../../../base/limits.ts';
import { fill, i32at, puti32 } from '../../../base/memory.ts';
import { Refusal } from '../console/command.ts';
import type { Machine } from '../machine.ts';

/** What the machine is needed for. */
export type StoreMachine = Pick<Machine, 'memory'> & { plane: Pick<Machine['plane'], 'crc32'> };

export interface Loaded {
  /** Bytes of the newest text that can be read, which lies at CONFIG_TEXT_AT; undefined if there is none. */
  bytes: number | undefined;
  /** What was wrong with a newer one, or with both. */
  problems: string[];
  /** There is nothing but a first save that was cut: one area has never been written, and the other can be read. */
  isFirstCut: boolean;
}

export interface ConfigStore {
  /** Reads what is saved. */
  load(): Generator<number, Loaded>;
  /**
   * Saves `bytes` of text, which the caller has put at CONFIG_TEXT_AT, over the older one. Answers why it could not, or
   * undefined; then the text there is spoiled. With `isOver` it goes over the one in force.
   */
  save(bytes: number, isOver: boolean): Generator<number, string | undefined>;
  /** Wipes both, the one in force last. */
  erase(): Generator<number, string | undefined>;
}

/** The places of a floppy, by its drive. */
export interface FloppyStore extends ConfigStore {
  /** To be run before a text that is to be saved is put where it goes. Answers why nothing can be saved. */
  ready(): Generator<number, string | undefined>;
}

/**
 * The settings of a floppy. The loader has read them (image/loader/settings.ts), the floor has put them into the store's
 * memory, and there they stay, as nobody else writes into it without a disk: only what changes them needs the drive.
 * @param drive opens it, or refuses that; it is held until it stands still.
 * @param isLeft what the store's memory holds is what is saved.
 */
export function createFloppyStore(
  { plane }: StoreMachine,
  drive: (stopped: () => void) => FloppyStore,
  isLeft: boolean,
): FloppyStore {
  let isHeld = isLeft;
  let opened: FloppyStore | undefined;

  function open(): FloppyStore | string {
    try {
      opened ??= drive(() => {
        opened = undefined;
      });
      return opened;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.message;
    }
  }

  function held(): Loaded {
    const magic = i32at(STORE_AT + layout.CONFIG_AT_MAGIC);
    if (magic === 0) return { bytes: undefined, problems: [], isFirstCut: false };
    const bytes = i32at(STORE_AT + layout.CONFIG_AT_LENGTH);
    const isWhole =
      magic === layout.CONFIG_MAGIC &&
      bytes >= 0 &&
      bytes <= layout.CONFIG_TEXT_MAX &&
      plane.crc32(plane.crc32(0, STORE_AT, layout.CONFIG_AT_CRC), CONFIG_TEXT_AT, bytes) ===
        i32at(STORE_AT + layout.CONFIG_AT_CRC);
    const problems = isWhole ? [] : ['the saved configurations of the floppy cannot be used'];
    return { bytes: isWhole ? bytes : undefined, problems, isFirstCut: false };
  }

  function* load(): Generator<number, Loaded> {
    if (isHeld) return held();
    const store = open();
    if (typeof store === 'string') return { bytes: undefined, problems: [store], isFirstCut: false };
    const loaded = yield* store.load();
    isHeld = loaded.problems.length === 0;
    return loaded;
  }

  /** Runs what spoils the store's memory. */
  function* spoil(
    run: (store: FloppyStore) => Generator<number, string | undefined>,
  ): Generator<number, string | undefined> {
    isHeld = false;
    const store = open();
    return typeof store === 'string' ? store : yield* run(store);
  }

  function* save(bytes: number, isOver: boolean): Generator<number, string | undefined> {
    const why = yield* spoil(store => store.save(bytes, isOver));
    isHeld = why === undefined;
    return why;
  }

  function* erase(): Generator<number, string | undefined> {
    return (yield* ready()) ?? (yield* spoil(store => store.erase()));
  }

  const ready = (): Generator<number, string | undefined> => spoil(store => store.ready());

  return { load, save, erase, ready };
}

const NO_CONFIGURATION = 'it is no configuration';
const OTHER_FORMAT = 'its format is another';
const BAD_LENGTH = 'its length is impossible';
const BAD_CHECKSUM = 'its checksum is wrong';
/** What a power cut in the middle of writing leaves; a sector that cannot be read is another matter. */
const DAMAGES: readonly string[] = [NO_CONFIGURATION, BAD_LENGTH, BAD_CHECKSUM];

/** Where a text that is to be saved goes. */
export const CONFIG_TEXT_AT = STORE_AT + layout.CONFIG_AT_TEXT;

export class ConfigAreas implements ConfigStore {
  /** The area in force and its sequence, or -1 and 0. */
  private area = -1;
  private sequence = 0;

  constructor(
    private readonly machine: StoreMachine,
    private readonly disk: Disk,
  ) {}

  private sectorOf(index: number): number {
    return layout.CONFIG_SECTOR + index * layout.CONFIG_SECTORS;
  }

  private view(from: number, to: number): Uint8Array {
    return this.machine.memory.subarray(
      STORE_AT + from * layout.SECTOR_BYTES,
      STORE_AT + to * layout.SECTOR_BYTES,
    );
  }

  private sectorsOf(bytes: number): number {
    return Math.ceil((layout.CONFIG_AT_TEXT + bytes) / layout.SECTOR_BYTES);
  }

  private crcOf(bytes: number): number {
    const { plane } = this.machine;
    return plane.crc32(plane.crc32(0, STORE_AT, layout.CONFIG_AT_CRC), CONFIG_TEXT_AT, bytes);
  }

  /** Reads an area's first sector; answers its text's bytes, or what is wrong, '' if it was never written. */
  private *header(index: number): Generator<number, number | string> {
    const why = yield* this.disk.read(this.sectorOf(index), this.view(0, 1));
    if (why !== undefined) return why;
    const bytes = i32at(STORE_AT + layout.CONFIG_AT_LENGTH);
    const magic = i32at(STORE_AT + layout.CONFIG_AT_MAGIC);
    if (magic !== layout.CONFIG_MAGIC) return magic === 0 ? '' : NO_CONFIGURATION;
    if (i32at(STORE_AT + layout.CONFIG_AT_FORMAT) !== layout.CONFIG_FORMAT) return OTHER_FORMAT;
    return bytes < 0 || bytes > layout.CONFIG_TEXT_MAX ? BAD_LENGTH : bytes;
  }

  /** Reads an area into the store's memory; answers as header() does. */
  private *read(index: number): Generator<number, number | string> {
    const bytes = yield* this.header(index);
    if (typeof bytes === 'string') return bytes;
    const sectors = this.sectorsOf(bytes);
    if (sectors > 1) {
      const cause = yield* this.disk.read(this.sectorOf(index) + 1, this.view(1, sectors));
      if (cause !== undefined) return cause;
    }
    return this.crcOf(bytes) === i32at(STORE_AT + layout.CONFIG_AT_CRC) ? bytes : BAD_CHECKSUM;
  }

  *load(): Generator<number, Loaded> {
    const found: { index: number; sequence: number }[] = [];
    const problems: string[] = [];
    let blanks = 0;
    let damaged = 0;
    const tell = (index: number, why: string): void => {
      if (why === '') blanks++;
      if (DAMAGES.includes(why)) damaged++;
      if (why !== '') problems.push(`saved configuration ${index} cannot be used: ${why}`);
    };
    for (let index = 0; index < layout.CONFIG_COUNT; index++) {
      const bytes = yield* this.header(index);
      if (typeof bytes === 'string') tell(index, bytes);
      else found.push({ index, sequence: i32at(STORE_AT + layout.CONFIG_AT_SEQUENCE) });
    }
    found.sort((a, b) => (b.sequence - a.sequence) | 0);
    this.area = -1;
    this.sequence = 0;
    for (const entry of found) {
      const bytes = yield* this.read(entry.index);
      if (typeof bytes === 'string') {
        tell(entry.index, bytes);
        continue;
      }
      this.area = entry.index;
      this.sequence = entry.sequence;
      return { bytes, problems, isFirstCut: false };
    }
    return { bytes: undefined, problems, isFirstCut: blanks === 1 && damaged === 1 };
  }

  *save(bytes: number, isOver: boolean): Generator<number, string | undefined> {
    if (bytes > layout.CONFIG_TEXT_MAX) return `it has ${bytes} bytes, and ${layout.CONFIG_TEXT_MAX} fit`;
    const older = this.area === 0 ? 1 : 0;
    const target = isOver ? 1 - older : older;
    const sectors = this.sectorsOf(bytes);
    fill(STORE_AT, 0, layout.CONFIG_AT_TEXT);
    fill(CONFIG_TEXT_AT + bytes, 0, sectors * layout.SECTOR_BYTES - layout.CONFIG_AT_TEXT - bytes);
    puti32(STORE_AT + layout.CONFIG_AT_MAGIC, layout.CONFIG_MAGIC);
    puti32(STORE_AT + layout.CONFIG_AT_FORMAT, layout.CONFIG_FORMAT);
    puti32(STORE_AT + layout.CONFIG_AT_SEQUENCE, (this.sequence + 1) | 0);
    puti32(STORE_AT + layout.CONFIG_AT_LENGTH, bytes);
    const crc = this.crcOf(bytes);
    puti32(STORE_AT + layout.CONFIG_AT_CRC, crc);
    const why = yield* this.writeArea(target, sectors);
    if (why !== undefined) return why;
    const back = yield* this.read(target);
    if (typeof back === 'string') return `what was written is not what is read: ${back}`;
    if (i32at(STORE_AT + layout.CONFIG_AT_CRC) !== crc) return 'what was written is not what is read';
    this.area = target;
    this.sequence = (this.sequence + 1) | 0;
    return undefined;
  }

  private *writeArea(index: number, sectors: number): Generator<number, string | undefined> {
    if (sectors > 1) {
      const why =
        (yield* this.disk.write(this.sectorOf(index) + 1, this.view(1, sectors))) ??
        (yield* this.disk.flush());
      if (why !== undefined) return why;
    }
    return (yield* this.disk.write(this.sectorOf(index), this.view(0, 1))) ?? (yield* this.disk.flush());
  }

  *erase(): Generator<number, string | undefined> {
    fill(STORE_AT, 0, layout.CONFIG_SECTORS * layout.SECTOR_BYTES);
    const last = Math.max(this.area, 0);
    for (const index of [1 - last, last]) {
      // The first sector alone makes the rest nothing.
      const why =
        (yield* this.disk.write(this.sectorOf(index), this.view(0, 1))) ??
        (yield* this.disk.flush()) ??
        (yield* this.disk.write(this.sectorOf(index) + 1, this.view(1, layout.CONFIG_SECTORS))) ??
        (yield* this.disk.flush());
      if (why !== undefined) return why;
    }
    this.area = -1;
    return undefined;
  }
}
