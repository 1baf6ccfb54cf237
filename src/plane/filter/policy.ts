// What passes where nobody has said otherwise, and what a stranger is told: the default policy.
//
//    from inside     everything, to inside as it is, to outside masqueraded; what cannot pass is told why
//    from outside    what a flow knows, which is looked for before anybody asks here; else nothing, and nothing is said
//    to the router   from inside what a socket hears, pings; from outside what control has asked for (src/plane/local/), pings
//                    where the setting says so
//
// Before all of it stands the check of the source (src/plane/ip/source.ts), which no policy takes back.

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { DROP_SAME_INTERFACE, DROP_UNSOLICITED } from '../../base/counters.ts';
import { IF_SIDE, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { get8, i32at } from '../../base/memory.ts';
import { PASS } from '../../base/packet.ts';
import { parameter, WAN_PING } from '../../base/parameters.ts';
import { CHAIN_INPUT, CHAIN_POLICY, chainAt, POLICY_OPEN } from '../../base/rule-record.ts';

/**
 * Whether a datagram to another host may be passed on that came in by the link whose record is `at`, and that no flow has let in: PASS or
 * the reason to drop it.
 */
export function forwardPolicy(at: i32): i32 {
  return i32at(at + IF_SIDE) === INTERFACE_OUTSIDE ? DROP_UNSOLICITED : PASS;
}

/**
 * The same of one that a flow has let in by the link at `at`, and that leaves by the link at `outAt`. From inside a packet may go back
 * where it came from: to what a static route leads to, and between hosts that know of
 * no network (a mask of /32), which send us all. No redirect is sent (RFC 1812, 5.2.7.2, wants one): such a host
 * could not use it (RFC 1122, 3.2.2.2), and who believes redirects believes forged ones.
 */
export function turnPolicy(at: i32, outAt: i32): i32 {
  return at === outAt && i32at(at + IF_SIDE) === INTERFACE_OUTSIDE ? DROP_SAME_INTERFACE : PASS;
}

/** 1 if what comes in by the link at `at` leaves by the one at `outAt` with that one's address. */
export function masqueradePolicy(at: i32, outAt: i32): i32 {
  return i32at(outAt + IF_SIDE) === INTERFACE_OUTSIDE && i32at(at + IF_SIDE) !== INTERFACE_OUTSIDE ? 1 : 0;
}

/** 1 if the user has opened the router to strangers, by name and with confirm: it answers them as Linux does. */
function isOpen(): i32 {
  if ((i32at(RULE_HOOKS_AT) & (1 << CHAIN_INPUT)) === 0) return 0;
  return get8(chainAt(CHAIN_INPUT) + CHAIN_POLICY) === POLICY_OPEN ? 1 : 0;
}

/** 1 if what the router does not serve is answered by an error or a reset. A stranger outside learns not even that somebody is here. */
export function mayAnswer(at: i32): i32 {
  return i32at(at + IF_SIDE) === INTERFACE_OUTSIDE ? isOpen() : 1;
}

/** 1 if the router answers pings that come in by the link at `at`. */
export function mayPing(at: i32): i32 {
  if (i32at(at + IF_SIDE) !== INTERFACE_OUTSIDE) return 1;
  return parameter(WAN_PING) !== 0 ? 1 : isOpen();
}
