// How a PPPoE session is got and ended: RFC 2516, section 5; RFC 4638 for datagrams of more than 1,492 bytes.
// Not here: what goes in the session (session.ts), frames (src/plane/link/).
//
//    idle --start--> asking --PADO--> requesting --PADS--> open --PADT, stop--> idle
//                      ^                  |
//                      '--- refused, or no answer to three
//
// One timer: asking       PADI again after 1, 2, 4 ... 32 s, then each minute for ever: a concentrator that knows us from before
//                         a power cut may be mute for half an hour
//            requesting   PADR again after 1 and 2 s; 4 s later we ask anew
//
// Which answers are believed: those with our Host-Uniq, new for each start; of a PADS and a PADT also its station and, of the
// latter, its session. Of several offers the first is taken whose names are those wanted; one that was not kept, or
// refused, comes after the others the next time: it is only taken once the PADI has been repeated.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { get16, put16 } from '../../wire/bytes.ts';
import {
  PPPOE_MRU,
  PPPOE_PADI,
  PPPOE_PADO,
  PPPOE_PADR,
  PPPOE_PADS,
  PPPOE_PADT,
  PPPOE_TAGS_MOST,
  TAG_CONCENTRATOR,
  TAG_COOKIE,
  TAG_END,
  TAG_GENERIC_ERROR,
  TAG_HEADER_BYTES,
  TAG_HOST_UNIQ,
  TAG_LENGTH,
  TAG_MAX_PAYLOAD,
  TAG_RELAY,
  TAG_SERVICE,
  TAG_SERVICE_ERROR,
  TAG_SYSTEM_ERROR,
} from '../../wire/pppoe.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { randomBytes } from './auth.ts';
import { bytesOf, nameOf, number16, sameBytes, textOf } from './packet.ts';

const ASK_FIRST = TICKS_PER_SECOND;
const ASK_MOST = 60 * TICKS_PER_SECOND;
const REQUEST_FIRST = TICKS_PER_SECOND;
const REQUEST_TRIES = 3;
const UNIQ_BYTES = 8;
/** What a refused start waits at least: an account that is still in use elsewhere is not freed by asking. */
const REFUSED_TICKS = 10 * TICKS_PER_SECOND;

export interface DiscoveryWants {
  /** '' is any service, and any concentrator. */
  service: string;
  concentrator: string;
  /** What the Ethernet below carries behind PPPoE's header: PPPOE_MRU, or more. */
  mru: number;
}

/** A session: whose, and its number. */
export interface SessionPlace {
  /** 6 bytes. */
  station: Uint8Array;
  session: number;
}

export interface DiscoveryHost {
  readonly clock: Clock;
  /** 32 unpredictable bits. */
  random(): number;
  /** Sends a discovery packet to a station, or to all. */
  send(station: Uint8Array | undefined, code: number, session: number, tags: Uint8Array): void;
  /** There is a session; `mru` is what both sides of it carry. It is to be remembered, for `end()` after a power cut. */
  opened(place: SessionPlace, mru: number): void;
  /** The concentrator has ended the session. */
  ended(reason: string): void;
  /** Something for the log: who offers, who refuses. */
  told(what: string): void;
}

/** A tag's value, of which there may be several. */
type Tags = Map<number, Uint8Array>;

/** The first tag of each type; undefined where one does not end within the packet. */
export function readTags(bytes: Uint8Array): Tags | undefined {
  const tags: Tags = new Map();
  for (let at = 0; at < bytes.length; ) {
    if (at + TAG_HEADER_BYTES > bytes.length) return undefined;
    const type = get16(bytes, at);
    if (type === TAG_END) break;
    const end = at + TAG_HEADER_BYTES + get16(bytes, at + TAG_LENGTH);
    if (end > bytes.length) return undefined;
    if (!tags.has(type)) tags.set(type, bytes.slice(at + TAG_HEADER_BYTES, end));
    at = end;
  }
  return tags;
}

export function writeTags(tags: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  let length = 0;
  for (const [, value] of tags) length += TAG_HEADER_BYTES + value.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [type, value] of tags) {
    put16(bytes, at, type);
    put16(bytes, at + TAG_LENGTH, value.length);
    bytes.set(value, at + TAG_HEADER_BYTES);
    at += TAG_HEADER_BYTES + value.length;
  }
  return bytes;
}

interface Offer {
  station: Uint8Array;
  /** The concentrator's name, for the log. */
  name: string;
  /** What goes back to it as it is: cookie and relay. */
  kept: [number, Uint8Array][];
}

