// The way to an address: the interfaces' own networks, the routes of the table, longest prefix first, and a
// small cache in front of both, so that a packet asks twice (for its source and for its destination).
// RFC 1812, section 5.2.4; networks of two addresses have no broadcast address: RFC 3021. Link-local addresses are
// not behind a router (RFC 3927, section 7): only their own link, or a route made for them, leads there.
//
// A route that a lease brought (ROUTE_LEARNED) is one of lesser right: it takes nothing away from a network inside, nor from
// a route that was set by hand, however long its prefix; only the default route gives way to it. Both may be there for
// one destination: what was set is in force, and remains when the lease is over. One that was set and leads nowhere
// yet, as its gateway is in no network of ours, leaves its destination to other set routes, and to no learned one.
//
// Each link has learned routes of its own, so two of them may have brought one for the same destination, a default route above all: then the
// lower link's goes first, of those that are up; then those that a packet dials (src/plane/link/demand.ts).
// Not here: the records (src/base/route-record.ts).

import { ALIAS_LINK } from '../../base/alias-record.ts';
import { ALIASES_SET_AT, DEMAND_LINKS_AT, LINK_END_AT } from '../../base/cells.ts';
import {
  IF_ADDRESS,
  IF_MASK,
  IF_NETWORK,
  IF_SIDE,
  IF_STATE,
  INTERFACE_INSIDE,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import {
  INTERFACE_COUNT,
  ROUTE_BYTES,
  ROUTE_CACHE_AT,
  ROUTE_CACHE_BYTES,
  ROUTE_CACHE_COUNT,
  ROUTE_COUNT,
  ROUTE_STATE_AT,
  ROUTE_STATE_BYTES,
  ROUTES_AT,
} from '../../base/limits.ts';
import { fill, i32at, puti32 } from '../../base/memory.ts';
import {
  ROUTE_BROADCAST,
  ROUTE_DESTINATION,
  ROUTE_GATEWAY,
  ROUTE_INTERFACE,
  ROUTE_LEARNED,
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_MARTIAN,
  ROUTE_MASK,
  ROUTE_MULTICAST,
  ROUTE_NONE,
  ROUTE_NOWHERE,
  ROUTE_SET,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  ROUTE_USED,
  TO_NEXT_HOP,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { forgetRoutes } from '../flow/kept-route.ts';
import { aliasOf } from './aliases.ts';

/** In place of a link, where it does not matter whose the route is. */
const ANY_LINK: i32 = -2;
/** What onLink() answers for an address of ours. */
const ON_US: i32 = 33;
/** Bits of 169.254/16. */
const LINK_LOCAL_BITS: i32 = 16;

/** What the cache was filled under, for each interface: address, mask, state and side; the last address but 0. */
const SEEN: i32 = ROUTE_STATE_AT;
const SEEN_BYTES: i32 = 16;

export function resetRoutes(): void {
  fill(ROUTES_AT, 0, ROUTE_COUNT * ROUTE_BYTES);
  fill(ROUTE_STATE_AT, 0, ROUTE_STATE_BYTES);
  for (let i: i32 = 0; i < INTERFACE_COUNT; i++) noteInterface(i);
  flushRoutes();
}

/** Empties the cache, and lets sessions forget the routes that they keep. An empty place holds the address 0; the one that 0 really belongs to is filled. */
export function flushRoutes(): void {
  fill(ROUTE_CACHE_AT, 0, ROUTE_CACHE_COUNT * ROUTE_CACHE_BYTES);
  puti32(ROUTE_CACHE_AT + TO_ROUTE, ROUTE_MARTIAN << ROUTE_TYPE_SHIFT);
  forgetRoutes();
}

/** Adds or replaces a route; gateway 0: the destination is on the link; interface ROUTE_NOWHERE. 0 if the table is full. */
export function routeAdd(destination: i32, mask: i32, gateway: i32, index: i32): i32 {
  return add(destination, mask, gateway, index, ROUTE_SET);
}

/** The same of one that a lease or a peer brought; each link may have one for a destination. */
export function routeLearn(destination: i32, mask: i32, gateway: i32, index: i32): i32 {
  return add(destination, mask, gateway, index, ROUTE_LEARNED);
}

/** The gateway of a route that was set, 0 if its destination is on the link, -1 if there is no such route. */
export function routeGateway(destination: i32, mask: i32): i32 {
  const at: i32 = findRoute(destination & mask, mask, ROUTE_SET, ANY_LINK);
  return at === 0 ? -1 : i32at(at + ROUTE_GATEWAY);
}

/** Removes a route that was set; 0 if there is none. */
export function routeRemove(destination: i32, mask: i32): i32 {
  return remove(destination, mask, ROUTE_SET, ANY_LINK);
}

/** Removes one that a link has brought. */
export function routeForget(destination: i32, mask: i32, index: i32): i32 {
  return remove(destination, mask, ROUTE_LEARNED, index);
}

function add(destination: i32, mask: i32, gateway: i32, index: i32, origin: i32): i32 {
  let at: i32 = findRoute(destination & mask, mask, origin, origin === ROUTE_LEARNED ? index : ANY_LINK);
  if (at === 0) at = findFree();
  if (at === 0) return 0;
  puti32(at + ROUTE_DESTINATION, destination & mask);
  puti32(at + ROUTE_MASK, mask);
  puti32(at + ROUTE_GATEWAY, gateway);
  puti32(at + ROUTE_INTERFACE, index);
  puti32(at + ROUTE_USED, origin);
  flushRoutes();
  return 1;
}

function remove(destination: i32, mask: i32, origin: i32, index: i32): i32 {
  const at: i32 = findRoute(destination & mask, mask, origin, index);
  if (at === 0) return 0;
  fill(at, 0, ROUTE_BYTES);
  flushRoutes();
  return 1;
}

/** The way to an address: the cache's entry, good until something else is asked. */
export function routeTo(address: i32): i32 {
  const place: i32 =
    (address ^ (address >>> 6) ^ (address >>> 13) ^ (address >>> 21)) & (ROUTE_CACHE_COUNT - 1);
  const entry: i32 = ROUTE_CACHE_AT + place * ROUTE_CACHE_BYTES;
  if (i32at(entry) !== address) {
    puti32(entry, address);
    classify(address, entry);
  }
  return entry;
}

/** Finds the way and writes it into the entry. */
function classify(address: i32, entry: i32): void {
  puti32(entry + TO_NEXT_HOP, 0);
  const top: i32 = address >>> 24;
  if (address === -1) {
    puti32(entry + TO_ROUTE, (ROUTE_BROADCAST << ROUTE_TYPE_SHIFT) | ROUTE_LINK);
  } else if (top === 0 || top === 127 || top >= 240) {
    puti32(entry + TO_ROUTE, ROUTE_MARTIAN << ROUTE_TYPE_SHIFT);
  } else if (top >= 224) {
    puti32(entry + TO_ROUTE, ROUTE_MULTICAST << ROUTE_TYPE_SHIFT);
  } else {
    lookUp(address, entry);
  }
}

/**
 * Longest prefix among the interfaces that are up and the routes that leave by one of them: first those that were set,
 * then, where neither one of these nor an inside network has the address, those that were learned.
 */
function lookUp(address: i32, entry: i32): void {
  puti32(entry + TO_ROUTE, ROUTE_NONE << ROUTE_TYPE_SHIFT);
  let best: i32 = onLink(address, entry);
  if (best === ON_US) return;
  if (i32at(ALIASES_SET_AT) !== 0 && isAliased(address, entry) !== 0) return;
  const route: i32 = i32at(entry + TO_ROUTE);
  const isInside: i32 =
    best > 0 && i32at(interfaceAt(route & ROUTE_LINK) + IF_SIDE) === INTERFACE_INSIDE ? 1 : 0;
  // A default route is none for a link-local address.
  if (isLinkLocal(address) !== 0 && best < LINK_LOCAL_BITS) best = LINK_LOCAL_BITS - 1;
  const set: i32 = byRoutes(address, entry, best, ROUTE_SET);
  if (isInside === 0 && (set === best || set === 0) && isWaited(address, best) === 0)
    byRoutes(address, entry, set, ROUTE_LEARNED);
}

/** Whether an address is ours beside that of its link, which is up; writes it into the entry. */
function isAliased(address: i32, entry: i32): i32 {
  const alias: i32 = aliasOf(address);
  if (alias === 0 || leads(i32at(alias + ALIAS_LINK)) === 0) return 0;
  puti32(entry + TO_ROUTE, (ROUTE_LOCAL << ROUTE_TYPE_SHIFT) | i32at(alias + ALIAS_LINK));
  puti32(entry + TO_NEXT_HOP, 0);
  return 1;
}

/** The way on a link: answers the bits of its network's prefix, ON_US, or -1 if there is none. */
function onLink(address: i32, entry: i32): i32 {
  let best: i32 = -1;
  const end: i32 = i32at(LINK_END_AT);
  for (let i: i32 = 0; i < end; i++) {
    const at: i32 = interfaceAt(i);
    if (i32at(at + IF_STATE) === INTERFACE_UP) {
      const mask: i32 = i32at(at + IF_MASK);
      if (address === i32at(at + IF_ADDRESS)) {
        puti32(entry + TO_ROUTE, (ROUTE_LOCAL << ROUTE_TYPE_SHIFT) | i);
        return ON_US;
      }
      const bits: i32 = (address & mask) === i32at(at + IF_NETWORK) ? prefixBits(mask) : -1;
      if (bits > best) {
        best = bits;
        const host: i32 = address & ~mask;
        const isGroup: i32 = best < 31 && (host === 0 || host === ~mask) ? 1 : 0;
        puti32(entry + TO_ROUTE, ((isGroup !== 0 ? ROUTE_BROADCAST : ROUTE_UNICAST) << ROUTE_TYPE_SHIFT) | i);
        puti32(entry + TO_NEXT_HOP, address);
      }
    }
  }
  return best;
}

/** The way by a route of an origin with a longer prefix than `bits`: answers that prefix's bits, or `bits`. */
function byRoutes(address: i32, entry: i32, bits: i32, origin: i32): i32 {
  let best: i32 = bits;
  for (let i: i32 = 0; i < ROUTE_COUNT; i++) {
    const route: i32 = ROUTES_AT + i * ROUTE_BYTES;
    const mask: i32 = i32at(route + ROUTE_MASK);
    if (i32at(route + ROUTE_USED) === origin && (address & mask) === i32at(route + ROUTE_DESTINATION)) {
      const index: i32 = i32at(route + ROUTE_INTERFACE);
      // The link's own network wins over a route of the same length, and of two learned ones that of the link that goes before.
      const own: i32 = prefixBits(mask);
      const isFirst: i32 =
        own === best && best > bits && rank(index) < rank(i32at(entry + TO_ROUTE) & ROUTE_LINK) ? 1 : 0;
      if ((own > best || isFirst !== 0) && leads(index) !== 0) {
        best = own;
        const gateway: i32 = i32at(route + ROUTE_GATEWAY);
        puti32(entry + TO_ROUTE, (ROUTE_UNICAST << ROUTE_TYPE_SHIFT) | index);
        puti32(entry + TO_NEXT_HOP, gateway === 0 ? address : gateway);
      }
    }
  }
  return best;
}

/** Whether a route that was set, with a longer prefix than `bits`, has the address and leads nowhere yet. */
function isWaited(address: i32, bits: i32): i32 {
  for (let i: i32 = 0; i < ROUTE_COUNT; i++) {
    const route: i32 = ROUTES_AT + i * ROUTE_BYTES;
    const mask: i32 = i32at(route + ROUTE_MASK);
    if (i32at(route + ROUTE_USED) === ROUTE_SET && (address & mask) === i32at(route + ROUTE_DESTINATION)) {
      if (mask !== 0 && prefixBits(mask) > bits && leads(i32at(route + ROUTE_INTERFACE)) === 0) return 1;
    }
  }
  return 0;
}

/** One that a packet dials leads somewhere though it is down. */
function leads(index: i32): i32 {
  if (index === ROUTE_NOWHERE) return 0;
  if (i32at(interfaceAt(index) + IF_STATE) === INTERFACE_UP) return 1;
  return (i32at(DEMAND_LINKS_AT) >> index) & 1;
}

/** The order of links whose ways are as good: those that are up, by their numbers, then those that would have to be dialled. */
function rank(index: i32): i32 {
  return i32at(interfaceAt(index) + IF_STATE) === INTERFACE_UP ? index : INTERFACE_COUNT + index;
}

/** 1 for an address of 169.254/16. */
export function isLinkLocal(address: i32): i32 {
  return address >>> (32 - LINK_LOCAL_BITS) === 0xa9fe ? 1 : 0;
}

/** Ones at the start of a mask. */
function prefixBits(mask: i32): i32 {
  let bits: i32 = 0;
  for (let rest: i32 = mask; rest < 0; rest = rest << 1) bits++;
  return bits;
}

/** `index`: of which link, or ANY_LINK. */
function findRoute(destination: i32, mask: i32, origin: i32, index: i32): i32 {
  for (let i: i32 = 0; i < ROUTE_COUNT; i++) {
    const at: i32 = ROUTES_AT + i * ROUTE_BYTES;
    if (
      i32at(at + ROUTE_USED) === origin &&
      i32at(at + ROUTE_DESTINATION) === destination &&
      i32at(at + ROUTE_MASK) === mask &&
      (index === ANY_LINK || i32at(at + ROUTE_INTERFACE) === index)
    ) {
      return at;
    }
  }
  return 0;
}

function findFree(): i32 {
  for (let i: i32 = 0; i < ROUTE_COUNT; i++) {
    const at: i32 = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(at + ROUTE_USED) === 0) return at;
  }
  return 0;
}

/** 1 if an interface's address, mask, state or side is not what it was when `see` was last called. */
export function interfaceChanged(index: i32): i32 {
  const at: i32 = interfaceAt(index);
  const seen: i32 = SEEN + index * SEEN_BYTES;
  if (i32at(seen) !== i32at(at + IF_ADDRESS)) return 1;
  if (i32at(seen + 4) !== i32at(at + IF_MASK)) return 1;
  return i32at(seen + 8) !== stateAndSide(at) ? 1 : 0;
}

/** The last address that an interface had when `noteInterface` was called; 0 if it never had one. */
export function addressSeen(index: i32): i32 {
  return i32at(SEEN + index * SEEN_BYTES + 12);
}

/** Notes an interface's settings. */
export function noteInterface(index: i32): void {
  const at: i32 = interfaceAt(index);
  const seen: i32 = SEEN + index * SEEN_BYTES;
  puti32(seen, i32at(at + IF_ADDRESS));
  puti32(seen + 4, i32at(at + IF_MASK));
  puti32(seen + 8, stateAndSide(at));
  if (i32at(at + IF_ADDRESS) !== 0) puti32(seen + 12, i32at(at + IF_ADDRESS));
}

function stateAndSide(at: i32): i32 {
  return (i32at(at + IF_STATE) << 1) | i32at(at + IF_SIDE);
}
