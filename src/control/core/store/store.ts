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
import { CONFIGURATION_AT, LEASE_ADDRESSES_AT, LEASE_COUNT, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { copy, i32at } from '../../../base/memory.ts';
import type { LeaseStore, StoredLease } from '../../dhcp/stored-lease.ts';
import { hex } from '../address.ts';
import { since, type Timer } from '../clock.ts';
import { Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { waitFor } from '../disk.ts';
import { STORE_LATER_SECONDS, STORE_SOON_SECONDS } from '../limits.ts';
import { WARNING } from '../log.ts';
import { readRtc } from '../rtc.ts';
import {
  CONFIG_TEXT_AT,
  type ConfigStore,
  createConfigStore,
  createFloppyStore,
  type FloppyStore,
  type Loaded,
} from './config-store.ts';
import { createJournal, type Entry, type Journal } from './journal.ts';
import { leaseEntry, leaseOf } from './lease-store.ts';
import type { Reads, Saved, Store, Unread } from './store-types.ts';
import { createTasks } from './tasks.ts';
import { putText, textFrom } from './text.ts';
import { CONFIG_VERSION, migrate, versionLine, versionOf } from './version.ts';

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

export function createStore(context: Context): Store {
  const { machine, clock, log, registry } = context;
  const tasks = createTasks(clock);
  let config: ConfigStore | undefined;
  /** The same, if it is on a floppy, which has no journal. */
  let floppy: FloppyStore | undefined;
  let journal: Journal | undefined;
  let isOpen = false;
  /** The saved configuration has been read. */
  let isRead = false;
  /** What is wrong with the log, from the start until it is told. */
  let logProblem: string | undefined;
  let loaded: Loaded = { bytes: undefined, problems: [], isFirstCut: false };
  /** What the log had at the start, until the DHCP server has taken it. */
  let found: Entry[] = [];
  let wanAddress = 0;
  let cards: Uint8Array | undefined;
  let isWhole = false;
  const waiting = new Map<string, Entry>();
  let timer: Timer | undefined;
  let complaint = '';

  /** Unix time, if anybody knows it; at the start that is the board's clock alone. */
  function seconds(): number | undefined {
    const milliseconds = context.time?.wallClock.milliseconds();
    return milliseconds === undefined ? readRtc() : Math.floor(milliseconds / 1000);
  }

  /** A lease counts while the DHCP server's table has its address. */
  function isLive(kind: number, key: number): boolean {
    if (kind !== LOG_KIND_LEASE) return true;
    const { buffer, byteOffset } = machine.memory;
    return new Int32Array(buffer, byteOffset + LEASE_ADDRESSES_AT, LEASE_COUNT).includes(key);
  }

  /**
   * Learns what the disk holds: first thing, or before the first task of a restarted control. At the start the text
   * goes to where the registry keeps its lines, to be applied from there.
   */
  function* ready(isStart = false, hasLog = true): Generator<number, string | undefined> {
    if (isOpen || config === undefined || journal === undefined) return undefined;
    loaded = yield* config.load();
    isRead = true;
    if (isStart && loaded.bytes !== undefined) copy(LINES_AT, CONFIG_TEXT_AT, loaded.bytes);
    if (!hasLog) return 'reading it has ended control';
    const why = yield* journal.open(entry => {
      if (isStart && entry.kind === LOG_KIND_LEASE) found.push(entry);
      if (entry.kind === LOG_KIND_CARDS) cards = entry.payload;
      if (entry.kind === LOG_KIND_WAN && entry.payload.length === 4) {
        wanAddress = new DataView(entry.payload.buffer).getInt32(0, true);
      }
    });
    isOpen = true;
    isWhole = why === undefined;
    return why;
  }

  function* open(disk: Disk | undefined, reads: Reads): Generator<number, Unread | undefined, void> {
    if (disk === undefined) return context.isFloppy === true ? yield* openFloppy(reads) : undefined;
    config = createConfigStore(machine, disk);
    journal = createJournal(machine, disk, isLive);
    if (reads === 'nothing')
      return { why: 'reading the saved settings has ended control', isTriedAgain: false };
    const result = yield* waitFor(context, ready(true, reads === 'all'), START_TICKS, () => !isRead);
    if (result === undefined) {
      const what = isRead ? 'the flash log was not read' : 'what was saved is not used';
      const problem = `the disk is too slow: ${what}`;
      if (isRead) logProblem = problem;
      else loaded.problems.push(problem);
    } else if (result.value !== undefined) logProblem = `the flash log has bad sectors: ${result.value}`;
    if (loaded.bytes !== undefined || loaded.problems.length === 0 || loaded.isFirstCut) return undefined;
    return { why: 'the saved settings cannot be read', isTriedAgain: true };
  }

  /** Takes what the loader has read of a floppy, if there is anything. A control that starts anew does not rely on it. */
  function* openFloppy(reads: Reads): Generator<number, Unread | undefined, void> {
    const isLeft = reads !== 'nothing';
    const drive = (stopped: () => void) => machine.overlay('floppy').openFloppy(context, stopped);
    floppy = createFloppyStore(machine, drive, isLeft);
    config = floppy;
    if (!isLeft) return { why: 'reading the saved settings has ended control', isTriedAgain: false };
    loaded = yield* floppy.load();
    const { bytes, problems } = loaded;
    if (bytes !== undefined) {
      copy(LINES_AT, CONFIG_TEXT_AT, bytes);
      cards = cardsOf(bytes);
    }
    return problems.length === 0 ? undefined : { why: problems[0] as string, isTriedAgain: false };
  }

  /** One of the first lines of a text. */
  function headLine(at: number, bytes: number, index: number): string {
    return textFrom(machine.memory, at, Math.min(bytes, HEAD_BYTES)).split('\n')[index] ?? '';
  }

  /** What a floppy's text, at CONFIG_TEXT_AT, remembers of the cards' roles: it has no journal. */
  function cardsOf(bytes: number): Uint8Array | undefined {
    const digits = CARDS_LINE.exec(headLine(CONFIG_TEXT_AT, bytes, 1))?.[1];
    if (digits === undefined) return undefined;
    return Uint8Array.from(digits.match(/../g) as string[], two => Number.parseInt(two, 16));
  }

  /** What is to be remembered of the roles now, if they are known; undefined where there is no room to find out. */
  function remembered(): Uint8Array | undefined {
    try {
      return machine.overlay('cards').remembered(cards);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    }
  }

  /** The line for that; empty if there were never two cards. Replaces what is at CONFIG_TEXT_AT. */
  function* cardsLine(): Generator<number, string> {
    let record = remembered();
    if (record === undefined && cards === undefined) {
      // A card is missing, and a control that was restarted has not read the text.
      const { bytes } = yield* (config as ConfigStore).load();
      if (bytes !== undefined) cards = cardsOf(bytes);
      record = remembered();
    }
    cards = record ?? cards;
    return cards === undefined ? '' : `# cards ${Array.from(cards, byte => hex(byte, 2)).join('')}\n`;
  }

  function startLines(words: string): string[] {
    const { memory, plane } = machine;
    const end = LINES_AT + (loaded.bytes ?? 0);
    const [first, second] = [words.charCodeAt(0), words.charCodeAt(words.indexOf(' ') + 1)];
    const lines: string[] = [];
    let at = plane.findLine(LINES_AT, end, first, second);
    for (let i = 0; i < START_LINES && at < end; i++) {
      const length = memory.subarray(at, end).indexOf(10);
      const bytes = length < 0 ? end - at : length;
      if (bytes <= START_BYTES) lines.push(textFrom(memory, at, bytes).trim());
      at = length < 0 ? end : plane.findLine(at + length + 1, end, first, second);
    }
    return lines;
  }

  function* apply(isSafe: boolean): Generator<number, string[], void> {
    const { bytes, problems } = loaded;
    loaded = { bytes: undefined, problems: [], isFirstCut: false };
    if (problems.length > 0)
      problems.push(
        bytes === undefined ? 'the settings are the defaults' : 'the other saved configuration is used',
      );
    if (logProblem !== undefined) problems.push(logProblem);
    if (bytes === undefined) {
      registry.changed();
      return problems;
    }
    const text = { at: LINES_AT, bytes };
    if (isSafe) {
      yield* registry.applyFirst(text);
      return problems;
    }
    const version = versionOf(headLine(LINES_AT, bytes, 0));
    if (version > CONFIG_VERSION)
      problems.push(`the saved settings are of a newer firmware (version ${version})`);
    // QuickJS cannot compile a yield inside of an array.
    const refusals = yield* registry.apply(text);
    return [...problems, ...refusals];
  }

  function* load(): Generator<number, Saved> {
    yield* ready();
    const { bytes, problems, isFirstCut } = yield* (config as ConfigStore).load();
    if (bytes === undefined)
      return { text: undefined, key: 0, lines: undefined, problems: isFirstCut ? [] : problems };
    const text = textFrom(machine.memory, CONFIG_TEXT_AT, bytes);
    const key = machine.plane.crc32(0, CONFIG_TEXT_AT, bytes);
    return { text, key, lines: migrate(text).lines, problems };
  }

  function* save(): Generator<number, string | undefined> {
    yield* ready();
    let first = `${versionLine()}\n`;
    if (floppy !== undefined) {
      const cause = yield* floppy.ready();
      if (cause !== undefined) return cause;
      first += yield* cardsLine();
    }
    // The registry's text is in the plane's memory already, but when it is too long for it.
    registry.changed();
    registry.write();
    const bytes = i32at(CONFIGURATION_AT);
    const length = registry.lines().reduce((sum, line) => sum + line.length + 1, 0);
    const room = CONFIG_TEXT_MAX - first.length;
    if (bytes !== length || bytes > room) return `the settings have ${length} characters, and ${room} fit`;
    const to = config as ConfigStore;
    const put = (): number => {
      const head = putText(machine.memory, CONFIG_TEXT_AT, first);
      copy(CONFIG_TEXT_AT + head, LINES_AT, bytes);
      return head + bytes;
    };
    let why: string | undefined;
    for (let i = 0; i < SAVE_TRIES; i++) {
      why = yield* to.save(put(), false);
      if (why === undefined) return undefined;
    }
    if ((yield* to.save(put(), true)) !== undefined) return why;
    // Rather a save that a power cut may spoil than none for ever.
    log(
      WARNING,
      'config',
      `one of the two places for settings is bad (${why}): no power cut while they are saved`,
      true,
    );
    return undefined;
  }

  function* erase(): Generator<number, string | undefined> {
    yield* ready();
    waiting.clear();
    const why = yield* (config as ConfigStore).erase();
    return why === undefined && journal !== undefined ? yield* journal.erase() : why;
  }

  function* write(): Generator<number, string | undefined> {
    yield* ready();
    const entries = [...waiting.values()];
    waiting.clear();
    const why = yield* (journal as Journal).write(entries);
    if (why === undefined) {
      complaint = '';
      return undefined;
    }
    complain(why);
    for (const entry of entries) {
      const id = `${entry.kind} ${entry.key}`;
      if (!waiting.has(id)) waiting.set(id, entry);
    }
    schedule(LATER_TICKS);
    return why;
  }

  function complain(why: string): void {
    if (why !== complaint) log(WARNING, 'config', `the flash log cannot be written: ${why}`);
    complaint = why;
  }

  function schedule(ticks: number): void {
    if (timer !== undefined) {
      if (since(timer.tick, clock.now()) <= ticks) return;
      clock.cancel(timer);
    }
    timer = clock.after(ticks, () => {
      timer = undefined;
      if (waiting.size > 0) tasks.start(write());
    });
  }

  function keep(entry: Entry, isSoon: boolean): void {
    if (journal === undefined) return;
    waiting.set(`${entry.kind} ${entry.key}`, entry);
    schedule(isSoon ? SOON_TICKS : LATER_TICKS);
  }

  const leases: LeaseStore = {
    load: add => {
      const now = seconds();
      for (const entry of found) {
        const lease = leaseOf(entry, now);
        if (lease !== undefined) add(lease);
      }
      found = [];
    },
    note: (lease: StoredLease) => {
      const isNew = lease.seconds > 0 && journal?.has(LOG_KIND_LEASE, lease.address) !== true;
      keep(leaseEntry(lease, seconds()), isNew);
    },
  };

  return {
    ...{ open, apply, keep, leases },
    load: () => tasks.start(load()),
    save: () => tasks.start(save()),
    erase: () => tasks.start(erase()),
    flush: () => tasks.start(write()),
    read: (kind, visit) =>
      tasks.start(
        (function* (): Generator<number, string | undefined> {
          yield* ready();
          return yield* (journal as Journal).read(kind, visit);
        })(),
      ),
    written: () => ({ now: journal?.written ?? 0, ever: journal?.sequence ?? 0 }),
    get wanAddress() {
      return wanAddress;
    },
    get cards() {
      return cards;
    },
    keepCards: payload => keep({ kind: LOG_KIND_CARDS, key: 0, payload }, true),
    get isWhole() {
      return isWhole;
    },
    startLines,
    get hasSettings() {
      return config !== undefined;
    },
    keepWan: address => {
      if (address === wanAddress) return;
      // A provider that gives another one each minute wears no card out.
      const isSoon = wanAddress === 0;
      wanAddress = address;
      const payload = new Uint8Array(4);
      new DataView(payload.buffer).setInt32(0, address, true);
      keep({ kind: LOG_KIND_WAN, key: 0, payload }, isSoon);
    },
  };
}
