// The overlay `forward/health`: asks the hosts of forwards whether they are there, and writes what is to be logged of their sessions. All
// that lasts is the plane's (src/base/server-record.ts), so that a control that starts anew goes on where the one before was.
//
//    question    a connection to the host's port, which is closed at once, or a ping; answered within ANSWER_TICKS
//    missed      as many in a row as the forward says: the host is down, until it answers one
//    between     the forward's seconds, of each host
//
// No more than AT_ONCE questions begin in a second, whatever is set; those that wait are late. A question for which the router has no socket,
// buffer or connection is none.
// Not here: when it is called (../watch.ts), what a host that is down means to sessions (src/plane/flow/server-choice.ts).

import { FORWARDS_SET_AT } from '../../../base/cells.ts';
import {
  FORWARD_CHECK_TCP,
  FORWARD_CHECKED,
  FORWARD_FLAGS,
  FORWARD_LOGGED,
  FORWARD_MISSES,
  FORWARD_SECONDS,
  FORWARD_SERVER,
  forwardAt,
} from '../../../base/forward-record.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { get8, i32at, u16at } from '../../../base/memory.ts';
import { FLAG_ICMP_ERROR, PACKET_FLAGS, PACKET_L4 } from '../../../base/packet.ts';
import {
  FORWARD_LOG_LOST,
  FORWARD_LOG_READ,
  FORWARD_LOG_WRITTEN,
  LOGGED_CLIENT,
  LOGGED_HOST,
  LOGGED_PORT,
  LOGGED_PORTS,
  LOGGED_PROTOCOL,
  loggedAt,
  SERVER_ADDRESS,
  SERVER_DOWN,
  SERVER_DUE,
  SERVER_GENERATION,
  SERVER_INSIDE,
  SERVER_MISSED,
  SERVER_STATE,
  SERVER_UP,
  serverAt,
} from '../../../base/server-record.ts';
import { ICMP_ECHO_REPLY } from '../../../wire/icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP } from '../../../wire/ipv4.ts';
import { formatAddress } from '../../core/address.ts';
import { since } from '../../core/clock.ts';
import type { Context } from '../../core/context.ts';
import { INFO, NOTICE, WARNING } from '../../core/log.ts';
import { buildEcho } from '../../core/net/echo.ts';
import { ASKING } from '../../core/sockets.ts';
import { type Forward, forwards, hostOf } from '../settings.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'forward/health': typeof import('./overlay.ts');
  }
}

/** Questions that begin at a time, and the ticks until the next may. */
const AT_ONCE = 4;
const PAUSE_TICKS = TICKS_PER_SECOND;
/** How often the log is written. */
const LOG_TICKS = TICKS_PER_SECOND;
/** How long an answer may take. */
const ANSWER_TICKS = 2 * TICKS_PER_SECOND;
const ECHO_BYTES = 8;

/** Asks who is due, and writes what is to be logged; answers the ticks after which it wants to be called again. */
export function look(context: Context): number {
  writeLog(context);
  const ticks = askDue(context);
  return isLogged() ? Math.min(ticks, LOG_TICKS) : ticks;
}

const isLogged = (): boolean => {
  for (let n = 0; n < i32at(FORWARDS_SET_AT); n++)
    if ((u16at(forwardAt(n) + FORWARD_FLAGS) & FORWARD_LOGGED) !== 0) return true;
  return false;
};

/** Sessions that have begun since it was called last. */
function writeLog({ log, machine: { plane } }: Context): void {
  const count = (i32at(FORWARD_LOG_WRITTEN) - i32at(FORWARD_LOG_READ)) | 0;
  const lost = i32at(FORWARD_LOG_LOST) >>> 0;
  for (let i = 0; i < count; i++) {
    const at = loggedAt(i32at(FORWARD_LOG_READ) + i);
    const name = u16at(at + LOGGED_PROTOCOL) === PROTOCOL_TCP ? 'tcp' : 'udp';
    const ports = i32at(at + LOGGED_PORTS);
    const client = `${formatAddress(i32at(at + LOGGED_CLIENT))}:${ports >>> 16}`;
    const host = `${formatAddress(i32at(at + LOGGED_HOST))}:${u16at(at + LOGGED_PORT)}`;
    log(INFO, 'forward', `${name} ${ports & 0xffff}: ${client} to ${host}`);
  }
  if (count > 0 || lost > 0) plane.forwardLogRead(count);
  if (lost > 0) log(INFO, 'forward', `${lost} more sessions have begun than were noted`);
}

