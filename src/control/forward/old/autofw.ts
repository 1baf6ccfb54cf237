// `ipautofw`, and `ipmasqadm autofw`, which was the same program: forwards of ports to a host, or by a control port. They are saved as `set
// forward ... autofw` and `set trigger`. What the tool prints is the tool's, and so is /proc/net/ip_masq/autofw.
// Departures: several hosts are served at a time, where the kernel knew the last one; -d is refused, as ports are kept here without it,
// and -h with -c, of which the kernel forgot the host at the first packet; -p works, which it said that it did not.

import { TRIGGERS_SET_AT } from '../../../base/cells.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_AUTO,
  FORWARD_FIRST,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LAST,
  FORWARD_PROTOCOL,
  forwardAt,
} from '../../../base/forward-record.ts';
import { TICKS_PER_SECOND, TRIGGER_OPENINGS, TRIGGER_SECONDS } from '../../../base/limits.ts';
import { i32at, u16at } from '../../../base/memory.ts';
import {
  OPENING_HOST,
  OPENING_REMOTE,
  OPENING_TICK,
  openingAt,
  TRIGGER_ALWAYS,
  TRIGGER_ANYBODY,
  TRIGGER_BY_PORT,
  TRIGGER_BY_PROTOCOL,
  TRIGGER_FIRST,
  TRIGGER_FLAGS,
  TRIGGER_LAST,
  TRIGGER_PROTOCOL,
  triggerAt,
} from '../../../base/trigger-record.ts';
import { since } from '../../core/clock.ts';
import { type Job, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import { forwards } from '../settings.ts';

/** Types of entries, and their flags, as the kernel has them. */
const RANGE = 1;
const PORT = 2;
const ACTIVE = 1;
const USE_TIME = 2;
const SECURE = 4;

interface Wanted {
  verb: string;
  ports: string;
  /** A host, with a port behind : for -p. */
  host: string;
  by: string;
  options: string[];
  isVerbose: boolean;
}

function protocolOf(text: string, what: string): string {
  if (text.startsWith('t')) return 'tcp';
  if (text.startsWith('u')) return 'udp';
  throw new Refusal(`${what} must be either tcp or udp`);
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new Refusal('Illegal port numbers');
  return port;
}

function parse(args: readonly string[]): Wanted {
  const wanted: Wanted = {
    verb: (args[0] ?? '').slice(0, 2),
    ports: '',
    host: '',
    by: '',
    options: [],
    isVerbose: false,
  };
  if (!['-A', '-D', '-F'].includes(wanted.verb)) throw new Refusal('Command must be either -A, -D, or -F');
  if (wanted.verb === '-F' && args.length > 1) throw new Refusal('The flush command does not take options');
  for (let i = 1; i < args.length; i++) {
    const option = (args[i] as string).slice(0, 2);
    const next = (): string => args[++i] ?? '';
    if (option === '-r') {
      const name = protocolOf(next(), 'protocol');
      const [low, high] = [portOf(next()), portOf(next())];
      if (high < low) throw new Refusal('Illegal port numbers');
      wanted.ports = `${name} ${low}-${high}`;
    } else if (option === '-p') {
      wanted.ports = `${protocolOf(next(), 'protocol')} ${portOf(next())}`;
      wanted.host = next();
      if (!wanted.host.includes(':')) throw new Refusal('Illegal port numbers');
    } else if (option === '-h') wanted.host = next();
    else if (option === '-c') wanted.by = `${protocolOf(next(), 'Control protocol')} ${portOf(next())}`;
    else if (option === '-u') wanted.options.push('always');
    else if (option === '-i') wanted.options.push('anybody');
    else if (option === '-v') wanted.isVerbose = true;
    else if (option === '-d')
      throw new Refusal('Cannot run autofw -d: the ports of hosts inside are kept without it');
    else throw new Refusal(`Invalid option: ${args[i]}`);
  }
  return wanted;
}

/** "tcp 80-80" as `set` has it. */
const typed = (ports: string): string[] => ports.replace(/(\d+)-\1$/, '$1').split(' ');

export function* autofw(context: Context, args: string[]): Job {
  const { machine, output, registry } = context;
  const { plane } = machine;
  const wanted = parse(args);
  const { verb, ports, host, by, options } = wanted;
  const actions = machine.overlay('forward');
  if (verb === '-F') {
    while (i32at(TRIGGERS_SET_AT) > 0) plane.triggerRemove(0);
    for (const { n } of forwards().reverse()) if (isAuto(n)) plane.forwardRemove(n);
    for (const { n } of forwards()) plane.forwardNote(n);
    registry.changed();
    return;
  }
  if (ports === '') throw new Refusal('You must select a type of forwarding (direct, port, or range)');
  if (host === '' && by === '')
    throw new Refusal('Cannot run autofw: without -h and -c nobody gets what comes');
  if (host !== '' && by !== '') throw new Refusal('Cannot use -h in secure mode');
  if (wanted.isVerbose) output.line(verboseText(wanted));
  if (by !== '') {
    const words = [...typed(ports), ...by.split(' ')];
    if (verb === '-A') actions.setTrigger(plane, [...words, ...options]);
    else actions.unsetTrigger(plane, words);
  } else if (verb === '-A') actions.setForward(plane, [...typed(ports), host, 'autofw']);
  else actions.unsetForward(plane, typed(ports));
  registry.changed();
  yield 0;
}

/** What -v says, as the tool has it. */
function verboseText({ verb, ports, host, by, options }: Wanted): string {
  const [name = '', range = ''] = ports.split(' ');
  const [low = '', high] = range.split('-');
  const begin = verb === '-A' ? 'Adding autofwd ' : 'Deleteing autofwd ';
  const fixed = host === '' ? '' : `to fixed host ${host} `;
  const what =
    high === undefined ? `${name} port ${low} -> ${host} ` : `${name} ports ${low} - ${high} ${fixed}`;
  const control = by === '' ? '' : `via ${by.replace(' ', ' ctl port ')} `;
  const time = options.includes('always') ? '' : 'U';
  return begin + what + control + time + (by === '' || options.includes('anybody') ? '' : 'S');
}

const isAuto = (n: number): boolean => (u16at(forwardAt(n) + FORWARD_FLAGS) & FORWARD_AUTO) !== 0;

const hex = (value: number, digits: number): string =>
  (value >>> 0).toString(16).toUpperCase().padStart(digits, '0');

function row(fields: {
  type: number;
  protocol: number;
  ports: [number, number];
  moved?: [number, number];
  where: number;
  last?: number;
  by?: [number, number];
  timer?: number;
  flags: number;
}): string {
  const { type, protocol, ports, moved = [0, 0], where, last = 0, by = [0, 0], timer = 0, flags } = fields;
  const number = (value: number): string => value.toString(16).toUpperCase().padStart(4);
  const range = `${hex(ports[0], 4)}-${hex(ports[1], 4)}/${hex(moved[0], 4)} ${hex(moved[1], 4)}`;
  const control = `${hex(by[0], 4)} ${hex(by[1], 4)} ${String(timer).padStart(6)}`;
  return `${number(type)} ${number(protocol)} ${range} ${hex(where, 8)} ${hex(last, 8)} ${control} ${number(flags)}\n`;
}

function triggerRow({ clock, machine: { plane } }: Context, n: number): string {
  const trigger = triggerAt(n);
  const set = u16at(trigger + TRIGGER_FLAGS);
  let at = 0;
  for (let i = 0; i < TRIGGER_OPENINGS; i++) {
    const other = openingAt(trigger, i);
    if (i32at(other + OPENING_HOST) === 0 || plane.triggerOpen(trigger, other) === 0) continue;
    if (at === 0 || since(i32at(other + OPENING_TICK), i32at(at + OPENING_TICK)) > 0) at = other;
  }
  const isTimed = (set & TRIGGER_ALWAYS) === 0;
  const left =
    TRIGGER_SECONDS * TICKS_PER_SECOND - since(clock.now(), at === 0 ? 0 : i32at(at + OPENING_TICK));
  return row({
    type: RANGE,
    protocol: u16at(trigger + TRIGGER_PROTOCOL),
    ports: [u16at(trigger + TRIGGER_FIRST), u16at(trigger + TRIGGER_LAST)],
    where: at === 0 ? 0 : i32at(at + OPENING_HOST),
    last: at === 0 ? 0 : i32at(at + OPENING_REMOTE),
    by: [u16at(trigger + TRIGGER_BY_PROTOCOL), u16at(trigger + TRIGGER_BY_PORT)],
    timer: at === 0 || !isTimed ? 0 : Math.max(0, left),
    flags: (at === 0 ? 0 : ACTIVE) | (isTimed ? USE_TIME : 0) | ((set & TRIGGER_ANYBODY) !== 0 ? 0 : SECURE),
  });
}

/** /proc/net/ip_masq/autofw: the last entry first, as the kernel put each before the others. */
export function autofwFile(context: Context): string {
  let text = 'Type Prot Low  High Vis  Hid  Where    Last     CPto CPrt Timer Flags\n';
  for (let n = i32at(TRIGGERS_SET_AT) - 1; n >= 0; n--) text += triggerRow(context, n);
  for (const { n } of forwards().reverse()) {
    if (!isAuto(n)) continue;
    const at = forwardAt(n);
    const [first, last, inside] = [
      u16at(at + FORWARD_FIRST),
      u16at(at + FORWARD_LAST),
      u16at(at + FORWARD_INSIDE),
    ];
    const isMoved = inside !== first;
    text += row({
      type: isMoved ? PORT : RANGE,
      protocol: u16at(at + FORWARD_PROTOCOL),
      ports: isMoved ? [0, 0] : [first, last],
      moved: isMoved ? [first, inside] : [0, 0],
      where: i32at(at + FORWARD_ADDRESS),
      flags: USE_TIME,
    });
  }
  return text;
}
