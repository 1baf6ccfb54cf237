// The store: the saved configuration and the flash log as services have them. It reads both when the board starts,
// before any service does, and writes later as tasks, one after another.
//
// How often the log is written: what is new (a first lease, a crash) waits SOON_TICKS for more of its kind, all else
// LATER_TICKS; the DHCP server's notes are bounded before (DHCP_NOTE_BURST, DHCP_NOTE_SECONDS), so that no client can
// wear a card out. docs/configuration.md has the figures.
//
// Not here: commands (src/control/config/commands.ts), formats (config-store.ts, journal.ts, lease-store.ts).

import type { Disk } from '../../../../hal/disk/disk.ts';
import { CONFIG_TEXT_MAX, LOG_KIND_CARDS, LOG_KIND_LEASE, LOG_KIND_WAN } from '../../../base/layout.ts';
import {
  CONFIGURATION_AT,
  CONFIGURATION_BYTES,
  LEASE_ADDRESSES_AT,
  LEASE_COUNT,
  TICKS_PER_SECOND,
} from '../../../base/limits.ts';
import { copy, i32at } from '../../../base/memory.ts';
import { hex } from '../address.ts';
import { since, type Timer } from '../clock.ts';
import { Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { waitFor } from '../disk.ts';
import { STORE_LATER_SECONDS, STORE_SOON_SECONDS } from '../limits.ts';
import { WARNING } from '../log.ts';
import { readRtc } from '../rtc.ts';
import {
  ConfigAreas,
  type ConfigStore,
  createFloppyStore,
  type FloppyStore,
  type Loaded,
} from './config-store.ts';
import { type Entry, FlashLog, type Journal } from './journal.ts';
import { leaseEntry, leaseOf } from './lease-store.ts';
import { SavedLines } from './saved-lines.ts';
import type { Reads, Saved, Store, Unread, Visit } from './store-types.ts';
import type { LeaseStore, StoredLease } from './stored-lease.ts';
import { createTasks, type Task, type Tasks } from './tasks.ts';
import { findLine, type Text, textFrom } from './text.ts';
import { CONFIG_VERSION, versionLine, versionOf } from './version.ts';

/** Reading at the start takes so long in one go. The settings are waited for longer, the flash log is not. */
const START_TICKS = 3 * TICKS_PER_SECOND;
const SOON_TICKS = STORE_SOON_SECONDS * TICKS_PER_SECOND;
const LATER_TICKS = STORE_LATER_SECONDS * TICKS_PER_SECOND;
/** A place for the settings that fails so often has an error that lasts. */
const SAVE_TRIES = 2;
/** Lines, and bytes of one, that are looked at for the cards: some settings start with the same letter. */
const START_LINES = 256;
const START_BYTES = 128;
/** The first lines, of the version and of the cards, are no longer. */
const HEAD_BYTES = 128;
/** On a floppy the second line: the record of the cards' roles, in hexadecimal digits. */
const CARDS_LINE = /^# cards ([0-9a-f]{40})$/;
/** Where the registry keeps the settings' lines. */
const LINES_AT = CONFIGURATION_AT + 4;
const LINES_BYTES = CONFIGURATION_BYTES - 4;

export class DiskStore implements Store {
  private readonly tasks: Tasks;
  private config: ConfigStore | undefined;
  /** The same, if it is on a floppy, which has no journal. */
  private floppy: FloppyStore | undefined;
  private journal: Journal | undefined;
  private isOpen = false;
  /** The saved configuration has been read. */
  private isRead = false;
  /** What is wrong with the log, from the start until it is told. */
  private logProblem: string | undefined;
  private loaded: Loaded = { bytes: undefined, problems: [], isFirstCut: false };
  /** Where the saved text lies at the start. */
  private textAt = LINES_AT;
  /** What the log had at the start, until the DHCP server has taken it. */
  private found: Entry[] = [];
  wanAddress = 0;
  cards: Uint8Array | undefined;
  isWhole = false;
  private readonly waiting = new Map<string, Entry>();
  private timer: Timer | undefined;
  private complaint = '';
  readonly leases: LeaseStore = {
    load: add => {
      const now = this.seconds();
      for (const entry of this.found) {
        const lease = leaseOf(entry, now);
        if (lease !== undefined) add(lease);
      }
      this.found = [];
    },
    note: (lease: StoredLease) => {
      const isNew = lease.seconds > 0 && this.journal?.has(LOG_KIND_LEASE, lease.address) !== true;
      this.keep(leaseEntry(lease, this.seconds()), isNew);
    },
  };
  private readonly machine: Context['machine'];
  private readonly clock: Context['clock'];
  private readonly log: Context['log'];
  private readonly registry: Context['registry'];

  constructor(private readonly context: Context) {
    this.machine = context.machine;
    this.clock = context.clock;
    this.tasks = createTasks(context.clock);
    this.log = context.log;
    this.registry = context.registry;
  }

  load(visit?: Visit): Task<Saved> {
    return this.tasks.start(this.loads(visit));
  }

  loadAll(): Task<Saved> {
    return this.tasks.start(this.loadsAll());
  }

  save(): Task<string | undefined> {
    return this.tasks.start(this.saves());
  }

  erase(): Task<string | undefined> {
    return this.tasks.start(this.erases());
  }

  flush(): Task<string | undefined> {
    return this.tasks.start(this.writes());
  }

  read(kind: number, visit: (entry: Entry) => void): Task<string | undefined> {
    return this.tasks.start(this.reads(kind, visit));
  }

  private *reads(kind: number, visit: (entry: Entry) => void): Generator<number, string | undefined> {
    yield* this.ready();
    return yield* (this.journal as Journal).read(kind, visit);
  }

  written(): { now: number; ever: number } {
    return { now: this.journal?.written ?? 0, ever: this.journal?.sequence ?? 0 };
  }

  keepCards(payload: Uint8Array): void {
    this.keep({ kind: LOG_KIND_CARDS, key: 0, payload }, true);
  }

  get hasSettings(): boolean {
    return this.config !== undefined;
  }

  keepWan(address: number): void {
    if (address === this.wanAddress) return;
    // A provider that gives another one each minute wears no card out.
    const isSoon = this.wanAddress === 0;
    this.wanAddress = address;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setInt32(0, address, true);
    this.keep({ kind: LOG_KIND_WAN, key: 0, payload }, isSoon);
  }

  /** Unix time, if anybody knows it; at the start that is the board's clock alone. */
  private seconds(): number | undefined {
    const milliseconds = this.context.wallClock.milliseconds();
    return milliseconds === undefined ? readRtc() : Math.floor(milliseconds / 1000);
  }

  /** A lease counts while the DHCP server's table has its address. */
  private isLive(kind: number, key: number): boolean {
    if (kind !== LOG_KIND_LEASE) return true;
    const { buffer, byteOffset } = this.machine.memory;
    return new Int32Array(buffer, byteOffset + LEASE_ADDRESSES_AT, LEASE_COUNT).includes(key);
  }

  /**
   * Learns what the disk holds: first thing, or before the first task of a restarted control. At the start the text
   * goes to where the registry keeps its lines, to be applied from there.
   */
  private *ready(isStart = false, hasLog = true): Generator<number, string | undefined> {
    if (this.isOpen || this.config === undefined || this.journal === undefined) return undefined;
    this.loaded = yield* this.config.load();
    this.isRead = true;
    if (isStart && this.loaded.bytes !== undefined) yield* this.place(this.loaded.bytes);
    if (!hasLog) return 'reading it has ended control';
    const why = yield* this.journal.open(entry => {
      if (isStart && entry.kind === LOG_KIND_LEASE) this.found.push(entry);
      if (entry.kind === LOG_KIND_CARDS) this.cards = entry.payload;
      if (entry.kind === LOG_KIND_WAN && entry.payload.length === 4) {
        this.wanAddress = new DataView(entry.payload.buffer).getInt32(0, true);
      }
    });
    this.isOpen = true;
    this.isWhole = why === undefined;
    return why;
  }

  /**
   * Puts the saved text where it is applied from: where the registry keeps its lines, or, if it is longer than these can be, in
   * memory that is lent for it.
   */
  private *place(bytes: number): Generator<number, void> {
    const { draft } = this.registry.sections;
    const isLong = bytes > LINES_BYTES;
    this.textAt = isLong ? draft.at : LINES_AT;
    let to = 0;
    let hasRoom = true;
    const why = yield* (this.config as ConfigStore).pieces(bytes, piece => {
      if (isLong && piece.bytes === bytes) {
        // The loader has put it there.
        this.textAt = piece.at;
        return;
      }
      if (to === 0) hasRoom = !isLong || draft.reach(bytes);
      if (hasRoom) copy(this.textAt + to, piece.at, piece.bytes);
      to += piece.bytes;
    });
    if (why === undefined && hasRoom) return;
    this.loaded = { ...this.loaded, bytes: undefined };
    this.loaded.problems.push(`what was saved cannot be used: ${why ?? 'the heap has no room for it'}`);
  }

  *open(disk: Disk | undefined, reads: Reads): Generator<number, Unread | undefined, void> {
    if (disk === undefined) return this.context.isFloppy === true ? yield* this.openFloppy(reads) : undefined;
    this.config = new ConfigAreas(this.machine, disk);
    this.journal = new FlashLog(this.machine, disk, (kind, key) => this.isLive(kind, key));
    if (reads === 'nothing')
      return { why: 'reading the saved settings has ended control', isTriedAgain: false };
    const result = yield* waitFor(
      this.context,
      this.ready(true, reads === 'all'),
      START_TICKS,
      () => !this.isRead,
    );
    if (result === undefined) {
      const what = this.isRead ? 'the flash log was not read' : 'what was saved is not used';
      const problem = `the disk is too slow: ${what}`;
      if (this.isRead) this.logProblem = problem;
      else this.loaded.problems.push(problem);
    } else if (result.value !== undefined) this.logProblem = `the flash log has bad sectors: ${result.value}`;
    if (this.loaded.bytes !== undefined || this.loaded.problems.length === 0 || this.loaded.isFirstCut)
      return undefined;
    return { why: 'the saved settings cannot be read', isTriedAgain: true };
  }

  /** Takes what the loader has read of a floppy, if there is anything. A control that starts anew does not rely on it. */
  private *openFloppy(reads: Reads): Generator<number, Unread | undefined, void> {
    const isLeft = reads !== 'nothing';
    const drive = (stopped: () => void) => this.machine.overlay('floppy').openFloppy(this.context, stopped);
    this.floppy = createFloppyStore(this.machine, drive, isLeft);
    this.config = this.floppy;
    if (!isLeft) return { why: 'reading the saved settings has ended control', isTriedAgain: false };
    this.loaded = yield* this.floppy.load();
    const { bytes, problems } = this.loaded;
    if (bytes !== undefined) {
      yield* this.place(bytes);
      this.cards = this.cardsOf(this.headLine({ at: this.textAt, bytes }, 1));
    }
    return problems.length === 0 ? undefined : { why: problems[0] as string, isTriedAgain: false };
  }

  /** One of the first lines of a text. */
  private headLine({ at, bytes }: Text, index: number): string {
    return textFrom(this.machine.memory, at, Math.min(bytes, HEAD_BYTES)).split('\n')[index] ?? '';
  }

  /** What the second line of a floppy's text remembers of the cards' roles: it has no journal. */
  private cardsOf(line: string): Uint8Array | undefined {
    const digits = CARDS_LINE.exec(line)?.[1];
    if (digits === undefined) return undefined;
    return Uint8Array.from(digits.match(/../g) as string[], two => Number.parseInt(two, 16));
  }

  /** What is to be remembered of the roles now, if they are known; undefined where there is no room to find out. */
  private remembered(): Uint8Array | undefined {
    try {
      return this.machine.overlay('cards').remembered(this.cards);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    }
  }

  /** The line for that; empty if there were never two cards. */
  private *cardsLine(): Generator<number, string> {
    let record = this.remembered();
    if (record === undefined && this.cards === undefined) {
      // A card is missing, and a control that was restarted has not read the text.
      const config = this.config as ConfigStore;
      const { bytes } = yield* config.load();
      let first: Text | undefined;
      if (bytes !== undefined)
        yield* config.pieces(bytes, piece => {
          if (first === undefined) this.cards = this.cardsOf(this.headLine(piece, 1));
          first = piece;
        });
      record = this.remembered();
    }
    this.cards = record ?? this.cards;
    return this.cards === undefined
      ? ''
      : `# cards ${Array.from(this.cards, byte => hex(byte, 2)).join('')}\n`;
  }

  startLines(words: string): string[] {
    const { memory, plane } = this.machine;
    const { textAt } = this;
    const end = textAt + (this.loaded.bytes ?? 0);
    const [first, second] = [words.charCodeAt(0), words.charCodeAt(words.indexOf(' ') + 1)];
    const lines: string[] = [];
    let at = findLine(plane, textAt, end, first, second);
    for (let i = 0; i < START_LINES && at < end; i++) {
      const length = memory.subarray(at, end).indexOf(10);
      const bytes = length < 0 ? end - at : length;
      if (bytes <= START_BYTES) lines.push(textFrom(memory, at, bytes).trim());
      at = length < 0 ? end : findLine(plane, at + length + 1, end, first, second);
    }
    return lines;
  }

  *apply(isSafe: boolean): Generator<number, string[], void> {
    const { bytes, problems } = this.loaded;
    this.loaded = { bytes: undefined, problems: [], isFirstCut: false };
    if (problems.length > 0)
      problems.push(
        bytes === undefined ? 'the settings are the defaults' : 'the other saved configuration is used',
      );
    if (this.logProblem !== undefined) problems.push(this.logProblem);
    if (bytes === undefined) {
      this.registry.changed();
      return problems;
    }
    const text = { at: this.textAt, bytes };
    if (isSafe) {
      yield* this.registry.applyFirst(text);
      this.registry.sections.draft.clear();
      return problems;
    }
    const version = versionOf(this.headLine(text, 0));
    if (version > CONFIG_VERSION)
      problems.push(`the saved settings are of a newer firmware (version ${version})`);
    // QuickJS cannot compile a yield inside of an array.
    const refusals = yield* this.registry.apply(text);
    this.registry.sections.draft.clear();
    return [...problems, ...refusals];
  }

  private *loads(visit?: Visit): Generator<number, Saved> {
    yield* this.ready();
    const config = this.config as ConfigStore;
    const { bytes, problems, isFirstCut } = yield* config.load();
    const saved = new SavedLines(this.machine, this.registry.sections, visit);
    if (bytes === undefined) return { ...saved.none(), problems: isFirstCut ? [] : problems };
    const why = yield* config.pieces(bytes, piece => saved.take(piece));
    if (why !== undefined) return { ...saved.none(), problems: [...problems, why] };
    return { ...saved.end(bytes), problems };
  }

  private *loadsAll(): Generator<number, Saved> {
    const { sections } = this.registry;
    const { draft } = sections;
    sections.isDrafting = true;
    draft.clear();
    let isCut = false;
    const saved = yield* this.loads((line, _, section, at) => {
      const text = at === 0 ? `${line}\n` : { at, bytes: line.length + 1 };
      if (section >= 0) isCut ||= !draft.append(section, text);
    });
    sections.isDrafting = false;
    return { ...saved, isCut };
  }

  private *saves(): Generator<number, string | undefined> {
    yield* this.ready();
    let head = `${versionLine()}\n`;
    if (this.floppy !== undefined) {
      const cause = yield* this.floppy.ready();
      if (cause !== undefined) return cause;
      head += yield* this.cardsLine();
    }
    // The registry's text is in the plane's memory already, but when it is too long for it.
    this.registry.changed();
    this.registry.write();
    const { now } = this.registry.sections;
    const bytes = i32at(CONFIGURATION_AT);
    const length = this.registry.lines().reduce((sum, line) => sum + line.length + 1, 0);
    const room = CONFIG_TEXT_MAX - head.length;
    if (bytes !== length) return `the settings have ${length} characters, and ${LINES_BYTES} fit`;
    const all = bytes + now.bytes;
    if (all > room) return `the configuration has ${all} characters, and ${room} fit`;
    const to = this.config as ConfigStore;
    const texts = [
      { at: LINES_AT, bytes },
      { at: now.at, bytes: now.bytes },
    ];
    let why: string | undefined;
    for (let i = 0; i < SAVE_TRIES; i++) {
      why = yield* to.save(head, texts, false);
      if (why === undefined) return undefined;
    }
    if ((yield* to.save(head, texts, true)) !== undefined) return why;
    // Rather a save that a power cut may spoil than none for ever.
    this.log(
      WARNING,
      'config',
      `one of the two places for settings is bad (${why}): no power cut while they are saved`,
      true,
    );
    return undefined;
  }

  private *erases(): Generator<number, string | undefined> {
    yield* this.ready();
    this.waiting.clear();
    const why = yield* (this.config as ConfigStore).erase();
    return why === undefined && this.journal !== undefined ? yield* this.journal.erase() : why;
  }

  private *writes(): Generator<number, string | undefined> {
    yield* this.ready();
    const entries = [...this.waiting.values()];
    this.waiting.clear();
    const why = yield* (this.journal as Journal).write(entries);
    if (why === undefined) {
      this.complaint = '';
      return undefined;
    }
    this.complain(why);
    for (const entry of entries) {
      const id = `${entry.kind} ${entry.key}`;
      if (!this.waiting.has(id)) this.waiting.set(id, entry);
    }
    this.schedule(LATER_TICKS);
    return why;
  }

  private complain(why: string): void {
    if (why !== this.complaint) this.log(WARNING, 'config', `the flash log cannot be written: ${why}`);
    this.complaint = why;
  }

  private schedule(ticks: number): void {
    if (this.timer !== undefined) {
      if (since(this.timer.tick, this.clock.now()) <= ticks) return;
      this.clock.cancel(this.timer);
    }
    this.timer = this.clock.after(ticks, () => {
      this.timer = undefined;
      if (this.waiting.size > 0) this.tasks.start(this.writes());
    });
  }

  keep(entry: Entry, isSoon: boolean): void {
    if (this.journal === undefined) return;
    this.waiting.set(`${entry.kind} ${entry.key}`, entry);
    this.schedule(isSoon ? SOON_TICKS : LATER_TICKS);
  }
}
