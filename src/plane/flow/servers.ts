// The hosts of forwards as servers: how many sessions each has that are not over. A flow by a forward counts for its server from its
// first packet until it ends or is closed (flow-admission.ts), so the count is exact at any moment, and costs a session
// some ten operations when it begins and when it ends. Whether a server answers, control says (serverState).
// Not here: the record (src/base/server-record.ts), which server gets the next session (server-choice.ts).

import { NOW_AT } from '../../base/cells.ts';
import { E_OUT_PORTS, E_PROTOCOL, E_REMOTE, E_SERVER } from '../../base/flow-record.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_FIRST,
  FORWARD_INSIDE,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  FORWARD_SERVER,
} from '../../base/forward-record.ts';
import {
  FORWARD_LOG_AT,
  FORWARD_LOG_BYTES,
  FORWARD_LOG_COUNT,
  SERVER_BYTES,
  SERVER_COUNT,
  SERVERS_AT,
} from '../../base/limits.ts';
import { fill, get8, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
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
  SERVER_BITS,
  SERVER_DOWN,
  SERVER_DUE,
  SERVER_FIRST,
  SERVER_GENERATION,
  SERVER_GENERATIONS,
  SERVER_INSIDE,
  SERVER_LIVE,
  SERVER_MASK,
  SERVER_MISSED,
  SERVER_OUTSIDE,
  SERVER_PLACES,
  SERVER_PROTOCOL,
  SERVER_SINCE,
  SERVER_STATE,
  SERVER_UNKNOWN,
  serverAt,
} from '../../base/server-record.ts';

export function resetServers(): void {
  fill(SERVERS_AT, 0, SERVER_COUNT * SERVER_BYTES);
  fill(FORWARD_LOG_AT, 0, 64 + FORWARD_LOG_COUNT * FORWARD_LOG_BYTES);
}

/** Gives a place its server: the one that it was before, or another's record. */
export function enrol(forward: i32): void {
  let n: i32 = 0;
  for (let i: i32 = 1; i <= SERVER_COUNT && n === 0; i++) {
    if (isOf(serverAt(i), forward) !== 0) n = i;
  }
  if (n === 0) n = takeOver(forward);
  putu16(forward + FORWARD_SERVER, n);
  if (n !== 0) putu16(serverAt(n) + SERVER_PLACES, u16at(serverAt(n) + SERVER_PLACES) + 1);
}

/** A place is set no more: its server stays as long as there is room, as it may have sessions. */
export function discharge(forward: i32): void {
  const n: i32 = u16at(forward + FORWARD_SERVER);
  if (n !== 0) putu16(serverAt(n) + SERVER_PLACES, u16at(serverAt(n) + SERVER_PLACES) - 1);
}

function isOf(server: i32, forward: i32): i32 {
  return i32at(server + SERVER_ADDRESS) === i32at(forward + FORWARD_ADDRESS) &&
    i32at(server + SERVER_OUTSIDE) === i32at(forward + FORWARD_OUTSIDE) &&
    u16at(server + SERVER_PROTOCOL) === u16at(forward + FORWARD_PROTOCOL) &&
    u16at(server + SERVER_FIRST) === u16at(forward + FORWARD_FIRST) &&
    u16at(server + SERVER_INSIDE) === u16at(forward + FORWARD_INSIDE)
    ? 1
    : 0;
}

