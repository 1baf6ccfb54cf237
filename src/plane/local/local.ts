// Packets for the router itself: answered here (echo), given to control (an open socket), or refused.
// From inside a closed port says so: port unreachable (RFC 1122, 4.1.3.1), reset (RFC 793, 3.4). From outside
// it is silent: an unsolicited packet learns nothing, not even that somebody is here. What control has asked for is
// all that it hears from outside: the remote end of a socket (sockets.ts), the client's DHCP answer (dhcp-reply.ts).

import { PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import {
  count,
  DROP_ICMP_CHECKSUM,
  DROP_ICMP_MALFORMED,
  DROP_ICMP_TYPE,
  DROP_LOCAL_CLOSED,
  DROP_TRANSMIT_FULL,
  DROP_TRANSPORT_HEADER,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import { isLedOwn, SHARED_AT } from '../../base/flow-record.ts';
import { IF_QUEUE_LENGTH, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { ECHO_QUEUE_LIMIT, MASQUERADE_AT } from '../../base/limits.ts';
import { get8, get16, get32, i32at, put16, put32, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  FLAG_ICMP_ERROR,
  PACKET_CONTEXT,
  PACKET_FLAGS,
  PACKET_FLOW,
  PACKET_IN,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_PORTS,
  PASS,
  PUNT,
} from '../../base/packet.ts';
import { PROBE_HEARD } from '../../base/probe-record.ts';
import { ROUTE_LINK, TO_ROUTE } from '../../base/route-record.ts';
import { checksum, pseudoSum, sum } from '../../wire/checksum.ts';
import {
  CODE_PORT_UNREACHABLE,
  CODE_PROTOCOL_UNREACHABLE,
  ICMP_CHECKSUM,
  ICMP_CODE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER_BYTES,
  ICMP_IDENTIFIER,
  ICMP_UNREACHABLE,
} from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  IP_FRAGMENT,
  IP_HEADER_BYTES,
  IP_LENGTH,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  sealHeader,
} from '../../wire/ipv4.ts';
import {
  TCP_ACK,
  TCP_ACKNOWLEDGMENT,
  TCP_HEADER_BYTES as TCP_BYTES,
  TCP_CHECKSUM,
  TCP_FLAGS,
  TCP_LENGTH,
  TCP_RST,
  TCP_SEQUENCE,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';
import { UDP_CHECKSUM, UDP_LENGTH } from '../../wire/udp.ts';
import { askInput, HOOKS_INPUT } from '../filter/hooks.ts';
import { mayAnswer, mayPing } from '../filter/policy.ts';
import { trackOwn } from '../flow/own.ts';
import { CONTEXT_ECHO } from '../ip/fragment-context.ts';
import { answerAllowed, icmpEcho, icmpError, turnAround } from '../ip/icmp.ts';
import { routeTo } from '../ip/route.ts';
import { DHCP_CLIENT_PORT, dhcpExpected } from './dhcp-reply.ts';
import { socketHears } from './sockets.ts';
import { TCP_EARLY, TCP_KNOWN, TCP_OPENING, tcpAnswer, tcpKind } from './tcp-local.ts';

/** PASS: the packet has become the answer, to be sent; PUNT; or a drop. It came in by interface `index`. */
export function localInput(packet: i32, index: i32): i32 {
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (i32at(packet + PACKET_CONTEXT) === 0) {
    const fault: i32 = transportFault(packet, protocol);
    if (fault !== PASS) return fault;
  }
  const flow: i32 = i32at(packet + PACKET_FLOW) & ~1;
  const isLed: i32 = flow >= MASQUERADE_AT && i32at(SHARED_AT) !== 0 ? isLedOwn(flow) : 0;
  if ((i32at(RULE_HOOKS_AT) & HOOKS_INPUT) !== 0) {
    const verdict: i32 = askInput(packet, index);
    if (verdict !== PASS) return verdict;
    if (isLed === 0) trackOwn(packet);
  }
  if (isLed === 0) return ownInput(packet, index);
  // It answers what the router has asked by the link that leads to whom it has asked.
  return ownInput(packet, i32at(routeTo(get32(packet + PACKET_IP + IP_SOURCE)) + TO_ROUTE) & ROUTE_LINK);
}

/** The same of a datagram whose transport is right, and that no rule is asked about (any more). */
export function ownInput(packet: i32, index: i32): i32 {
  const at: i32 = interfaceAt(index);
  const protocol: i32 = get8(packet + PACKET_IP + IP_PROTOCOL);
  if (i32at(packet + PACKET_CONTEXT) !== 0) return fragment(packet, protocol, at);
  if (protocol === PROTOCOL_ICMP) return icmp(packet, index, at);
  if (protocol === PROTOCOL_UDP || protocol === PROTOCOL_TCP) {
    if (isWanted(packet, protocol, index) !== 0) {
      const kind: i32 = protocol === PROTOCOL_TCP ? tcpKind(packet) : TCP_KNOWN;
      if (kind === TCP_KNOWN) return PUNT;
      if (kind === TCP_EARLY) return DROP_LOCAL_CLOSED;
      if (kind === TCP_OPENING) {
        tcpAnswer(packet, index);
        sealTransport(packet + PACKET_IP);
        return PASS;
      }
    }
    if (mayAnswer(at) === 0) return DROP_UNSOLICITED;
    count(DROP_LOCAL_CLOSED);
    if (protocol === PROTOCOL_TCP) return resetSender(packet);
    return icmpError(packet, ICMP_UNREACHABLE, CODE_PORT_UNREACHABLE, 0) !== 0 ? PASS : DROP_LOCAL_CLOSED;
  }
  if (mayAnswer(at) === 0) return DROP_UNSOLICITED;
  return icmpError(packet, ICMP_UNREACHABLE, CODE_PROTOCOL_UNREACHABLE, 0) !== 0 ? PASS : DROP_LOCAL_CLOSED;
}

/**
 * A broadcast, or any packet while the interface has no address: DHCP and the like. PUNT if a UDP socket is
 * open there, else `reason`.
 */
export function broadcastInput(packet: i32, index: i32, reason: i32): i32 {
  if (get8(packet + PACKET_IP + IP_PROTOCOL) !== PROTOCOL_UDP) return reason;
  if ((get16(packet + PACKET_IP + IP_OFFSET) & IP_FRAGMENT) !== 0) return reason;
  const fault: i32 = transportFault(packet, PROTOCOL_UDP);
  if (fault !== PASS) return fault;
  if (isWanted(packet, PROTOCOL_UDP, index) === 0) return reason;
  // Outside that is the DHCP client's, which rules do not ask about, as on Linux.
  if ((i32at(RULE_HOOKS_AT) & HOOKS_INPUT) === 0 || i32at(interfaceAt(index) + IF_SIDE) === INTERFACE_OUTSIDE)
    return PUNT;
  const verdict: i32 = askInput(packet, index);
  return verdict === PASS ? PUNT : verdict;
}

/** 1 if a whole UDP datagram or TCP segment is what an open socket hears. */
function isWanted(packet: i32, protocol: i32, index: i32): i32 {
  const ports: i32 = i32at(packet + PACKET_PORTS);
  const port: i32 = ports & 0xffff;
  const source: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  if (i32at(PROBE_AT) !== 0 && i32at(PROBE_HEARD) !== 0) return 1;
  if (socketHears(protocol, port, index, source, ports >>> 16) === 0) return 0;
  return protocol === PROTOCOL_UDP && port === DHCP_CLIENT_PORT ? dhcpExpected(packet, index) : 1;
}

function icmp(packet: i32, index: i32, at: i32): i32 {
  const l4: i32 = i32at(packet + PACKET_L4);
  if (get8(l4) === ICMP_ECHO_REQUEST && get8(l4 + ICMP_CODE) === 0) {
    if (mayPing(at) === 0) return DROP_UNSOLICITED;
    return echo(packet, index);
  }
  if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) return icmpAboutUs(packet, index);
  const identifier: i32 = i32at(packet + PACKET_PORTS) & 0xffff;
  const source: i32 = get32(packet + PACKET_IP + IP_SOURCE);
  if (get8(l4) === ICMP_ECHO_REPLY && socketHears(PROTOCOL_ICMP, identifier, index, source, identifier) !== 0)
    return PUNT;
  return mayAnswer(at) === 0 ? DROP_UNSOLICITED : DROP_ICMP_TYPE;
}

/** The answer to a ping, unless many frames wait for the card already: a flood of large ones loses its own answers. */
function echo(packet: i32, index: i32): i32 {
  if (i32at(interfaceAt(index) + IF_QUEUE_LENGTH) >= ECHO_QUEUE_LIMIT) return DROP_TRANSMIT_FULL;
  return icmpEcho(packet);
}

/**
 * An error for us is control's if it quotes a packet that an open socket has sent: from the address to which the error
 * comes, to the remote end that the socket hears.
 */
function icmpAboutUs(packet: i32, index: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const quoted: i32 = i32at(packet + PACKET_L4) + ICMP_HEADER_BYTES;
  const end: i32 = ip + i32at(packet + PACKET_LENGTH);
  if (end - quoted < 28 || get8(quoted) >> 4 !== 4) return DROP_ICMP_MALFORMED;
  const headerBytes: i32 = headerBytesOf(quoted);
  if (headerBytes < IP_HEADER_BYTES || end - quoted < headerBytes + 8) return DROP_ICMP_MALFORMED;
  if (get32(quoted + IP_SOURCE) !== get32(ip + IP_DESTINATION)) return DROP_UNSOLICITED;
  // Behind the first fragment there are no ports.
  if ((get16(quoted + IP_OFFSET) & IP_OFFSET_UNITS) !== 0) return DROP_UNSOLICITED;
  const protocol: i32 = get8(quoted + IP_PROTOCOL);
  const l4: i32 = quoted + headerBytes;
  const remote: i32 = get32(quoted + IP_DESTINATION);
  // A query's identifier is where the others' second word is.
  const port: i32 = protocol === PROTOCOL_ICMP ? get16(l4 + ICMP_IDENTIFIER) : get16(l4);
  const remotePort: i32 = protocol === PROTOCOL_ICMP ? port : get16(l4 + DESTINATION_PORT);
  return socketHears(protocol, port, index, remote, remotePort) !== 0 ? PUNT : DROP_UNSOLICITED;
}

/** Fragments are not put together for us; an echo request needs no more than to be turned around. */
function fragment(packet: i32, protocol: i32, at: i32): i32 {
  const context: i32 = i32at(packet + PACKET_CONTEXT);
  const l4: i32 = i32at(packet + PACKET_L4);
  if (protocol === PROTOCOL_ICMP && mayPing(at) !== 0) {
    if (l4 !== 0 && get8(l4) === ICMP_ECHO_REQUEST && get8(l4 + ICMP_CODE) === 0)
      putu16(context + CONTEXT_ECHO, 1);
    if (u16at(context + CONTEXT_ECHO) !== 0) return echo(packet, i32at(packet + PACKET_IN));
  }
  return mayAnswer(at) === 0 ? DROP_UNSOLICITED : DROP_LOCAL_CLOSED;
}

/** PASS if the transport checksum of a whole datagram is right. Control need not look again. */
function transportFault(packet: i32, protocol: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  const bytes: i32 = get16(ip + IP_LENGTH) - (l4 - ip);
  if (protocol === PROTOCOL_ICMP) return checksum(l4, bytes) === 0 ? PASS : DROP_ICMP_CHECKSUM;
  if (protocol !== PROTOCOL_UDP && protocol !== PROTOCOL_TCP) return PASS;
  let covered: i32 = bytes;
  if (protocol === PROTOCOL_UDP) {
    if (get16(l4 + UDP_CHECKSUM) === 0) return PASS; // the sender computed none (RFC 768)
    covered = get16(l4 + UDP_LENGTH);
  }
  const total: i32 =
    pseudoSum(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION), protocol, covered) + sum(l4, covered);
  return (total & 0xffff) + (total >>> 16) === 0xffff ? PASS : DROP_TRANSPORT_HEADER;
}

/** Turns a segment to a closed port into the reset (RFC 793, 3.4); never one about a reset. */
export function resetSender(packet: i32): i32 {
  const ip: i32 = packet + PACKET_IP;
  const l4: i32 = i32at(packet + PACKET_L4);
  const flags: i32 = get8(l4 + TCP_FLAGS);
  if ((flags & TCP_RST) !== 0 || answerAllowed(packet, get32(ip + IP_SOURCE)) === 0) return DROP_LOCAL_CLOSED;
  const headerBytes: i32 = tcpHeaderBytesOf(l4);
  // SYN and FIN take a number each.
  const taken: i32 = get16(ip + IP_LENGTH) - (l4 - ip) - headerBytes + (flags & 1) + ((flags >> 1) & 1);
  const ports: i32 = get32(l4);
  const sequence: i32 = get32(l4 + TCP_SEQUENCE);
  const acknowledged: i32 = get32(l4 + TCP_ACKNOWLEDGMENT);
  put32(l4, (ports << 16) | (ports >>> 16));
  if ((flags & TCP_ACK) !== 0) {
    put32(l4 + TCP_SEQUENCE, acknowledged);
    put32(l4 + TCP_ACKNOWLEDGMENT, 0);
    put32(l4 + TCP_LENGTH, 0x50000000 | (TCP_RST << 16));
  } else {
    put32(l4 + TCP_SEQUENCE, 0);
    put32(l4 + TCP_ACKNOWLEDGMENT, (sequence + taken) | 0);
    put32(l4 + TCP_LENGTH, 0x50000000 | ((TCP_RST | TCP_ACK) << 16));
  }
  put32(l4 + TCP_CHECKSUM, 0);
  const bytes: i32 = l4 - ip + TCP_BYTES;
  put16(ip + IP_LENGTH, bytes);
  puti32(packet + PACKET_LENGTH, bytes);
  turnAround(packet);
  sealTransport(ip);
  return PASS;
}

/** Computes the transport checksum of a whole datagram of ours anew, then the header's. */
export function sealTransport(ip: i32): void {
  const protocol: i32 = get8(ip + IP_PROTOCOL);
  const l4: i32 = ip + headerBytesOf(ip);
  const bytes: i32 = get16(ip + IP_LENGTH) - headerBytesOf(ip);
  if (protocol === PROTOCOL_ICMP) {
    put16(l4 + ICMP_CHECKSUM, 0);
    put16(l4 + ICMP_CHECKSUM, checksum(l4, bytes));
  } else if (protocol === PROTOCOL_UDP || protocol === PROTOCOL_TCP) {
    const field: i32 = l4 + (protocol === PROTOCOL_UDP ? UDP_CHECKSUM : TCP_CHECKSUM);
    put16(field, 0);
    let total: i32 = pseudoSum(get32(ip + IP_SOURCE), get32(ip + IP_DESTINATION), protocol, bytes);
    total += sum(l4, bytes);
    const value: i32 = ~((total & 0xffff) + (total >>> 16)) & 0xffff;
    put16(field, value === 0 && protocol === PROTOCOL_UDP ? 0xffff : value); // 0 would say that there is none
  }
  sealHeader(ip);
}
