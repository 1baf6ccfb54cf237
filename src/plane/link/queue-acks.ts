// Acknowledgments without data: what the other direction waits for. They are short, and go before all flows, as far as flows
// send as much (QUEUE_ACK_ROUND); in the queue of their own, one that says more takes the place of an older one of its connection,
// which says nothing that it does not.
//
// Left out is only what surely says no more: no duplicate (RFC 5681, section 2: they are counted by who sends), none whose window was
// larger, none with options but time stamps (RFC 7323), which must not go back, nothing with another flag than ACK. Whether one says
// more than the one before is known of the last QUEUE_ACKED connections by a hash; of others all are sent.
//
// That one goes before data of its own connection does no harm: it has no length, so nothing is out of order for who gets it.

import { get8, get16, get32, i32at, puti32 } from '../../base/memory.ts';
import { FLAG_LONG, PACKET_FLAGS, PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import { QUEUE_ACK_BYTES, QUEUE_ACKED, QUEUE_ACKED_BYTES, QUEUE_ACKS } from '../../base/queue-limits.ts';
import {
  QUEUE_ACK_COUNT,
  QUEUE_ACK_HEAD,
  QUEUE_ACKED_AT,
  QUEUE_ACKS_AT,
  QUEUE_FILTERED,
  QUEUE_HELD_BYTES,
  QUEUE_PACKETS,
  QUEUED_ADVANCES,
  QUEUED_MARK,
} from '../../base/queue-record.ts';
import {
  IP_DESTINATION,
  IP_FRAGMENT,
  IP_HEADER_BYTES,
  IP_OFFSET,
  IP_PLAIN,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP,
} from '../../wire/ipv4.ts';
import {
  TCP_ACK,
  TCP_ACKNOWLEDGMENT,
  TCP_FLAGS,
  TCP_HEADER_BYTES,
  TCP_LENGTH,
  TCP_OPTIONS,
  TCP_WINDOW,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';
import { spread } from './queue-flows.ts';

const TCP_AT: i32 = PACKET_IP + IP_HEADER_BYTES;
/** A header with a time stamp alone, as all stacks align it (RFC 7323, appendix A): its bytes, its first word, and where the stamp is. */
const STAMPED_BYTES: i32 = TCP_HEADER_BYTES + 12;
const STAMP_WORD: i32 = 0x0101080a;
const STAMP: i32 = TCP_OPTIONS + 4;
/** Bits beside the header's length: none is set, those for congestion (RFC 3168, RFC 9768) neither. */
const OTHER_BITS: i32 = 0x0f;

/** Whether a datagram is an acknowledgment and nothing else. */
export function isAck(packet: i32): i32 {
  const bytes: i32 = i32at(packet + PACKET_LENGTH);
  const ip: i32 = packet + PACKET_IP;
  // One that is to be cut waits in its flow's queue, where that is done.
  if ((i32at(packet + PACKET_FLAGS) & FLAG_LONG) !== 0) return 0;
  if (bytes > QUEUE_ACK_BYTES || get8(ip) !== IP_PLAIN || get8(ip + IP_PROTOCOL) !== PROTOCOL_TCP) return 0;
  if ((get16(ip + IP_OFFSET) & IP_FRAGMENT) !== 0 || bytes < IP_HEADER_BYTES + TCP_HEADER_BYTES) return 0;
  const tcp: i32 = packet + TCP_AT;
  return get8(tcp + TCP_FLAGS) === TCP_ACK && IP_HEADER_BYTES + tcpHeaderBytesOf(tcp) === bytes ? 1 : 0;
}

/** Takes an acknowledgment: 1, or 0 where there is no place, and it waits in its flow's queue. It is counted already. */
export function ackPut(record: i32, packet: i32): i32 {
  const length: i32 = i32at(record + QUEUE_ACK_COUNT);
  if (noteAck(record, packet) !== 0 && isPlain(packet) !== 0) {
    puti32(packet + QUEUED_MARK, i32at(packet + QUEUED_MARK) | QUEUED_ADVANCES);
    const place: i32 = placeOfLast(record, packet, length);
    if (place !== 0 && mayReplace(i32at(place), packet) !== 0) {
      const older: i32 = i32at(place);
      puti32(place, packet);
      puti32(record + QUEUE_PACKETS, i32at(record + QUEUE_PACKETS) - 1);
      puti32(record + QUEUE_HELD_BYTES, i32at(record + QUEUE_HELD_BYTES) - i32at(older + PACKET_LENGTH));
      puti32(record + QUEUE_FILTERED, (i32at(record + QUEUE_FILTERED) + 1) | 0);
      release(older);
      return 1;
    }
  }
  if (length >= QUEUE_ACKS) return 0;
  puti32(ackPlace(record, i32at(record + QUEUE_ACK_HEAD) + length), packet);
  puti32(record + QUEUE_ACK_COUNT, length + 1);
  return 1;
}

/** Where acknowledgment number n of a ring is, which has no end. */
export function ackPlace(record: i32, n: i32): i32 {
  return record + QUEUE_ACKS_AT + ((n & (QUEUE_ACKS - 1)) << 2);
}

/** Remembers what a connection acknowledges now; 1 if it is known to be more than what it did before. */
function noteAck(record: i32, packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const key: i32 = spread(
    record,
    i32at(ip + IP_SOURCE) ^ i32at(ip + IP_DESTINATION) ^ i32at(packet + TCP_AT),
  );
  const at: i32 = record + QUEUE_ACKED_AT + ((key >>> 24) & (QUEUE_ACKED - 1)) * QUEUE_ACKED_BYTES;
  const ack: i32 = get32(packet + TCP_AT + TCP_ACKNOWLEDGMENT);
  const isKnown: i32 = i32at(at) === key ? 1 : 0;
  const isMore: i32 = ((ack - i32at(at + 4)) | 0) > 0 ? 1 : 0;
  if (isKnown !== 0 && isMore === 0) return 0;
  puti32(at, key);
  puti32(at + 4, ack);
  return isKnown;
}

/** Whether it has no options but a time stamp, and no bits that we know nothing of. */
function isPlain(packet: i32): i32 {
  const tcp: i32 = packet + TCP_AT;
  if ((get8(tcp + TCP_LENGTH) & OTHER_BITS) !== 0) return 0;
  const header: i32 = tcpHeaderBytesOf(tcp);
  if (header === TCP_HEADER_BYTES) return 1;
  return header === STAMPED_BYTES && get32(tcp + TCP_OPTIONS) === STAMP_WORD ? 1 : 0;
}

/** Where the last one of the same connection waits, or 0. */
function placeOfLast(record: i32, packet: i32, length: i32): i32 {
  const head: i32 = i32at(record + QUEUE_ACK_HEAD);
  const ports: i32 = i32at(packet + TCP_AT);
  const source: i32 = i32at(packet + PACKET_IP + IP_SOURCE);
  const destination: i32 = i32at(packet + PACKET_IP + IP_DESTINATION);
  for (let i: i32 = length - 1; i >= 0; i--) {
    const place: i32 = ackPlace(record, head + i);
    const other: i32 = i32at(place);
    if (
      i32at(other + TCP_AT) === ports &&
      i32at(other + PACKET_IP + IP_DESTINATION) === destination &&
      i32at(other + PACKET_IP + IP_SOURCE) === source
    )
      return place;
  }
  return 0;
}

/** Whether a plain one that says more than any before says all that an older one of its connection does. */
function mayReplace(older: i32, packet: i32): i32 {
  if ((i32at(older + QUEUED_MARK) & QUEUED_ADVANCES) === 0) return 0;
  if (i32at(older + PACKET_LENGTH) !== i32at(packet + PACKET_LENGTH)) return 0;
  const before: i32 = older + TCP_AT;
  const tcp: i32 = packet + TCP_AT;
  if (get16(tcp + TCP_WINDOW) < get16(before + TCP_WINDOW)) return 0;
  if (i32at(packet + PACKET_LENGTH) === IP_HEADER_BYTES + TCP_HEADER_BYTES) return 1;
  return ((get32(tcp + STAMP) - get32(before + STAMP)) | 0) >= 0 ? 1 : 0;
}
