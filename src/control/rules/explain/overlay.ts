// `explain`: what the rules would do to a packet, rule by rule.
//
//    explain tcp 192.168.0.5 203.0.113.2 80
//    explain udp 192.168.0.5 192.168.0.1 53 in lan state new
//    explain icmp 192.168.0.5 198.51.100.1 type 8
//    explain tcp 198.51.100.7 203.0.113.10 8080 in wan flags SYN,ACK
//    explain icmp 198.51.100.9 203.0.113.10 type 3 about tcp 203.0.113.10 1024 198.51.100.1 80
//
// The plane is asked (src/plane/filter/probe.ts), by whose own steps the packet goes, so that it is the truth; nothing is counted. Behind `in` may stand `router`: the packet is its own.
// Not here: the packet (probe.ts).

import {
  FORWARD_ADDRESS,
  FORWARD_FIRST,
  FORWARD_LAST,
  FORWARD_MARKED,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  forwardAt,
} from '../../../base/forward-record.ts';
import { IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../../../base/interface.ts';
import { get8, i32at, u16at } from '../../../base/memory.ts';
import { LOCAL, PASS, PUNT } from '../../../base/packet.ts';
import * as probed from '../../../base/probe-record.ts';
import {
  ROUTE_LINK,
  ROUTE_LOCAL,
  ROUTE_TYPE_SHIFT,
  ROUTE_UNICAST,
  TO_ROUTE,
} from '../../../base/route-record.ts';
import * as record from '../../../base/rule-record.ts';
import { ICMP_ECHO_REQUEST, icmpIsError } from '../../../wire/icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { TCP_SYN } from '../../../wire/tcp.ts';
import { formatAddress } from '../../core/address.ts';
import { Refusal } from '../../core/console/command.ts';
import { counterList } from '../../core/counter-names.ts';
import { interfaceName } from '../../core/facts.ts';
import { chainName, chainsOf, firstRule, nextRule, TABLES, tableName } from '../chains.ts';
import { ruleText } from '../lines.ts';
import { linkOfName } from '../links.ts';
import { STATE_NAMES, TCP_FLAGS } from '../matches.ts';
import { closeRules, openRules } from '../memory.ts';
import { protocolName, protocolNamed, serviceNamed } from '../names.ts';
import { parseDotted, parseNumber } from '../numbers.ts';
import type { Rules } from '../rules.ts';
import { type About, type Made, probe } from './probe.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/explain': typeof import('./overlay.ts');
  }
}

const PORT_CLIENT = 1024;
const OWN = 'router';

function refuse(text: string): never {
  throw new Refusal(`Cannot explain it: ${text}`);
}

function portOf(text: string): number {
  const port = parseNumber(text, 65535);
  return Number.isNaN(port) ? (serviceNamed(text) ?? refuse(`${text} is no port`)) : port;
}

function addressOf(text: string): number {
  const address = parseDotted(text, true);
  return Number.isNaN(address) ? refuse(`${text} is no address`) : address;
}

function bitsOf(text: string, names: readonly string[], what: string): number {
  let bits = 0;
  for (const word of text.toUpperCase().split(',')) {
    const bit = names.indexOf(word);
    if (bit < 0) refuse(`${word} is no ${what}`);
    bits |= 1 << bit;
  }
  return bits;
}

/** The link by which an address is reached, -1 if it is ours. */
function linkOf({ context: { machine } }: Rules, address: number): number {
  const route = i32at(machine.plane.routeTo(address) + TO_ROUTE);
  const kind = route >> ROUTE_TYPE_SHIFT;
  if (kind === ROUTE_LOCAL) return -1;
  return kind === ROUTE_UNICAST
    ? route & ROUTE_LINK
    : refuse(`nothing leads to ${formatAddress(address)}: say by which link it comes, as in: in wan`);
}

/** The packet that an error is about: protocol, and both its ends, with ports, or of ICMP the identifier behind the first. */
function aboutOf(words: readonly string[]): About {
  const [name = '', source = '', from = '', destination = '', port] = words;
  const protocol = protocolNamed(name.toLowerCase()) ?? refuse(`${name} is no protocol`);
  const isIcmp = protocol === PROTOCOL_ICMP;
  if (!isIcmp && protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP)
    refuse('an error is about a packet of tcp, udp or icmp');
  if (words.length !== (isIcmp ? 4 : 5))
    refuse(
      `behind about stand protocol, source, ${isIcmp ? 'identifier and destination' : 'port, destination and port'}`,
    );
  return {
    ...{ protocol, source: addressOf(source), sourcePort: portOf(from) },
    ...{ destination: addressOf(destination), port: isIcmp ? 0 : portOf(port as string) },
  };
}

