// The options of a link on a serial port: what each may be, and what they mean together. Not here: where they are kept (ppp.ts), which are
// the same words, and links at work (link/).

import { INTERFACE_INSIDE, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { INTERFACE_WAN, TICKS_PER_SECOND } from '../../base/limits.ts';
import { QUEUE_RATE_LEAST, QUEUE_RATE_MOST } from '../../base/queue-limits.ts';
import { PPPOE_MRU } from '../../wire/pppoe.ts';
import { parseAddress, refuseUnicast } from '../core/address.ts';
import { QUESTION } from '../core/setting.ts';
import { type Accounts, passwordOf } from './accounts.ts';
import type { AnswerWants } from './answer-wants.ts';
import type { Limits } from './budget.ts';
import type { CallerWants, DialMode } from './caller.ts';
import { readScript } from './chat-script.ts';
import { DEMAND_DEFAULT, type DemandWord, readDemand } from './demand.ts';
import { type Hours, readHours } from './hours.ts';
import type { Method } from './lcp.ts';
import type { SessionWants } from './session.ts';

/** What is set, by the words of the options. */
export type Options = ReadonlyMap<string, string>;

/** A link as it is wanted. */
export interface LinkWants {
  /** Of the serial port, 0 is COM1; -1: it is a session of PPPoE. */
  port: number;
  /** The link by which PPPoE goes, or -1; and which service and whose concentrator, '' is any. */
  below: number;
  service: string;
  concentrator: string;
  /** Bits a second, if it is set. */
  rate: number | undefined;
  isSlip: boolean;
  /** It is dialled; else a cable. */
  isModem: boolean;
  speed: number;
  /** RTS and CTS are there; the carrier line tells of a call. */
  hasFlow: boolean;
  hasCarrier: boolean;
  side: number;
  /** Which packets dial it, and keep it up. */
  demand: readonly DemandWord[];
  caller: CallerWants;
  /** How it waits for who calls, if it does. */
  answer: AnswerWants | undefined;
  limits: Limits;
  session: SessionWants;
  /** All of it as text, to tell whether it is another one. */
  text: string;
}

const SPEED_MOST = 115200;
const PORTS = ['com1', 'com2', 'com3', 'com4'];
/** Links of cards by which PPPoE goes. */
export const CARDS: readonly string[] = ['wan', 'if2', 'if3'];
const MODES: readonly string[] = ['always', 'demand', 'manual'];
const METHODS: readonly Method[] = ['pap', 'chap-md5', 'ms-chap', 'ms-chap-v2'];
/** Best first: a password is not sent as it is where there is another way. */
const OFFERED: readonly Method[] = ['chap-md5', 'ms-chap-v2', 'ms-chap', 'pap'];
/** LCP's echoes: each 30 s, four without an answer end the link. */
const ECHO_DEFAULT = '30 4';
const IDLE_DEFAULT = '10m';
const RETRY_DEFAULT = '15s 15m';
const MRU_DEFAULT = 1500;
/** A session waits less than a modem, as a try costs nobody anything. */
const PPPOE_RETRY = '10s 5m';
/** The peer need not show who it is. */
const NOBODY = 'none';
/** Where somebody waits on a cable he soon wants to know that the other side has gone. */
const ECHO_CABLE = '10 3';
const INIT_DEFAULT = 'ATZ';
/** Our address for who calls, and above it his, where none is set; 256 more for each further link. */
const CALLED_ADDRESS = 0x0a404001;

const one = (values: readonly string[]) => (text: string) =>
  values.includes(text) ? undefined : `it is one of ${values.join(', ')}`;
const number = (least: number, most: number) => (text: string) =>
  /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most
    ? undefined
    : `it is not ${least} to ${most}`;
const any = () => undefined;
const SWITCH = one(['on', 'off']);

/** Seconds of a time as 90, 90s, 10m, 2h; -1 where it is none. */
function secondsOf(text: string): number {
  const match = /^(\d{1,6})([smh]?)$/.exec(text);
  return match === null ? -1 : Number(match[1]) * ({ m: 60, h: 3600 }[match[2] as string] ?? 1);
}

const times = (count: number) => (text: string) => {
  const all = text.split(' ');
  return all.length === count && all.every(time => secondsOf(time) >= 0)
    ? undefined
    : 'a time is 90s, 10m or 2h';
};

function whyAddresses(text: string): string | undefined {
  const parts = text.split(':');
  if (parts.length > 2 || text === ':') return 'it is OURS:THEIRS, either may be left out';
  for (const part of parts) {
    const address = part === '' ? undefined : parseAddress(part);
    const why = typeof address === 'number' ? refuseUnicast(address) : address;
    if (why !== undefined) return why;
  }
  return undefined;
}

function whyServers(text: string): string | undefined {
  const all = text.split(' ').map(parseAddress);
  if (all.length > 2) return 'there are at most two';
  return all.find(address => typeof address === 'string') as string | undefined;
}

function whyHours(text: string): string | undefined {
  for (const rule of text.split(' ')) {
    const hours = readHours(rule);
    if (typeof hours === 'string') return hours;
  }
  return undefined;
}

function whyChat(text: string): string | undefined {
  const steps = readScript(plain(text), { phone: '', other: '' });
  return typeof steps === 'string' ? steps : undefined;
}

function whyDemand(text: string): string | undefined {
  const words = readDemand(text);
  return typeof words === 'string' ? words : undefined;
}

function whySpeed(text: string): string | undefined {
  const speed = Number(text);
  return (
    number(50, SPEED_MOST)(text) ??
    (SPEED_MOST % speed === 0 ? undefined : `${SPEED_MOST} is no multiple of it`)
  );
}

/** Bits a second as they are typed: 33600, 512k, 2M; 0 for none. NaN if it is no rate. */
function rateOf(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,8})([km]?)$/i.exec(text) ?? [];
  return Number(digits) * ({ k: 1000, m: 1000000 }[unit.toLowerCase()] ?? 1);
}

