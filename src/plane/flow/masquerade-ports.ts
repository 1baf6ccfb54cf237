// Which outside port a new mapping gets. RFC 4787, REQ-3 and REQ-4; RFC 6056 for the choice by chance.
//
// Profile rfc keeps the inside port if no other mapping and no socket of the router has it, and the host's share
// lets it (flow-hosts.ts). Else one of the same parity is drawn:
//
//    inside port below 1024:   512 to 1023 (REQ-3a), of the same parity, then of the other (RFC 7857, section 8:
//                              parity may go); then as the others, for a session refused is worse
//    others:                   PORT_FIRST to PORT_LAST; where these are taken, or the host has its share of them,
//                              1024 to 60999: of these 29,988 of each parity the table's 4,096 sessions leave some
//
// Profile classic draws every port from PORT_FIRST to PORT_LAST, as 2.2 masquerades; 2.2 counts upwards,
// which a stranger can predict, so here the port is drawn. There the table's shares divide the ports, too: each
// session takes one, and there are as many as entries.
// Identifiers of ICMP have no ranges, so any free one is drawn (RFC 5508, REQ-1).
//
// Drawn: the search starts at a random place and goes round (RFC 6056, algorithm 1), by port-map.ts, at most some
// 300 instructions. An identifier is tried at most IDENTIFIER_TRIES times; nobody can foresee which.

import { random32 } from '../../base/entropy.ts';
import { IDENTIFIER_TRIES } from '../../base/limits.ts';
import { NAT_PROFILE, PORT_FIRST, PORT_LAST, PROFILE_CLASSIC, parameter } from '../../base/parameters.ts';
import { PROTOCOL_ICMP as ICMP } from '../../wire/ipv4.ts';
import { socketUses } from '../local/sockets.ts';
import { LOW_FIRST, LOW_LAST, mayTake } from './flow-hosts.ts';
import { findPort } from './flow-table.ts';
import { freePort, NO_PORT, PARITY_ANY } from './port-map.ts';

const USER_FIRST: i32 = 1024;
const USER_LAST: i32 = 65535;
/** Below a range that starts here there are ports enough for all sessions. */
const LEAST_FIRST: i32 = 16384;

/** A free outside port for a new mapping of a host's inside port, or NO_PORT. */
export function choosePort(protocol: i32, insidePort: i32, outside: i32, host: i32): i32 {
  const classic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? 1 : 0;
  if (protocol === ICMP) return chooseIdentifier(insidePort, outside, classic);
  const first: i32 = parameter(PORT_FIRST);
  const last: i32 = parameter(PORT_LAST);
  if (classic !== 0) return draw(protocol, first, last, PARITY_ANY);
  if (insidePort !== 0 && mayTake(host, protocol, insidePort) !== 0) {
    if (portFree(protocol, insidePort, outside) !== 0) return insidePort;
  }
  const parity: i32 = insidePort & 1;
  if (insidePort !== 0 && insidePort < USER_FIRST) {
    let low: i32 = drawShare(protocol, LOW_FIRST, LOW_LAST, parity, host);
    if (low === NO_PORT) low = drawShare(protocol, LOW_FIRST, LOW_LAST, 1 - parity, host);
    if (low !== NO_PORT) return low;
  }
  const port: i32 = drawShare(protocol, first, last, parity, host);
  if (port !== NO_PORT) return port;
  return draw(protocol, USER_FIRST, first >= LEAST_FIRST ? first - 1 : USER_LAST, parity);
}

/** 1 if neither a mapping nor the router itself uses the port on that outside address. */
export function portFree(protocol: i32, port: i32, outside: i32): i32 {
  return findPort(outside, port, protocol) === 0 && socketUses(protocol, port) === 0 ? 1 : 0;
}

/** Draws a port if the host's share of ports of that range and parity lets it take one. */
function drawShare(protocol: i32, first: i32, last: i32, parity: i32, host: i32): i32 {
  if (mayTake(host, protocol, first + ((first ^ parity) & 1)) === 0) return NO_PORT;
  return draw(protocol, first, last, parity);
}

function draw(protocol: i32, first: i32, last: i32, parity: i32): i32 {
  if (first > last) return NO_PORT;
  return freePort(protocol, first, last, parity, first + ((random32() >>> 1) % (last - first + 1)));
}

/**
 * A free identifier for a new mapping of an ICMP query's, or NO_PORT. Profile classic looks among its ports first;
 * when most of them are taken, any identifier serves.
 */
function chooseIdentifier(inside: i32, outside: i32, classic: i32): i32 {
  if (classic === 0 && portFree(ICMP, inside, outside) !== 0) return inside;
  const first: i32 = parameter(PORT_FIRST);
  const count: i32 = parameter(PORT_LAST) - first + 1;
  for (let left: i32 = IDENTIFIER_TRIES; left !== 0; left--) {
    const drawn: i32 = random32() >>> 1;
    const isRange: i32 = classic !== 0 && count > 0 && left > IDENTIFIER_TRIES >> 1 ? 1 : 0;
    const identifier: i32 = isRange !== 0 ? first + (drawn % count) : drawn & 0xffff;
    if (portFree(ICMP, identifier, outside) !== 0) return identifier;
  }
  return NO_PORT;
}
