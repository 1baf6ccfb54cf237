// The saved configuration: two areas of the disk (src/base/layout.ts), written in turn, so that the one in force is never
// touched. The area's first sector, which makes the rest valid by its CRC-32, is written last:
//
//    area A  | header, text | text ... |   | more text ... |   sequence 7, in force
//    area B  | header, text | text ... |   | more text ... |   sequence 6
//                  4.            2.              1.            then a flush, 3. and 5.
//
// Where one of them cannot be written, or be read again, there is nothing for it but to write over the other.
// A cut before 4 is whole leaves B with a checksum that is wrong, and A in force; after it, B.
// Everything passes through the plane's memory (STORE_AT), where checksums and the disk's data are native code, a piece after the
// other: a text of 64 KB needs no memory beside the one that it has where it is used.
// Not here: what the text means (version.ts, src/control/core/registry.ts), who may use the store's memory when (store.ts).

import type { Disk } from '../../../../hal/disk/disk.ts';
import * as layout from '../../../base/layout.ts';
import { LONG_SETTINGS_AT, STORE_AT, STORE_BYTES } from '../../../base/limits.ts';
import { copy, fill, i32at, puti32 } from '../../../base/memory.ts';
import { Refusal } from '../console/command.ts';
import type { Machine } from '../machine.ts';
import { crcOf, putText, type Text } from './text.ts';

/** Where the text is whose first sectors, or all, are in the store's memory. */
const TEXT_AT = STORE_AT + layout.CONFIG_AT_TEXT;

/** What the machine is needed for. */
export type StoreMachine = Pick<Machine, 'memory'> & { plane: Pick<Machine['plane'], 'crc32'> };

export interface Loaded {
  /** Bytes of the newest text that can be read; undefined if there is none. */
  bytes: number | undefined;
  /** What was wrong with a newer one, or with both. */
  problems: string[];
  /** There is nothing but a first save that was cut: one area has never been written, and the other can be read. */
  isFirstCut: boolean;
}

export interface ConfigStore {
  /** Looks for the newest that can be read. */
  load(): Generator<number, Loaded>;
  /** Shows its text, of so many bytes, in pieces: where each lies until the next comes. Answers why it could not. */
  pieces(bytes: number, use: (piece: Text) => void): Generator<number, string | undefined>;
  /** Saves a line and texts in memory over the older one; answers why it could not. With `isOver` it goes over the one in force. */
  save(head: string, texts: readonly Text[], isOver: boolean): Generator<number, string | undefined>;
  /** Wipes both, the one in force last. */
  erase(): Generator<number, string | undefined>;
}

/** The places of a floppy, by its drive. */
export interface FloppyStore extends ConfigStore {
  /** To be run before something is saved. Answers why nothing can be. */
  ready(): Generator<number, string | undefined>;
}

/** Where the loader has put a floppy's text: a long one has memory of its own, which goes when it is in force. */
function heldAt(bytes: number): number {
  return bytes + layout.CONFIG_AT_TEXT <= STORE_BYTES ? TEXT_AT : LONG_SETTINGS_AT + layout.CONFIG_AT_TEXT;
}

/** What the loader has left of a floppy. */
function held({ plane }: StoreMachine): Loaded {
  const magic = i32at(STORE_AT + layout.CONFIG_AT_MAGIC);
  if (magic === 0) return { bytes: undefined, problems: [], isFirstCut: false };
  const bytes = i32at(STORE_AT + layout.CONFIG_AT_LENGTH);
  const isWhole =
    magic === layout.CONFIG_MAGIC &&
    bytes >= 0 &&
    bytes <= layout.CONFIG_TEXT_MAX &&
    crcOf(plane, plane.crc32(0, STORE_AT, layout.CONFIG_AT_CRC), heldAt(bytes), bytes) ===
      i32at(STORE_AT + layout.CONFIG_AT_CRC);
  const problems = isWhole ? [] : ['the saved configurations of the floppy cannot be used'];
  return { bytes: isWhole ? bytes : undefined, problems, isFirstCut: false };
}

/**
 * The settings of a floppy. The loader has read them (image/loader/settings.ts), the floor has put them into the store's
 * memory, and there they stay, as nobody else writes into it without a disk: only what changes them needs the drive.
 * @param drive opens it, or refuses that; it is held until it stands still.
 * @param isLeft what the store's memory holds is what is saved.
 */
