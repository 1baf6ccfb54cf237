// What follows when an interface gets another address, mask, side or state: the ways, the neighbours and the
// masquerade forget what no longer holds, and the link is told (gratuitous ARP, RFC 5227, section 2.3).
// An address that is lost (0 follows) may come back, as when a DHCP server was away for a while: its sessions
// wait until another address takes its place, or their timers end them. Nothing is sent meanwhile.
// While the plane is held, at power-on, nothing is told: what is in force in the end is, once it goes.
// configureInterface() need not know of it: the next tick looks, and who wants it at once calls interfacesChanged().

import { HELD_AT, LINK_END_AT, LINKS_CHANGED_AT } from '../base/cells.ts';
import { IF_ADDRESS, interfaceAt } from '../base/interface.ts';
import { i32at, puti32 } from '../base/memory.ts';
import { masqueradeForgetAddress } from './flow/flow-timeout.ts';
import { announceAliases } from './ip/alias-set.ts';
import { addressSeen, flushRoutes, interfaceChanged, noteInterface } from './ip/route.ts';
import { arpAnnounce } from './link/arp.ts';
import { forgetNeighbours } from './link/neighbour.ts';

export function interfacesChanged(): void {
  if (i32at(HELD_AT) !== 0) return;
  puti32(LINKS_CHANGED_AT, 0);
  const end: i32 = i32at(LINK_END_AT);
  for (let index: i32 = 0; index < end; index++) {
    if (interfaceChanged(index) !== 0) {
      const old: i32 = addressSeen(index);
      const address: i32 = i32at(interfaceAt(index) + IF_ADDRESS);
      noteInterface(index);
      flushRoutes();
      forgetNeighbours(index);
      if (old !== 0 && address !== 0 && old !== address) masqueradeForgetAddress(old);
      arpAnnounce(index);
      announceAliases(index);
    }
  }
}