function askDue(context: Context): number {
  const now = context.clock.now();
  let begun = 0;
  let next = 60 * TICKS_PER_SECOND;
  for (let n = 0; n < i32at(FORWARDS_SET_AT); n++) {
    const at = forwardAt(n);
    const number = u16at(at + FORWARD_SERVER);
    if ((u16at(at + FORWARD_FLAGS) & FORWARD_CHECKED) === 0 || number === 0) continue;
    const server = serverAt(number);
    let due = i32at(server + SERVER_DUE);
    if (since(now, due) >= 0) {
      if (begun >= AT_ONCE) return PAUSE_TICKS;
      begun++;
      due = (now + get8(at + FORWARD_SECONDS) * TICKS_PER_SECOND) | 0;
      noteState(context, number, get8(server + SERVER_STATE), get8(server + SERVER_MISSED), due);
      ask(context, n, number);
    }
    next = Math.min(next, since(due, now));
  }
  return Math.max(next, PAUSE_TICKS);
}

function noteState({ machine }: Context, ...state: [number, number, number, number]): void {
  machine.plane.serverState(...state);
}

/** Asks the host of place n; what it answers is of its server, if that is still the same by then. */
function ask(context: Context, n: number, number: number): void {
  const server = serverAt(number);
  const generation = u16at(server + SERVER_GENERATION);
  const isTcp = (u16at(forwardAt(n) + FORWARD_FLAGS) & FORWARD_CHECK_TCP) !== 0;
  (isTcp ? askTcp : askPing)(context, server, isThere => {
    if (u16at(server + SERVER_GENERATION) === generation) answered(context, number, isThere);
  });
}

function askTcp(context: Context, server: number, done: (isThere: boolean) => void): void {
  const { clock, tcp } = context;
  const connection = tcp.connect(i32at(server + SERVER_ADDRESS), u16at(server + SERVER_INSIDE));
  if (connection === undefined) {
    // Without a way there nobody gets there; what the router lacks says nothing of the host.
    if (!tcp.isShort()) done(false);
    return;
  }
  let isOpen = false;
  const timer = clock.after(ANSWER_TICKS, () => connection.abort());
  connection.onOpen = () => {
    isOpen = true;
    connection.abort();
  };
  connection.onClose = () => {
    clock.cancel(timer);
    done(isOpen);
  };
}

function askPing(context: Context, server: number, done: (isThere: boolean) => void): void {
  const { clock, machine, sockets } = context;
  const identifier = sockets.freeIdentifier();
  const address = i32at(server + SERVER_ADDRESS);
  const end = (isThere: boolean): void => {
    clock.cancel(timer);
    sockets.close(PROTOCOL_ICMP, identifier);
    done(isThere);
  };
  const isOpen = sockets.open(PROTOCOL_ICMP, identifier, ASKING, packet => {
    const isError = (i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0;
    if (!isError && get8(i32at(packet + PACKET_L4)) === ICMP_ECHO_REPLY) end(true);
  });
  if (!isOpen) return;
  const timer = clock.after(ANSWER_TICKS, () => end(false));
  const packet = machine.plane.allocateForControl();
  if (packet === 0) {
    clock.cancel(timer);
    sockets.close(PROTOCOL_ICMP, identifier);
    return;
  }
  buildEcho(machine.memory, packet, address, identifier, 1, ECHO_BYTES);
  machine.plane.localSend(packet);
}

/** Notes an answer, or that there was none, and says so where it changes something. */
function answered(context: Context, number: number, isThere: boolean): void {
  const server = serverAt(number);
  const place = forwards().find(({ n }) => u16at(forwardAt(n) + FORWARD_SERVER) === number);
  if (place === undefined || (u16at(forwardAt(place.n) + FORWARD_FLAGS) & FORWARD_CHECKED) === 0) return;
  const missed = isThere ? 0 : Math.min(255, get8(server + SERVER_MISSED) + 1);
  const before = get8(server + SERVER_STATE);
  let state = before;
  if (isThere) state = SERVER_UP;
  else if (missed >= get8(forwardAt(place.n) + FORWARD_MISSES)) state = SERVER_DOWN;
  noteState(context, number, state, missed, i32at(server + SERVER_DUE));
  // That one answers as it should is no news.
  if (state !== before && (state === SERVER_DOWN || before === SERVER_DOWN)) tell(context, place, state);
}

function tell({ log }: Context, { n, text }: Forward, state: number): void {
  const host = hostOf(n).replace(/\*\d+$/, '');
  if (state === SERVER_UP) {
    log(NOTICE, 'forward', `${text}: ${host} answers again`);
    return;
  }
  const others = forwards().filter(other => other.text === text);
  const isAlone = others.every(({ n: other }) => {
    const number = u16at(forwardAt(other) + FORWARD_SERVER);
    return number !== 0 && get8(serverAt(number) + SERVER_STATE) === SERVER_DOWN;
  });
  const what = isAlone ? 'and no other: sessions go to all of them' : 'and gets no new sessions';
  log(WARNING, 'forward', `${text}: ${host} does not answer, ${what}`);
}