/** The record with the fewest sessions that no place has; there are more records than places. */
function takeOver(forward: i32): i32 {
  let n: i32 = 0;
  for (let i: i32 = 1; i <= SERVER_COUNT; i++) {
    if (u16at(serverAt(i) + SERVER_PLACES) !== 0) continue;
    if (n === 0 || u16at(serverAt(i) + SERVER_LIVE) < u16at(serverAt(n) + SERVER_LIVE)) n = i;
  }
  if (n === 0) return 0;
  const server: i32 = serverAt(n);
  const generation: i32 = (u16at(server + SERVER_GENERATION) + 1) & (SERVER_GENERATIONS - 1);
  fill(server, 0, SERVER_BYTES);
  put8(server + SERVER_STATE, SERVER_UNKNOWN);
  putu16(server + SERVER_GENERATION, generation);
  puti32(server + SERVER_ADDRESS, i32at(forward + FORWARD_ADDRESS));
  puti32(server + SERVER_OUTSIDE, i32at(forward + FORWARD_OUTSIDE));
  putu16(server + SERVER_PROTOCOL, u16at(forward + FORWARD_PROTOCOL));
  putu16(server + SERVER_FIRST, u16at(forward + FORWARD_FIRST));
  putu16(server + SERVER_INSIDE, u16at(forward + FORWARD_INSIDE));
  puti32(server + SERVER_DUE, i32at(NOW_AT));
  puti32(server + SERVER_SINCE, i32at(NOW_AT));
  return n;
}

/** A session has begun by a place: it is of its server. */
export function joinServer(e: i32, forward: i32): void {
  const n: i32 = u16at(forward + FORWARD_SERVER);
  if (n === 0) return;
  putu16(e + E_SERVER, (u16at(serverAt(n) + SERVER_GENERATION) << SERVER_BITS) | n);
  countLive(e, 1);
}

/** Adds to the sessions of a flow's server, if it has one that is still the same. */
export function countLive(e: i32, more: i32): void {
  const word: i32 = u16at(e + E_SERVER);
  if (word === 0) return;
  const server: i32 = serverAt(word & SERVER_MASK);
  if (u16at(server + SERVER_GENERATION) !== word >>> SERVER_BITS) return;
  putu16(server + SERVER_LIVE, u16at(server + SERVER_LIVE) + more);
}

/** Notes a session for the log, `ports` being those of its first packet. */
export function logSession(e: i32, forward: i32, ports: i32): void {
  const written: i32 = i32at(FORWARD_LOG_WRITTEN);
  if (((written - i32at(FORWARD_LOG_READ)) | 0) >= FORWARD_LOG_COUNT) {
    puti32(FORWARD_LOG_LOST, (i32at(FORWARD_LOG_LOST) + 1) | 0);
    return;
  }
  const at: i32 = loggedAt(written);
  puti32(at + LOGGED_CLIENT, i32at(e + E_REMOTE));
  puti32(at + LOGGED_PORTS, ports);
  puti32(at + LOGGED_HOST, i32at(forward + FORWARD_ADDRESS));
  putu16(at + LOGGED_PORT, i32at(e + E_OUT_PORTS) >>> 16);
  putu16(at + LOGGED_PROTOCOL, get8(e + E_PROTOCOL));
  puti32(FORWARD_LOG_WRITTEN, (written + 1) | 0);
}

/** Control has read so many of the log, and knows of those that had no place. */
export function forwardLogRead(count: i32): void {
  puti32(FORWARD_LOG_READ, (i32at(FORWARD_LOG_READ) + count) | 0);
  puti32(FORWARD_LOG_LOST, 0);
}

/** Notes what a question has found out: SERVER_*, the questions missed in a row, and the tick of the next. */
export function serverState(n: i32, state: i32, missed: i32, due: i32): void {
  if (n < 1 || n > SERVER_COUNT) return;
  const server: i32 = serverAt(n);
  if (get8(server + SERVER_STATE) !== state) puti32(server + SERVER_SINCE, i32at(NOW_AT));
  put8(server + SERVER_STATE, state);
  put8(server + SERVER_MISSED, missed);
  puti32(server + SERVER_DUE, due);
}

/** 1 if a place's server answers, as far as anybody knows. */
export function isUp(forward: i32): i32 {
  const n: i32 = u16at(forward + FORWARD_SERVER);
  return n === 0 || get8(serverAt(n) + SERVER_STATE) !== SERVER_DOWN ? 1 : 0;
}

/** Sessions of a place's server that are not over. */
export function liveOf(forward: i32): i32 {
  const n: i32 = u16at(forward + FORWARD_SERVER);
  return n === 0 ? 0 : u16at(serverAt(n) + SERVER_LIVE);
}
