// Addresses of links, the default gateway and the engine, as `set` commands change them.
// They live in the plane's tables and nowhere else: when control is thrown away and started again, it finds
// them as they are, and what is listed is what is in force.
// Not here: the commands (each part has its own), saving them (store/).

import { ENGINE_AT, ENGINE_INTERPRETED, ENGINE_NATIVE, LINK_END_AT } from '../../base/cells.ts';
import {
  IF_ADDRESS,
  IF_MASK,
  IF_MTU,
  IF_SIDE,
  INTERFACE_INSIDE,
  INTERFACE_OUTSIDE,
  interfaceAt,
} from '../../base/interface.ts';
import {
  INTERFACE_LAN,
  INTERFACE_WAN,
  MTU_DEFAULT,
  ROUTE_BYTES,
  ROUTE_COUNT,
  ROUTES_AT,
} from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import {
  FILTER_ADDRESS,
  FILTER_ADDRESS_PORT,
  FILTER_ENDPOINT,
  PROFILE_CLASSIC,
  PROFILE_RFC,
} from '../../base/parameters.ts';
import { ROUTE_GATEWAY, ROUTE_INTERFACE, ROUTE_MASK, ROUTE_USED } from '../../base/route-record.ts';
import { formatPrefix, lengthOf, maskOf, overlap, type Prefix, refuseHost } from './address.ts';
import { interfaceName, linkTitle } from './facts.ts';
import type { Plane } from './machine.ts';

/** The LAN before anything is set. */
export const LAN_DEFAULT: Prefix = { address: 0xc0a80001 | 0, length: 24 };

export const PROFILES = new Map([
  ['rfc', PROFILE_RFC],
  ['classic', PROFILE_CLASSIC],
]);
export const FILTERS = new Map([
  ['endpoint', FILTER_ENDPOINT],
  ['address', FILTER_ADDRESS],
  ['address-port', FILTER_ADDRESS_PORT],
]);
export const ENGINES = new Map([
  ['native', ENGINE_NATIVE],
  ['interpreted', ENGINE_INTERPRETED],
]);

/** The address of an interface, or undefined when it has none. */
export function prefixOf(index: number): Prefix | undefined {
  const at = interfaceAt(index);
  const address = i32at(at + IF_ADDRESS);
  return address === 0 ? undefined : { address, length: lengthOf(i32at(at + IF_MASK)) };
}

/** A link's gateway: that of the default route, if that leaves by it. */
export function gatewayOf(link: number): number | undefined {
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(at + ROUTE_USED) === 0 || i32at(at + ROUTE_MASK) !== 0) continue;
    if (i32at(at + ROUTE_INTERFACE) === link) return i32at(at + ROUTE_GATEWAY);
  }
  return undefined;
}

/** The link by which the world is reached: the first outside that has an address, else the WAN. */
export function outsideLink(): number {
  for (let link = 0; link < i32at(LINK_END_AT); link++)
    if (sideOf(link) === INTERFACE_OUTSIDE && i32at(interfaceAt(link) + IF_ADDRESS) !== 0) return link;
  return INTERFACE_WAN;
}

/** Configures an interface, and lets routes, neighbours and sessions know before the next packet. */
export function configure(
  plane: Plane,
  index: number,
  side: number,
  address: number,
  mask: number,
  mtu: number,
): void {
  plane.configureInterface(index, side, address, mask, mtu);
  plane.interfacesChanged();
}

/** Why a link cannot have this address, or undefined: others may not share addresses with it. */
export function refuseLink(link: number, side: number, prefix: Prefix): string | undefined {
  // Of one address alone there is neither number nor broadcast, as of two (RFC 3021); inside that would be a network of nobody.
  const length = side === INTERFACE_OUTSIDE ? Math.min(prefix.length, 31) : prefix.length;
  return refuseHost({ address: prefix.address, length }) ?? refuseOverlap(prefix, link);
}

/** Why the LAN cannot have this address, or undefined. */
export function refuseLan(prefix: Prefix): string | undefined {
  return refuseLink(INTERFACE_LAN, INTERFACE_INSIDE, prefix);
}