export function createFloppyStore(
  machine: StoreMachine,
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

  function* load(): Generator<number, Loaded> {
    if (isHeld) return held(machine);
    const store = open();
    if (typeof store === 'string') return { bytes: undefined, problems: [store], isFirstCut: false };
    const loaded = yield* store.load();
    isHeld = loaded.problems.length === 0 && (loaded.bytes ?? 0) + layout.CONFIG_AT_TEXT <= STORE_BYTES;
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

  function* pieces(bytes: number, use: (piece: Text) => void): Generator<number, string | undefined> {
    if (!isHeld) return opened === undefined ? undefined : yield* opened.pieces(bytes, use);
    use({ at: heldAt(bytes), bytes });
    // The memory of a long one is another's to have soon.
    isHeld = heldAt(bytes) === TEXT_AT;
    return undefined;
  }

  function* save(
    head: string,
    texts: readonly Text[],
    isOver: boolean,
  ): Generator<number, string | undefined> {
    const why = yield* spoil(store => store.save(head, texts, isOver));
    // A short one lies in the store's memory now.
    const bytes = texts.reduce((sum, text) => sum + text.bytes, head.length);
    isHeld = why === undefined && bytes + layout.CONFIG_AT_TEXT <= STORE_BYTES;
    return why;
  }

  function* erase(): Generator<number, string | undefined> {
    return (yield* ready()) ?? (yield* spoil(store => store.erase()));
  }

  const ready = (): Generator<number, string | undefined> => spoil(store => store.ready());

  return { load, pieces, save, erase, ready };
}

const NO_CONFIGURATION = 'it is no configuration';
const OTHER_FORMAT = 'its format is another';
const BAD_LENGTH = 'its length is impossible';
const BAD_CHECKSUM = 'its checksum is wrong';
/** What a power cut in the middle of writing leaves; a sector that cannot be read is another matter. */
const DAMAGES: readonly string[] = [NO_CONFIGURATION, BAD_LENGTH, BAD_CHECKSUM];

/** Sectors in one go: those of an area that lie together, and as many of the rest each time. */
const PIECE_SECTORS = layout.CONFIG_SECTORS;
const PIECE_BYTES = PIECE_SECTORS * layout.SECTOR_BYTES;
const PART_BYTES = 4096;

const sectorsOf = (bytes: number): number => Math.ceil((layout.CONFIG_AT_TEXT + bytes) / layout.SECTOR_BYTES);

export class ConfigAreas implements ConfigStore {
  /** The area in force and its sequence, or -1 and 0. */
  private area = -1;
  private sequence = 0;

  constructor(
    private readonly machine: StoreMachine,
    private readonly disk: Disk,
  ) {}

  /** Where an area's piece begins on the disk. */
  private sectorOf(index: number, piece = 0): number {
    return piece === 0
      ? layout.CONFIG_SECTOR + index * layout.CONFIG_SECTORS
      : layout.CONFIG_MORE_SECTOR + index * layout.CONFIG_MORE_SECTORS + (piece - 1) * PIECE_SECTORS;
  }

  private view(from: number, to: number): Uint8Array {
    return this.machine.memory.subarray(
      STORE_AT + from * layout.SECTOR_BYTES,
      STORE_AT + to * layout.SECTOR_BYTES,
    );
  }

  private crc(before: number, at: number, bytes: number): number {
    return crcOf(this.machine.plane, before, at, bytes);
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

  /** Reads an area through the store's memory; answers as header() does. A short one is there then, the end of a long one. */
  private *read(index: number): Generator<number, number | string> {
    const bytes = yield* this.header(index);
    if (typeof bytes === 'string') return bytes;
    const expected = i32at(STORE_AT + layout.CONFIG_AT_CRC);
    let crc = this.crc(0, STORE_AT, layout.CONFIG_AT_CRC);
    const sum = ({ at, bytes: some }: Text): void => {
      crc = this.crc(crc, at, some);
    };
    return (yield* this.each(index, bytes, 1, sum)) ?? (crc === expected ? bytes : BAD_CHECKSUM);
  }

  /** Reads an area piece by piece, from one of its sectors on, where those before are in memory; answers why it cannot. */
  private *each(
    index: number,
    bytes: number,
    first: number,
    use: (piece: Text) => void,
  ): Generator<number, string | undefined> {
    const sectors = sectorsOf(bytes);
    for (let piece = 0, from = first; piece * PIECE_SECTORS < sectors; piece++, from = 0) {
      const to = Math.min(PIECE_SECTORS, sectors - piece * PIECE_SECTORS);
      if (to > from) {
        const why = yield* this.disk.read(this.sectorOf(index, piece) + from, this.view(from, to));
        if (why !== undefined) return why;
      }
      const left = bytes + layout.CONFIG_AT_TEXT - piece * PIECE_BYTES;
      const end = STORE_AT + Math.min(PIECE_BYTES, left);
      // Who looks at lines takes his time: of a long text a step has no more than this.
      const part = sectors > PIECE_SECTORS ? PART_BYTES : PIECE_BYTES;
      for (let at = piece === 0 ? TEXT_AT : STORE_AT; at < end; at += part) {
        use({ at, bytes: Math.min(part, end - at) });
        if (end - at > part || piece > 0) yield 0;
      }
    }
    return undefined;
  }

  *pieces(bytes: number, use: (piece: Text) => void): Generator<number, string | undefined> {
    const isThere = sectorsOf(bytes) <= PIECE_SECTORS;
    return yield* this.each(this.area, bytes, isThere ? PIECE_SECTORS : 0, use);
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

  *save(head: string, texts: readonly Text[], isOver: boolean): Generator<number, string | undefined> {
    const bytes = texts.reduce((sum, text) => sum + text.bytes, head.length);
    if (bytes > layout.CONFIG_TEXT_MAX) return `it has ${bytes} bytes, and ${layout.CONFIG_TEXT_MAX} fit`;
    const older = this.area === 0 ? 1 : 0;
    const target = isOver ? 1 - older : older;
    const sectors = sectorsOf(bytes);
    for (let piece = 1; piece * PIECE_SECTORS < sectors; piece++) {
      const count = Math.min(PIECE_SECTORS, sectors - piece * PIECE_SECTORS);
      this.put(head, texts, piece * PIECE_BYTES, count);
      const why = yield* this.disk.write(this.sectorOf(target, piece), this.view(0, count));
      if (why !== undefined) return why;
    }
    const first = Math.min(PIECE_SECTORS, sectors);
    this.put(head, texts, 0, first);
    const crc = this.seal(bytes, head.length, texts);
    const why = yield* this.writeFirst(target, first, sectors);
    if (why !== undefined) return why;
    const back = yield* this.read(target);
    if (typeof back === 'string') return `what was written is not what is read: ${back}`;
    // Of a long one the end is there.
    if (sectors > PIECE_SECTORS) yield* this.header(target);
    if (i32at(STORE_AT + layout.CONFIG_AT_CRC) !== crc) return 'what was written is not what is read';
    this.area = target;
    this.sequence = (this.sequence + 1) | 0;
    return undefined;
  }

  /** Puts so many sectors of a record, from a byte of it on, into the store's memory; what is not text is zeros. */
  private put(head: string, texts: readonly Text[], from: number, sectors: number): void {
    const end = from + sectors * layout.SECTOR_BYTES;
    fill(STORE_AT, 0, end - from);
    let place = layout.CONFIG_AT_TEXT;
    if (from === 0) putText(this.machine.memory, STORE_AT + place, head);
    place += head.length;
    for (const { at, bytes } of texts) {
      const [first, last] = [Math.max(from, place), Math.min(end, place + bytes)];
      if (last > first) copy(STORE_AT + first - from, at + first - place, last - first);
      place += bytes;
    }
  }

  /** Writes the header in the store's memory, whose first piece is there; answers the checksum. */
  private seal(bytes: number, headBytes: number, texts: readonly Text[]): number {
    puti32(STORE_AT + layout.CONFIG_AT_MAGIC, layout.CONFIG_MAGIC);
    puti32(STORE_AT + layout.CONFIG_AT_FORMAT, layout.CONFIG_FORMAT);
    puti32(STORE_AT + layout.CONFIG_AT_SEQUENCE, (this.sequence + 1) | 0);
    puti32(STORE_AT + layout.CONFIG_AT_LENGTH, bytes);
    let crc = this.crc(this.crc(0, STORE_AT, layout.CONFIG_AT_CRC), TEXT_AT, headBytes);
    for (const text of texts) crc = this.crc(crc, text.at, text.bytes);
    puti32(STORE_AT + layout.CONFIG_AT_CRC, crc);
    return crc;
  }

  /** The first piece, of it the header last; what lies elsewhere has been written, and is flushed before. */
  private *writeFirst(index: number, first: number, sectors: number): Generator<number, string | undefined> {
    let why: string | undefined;
    if (first > 1) why = yield* this.disk.write(this.sectorOf(index) + 1, this.view(1, first));
    if (why === undefined && sectors > 1) why = yield* this.disk.flush();
    if (why !== undefined) return why;
    return (yield* this.disk.write(this.sectorOf(index), this.view(0, 1))) ?? (yield* this.disk.flush());
  }

  *erase(): Generator<number, string | undefined> {
    fill(STORE_AT, 0, PIECE_BYTES);
    const last = Math.max(this.area, 0);
    for (const index of [1 - last, last]) {
      // The first sector alone makes the rest nothing.
      let why =
        (yield* this.disk.write(this.sectorOf(index), this.view(0, 1))) ??
        (yield* this.disk.flush()) ??
        (yield* this.disk.write(this.sectorOf(index) + 1, this.view(1, PIECE_SECTORS)));
      const all = layout.CONFIG_SECTORS + layout.CONFIG_MORE_SECTORS;
      for (let piece = 1; piece * PIECE_SECTORS < all && why === undefined; piece++) {
        const count = Math.min(PIECE_SECTORS, all - piece * PIECE_SECTORS);
        why = yield* this.disk.write(this.sectorOf(index, piece), this.view(0, count));
      }
      why ??= yield* this.disk.flush();
      if (why !== undefined) return why;
    }
    this.area = -1;
    return undefined;
  }
}
