// Names that are answered here and never leave the LAN:
//
//   masqbox, hosts set by hand, hosts with a lease     alone or with the domain behind them
//   all else below the domain                          does not exist
//   addresses of private networks (reverse zones)      the name known here, or does not exist
//   names that nobody outside has (special.ts)         does not exist; localhost is this host
//   names of one label that nobody here has            does not exist, but what is asked of a zone goes on
//
// What set dns forward has for another server is only answered here if it is known here.
// The domain is home.arpa unless another is set (RFC 8375). The reverse zones are those of RFC 6303, section 4,
// for IPv4, and the LAN's own. What does not exist is answered with a SOA record, so that clients remember it
// (RFC 2308). Not here: all other names (forwarder.ts).

import { prefixOf } from '../core/addresses.ts';
import {
  CLASS_IN,
  emptyAnswer,
  FLAG_AA,
  HEADER_BYTES,
  NOERROR,
  NXDOMAIN,
  nameBytes,
  type Query,
  read16,
  TYPE_A,
  TYPE_AAAA,
  TYPE_ANY,
  TYPE_NS,
  TYPE_PTR,
  TYPE_SOA,
  write16,
  write32,
} from './message.ts';
import { isBelow, Names, textOf } from './names.ts';
import { LOCALHOST, specialZone } from './special.ts';

export const ROUTER_NAME = 'masqbox';
export const DOMAIN_DEFAULT = 'home.arpa';
const IN_ADDR_ARPA = domainText('in-addr.arpa');
/** Leases come and go, so their names are not kept for long. */
const TTL_SECONDS = 60;
/** RFC 6303, section 3. */
const RNAME = nameBytes('nobody.invalid') as Uint8Array;
const SOA_SERIAL_TO_MINIMUM = [1, 3600, 1200, 604800, TTL_SECONDS];
/** Types that a zone's name is asked for, as resolvers behind us do: NS, SOA, DS, DNSKEY. */
const ZONE_TYPES = [TYPE_NS, TYPE_SOA, 43, 48];
/** Labels of the zone for a LAN whose addresses are nobody's private ones. */
const LAN_DEPTH = 3;
/** Pointer to the question's name. */
const QUESTION_NAME = 0xc000 | HEADER_BYTES;

export interface Host {
  name: string;
  address: number;
}

/** Names that others know: the DHCP server's leases. */
export interface HostNames {
  /** The address of a host by its name, lower case and without a domain. */
  addressOf(name: string): number | undefined;
  /** The name of the host with an address. */
  nameOf(address: number): string | undefined;
  /** The domain that the hosts were told, '' if none. */
  readonly domain: string;
}

export class Local {
  domain = DOMAIN_DEFAULT;
  private domainText = domainText(DOMAIN_DEFAULT);
  readonly hosts = new Names<Host>();
  /** The domain of the leases as it was last, as it was told and as names.ts has it. */
  private told = '';
  private toldText = '';
  private readonly leases: () => HostNames | undefined;

  constructor(leases: () => HostNames | undefined) {
    this.leases = leases;
  }

  setDomain(name: string, text: string): void {
    this.domain = name;
    this.domainText = text;
  }

  /** The domain of ours that a name lies in: the set one, or that of the leases; '' if it lies in neither. */
  private domainOf(text: string): string {
    const told = this.leases()?.domain ?? '';
    if (told !== this.told) {
      this.told = told;
      this.toldText = domainText(told);
    }
    if (isBelow(text, this.domainText)) return this.domainText;
    return this.toldText !== '' && isBelow(text, this.toldText) ? this.toldText : '';
  }

