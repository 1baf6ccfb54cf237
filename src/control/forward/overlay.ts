// The overlay `forward`: what `set forward` does, and `show forwards`. Not here: its lines (settings.ts), the commands of the
// time (portfw.ts), how a packet finds its forward (src/plane/flow/forwards.ts).

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import { FORWARD_SESSIONS, FORWARD_STICKY, forwardAt } from '../../base/forward-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { FORWARD_COUNT, INTERFACE_COUNT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { parseAddress, refuseUnicast } from '../core/address.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Machine } from '../core/machine.ts';
import { ipmasqadm, ipportfw } from './portfw.ts';
import { forwards, hostOf, type Ports, STICKY } from './settings.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    forward: typeof import('./overlay.ts');
  }
}

type Plane = Machine['plane'];

/** Hosts of one line. */
const SERVERS_MOST = 8;
const WEIGHT_MOST = 100;

const PROTOCOLS = new Map([
  ['tcp', PROTOCOL_TCP],
  ['udp', PROTOCOL_UDP],
]);

function parsePorts(verb: 'set' | 'unset', name: string, text: string): Ports {
  const protocol = PROTOCOLS.get(name);
  if (protocol === undefined) throw new Refusal(`Cannot ${verb} forward ${name}: it is one of tcp, udp`);
  const found = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text);
  const first = Number(found?.[1]);
  const last = Number(found?.[2] ?? first);
  if (found === null || first < 1 || last > 65535)
    throw new Refusal(`Cannot ${verb} forward ${name} ${text}: ports are 1 to 65535, as in 80 or 6112-6119`);
  if (first > last) throw new Refusal(`Cannot ${verb} forward ${name} ${text}: it ends before it begins`);
  return { protocol, first, last };
}

const word = ({ first, last }: Ports): number => (first << 16) | last;

interface Server {
  address: number;
  port: number;
  weight: number;
}

function parseServer(what: string, text: string, { first, last }: Ports): Server {
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
  if (port < 1 || port + last - first > 65535) throw new Refusal(`${what}: the host has ports 1 to 65535`);
  const weight = Number(share ?? 1);
  if (weight < 1 || weight > WEIGHT_MOST)
    throw new Refusal(`${what}: a host gets 1 to ${WEIGHT_MOST} sessions in a row`);
  return { address, port, weight };
}

/** Places that these ports have. */
const placesOf = (ports: Ports): number[] =>
  forwards().flatMap(({ n, ports: { protocol, first, last } }) =>
    protocol === ports.protocol && first === ports.first && last === ports.last ? [n] : [],
  );

function remove(plane: Plane, ports: Ports): void {
  for (const n of placesOf(ports).reverse()) plane.forwardRemove(n);
  for (const { n } of forwards()) plane.forwardNote(n);
}

/** Gives ports their hosts, which have them instead of those before. */
export function setForward(plane: Plane, [name = '', text = '', ...words]: string[]): void {
  const ports = parsePorts('set', name, text);
  const what = `Cannot set forward ${name} ${text} ${words.join(' ')}`;
  const isSticky = words.at(-1) === STICKY;
  const servers = words.slice(0, isSticky ? -1 : undefined).map(host => parseServer(what, host, ports));
  if (servers.length === 0 || servers.length > SERVERS_MOST)
    throw new Refusal(`${what}: there is one host to ${SERVERS_MOST}`);
  for (const other of forwards()) {
    const { protocol, first, last } = other.ports;
    const isMet = protocol === ports.protocol && first <= ports.last && last >= ports.first;
    if (isMet && last - first === ports.last - ports.first && first !== ports.first)
      throw new Refusal(`${what}: it shares ports with ${other.text}, and is for as many`);
  }
  const free = FORWARD_COUNT - i32at(FORWARDS_SET_AT) + placesOf(ports).length;
  if (servers.length > free)
    throw new Refusal(`${what}: there are ${FORWARD_COUNT} places for hosts, and ${free} are free`);
  remove(plane, ports);
  const flags = isSticky ? FORWARD_STICKY << 16 : 0;
  for (const { address, port, weight } of servers)
    plane.forwardSet(ports.protocol, word(ports), port, address, weight | flags);
}

export function unsetForward(plane: Plane, [name = '', text = '']: string[]): void {
  const ports = parsePorts('unset', name, text);
  if (placesOf(ports).length === 0) throw new Refusal(`Cannot unset forward ${name} ${text}: it is not set`);
  remove(plane, ports);
}

const actions = { set: setForward, unset: unsetForward };

export const runIpmasqadm = (context: Context, args: string[]): Job => ipmasqadm(context, args, actions);

export const runIpportfw = (context: Context, args: string[]): Job => ipportfw(context, args, actions);

export function* showForwards({ output }: Context): Job {
  for (const { n, text } of forwards()) {
    const sessions = i32at(forwardAt(n) + FORWARD_SESSIONS) >>> 0;
    output.line(`${text.padEnd(16)}${hostOf(n).padEnd(22)}${sessions} sessions since it was set`);
    yield 0;
  }
  if (i32at(FORWARDS_SET_AT) === 0) output.line('No port is forwarded, see set forward');
}
