// Fragments on their way through: virtual reassembly. Only the first fragment has ports, so a context
// remembers them for the others; those that come before it wait. Each goes on as it came, in its own packet.
// RFC 791; what attackers do with fragments: RFC 1858, RFC 3128; overlaps drop the datagram: RFC 5722.
// Not here: the contexts' table (fragment-context.ts), the fragments that we make (src/plane/link/transmit.ts).
//
// When the first fragment comes, those that waited follow it, FRAGMENT_RELEASE at once and FRAGMENT_TICK_RELEASE each
// tick: more at once would keep interrupts off for long, and overrun the queue of the card that they leave by.
//
// Timer (fragmentTick, "since" the first fragment that came): FRAGMENT_WAIT_TICKS without the one with the
// ports, or FRAGMENT_LIFE_TICKS, end the context.

import { NOW_AT } from '../../base/cells.ts';
import {
  DROP_FRAGMENT_LIMIT,
  DROP_FRAGMENT_MALFORMED,
  DROP_FRAGMENT_OVERLAP,
  DROP_FRAGMENT_TIMEOUT,
} from '../../base/counters.ts';
import { IF_SIDE, interfaceAt } from '../../base/interface.ts';
import {
  FRAGMENT_CONTEXT_BYTES,
  FRAGMENT_CONTEXT_COUNT,
  FRAGMENT_LIFE_TICKS,
  FRAGMENT_RANGE_COUNT,
  FRAGMENT_WAIT_TICKS,
  FRAGMENTS_AT,
} from '../../base/limits.ts';
import { get8, get16, get32, i32at, put16, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  FLAG_ICMP_ERROR,
  HELD,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import { adjust16 } from '../../wire/checksum.ts';
import {
  headerBytesOf,
  IP_CHECKSUM,
  IP_DESTINATION,
  IP_ID,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP,
} from '../../wire/ipv4.ts';
import { kindOf } from '../filter/kind.ts';
import {
  CONTEXT_KIND,
  COUNT,
  dueContext,
  END,
  emptyContext,
  endContext,
  FIRST_WAITING,
  FLAGS,
  findContext,
  IDENTIFICATION,
  KEY,
  keep,
  openContext,
  PLACE,
  PORTS,
  resetContexts,
  SEEN,
  SINCE,
  STATE,
  STATE_OPEN,
  STATE_REFUSED,
  STATE_WAITING,
  takeContext,
  takeWaiting,
} from './fragment-context.ts';
import { nextIdentification } from './identification.ts';

export function resetFragments(): void {
  resetContexts();
}

/**
 * Finds or makes the fragment's context. PASS: the ports are known (PACKET_PORTS, PACKET_CONTEXT), go on, and
 * then take what fragmentNext() gives; HELD: it waits for the first one; or a drop.
 */
export function fragmentInput(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const word: i32 = get16(ip + IP_OFFSET);
  const headerBytes: i32 = headerBytesOf(ip);
  const bytes: i32 = get16(ip + IP_LENGTH) - headerBytes;
  const start: i32 = word & IP_OFFSET_UNITS;
  const end: i32 = start * 8 + bytes;
  const more: i32 = word & IP_MORE_FRAGMENTS;
  if (bytes === 0 || end + headerBytes > 0xffff) return DROP_FRAGMENT_MALFORMED;
  if (more !== 0 && (bytes & 7) !== 0) return DROP_FRAGMENT_MALFORMED;
  // It would write over the TCP header that the first fragment must hold (RFC 1858, 4.2; RFC 3128).
  if (start !== 0 && start < 3 && get8(ip + IP_PROTOCOL) === PROTOCOL_TCP) return DROP_FRAGMENT_MALFORMED;
  const side: i32 = i32at(interfaceAt(i32at(packet + PACKET_IN)) + IF_SIDE);
  let at: i32 = findContext(ip, side);
  if (at === 0) at = takeContext(packet, side);
  if (i32at(at + STATE) === STATE_REFUSED) return DROP_FRAGMENT_OVERLAP;
  const verdict: i32 = note(at, start, (end + 7) >> 3, more === 0 ? end : -1);
  if (verdict !== PASS) return verdict;
  if (start === 0) {
    puti32(at + PORTS, i32at(packet + PACKET_PORTS));
    puti32(at + FLAGS, i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR);
    puti32(at + CONTEXT_KIND, kindOf(packet));
    openContext(at);
  } else if (i32at(at + STATE) === STATE_WAITING) {
    return keep(packet, at, side) !== 0 ? HELD : DROP_FRAGMENT_LIMIT;
  }
  join(packet, at);
  return PASS;
}

/**
 * After a fragment of the context has gone on: the next that waited, ready to go on, or 0. With the datagram's last
 * the context is free, though its fields stay until somebody takes it.
 */
export function fragmentNext(at: i32): i32 {
  const packet: i32 = takeWaiting(at);
  if (packet !== 0) join(packet, at);
  if (i32at(at + FIRST_WAITING) === 0 && i32at(at + KEY) !== 0 && isComplete(at) !== 0)
    endContext(at, DROP_FRAGMENT_TIMEOUT);
  return packet;
}

/** A fragment that waited, of any datagram whose first one has come; or 0. */
export function fragmentDue(): i32 {
  const at: i32 = dueContext();
  return at === 0 ? 0 : fragmentNext(at);
}

/** Gives a masqueraded fragment the identification of our own that its datagram got (RFC 3022, 6.3). */
export function fragmentIdentify(packet: i32): void {
  const at: i32 = i32at(packet + PACKET_CONTEXT);
  const ip: i32 = packet + PACKET_IP;
  let id: i32 = i32at(at + IDENTIFICATION);
  if (id < 0) {
    id = nextIdentification(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION));
    puti32(at + IDENTIFICATION, id);
  }
  adjust16(ip + IP_CHECKSUM, get16(ip + IP_ID), id);
  put16(ip + IP_ID, id);
}

