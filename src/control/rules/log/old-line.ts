// The line of a packet that a rule of ipchains or ipfwadm has logged, as Linux 2.2 and 2.0 write it:
//
//    Packet log: input DENY eth0 PROTO=6 192.168.0.2:1043 204.152.184.112:80 L=60 S=0x00 I=18 F=0x4000 T=64 SYN (#3)
//    IP fw-in deny eth0 TCP 192.168.0.2:1043 204.152.184.112:80 L=60 S=0x00 I=18 F=0x4000 T=64
//
// A rule that has gone since is number 0.

import { get8, get16, get32, u16at } from '../../../base/memory.ts';
import { CHAIN_COUNT, RULE_COUNT } from '../../../base/rule-limits.ts';
import { LOG_DATAGRAM, LOG_IN, LOG_OUT, LOG_RULE, LOG_TTL } from '../../../base/rule-log-record.ts';
import {
  CHAIN_ACCOUNT_IN,
  CHAIN_FIRST,
  CHAIN_NAME,
  CHAIN_OLD_FORWARD,
  CHAIN_OLD_INPUT,
  CHAIN_OLD_OUTPUT,
  CHAIN_TABLE,
  cellAt,
  chainAt,
  OPERATION_KIND,
  OPERATION_NEXT,
  OPERATION_OLD,
  RULE_ARGUMENT,
  RULE_NEXT,
  RULE_OPERATIONS,
  RULE_TARGET,
  TABLE_ACCOUNT,
  TABLE_OLD,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_JUMP,
  TARGET_MASQUERADE,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_RETURN,
} from '../../../base/rule-record.ts';
import { ICMP_CODE } from '../../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TOS,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../../../wire/ipv4.ts';
import { TCP_ACK, TCP_FLAGS, TCP_RST, TCP_SYN } from '../../../wire/tcp.ts';
import { formatAddress } from '../../core/address.ts';
import { hex, linkText } from './line.ts';

const BUILT_IN: readonly [number, string, string][] = [
  [CHAIN_OLD_INPUT, 'input', 'IP fw-in'],
  [CHAIN_OLD_FORWARD, 'forward', 'IP fw-fwd'],
  [CHAIN_OLD_OUTPUT, 'output', 'IP fw-out'],
];

/** Where a rule is: its chain, and its number there from 1; 0 and 0 if it is in none any more. */
function placeOf(rule: number): { chain: number; place: number } {
  for (let chain = 1; chain < CHAIN_COUNT; chain++) {
    const table = get8(chainAt(chain) + CHAIN_TABLE);
    if (table !== TABLE_OLD && table !== TABLE_ACCOUNT) continue;
    let n = u16at(chainAt(chain) + CHAIN_FIRST);
    for (let place = 1; n !== 0 && place <= RULE_COUNT; place++) {
      if (n === rule) return { chain, place };
      n = u16at(cellAt(n) + RULE_NEXT);
    }
  }
  return { chain: 0, place: 0 };
}

export function chainText(chain: number): string {
  let text = '';
  for (let at = chainAt(chain) + CHAIN_NAME; text.length < 8 && get8(at) !== 0; at++)
    text += String.fromCharCode(get8(at));
  return text;
}

function redirectPort(rule: number): number {
  for (let n = u16at(cellAt(rule) + RULE_OPERATIONS); n !== 0; n = u16at(cellAt(n) + OPERATION_NEXT))
    if (get8(cellAt(n) + OPERATION_KIND) === OPERATION_OLD) return u16at(cellAt(n) + 12);
  return 0;
}

/** What a rule makes of a packet, in ipchains' words: a user's chain by its name, `-` for none. */
function newVerdict(rule: number): string {
  const target = get8(cellAt(rule) + RULE_TARGET);
  if (target === TARGET_ACCEPT) return 'ACCEPT';
  if (target === TARGET_DROP) return 'DENY';
  if (target === TARGET_REJECT) return 'REJECT';
  if (target === TARGET_MASQUERADE) return 'MASQ';
  if (target === TARGET_REDIRECT) return `REDIRECT ${redirectPort(rule)}`;
  if (target === TARGET_RETURN) return 'RETURN';
  return target === TARGET_JUMP ? chainText(u16at(cellAt(rule) + RULE_ARGUMENT)) : '-';
}

