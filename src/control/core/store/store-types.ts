// What the store offers. Not here: the store (store.ts).

import type { Disk } from '../../../../hal/disk/disk.ts';
import type { Entry } from './journal.ts';
import type { LeaseStore } from './stored-lease.ts';
import type { Task } from './tasks.ts';

/** The saved configuration, and what was wrong. */
export interface Saved {
  /** Bytes of its text, undefined if none is saved; and its CRC-32. */
  bytes: number | undefined;
  key: number;
  /** The settings' lines as they are written today; undefined if none is saved. */
  lines: string[] | undefined;
  /** Whether its sections' lines are those in force. */
  isSameSections: boolean;
  /** The heap had no room for the draft, which is not whole. */
  isCut?: boolean;
  problems: string[];
}

/**
 * A line of the saved text that is not empty, without blanks around it: its number, of which section it is, or -1, and where it
 * lies until the next comes, with a line feed behind it; 0 where it does not lie so.
 */
export type Visit = (line: string, number: number, section: number, at: number) => void;

/** What is read at the start: all, the settings and not the log, or nothing. */
export type Reads = 'all' | 'settings' | 'nothing';

export interface Store {
  /**
   * Opens the disk's areas at the start, and reads them; nothing when control alone was restarted. Answers why it is not
   * known what is saved, if it is not.
   */
  open(disk: Disk | undefined, reads: Reads): Generator<number, Unread | undefined, void>;
  /** Applies what was saved, of it nothing but the password, or the defaults; answers what is to be told. */
  apply(isSafe: boolean): Generator<number, string[], void>;
  /** Tasks on the disk; each answers why it failed. They may only be started when there is a disk. */
  load(visit?: Visit): Task<Saved>;
  /** The same, with the sections' lines as the draft (../sections.ts); or isCut. */
  loadAll(): Task<Saved>;
  save(): Task<string | undefined>;
  erase(): Task<string | undefined>;
  /** Records of the flash log (src/base/layout.ts: LOG_KIND_*): tells of each of a kind. */
  read(kind: number, visit: (entry: Entry) => void): Task<string | undefined>;
  /** Keeps a record in the flash log: soon, or when it is written next. Without a disk it is forgotten. */
  keep(entry: Entry, isSoon: boolean): void;
  /** Writes at once what waits. */
  flush(): Task<string | undefined>;
  /** Sectors of the log written since control started, and ever. */
  written(): { now: number; ever: number };
  readonly leases: LeaseStore;
  /** The WAN's last address by DHCP, or 0. */
  readonly wanAddress: number;
  keepWan(address: number): void;
  /** The record of the cards' roles (src/control/cards/cards.ts) as it was at the start, and a new one; a floppy's is written by save(). */
  readonly cards: Uint8Array | undefined;
  keepCards(record: Uint8Array): void;
  /** Whether the log was read without a fault at the start: then what it does not have was never there. */
  readonly isWhole: boolean;
  /** There is a place for saved settings, from which load() reads. */
  readonly hasSettings: boolean;
  /** The saved lines whose words start with the same letters, before apply(). */
  startLines(words: string): string[];
}

/** Why it is not known what is saved, a password perhaps. */
export interface Unread {
  why: string;
  /** Reading it later may do. */
  isTriedAgain: boolean;
}
