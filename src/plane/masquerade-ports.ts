// Which outside port a new mapping gets. RFC 4787, REQ-3 and REQ-4; RFC 6056 for the choice by chance.
//
// Profile rfc keeps the inside port if no other mapping and no socket of the router has it. Where it is
// taken, a port of the same parity is drawn, from PORT_FIRST to PORT_LAST, or from 512 to 1023 if the inside
// port is below 1024 (REQ-3a); when all of that parity are taken, one of the other (RFC 7857, section 8:
// parity may go), and when all low ones are, one of the upper (REQ-3a is advice, and a session refused is
// worse). Identifiers of ICMP have no ranges, so any free one is drawn (RFC 5508, REQ-1).
// Profile classic draws every port from PORT_FIRST to PORT_LAST, as 2.2 masquerades; 2.2 counts upwards,
// which a stranger can predict, so here the port is drawn.
//
// Drawn: the search starts at a random place and goes round (RFC 6056, algorithm 1). It costs one look at a
// port nearly always, and one at each port of the range (some 30 instructions each) when all are taken.

import { random32 } from './entropy.ts';
import { PROTOCOL_ICMP as ICMP } from './ipv4.ts';
import { findPort } from './masquerade-table.ts';
import { NAT_PROFILE, PORT_FIRST, PORT_LAST, PROFILE_CLASSIC, parameter } from './parameters.ts';
import { socketUses } from './sockets.ts';

/** No port is free. */
export const NO_PORT: i32 = -1;

/** Ports below 1024 that are drawn; those below 512 are too often served. */
const LOW_FIRST: i32 = 512;
const LOW_LAST: i32 = 1023;

/** A free outside port for a new mapping of an inside port, or NO_PORT. */
export function choosePort(protocol: i32, insidePort: i32, outside: i32): i32 {
  const classic: i32 = parameter(NAT_PROFILE) === PROFILE_CLASSIC ? 1 : 0;
  if (classic === 0) {
    if (portFree(protocol, insidePort, outside) !== 0 && (insidePort !== 0 || protocol === ICMP))
      return insidePort;
    if (protocol === ICMP) return draw(protocol, outside, 0, 0x10000, 1);
  }
  const first: i32 = parameter(PORT_FIRST);
  const count: i32 = parameter(PORT_LAST) - first + 1;
  if (classic !== 0) return draw(protocol, outside, first, count, 1);
  if (insidePort !== 0 && insidePort < 1024) {
    const low: i32 = drawLike(protocol, outside, LOW_FIRST, LOW_LAST - LOW_FIRST + 1, insidePort);
    if (low !== NO_PORT) return low;
  }
  return drawLike(protocol, outside, first, count, insidePort);
}

/** A free one of the `count` ports from `first` on, of the inside port's parity if there is one, or NO_PORT. */
function drawLike(protocol: i32, outside: i32, first: i32, count: i32, insidePort: i32): i32 {
  const odd: i32 = (first ^ insidePort) & 1;
  const same: i32 = draw(protocol, outside, first + odd, (count - odd + 1) >> 1, 2);
  return same !== NO_PORT ? same : draw(protocol, outside, first + 1 - odd, (count + odd) >> 1, 2);
}

/** 1 if neither a mapping nor the router itself uses the port on that outside address. */
export function portFree(protocol: i32, port: i32, outside: i32): i32 {
  return findPort(outside, port, protocol) === 0 && socketUses(protocol, port) === 0 ? 1 : 0;
}

/** A free one of the `count` ports first, first + step, ..., or NO_PORT. */
function draw(protocol: i32, outside: i32, first: i32, count: i32, step: i32): i32 {
  if (count <= 0) return NO_PORT;
  let place: i32 = (random32() >>> 1) % count;
  for (let left: i32 = count; left !== 0; left--) {
    const port: i32 = first + place * step;
    if (portFree(protocol, port, outside) !== 0) return port;
    place = place + 1 === count ? 0 : place + 1;
  }
  return NO_PORT;
}