/** The same in ipfwadm's. */
function oldVerdict(rule: number): string {
  const target = get8(cellAt(rule) + RULE_TARGET);
  if (target === TARGET_MASQUERADE) return 'acc/masq';
  if (target === TARGET_REDIRECT) return `acc/r${redirectPort(rule)}`;
  if (target === TARGET_REJECT) return 'rej';
  return target === TARGET_DROP ? 'deny' : 'acc';
}

/** Length, type of service, identification, fragment and time to live, and the options a word each. */
function tail(ip: number, ttl: number): string {
  const word = (value: number, digits: number) => `0x${hex(value, digits).toUpperCase()}`;
  let text = `L=${get16(ip + IP_LENGTH)} S=${word(get8(ip + IP_TOS), 2)} I=${get16(ip + IP_ID)} `;
  text += `F=${word(get16(ip + IP_OFFSET), 4)} T=${ttl}`;
  for (let at = ip + IP_HEADER_BYTES; at < ip + headerBytesOf(ip); at += 4)
    text += ` O=${word(get32(at), 8)}`;
  return text;
}

/** A side's address, and its port: of ICMP type and code, of a later fragment the ports are 65535, as the kernel has them. */
function ends(ip: number): { from: string; to: string; isSyn: boolean } {
  const protocol = get8(ip + IP_PROTOCOL);
  const l4 = ip + headerBytesOf(ip);
  const isLater = (get16(ip + IP_OFFSET) & IP_OFFSET_UNITS) !== 0;
  const hasPorts = protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
  let [first, second] = [65535, 65535];
  if (!isLater && hasPorts) [first, second] = [get16(l4), get16(l4 + DESTINATION_PORT)];
  else if (!isLater && protocol === PROTOCOL_ICMP) [first, second] = [get8(l4), get8(l4 + ICMP_CODE)];
  const flags =
    !isLater && protocol === PROTOCOL_TCP ? get8(l4 + TCP_FLAGS) & (TCP_SYN | TCP_ACK | TCP_RST) : 0;
  return {
    from: `${formatAddress(get32(ip + IP_SOURCE))}:${first}`,
    to: `${formatAddress(get32(ip + IP_DESTINATION))}:${second}`,
    isSyn: flags === TCP_SYN,
  };
}

/** The link that a chain is about. */
const linkOf = (record: number): string =>
  linkText(get8(record + (get8(record + LOG_OUT) === 255 ? LOG_IN : LOG_OUT)));

/** The line of Linux 2.2. */
export function chainsLine(record: number): string {
  const rule = u16at(record + LOG_RULE);
  const { chain, place } = placeOf(rule);
  const name = BUILT_IN.find(([number]) => number === chain)?.[1] ?? (chain === 0 ? '-' : chainText(chain));
  const ip = record + LOG_DATAGRAM;
  const { from, to, isSyn } = ends(ip);
  const verdict = place === 0 ? '-' : newVerdict(rule);
  const packet = `PROTO=${get8(ip + IP_PROTOCOL)} ${from} ${to} ${tail(ip, get8(record + LOG_TTL))}`;
  return `Packet log: ${name} ${verdict} ${linkOf(record)} ${packet} ${isSyn ? 'SYN ' : ''}(#${place})`;
}

/** The line of Linux 2.0. */
export function fwadmLine(record: number): string {
  const rule = u16at(record + LOG_RULE);
  const { chain, place } = placeOf(rule);
  const ip = record + LOG_DATAGRAM;
  const protocol = get8(ip + IP_PROTOCOL);
  const { from, to } = ends(ip);
  const bare = (end: string) => end.slice(0, end.indexOf(':'));
  let packet = `PROTO=${protocol} ${bare(from)} ${bare(to)}`;
  if (protocol === PROTOCOL_TCP) packet = `TCP ${from} ${to}`;
  else if (protocol === PROTOCOL_UDP) packet = `UDP ${from} ${to}`;
  else if (protocol === PROTOCOL_ICMP)
    packet = `ICMP/${from.slice(from.indexOf(':') + 1)} ${bare(from)} ${bare(to)}`;
  const where = BUILT_IN.find(([number]) => number === chain)?.[2];
  let what = `IP acct ${chain === CHAIN_ACCOUNT_IN ? 'in' : 'out'} `;
  if (where !== undefined) what = `${where} ${place === 0 ? '-' : oldVerdict(rule)} `;
  return `${what}${linkOf(record)} ${packet} ${tail(ip, get8(record + LOG_TTL))}`;
}