function whyRate(text: string): string | undefined {
  const rate = rateOf(text);
  if (rate === 0 || (rate >= QUEUE_RATE_LEAST && rate <= QUEUE_RATE_MOST)) return undefined;
  return `a rate is ${QUEUE_RATE_LEAST} to ${QUEUE_RATE_MOST / 1000000}M bits a second, as 33600, 512k or 2M, or 0`;
}

/** Why a value is none, of each option. */
const CHECKS: Readonly<Record<string, (text: string) => string | undefined>> = {
  port: one([...PORTS, ...CARDS]),
  service: any,
  ac: any,
  rate: whyRate,
  number: text =>
    /^[\dA-DTPWatpw*#,!@;+()./\- ]+$/.test(text) ? undefined : 'a modem dials digits and , * # W',
  init: any,
  chat: whyChat,
  user: any,
  password: any,
  speed: whySpeed,
  flow: one(['rts-cts', 'none']),
  carrier: SWITCH,
  role: one(['wan', 'lan']),
  dial: one(MODES),
  demand: whyDemand,
  idle: times(1),
  retry: times(2),
  hours: whyHours,
  'hour-minutes': number(1, 60),
  'hour-calls': number(1, 1000),
  'month-minutes': number(1, 44640),
  'month-calls': number(1, 100000),
  price: text => (/^\d{1,6} [1-9]\d{0,4}$/.test(text) ? undefined : 'it is PRICE SECONDS, as in 6 90'),
  address: whyAddresses,
  dns: whyServers,
  vj: SWITCH,
  accm: text => (/^[\da-f]{1,8}$/i.test(text) ? undefined : 'it is up to eight hexadecimal digits'),
  mru: number(128, MRU_DEFAULT),
  auth: one([...METHODS, NOBODY]),
  echo: text => (/^\d{1,4} \d{1,2}$/.test(text) ? undefined : 'it is SECONDS TIMES, as in 30 4'),
  answer: one(['modem', 'cable', 'off']),
  rings: number(0, 20),
};

/** Why an option cannot be this, or undefined. */
export function whyNot(option: string, text: string): string | undefined {
  const check = Object.hasOwn(CHECKS, option) ? CHECKS[option] : undefined;
  return check === undefined ? `it is one of ${Object.keys(CHECKS).join(', ')}` : check(text);
}

/** Why something cannot be a user's who calls in. */
export function whyAccount(word: string, text: string): string | undefined {
  if (word === 'user') return undefined;
  if (word === 'address') return whyAddresses(text.replace(':', ' '));
  return word === 'callback' ? CHECKS.number?.(text) : 'it is address or callback';
}

/** A text as it is sent: a question mark is listed as `\x3f`. */
function plain(text: string): string {
  return text.replaceAll(QUESTION, '?');
}

/** What a link's options come to; undefined where it has no port. */
export function readWants(
  name: string,
  isSlip: boolean,
  options: Options,
  accounts: Accounts = new Map(),
): LinkWants | undefined {
  const place = options.get('port') ?? '';
  const [port, card] = [PORTS.indexOf(place), CARDS.indexOf(place)];
  if (port < 0 && (card < 0 || isSlip)) return undefined;
  const isPppoe = card >= 0;
  const has = (option: string, standard: boolean) =>
    (options.get(option) ?? (standard ? 'on' : 'off')) === 'on';
  const numbers = (options.get('number') ?? '').split(' ').filter(text => text !== '');
  const answer = isPppoe ? 'off' : (options.get('answer') ?? 'off');
  const isWaiting = answer !== 'off';
  const calls = !isPppoe && !isWaiting && (numbers.length > 0 || options.has('chat'));
  const isModem = answer === 'modem' || calls;
  const text = `${name} ${[...options].map(pair => pair.join(' ')).join('\n')}`;
  const isOutside = (options.get('role') ?? (isWaiting ? 'lan' : 'wan')) !== 'lan';
  const rate = options.get('rate');
  const session = sessionWants(options, isOutside, isPppoe ? PPPOE_MRU : MRU_DEFAULT);
  if (isPppoe) {
    // RFC 2516, section 7: Ethernet has neither control characters nor bytes to save.
    session.lcp = { ...session.lcp, accm: -1, isShort: false };
    session.ipcp.hasVj = false;
  }
  const caller = callerWants(options, numbers, isModem, isPppoe ? PPPOE_RETRY : RETRY_DEFAULT);
  // Packets dial the way to the world by a modem or cable. What is inside has no such way, and a session costs nobody anything.
  if (caller.mode === 'demand' && isPppoe) caller.mode = 'always';
  if (caller.mode === 'demand' && (isWaiting || !isOutside)) caller.mode = 'manual';
  return {
    port,
    below: isPppoe ? INTERFACE_WAN + card : -1,
    service: plain(options.get('service') ?? ''),
    concentrator: plain(options.get('ac') ?? ''),
    rate: rate === undefined ? undefined : rateOf(rate),
    isSlip,
    isModem,
    speed: Number(options.get('speed') ?? SPEED_MOST),
    hasFlow: (options.get('flow') ?? (isModem ? 'rts-cts' : 'none')) === 'rts-cts',
    hasCarrier: has('carrier', isModem),
    side: isOutside ? INTERFACE_OUTSIDE : INTERFACE_INSIDE,
    demand: readDemand(options.get('demand') ?? DEMAND_DEFAULT) as DemandWord[],
    caller,
    answer: isWaiting
      ? answerWants(options, isSlip, caller, called(session, name, options, accounts), accounts)
      : undefined,
    limits: limitsOf(options),
    session,
    text,
  };
}

function callerWants(options: Options, numbers: string[], isModem: boolean, retries: string): CallerWants {
  const [retry = '', most = ''] = (options.get('retry') ?? retries).split(' ');
  const [price = '0', per = '60'] = (options.get('price') ?? '').split(' ');
  const hours = (options.get('hours') ?? '').split(' ').filter(text => text !== '');
  return {
    mode: (options.get('dial') ?? (isModem ? 'manual' : 'always')) as DialMode,
    numbers,
    init: plain(options.get('init') ?? ''),
    chat: plain(options.get('chat') ?? ''),
    idleSeconds: secondsOf(options.get('idle') ?? IDLE_DEFAULT),
    retrySeconds: Math.max(1, secondsOf(retry)),
    retryMostSeconds: Math.max(1, secondsOf(most)),
    hours: hours.map(readHours) as Hours[],
    price: Number(price),
    priceSeconds: Number(per),
  };
}

function answerWants(
  options: Options,
  isSlip: boolean,
  { hours, init }: CallerWants,
  session: SessionWants,
  accounts: Accounts,
): AnswerWants {
  return {
    isModem: options.get('answer') === 'modem',
    rings: Number(options.get('rings') ?? 1),
    init: init === '' ? INIT_DEFAULT : init,
    isSlip,
    idleSeconds: secondsOf(options.get('idle') ?? '0'),
    hours,
    accounts,
    session,
  };
}

/**
 * What PPP is to be with who calls: by a modem that may be anybody, so he has to show who he is. We show nobody who we are: what the link has as user and
 * password is for a provider, and opens nothing here.
 */
function called(session: SessionWants, name: string, options: Options, accounts: Accounts): SessionWants {
  const { ipcp, lcp } = session;
  const isModem = options.get('answer') === 'modem';
  const isAsked = isModem && !options.has('auth');
  const standard = CALLED_ADDRESS + 256 * Number(name.slice(-1)) + (name.startsWith('ppp') ? 0 : 512);
  const local = ipcp.local === 0 ? standard : ipcp.local;
  const [echo = '', most = ''] = (options.get('echo') ?? (isModem ? ECHO_DEFAULT : ECHO_CABLE)).split(' ');
  return {
    ...session,
    lcp: { ...lcp, demanded: isAsked ? OFFERED : lcp.demanded, offered: [] },
    account: { name: '', password: '' },
    ipcp: {
      ...ipcp,
      local,
      takesLocal: false,
      remote: ipcp.remote === 0 ? standard + 1 : ipcp.remote,
      takesRemote: false,
      asksDns: false,
      givesDns: ipcp.givesDns.length > 0 ? ipcp.givesDns : [local],
    },
    passwordOf: user => passwordOf(accounts, user),
    echoTicks: Number(echo) * TICKS_PER_SECOND,
    echoMost: Number(most),
  };
}

function limitsOf(options: Options): Limits {
  const of = (option: string) => Number(options.get(option) ?? 0);
  return {
    hourSeconds: 60 * of('hour-minutes'),
    hourCalls: of('hour-calls'),
    monthSeconds: 60 * of('month-minutes'),
    monthCalls: of('month-calls'),
  };
}

function sessionWants(options: Options, isOutside: boolean, mruMost: number): SessionWants {
  const [local = '', remote = ''] = (options.get('address') ?? '').split(':');
  const addressOf = (text: string) => (text === '' ? 0 : (parseAddress(text) as number));
  const dns = (options.get('dns') ?? '').split(' ').filter(text => text !== '');
  const mru = Math.min(mruMost, Number(options.get('mru') ?? mruMost));
  const user = plain(options.get('user') ?? '');
  const password = plain(options.get('password') ?? '');
  const auth = METHODS.find(method => method === options.get('auth'));
  const [echo = '', most = ''] = (options.get('echo') ?? ECHO_DEFAULT).split(' ');
  return {
    lcp: {
      mru,
      mtu: mru,
      accm: Number.parseInt(options.get('accm') ?? '0', 16) | 0,
      isShort: true,
      hasMagic: true,
      demanded: auth === undefined ? [] : [auth],
      // Who has to be this very user is not told the password, nor could he not send our own question back to us.
      offered: user === '' || auth !== undefined ? [] : OFFERED,
      ignoresEcho: false,
    },
    ipcp: {
      local: addressOf(local),
      takesLocal: local === '',
      remote: addressOf(remote),
      takesRemote: remote === '',
      asksDns: isOutside,
      givesDns: dns.map(addressOf),
      hasVj: (options.get('vj') ?? 'on') === 'on',
    },
    account: { name: user, password },
    name: 'masqbox',
    // Nobody is called nothing, and a word that was never set is nobody's.
    passwordOf: name => (name !== '' && password !== '' && name === user ? password : undefined),
    echoTicks: Number(echo) * TICKS_PER_SECOND,
    echoMost: Number(most),
    keepsOpen: false,
  };
}
