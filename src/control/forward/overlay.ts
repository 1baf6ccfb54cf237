// The overlay `forward`: what `set forward` does, and `show forwards`. Not here: its lines (settings.ts).
// Not here: how a packet finds its forward (src/plane/flow/forwards.ts).

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import { FORWARD_SESSIONS, forwardAt } from '../../base/forward-record.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { FORWARD_COUNT, INTERFACE_COUNT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { parseAddress, refuseUnicast } from '../core/address.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Machine } from '../core/machine.ts';
import { forwards, hostOf, type Ports } from './settings.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    forward: typeof import('./overlay.ts');
  }
}

type Plane = Machine['plane'];

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

export function setForward(plane: Plane, [name = '', text = '', host = '', to]: string[]): void {
  const ports = parsePorts('set', name, text);
  const what = `Cannot set forward ${name} ${text} ${host}`;
  const address = parseAddress(host);
  const why = typeof address === 'string' ? address : refuseUnicast(address);
  if (typeof address === 'string' || why !== undefined) throw new Refusal(`${what}: ${why}`);
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (i32at(interfaceAt(index) + IF_ADDRESS) === address)
      throw new Refusal(`${what}: it is the router's own address`);
  }
  const inside = to === undefined ? ports.first : /^\d{1,5}$/.test(to) ? Number(to) : 0;
  if (inside < 1 || inside + ports.last - ports.first > 65535)
    throw new Refusal(`${what} ${to}: the host has ports 1 to 65535`);
  for (const other of forwards()) {
    const { protocol, first, last } = other.ports;
    const isMet = protocol === ports.protocol && first <= ports.last && last >= ports.first;
    if (isMet && last - first === ports.last - ports.first && first !== ports.first)
      throw new Refusal(`${what}: it shares ports with ${other.text}, and is for as many`);
  }
  if (plane.forwardSet(ports.protocol, word(ports), inside, address) === 0)
    throw new Refusal(`${what}: all ${FORWARD_COUNT} places are in use`);
}

export function unsetForward(plane: Plane, [name = '', text = '']: string[]): void {
  const ports = parsePorts('unset', name, text);
  if (plane.forwardRemove(ports.protocol, word(ports)) === 0)
    throw new Refusal(`Cannot unset forward ${name} ${text}: it is not set`);
  for (const { n } of forwards()) plane.forwardNote(n);
}

export function* showForwards({ output }: Context): Job {
  for (const { n, text } of forwards()) {
    const sessions = i32at(forwardAt(n) + FORWARD_SESSIONS) >>> 0;
    output.line(`${text.padEnd(16)}${hostOf(n).padEnd(22)}${sessions} sessions since it was set`);
    yield 0;
  }
  if (i32at(FORWARDS_SET_AT) === 0) output.line('No port is forwarded, see set forward');
}
