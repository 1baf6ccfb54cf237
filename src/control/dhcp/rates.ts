// How much of the DHCP server each may take, so that what a station costs is bounded, whoever it is: see src/plane/local/punt.ts for
// who is which.
//
//                   messages                                          clients without a record
//    settled        DHCP_STATION_BURST each, at most DHCP_STATIONS    all that it asks for
//    newcomers      DHCP_STATION_BURST each, at most DHCP_STATIONS    DHCP_NEW_BURST, together
//    more of both   DHCP_MESSAGE_BURST, together                      with those
//    relays         DHCP_MESSAGE_BURST, the rate divided by how       DHCP_NEW_BURST, together
//                   many are at work, at most DHCP_RELAYS
//    loud           DHCP_STATION_BURST, together                      all that they ask for
//    strangers      DHCP_MESSAGE_BURST, together                      DHCP_NEW_BURST, together
//
// Of newcomers each has its own, so that a host which comes while some of them flood is read.
// A relay is a station which says from the server's port for whom it speaks (RFC 2131, section 4.1). It counts as one though the
// plane calls it loud, as it is when all its clients start at once; a new one has no place of its own.
// Not here: the order in which messages come (src/plane/local/punt.ts).

import { LOUD, NEWCOMERS, STRANGERS } from '../../base/punt-source.ts';
import { formatMac } from '../core/address.ts';
import type { Clock } from '../core/clock.ts';
import {
  DHCP_MESSAGE_BURST,
  DHCP_MESSAGE_LONG,
  DHCP_MESSAGE_PIECES,
  DHCP_MESSAGE_TICKS,
  DHCP_NEW_BURST,
  DHCP_NEW_TICKS,
  DHCP_RELAYS,
  DHCP_STATION_BURST,
  DHCP_STATION_TICKS,
  DHCP_STATIONS,
} from '../core/limits.ts';
import { sourceOf } from '../core/net/client.ts';
import type { Datagram } from '../core/net/udp.ts';
import { Buckets } from './bucket.ts';
import { isRelayed, SERVER_PORT } from './message.ts';

/** Those of whom the same is true. */
interface Group {
  readonly messages: Buckets;
  /** Their clients that have no record; without it as many are served as ask. */
  readonly added?: Buckets | undefined;
  /** What they are called; without it by the station's own address. */
  readonly name?: string;
  /** A station of theirs whose message was not read since that was last told. */
  refused?: Uint8Array | undefined;
}

const messages = (places = 1): Buckets => new Buckets(DHCP_MESSAGE_BURST, DHCP_MESSAGE_TICKS, places);
const added = (): Buckets => new Buckets(DHCP_NEW_BURST, DHCP_NEW_TICKS);
const single = (places = 1): Buckets => new Buckets(DHCP_STATION_BURST, DHCP_STATION_TICKS, places);

export class Rates {
  private readonly settled: Group = { messages: single(DHCP_STATIONS) };
  private readonly relays: Group = { messages: messages(DHCP_RELAYS), added: added() };
  private readonly newcomers: Group = { messages: single(DHCP_STATIONS), added: added() };
  private readonly others: Group = { ...this.newcomers, messages: messages(), name: 'many stations' };
  private readonly loud: Group = { messages: single(), name: 'stations that flood' };
  private readonly strangers: Group = { messages: messages(), added: added(), name: 'unknown stations' };
  /** Whose the message is that is being read, or that goes on after an answer. */
  group: Group = this.strangers;
  private of = 0;
  private weight = 1;

  constructor(
    private readonly memory: Uint8Array,
    private readonly clock: Clock,
  ) {}

  /** Whether a message is read. */
  mayRead(datagram: Datagram): boolean {
    const now = this.clock.uptime();
    this.choose(datagram, now);
    const { group } = this;
    if (group.messages.take(now, this.of, this.weight)) return true;
    group.refused ??= this.memory.slice(datagram.mac, datagram.mac + 6);
    return false;
  }

  /** It had so many options and pieces of them. */
  hasRead(pieces: number): void {
    if (pieces > DHCP_MESSAGE_PIECES) this.group.messages.owe((DHCP_MESSAGE_LONG - 1) * this.weight, this.of);
  }

  /** Whether one more client without a record is served. */
  mayAdd(): boolean {
    return this.group.added?.take(this.clock.uptime()) ?? true;
  }

  /** Says whose messages were not read since it was last asked. */
  tell(say: (text: string) => void): void {
    const { settled, newcomers, others, relays, loud, strangers } = this;
    for (const group of [settled, newcomers, others, relays, loud, strangers]) {
      if (group.refused === undefined) continue;
      say(`more messages came from ${group.name ?? formatMac(group.refused)} than are read`);
      group.refused = undefined;
    }
  }

  private choose({ client, sourcePort, data }: Datagram, now: number): void {
    const source = sourceOf(client);
    this.of = 0;
    this.weight = 1;
    const { settled, newcomers, relays } = this;
    const station = client >>> 0;
    const isNew = source === NEWCOMERS;
    const isRelay = sourcePort === SERVER_PORT && isRelayed(data);
    const own = isNew ? newcomers : settled;
    if (source === STRANGERS) this.group = this.strangers;
    else if (isRelay && !isNew && relays.messages.has(now, station)) {
      this.group = relays;
      this.of = station;
      this.weight = Math.max(1, relays.messages.size);
    } else if (source === LOUD) this.group = this.loud;
    else if (!(isRelay && isNew) && own.messages.has(now, station)) {
      this.group = own;
      this.of = station;
    } else this.group = this.others;
  }
}