/** The packet that the words are about. */
function madeOf(rules: Rules, words: readonly string[]): Made {
  const name = (words[0] ?? '').toLowerCase();
  const number = parseNumber(name, 255);
  const protocol = Number.isNaN(number) ? (protocolNamed(name) ?? refuse(`${name} is no protocol`)) : number;
  const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  const made: Made = {
    protocol,
    source: addressOf(words[1] ?? ''),
    destination: addressOf(words[2] ?? ''),
    sourcePort: PORT_CLIENT,
    port: 0,
    kind: protocol === PROTOCOL_TCP ? TCP_SYN : protocol === PROTOCOL_ICMP ? ICMP_ECHO_REQUEST << 8 : 0,
    link: -2,
    state: 0,
  };
  let next = 3;
  if (hasPorts) made.port = portOf(words[next++] ?? refuse('it needs a port'));
  for (; next < words.length; next += 2) {
    const value = words[next + 1] ?? refuse(`something must stand behind ${words[next]}`);
    switch (words[next]) {
      case 'in':
        made.link = value === OWN ? -1 : linkOfName(rules.aliases, value);
        if (made.link < 0 && value !== OWN) refuse(`${value} is no link`);
        break;
      case 'from':
        made.sourcePort = portOf(value);
        break;
      case 'state':
        made.state = bitsOf(value, STATE_NAMES, 'state');
        break;
      case 'flags':
        made.kind = bitsOf(value, TCP_FLAGS, "flag of TCP's");
        break;
      case 'type': {
        const type = parseNumber(value, 255);
        made.kind = Number.isNaN(type) ? refuse(`${value} is no type of ICMP's`) : type << 8;
        break;
      }
      case 'about':
        made.about = aboutOf(words.slice(next + 1));
        next = words.length;
        break;
      default:
        refuse(`${words[next]} is none of in, from, state, flags, type and about`);
    }
  }
  const isError = protocol === PROTOCOL_ICMP && icmpIsError(made.kind >> 8) !== 0;
  if (isError && made.state === 0 && made.about === undefined)
    refuse(
      'an error goes the way of the packet that it is about: say which, as in: about tcp 203.0.113.10 1024 198.51.100.1 80',
    );
  if (!isError && made.about !== undefined)
    refuse('only an error of ICMP is about a packet, as one of type 3');
  if (made.link === -2) made.link = linkOf(rules, made.source);
  if (
    made.link < 0 &&
    i32at(rules.context.machine.plane.routeTo(made.destination) + TO_ROUTE) >> ROUTE_TYPE_SHIFT ===
      ROUTE_LOCAL
  )
    refuse('what the router sends to itself meets no rules');
  if (made.link >= 0 && i32at(interfaceAt(made.link) + IF_STATE) === INTERFACE_ABSENT)
    refuse(`${interfaceName(made.link)} is not there`);
  return made;
}

const withPort = (address: number, port: number, hasPorts: boolean): string =>
  hasPorts ? `${formatAddress(address)}:${port}` : formatAddress(address);

function aboutText(about: About | undefined): string {
  if (about === undefined) return '';
  const hasPorts = about.protocol !== PROTOCOL_ICMP;
  const ends = [
    withPort(about.source, about.sourcePort, hasPorts),
    withPort(about.destination, about.port, hasPorts),
  ];
  return `, about ${protocolName(about.protocol)} ${ends.join(' -> ')}`;
}

/** The chain of a rule and its number there; nothing of the old dialects, whose chains have names of their own. */
function placeOf(rule: number): { table: number; chain: number; place: number } | undefined {
  for (const table of [...TABLES.map(([, table]) => table), record.TABLE_OLD, record.TABLE_ACCOUNT]) {
    for (const chain of chainsOf(table)) {
      let place = 1;
      for (let other = firstRule(chain); other !== 0; other = nextRule(other), place++)
        if (other === rule) return { table, chain, place };
    }
  }
  return undefined;
}

function titleOf(table: number, chain: number): string {
  return table === record.TABLE_FILTER || table >= record.TABLE_OLD
    ? chainName(chain)
    : `${tableName(table)} ${chainName(chain)}`;
}

const POLICIES = ['accepts as the house does', 'ACCEPT', 'DROP', 'REJECT', 'MASQ', 'ACCEPT, open'];

