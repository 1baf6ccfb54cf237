// Further outside addresses of ours, and those that stand one to one for hosts inside (RFC 3022, section 2.1, with fixed addresses). What comes
// for one is for us, by its link: ARP answers there for those that lie in the link's network, and whoever routes others to us need not ask.
//
//    ours          forwards and rules' DNAT send it on; nothing of the router listens there, but pings are answered where the link's own are
//    one to one    203.0.113.16/28 for 192.168.0.16/28: the host's part of the address stays. What strangers send goes to the host, whatever it
//                  is, unless rules say otherwise; what the host sends to outside leaves by its own address, with its own ports
//
// A link's own address and those of next hops are none, though they lie in such a network.
// Cost: a load without any. Else ALIAS_COUNT compared for an address whose way is not remembered, for an ARP request, and for a new
// session; where one fits the next hops are gone over (flow-cost.test.ts, ip-cost.test.ts).
// Not here: how they are set (alias-set.ts), the sessions (src/plane/flow/masquerade.ts).

import { ALIAS_ADDRESS, ALIAS_INSIDE, ALIAS_LINK, ALIAS_MASK, aliasAt } from '../../base/alias-record.ts';
import { ALIASES_SET_AT, LINK_END_AT } from '../../base/cells.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import {
  ALIAS_BYTES,
  ALIAS_COUNT,
  INTERFACE_COUNT,
  ROUTE_BYTES,
  ROUTE_COUNT,
  ROUTES_AT,
} from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { ROUTE_GATEWAY, ROUTE_USED } from '../../base/route-record.ts';

/** The alias that an address is of, or 0. */
export function aliasOf(address: i32): i32 {
  const set: i32 = i32at(ALIASES_SET_AT);
  let at: i32 = aliasAt(0);
  for (let n: i32 = 0; n < ALIAS_COUNT && n < set; n++) {
    if ((address & i32at(at + ALIAS_MASK)) === i32at(at + ALIAS_ADDRESS))
      return isTaken(address) !== 0 ? 0 : at;
    at += ALIAS_BYTES;
  }
  return 0;
}

/** The host inside for which an outside address stands that is of an alias, or 0: it is ours. */
export function hostOfAlias(alias: i32, address: i32): i32 {
  const network: i32 = i32at(alias + ALIAS_INSIDE);
  return network === 0 ? 0 : network | (address & ~i32at(alias + ALIAS_MASK));
}

/** The outside address that stands for a host inside, on a link or, -1, on any; or 0. */
export function aliasOfHost(inside: i32, link: i32): i32 {
  const set: i32 = i32at(ALIASES_SET_AT);
  for (let n: i32 = 0; n < ALIAS_COUNT && n < set; n++) {
    const at: i32 = aliasAt(n);
    const mask: i32 = i32at(at + ALIAS_MASK);
    if (i32at(at + ALIAS_INSIDE) === 0 || (inside & mask) !== i32at(at + ALIAS_INSIDE)) continue;
    if (link >= 0 && i32at(at + ALIAS_LINK) !== link) continue;
    const outside: i32 = i32at(at + ALIAS_ADDRESS) | (inside & ~mask);
    return isTaken(outside) !== 0 ? 0 : outside;
  }
  return 0;
}

/** 1 if an address is a link's own, or a next hop's. */
function isTaken(address: i32): i32 {
  const end: i32 = i32at(LINK_END_AT);
  for (let i: i32 = 0; i < INTERFACE_COUNT && i < end; i++) {
    if (i32at(interfaceAt(i) + IF_ADDRESS) === address) return 1;
  }
  for (let i: i32 = 0; i < ROUTE_COUNT; i++) {
    const route: i32 = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(route + ROUTE_GATEWAY) === address && i32at(route + ROUTE_USED) !== 0) return 1;
  }
  return 0;
}
