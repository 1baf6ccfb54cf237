// `set forward`: ports of the outside address that are for a host inside. Its lines are here, as they must be had whenever
// settings are saved. Not here: what it does (overlay.ts), which is loaded when one is set, who asks the hosts (watch.ts), and where
// forwards are (src/base/forward-record.ts).

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_AUTO,
  FORWARD_CHECK_PING,
  FORWARD_CHECKED,
  FORWARD_FIRST,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LAST,
  FORWARD_LEAST,
  FORWARD_LIMITED,
  FORWARD_LOGGED,
  FORWARD_MARKED,
  FORWARD_MISSES,
  FORWARD_MOST,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  FORWARD_SECONDS,
  FORWARD_STICKY,
  FORWARD_WEIGHT,
  forwardAt,
} from '../../base/forward-record.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import { formatAddress } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import type { Setting } from '../core/setting.ts';
import type { ForwardWatch } from './watch.ts';

export interface Ports {
  /** FORWARD_MARKED: it is for a mark. */
  protocol: number;
  first: number;
  last: number;
  /** The outside address that they are of, 0 any; or the mark. */
  outside: number;
}

/** A forward's number, its ports, and these as they are typed: "tcp 80". */
export interface Forward {
  n: number;
  ports: Ports;
  text: string;
}

function portsText({ protocol, first, last, outside }: Ports): string {
  if (protocol === FORWARD_MARKED) return `mark ${outside >>> 0}`;
  const name = protocol === PROTOCOL_TCP ? 'tcp' : 'udp';
  const address = outside === 0 ? '' : `${formatAddress(outside)}:`;
  return `${name} ${address}${first}${first === last ? '' : `-${last}`}`;
}

/** The hosts that have ports forwarded, in the order of their places. */
export function forwards(): Forward[] {
  return Array.from({ length: i32at(FORWARDS_SET_AT) }, (_, n) => {
    const at = forwardAt(n);
    const ports = {
      protocol: u16at(at + FORWARD_PROTOCOL),
      first: u16at(at + FORWARD_FIRST),
      last: u16at(at + FORWARD_LAST),
      outside: i32at(at + FORWARD_OUTSIDE),
    };
    return { n, ports, text: portsText(ports) };
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

/** What stands behind the hosts, of place n: a client comes to the same each time, and so on. */
export function optionsOf(n: number): string {
  const at = forwardAt(n);
  const flags = u16at(at + FORWARD_FLAGS);
  let text = '';
  if ((flags & FORWARD_STICKY) !== 0) text += ' sticky';
  if ((flags & FORWARD_LEAST) !== 0) text += ' least';
  if ((flags & FORWARD_CHECKED) !== 0) {
    const how = (flags & FORWARD_CHECK_PING) !== 0 ? 'ping' : 'tcp';
    text += ` check ${how} ${get8(at + FORWARD_SECONDS)} ${get8(at + FORWARD_MISSES)}`;
  }
  if ((flags & FORWARD_LIMITED) !== 0) text += ` most ${u16at(at + FORWARD_MOST)}`;
  if ((flags & FORWARD_LOGGED) !== 0) text += ' log';
  return (flags & FORWARD_AUTO) !== 0 ? `${text} autofw` : text;
}

/** A line for each ports, with all hosts that have them. */
function lines(): string[] {
  const all = new Map<string, { hosts: string; options: string }>();
  for (const { n, text } of forwards()) {
    const before = all.get(text)?.hosts ?? '';
    all.set(text, { hosts: `${before} ${hostOf(n)}`, options: optionsOf(n) });
  }
  return [...all].map(([ports, { hosts, options }]) => `set forward ${ports}${hosts}${options}`);
}

export function forwardSetting({ machine }: Context, watch: ForwardWatch): Setting {
  const actions = () => machine.overlay('forward');
  return {
    words: 'forward',
    inPlane: true,
    arguments: 'tcp|udp|mark PORTS:ports SERVER:server...19',
    help: 'what comes from outside for ports goes to a host inside, or several in turn | tcp 80 192.168.0.2',
    set: args => {
      actions().setForward(machine.plane, args);
      watch.wake();
    },
    unset: args => actions().unsetForward(machine.plane, args),
    unsetArguments: 'tcp|udp|mark PORTS:ports',
    unsetHelp: 'nobody gets in by the port any more | tcp 80',
    lines,
  };
}
