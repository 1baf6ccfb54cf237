// What a rule asks of a packet beside addresses, interfaces and protocol: the further fields of its cell, and its operations
// (src/base/rule-record.ts), by the packet in the view.
//
// What may differ between the packets of one flow that take the short way (its length, time to live, options, a limit's tokens, chance) takes
// the path from the view: the flow is then asked packet by packet (paths.ts). Of TCP's flags the short way takes only segments
// with ACK alone of FIN, SYN, RST and ACK, so rules that ask for no others are not among these.
// Not here: the order (walk.ts), what a rule does (rule-targets.ts).

import { NOW_AT, PROBE_AT } from '../../base/cells.ts';
import { random32 } from '../../base/entropy.ts';
import { IF_LINK, interfaceAt, LINK_ETHERNET } from '../../base/interface.ts';
import { get8, get16, get32, i32at, multiply, puti32, u16at } from '../../base/memory.ts';
import { FLAG_BROADCAST, PACKET_FLAGS, PACKET_IP, PACKET_L4, PACKET_STATION } from '../../base/packet.ts';
import {
  ROUTE_BROADCAST,
  ROUTE_LOCAL,
  ROUTE_MULTICAST,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { RULE_OPERATION_MOST } from '../../base/rule-limits.ts';
import {
  ADDRTYPE_NOT_DESTINATION,
  ADDRTYPE_NOT_SOURCE,
  cellAt,
  LIMIT_COST,
  LIMIT_LEFT,
  LIMIT_MOST,
  LIMIT_REFILL,
  LIMIT_TICK,
  OPERATION_ADDRTYPE,
  OPERATION_COMMENT,
  OPERATION_CONNLIMIT,
  OPERATION_CONNMARK,
  OPERATION_DO_LOG,
  OPERATION_FIELDS,
  OPERATION_FLAGS,
  OPERATION_IPRANGE,
  OPERATION_KIND,
  OPERATION_LENGTH,
  OPERATION_LIMIT,
  OPERATION_LOG,
  OPERATION_MAC,
  OPERATION_MARK,
  OPERATION_MULTIPORT,
  OPERATION_NEXT,
  OPERATION_NOT,
  OPERATION_PKTTYPE,
  OPERATION_RECENT,
  OPERATION_STATISTIC,
  OPERATION_TCP_OPTION,
  OPERATION_TCPMSS,
  OPERATION_TIME,
  OPERATION_TOS,
  OPERATION_TTL,
  OPERATION_WRITTEN,
  PORTS_DESTINATION,
  PORTS_SOURCE,
  RANGE_DESTINATION,
  RANGE_NOT_DESTINATION,
  RANGE_NOT_SOURCE,
  RANGE_SOURCE,
  RULE_DESTINATION_PORTS,
  RULE_FLAGS,
  RULE_FRAGMENT,
  RULE_HAS_ICMP,
  RULE_HAS_PORTS,
  RULE_HAS_STATE,
  RULE_HAS_TCP_FLAGS,
  RULE_ICMP_CODES,
  RULE_ICMP_TYPE,
  RULE_NOT_DESTINATION_PORTS,
  RULE_NOT_ICMP,
  RULE_NOT_SOURCE_PORTS,
  RULE_NOT_STATE,
  RULE_NOT_TCP_FLAGS,
  RULE_SOURCE_PORTS,
  RULE_STATES,
  RULE_TCP_MASK,
  RULE_TCP_VALUE,
  TTL_ABOVE,
  TTL_BELOW,
  TTL_NOT,
} from '../../base/rule-record.ts';
import {
  OPERATIONS_LEFT_AT,
  VIEW_BYTES,
  VIEW_DESTINATION,
  VIEW_IN_LINK,
  VIEW_KIND,
  VIEW_MARK,
  VIEW_PACKET,
  VIEW_PORTS,
  VIEW_PROTOCOL,
  VIEW_SOURCE,
  VIEW_STATE,
  VIEW_TTL,
} from '../../base/rule-state.ts';
import { IP_TOS, PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { TCP_OPTION_MSS, TCP_STATE_MASK } from '../../wire/tcp.ts';
import { findTcpOption } from '../ip/mss.ts';
import { routeTo } from '../ip/route.ts';
import { applyConnlimit } from './connlimit.ts';
import { applyTime } from './daytime.ts';
import { applyOld } from './old-operations.ts';
import { applyRecent } from './recent.ts';
import { markOfFlow } from './rule-targets.ts';
import { varies } from './varies.ts';

/** ICMP's type for all, in rules. */
const ICMP_ANY: i32 = 255;
/** Bits of Linux's RTN_* in OPERATION_ADDRTYPE. */
const RTN_UNICAST: i32 = 1 << 1;
const RTN_LOCAL: i32 = 1 << 2;
const RTN_BROADCAST: i32 = 1 << 3;
const RTN_MULTICAST: i32 = 1 << 5;
const RTN_UNREACHABLE: i32 = 1 << 7;

/** 1 if the fields hold that the flags, which stand at `at` + RULE_FLAGS, name: of a rule's cell, or of an operation like it. */
export function applyFields(at: i32, flags: i32): i32 {
  // Who has tracked it knows a later fragment's ports: to the rules it is a packet as any (Linux puts them together).
  if ((flags & RULE_FRAGMENT) !== 0) return 0;
  if ((flags & RULE_HAS_PORTS) !== 0) {
    const ports: i32 = i32at(VIEW_PORTS);
    if (isWithin(at + RULE_SOURCE_PORTS, ports >>> 16) === ((flags & RULE_NOT_SOURCE_PORTS) !== 0 ? 1 : 0))
      return 0;
    if (
      isWithin(at + RULE_DESTINATION_PORTS, ports & 0xffff) ===
      ((flags & RULE_NOT_DESTINATION_PORTS) !== 0 ? 1 : 0)
    )
      return 0;
  }
  if ((flags & RULE_HAS_STATE) !== 0) {
    const isIn: i32 = (get8(at + RULE_STATES) & i32at(VIEW_STATE)) !== 0 ? 1 : 0;
    if (isIn === ((flags & RULE_NOT_STATE) !== 0 ? 1 : 0)) return 0;
  }
  if ((flags & RULE_HAS_TCP_FLAGS) !== 0) return applyTcpFlags(at, flags);
  return (flags & RULE_HAS_ICMP) !== 0 ? applyIcmp(at, flags) : 1;
}

function isWithin(range: i32, port: i32): i32 {
  return port >= u16at(range) && port <= u16at(range + 2) ? 1 : 0;
}

function applyTcpFlags(at: i32, flags: i32): i32 {
  const kind: i32 = i32at(VIEW_KIND);
  const mask: i32 = get8(at + RULE_TCP_MASK);
  if (kind < 0) return 0;
  if ((mask & ~TCP_STATE_MASK) !== 0) varies();
  const isIt: i32 = (kind & mask) === get8(at + RULE_TCP_VALUE) ? 1 : 0;
  return isIt === ((flags & RULE_NOT_TCP_FLAGS) !== 0 ? 1 : 0) ? 0 : 1;
}

function applyIcmp(at: i32, flags: i32): i32 {
  const kind: i32 = i32at(VIEW_KIND);
  const type: i32 = get8(at + RULE_ICMP_TYPE);
  if (kind < 0) return 0;
  const code: i32 = kind & 0xff;
  const isIt: i32 =
    type === ICMP_ANY ||
    (type === kind >> 8 && code >= get8(at + RULE_ICMP_CODES) && code <= get8(at + RULE_ICMP_CODES + 1))
      ? 1
      : 0;
  return isIt === ((flags & RULE_NOT_ICMP) !== 0 ? 1 : 0) ? 0 : 1;
}

/** 1 if all operations hold, from this one on: they are asked in order, up to the first that does not. None does any more when too many were asked (walk.ts). */
export function applyOperations(first: i32): i32 {
  let n: i32 = first;
  let left: i32 = RULE_OPERATION_MOST;
  let all: i32 = i32at(OPERATIONS_LEFT_AT) > 0 ? 1 : 0;
  for (; n !== 0 && left !== 0 && all !== 0; left--) {
    const at: i32 = cellAt(n);
    const kind: i32 = get8(at + OPERATION_KIND);
    if (kind < OPERATION_LOG && kind !== OPERATION_COMMENT && kind !== OPERATION_WRITTEN) {
      const holds: i32 = applyOperation(at, kind);
      if (holds === (get8(at + OPERATION_FLAGS) & OPERATION_NOT)) all = 0;
    }
    n = u16at(at + OPERATION_NEXT);
  }
  puti32(OPERATIONS_LEFT_AT, i32at(OPERATIONS_LEFT_AT) - RULE_OPERATION_MOST + left);
  return all;
}

/** 1 if an operation holds, without its OPERATION_NOT. */
function applyOperation(at: i32, kind: i32): i32 {
  if (kind === OPERATION_FIELDS) return applyFields(at, u16at(at + RULE_FLAGS));
  if (kind === OPERATION_MULTIPORT) return applyMultiport(at);
  if (kind === OPERATION_MARK) return (i32at(VIEW_MARK) & i32at(at + 8)) === i32at(at + 4) ? 1 : 0;
  if (kind === OPERATION_IPRANGE) return applyRange(at);
  if (kind === OPERATION_ADDRTYPE) return applyAddrtype(at);
  if (kind >= OPERATION_DO_LOG) return applyOld(at, kind);
  varies();
  if (kind === OPERATION_LIMIT) return takeToken(at);
  if (kind === OPERATION_CONNMARK) return (markOfFlow() & i32at(at + 8)) === i32at(at + 4) ? 1 : 0;
  if (kind === OPERATION_LENGTH) return isWithin(at + 4, i32at(VIEW_BYTES));
  if (kind === OPERATION_TTL) return applyTtl(at);
  if (kind === OPERATION_MAC) return applyMac(at);
  if (kind === OPERATION_PKTTYPE) return packetType() === get8(at + 4) ? 1 : 0;
  if (kind === OPERATION_STATISTIC) return applyStatistic(at);
  if (kind === OPERATION_RECENT) return applyRecent(at);
  if (kind === OPERATION_TIME) return applyTime(at);
  if (kind === OPERATION_CONNLIMIT) return applyConnlimit(at);
  return applyHeader(at, kind);
}

/** Those that look at the packet's own bytes. */
function applyHeader(at: i32, kind: i32): i32 {
  const packet: i32 = i32at(VIEW_PACKET);
  if (kind === OPERATION_TOS)
    return (get8(packet + PACKET_IP + IP_TOS) & get8(at + 5)) === get8(at + 4) ? 1 : 0;
  if (i32at(VIEW_PROTOCOL) !== PROTOCOL_TCP || i32at(packet + PACKET_L4) === 0) return 0;
  if (kind === OPERATION_TCP_OPTION) return findTcpOption(packet, get8(at + 4)) !== 0 ? 1 : 0;
  if (kind !== OPERATION_TCPMSS) return 0;
  const option: i32 = findTcpOption(packet, TCP_OPTION_MSS);
  return option !== 0 ? isWithin(at + 4, get16(option + 2)) : 0;
}

/** Both ports, or the one that is asked for, in one pass: a list is the dearest that many rules may have. */
function applyMultiport(at: i32): i32 {
  const ports: i32 = i32at(VIEW_PORTS);
  const which: i32 = get8(at + 4);
  const from: i32 = (which & PORTS_SOURCE) !== 0 ? ports >>> 16 : -1;
  const to: i32 = (which & PORTS_DESTINATION) !== 0 ? ports & 0xffff : from;
  const end: i32 = at + 8 + 2 * (get8(at + 5) & 15);
  let ranges: i32 = u16at(at + 6);
  for (let p: i32 = at + 8; p < end; p += 2) {
    const first: i32 = u16at(p);
    if ((ranges & 1) !== 0) {
      p += 2;
      ranges = ranges >> 1;
      const last: i32 = u16at(p);
      if ((from >= first && from <= last) || (to >= first && to <= last)) return 1;
    } else if (from === first || to === first) {
      return 1;
    }
    ranges = ranges >> 1;
  }
  return 0;
}

/** Takes a packet's cost out of a limit, if that much is there (a bucket that each tick fills). */
function takeToken(at: i32): i32 {
  const now: i32 = i32at(NOW_AT);
  const passed: i32 = (now - i32at(at + LIMIT_TICK)) | 0;
  const most: i32 = i32at(at + LIMIT_MOST);
  const refill: i32 = i32at(at + LIMIT_REFILL);
  let left: i32 = i32at(at + LIMIT_LEFT);
  // What is missing, in ticks of refilling: more than have passed, or it is full.
  if (passed < 0 || passed > (((most - left) / refill) | 0)) left = most;
  else left += multiply(passed, refill);
  const cost: i32 = i32at(at + LIMIT_COST);
  if (i32at(PROBE_AT) !== 0) return left < cost ? 0 : 1;
  puti32(at + LIMIT_TICK, now);
  puti32(at + LIMIT_LEFT, left < cost ? left : left - cost);
  return left < cost ? 0 : 1;
}

function applyTtl(at: i32): i32 {
  const ttl: i32 = i32at(VIEW_TTL);
  const mode: i32 = get8(at + 4);
  const value: i32 = get8(at + 5);
  if (mode === TTL_BELOW) return ttl < value ? 1 : 0;
  if (mode === TTL_ABOVE) return ttl > value ? 1 : 0;
  return (ttl === value ? 1 : 0) === (mode === TTL_NOT ? 1 : 0) ? 0 : 1;
}

function applyMac(at: i32): i32 {
  const packet: i32 = i32at(VIEW_PACKET);
  const link: i32 = i32at(VIEW_IN_LINK);
  if (link < 0 || i32at(interfaceAt(link) + IF_LINK) !== LINK_ETHERNET) return 0;
  return get32(packet + PACKET_STATION) === get32(at + 4) &&
    get16(packet + PACKET_STATION + 4) === get16(at + 8)
    ? 1
    : 0;
}

/** Whether an address is from the first to the last, as unsigned numbers. */
function isBetween(address: i32, range: i32): i32 {
  const a: i32 = address ^ -2147483648;
  return a >= (i32at(range) ^ -2147483648) && a <= (i32at(range + 4) ^ -2147483648) ? 1 : 0;
}

function applyRange(at: i32): i32 {
  const which: i32 = get8(at + 4);
  if ((which & RANGE_SOURCE) !== 0) {
    const isIn: i32 = isBetween(i32at(VIEW_SOURCE), at + 8);
    if (isIn === ((which & RANGE_NOT_SOURCE) !== 0 ? 1 : 0)) return 0;
  }
  if ((which & RANGE_DESTINATION) === 0) return 1;
  const isIn: i32 = isBetween(i32at(VIEW_DESTINATION), at + 16);
  return isIn === ((which & RANGE_NOT_DESTINATION) !== 0 ? 1 : 0) ? 0 : 1;
}

/** The RTN_* of an address, as a bit. */
function typeOf(address: i32): i32 {
  const kind: i32 = i32at(routeTo(address) + TO_ROUTE) >> ROUTE_TYPE_SHIFT;
  if (kind === ROUTE_UNICAST) return RTN_UNICAST;
  if (kind === ROUTE_LOCAL) return RTN_LOCAL;
  if (kind === ROUTE_BROADCAST) return RTN_BROADCAST;
  return kind === ROUTE_MULTICAST ? RTN_MULTICAST : RTN_UNREACHABLE;
}

function applyAddrtype(at: i32): i32 {
  const flags: i32 = get8(at + 8);
  const sources: i32 = u16at(at + 4);
  const destinations: i32 = u16at(at + 6);
  if (sources !== 0) {
    const isIn: i32 = (typeOf(i32at(VIEW_SOURCE)) & sources) !== 0 ? 1 : 0;
    if (isIn === ((flags & ADDRTYPE_NOT_SOURCE) !== 0 ? 1 : 0)) return 0;
  }
  if (destinations === 0) return 1;
  const isIn: i32 = (typeOf(i32at(VIEW_DESTINATION)) & destinations) !== 0 ? 1 : 0;
  return isIn === ((flags & ADDRTYPE_NOT_DESTINATION) !== 0 ? 1 : 0) ? 0 : 1;
}

/** 0 for us, 1 broadcast, 2 multicast: by the frame's station. */
function packetType(): i32 {
  if ((i32at(i32at(VIEW_PACKET) + PACKET_FLAGS) & FLAG_BROADCAST) === 0) return 0;
  const kind: i32 = i32at(routeTo(i32at(VIEW_DESTINATION)) + TO_ROUTE) >> ROUTE_TYPE_SHIFT;
  return kind === ROUTE_MULTICAST ? 2 : 1;
}

function applyStatistic(at: i32): i32 {
  if (get8(at + 4) === 0) return (random32() & 0x7fffffff) < i32at(at + 8) ? 1 : 0;
  const counted: i32 = i32at(at + 16);
  const next: i32 = counted === i32at(at + 8) ? 0 : counted + 1;
  if (i32at(PROBE_AT) === 0) puti32(at + 16, next);
  return next === 0 ? 1 : 0;
}
