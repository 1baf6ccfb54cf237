// ARP packets that come in: RFC 826, "Packet Reception"; probes and conflicts: RFC 5227; for others: RFC 1027.
// Not here: the layout (arp.ts, src/wire/arp.ts), the table (neighbour.ts).

import { ALIAS_LINK } from '../../base/alias-record.ts';
import { ALIASES_SET_AT, NOW_AT, PROXIED_LINKS_AT } from '../../base/cells.ts';
import {
  COUNT_ARP_CONFLICT,
  count,
  DROP_ARP_MALFORMED,
  DROP_INTERFACE_DOWN,
  DROP_MARTIAN_SOURCE,
  DROP_NOT_FOR_US,
} from '../../base/counters.ts';
import {
  IF_ADDRESS,
  IF_MASK,
  IF_NETWORK,
  IF_STATE,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import { ARP_DEFEND_TICKS } from '../../base/limits.ts';
import { get8, get16, get32, i32at, puti32 } from '../../base/memory.ts';
import { LINK_DEFENDED } from '../../base/neighbour-record.ts';
import { PACKET_LENGTH, PASS } from '../../base/packet.ts';
import { ROUTE_LINK, ROUTE_TYPE_SHIFT, ROUTE_UNICAST, TO_ROUTE } from '../../base/route-record.ts';
import { ARP_BYTES, ARP_ETHERNET_IPV4 } from '../../wire/arp.ts';
import { ethernetReply } from '../../wire/ethernet.ts';
import { aliasOf } from '../ip/aliases.ts';
import { routeTo } from '../ip/route.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  ARP_SENDER,
  ARP_SENDER_MAC,
  ARP_SIZES,
  ARP_TARGET,
  ARP_TYPES,
  arpAnnounceAs,
  arpAnswer,
  arpWatch,
  isOurMac,
} from './arp.ts';
import { neighbourHeard } from './neighbour.ts';

/** Ticks of the last defence, a word an interface; 0 before the first. */
const DEFENDED: i32 = LINK_DEFENDED;

/** PASS: the packet has become a reply, transmit it where it came in. Otherwise a reason to drop it. */
export function arpInput(packet: i32, index: i32): i32 {
  if (i32at(packet + PACKET_LENGTH) < ARP_BYTES) return DROP_ARP_MALFORMED;
  const operation: i32 = get32(packet + ARP_SIZES);
  if (get32(packet + ARP_TYPES) !== ARP_ETHERNET_IPV4) return DROP_ARP_MALFORMED;
  if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return DROP_ARP_MALFORMED;
  if (isStation(packet) === 0) return DROP_ARP_MALFORMED;
  arpWatch(packet, index);
  const at: i32 = interfaceAt(index);
  if (i32at(at + IF_STATE) !== INTERFACE_UP) return DROP_INTERFACE_DOWN;
  const ours: i32 = i32at(at + IF_ADDRESS);
  const sender: i32 = get32(packet + ARP_SENDER);
  const hasMore: i32 = i32at(ALIASES_SET_AT);
  if (sender === ours || (hasMore !== 0 && isAlias(sender, index) !== 0)) return conflict(packet, at, index);
  const target: i32 = get32(packet + ARP_TARGET);
  const forUs: i32 = target === ours || (hasMore !== 0 && isAlias(target, index) !== 0) ? 1 : 0;
  // A probe (RFC 5227, 2.1.1) has no sender to learn, but it must hear that the address is taken.
  if (sender !== 0) {
    if (onLink(sender, at) === 0) {
      // Off the link's network are next hops of a lease of /32, or hosts behind another router of this link. Where
      // our packets to them leave by it they are answered; who learned them would learn all the world's.
      if (neighbourHeard(index, sender, packet + ARP_SENDER_MAC, 0) === 0 && isBehind(sender, index) === 0)
        return DROP_MARTIAN_SOURCE;
    } else {
      neighbourHeard(index, sender, packet + ARP_SENDER_MAC, forUs);
    }
  }
  if (operation !== ARP_REQUEST) return DROP_NOT_FOR_US;
  if (forUs === 0 && (i32at(PROXIED_LINKS_AT) === 0 || isProxied(target, at, index) === 0))
    return DROP_NOT_FOR_US;
  arpAnswer(packet, at);
  ethernetReply(packet, at);
  return PASS;
}

/**
 * The sender's hardware address is one that can send. It need not be the frame's source: routers that share
 * an address (RFC 5798, 8.1.2) and bridges differ there.
 */
function isStation(packet: i32): i32 {
  if ((get8(packet + ARP_SENDER_MAC) & 1) !== 0) return 0;
  return (get32(packet + ARP_SENDER_MAC) | get16(packet + ARP_SENDER_MAC + 4)) !== 0 ? 1 : 0;
}

/** Whether an address is one that we have on the link beside its own. */
function isAlias(address: i32, index: i32): i32 {
  const alias: i32 = aliasOf(address);
  return alias !== 0 && i32at(alias + ALIAS_LINK) === index ? 1 : 0;
}

/** An address that a host of the link may have. */
function onLink(address: i32, at: i32): i32 {
  const mask: i32 = i32at(at + IF_MASK);
  if ((address & mask) !== i32at(at + IF_NETWORK)) return 0;
  const host: i32 = address & ~mask;
  if ((~mask & ~1) === 0) return 1; // RFC 3021: both are hosts
  return host !== 0 && host !== ~mask ? 1 : 0;
}

/** Whether the way to an address leaves by the interface. */
function isBehind(address: i32, index: i32): i32 {
  return i32at(routeTo(address) + TO_ROUTE) === ((ROUTE_UNICAST << ROUTE_TYPE_SHIFT) | index) ? 1 : 0;
}

/** Whether an address of the link's network is that of another link's peer, for whom we answer (RFC 1027). */
function isProxied(target: i32, at: i32, index: i32): i32 {
  if (onLink(target, at) === 0) return 0;
  const route: i32 = i32at(routeTo(target) + TO_ROUTE);
  const link: i32 = route & ROUTE_LINK;
  if (route >> ROUTE_TYPE_SHIFT !== ROUTE_UNICAST || link === index) return 0;
  return (i32at(PROXIED_LINKS_AT) >> link) & 1;
}

/** Somebody says that it has our address: count, and say that we have it, not too often (RFC 5227, 2.4 (b)). */
function conflict(packet: i32, at: i32, index: i32): i32 {
  if (isOurMac(packet + ARP_SENDER_MAC, at) !== 0) return DROP_NOT_FOR_US; // our own frame came back
  count(COUNT_ARP_CONFLICT);
  const now: i32 = i32at(NOW_AT);
  const defended: i32 = i32at(DEFENDED + 4 * index);
  const passed: i32 = (now - defended) | 0;
  // Less than nothing: the last defence is half a year ago, and the clock's difference has wrapped.
  if (defended === 0 || passed < 0 || passed >= ARP_DEFEND_TICKS) {
    puti32(DEFENDED + 4 * index, now === 0 ? -1 : now);
    arpAnnounceAs(index, get32(packet + ARP_SENDER));
  }
  return DROP_NOT_FOR_US;
}