  /**
   * Writes the answer to a query that is answered here; its length, or 0. It came in by interface `index`; `isOthers`:
   * what is not known here is another server's. `text` is the name (names.ts).
   */
  answer(
    data: Uint8Array,
    query: Query,
    text: string,
    out: Uint8Array,
    index: number,
    isOthers: boolean,
  ): number {
    const { nameEnd, labels } = query;
    const set = this.hosts.get(text);
    if (set !== undefined) return addressAnswer(out, data, query, set.address);
    const domain = this.domainOf(text);
    if (domain !== '') {
      const own = nameEnd - domain.length;
      const address =
        own === HEADER_BYTES ? 0 : this.addressOf(text.slice(0, text.length - domain.length), index);
      if (address === 0 && isOthers) return 0;
      if (own === HEADER_BYTES) return noAnswer(out, data, query, NOERROR, own);
      if (address === 0) return noAnswer(out, data, query, NXDOMAIN, own);
      return addressAnswer(out, data, query, address);
    }
    if (labels === 1) {
      const address = this.addressOf(text.slice(0, -1), index);
      if (address !== 0) return addressAnswer(out, data, query, address);
    }
    const isReverse = isBelow(text, IN_ADDR_ARPA);
    const bytes = isReverse ? this.reverse(data, query, out, isOthers) : 0;
    if (bytes > 0 || isOthers) return bytes;
    const zone = specialZone(text);
    if (zone === LOCALHOST) return localhostAnswer(out, data, query);
    if (zone !== undefined) {
      const apex = nameEnd - zone.length;
      return noAnswer(out, data, query, apex === HEADER_BYTES ? NOERROR : NXDOMAIN, apex);
    }
    // The zone is the root, whose name is the 0 behind the only label.
    const isHost = labels === 1 && !ZONE_TYPES.includes(query.type);
    return isHost ? noAnswer(out, data, query, NXDOMAIN, nameEnd - 1) : 0;
  }

  /** The name of a host with an address, or undefined. */
  nameOf(address: number): string | undefined {
    for (const host of this.hosts.values()) if (host.address === address) return host.name;
    for (let index = 0; index < 2; index++) if (prefixOf(index)?.address === address) return ROUTER_NAME;
    return this.leases()?.nameOf(address);
  }

  /** @param text labels, without the 0 at a name's end. */
  private addressOf(text: string, index: number): number {
    const set = this.hosts.get(`${text}\0`);
    if (set !== undefined) return set.address;
    if (text.charCodeAt(0) !== text.length - 1) return 0; // the others have one label
    const name = text.slice(1);
    if (name === ROUTER_NAME) return prefixOf(index)?.address ?? prefixOf(0)?.address ?? 0;
    return this.leases()?.addressOf(name) ?? 0;
  }

  /** An address backwards, a zone above some, or any name below: the octets are the labels of digits before in-addr.arpa. */
  private reverse(data: Uint8Array, query: Query, out: Uint8Array, isOthers: boolean): number {
    const zone = query.nameEnd - IN_ADDR_ARPA.length;
    const starts: number[] = [];
    for (let at = HEADER_BYTES; at < zone; at += (data[at] as number) + 1) starts.push(at);
    const octets: number[] = [];
    while (octets.length < Math.min(4, starts.length)) {
      const octet = octetOf(data, starts[starts.length - 1 - octets.length] as number);
      if (octet < 0) break;
      octets.push(octet);
    }
    const isWhole = octets.length === starts.length;
    const depth = privateDepth(octets);
    if (depth === 0 && !isLan(octets)) return 0;
    const name = isWhole && octets.length === 4 ? this.nameOf(addressFrom(octets)) : undefined;
    if (name !== undefined) {
      if (query.type !== TYPE_PTR && query.type !== TYPE_ANY)
        return noAnswer(out, data, query, NOERROR, HEADER_BYTES);
      const full = name.includes('.') ? name : `${name}.${this.domain}`;
      const wire = nameBytes(full);
      if (typeof wire !== 'string') return recordAnswer(out, data, query, TYPE_PTR, wire);
    }
    if (isOthers) return 0;
    const apex = starts[starts.length - (depth || LAN_DEPTH)] ?? HEADER_BYTES;
    return noAnswer(out, data, query, apex === HEADER_BYTES ? NOERROR : NXDOMAIN, apex);
  }
}

/** A domain as names.ts has it; '' if it is none. */
function domainText(name: string): string {
  const wire = nameBytes(name);
  return typeof wire === 'string' ? '' : textOf(wire, 0, wire.length);
}

