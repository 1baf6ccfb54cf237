// Questions by ARP who has an address, and the messages that wait for the answers. RFC 2131, section 2.2.
// At most DHCP_PENDING of DHCP_PENDING_BYTES wait at once; one more is not asked for, and its client sends its message again
// after some seconds.
// Not here: what is asked for, and what follows from the answer (server.ts).

import { INTERFACE_LAN } from '../../base/limits.ts';
import type { Context } from '../core/context.ts';
import { DHCP_PENDING, DHCP_PENDING_BYTES } from '../core/limits.ts';

const NO_BYTES = new Uint8Array(0);

interface Pending {
  data: Uint8Array;
  chaddr: string;
}

/** What a question ended with: the station that has the address, undefined if none does, and the message that waited. */
export type Answered = (holder: Uint8Array | undefined, data: Uint8Array) => void;

export class Probes {
  /** By address. */
  private readonly pending = new Map<number, Pending>();
  private bytes = 0;

  constructor(private readonly context: Pick<Context, 'machine' | 'clock'>) {}

  /** Asks who has an address. A message that the client sends meanwhile takes the place of the one that waits. */
  ask(address: number, ticks: number, chaddr: Uint8Array, data: Uint8Array, then: Answered): void {
    const { machine, clock } = this.context;
    const station = chaddr.join();
    const waiting = this.pending.get(address);
    if (waiting !== undefined) {
      const isRoom = this.bytes + data.length - waiting.data.length <= DHCP_PENDING_BYTES;
      if (waiting.chaddr === station && isRoom) this.keep(address, waiting, data);
      return;
    }
    if (this.pending.size === DHCP_PENDING || this.bytes + data.length > DHCP_PENDING_BYTES) return;
    const tick = clock.now();
    machine.plane.addressAsk(INTERFACE_LAN, address);
    const pending: Pending = { data: NO_BYTES, chaddr: station };
    this.keep(address, pending, data);
    clock.after(ticks, () => {
      if (this.pending.get(address) !== pending) return;
      this.pending.delete(address);
      this.bytes -= pending.data.length;
      const at = machine.plane.addressHeld(INTERFACE_LAN, address, tick);
      then(at === 0 ? undefined : machine.memory.slice(at, at + 6), pending.data);
    });
  }

  private keep(address: number, pending: Pending, data: Uint8Array): void {
    this.bytes += data.length - pending.data.length;
    pending.data = data.slice();
    this.pending.set(address, pending);
  }

  /** The LAN is another one now: no answer is waited for. */
  clear(): void {
    this.pending.clear();
    this.bytes = 0;
  }
}
