// What commands and services get: the machine, time, randomness, where to print, who takes packets, where
// settings are kept. What a part needs of another part it says in an interface of its own, and src/control/control.ts hands it in.

import type { Disk } from '../../../hal/disk/disk.ts';
import type { Clock } from './clock.ts';
import type { Output } from './console/output.ts';
import type { PastedLines, RawLine } from './console/terminal.ts';
import type { Log } from './log.ts';
import type { Machine } from './machine.ts';
import type { Tcp } from './net/tcp.ts';
import type { Udp } from './net/udp.ts';
import type { Registry } from './registry.ts';
import type { Sockets } from './sockets.ts';
import type { Store, Unread } from './store/store-types.ts';
import type { WallClock } from './wall-clock.ts';

export interface Context {
  machine: Machine;
  clock: Clock;
  /** The time of day, as far as somebody has set it. */
  wallClock: WallClock;
  output: Output;
  /** The console's line, for jobs that transfer a file. */
  rawLine?: RawLine;
  sockets: Sockets;
  udp: Udp;
  tcp: Tcp;
  log: Log;
  registry: Registry;
  /** 32 unpredictable bits, an i32. */
  random: () => number;
  /** The disk that we were booted from. */
  disk?: Disk;
  /** Why there is no disk to write to, for a refusal. */
  noDisk?: string;
  /** We were booted from a floppy: there is no disk, but settings are kept on it (store/). */
  isFloppy?: boolean;
  /** What is saved could not be read: then nobody gets in at the console. */
  unread?: Unread;
  /** Asks the person at the console for a line; a job delegates to it. */
  ask?: (prompt: string, secret?: boolean) => Generator<number, string, void>;
  /** The line that is being run, as it was typed: a command whose words have quotes reads it itself. */
  typed?: () => string;
  /** The lines of a text that is pasted at the console, for a job that takes many. */
  pasted?: PastedLines;
  /** The saved configuration and the flash log. */
  store?: Store;
}