/** The number of a label, or -1. */
function octetOf(data: Uint8Array, at: number): number {
  const length = data[at] as number;
  if (length > 3) return -1;
  let value = 0;
  for (let i = at + 1; i <= at + length; i++) {
    const digit = (data[i] as number) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 255 ? -1 : value;
}

function addressFrom(octets: readonly number[]): number {
  let address = 0;
  for (const octet of octets) address = (address << 8) | octet;
  return address;
}

/** Labels of the zone of RFC 6303, sections 4.1 and 4.2, that the octets lie in; 0 if they lie in none. */
function privateDepth(octets: readonly number[]): number {
  const [a = -1, b = -1, c = -1, d = -1] = octets;
  if (a === 10 || a === 127 || a === 0) return 1;
  if ((a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)) return 2;
  if ((a === 192 && b === 0 && c === 2) || (a === 198 && b === 51 && c === 100)) return 3;
  if (a === 203 && b === 0 && c === 113) return 3;
  // The provider's own network behind its NAT (RFC 7793).
  if (a === 100 && b >= 64 && b < 128) return 2;
  return a === 255 && b === 255 && c === 255 && d === 255 ? 4 : 0;
}

function isLan(octets: readonly number[]): boolean {
  const lan = prefixOf(0);
  if (lan === undefined || octets.length !== 4) return false;
  return (addressFrom(octets) ^ lan.address) >> (32 - lan.length) === 0;
}

function addressAnswer(out: Uint8Array, data: Uint8Array, query: Query, address: number): number {
  if (query.class !== CLASS_IN || (query.type !== TYPE_A && query.type !== TYPE_ANY))
    return noAnswer(out, data, query, NOERROR, HEADER_BYTES);
  const bytes = new Uint8Array(4);
  write32(bytes, 0, address);
  return recordAnswer(out, data, query, TYPE_A, bytes);
}

/** RFC 6761, section 6.3. */
function localhostAnswer(out: Uint8Array, data: Uint8Array, query: Query): number {
  if (query.class === CLASS_IN && query.type === TYPE_AAAA)
    return recordAnswer(out, data, query, TYPE_AAAA, Uint8Array.from([...new Uint8Array(15), 1]));
  return addressAnswer(out, data, query, 0x7f000001);
}

function recordAnswer(
  out: Uint8Array,
  data: Uint8Array,
  query: Query,
  type: number,
  content: Uint8Array,
): number {
  const at = emptyAnswer(out, data, query, NOERROR);
  write16(out, 2, read16(out, 2) | FLAG_AA);
  write16(out, 6, 1);
  const end = recordHeader(out, at, QUESTION_NAME, type, content.length);
  out.set(content, end);
  return end + content.length;
}

/** What there is not, with the SOA record of the zone whose name lies at `zone` of the question. */
function noAnswer(out: Uint8Array, data: Uint8Array, query: Query, code: number, zone: number): number {
  const at = emptyAnswer(out, data, query, code);
  write16(out, 2, read16(out, 2) | FLAG_AA);
  const isAnswer = query.type === TYPE_SOA && zone === HEADER_BYTES;
  write16(out, isAnswer ? 6 : 8, 1);
  let end = recordHeader(out, at, 0xc000 | zone, TYPE_SOA, 2 + RNAME.length + 20);
  write16(out, end, 0xc000 | zone);
  out.set(RNAME, end + 2);
  end += 2 + RNAME.length;
  for (const value of SOA_SERIAL_TO_MINIMUM) {
    write32(out, end, value);
    end += 4;
  }
  return end;
}

/** Writes what precedes a record's content; answers where that goes. */
function recordHeader(out: Uint8Array, at: number, name: number, type: number, length: number): number {
  write16(out, at, name);
  write16(out, at + 2, type);
  write16(out, at + 4, CLASS_IN);
  write32(out, at + 6, TTL_SECONDS);
  write16(out, at + 10, length);
  return at + 12;
}
