// What a server grants: an OFFER or ACK read into a lease, with all that is absurd left out or refused.
// RFC 2131, section 4.4.1; RFC 2132; classless static routes: RFC 3442.
// Not here: when messages are believed (client.ts), what a lease is used for (src/control/wan/wan.ts).

import { MTU_DEFAULT } from '../../base/limits.ts';
import { formatAddress, lengthOf, maskOf, refuseHost, refuseUnicast } from '../core/address.ts';
import {
  LEASE_LEAST_SECONDS,
  LEASE_MOST_SECONDS,
  LEASE_MTU_LEAST,
  LEASE_ROUTES,
  LEASE_SERVERS,
  LEASE_UNTOLD_SECONDS,
} from '../core/limits.ts';
import type { Reader } from './message.ts';
import {
  OPTION_CLASSLESS_ROUTES,
  OPTION_DOMAIN_NAME,
  OPTION_DOMAIN_NAME_SERVER,
  OPTION_INTERFACE_MTU,
  OPTION_LEASE_TIME,
  OPTION_NTP_SERVERS,
  OPTION_REBINDING_TIME,
  OPTION_RENEWAL_TIME,
  OPTION_ROUTER,
  OPTION_SERVER_IDENTIFIER,
  OPTION_SUBNET_MASK,
} from './options.ts';

/** A route by the WAN; gateway 0: the destination is on the link. */
export interface Route {
  destination: number;
  length: number;
  gateway: number;
}

export interface Lease {
  address: number;
  /** Of the network's prefix. */
  length: number;
  /** Server identifier. */
  server: number;
  /** 0: none. */
  gateway: number;
  routes: Route[];
  /** 0: none was given that can be used. */
  mtu: number;
  dnsServers: number[];
  ntpServers: number[];
  domain: string;
  /** It never ends; its times below are then those after which it is renewed all the same. */
  isForever: boolean;
  /** Lease time, T1 and T2 from when the request was sent. */
  seconds: number;
  renewalSeconds: number;
  rebindingSeconds: number;
}

/** RFC 2131, section 3.3. */
const FOREVER_SECONDS = 0xffffffff;
/** Characters of a domain name (RFC 1035, section 2.3.4). */
const DOMAIN_MOST = 253;
const DOT = 46;

/** Reads a parsed OFFER or ACK; answers the lease, or why it cannot be one. */
export function readLease(message: Reader): Lease | string {
  const address = message.yiaddr;
  const length = lengthFor(address, message.word(OPTION_SUBNET_MASK));
  const server = message.word(OPTION_SERVER_IDENTIFIER);
  if (server === 0 || refuseUnicast(server) !== undefined) return 'it names no server';
  const why = refuseUnicast(address) ?? (length < 31 ? refuseHost({ address, length }) : undefined);
  if (why !== undefined) return `its address is ${formatAddress(address)}: ${why}`;
  if (address === server) return `it offers the server's own address ${formatAddress(address)}`;
  const granted = message.has(OPTION_LEASE_TIME)
    ? message.word(OPTION_LEASE_TIME) >>> 0
    : LEASE_UNTOLD_SECONDS;
  if (granted < LEASE_LEAST_SECONDS) return `its lease time is ${granted} s`;
  const seconds = Math.min(granted, LEASE_MOST_SECONDS);
  const mtu = message.half(OPTION_INTERFACE_MTU);
  const lease: Lease = {
    address,
    length,
    server,
    gateway: 0,
    routes: [],
    mtu: mtu < LEASE_MTU_LEAST ? 0 : Math.min(mtu, MTU_DEFAULT),
    dnsServers: hosts(message, OPTION_DOMAIN_NAME_SERVER, address),
    ntpServers: hosts(message, OPTION_NTP_SERVERS, address),
    domain: domainOf(message.bytes(OPTION_DOMAIN_NAME)),
    isForever: granted === FOREVER_SECONDS,
    seconds,
    ...times(message, seconds),
  };
  const routes = classlessRoutes(message.bytes(OPTION_CLASSLESS_ROUTES), address);
  // Where option 121 is, option 3 is not looked at (RFC 3442), even if 121 brings no default route.
  if (routes === undefined) lease.gateway = hosts(message, OPTION_ROUTER, address)[0] ?? 0;
  else {
    lease.gateway = routes.find(route => route.length === 0)?.gateway ?? 0;
    lease.routes = routes.filter(route => route.length !== 0);
  }
  return lease;
}

