// Whose a packet for control is, where control has few places: a client is a station, and belongs to a source of the punt
// ring (src/plane/local/punt.ts). A station that was there before is a source of its own; strangers, newcomers and the loud are one
// source each, however many stations they make up, and in it each is a client. On a link without stations, and outside, a
// client is an address. Under how many addresses a station asks makes no difference; who is behind an inner
// router is that router.
// Not here: places (shares.ts, tcp.ts, src/control/dns/flight.ts, src/control/dns/waiters.ts).

import { i32at } from '../../../base/memory.ts';
import { PACKET_SOURCE, PACKET_STATION } from '../../../base/packet.ts';
import { SHARED_SOURCES, stationWord } from '../../../base/punt-source.ts';

/** A client of a shared source is its station's word behind a number of this many bits more. */
const WORDS = 2 ** 32;

/** The router's own questions, which are nobody's source. */
export const ROUTER_ITSELF = (SHARED_SOURCES + 1) * WORDS;

/** The client whose packet it is: a number that is a whole one, and not only of 32 bits. */
export function clientOf(packet: number): number {
  const source = i32at(packet + PACKET_SOURCE);
  if (source > 0 || source <= -SHARED_SOURCES) return source;
  return (1 - source) * WORDS + (stationWord(packet + PACKET_STATION) >>> 0);
}

/** The source that a client belongs to. */
export function sourceOf(client: number): number {
  return client < WORDS ? client : 1 - Math.floor(client / WORDS);
}
