// The rest of what scripts of the time call: hostname, uname, date, id, ls, touch, logger and their like; and why others are not there.

import { civilOf } from '../../core/civil.ts';
import { Refusal } from '../../core/console/command.ts';
import { NOTICE } from '../../core/log.ts';
import { resolved } from '../files.ts';
import { Fault } from '../streams.ts';
import type { Desk, Program } from './desk.ts';

const DAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const HOST = 'masqbox';

const two = (value: number): string => String(value).padStart(2, '0');

const date: Program = (args, io, { context }) => {
  const milliseconds = context.wallClock.milliseconds();
  const format = args.slice(1).find(word => word.startsWith('+'));
  if (args.slice(1).some(word => !word.startsWith('+') && word !== '-u'))
    throw new Fault('date: the time is set by set ntp server, and by the clock of the board', 1);
  if (milliseconds === undefined) {
    io.complain('the time is not known yet; see show time');
    return 1;
  }
  const seconds = Math.floor(milliseconds / 1000);
  const { year, month, day, hour, minute, second } = civilOf(seconds);
  const weekday = DAYS[(Math.floor(seconds / 86400) + 4) % 7] as string;
  const name = MONTHS[month - 1] as string;
  const values: Record<string, string> = {
    ...{ Y: String(year), m: two(month), d: two(day), H: two(hour), M: two(minute), S: two(second) },
    ...{ y: two(year % 100), e: String(day).padStart(2), a: weekday, b: name, h: name, s: String(seconds) },
    ...{ T: `${two(hour)}:${two(minute)}:${two(second)}`, D: `${two(month)}/${two(day)}/${two(year % 100)}` },
    ...{ F: `${year}-${two(month)}-${two(day)}`, Z: 'UTC', n: '\n', t: '\t', '%': '%' },
  };
  const text = (format?.slice(1) ?? '%a %b %e %T UTC %Y').replace(
    /%(.)/g,
    (all, letter: string) => values[letter] ?? all,
  );
  io.write(`${text}\n`);
  return 0;
};

const uname: Program = (args, io, { context }) => {
  const letters = args.slice(1).join('');
  const parts: [string, string][] = [
    ['s', 'Linux'],
    ['n', HOST],
    ['r', '2.4.37'],
    ['v', `#1 masqbox ${context.machine.version}`],
    ['m', 'i486'],
  ];
  const chosen = parts.filter(([letter]) => letters.includes(letter) || letters.includes('a'));
  io.write(
    `${(chosen.length === 0 ? [parts[0] as [string, string]] : chosen).map(([, text]) => text).join(' ')}\n`,
  );
  return 0;
};

const words = (args: readonly string[]): string[] => args.slice(1).filter(word => !word.startsWith('-'));
const pathOf = ({ state }: Desk, word: string): string => resolved(state.directory, word);

const ls: Program = (args, io, desk) => {
  let status = 0;
  const wanted = words(args);
  for (const word of wanted.length === 0 ? ['.'] : wanted) {
    const path = pathOf(desk, word);
    const kind = desk.files.kind(path);
    if (kind === undefined) {
      io.complain(`${word}: No such file or directory`);
      status = 1;
    } else if (kind === 'file' || args.some(option => /^-\w*d/.test(option))) io.write(`${word}\n`);
    else for (const name of desk.files.list(path)) io.write(`${name}\n`);
  }
  return status;
};

const rm: Program = (args, io, desk) => {
  let status = 0;
  for (const word of words(args)) {
    try {
      desk.files.remove(pathOf(desk, word));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (args.some(option => /^-\w*f/.test(option))) continue;
      io.complain(error.message);
      status = 1;
    }
  }
  return status;
};

const touch: Program = (args, _, desk) => {
  for (const word of words(args)) {
    const path = pathOf(desk, word);
    const why = desk.files.whyNotWritten(path);
    if (why !== undefined) throw new Fault(`touch: ${word}: ${why}`, 1);
    if (path.startsWith('/proc/')) continue;
    desk.files.write(path, '', true);
  }
  return 0;
};

const logger: Program = (args, io, { context }) => {
  const own: string[] = [];
  let name = 'script';
  for (let i = 1; i < args.length; i++) {
    if (args[i] === '-t') name = (args[++i] ?? '').slice(0, 12);
    else if (args[i] === '-p' || args[i] === '-f') i++;
    else if (!/^-[is]+$/.test(args[i] as string)) own.push(args[i] as string);
  }
  const text = own.length > 0 ? own.join(' ') : io.read().trim();
  if (text !== '') context.log(NOTICE, name === '' ? 'script' : name, text);
  return 0;
};

const hostname: Program = (args, io, desk) => {
  if (words(args).length > 0) return desk.run(['set', 'wan', 'hostname', words(args)[0] as string]);
  io.write(`${HOST}\n`);
  return 0;
};

const sysctl: Program = (args, io, desk) => {
  let status = 0;
  for (const word of args.slice(1).filter(option => !/^-[neqw]+$/.test(option))) {
    const equals = word.indexOf('=');
    const name = (equals < 0 ? word : word.slice(0, equals)).trim();
    const path = `/proc/sys/${name.replaceAll('.', '/')}`;
    if (desk.files.kind(path) !== 'file') {
      io.complain(`${name}: it is not known here`);
      status = 255;
    } else if (equals < 0) io.write(`${name} = ${desk.files.read(path)}`);
    else {
      desk.files.write(path, word.slice(equals + 1), false);
      io.write(`${name} = ${word.slice(equals + 1).trim()}\n`);
    }
  }
  return status;
};

/** What is taken and changes nothing, as there is nothing to change. */
const nothing: Program = () => 0;

export const system: Record<string, Program> = {
  ...{ date, uname, ls, rm, touch, logger, hostname, sysctl },
  id: (args, io) => {
    io.write(
      args[1] === '-u' || args[1] === '-g'
        ? '0\n'
        : args[1] === '-un'
          ? 'root\n'
          : 'uid=0(root) gid=0(root)\n',
    );
    return 0;
  },
  whoami: (_, io) => {
    io.write('root\n');
    return 0;
  },
  clear: nothing,
  chmod: nothing,
  chown: nothing,
  mkdir: nothing,
  sync: nothing,
  dmesg: (_, __, desk) => desk.run(['show', 'log']),
};

/** Why a program of the time is not there. */
const WHYS: Record<string, string> = {
  tc: 'nothing is shaped here',
  ip: 'addresses and routes are set by set lan, set wan, set route; ifconfig and route are there',
  nvram: 'this is no router of that maker; see show config and save',
  service: 'there are no services of a distribution; iptables and save are typed as they are',
  chkconfig: 'there are no services of a distribution; save script keeps one to run at the start',
  pppd: 'see set link',
  dhcpcd: 'the address outside comes by set wan dhcp',
  pump: 'the address outside comes by set wan dhcp',
  dhclient: 'the address outside comes by set wan dhcp',
  killall: 'there are no processes',
  kill: 'there are no processes',
  ps: 'there are no processes',
  perl: 'there is no perl',
  python: 'there is no python',
  vi: 'files are not kept; a script is pasted, and kept by save script',
  ping6: 'there is no IPv6',
  ip6tables: 'there is no IPv6',
  ipset: "there are no sets; a chain of one's own has the addresses",
  wget: 'nothing is fetched; see update',
  mail: 'no mail is sent; see set syslog',
  crond: 'nothing is run by the clock',
};

export function whyNone(name: string): string {
  const why = Object.hasOwn(WHYS, name) ? WHYS[name] : undefined;
  return why === undefined ? 'not found here' : `not found here, because ${why}`;
}
