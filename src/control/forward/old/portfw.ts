// `ipmasqadm portfw` of Linux 2.2 and `ipportfw` of 2.0: the forwards by the commands of the time. What they bring about is
// saved as `set forward`. Listings are the tools' own, by the formats of the kernel's files that they read.
// Departures: names are never looked up, so -n changes nothing; the local address must be one of ours outside; of a link's
// own one the forward is for whichever the link has, of a further one (set wan also) for that alone; the same host twice is once, with the last preference. Forwards of several ports
// are in no listing, as those tools have none.
// Not here: what a forward is (../overlay.ts), the commands beside it (overlay.ts).

import { ALIAS_ADDRESS, aliasAt } from '../../../base/alias-record.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_AUTO,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LEFT,
  FORWARD_WEIGHT,
  forwardAt,
} from '../../../base/forward-record.ts';
import { IF_ADDRESS, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../../base/interface.ts';
import { INTERFACE_COUNT } from '../../../base/limits.ts';
import { i32at, u16at } from '../../../base/memory.ts';
import { PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { formatAddress, parseAddress } from '../../core/address.ts';
import { type Job, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import { aliases } from '../aliases.ts';
import { type Forward, forwards, optionsOf } from '../settings.ts';

/** What `set forward` and `unset forward` do. */
const setForward = ({ machine, registry }: Context, words: string[]): void => {
  machine.overlay('forward').setForward(machine.plane, words);
  registry.changed();
};
const unsetForward = ({ machine, registry }: Context, words: string[]): void => {
  machine.overlay('forward').unsetForward(machine.plane, words);
  registry.changed();
};

/** The preference where none is said: of 2.2's kernel. */
const PREFERENCE = '10';
/** Lines of the files in /proc are so long, and a line feed. */
export const PROC_WIDTH = 63;

export interface End {
  address: string;
  port: string;
}

interface Rule {
  protocol: string;
  local: End;
  remote: End | undefined;
  preference: string;
}

function outsideAddresses(): number[] {
  return Array.from({ length: INTERFACE_COUNT }, (_, index) => interfaceAt(index))
    .filter(at => i32at(at + IF_SIDE) === INTERFACE_OUTSIDE && i32at(at + IF_ADDRESS) !== 0)
    .map(at => i32at(at + IF_ADDRESS));
}

/** 1 of our links outside has it; a further address (set wan also) is none. */
export const isOwnOutside = (address: number): boolean => outsideAddresses().includes(address);

function checkLocal(tool: string, { address }: End): void {
  const parsed = parseAddress(address);
  if (typeof parsed === 'string') throw new Refusal(`Cannot run ${tool}: ${address}: ${parsed}`);
  const ours = [...outsideAddresses(), ...aliases(false).map(n => i32at(aliasAt(n) + ALIAS_ADDRESS))];
  if (!ours.includes(parsed))
    throw new Refusal(
      `Cannot run ${tool}: ${address} is none of our addresses outside, ${ours.map(formatAddress).join(' ') || 'there is none yet'}`,
    );
}

/** The forwards of one port that are not autofw's, in the order of the kernel's list: UDP, then TCP. */
export function listed(): Forward[] {
  const isAuto = (n: number): boolean => (u16at(forwardAt(n) + FORWARD_FLAGS) & FORWARD_AUTO) !== 0;
  const all = forwards().filter(({ n, ports: { first, last } }) => first === last && !isAuto(n));
  return [PROTOCOL_UDP, PROTOCOL_TCP].flatMap(wanted => all.filter(({ ports }) => ports.protocol === wanted));
}

export const remoteOf = (n: number): End => ({
  address: formatAddress(i32at(forwardAt(n) + FORWARD_ADDRESS)),
  port: `${u16at(forwardAt(n) + FORWARD_INSIDE)}`,
});

export const isSame = (one: End, other: End): boolean =>
  one.address === other.address && Number(one.port) === Number(other.port);

/** A local end's port as `set forward` has it: of a further address with that one. */
function portText({ address, port }: End): string {
  return isOwnOutside(parseAddress(address) as number) ? `${Number(port)}` : `${address}:${Number(port)}`;
}

/** The servers of a port but for one, or all, as `set forward` has them; and what stands behind them. */
function others(
  { protocol, local }: Rule,
  without: End | undefined,
): { servers: string[]; options: string[] } {
  const places = forwards().filter(({ text }) => text === `${protocol} ${portText(local)}`);
  const kept = places.filter(({ n }) => without !== undefined && !isSame(remoteOf(n), without));
  const [first] = places;
  const options = first === undefined ? '' : optionsOf(first.n).trim();
  const servers = kept.map(({ n }) => {
    const { address, port } = remoteOf(n);
    return `${address}:${port}*${u16at(forwardAt(n) + FORWARD_WEIGHT)}`;
  });
  return { servers, options: options === '' ? [] : options.split(' ') };
}

function add(context: Context, rule: Rule): void {
  const { protocol, local, remote, preference } = rule;
  if (remote === undefined) throw new Refusal('Cannot forward a port: the remote address is missing');
  const { servers, options } = others(rule, remote);
  const server = `${remote.address}:${remote.port}*${preference}`;
  setForward(context, [protocol, portText(local), ...servers, server, ...options]);
}

function remove(context: Context, rule: Rule): void {
  const { protocol, local, remote } = rule;
  const { servers, options } = others(rule, remote);
  if (servers.length === 0) unsetForward(context, [protocol, portText(local)]);
  else setForward(context, [protocol, portText(local), ...servers, ...options]);
}

function flush({ machine: { plane }, registry }: Context): void {
  for (const { n } of listed().sort((a, b) => b.n - a.n)) plane.forwardRemove(n);
  for (const { n } of forwards()) plane.forwardNote(n);
  registry.changed();
}

/** Options with as many words behind each as it takes. */
export function parse(
  tool: string,
  args: readonly string[],
  takes: Record<string, number>,
): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (let i = 0; i < args.length; ) {
    const option = args[i] as string;
    const count = Object.hasOwn(takes, option) ? takes[option] : undefined;
    if (count === undefined) throw new Refusal(`Cannot run ${tool}: ${option} is no option of it`);
    const words = args.slice(i + 1, i + 1 + count);
    if (words.length < count) throw new Refusal(`Cannot run ${tool}: behind ${option} something is missing`);
    found.set(option, words);
    i += 1 + count;
  }
  return found;
}

export function only(tool: string, found: Map<string, string[]>, commands: readonly string[]): string {
  const given = commands.filter(command => found.has(command));
  if (given.length !== 1) throw new Refusal(`Cannot run ${tool}: one of ${commands.join(', ')} is needed`);
  return given[0] as string;
}

const ADM = 'ipmasqadm portfw';

export function* portfw(context: Context, args: string[]): Job {
  const found = parse(ADM, args, {
    '-a': 0,
    '-d': 0,
    '-f': 0,
    '-l': 0,
    '-n': 0,
    '-P': 1,
    '-L': 2,
    '-R': 2,
    '-p': 1,
  });
  const command = only(ADM, found, ['-a', '-d', '-f', '-l']);
  if (command === '-f') return flush(context);
  if (command === '-l') return yield* listAdm(context);
  const end = (option: string): End | undefined => {
    const [address = '', port = ''] = found.get(option) ?? [];
    return found.has(option) ? { address, port } : undefined;
  };
  const local = end('-L');
  const [protocol = ''] = found.get('-P') ?? [];
  if (local === undefined || protocol === '') throw new Refusal(`Cannot run ${ADM}: -P and -L are needed`);
  checkLocal(ADM, local);
  const [preference = PREFERENCE] = found.get('-p') ?? [];
  const rule = { protocol: protocol.toLowerCase(), local, remote: end('-R'), preference };
  if (command === '-a' && rule.remote === undefined) throw new Refusal(`Cannot run ${ADM}: -R is needed`);
  (command === '-a' ? add : remove)(context, rule);
}

function* listAdm({ output }: Context): Job {
  const row = (...columns: string[]): string => {
    const [protocol = '', local = '', remote = '', ...rest] = columns;
    const numbers = rest.map((text, i) => text.padStart(i < 2 ? 8 : 5));
    return [protocol.padEnd(4), local.padEnd(20), remote.padEnd(20), ...numbers].join(' ');
  };
  output.line(row('prot', 'localaddr', 'rediraddr', 'lport', 'rport', 'pcnt', 'pref'));
  for (const { n, ports } of listed()) {
    const { address, port } = remoteOf(n);
    const name = ports.protocol === PROTOCOL_TCP ? 'TCP' : 'UDP';
    const counts = [FORWARD_LEFT, FORWARD_WEIGHT].map(field => `${u16at(forwardAt(n) + field)}`);
    output.line(row(name, localOf(ports.outside), address, `${ports.first}`, port, ...counts));
    yield 0;
  }
}

/** The outside address of a forward, or the first of ours. */
const localOf = (outside: number): string =>
  formatAddress(outside !== 0 ? outside : (outsideAddresses()[0] ?? 0));

const IPPORTFW = 'ipportfw';

export function* ipportfw(context: Context, args: string[]): Job {
  const found = parse(IPPORTFW, args, { '-A': 0, '-D': 0, '-C': 0, '-L': 0, '-t': 1, '-u': 1, '-R': 1 });
  const command = only(IPPORTFW, found, ['-A', '-D', '-C', '-L']);
  if (command === '-C') return flush(context);
  if (command === '-L') return yield* listPortfw(context);
  const option = only(IPPORTFW, found, ['-t', '-u']);
  const end = (name: string): End | undefined => {
    const [text = ''] = found.get(name) ?? [];
    const [, address, port] = /^([\d.]+)\/(\d{1,5})$/.exec(text) ?? [];
    if (found.has(name) && (address === undefined || port === undefined))
      throw new Refusal(`Cannot run ${IPPORTFW}: ${text} is not an address, / and a port`);
    return address === undefined || port === undefined ? undefined : { address, port };
  };
  const local = end(option) as End;
  checkLocal(IPPORTFW, local);
  const rule = { protocol: option === '-t' ? 'tcp' : 'udp', local, remote: end('-R'), preference: '1' };
  if (command === '-A' && rule.remote === undefined)
    throw new Refusal(`Cannot run ${IPPORTFW}: -R is needed`);
  (command === '-A' ? add : remove)(context, rule);
}

/** Each line of /proc/net/ip_portfw, and an empty one, as the tool prints them. */
function* listPortfw({ output }: Context): Job {
  const print = (line: string): void => {
    output.line(line.padEnd(PROC_WIDTH));
    output.line('');
  };
  print('Prot Local Addr/Port > Remote Addr/Port');
  for (const { n, ports } of listed()) {
    const { address, port } = remoteOf(n);
    const name = ports.protocol === PROTOCOL_TCP ? 'TCP' : 'UDP';
    print(`${name} ${localOf(ports.outside)}/${ports.first} > ${address}/${port}`);
    yield 0;
  }
}