/** Sets the LAN's address; answers why not, or undefined. */
export function setLan(plane: Plane, prefix: Prefix): string | undefined {
  return setAddress(plane, INTERFACE_LAN, INTERFACE_INSIDE, prefix);
}

/**
 * Sets a link's address; answers why not, or undefined. A gateway that the new network does not contain is
 * removed, as nothing could reach it.
 */
export function setAddress(plane: Plane, link: number, side: number, prefix: Prefix): string | undefined {
  const why = refuseLink(link, side, prefix);
  if (why !== undefined) return why;
  const gateway = gatewayOf(link);
  if (gateway !== undefined && prefix.length < 31 && !contains(prefix, gateway)) plane.routeRemove(0, 0);
  configure(plane, link, side, prefix.address, maskOf(prefix.length), mtuOf(link));
  return undefined;
}

/** Smallest MTU of an IPv4 link (RFC 791, section 3.2). */
export const MTU_LEAST = 68;

/** Sets a link's MTU; answers why not, or undefined. */
export function setMtu(plane: Plane, link: number, side: number, mtu: number): string | undefined {
  if (mtu < MTU_LEAST || mtu > MTU_DEFAULT) return `it is not ${MTU_LEAST} to ${MTU_DEFAULT}`;
  const at = interfaceAt(link);
  configure(plane, link, side, i32at(at + IF_ADDRESS), i32at(at + IF_MASK), mtu);
  return undefined;
}

export function mtuOf(link: number): number {
  return i32at(interfaceAt(link) + IF_MTU);
}

/** INTERFACE_INSIDE or INTERFACE_OUTSIDE: its role. */
export function sideOf(link: number): number {
  return i32at(interfaceAt(link) + IF_SIDE);
}

/** Why a gateway cannot be that of an address on a link, or undefined. */
export function refuseGateway(link: number, own: Prefix, gateway: number): string | undefined {
  const name = linkTitle(link);
  if (gateway === own.address) return `it is the ${name}'s own address`;
  // Networks of one or two addresses often have it outside: it is asked for on the link all the same.
  if (own.length < 31 && !contains(own, gateway)) {
    return `it is not in the ${name}'s network ${formatPrefix(own.address & maskOf(own.length), own.length)}`;
  }
  const host = { address: gateway, length: Math.min(own.length, 31) };
  return refuseHost(host) ?? refuseOverlap({ ...host, length: 32 }, link);
}

/** Sets a link's gateway; answers why not, or undefined. */
export function setGateway(plane: Plane, link: number, gateway: number): string | undefined {
  const own = prefixOf(link);
  if (own === undefined)
    return `the ${linkTitle(link)} has no address yet, see set ${interfaceName(link)} address`;
  const why = refuseGateway(link, own, gateway);
  if (why !== undefined) return why;
  return plane.routeAdd(0, 0, gateway, link) === 1 ? undefined : 'the table of routes is full';
}

/**
 * Chooses what runs the packet path. What interrupts have left for the one engine is the other's.
 */
export function setEngine(plane: Plane, engine: number): void {
  puti32(ENGINE_AT, engine);
  plane.engineChanged();
}

function contains(prefix: Prefix, address: number): boolean {
  return overlap(prefix, { address, length: 32 });
}

/** The first link, but those left out, that shares addresses with one of the networks; or -1. */
export function linkWith(networks: readonly Prefix[], ...leftOut: number[]): number {
  for (let other = 0; other < i32at(LINK_END_AT); other++) {
    const theirs = leftOut.includes(other) ? undefined : prefixOf(other);
    if (theirs !== undefined && networks.some(network => overlap(network, theirs))) return other;
  }
  return -1;
}

function refuseOverlap(prefix: Prefix, link: number): string | undefined {
  const other = linkWith([prefix], link);
  if (other < 0) return undefined;
  const theirs = prefixOf(other) as Prefix;
  const network = formatPrefix(theirs.address & maskOf(theirs.length), theirs.length);
  return `it shares addresses with the ${linkTitle(other)}'s network ${network}`;
}

/** The name of a value among a setting's choices. */
export function nameOf(names: Map<string, number>, value: number): string {
  for (const [name, number] of names) if (number === value) return name;
  return String(value);
}
