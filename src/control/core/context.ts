// What commands and services get: the machine, time, randomness, where to print, who takes packets, where
// settings are kept; and the services that others ask. Services are made in src/control/control.ts.

import type { Disk } from '../../../hal/disk/disk.ts';
import type { Counts } from '../dns/counts.ts';
import type { Asker } from '../dns/flight.ts';
import type { Clock } from './clock.ts';
import type { RawLine } from './console/console.ts';
import type { Output } from './console/output.ts';
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
  /** The saved configuration and the flash log. */
  store?: Store;
  dns?: DnsInfo;
  /** Finds the addresses of a name; `done` is called once, later, with none if there are none. */
  resolve?: (name: string, done: (addresses: number[]) => void) => void;
  /** What the WAN was told. */
  wan?: WanInfo;
}

/** What other services ask of the WAN. */
export interface WanInfo {
  /** Tells from now on that the address, the servers or the domain are others, or gone. */
  onChange(listener: () => void): void;
  /** DNS servers that the lease brought, best first. */
  dnsServers(): readonly number[];
  ntpServers(): readonly number[];
  /** The provider's domain, or ''. */
  domain(): string;
  /** Whether the WAN was put to use: a question was sent for an address, or one was set by hand; or none is wanted. */
  wasTried(): boolean;
}

/** What of DNS others ask. */
export interface DnsInfo {
  /** The servers that are asked. */
  readonly upstream: { readonly servers: readonly { readonly address: number }[] };
  /** Undefined before start(). */
  forwarder(): Asking | undefined;
}

/** Answers as a host would get them (../dns/forwarder.ts). */
export interface Asking {
  ask(query: Uint8Array, asker: Asker): void;
  /** The server whose the last answer was, or 0. */
  readonly answerer: number;
  readonly counts: Counts;
}
