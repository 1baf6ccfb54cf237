// Whether a station on a link has an address that we are about to give away: RFC 2131, section 2.2. A server asks
// by ARP from its own address, so the answer comes to us alone and is noted among the neighbours; any number
// of addresses can be asked for at once.
// Not here: probes for an address that we want ourselves (arp.ts), the DHCP server (src/control/dhcp/).

import { i32at, u16at } from '../../base/memory.ts';
import {
  CLAIM,
  NEIGHBOUR_DOUBTED,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_REACHABLE,
  NEIGHBOUR_SINCE,
  NEIGHBOUR_STATE,
} from '../../base/neighbour-record.ts';
import { arpRequest } from './arp.ts';
import { neighbourFind } from './neighbour-table.ts';

/** Asks who has the address. */
export function addressAsk(index: i32, address: i32): void {
  arpRequest(index, address);
}

/**
 * Who was heard to have it at `tick` or later: address of the 6 bytes of its station address, or 0. Where two
 * stations say so, the one that we did not know.
 */
export function addressHeld(index: i32, address: i32, tick: i32): i32 {
  const at: i32 = neighbourFind(address, index);
  if (at === 0) return 0;
  const state: i32 = u16at(at + NEIGHBOUR_STATE);
  if (((i32at(at + NEIGHBOUR_SINCE) - tick) | 0) < 0) return 0;
  if (state === NEIGHBOUR_DOUBTED) return at + CLAIM;
  return state === NEIGHBOUR_REACHABLE ? at + NEIGHBOUR_HEADER : 0;
}
