// The masquerade table as people and period tools read it: rows, their order, names of states.
// Not here: the table (src/plane/flow/flow-table.ts), the listings' formats (masquerade.ts).

import { NOW_AT } from '../../base/cells.ts';
import {
  COUNT_BYTES,
  COUNT_PACKETS,
  COUNTS_BYTES,
  E_COUNTS,
  E_EXPIRES,
  E_FLAGS,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_REMOTE,
  E_STATE,
  ENTRY_ANSWERED,
  ENTRY_CLASSIC,
  entryAt,
  HIGHEST_AT,
  isLost,
  isRouted,
} from '../../base/flow-record.ts';
import { get8, i32at } from '../../base/memory.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';

/** A session, with ports as numbers. An ICMP query has its identifier for a port, and no remote port. */
export interface Session {
  protocol: number;
  inside: number;
  insidePort: number;
  outside: number;
  outsidePort: number;
  remote: number;
  remotePort: number;
  state: string;
  /** Until it expires, never negative. */
  ticks: number;
  /** For sequence numbers that a helper has shifted: none does yet. */
  initialSequence: number;
  delta: number;
  previousDelta: number;
}

const RFC_STATES = [
  'CLOSED',
  'ESTABLISHED',
  'INIT_OUT',
  'INIT_IN',
  'CLIENT_FIN',
  'SERVER_FIN',
  'BOTH_FIN',
  'TRANS',
];
const CLASSIC_STATES = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
];

/**
 * ICMP queries have no ports. Where the 2.2 kernel lists them, the remote port is the query's code and type
 * in the wrong byte order, 8 for an echo request; so it is here.
 */
const ICMP_ECHO_PORT = 8;

/** What a side of a flow has sent, modulo 2^32. */
export interface Counts {
  packets: number;
  bytes: number;
}

/** The masqueraded session in entry number n, or undefined if there is none or it has ended with its outside address. */
export function sessionAt(n: number): Session | undefined {
  return isRouted(entryAt(n)) !== 0 ? undefined : flowAt(n);
}

/** What the inside of the flow in entry number n has sent, or who began one that is routed (0), and what the other side has (1). */
export function countsAt(n: number, side: 0 | 1): Counts {
  const counts = entryAt(n) + E_COUNTS + side * COUNTS_BYTES;
  return { packets: i32at(counts + COUNT_PACKETS) >>> 0, bytes: i32at(counts + COUNT_BYTES) >>> 0 };
}

/** The flow in entry number n, masqueraded or routed as it is, or undefined. */
export function flowAt(n: number): Session | undefined {
  const e = entryAt(n);
  const protocol = get8(e + E_PROTOCOL);
  if (protocol === 0 || isLost(e) !== 0) return undefined;
  const out = i32at(e + E_OUT_PORTS);
  return {
    protocol,
    inside: i32at(e + E_INSIDE),
    insidePort: out >>> 16,
    outside: i32at(e + E_OUTSIDE),
    outsidePort: i32at(e + E_IN_PORTS) & 0xffff,
    remote: i32at(e + E_REMOTE),
    remotePort: protocol === ICMP ? ICMP_ECHO_PORT : out & 0xffff,
    state: stateOf(e, protocol),
    ticks: Math.max(0, (i32at(e + E_EXPIRES) - i32at(NOW_AT)) | 0),
    initialSequence: 0,
    delta: 0,
    previousDelta: 0,
  };
}

function stateOf(e: number, protocol: number): string {
  const flags = get8(e + E_FLAGS);
  if (protocol !== TCP) return (flags & ENTRY_ANSWERED) === ENTRY_ANSWERED ? 'answered' : 'unanswered';
  const names = (flags & ENTRY_CLASSIC) !== 0 ? CLASSIC_STATES : RFC_STATES;
  const state = get8(e + E_STATE);
  return names[state] ?? String(state);
}

export function protocolName(protocol: number): string {
  if (protocol === TCP) return 'tcp';
  if (protocol === UDP) return 'udp';
  return protocol === ICMP ? 'icmp' : String(protocol);
}

/** The highest entry that may be in use. */
export function highestEntry(): number {
  return i32at(HIGHEST_AT);
}

/** Buckets of the 2.0 kernel's table (IP_MASQ_TAB_SIZE). */
const BUCKETS = 256;
/** Entries looked at between two pauses. */
const SLICE = 64;

/**
 * The entries' numbers in the order in which 2.0 lists them: by bucket of its hash table, which is keyed by
 * protocol, outside address and outside port, and in a bucket the newest first. We do not keep the order of
 * making, so in a bucket the highest number comes first: that is the newest until numbers are used again.
 * A job: it yields now and then, and hands over the order at its end.
 */
export function* periodOrder(): Generator<number, Uint16Array, void> {
  const highest = highestEntry();
  const counts = new Uint16Array(BUCKETS + 1);
  const buckets = new Uint8Array(highest + 1);
  const used = new Uint8Array(highest + 1);
  let count = 0;
  for (let n = 1; n <= highest; n++) {
    if (n % SLICE === 0) yield 0;
    const e = entryAt(n);
    const protocol = get8(e + E_PROTOCOL);
    if (protocol === 0) continue;
    const bucket = (protocol ^ i32at(e + E_OUTSIDE) ^ i32at(e + E_IN_PORTS)) & (BUCKETS - 1);
    used[n] = 1;
    buckets[n] = bucket;
    counts[bucket + 1] = (counts[bucket + 1] as number) + 1;
    count++;
  }
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    counts[bucket + 1] = (counts[bucket + 1] as number) + (counts[bucket] as number);
  }
  const order = new Uint16Array(count);
  for (let n = highest; n >= 1; n--) {
    if (n % SLICE === 0) yield 0;
    if (used[n] === 0) continue;
    const bucket = buckets[n] as number;
    const place = counts[bucket] as number;
    counts[bucket] = place + 1;
    order[place] = n;
  }
  return order;
}