/** The prefix length of a mask; of the address's class (RFC 950) if it is none, or shorter than any class's. */
function lengthFor(address: number, mask: number): number {
  const length = lengthOf(mask);
  if (length >= 8 && maskOf(length) === mask) return length;
  const first = address >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}

/** T1 and T2. What does not lie in order between 0 and the lease's end is as if it were not there. */
function times(message: Reader, seconds: number): { renewalSeconds: number; rebindingSeconds: number } {
  let renewalSeconds = message.word(OPTION_RENEWAL_TIME) >>> 0;
  let rebindingSeconds = message.word(OPTION_REBINDING_TIME) >>> 0;
  if (rebindingSeconds === 0 || rebindingSeconds >= seconds) rebindingSeconds = Math.floor(seconds * 0.875);
  if (renewalSeconds === 0 || renewalSeconds >= rebindingSeconds) {
    renewalSeconds = Math.min(Math.floor(seconds / 2), rebindingSeconds - 1);
  }
  return { renewalSeconds, rebindingSeconds };
}

/** The hosts of an option that lists addresses, best first: no more than we keep, and none that cannot be one. */
function hosts(message: Reader, code: number, own: number): number[] {
  const list: number[] = [];
  for (const address of message.addresses(code)) {
    if (list.length === LEASE_SERVERS) break;
    if (address !== own && refuseUnicast(address) === undefined && !list.includes(address))
      list.push(address);
  }
  return list;
}

/**
 * Routes of option 121: length of the prefix, as many of its bytes as are needed, gateway. Undefined if the option
 * is absent or malformed anywhere: half of a route table would be worse than the default route of option 3.
 */
function classlessRoutes(bytes: Uint8Array, own: number): Route[] | undefined {
  if (bytes.length < 5) return undefined;
  const routes: Route[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at++] as number;
    const significant = (length + 7) >> 3;
    if (length > 32 || at + significant + 4 > bytes.length) return undefined;
    let destination = 0;
    for (let i = 0; i < 4; i++) {
      destination = (destination << 8) | (i < significant ? (bytes[at + i] as number) : 0);
    }
    at += significant;
    let gateway = 0;
    for (let i = 0; i < 4; i++) gateway = (gateway << 8) | (bytes[at++] as number);
    const route = { destination: destination & maskOf(length), length, gateway };
    if (routes.length < LEASE_ROUTES && isUsable(route, own)) routes.push(route);
  }
  return routes;
}

function isUsable({ destination, length, gateway }: Route, own: number): boolean {
  if (length !== 0 && refuseUnicast(destination) !== undefined) return false;
  // A default route to the link itself would ask by ARP for every address of the internet.
  if (gateway === 0) return length !== 0;
  return gateway !== own && refuseUnicast(gateway) === undefined;
}

/** A domain name of letters, digits, hyphens and dots, without a dot at its end; else none. */
function domainOf(bytes: Uint8Array): string {
  // Not by /[.\0]+$/, which looks from each of 250 dots to the end of them.
  let end = Math.min(bytes.length, DOMAIN_MOST + 1);
  while (end > 0 && (bytes[end - 1] === DOT || bytes[end - 1] === 0)) end--;
  const text = String.fromCharCode(...bytes.subarray(0, end)).toLowerCase();
  return text.length <= DOMAIN_MOST && /^[a-z\d]([a-z\d.-]*[a-z\d])?$/.test(text) ? text : '';
}
