// `ipmasqadm mfw` of Linux 2.2: what ipchains -m or iptables MARK has marked goes to a host inside. It is saved as `set forward mark`. The
// tool's errors, its listing and /proc/net/ip_masq/mfw are its own.
// Departures: -p 0, which set a host aside, is refused; names are never looked up.

import { FORWARD_LEFT, FORWARD_MARKED, FORWARD_WEIGHT, forwardAt } from '../../../base/forward-record.ts';
import { u16at } from '../../../base/memory.ts';
import { parseAddress } from '../../core/address.ts';
import { type Job, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import { type Forward, forwards, optionsOf } from '../settings.ts';
import { type End, isSame, PROC_WIDTH, remoteOf } from './portfw.ts';

const PREFERENCE = '10';
const COMMANDS = 'AIDEFSL';

interface Wanted {
  command: string;
  mark: string;
  host: End | undefined;
  preference: string;
}

const fail = (why: string): never => {
  throw new Refusal(`mfw: ${why}`);
};

function parse(args: readonly string[]): Wanted {
  const wanted: Wanted = { command: '', mark: '', host: undefined, preference: PREFERENCE };
  for (let i = 0; i < args.length; i++) {
    const option = args[i] as string;
    const letter = option[1] ?? '';
    if (!option.startsWith('-') || letter === '') fail('unknown arguments found on commandline');
    else if (option.length === 2 && COMMANDS.includes(letter)) {
      if (wanted.command !== '') fail('multiple commands specified');
      wanted.command = letter;
    } else if (letter === 'm') wanted.mark = option.slice(2) || (args[++i] ?? '');
    else if (letter === 'p') wanted.preference = option.slice(2) || (args[++i] ?? '');
    else if (letter === 'r') {
      if (wanted.host !== undefined) fail('multiple destinations specified');
      const address = option.slice(2) || (args[++i] ?? '');
      const hasPort = /^\d{1,5}$/.test(args[i + 1] ?? '');
      wanted.host = { address, port: hasPort ? (args[++i] as string) : '0' };
      if (typeof parseAddress(address) === 'string') fail('illegal destination specified');
    } else if (option !== '-n') fail(`invalid option -- '${letter}'`);
  }
  return wanted;
}

function check({ command, mark, host, preference }: Wanted): void {
  if (command === '') fail('one of -A, -D, -E, -S, -F, -L is needed');
  const isAll = command === 'F' || command === 'L';
  if (isAll && (mark !== '' || host !== undefined)) fail('incompatible options specified');
  if (!isAll && !/^(0x[\da-f]{1,8}|\d{1,10})$/i.test(mark)) fail('insufficient options specified');
  if (!/^[1-9]\d*$/.test(preference)) fail('illegal preference value specified');
  if ('AIE'.includes(command) && host === undefined) fail('insufficient options specified');
}

/** The hosts of a mark, in the order of their places. */
const hostsOf = (mark: number): Forward[] =>
  forwards().filter(({ ports }) => ports.protocol === FORWARD_MARKED && ports.outside >>> 0 === mark);

const isMarked = ({ ports }: Forward): boolean => ports.protocol === FORWARD_MARKED;

function textOf({ address, port }: End, weight: string): string {
  return `${address}${Number(port) === 0 ? '' : `:${port}`}*${weight}`;
}

function change(context: Context, wanted: Wanted): void {
  const { machine, registry } = context;
  const mark = Number(wanted.mark);
  const actions = machine.overlay('forward');
  const places = hostsOf(mark);
  const { host } = wanted;
  const kept = places.filter(({ n }) => host !== undefined && !isSame(remoteOf(n), host));
  const texts = kept.map(({ n }) => textOf(remoteOf(n), `${u16at(forwardAt(n) + FORWARD_WEIGHT)}`));
  const isThere = kept.length < places.length;
  if (wanted.command === 'E' && !isThere) fail('setsockopt failed: No such process');
  if (wanted.command === 'D' && !isThere) fail('setsockopt failed: No such process');
  if (wanted.command === 'I' && host !== undefined) texts.unshift(textOf(host, wanted.preference));
  else if (wanted.command !== 'D' && host !== undefined) texts.push(textOf(host, wanted.preference));
  const [first] = places;
  const options = first === undefined ? '' : optionsOf(first.n).trim();
  const words = options === '' ? [] : options.split(' ');
  if (texts.length === 0) actions.unsetForward(machine.plane, ['mark', `${mark}`]);
  else actions.setForward(machine.plane, ['mark', `${mark}`, ...texts, ...words]);
  registry.changed();
}

/** Whose turn it is has had it: the next host of the mark follows. */
function schedule({ machine: { plane } }: Context, mark: number): void {
  const at = hostsOf(mark).find(({ n }) => u16at(forwardAt(n) + FORWARD_LEFT) !== 0);
  if (at === undefined) fail('setsockopt failed: No such process');
  else plane.forwardPass(at.n);
}

export function* mfw(context: Context, args: string[]): Job {
  const wanted = parse(args);
  check(wanted);
  const { plane } = context.machine;
  if (wanted.command === 'L') return yield* list(context);
  if (wanted.command === 'F') {
    for (const { n } of forwards().filter(isMarked).reverse()) plane.forwardRemove(n);
    context.registry.changed();
  } else if (wanted.command === 'S') schedule(context, Number(wanted.mark));
  else change(context, wanted);
}

const counts = (n: number): string[] =>
  [FORWARD_LEFT, FORWARD_WEIGHT].map(field => `${u16at(forwardAt(n) + field)}`.padStart(5));

function* list({ output }: Context): Job {
  const line = (mark: string, address: string, port: string, ...rest: string[]): void =>
    output.line([mark.padEnd(8), address.padEnd(20), port.padStart(8), ...rest].join(' '));
  line('fwmark', 'rediraddr', 'rport', ' pcnt', ' pref');
  for (const { n, ports } of forwards().filter(isMarked)) {
    const { address, port } = remoteOf(n);
    line(`${ports.outside}`, address, port, ...counts(n));
    yield 0;
  }
}

/** /proc/net/ip_masq/mfw. */
export function mfwFile(): string {
  const rows = forwards()
    .filter(isMarked)
    .map(({ n, ports }) => {
      const { address, port } = remoteOf(n);
      const hex = ((parseAddress(address) as number) >>> 0).toString(16).toUpperCase().padStart(8, '0');
      return `0x${(ports.outside >>> 0).toString(16)} > ${hex} ${port.padStart(5)} ${counts(n).join(' ')}`;
    });
  return ['FwMark > RAddr    RPort PrCnt  Pref', ...rows]
    .map(text => `${text.padEnd(PROC_WIDTH)}\n`)
    .join('');
}
