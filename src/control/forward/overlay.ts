// The overlay `forward`: what `set forward`, `set trigger` and (alias-words.ts) those of further addresses do, and `show forwards`. Not here: its lines (settings.ts), what its words mean (words.ts), the
// commands of the time (old/overlay.ts), how a packet finds its forward (src/plane/flow/forwards.ts).

import { FORWARDS_SET_AT, NOW_AT, TRIGGERS_SET_AT } from '../../base/cells.ts';
import {
  FORWARD_CHECKED,
  FORWARD_FLAGS,
  FORWARD_MARKED,
  FORWARD_SERVER,
  FORWARD_SESSIONS,
  forwardAt,
} from '../../base/forward-record.ts';
import { FORWARD_COUNT, TICKS_PER_SECOND, TRIGGER_COUNT, TRIGGER_OPENINGS } from '../../base/limits.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import {
  SERVER_LIVE,
  SERVER_MISSED,
  SERVER_SINCE,
  SERVER_STATE,
  SERVER_UNKNOWN,
  SERVER_UP,
  serverAt,
} from '../../base/server-record.ts';
import {
  OPENING_HOST,
  OPENING_REMOTE,
  openingAt,
  TRIGGER_ALWAYS,
  TRIGGER_ANYBODY,
  TRIGGER_BY_PORT,
  TRIGGER_BY_PROTOCOL,
  TRIGGER_FIRST,
  TRIGGER_LAST,
  TRIGGER_PROTOCOL,
  triggerAt,
} from '../../base/trigger-record.ts';
import { formatAddress } from '../core/address.ts';
import { since } from '../core/clock.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Machine } from '../core/machine.ts';
import { forwards, hostOf, type Ports } from './settings.ts';
import { triggerWords } from './triggers.ts';
import { parsePorts, parseServers } from './words.ts';

export { setAlso, setOneToOne, unsetOneToOne } from './alias-words.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    forward: typeof import('./overlay.ts');
  }
}

type Plane = Machine['plane'];

/** Places that these ports have. */
const placesOf = (ports: Ports): number[] => {
  const found: number[] = [];
  for (const { n, ports: other } of forwards()) if (isSame(ports, other)) found.push(n);
  return found;
};

const isSame = (one: Ports, other: Ports): boolean =>
  one.protocol === other.protocol &&
  one.first === other.first &&
  one.last === other.last &&
  one.outside === other.outside;

function remove(plane: Plane, ports: Ports): void {
  for (const n of placesOf(ports).reverse()) plane.forwardRemove(n);
  for (const { n } of forwards()) plane.forwardNote(n);
}

/** As many ports of which some are the same: it could not be said which goes before. */
function refuseOverlap(what: string, ports: Ports): void {
  if (ports.protocol === FORWARD_MARKED) return;
  for (const other of forwards()) {
    const { protocol, first, last, outside } = other.ports;
    const isMet = protocol === ports.protocol && first <= ports.last && last >= ports.first;
    const isAsLong = last - first === ports.last - ports.first && first !== ports.first;
    if (isMet && isAsLong && outside === ports.outside)
      throw new Refusal(`${what}: it shares ports with ${other.text}, and is for as many`);
  }
}

/** Gives ports their hosts, which have them instead of those before. */
export function setForward(plane: Plane, [name = '', text = '', ...words]: string[]): void {
  const ports = parsePorts('set', name, text);
  const what = `Cannot set forward ${name} ${text} ${words.join(' ')}`;
  const { servers, flags, seconds, misses, most } = parseServers(what, ports, words);
  refuseOverlap(what, ports);
  const free = FORWARD_COUNT - i32at(FORWARDS_SET_AT) + placesOf(ports).length;
  if (servers.length > free)
    throw new Refusal(`${what}: there are ${FORWARD_COUNT} places for hosts, and ${free} are free`);
  remove(plane, ports);
  for (const { address, port, weight } of servers) {
    const share = weight | (flags << 16);
    plane.forwardSet(ports.protocol, (ports.first << 16) | ports.last, port, address, share, ports.outside);
    const n = i32at(FORWARDS_SET_AT) - 1;
    plane.forwardLimit(n, seconds, misses, most);
    const number = u16at(forwardAt(n) + FORWARD_SERVER);
    // Whoever is asked is asked soon; of whom nobody asks any more is known what is known of any.
    if (number !== 0) plane.serverState(number, stateOf(number, flags), 0, i32at(NOW_AT));
  }
}

const stateOf = (number: number, flags: number): number =>
  (flags & FORWARD_CHECKED) === 0 ? SERVER_UNKNOWN : get8(serverAt(number) + SERVER_STATE);

export function unsetForward(plane: Plane, [name = '', text = '']: string[]): void {
  const ports = parsePorts('unset', name, text);
  if (placesOf(ports).length === 0) throw new Refusal(`Cannot unset forward ${name} ${text}: it is not set`);
  remove(plane, ports);
}

