// `redir` of the time, which took connections on a port and passed them on to another host: here a forward of that port, of which each
// connection is logged where --syslog or --debug asks for it. It is saved as `set forward`, so that it is there after a start as well.
//
//    redir [--laddr=ADDRESS] --lport=PORT [--caddr=ADDRESS] --cport=PORT [--syslog] [--debug] [--timeout=SECONDS] [&]
//    redir [--syslog ...] PORT ADDRESS PORT
//    redir [--syslog ...] [ADDRESS]:PORT ADDRESS:PORT
//
// Departures: the host sees the client's own address, as with --transproxy, and the client's packets go through, no bytes are copied; so
// timeouts are the masquerade's (`set nat timeout`), and what looks into the bytes (--ftp, --connect) or slows them down is refused. One port
// to the router itself is a rule's REDIRECT.

import { parseAddress } from '../../core/address.ts';
import { type Job, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import { isOwnOutside } from './portfw.ts';

const USAGE = 'redir --lport=PORT --caddr=ADDRESS --cport=PORT';

/** Long options with the letters of later versions; `true`: a value follows. */
const OPTIONS: Record<string, boolean> = {
  lport: true,
  laddr: true,
  cport: true,
  caddr: true,
  timeout: true,
  ident: true,
  loglevel: true,
  syslog: false,
  debug: false,
  transproxy: false,
  foreground: false,
};
const LETTERS: Record<string, string> = {
  s: 'syslog',
  d: 'debug',
  t: 'timeout',
  I: 'ident',
  l: 'loglevel',
  n: 'foreground',
  p: 'transproxy',
};
const REFUSED: Record<string, string> = {
  inetd: 'there is no inetd here, a forward waits by itself',
  i: 'there is no inetd here, a forward waits by itself',
  bind: 'the host sees the client’s own address',
  b: 'the host sees the client’s own address',
  ftp: 'ftp needs no such help here',
  f: 'ftp needs no such help here',
  connect: 'it looks into no connection',
  x: 'it looks into no connection',
};

const fail = (why: string): never => {
  throw new Refusal(`Cannot run redir: ${why}`);
};

interface Parsed {
  given: Map<string, string>;
  rest: string[];
}

/** What a table has by a typed name; those that any object has, as `constructor`, are in none. */
function ownOf<T>(table: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function parse(args: readonly string[]): Parsed {
  const parsed: Parsed = { given: new Map(), rest: [] };
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    const [, dashes = '', typed = '', value] = /^(--?)([a-z-]+)(?:=(.*))?$/i.exec(word) ?? [];
    if (dashes === '') {
      parsed.rest.push(word);
      continue;
    }
    const why = ownOf(REFUSED, typed);
    if (why !== undefined) fail(`${word}: ${why}`);
    const name = dashes === '-' ? (ownOf(LETTERS, typed) ?? '') : typed;
    const takes = ownOf(OPTIONS, name);
    if (takes === undefined) fail(`${word} is none of its options; ${USAGE}`);
    parsed.given.set(name, takes === true ? (value ?? args[++i] ?? '') : '');
  }
  return parsed;
}

interface Ends {
  laddr: string;
  lport: string;
  caddr: string;
  cport: string;
}

/** Which ports and addresses are meant, by options or by their places. */
function endsOf({ given, rest }: Parsed): Ends {
  const ends: Ends = { laddr: '', lport: '', caddr: '', cport: '' };
  const [first = '', second = '', third] = rest;
  if (rest.length > 3) fail(USAGE);
  if (third !== undefined) Object.assign(ends, { lport: first, caddr: second, cport: third });
  else if (second !== '') {
    const split = (text: string): string[] => {
      const at = text.lastIndexOf(':');
      return at < 0 ? ['', text] : [text.slice(0, at), text.slice(at + 1)];
    };
    [ends.laddr = '', ends.lport = ''] = split(first);
    [ends.caddr = '', ends.cport = ''] = split(second);
  } else if (first !== '') fail(USAGE);
  for (const name of ['laddr', 'lport', 'caddr', 'cport'] as const) {
    const value = given.get(name);
    if (value !== undefined) ends[name] = value;
  }
  return ends;
}

export function* redir(context: Context, args: string[]): Job {
  const { machine, output, registry } = context;
  const words = args.at(-1) === '&' ? args.slice(0, -1) : args;
  const parsed = parse(words);
  const { laddr, lport, caddr, cport } = endsOf(parsed);
  for (const port of [lport, cport]) {
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535)
      fail(`ports are numbers; ${USAGE}`);
  }
  if (caddr === '' || caddr === 'localhost' || caddr.startsWith('127.'))
    fail('--caddr is missing; a port of the router itself is iptables -t nat ... -j REDIRECT');
  let outside = '';
  if (laddr !== '' && laddr !== '0.0.0.0') {
    const address = parseAddress(laddr);
    if (typeof address === 'string') fail(`${laddr}: ${address}`);
    else if (!isOwnOutside(address)) outside = `${laddr}:`;
  }
  const isLogged = parsed.given.has('syslog') || parsed.given.has('debug');
  const host = `${caddr}${Number(lport) === Number(cport) ? '' : `:${Number(cport)}`}`;
  machine
    .overlay('forward')
    .setForward(machine.plane, ['tcp', `${outside}${Number(lport)}`, host, ...(isLogged ? ['log'] : [])]);
  registry.changed();
  if (parsed.given.has('timeout')) output.line('redir: timeouts are those of set nat timeout');
  yield 0;
}
