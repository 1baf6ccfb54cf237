// ICMP that we send: errors about packets, and the answer to an echo request.
// RFC 792; when not to send one: RFC 1122, 3.2.2, and RFC 1812, 4.3.2; next-hop MTU: RFC 1191, section 4.
// Not here: errors of others on their way through the masquerade (src/plane/flow/masquerade.ts).
//
// Both build in place: the packet that gave the reason becomes the message. So an error needs no buffer.
//
//    | IP header, 20 | type, code, sum, word | the packet's IP header and what follows, up to 576 in all |

import { NOW_AT, PROBE_AT } from '../../base/cells.ts';
import {
  COUNT_ECHO_ANSWERED,
  COUNT_ICMP_LIMITED,
  COUNT_ICMP_SENT,
  count,
  DROP_ARP_FAILED,
  DROP_HOST_SHARE,
  DROP_ICMP_CHECKSUM,
  DROP_NO_CALL,
  DROP_NO_PORT,
  DROP_NO_ROUTE,
  DROP_PROTOCOL,
  DROP_REJECTED,
  DROP_TABLE_FULL,
  DROP_TOO_BIG,
  DROP_TTL,
} from '../../base/counters.ts';
import { random32 } from '../../base/entropy.ts';
import { E_INSIDE } from '../../base/flow-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { keyedHash5 } from '../../base/keyed-hash.ts';
import {
  ICMP_BUCKETS,
  ICMP_BURST,
  ICMP_ERROR_BYTES,
  ICMP_KEY_TICKS,
  ICMP_REFILL_TICKS,
  ICMP_STATE_AT,
  ICMP_STATE_BYTES,
  INTERFACE_COUNT,
} from '../../base/limits.ts';
import { copy, fill, get16, get32, i32at, put8, put16, put32, puti32 } from '../../base/memory.ts';
import {
  FLAG_BROADCAST,
  FLAG_DESTINATION_TRANSLATED,
  FLAG_ICMP_ERROR,
  FLAG_LOCAL,
  FLAG_SOURCE_TRANSLATED,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_PORTS,
  PASS,
} from '../../base/packet.ts';
import { ROUTE_BROADCAST, ROUTE_MULTICAST, ROUTE_TYPE_SHIFT, TO_ROUTE } from '../../base/route-record.ts';
import { REJECT_AT } from '../../base/rule-state.ts';
import { adjust16, checksum } from '../../wire/checksum.ts';
import {
  CODE_FRAGMENTATION_NEEDED,
  CODE_HOST_UNREACHABLE,
  CODE_NET_UNREACHABLE,
  CODE_PROHIBITED,
  ICMP_CHECKSUM,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER_BYTES,
  ICMP_IDENTIFIER,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../../wire/icmp.ts';
import {
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_ID,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_SOURCE,
  IP_TTL,
  PROTOCOL_ICMP,
  sealHeader,
} from '../../wire/ipv4.ts';
import { nextIdentification } from './identification.ts';
import { routeTo } from './route.ts';
import { isSender } from './sender.ts';

/** TTL of what we send ourselves (RFC 1700). */
export const TTL_DEFAULT: i32 = 64;
const IP_AND_ICMP_BYTES: i32 = 28;
/** What is hashed with an address to find its bucket, and when it was drawn; 0 never. */
const KEY: i32 = ICMP_STATE_AT;
const KEY_TICK: i32 = ICMP_STATE_AT + 4;
/** Buckets, a group an interface: what is in it, in ticks of refilling, and the tick when it was counted. */
const BUCKETS: i32 = ICMP_STATE_AT + 64;
const BUCKET_BYTES: i32 = 8;
const BUCKET_FULL: i32 = ICMP_BURST * ICMP_REFILL_TICKS;

export function resetIcmp(): void {
  fill(ICMP_STATE_AT, 0, ICMP_STATE_BYTES);
  for (let i: i32 = 0; i < INTERFACE_COUNT * (ICMP_BUCKETS + 1); i++)
    puti32(BUCKETS + i * BUCKET_BYTES, BUCKET_FULL);
}

/**
 * What the sender of a packet that is dropped for a reason is told: type << 8 | code, or -1, nothing. A reason that is not here is
 * not told.
 */
export function icmpOwed(reason: i32): i32 {
  switch (reason) {
    case DROP_TTL:
      return ICMP_TIME_EXCEEDED << 8;
    case DROP_NO_ROUTE:
      return (ICMP_UNREACHABLE << 8) | CODE_NET_UNREACHABLE;
    case DROP_ARP_FAILED:
    case DROP_NO_CALL:
      return (ICMP_UNREACHABLE << 8) | CODE_HOST_UNREACHABLE;
    case DROP_TOO_BIG:
      return (ICMP_UNREACHABLE << 8) | CODE_FRAGMENTATION_NEEDED;
    case DROP_REJECTED:
      return (ICMP_UNREACHABLE << 8) | (i32at(REJECT_AT) & 0xff);
    // The masquerade has refused to make a session (RFC 5508, REQ-8).
    case DROP_TABLE_FULL:
    case DROP_HOST_SHARE:
    case DROP_NO_PORT:
    case DROP_PROTOCOL:
      return (ICMP_UNREACHABLE << 8) | CODE_PROHIBITED;
    default:
      return -1;
  }
}

/**
 * Turns a packet into the error about it, from our address on the interface it came in by to its source, and
 * answers 1; `word` is the second word of the ICMP header. 0: no error may be sent, and the packet is as it was.
 */
export function icmpError(packet: i32, type: i32, code: i32, word: i32): i32 {
  if (mayReport(packet) === 0) return 0;
  const ip: i32 = packet + PACKET_IP;
  const bytes: i32 = i32at(packet + PACKET_LENGTH);
  const room: i32 = ICMP_ERROR_BYTES - IP_AND_ICMP_BYTES;
  const quoted: i32 = bytes < room ? bytes : room;
  const to: i32 = get32(ip + IP_SOURCE);
  copy(ip + IP_AND_ICMP_BYTES, ip, quoted);
  // Precedence 6, INTERNETWORK CONTROL: RFC 1812, 4.3.2.5.
  put32(ip, 0x45c00000 | (IP_AND_ICMP_BYTES + quoted));
  const from: i32 = i32at(interfaceAt(i32at(packet + PACKET_IN)) + IF_ADDRESS);
  put32(ip + IP_ID, nextIdentification(from, to) << 16);
  put32(ip + IP_TTL, (TTL_DEFAULT << 24) | (PROTOCOL_ICMP << 16));
  put32(ip + IP_SOURCE, from);
  put32(ip + IP_DESTINATION, to);
  sealHeader(ip);
  const l4: i32 = ip + IP_HEADER_BYTES;
  put32(l4, (type << 24) | (code << 16));
  put32(l4 + ICMP_IDENTIFIER, word);
  put16(l4 + ICMP_CHECKSUM, checksum(l4, ICMP_HEADER_BYTES + quoted));
  puti32(packet + PACKET_LENGTH, IP_AND_ICMP_BYTES + quoted);
  puti32(packet + PACKET_L4, l4);
  puti32(packet + PACKET_PORTS, 0);
  puti32(packet + PACKET_FLAGS, FLAG_LOCAL | FLAG_ICMP_ERROR);
  puti32(packet + PACKET_FLOW, 0);
  puti32(packet + PACKET_CONTEXT, 0);
  count(COUNT_ICMP_SENT);
  return 1;
}

/** RFC 1122, 3.2.2, and RFC 1812, 4.3.2.7: what no error is sent about. */
function mayReport(packet: i32): i32 {
  if ((i32at(packet + PACKET_FLAGS) & (FLAG_BROADCAST | FLAG_ICMP_ERROR | FLAG_LOCAL)) !== 0) return 0;
  const ip: i32 = packet + PACKET_IP;
  if ((get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) !== 0) return 0;
  if (get32(ip + IP_SOURCE) === 0) return 0;
  const kind: i32 = i32at(routeTo(get32(ip + IP_DESTINATION)) + TO_ROUTE) >> ROUTE_TYPE_SHIFT;
  if (kind === ROUTE_BROADCAST || kind === ROUTE_MULTICAST) return 0;
  return answerAllowed(packet, hearer(packet));
}

/** Who will hear of a dropped packet: its source, or the inside host that had sent it. */
function hearer(packet: i32): i32 {
  const flags: i32 = i32at(packet + PACKET_FLAGS);
  const flow: i32 = i32at(packet + PACKET_FLOW) & ~1;
  if (
    flow !== 0 &&
    (flags & (FLAG_SOURCE_TRANSLATED | FLAG_DESTINATION_TRANSLATED)) === FLAG_SOURCE_TRANSLATED
  )
    return i32at(flow + E_INSIDE);
  return get32(packet + PACKET_IP + IP_SOURCE);
}

/**
 * Takes from the bucket for an error or reset about a packet to an address on the interface that it came by; 0 if it is
 * empty. What is taken is 0, 1 or 2 of it by chance, 1 on average, and which addresses share a bucket changes each second:
 * who counts what he gets learns nothing of what others got. Whose address is not known to be theirs have one for all.
 */
export function answerAllowed(packet: i32, address: i32): i32 {
  const index: i32 = i32at(packet + PACKET_IN);
  if (index < 0) return 0;
  if (i32at(PROBE_AT) !== 0) return 1;
  const now: i32 = i32at(NOW_AT);
  const keyAge: i32 = (now - i32at(KEY_TICK)) | 0;
  if (i32at(KEY) === 0 || keyAge < 0 || keyAge >= ICMP_KEY_TICKS) {
    puti32(KEY, random32() | 1);
    puti32(KEY_TICK, now);
  }
  const isKnown: i32 = isSender(packet, address);
  const place: i32 =
    isKnown === 0 ? ICMP_BUCKETS : keyedHash5(address, index, i32at(KEY), 0, 0) & (ICMP_BUCKETS - 1);
  const bucket: i32 = BUCKETS + (index * (ICMP_BUCKETS + 1) + place) * BUCKET_BYTES;
  const passed: i32 = (now - i32at(bucket + 4)) | 0;
  let left: i32 = i32at(bucket);
  if (passed < 0 || passed >= BUCKET_FULL - left) left = BUCKET_FULL;
  else left += passed;
  puti32(bucket + 4, now);
  if (left < ICMP_REFILL_TICKS) {
    puti32(bucket, left);
    count(COUNT_ICMP_LIMITED);
    return 0;
  }
  // 0 to 2, by the upper 16 bits of a random word.
  const taken: i32 = ((random32() >>> 16) * 3) >>> 16;
  left -= taken * ICMP_REFILL_TICKS;
  puti32(bucket, left < 0 ? 0 : left);
  return 1;
}

/**
 * Turns an echo request to us into its reply: PASS, or a drop. In a fragment the checksum is not looked at,
 * it covers the whole datagram; the reply's changes by the type alone, so who asked finds out. Later fragments
 * (PACKET_L4 is 0) just go back.
 */
export function icmpEcho(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  if (i32at(packet + PACKET_CONTEXT) === 0) {
    const bytes: i32 = i32at(packet + PACKET_LENGTH) - (l4 - ip);
    if (checksum(l4, bytes) !== 0) return DROP_ICMP_CHECKSUM;
  }
  if (l4 !== 0) {
    put8(l4, ICMP_ECHO_REPLY);
    adjust16(l4 + ICMP_CHECKSUM, ICMP_ECHO_REQUEST << 8, ICMP_ECHO_REPLY << 8);
    count(COUNT_ECHO_ANSWERED);
  }
  turnAround(packet);
  return PASS;
}

/** Exchanges source and destination, starts the TTL anew and marks the packet as our own. */
export function turnAround(packet: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const source: i32 = get32(ip + IP_SOURCE);
  put32(ip + IP_SOURCE, get32(ip + IP_DESTINATION));
  put32(ip + IP_DESTINATION, source);
  put8(ip + IP_TTL, TTL_DEFAULT);
  sealHeader(ip);
  puti32(packet + PACKET_FLAGS, FLAG_LOCAL);
}
