// Which of a forward's hosts gets the next session.
//
//    in turn     each as many in a row as its weight says
//    sticky      each client its own, by a keyed hash
//    least       who has the fewest that are not over, by its weight; of several, in turn
//
// A host that does not answer control's questions gets none. A sticky client of such a one goes to another, and comes back with it; the
// other clients stay where they are. Where none answers all get sessions as if nobody had asked: what is asked may be wrong, and
// a client can be no worse off. One that has as many sessions as it may have gets none, and where all have, the session is refused.
// Cost: places are gone over at most four times (flow-cost.test.ts has 32 of one forward).

import { FORWARDS_SET_AT, PROBE_AT } from '../../base/cells.ts';
import {
  FORWARD_CHECKED,
  FORWARD_FLAGS,
  FORWARD_LEAST,
  FORWARD_LEFT,
  FORWARD_LIMITED,
  FORWARD_MOST,
  FORWARD_STICKY,
  FORWARD_WEIGHT,
  forwardAt,
} from '../../base/forward-record.ts';
import { FORWARD_BYTES } from '../../base/limits.ts';
import { i32at, multiply, putu16, u16at } from '../../base/memory.ts';
import { hash } from './flow-table.ts';
import { hasSamePorts } from './forwards.ts';
import { isUp, liveOf } from './servers.ts';

/** Bits of hash(). */
const HASH_BITS: i32 = 12;

/** Where the places that are set end. */
function end(): i32 {
  return forwardAt(i32at(FORWARDS_SET_AT));
}

/** The place of the host that gets a client's next session, of those that have the ports of a forward; 0 if all have as many as they may. Its count is not changed yet. */
export function chooseServer(first: i32, remote: i32): i32 {
  const flags: i32 = u16at(first + FORWARD_FLAGS);
  const asked: i32 = (flags & FORWARD_CHECKED) === 0 ? 0 : anyUp(first);
  if ((flags & FORWARD_STICKY) !== 0) return stickyHost(first, remote, asked);
  return nextHost(first, asked, (flags & FORWARD_LEAST) !== 0 ? leastPlace(first, asked) : 0);
}

/** 1 if a host of a forward answers. */
function anyUp(first: i32): i32 {
  const last: i32 = end();
  for (let at: i32 = first; at < last; at += FORWARD_BYTES) {
    if (isUp(at) !== 0 && hasSamePorts(at, first) !== 0) return 1;
  }
  return 0;
}

/** 1 if a place is of that forward, and its host may have another session. `asked`: only one that answers. */
function mayServe(at: i32, first: i32, asked: i32): i32 {
  if (hasSamePorts(at, first) === 0) return 0;
  if (asked !== 0 && isUp(at) === 0) return 0;
  if ((u16at(at + FORWARD_FLAGS) & FORWARD_LIMITED) === 0) return 1;
  return liveOf(at) < u16at(at + FORWARD_MOST) ? 1 : 0;
}

/** Below 0 if a host has fewer sessions by its weight than another, 0 if as many. */
function compareLoad(one: i32, other: i32): i32 {
  return (
    multiply(liveOf(one), u16at(other + FORWARD_WEIGHT)) -
    multiply(liveOf(other), u16at(one + FORWARD_WEIGHT))
  );
}

/** A place that has no more sessions by its weight than any, or 0. */
function leastPlace(first: i32, asked: i32): i32 {
  const last: i32 = end();
  let found: i32 = 0;
  for (let at: i32 = first; at < last; at += FORWARD_BYTES) {
    if (mayServe(at, first, asked) === 0) continue;
    if (found === 0 || compareLoad(at, found) < 0) found = at;
  }
  return found;
}

/** The place whose turn it is, of all or of those that have no more sessions than `least`; 0 if none may serve. */
function nextHost(first: i32, asked: i32, least: i32): i32 {
  const last: i32 = end();
  let found: i32 = 0;
  for (let at: i32 = first; at < last; at += FORWARD_BYTES) {
    if (mayServe(at, first, asked) === 0) continue;
    if (least !== 0 && compareLoad(at, least) !== 0) continue;
    if (u16at(at + FORWARD_LEFT) !== 0) return at;
    if (found === 0) found = at;
  }
  if (found === 0 || i32at(PROBE_AT) !== 0) return found;
  // All have had theirs: it begins again.
  for (let at: i32 = first; at < last; at += FORWARD_BYTES) {
    if (hasSamePorts(at, first) !== 0) putu16(at + FORWARD_LEFT, u16at(at + FORWARD_WEIGHT));
  }
  return found;
}

/** The place of a client who comes to one host always; hosts have as many clients as their weights say. */
function stickyHost(first: i32, remote: i32, asked: i32): i32 {
  const drawn: i32 = hash(remote, 0, 0, 0);
  const own: i32 = drawnPlace(first, drawn, 0, 0);
  return own !== 0 && mayServe(own, first, asked) !== 0 ? own : drawnPlace(first, drawn, asked, 1);
}

/** The place that a number of HASH_BITS bits draws, of all of a forward or of those that may serve (`some`); or 0. */
function drawnPlace(first: i32, drawn: i32, asked: i32, some: i32): i32 {
  const last: i32 = end();
  let all: i32 = 0;
  for (let at: i32 = first; at < last; at += FORWARD_BYTES) {
    if ((some === 0 ? hasSamePorts(at, first) : mayServe(at, first, asked)) !== 0)
      all += u16at(at + FORWARD_WEIGHT);
  }
  let left: i32 = multiply(drawn, all) >> HASH_BITS;
  for (let at: i32 = first; at < last; at += FORWARD_BYTES) {
    if ((some === 0 ? hasSamePorts(at, first) : mayServe(at, first, asked)) === 0) continue;
    left -= u16at(at + FORWARD_WEIGHT);
    if (left < 0) return at;
  }
  return 0;
}
