// TCP segments for the router itself: control gets those of its connections, and the one that opens a new one.
// A SYN to a port that listens is answered here and leaves nothing behind: what would have to be remembered
// lies in our initial sequence number, and only who has got that can come back with it (SYN cookies: RFC 4987, section
// 3.6; D. J. Bernstein and E. Schenk, 1996). So SYNs, however many, cost control nothing and take no place of its table;
// neither do stray segments, which are answered as a closed port answers (local.ts).
//
//    | MAC of addresses, ports and time, 13 bits | of these and the other side's number, 16 bits | time, 1 | MSS, 2 |
//
// Where only the first of the two fits, the third segment was lost and this one has overtaken others: it is dropped
// without a reset, as what has been lost comes again.
// Our SYN is not sent again by us, as nobody knows of it: the other side sends its own again (RFC 9293, 3.8.1).
// Options other than the MSS are not taken, as control uses none. A blind guess opens a connection once in 2^28 tries,
// from which its sender cannot read. Cost: some 2,000 instructions for both MACs.
// Not here: the connections themselves (src/control/core/net/tcp.ts).

import { NOW_AT } from '../../base/cells.ts';
import { IF_MTU, interfaceAt } from '../../base/interface.ts';
import { keyedHash5 } from '../../base/keyed-hash.ts';
import {
  TCP_CONNECTION_BYTES,
  TCP_CONNECTION_COUNT,
  TCP_CONNECTIONS_AT,
  TCP_MSS,
  TCP_WINDOW_BYTES,
} from '../../base/limits.ts';
import { fill, get8, get32, i32at, put16, put32, puti32 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_L4, PACKET_LENGTH } from '../../base/packet.ts';
import { IP_DESTINATION, IP_LENGTH, IP_SOURCE } from '../../wire/ipv4.ts';
import {
  TCP_ACK as ACK,
  TCP_FIN as FIN,
  TCP_RST as RST,
  TCP_SYN as SYN,
  TCP_ACKNOWLEDGMENT,
  TCP_CHECKSUM,
  TCP_FLAGS,
  TCP_LENGTH,
  TCP_OPTIONS,
  TCP_SEQUENCE,
} from '../../wire/tcp.ts';
import { turnAround } from '../ip/icmp.ts';
import { MSS_HEADERS, mssOf } from '../ip/mss.ts';

export const TCP_OPENING: i32 = 1;
export const TCP_KNOWN: i32 = 2;
export const TCP_STRANGE: i32 = 3;
/** Of a connection that will open when what came before this segment has been sent again. */
export const TCP_EARLY: i32 = 4;

/** Ticks of one time as 2^n: a cookie is good for 82 to 164 s, longer than a third segment is ever repeated. */
const TIME_SHIFT: i32 = 13;
/** The bits of the tick counter that are left: it wraps after 497 days. */
const TIME_MASK: i32 = 0x7ffff;
/** The upper 13 bits, and the 16 below them. */
const FLOW_BITS: i32 = ~0x7ffff;
const WHOLE_BITS: i32 = 0x7fff8;
const HEADER_BYTES: i32 = 24;
const OPTION_MSS: i32 = 0x02040000;

/** Of a connection: the other side's address, and local port << 16 | remote port; 0 is a free place. */
const ADDRESS: i32 = 0;
const PORTS: i32 = 4;

export function resetTcp(): void {
  fill(TCP_CONNECTIONS_AT, 0, TCP_CONNECTION_COUNT * TCP_CONNECTION_BYTES);
}

/** From now on control gets this connection's segments. 0 if all places are taken. */
export function tcpOpen(address: i32, ports: i32): i32 {
  const free: i32 = find(0, 0);
  if (free === 0) return 0;
  puti32(free + ADDRESS, address);
  puti32(free + PORTS, ports);
  return 1;
}

export function tcpClose(address: i32, ports: i32): void {
  const at: i32 = find(address, ports);
  if (at !== 0) fill(at, 0, TCP_CONNECTION_BYTES);
}

