// What the words of `set forward` mean: ports, hosts, and what stands behind them. Not here: what is done about it (overlay.ts).

import {
  FORWARD_AUTO,
  FORWARD_CHECK_PING,
  FORWARD_CHECK_TCP,
  FORWARD_CHECKED,
  FORWARD_LEAST,
  FORWARD_LIMITED,
  FORWARD_LOGGED,
  FORWARD_MARKED,
  FORWARD_STICKY,
} from '../../base/forward-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_COUNT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { parseAddress, refuseUnicast } from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';
import type { Ports } from './settings.ts';

/** Hosts of one line. */
const SERVERS_MOST = 8;
const WEIGHT_MOST = 100;
const MARK_MOST = 2 ** 32 - 1;
/** Seconds between two questions, and how many may be missed: what is in force where nothing is said, and what may be. */
const SECONDS = 10;
const [SECONDS_LEAST, SECONDS_MOST] = [2, 255];
const MISSES = 3;
const MISSES_MOST = 100;
const SESSIONS_MOST = 4096;

const PROTOCOLS = new Map([
  ['tcp', PROTOCOL_TCP],
  ['udp', PROTOCOL_UDP],
]);

export function parsePorts(verb: 'set' | 'unset', name: string, text: string): Ports {
  const what = `Cannot ${verb} forward ${name}`;
  if (name === 'mark') {
    const mark = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (mark < 1 || mark > MARK_MOST) throw new Refusal(`${what} ${text}: a mark is 1 to ${MARK_MOST}`);
    return { protocol: FORWARD_MARKED, first: 0, last: 0, outside: mark | 0 };
  }
  const protocol = PROTOCOLS.get(name);
  if (protocol === undefined) throw new Refusal(`${what}: it is one of tcp, udp, mark`);
  const [, host, from, to] = /^(?:([\d.]+\.[\d.]+):)?(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(from);
  const last = Number(to ?? first);
  if (from === undefined || first < 1 || last > 65535)
    throw new Refusal(`${what} ${text}: ports are 1 to 65535, as in 80 or 6112-6119`);
  if (first > last) throw new Refusal(`${what} ${text}: it ends before it begins`);
  const outside = host === undefined ? 0 : unicast(`${what} ${text}`, host);
  return { protocol, first, last, outside };
}

function unicast(what: string, text: string): number {
  const address = parseAddress(text);
  const why = typeof address === 'string' ? address : refuseUnicast(address);
  if (typeof address === 'string' || why !== undefined) throw new Refusal(`${what}: ${why}`);
  return address;
}

export interface Server {
  address: number;
  port: number;
  weight: number;
}

export interface Meant {
  servers: Server[];
  /** FORWARD_*. */
  flags: number;
  seconds: number;
  misses: number;
  most: number;
}

function parseServer(what: string, text: string, { protocol, first, last }: Ports): Server {
  const [, host = '', to, share] = /^([^:*]*)(?::(\d{1,5}))?(?:\*(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(host);
  const why = typeof address === 'string' ? address : refuseUnicast(address);
  if (typeof address === 'string' || why !== undefined)
    throw new Refusal(`${what}: ${why}, as in 192.168.0.2, or 192.168.0.2:8000*2`);
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (i32at(interfaceAt(index) + IF_ADDRESS) === address)
      throw new Refusal(`${what}: ${host} is the router's own address`);
  }
  const port = Number(to ?? first);
  const isKept = protocol === FORWARD_MARKED && to === undefined;
  if ((port < 1 && !isKept) || port + last - first > 65535)
    throw new Refusal(`${what}: the host has ports 1 to 65535`);
  const weight = Number(share ?? 1);
  if (weight < 1 || weight > WEIGHT_MOST)
    throw new Refusal(`${what}: a host gets 1 to ${WEIGHT_MOST} sessions in a row`);
  return { address, port, weight };
}

/** Words in their order; a number is taken where the next word is one. */
class Words {
  private at = 0;

  constructor(
    private readonly what: string,
    private readonly words: readonly string[],
  ) {}

  next(): string | undefined {
    return this.words[this.at++];
  }

  number(name: string, least: number, most: number, otherwise?: number): number {
    const word = this.words[this.at] ?? '';
    const isNumber = /^\d{1,5}$/.test(word);
    if (!isNumber && otherwise !== undefined) return otherwise;
    this.at++;
    const value = Number(word);
    if (!isNumber || value < least || value > most)
      throw new Refusal(`${this.what}: ${name} are ${least} to ${most}`);
    return value;
  }
}

const OPTIONS = ['sticky', 'least', 'check', 'most', 'log', 'autofw'];

/** What stands behind the ports. */
export function parseServers(what: string, ports: Ports, words: readonly string[]): Meant {
  let end = words.findIndex(word => OPTIONS.includes(word));
  if (end < 0) end = words.length;
  const servers = words.slice(0, end).map(host => parseServer(what, host, ports));
  if (servers.length === 0 || servers.length > SERVERS_MOST)
    throw new Refusal(`${what}: there is one host to ${SERVERS_MOST}`);
  const meant: Meant = { servers, flags: 0, seconds: 0, misses: 0, most: 0 };
  const rest = new Words(what, words.slice(end));
  for (let word = rest.next(); word !== undefined; word = rest.next()) {
    if (word === 'sticky') meant.flags |= FORWARD_STICKY;
    else if (word === 'least') meant.flags |= FORWARD_LEAST;
    else if (word === 'log') meant.flags |= FORWARD_LOGGED;
    else if (word === 'autofw') meant.flags |= FORWARD_AUTO;
    else if (word === 'most') {
      meant.flags |= FORWARD_LIMITED;
      meant.most = rest.number('sessions at a time', 1, SESSIONS_MOST);
    } else if (word === 'check') parseCheck(what, ports, meant, rest);
    else throw new Refusal(`${what}: behind the hosts stands ${OPTIONS.join(', ')}, not ${word}`);
  }
  if ((meant.flags & FORWARD_STICKY) !== 0 && (meant.flags & FORWARD_LEAST) !== 0)
    throw new Refusal(`${what}: it is sticky or least, not both`);
  return meant;
}

function parseCheck(what: string, ports: Ports, meant: Meant, rest: Words): void {
  const how = rest.next();
  if (how !== 'tcp' && how !== 'ping')
    throw new Refusal(`${what}: a host is asked by check tcp or check ping`);
  if (how === 'tcp' && ports.protocol !== PROTOCOL_TCP)
    throw new Refusal(`${what}: check tcp asks the port of a forward of tcp; here it is check ping`);
  meant.flags = (meant.flags & ~FORWARD_CHECKED) | (how === 'tcp' ? FORWARD_CHECK_TCP : FORWARD_CHECK_PING);
  meant.seconds = rest.number('seconds between two questions', SECONDS_LEAST, SECONDS_MOST, SECONDS);
  meant.misses = rest.number('questions that a host may miss', 1, MISSES_MOST, MISSES);
}
