// `set forward`: ports of the outside address that are for a host inside. Its lines are here, as they must be had whenever
// settings are saved. Not here: what it does (overlay.ts), which is loaded when one is set, and where forwards are
// (src/base/forward-record.ts).

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_FIRST,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LAST,
  FORWARD_PROTOCOL,
  FORWARD_STICKY,
  FORWARD_WEIGHT,
  forwardAt,
} from '../../base/forward-record.ts';
import { i32at, u16at } from '../../base/memory.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { formatAddress } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import type { Setting } from '../core/setting.ts';

/** Behind the hosts: a client comes to the same each time. */
export const STICKY = 'sticky';

export interface Ports {
  protocol: number;
  first: number;
  last: number;
}

/** A forward's number, its ports, and these as they are typed: "tcp 80". */
export interface Forward {
  n: number;
  ports: Ports;
  text: string;
}

/** The hosts that have ports forwarded, in the order of their places. */
export function forwards(): Forward[] {
  return Array.from({ length: i32at(FORWARDS_SET_AT) }, (_, n) => {
    const at = forwardAt(n);
    const protocol = u16at(at + FORWARD_PROTOCOL);
    const first = u16at(at + FORWARD_FIRST);
    const last = u16at(at + FORWARD_LAST);
    const text = `${protocol === PROTOCOL_TCP ? 'tcp' : 'udp'} ${first}${first === last ? '' : `-${last}`}`;
    return { n, ports: { protocol, first, last }, text };
  });
}

/** The host of place n as it is typed: its port where it is another, its weight where it is not 1. */
export function hostOf(n: number): string {
  const at = forwardAt(n);
  const inside = u16at(at + FORWARD_INSIDE);
  const weight = u16at(at + FORWARD_WEIGHT);
  const port = inside === u16at(at + FORWARD_FIRST) ? '' : `:${inside}`;
  return `${formatAddress(i32at(at + FORWARD_ADDRESS))}${port}${weight === 1 ? '' : `*${weight}`}`;
}

/** A line for each ports, with all hosts that have them. */
function lines(): string[] {
  const all = new Map<string, string[]>();
  for (const { n, text } of forwards()) {
    const isSticky = (u16at(forwardAt(n) + FORWARD_FLAGS) & FORWARD_STICKY) !== 0;
    const before = all.get(text)?.filter(word => word !== STICKY) ?? [];
    all.set(text, [...before, hostOf(n), ...(isSticky ? [STICKY] : [])]);
  }
  return [...all].map(([ports, hosts]) => `set forward ${ports} ${hosts.join(' ')}`);
}

export function forwardSetting({ machine }: Context): Setting {
  const actions = () => machine.overlay('forward');
  return {
    words: 'forward',
    inPlane: true,
    arguments: 'tcp|udp PORTS:ports SERVER:server...9',
    help: 'what comes from outside for ports goes to a host inside, or several in turn | tcp 80 192.168.0.2',
    set: args => actions().setForward(machine.plane, args),
    unset: args => actions().unsetForward(machine.plane, args),
    unsetArguments: 'tcp|udp PORTS:ports',
    unsetHelp: 'nobody gets in by the port any more | tcp 80',
    lines,
  };
}