/** A forward by its place, as it is set. */
function forwardText(n: number): string {
  const at = forwardAt(n);
  const protocol = u16at(at + FORWARD_PROTOCOL);
  const [first, last] = [u16at(at + FORWARD_FIRST), u16at(at + FORWARD_LAST)];
  const ports =
    protocol === FORWARD_MARKED
      ? `mark ${i32at(at + FORWARD_OUTSIDE) >>> 0}`
      : `${protocolName(protocol)} ${first}${first === last ? '' : `-${last}`}`;
  return `forward ${ports}: to ${formatAddress(i32at(at + FORWARD_ADDRESS))}`;
}

function noteText(met: number): string {
  switch (met) {
    case probed.NOTE_FLOW:
      return 'It is of a session that there is';
    case probed.NOTE_MAPPING:
      return 'A mapping lets it in, by nat filter';
    case probed.NOTE_ONE_TO_ONE:
      return 'nat one-to-one: the host has an outside address of its own';
    case probed.NOTE_TRIGGER:
      return 'trigger: a host inside has opened the port';
    default:
      return forwardText(met & probed.NOTE_NUMBER);
  }
}

/** What a rule or policy that was met says, or what else has led it. */
function metText({ context: { machine } }: Rules, met: number): string {
  if ((met & probed.PROBE_NOTE) !== 0) return noteText(met);
  if ((met & probed.PROBE_POLICY) !== 0) {
    const at = record.chainAt(met & ~probed.PROBE_POLICY);
    const title = titleOf(get8(at + record.CHAIN_TABLE), met & ~probed.PROBE_POLICY);
    return `${title}: policy ${POLICIES[get8(at + record.CHAIN_POLICY)]}`;
  }
  const found = placeOf(met);
  if (found === undefined) return 'a rule that is gone';
  const title = `${titleOf(found.table, found.chain)} ${found.place}`;
  if (found.table >= record.TABLE_OLD) return title;
  const text = ruleText(machine, found.table, found.chain, met);
  return `${title}: ${text.slice(text.indexOf('-A '))}`;
}

/** A policy of nat's or mangle's that lets all pass says nothing. */
function isTelling(met: number): boolean {
  if ((met & probed.PROBE_POLICY) === 0) return true;
  const at = record.chainAt(met & ~probed.PROBE_POLICY);
  const table = get8(at + record.CHAIN_TABLE);
  return (
    get8(at + record.CHAIN_POLICY) === record.POLICY_DROP ||
    (table !== record.TABLE_NAT && table !== record.TABLE_MANGLE)
  );
}

/** What becomes of it; its source is told where it has become another. */
function verdictText(made: Made, hasPorts: boolean): string {
  const verdict = i32at(probed.PROBE_VERDICT);
  if (verdict === PUNT) return 'It comes to the router, where a service listens';
  if (verdict === LOCAL)
    return i32at(probed.PROBE_CLOSED) === 0
      ? 'The router answers it'
      : 'The router answers that nothing listens there';
  if (verdict !== PASS) {
    const why = counterList().find(({ index }) => index === verdict)?.meaning ?? `reason ${verdict}`;
    return `It is dropped: ${why}`;
  }
  const out = interfaceName(i32at(probed.PROBE_OUT));
  const source = i32at(probed.PROBE_NOW_SOURCE);
  const port = i32at(probed.PROBE_NOW_PORTS) >>> 16;
  const isOther = hasPorts && port !== made.sourcePort;
  if (source === made.source && !isOther) return `It leaves by ${out}`;
  return `It leaves by ${out} with the source ${withPort(source, port, isOther)}`;
}

/** `explain WORDS`. */
export function explain(rules: Rules, words: readonly string[]): undefined {
  const { machine, output } = rules.context;
  const made = madeOf(rules, words);
  openRules(machine);
  try {
    if (!probe(machine, made)) refuse('no packet buffer is free');
    const met: number[] = [];
    for (let i = 0; i < i32at(probed.PROBE_MET); i++) met.push(u16at(probed.PROBE_MET_AT + 2 * i));
    const hasPorts = made.protocol === PROTOCOL_TCP || made.protocol === PROTOCOL_UDP;
    const from = withPort(made.source, made.sourcePort, hasPorts);
    const to = withPort(made.destination, made.port, hasPorts);
    const way = made.link < 0 ? "the router's own" : `in by ${interfaceName(made.link)}`;
    const now = withPort(
      i32at(probed.PROBE_NOW_DESTINATION),
      i32at(probed.PROBE_NOW_PORTS) & 0xffff,
      hasPorts,
    );
    const verdict = verdictText(made, hasPorts);
    output.line(`${protocolName(made.protocol)} ${from} -> ${to}, ${way}${aboutText(made.about)}`);
    for (const one of met) if (isTelling(one)) output.line(metText(rules, one));
    if (now !== to) output.line(`Its destination becomes ${now}`);
    output.line(verdict);
  } finally {
    closeRules(machine);
  }
}
