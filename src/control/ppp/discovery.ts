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
// refused, or whose session was of no use, comes after the others the next time: it is only taken once the PADI has been repeated.
// Of a session from before a power cut a PADT goes before each PADI until there is another one, as the first may be lost.

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
/** Of a name, or of a reason, so much is shown. */
const TEXT_BYTES = 80;
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
  /** There is a session; `mru` is what both sides of it carry. It is to be remembered, for `start()` after a power cut. */
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

/** Whether one of the tags is this. */
function hasTag(bytes: Uint8Array, type: number, value: Uint8Array): boolean {
  for (let at = 0; at + TAG_HEADER_BYTES <= bytes.length; ) {
    const from = at + TAG_HEADER_BYTES;
    at = from + get16(bytes, at + TAG_LENGTH);
    if (get16(bytes, from - TAG_HEADER_BYTES) === type && sameBytes(bytes.subarray(from, at), value))
      return true;
  }
  return false;
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
  place: SessionPlace | undefined;
  /** The station whose offer came to nothing, and packets of a kind that were sent without an answer. */
  private avoided: Uint8Array | undefined;
  /** A session of before, which its concentrator may believe in still. */
  private stale: SessionPlace | undefined;
  private tries = 0;
  /** PADIs without a session since start(), and what its concentrator is called. */
  asked = 0;
  name = '';
  private timer: Timer | undefined;

  constructor(
    private readonly host: DiscoveryHost,
    private readonly wants: DiscoveryWants,
  ) {}

  /** Asks for a session. @param avoided whose last one was of no use @param stale one of before a power cut */
  start(avoided?: Uint8Array, stale?: SessionPlace): void {
    if (this.state !== 'idle') return;
    this.uniq = randomBytes(UNIQ_BYTES, () => this.host.random());
    this.avoided = avoided;
    this.stale = stale;
    this.asked = 0;
    this.ask();
  }

  /** Whether a packet may be an answer that is waited for: else nobody need read it, and of a flood it costs this look. */
  awaits(code: number, session: number): boolean {
    if (code === PPPOE_PADO) return this.state === 'asking';
    if (code === PPPOE_PADS) return this.state === 'requesting';
    return code === PPPOE_PADT && this.place?.session === session;
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
    this.name = '';
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
    if (code === PPPOE_PADO && this.state === 'asking' && session === 0) this.offered(station, tags, payload);
    if (code === PPPOE_PADS && this.state === 'requesting') this.confirmed(station, session, tags);
  }

  private ask(): void {
    this.state = 'asking';
    this.offer = undefined;
    this.tries = 0;
    this.askAgain();
  }

  private askAgain(): void {
    if (this.stale !== undefined) this.end(this.stale);
    this.asked++;
    this.host.send(undefined, PPPOE_PADI, 0, writeTags(this.question()));
    const wait = this.tries < 6 ? ASK_FIRST << this.tries : ASK_MOST;
    this.tries++;
    this.wait(wait, () => this.askAgain());
  }

  /** What both a PADI and a PADR say. */
  private question(): [number, Uint8Array][] {
    const tags: [number, Uint8Array][] = [
      [TAG_SERVICE, bytesOf(this.wants.service)],
      [TAG_HOST_UNIQ, this.uniq],
    ];
    if (this.wants.mru > PPPOE_MRU) tags.push([TAG_MAX_PAYLOAD, number16(this.wants.mru)]);
    return tags;
  }

  private offered(station: Uint8Array, tags: Tags, payload: Uint8Array): void {
    const name = nameOf(tags.get(TAG_CONCENTRATOR) ?? new Uint8Array(0));
    const shown = shortOf(tags.get(TAG_CONCENTRATOR));
    const refusal = refusalOf(tags);
    if (refusal !== undefined) {
      this.host.told(`${shown} offers nothing: ${refusal}`);
      return;
    }
    const { wants, avoided } = this;
    // Who wants any service takes what there is: not all concentrators offer one without a name.
    if (wants.service !== '' && !hasTag(payload, TAG_SERVICE, bytesOf(wants.service))) {
      this.host.told(`${shown} does not offer the service ${wants.service}`);
      return;
    }
    if (wants.concentrator !== '' && name !== wants.concentrator) {
      this.host.told(`${shown} offers a session, and is not the one wanted`);
      return;
    }
    if (avoided !== undefined && this.tries === 1 && sameBytes(avoided, station)) return;
    const kept: [number, Uint8Array][] = [];
    for (const type of [TAG_COOKIE, TAG_RELAY]) {
      const value = tags.get(type);
      if (value !== undefined) kept.push([type, value]);
    }
    if (writeTags([...this.question(), ...kept]).length > PPPOE_TAGS_MOST) return;
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
    this.host.send(offer.station, PPPOE_PADR, 0, writeTags([...this.question(), ...offer.kept]));
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
    this.stale = undefined;
    this.name = offer.name;
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
      message === undefined ? 'The provider has ended it' : `The provider says: ${shortOf(message)}`,
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

/** What somebody unknown says of itself or of us, as a few words of one line. */
function shortOf(bytes: Uint8Array | undefined): string {
  return textOf((bytes ?? new Uint8Array(0)).subarray(0, TEXT_BYTES));
}

/** Why a concentrator does not want us, if it does not. */
function refusalOf(tags: Tags): string | undefined {
  const service = tags.get(TAG_SERVICE_ERROR);
  const other = tags.get(TAG_SYSTEM_ERROR) ?? tags.get(TAG_GENERIC_ERROR);
  if (service === undefined && other === undefined) return undefined;
  const message = shortOf(other ?? service);
  if (message !== '') return message;
  return service === undefined ? 'no reason given' : 'it does not know the service';
}
