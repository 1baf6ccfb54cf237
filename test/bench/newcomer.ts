// A laptop that is switched on during a flood: nobody has heard its station before. It takes a lease, asks for a name, and then
// starts anew under another client identifier, as a second system on its disk does. It says each thing again until it is
// answered, and counts how often it said it.
// Not here: floods (floods.ts).

import { TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { ACK, DISCOVER, OFFER, REQUEST } from '../../src/control/dhcp/message.ts';
import { compose } from '../../src/control/dhcp/server-lab.ts';
import * as packets from '../packets.ts';
import { ip, ROUTER } from './addresses.ts';
import type { Station } from './lab.ts';

/** Between two tries; clients wait for 3 to 5 s. */
const AGAIN_TICKS = 2 * TICKS_PER_SECOND;
const STAGES = ['offer', 'lease', 'name', 'offer of the second', 'lease of the second'] as const;
const SECOND_IDENTIFIER = [255, 1, 2, 3, 4, 0, 1, 0, 1, 9, 9, 9, 9];
const PORT = 4444;

export class Newcomer {
  /** How often each thing was said so far; the last of them may have had no answer yet. */
  readonly tries: number[] = [];
  #stage = 0;
  #sentAt: number | undefined;
  #address = '0.0.0.0';

  constructor(
    private readonly lan: Station,
    readonly mac: string,
    /** A question for a name, which a server knows. */
    private readonly question: Uint8Array,
  ) {}

  get isDone(): boolean {
    return this.#stage === STAGES.length;
  }

  toString(): string {
    return this.isDone ? this.tries.join(' ') : `${this.tries.join(' ')}…`;
  }

  /** Says what is due. */
  look(tick: number): void {
    const isDue = this.#sentAt === undefined || ((tick - this.#sentAt) | 0) >= AGAIN_TICKS;
    if (this.isDone || !isDue) return;
    this.#sentAt = tick;
    this.tries[this.#stage] = (this.tries[this.#stage] ?? 0) + 1;
    const stage = STAGES[this.#stage]!;
    if (stage === 'name') {
      const datagram = packets.udp(ip(this.#address, ROUTER), PORT, 53, this.question);
      this.lan.sendFrame(packets.frame(this.lan.router, this.mac, datagram));
      return;
    }
    const said = stage.startsWith('offer') ? {} : { requested: this.#address, server: ROUTER };
    const identifier = stage.endsWith('second') ? { id: SECOND_IDENTIFIER } : {};
    const type = stage.startsWith('offer') ? DISCOVER : REQUEST;
    const message = compose(this.mac, type, { ...said, ...identifier, wants: [1, 3, 6] });
    const datagram = packets.udp(ip('0.0.0.0', '255.255.255.255'), 68, 67, message);
    this.lan.sendFrame(packets.frame(packets.BROADCAST, this.mac, datagram));
  }

  /** A datagram on the LAN. */
  hear({ destinationPort, sourcePort, data }: packets.Read): void {
    const stage = STAGES[this.#stage];
    if (stage === 'name') {
      if (sourcePort === 53 && destinationPort === PORT) this.#next();
    } else if (destinationPort === 68 && packets.macText(data.slice(28, 34)) === this.mac) {
      const type = data[242];
      if (stage?.startsWith('offer') && type === OFFER) {
        this.#address = packets.addressText(packets.get32(data, 16));
        this.#next();
      } else if (stage?.startsWith('lease') && type === ACK) {
        this.lan.others.set(this.#address, this.mac);
        const sender = { senderMac: this.mac, senderAddress: this.#address };
        this.lan.sendFrame(
          packets.arpFrame(packets.BROADCAST, { operation: 1, ...sender, targetAddress: ROUTER }),
        );
        this.#next();
      }
    }
  }

  #next(): void {
    this.#stage++;
    this.#sentAt = undefined;
  }
}