export class Discovery {
  state: 'idle' | 'asking' | 'requesting' | 'open' = 'idle';
  private uniq: Uint8Array = new Uint8Array(0);
  private offer: Offer | undefined;
  private place: SessionPlace | undefined;
  /** The station whose offer came to nothing, and packets of a kind that were sent without an answer. */
  private avoided: Uint8Array | undefined;
  private tries = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly host: DiscoveryHost,
    private readonly wants: DiscoveryWants,
  ) {}

  /** Asks for a session. */
  start(): void {
    if (this.state !== 'idle') return;
    this.uniq = randomBytes(UNIQ_BYTES, () => this.host.random());
    this.avoided = undefined;
    this.ask();
  }

  /** Ends the session, or the search for one. */
  stop(): void {
    if (this.state === 'open' && this.place !== undefined) this.end(this.place);
    this.idle();
  }

  /** Says that a session is over: ours, or one that is remembered from before a power cut. */
  end({ station, session }: SessionPlace): void {
    this.host.send(station, PPPOE_PADT, session, new Uint8Array(0));
  }

  /** A session of before goes on, as its link does when control restarts. */
  resume(place: SessionPlace): void {
    this.idle();
    this.place = place;
    this.state = 'open';
  }

  /** A discovery packet for our station: from whom, and its tags. */
  input(station: Uint8Array, code: number, session: number, payload: Uint8Array): void {
    if (code === PPPOE_PADT) {
      this.terminated(station, session, payload);
      return;
    }
    const tags = readTags(payload);
    if (tags === undefined || !sameBytes(tags.get(TAG_HOST_UNIQ) ?? new Uint8Array(0), this.uniq)) return;
    if (code === PPPOE_PADO && this.state === 'asking' && session === 0) this.offered(station, tags);
    if (code === PPPOE_PADS && this.state === 'requesting') this.confirmed(station, session, tags);
  }

  private ask(): void {
    this.state = 'asking';
    this.offer = undefined;
    this.tries = 0;
    this.askAgain();
  }

  private askAgain(): void {
    this.host.send(undefined, PPPOE_PADI, 0, writeTags(this.asked()));
    const wait = this.tries < 6 ? ASK_FIRST << this.tries : ASK_MOST;
    this.tries++;
    this.wait(wait, () => this.askAgain());
  }

  /** What both a PADI and a PADR say. */
  private asked(): [number, Uint8Array][] {
    const tags: [number, Uint8Array][] = [
      [TAG_SERVICE, bytesOf(this.wants.service)],
      [TAG_HOST_UNIQ, this.uniq],
    ];
    if (this.wants.mru > PPPOE_MRU) tags.push([TAG_MAX_PAYLOAD, number16(this.wants.mru)]);
    return tags;
  }

  private offered(station: Uint8Array, tags: Tags): void {
    const name = nameOf(tags.get(TAG_CONCENTRATOR) ?? new Uint8Array(0));
    const shown = textOf(bytesOf(name));
    const refusal = refusalOf(tags);
    if (refusal !== undefined) {
      this.host.told(`${shown} offers nothing: ${refusal}`);
      return;
    }
    const service = tags.get(TAG_SERVICE);
    const { wants, avoided } = this;
    if (service === undefined || !sameBytes(service, bytesOf(wants.service))) return;
    if (wants.concentrator !== '' && name !== wants.concentrator) {
      if (this.tries === 1) this.host.told(`${shown} offers a session too, and is not the one wanted`);
      return;
    }
    if (avoided !== undefined && this.tries === 1 && sameBytes(avoided, station)) return;
    const kept: [number, Uint8Array][] = [];
    for (const type of [TAG_COOKIE, TAG_RELAY]) {
      const value = tags.get(type);
      if (value !== undefined) kept.push([type, value]);
    }
    if (writeTags([...this.asked(), ...kept]).length > PPPOE_TAGS_MOST) return;
    this.offer = { station: station.slice(), name: shown, kept };
    this.tries = 0;
    this.state = 'requesting';
    this.request();
  }

  private request(): void {
    const { offer } = this;
    if (offer === undefined) return;
    if (this.tries === REQUEST_TRIES) {
      this.host.told(`${offer.name} has offered a session and does not give it`);
      this.avoided = offer.station;
      this.ask();
      return;
    }
    this.host.send(offer.station, PPPOE_PADR, 0, writeTags([...this.asked(), ...offer.kept]));
    this.wait(REQUEST_FIRST << this.tries++, () => this.request());
  }

  private confirmed(station: Uint8Array, session: number, tags: Tags): void {
    const { offer } = this;
    if (offer === undefined || !sameBytes(station, offer.station)) return;
    const refusal = refusalOf(tags);
    if (refusal !== undefined || session === 0) {
      this.host.told(`${offer.name} refuses a session: ${refusal ?? 'it has no number'}`);
      this.avoided = offer.station;
      this.state = 'asking';
      this.offer = undefined;
      this.tries = 1; // an offer of its that is late is of before
      this.wait(REFUSED_TICKS, () => this.ask());
      return;
    }
    this.stopTimer();
    this.state = 'open';
    this.place = { station: offer.station, session };
    const most = tags.get(TAG_MAX_PAYLOAD);
    const isLong = most !== undefined && most.length === 2 && get16(most, 0) >= this.wants.mru;
    this.host.opened(this.place, isLong ? this.wants.mru : PPPOE_MRU);
  }

  private terminated(station: Uint8Array, session: number, payload: Uint8Array): void {
    const { place } = this;
    if (this.state !== 'open' || place === undefined) return;
    if (session !== place.session || !sameBytes(station, place.station)) return;
    this.idle();
    const message = readTags(payload)?.get(TAG_GENERIC_ERROR);
    this.host.ended(
      message === undefined ? 'The provider has ended it' : `The provider says: ${textOf(message)}`,
    );
  }

  private idle(): void {
    this.stopTimer();
    this.state = 'idle';
    this.offer = undefined;
    this.place = undefined;
  }

  private wait(ticks: number, run: () => void): void {
    this.stopTimer();
    this.timer = this.host.clock.after(ticks, run);
  }

  private stopTimer(): void {
    if (this.timer !== undefined) this.host.clock.cancel(this.timer);
    this.timer = undefined;
  }
}

/** Why a concentrator does not want us, if it does not. */
function refusalOf(tags: Tags): string | undefined {
  const service = tags.get(TAG_SERVICE_ERROR);
  const other = tags.get(TAG_SYSTEM_ERROR) ?? tags.get(TAG_GENERIC_ERROR);
  if (service === undefined && other === undefined) return undefined;
  const message = textOf(other ?? service ?? new Uint8Array(0));
  if (message !== '') return message;
  return service === undefined ? 'no reason given' : 'it does not know the service';
}