/** Ends one context whose time is over; each is looked at every 0.64 s. */
export function fragmentTick(): void {
  const place: i32 = i32at(PLACE);
  puti32(PLACE, (place + 1) & (FRAGMENT_CONTEXT_COUNT - 1));
  const at: i32 = FRAGMENTS_AT + place * FRAGMENT_CONTEXT_BYTES;
  if (i32at(at + KEY) === 0) return;
  const limit: i32 = i32at(at + STATE) === STATE_WAITING ? FRAGMENT_WAIT_TICKS : FRAGMENT_LIFE_TICKS;
  if (((i32at(NOW_AT) - i32at(at + SINCE)) | 0) >= limit) {
    endContext(at, DROP_FRAGMENT_TIMEOUT);
  }
}

/** Makes a packet one of the context's. */
function join(packet: i32, at: i32): void {
  puti32(packet + PACKET_PORTS, i32at(at + PORTS));
  puti32(packet + PACKET_FLAGS, i32at(packet + PACKET_FLAGS) | i32at(at + FLAGS));
  puti32(packet + PACKET_CONTEXT, at);
}

/** The datagram's fragments lie: none of them passes any more. */
function refuse(at: i32): i32 {
  emptyContext(at, DROP_FRAGMENT_OVERLAP);
  puti32(at + STATE, STATE_REFUSED);
  return DROP_FRAGMENT_OVERLAP;
}

/**
 * Notes what a fragment brings: units from start to end, and where the datagram ends, if it says so. What
 * has been seen is dropped alone (networks duplicate); what overlaps in part ends the datagram, and so do
 * two ends, or bytes behind the end.
 */
function note(at: i32, start: i32, end: i32, last: i32): i32 {
  const known: i32 = i32at(at + END);
  if (known >= 0 && (last >= 0 ? last !== known : end * 8 > known)) return refuse(at);
  let from: i32 = start;
  let to: i32 = end;
  let ranges: i32 = u16at(at + COUNT);
  let i: i32 = 0;
  // Each turn passes over a range or takes one away.
  while (i < ranges) {
    const range: i32 = at + SEEN + 4 * i;
    const low: i32 = u16at(range);
    const high: i32 = u16at(range + 2);
    if (from < high && low < to) return low <= from && to <= high ? DROP_FRAGMENT_OVERLAP : refuse(at);
    if (last >= 0 && high > end) return refuse(at);
    if (high === from || low === to) {
      if (high === from) from = low;
      else to = high;
      ranges--;
      puti32(range, i32at(at + SEEN + 4 * ranges));
    } else {
      i++;
    }
  }
  if (ranges === FRAGMENT_RANGE_COUNT) return DROP_FRAGMENT_LIMIT;
  putu16(at + SEEN + 4 * ranges, from);
  putu16(at + SEEN + 4 * ranges + 2, to);
  putu16(at + COUNT, ranges + 1);
  if (last >= 0) puti32(at + END, last);
  return PASS;
}

/** 1 if nothing is missing. */
function isComplete(at: i32): i32 {
  const end: i32 = i32at(at + END);
  if (end < 0 || i32at(at + STATE) !== STATE_OPEN || u16at(at + COUNT) !== 1) return 0;
  return u16at(at + SEEN) === 0 && u16at(at + SEEN + 2) === (end + 7) >> 3 ? 1 : 0;
}
