// Addresses of LAN and WAN, the default gateway and the engine, as `set` commands change them.
// They live in the plane's tables and nowhere else: when control is thrown away and started again, it finds
// them as they are, and what is listed is what is in force.
// Not here: the commands (each part has its own), saving them (store/).

import { ENGINE_AT, ENGINE_INTERPRETED, ENGINE_NATIVE } from '../../base/cells.ts';
import {
  IF_ADDRESS,
  IF_MASK,
  IF_MTU,
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

/** The WAN's gateway: that of the default route by the WAN. */
export function gatewayOf(): number | undefined {
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(at + ROUTE_USED) === 0 || i32at(at + ROUTE_MASK) !== 0) continue;
    if (i32at(at + ROUTE_INTERFACE) === INTERFACE_WAN) return i32at(at + ROUTE_GATEWAY);
  }
  return undefined;
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

/** Why the LAN cannot have this address, or undefined. */
export function refuseLan(prefix: Prefix): string | undefined {
  return refuseHost(prefix) ?? refuseOverlap(prefix, INTERFACE_WAN, 'WAN');
}

/** Sets the LAN's address; answers why not, or undefined. */
export function setLan(plane: Plane, prefix: Prefix): string | undefined {
  const why = refuseLan(prefix);
  if (why === undefined) {
    configure(plane, INTERFACE_LAN, INTERFACE_INSIDE, prefix.address, maskOf(prefix.length), MTU_DEFAULT);
  }
  return why;
}

/** Why the WAN cannot have this address, or undefined. */
export function refuseWan(prefix: Prefix): string | undefined {
  // Of one address alone there is neither number nor broadcast, as of two (RFC 3021).
  const { address, length } = prefix;
  return refuseHost({ address, length: Math.min(length, 31) }) ?? refuseOverlap(prefix, INTERFACE_LAN, 'LAN');
}

/**
 * Sets the WAN's address; answers why not, or undefined. A gateway that the new network does not contain is
 * removed, as nothing could reach it.
 */
export function setWan(plane: Plane, prefix: Prefix): string | undefined {
  const why = refuseWan(prefix);
  if (why !== undefined) return why;
  const gateway = gatewayOf();
  if (gateway !== undefined && prefix.length < 31 && !contains(prefix, gateway)) plane.routeRemove(0, 0);
  configure(plane, INTERFACE_WAN, INTERFACE_OUTSIDE, prefix.address, maskOf(prefix.length), wanMtu());
  return undefined;
}

/** Smallest MTU of an IPv4 link (RFC 791, section 3.2). */
export const MTU_LEAST = 68;

/** Sets the WAN's MTU; answers why not, or undefined. */
export function setWanMtu(plane: Plane, mtu: number): string | undefined {
  if (mtu < MTU_LEAST || mtu > MTU_DEFAULT) return `it is not ${MTU_LEAST} to ${MTU_DEFAULT}`;
  const at = interfaceAt(INTERFACE_WAN);
  configure(plane, INTERFACE_WAN, INTERFACE_OUTSIDE, i32at(at + IF_ADDRESS), i32at(at + IF_MASK), mtu);
  return undefined;
}

function wanMtu(): number {
  return i32at(interfaceAt(INTERFACE_WAN) + IF_MTU);
}

/** Why a gateway cannot be that of an address on the WAN, or undefined. */
export function refuseGateway(wan: Prefix, gateway: number): string | undefined {
  if (gateway === wan.address) return "it is the WAN's own address";
  // Networks of one or two addresses often have it outside: it is asked for on the link all the same.
  if (wan.length < 31 && !contains(wan, gateway)) {
    return `it is not in the WAN's network ${formatPrefix(wan.address & maskOf(wan.length), wan.length)}`;
  }
  const host = { address: gateway, length: Math.min(wan.length, 31) };
  return refuseHost(host) ?? refuseOverlap({ ...host, length: 32 }, INTERFACE_LAN, 'LAN');
}

/** Sets the WAN's gateway; answers why not, or undefined. */
export function setGateway(plane: Plane, gateway: number): string | undefined {
  const wan = prefixOf(INTERFACE_WAN);
  if (wan === undefined) return 'the WAN has no address yet, see set wan address';
  const why = refuseGateway(wan, gateway);
  if (why !== undefined) return why;
  return plane.routeAdd(0, 0, gateway, INTERFACE_WAN) === 1 ? undefined : 'the table of routes is full';
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

function refuseOverlap(prefix: Prefix, other: number, name: string): string | undefined {
  const theirs = prefixOf(other);
  if (theirs === undefined || !overlap(prefix, theirs)) return undefined;
  const network = formatPrefix(theirs.address & maskOf(theirs.length), theirs.length);
  return `it shares addresses with the ${name}'s network ${network}`;
}

/** The name of a value among a setting's choices. */
export function nameOf(names: Map<string, number>, value: number): string {
  for (const [name, number] of names) if (number === value) return name;
  return String(value);
}
