// Forwards of ports to hosts inside: `set forward`. Looked for when a packet has come for an outside address of ours, from outside or
// from inside (a hairpin), that no flow knows.
//
// One of few ports (FORWARD_KEPT_PORTS) has them for itself: no mapping gets them, and it goes before the filter of a mapping that
// had one before. One of more has what no mapping has. Where two have a port, the one of fewer ports goes first; of as many none
// can be set that share one.
// One that says for which outside address it is goes before those that do not.
// What a socket of the router hears from outside is the router's, whatever is set.
//
// A flow by a forward is in no mapping: it is known by its tuples alone, so that any number of clients has a server's one port, and it
// stays as it is when the forward goes to another host. It is a stranger's session (flow-admission.ts): it takes nothing from
// what the inside has begun.
// Cost: FORWARD_COUNT places looked at for each packet that would else be refused, some 600 operations with all set (flow-cost.test.ts),
// and a load without forwards.
// Not here: how they are set (forward-set.ts), which of several hosts a session goes to (server-choice.ts).

import { FORWARDS_SET_AT } from '../../base/cells.ts';
import {
  FORWARD_FIRST,
  FORWARD_LAST,
  FORWARD_MARKED,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  forwardAt,
} from '../../base/forward-record.ts';
import { FORWARD_BYTES, FORWARD_COUNT, FORWARD_KEPT_PORTS } from '../../base/limits.ts';
import { i32at, u16at } from '../../base/memory.ts';

/** Ports of a forward. */
export function portsOf(forward: i32): i32 {
  return u16at(forward + FORWARD_LAST) - u16at(forward + FORWARD_FIRST) + 1;
}

/** 1 if a forward has its ports for itself. */
export function isKept(forward: i32): i32 {
  return portsOf(forward) <= FORWARD_KEPT_PORTS ? 1 : 0;
}

/** The first place of the forward of a port of an outside address, the one of that address, then of fewest ports; or 0. */
export function forwardOf(protocol: i32, port: i32, outside: i32): i32 {
  const set: i32 = i32at(FORWARDS_SET_AT);
  let found: i32 = 0;
  let forward: i32 = forwardAt(0);
  for (let n: i32 = 0; n < FORWARD_COUNT && n < set; n++) {
    if (
      u16at(forward + FORWARD_PROTOCOL) === protocol &&
      port >= u16at(forward + FORWARD_FIRST) &&
      port <= u16at(forward + FORWARD_LAST) &&
      (i32at(forward + FORWARD_OUTSIDE) === outside || i32at(forward + FORWARD_OUTSIDE) === 0) &&
      (found === 0 || goesBefore(forward, found) !== 0)
    ) {
      found = forward;
    }
    forward += FORWARD_BYTES;
  }
  return found;
}

/** 1 if of two forwards that are for a packet the one is more to the point. */
function goesBefore(forward: i32, other: i32): i32 {
  const isOwn: i32 = i32at(forward + FORWARD_OUTSIDE) !== 0 ? 1 : 0;
  const isOthers: i32 = i32at(other + FORWARD_OUTSIDE) !== 0 ? 1 : 0;
  if (isOwn !== isOthers) return isOwn;
  return portsOf(forward) < portsOf(other) ? 1 : 0;
}

/** The first place of the forward of a mark, or 0. */
export function forwardOfMark(mark: i32): i32 {
  const set: i32 = i32at(FORWARDS_SET_AT);
  let forward: i32 = forwardAt(0);
  for (let n: i32 = 0; n < FORWARD_COUNT && n < set; n++) {
    if (u16at(forward + FORWARD_PROTOCOL) === FORWARD_MARKED && i32at(forward + FORWARD_OUTSIDE) === mark)
      return forward;
    forward += FORWARD_BYTES;
  }
  return 0;
}

/** 1 if two places are of one forward. */
export function hasSamePorts(forward: i32, other: i32): i32 {
  return u16at(forward + FORWARD_FIRST) === u16at(other + FORWARD_FIRST) &&
    u16at(forward + FORWARD_LAST) === u16at(other + FORWARD_LAST) &&
    u16at(forward + FORWARD_PROTOCOL) === u16at(other + FORWARD_PROTOCOL) &&
    i32at(forward + FORWARD_OUTSIDE) === i32at(other + FORWARD_OUTSIDE)
    ? 1
    : 0;
}

/** 1 if a forward has that port for itself, of whichever outside address. */
export function forwardKeeps(protocol: i32, port: i32): i32 {
  const set: i32 = i32at(FORWARDS_SET_AT);
  let forward: i32 = forwardAt(0);
  for (let n: i32 = 0; n < FORWARD_COUNT && n < set; n++) {
    if (
      u16at(forward + FORWARD_PROTOCOL) === protocol &&
      port >= u16at(forward + FORWARD_FIRST) &&
      port <= u16at(forward + FORWARD_LAST) &&
      isKept(forward) !== 0
    ) {
      return 1;
    }
    forward += FORWARD_BYTES;
  }
  return 0;
}