/** What a segment to a port that listens is: of a connection, opening one, too early, or neither. */
export function tcpKind(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  const ports: i32 = get32(l4);
  if (find(get32(ip + IP_SOURCE), (ports << 16) | (ports >>> 16)) !== 0) return TCP_KNOWN;
  const flags: i32 = get8(l4 + TCP_FLAGS) & (FIN | SYN | RST | ACK);
  if (flags === SYN) return TCP_OPENING;
  if ((flags & (SYN | RST | ACK)) !== ACK) return TCP_STRANGE;
  const wrong: i32 = cookieFault(packet);
  if (wrong === 0) return TCP_KNOWN;
  return (wrong & FLOW_BITS) === 0 ? TCP_EARLY : TCP_STRANGE;
}

/** Turns a SYN into its answer. */
export function tcpAnswer(packet: i32, index: i32): void {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  const cookie: i32 = tcpCookie(packet);
  const ports: i32 = get32(l4);
  const sequence: i32 = get32(l4 + TCP_SEQUENCE);
  const room: i32 = i32at(interfaceAt(index) + IF_MTU) - MSS_HEADERS;
  put32(l4, (ports << 16) | (ports >>> 16));
  put32(l4 + TCP_SEQUENCE, cookie);
  put32(l4 + TCP_ACKNOWLEDGMENT, (sequence + 1) | 0);
  put32(l4 + TCP_LENGTH, (HEADER_BYTES << 26) | ((SYN | ACK) << 16) | TCP_WINDOW_BYTES);
  put32(l4 + TCP_CHECKSUM, 0);
  put32(l4 + TCP_OPTIONS, OPTION_MSS | (room < TCP_MSS ? room : TCP_MSS));
  put16(ip + IP_LENGTH, l4 - ip + HEADER_BYTES);
  puti32(packet + PACKET_LENGTH, l4 - ip + HEADER_BYTES);
  turnAround(packet);
}

/** Our initial sequence number in answer to a SYN. */
export function tcpCookie(packet: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  const mss: i32 = mssOf(packet);
  let choice: i32 = 0;
  for (let i: i32 = 1; i < 4; i++) if (mss >= mssAt(i)) choice = i;
  return mac(packet, get32(l4 + TCP_SEQUENCE), timeNow(), choice);
}

/** The other side's MSS if a segment acknowledges our answer to its SYN, else 0. */
export function tcpAccepts(packet: i32): i32 {
  return cookieFault(packet) === 0 ? mssAt((get32(i32at(packet + PACKET_L4) + 8) - 1) & 3) : 0;
}

/** The bits in which what a segment acknowledges is not our answer to its SYN. */
function cookieFault(packet: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  const cookie: i32 = (get32(l4 + TCP_ACKNOWLEDGMENT) - 1) | 0;
  const now: i32 = timeNow();
  const time: i32 = ((now ^ (cookie >> 2)) & 1) === 0 ? now : (now - 1) & TIME_MASK;
  return mac(packet, (get32(l4 + TCP_SEQUENCE) - 1) | 0, time, cookie & 3) ^ cookie;
}

function mac(packet: i32, sequence: i32, time: i32, choice: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const source: i32 = get32(ip + IP_SOURCE);
  const destination: i32 = get32(ip + IP_DESTINATION);
  const ports: i32 = get32(i32at(packet + PACKET_L4));
  const when: i32 = (time << 2) | choice;
  const flow: i32 = keyedHash5(source, destination, ports, when, 0);
  const whole: i32 = keyedHash5(source, destination, ports, when ^ (1 << 31), sequence);
  return (flow & FLOW_BITS) | ((whole >>> 13) & WHOLE_BITS) | ((time & 1) << 2) | choice;
}

function timeNow(): i32 {
  return (i32at(NOW_AT) >>> TIME_SHIFT) & TIME_MASK;
}

/** The sizes that two bits tell: what any host takes, IPv4's default, what tunnels leave, Ethernet's. */
function mssAt(choice: i32): i32 {
  if (choice === 0) return 88;
  if (choice === 1) return 536;
  return choice === 2 ? 1220 : TCP_MSS;
}

/** Address of a connection's place, or 0. */
function find(address: i32, ports: i32): i32 {
  for (let i: i32 = 0; i < TCP_CONNECTION_COUNT; i++) {
    const at: i32 = TCP_CONNECTIONS_AT + i * TCP_CONNECTION_BYTES;
    if (i32at(at + PORTS) === ports && i32at(at + ADDRESS) === address) return at;
  }
  return 0;
}
