// Whether a station on a link has an address that we are about to give away: RFC 2131, section 2.2. A server asks
// by ARP from its own address, so the answer comes to us alone and is noted among the neighbours; any number
// of addresses can be asked for at once.
// Not here: probes for an address that we want ourselves (arp.ts), the DHCP server (src/control/dhcp/).

import { arpRequest } from './arp.ts';
import { NEIGHBOUR_BYTES, NEIGHBOUR_COUNT, NEIGHBOURS_AT } from './limits.ts';
import { i32at, u16at } from './memory.ts';
import {
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_INTERFACE,
  NEIGHBOUR_REACHABLE,
  NEIGHBOUR_SINCE,
  NEIGHBOUR_STATE,
} from './neighbour.ts';

/** Asks who has the address. */
export function addressAsk(index: i32, address: i32): void {
  arpRequest(index, address);
}

/** Who was heard to have it at `tick` or later: address of the 6 bytes of its station address, or 0. */
export function addressHeld(index: i32, address: i32, tick: i32): i32 {
  for (let i: i32 = 0; i < NEIGHBOUR_COUNT; i++) {
    const at: i32 = NEIGHBOURS_AT + i * NEIGHBOUR_BYTES;
    if (i32at(at + NEIGHBOUR_ADDRESS) !== address || i32at(at + NEIGHBOUR_INTERFACE) !== index) continue;
    if (u16at(at + NEIGHBOUR_STATE) !== NEIGHBOUR_REACHABLE) return 0;
    return ((i32at(at + NEIGHBOUR_SINCE) - tick) | 0) >= 0 ? at + NEIGHBOUR_HEADER : 0;
  }
  return 0;
}