const TRIGGER_FLAGS = new Map([
  ['always', TRIGGER_ALWAYS],
  ['anybody', TRIGGER_ANYBODY],
]);

/** The trigger of the same ports and control port, -1 if there is none; and these. */
function meantTrigger(verb: 'set' | 'unset', words: string[]): { n: number; by: number; ports: Ports } {
  const [name = '', text = '', byName = '', byText = ''] = words;
  const what = `Cannot ${verb} trigger ${words.join(' ')}`;
  const ports = parsePorts(verb, name, text);
  const by = parsePorts(verb, byName, byText);
  if (ports.protocol === FORWARD_MARKED || by.protocol === FORWARD_MARKED || by.first !== by.last)
    throw new Refusal(`${what}: it is ports, and one control port, of tcp or udp`);
  if (ports.outside !== 0 || by.outside !== 0)
    throw new Refusal(`${what}: it is for whichever address we have`);
  let n = i32at(TRIGGERS_SET_AT) - 1;
  for (; n >= 0; n--) {
    const at = triggerAt(n);
    const isSame =
      u16at(at + TRIGGER_PROTOCOL) === ports.protocol &&
      u16at(at + TRIGGER_FIRST) === ports.first &&
      u16at(at + TRIGGER_LAST) === ports.last &&
      u16at(at + TRIGGER_BY_PROTOCOL) === by.protocol &&
      u16at(at + TRIGGER_BY_PORT) === by.first;
    if (isSame) break;
  }
  return { n, by: (by.protocol << 16) | by.first, ports };
}

export function setTrigger(plane: Plane, words: string[]): void {
  const { n, by, ports } = meantTrigger('set', words);
  let flags = 0;
  for (const word of words.slice(4)) {
    const flag = TRIGGER_FLAGS.get(word);
    if (flag === undefined)
      throw new Refusal(`Cannot set trigger ${words.join(' ')}: ${word} is not always, anybody`);
    flags |= flag;
  }
  if (n >= 0) plane.triggerRemove(n);
  if (plane.triggerSet(by, (ports.protocol << 16) | ports.first, ports.last, flags) === 0)
    throw new Refusal(`Cannot set trigger ${words.join(' ')}: all ${TRIGGER_COUNT} are in use`);
}

export function unsetTrigger(plane: Plane, words: string[]): void {
  const { n } = meantTrigger('unset', words);
  if (n < 0) throw new Refusal(`Cannot unset trigger ${words.join(' ')}: it is not set`);
  plane.triggerRemove(n);
}

/** Whom triggers let in at the time. */
function* showTriggers({ machine: { plane }, output }: Context): Job {
  for (let n = 0; n < i32at(TRIGGERS_SET_AT); n++) {
    const [ports, by, options] = triggerWords(n);
    output.line(`${ports} by ${by}${options}`);
    for (let i = 0; i < TRIGGER_OPENINGS; i++) {
      const at = openingAt(triggerAt(n), i);
      if (i32at(at + OPENING_HOST) === 0 || plane.triggerOpen(triggerAt(n), at) === 0) continue;
      output.line(
        `  ${formatAddress(i32at(at + OPENING_HOST))} from ${formatAddress(i32at(at + OPENING_REMOTE))}`,
      );
    }
    yield 0;
  }
}

/** How a host is: how many sessions it has, and since when it does not answer. */
function healthText(context: Context, n: number): string {
  const number = u16at(forwardAt(n) + FORWARD_SERVER);
  if (number === 0) return '';
  const server = serverAt(number);
  const now = `, ${u16at(server + SERVER_LIVE)} now`;
  if ((u16at(forwardAt(n) + FORWARD_FLAGS) & FORWARD_CHECKED) === 0) return now;
  const state = get8(server + SERVER_STATE);
  if (state === SERVER_UP) return `${now}, answers`;
  if (state === SERVER_UNKNOWN)
    return `${now}, ${get8(server + SERVER_MISSED) === 0 ? 'not asked yet' : 'has not answered yet'}`;
  const seconds = Math.floor(since(context.clock.now(), i32at(server + SERVER_SINCE)) / TICKS_PER_SECOND);
  return `${now}, has not answered for ${seconds} s`;
}

export function* showForwards(context: Context): Job {
  const { output } = context;
  for (const { n, text } of forwards()) {
    const sessions = i32at(forwardAt(n) + FORWARD_SESSIONS) >>> 0;
    const count = `${sessions} sessions since it was set${healthText(context, n)}`;
    output.line(`${text.padEnd(16)}${hostOf(n).padEnd(22)}${count}`);
    yield 0;
  }
  yield* showTriggers(context);
  if (i32at(FORWARDS_SET_AT) + i32at(TRIGGERS_SET_AT) === 0)
    output.line('No port is forwarded, see set forward');
}
