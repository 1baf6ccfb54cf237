// Questions by ARP who has an address, and the messages that wait for the answers. RFC 2131, section 2.2.
// At most DHCP_PENDING wait at once; one more is not asked for, and its client sends its message again after some seconds.
// Not here: what is asked for, and what follows from the answer (server.ts).

import { INTERFACE_LAN } from '../../plane/limits.ts';
import type { Context } from '../context.ts';
import { DHCP_PENDING } from '../limits.ts';

interface Pending {
  data: Uint8Array;
  chaddr: string;
  address: number;
}

/** What a question ended with: the station that has the address, undefined if none does, and the message that waited. */
export type Answered = (holder: Uint8Array | undefined, data: Uint8Array) => void;

export class Probes {
  private pending: Pending[] = [];

  constructor(private readonly context: Pick<Context, 'machine' | 'clock'>) {}

  /** Asks who has an address. A message that the client sends meanwhile takes the place of the one that waits. */
  ask(address: number, ticks: number, chaddr: Uint8Array, data: Uint8Array, then: Answered): void {
    const { machine, clock } = this.context;
    const station = chaddr.join();
    const waiting = this.pending.find(other => other.address === address);
    if (waiting !== undefined) {
      if (waiting.chaddr === station) waiting.data = data.slice();
      return;
    }
    if (this.pending.length === DHCP_PENDING) return;
    const tick = clock.now();
    machine.plane.addressAsk(INTERFACE_LAN, address);
    const pending: Pending = { data: data.slice(), chaddr: station, address };
    this.pending.push(pending);
    clock.after(ticks, () => {
      if (!this.pending.includes(pending)) return;
      this.pending = this.pending.filter(other => other !== pending);
      const at = machine.plane.addressHeld(INTERFACE_LAN, address, tick);
      then(at === 0 ? undefined : machine.memory.slice(at, at + 6), pending.data);
    });
  }

  /** Whether this address is being asked for. */
  asks(address: number): boolean {
    return this.pending.some(other => other.address === address);
  }

  /** The LAN is another one now: no answer is waited for. */
  clear(): void {
    this.pending = [];
  }
}
