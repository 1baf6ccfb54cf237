// A query under way to a server, and those who wait for its answer. The objects are made when first needed and used again;
// the table says who may have how many, so that one client's flood leaves room for the others.
// When all DNS_FLIGHTS are taken, or a client has its share of DNS_CLIENT_FLIGHTS, one of the greediest client's goes, if it has
// more than DNS_FAIR; else the new one waits (queue.ts).
// Not here: what is sent and what comes back (forwarder.ts).

import type { Datagram } from '../core/net/udp.ts';
import type { Key } from './cache.ts';
import { EXACT, FLAG_QR, HEADER_BYTES, OPCODE, type Query, read16, sameQuestion } from './message.ts';
import type { Server, Upstream } from './upstream.ts';

/** Who asked. */
export interface Asker {
  address: number;
  port: number;
  /** The interface by which the query came. */
  index: number;
  /** In whose share it is (../core/net/client.ts). */
  client: number;
  /** Takes the answer to a query that did not come by UDP. The bytes are valid during the call. */
  reply: ((message: Uint8Array) => void) | undefined;
}

/** A connection by which tries go. */
export interface Carrier {
  readonly hasAnswered: boolean;
  isSilentSince(tick: number): boolean;
  remove(flight: Flight): void;
  giveUp(): void;
}

export class Flight implements Key {
  isActive = false;
  /** The query as it is sent, with the identifier, the sizes and the case of letters that are ours; and by four bytes. */
  query: Uint8Array = new Uint8Array(0);
  private words = new Int32Array(0);
  /** The name as it was asked. */
  asked: Uint8Array = new Uint8Array(0);
  /** The letters' case is random in this try, and the answer must have it. */
  isShuffled = false;
  /** A server has not kept the case: the name goes as it was asked. */
  keepsCase = false;
  hash = 0;
  key = 0;
  questionEnd = 0;
  nameEnd = 0;
  isPlain = false;
  /** Those who wait are to get it whole: they came by TCP. */
  byTcp = false;
  /** The first and the last of those who wait (waiters.ts), or -1. */
  firstWaiter = -1;
  lastWaiter = -1;
  /** In whose share it is: the first who asked, unless it was left to another who waits. */
  client = 0;
  /** The servers that it may go to. */
  upstream: Upstream | undefined;
  /** By set dns forward: its names may have private addresses. */
  isForwarded = false;
  server: Server | undefined;
  tried: Server[] = [];
  tries = 0;
  /** Ticks for which it has waited for a link to be dialled. */
  waits = 0;
  id = 0;
  port = 0;
  /** When it came. */
  begunAt = 0;
  /** Its last try has left us, and when. */
  isSent = false;
  sentAt = 0;
  /** The tick at which it is tried again. */
  deadline = 0;
  spoofs = 0;
  /** The connection by which this try goes (pipe.ts). */
  pipe: Carrier | undefined;
  /** What came by UDP was cut: only TCP will do. */
  wantsTcp = false;
  /** Made once, as the socket's callbacks. */
  readonly receive: (datagram: Datagram) => void;
  readonly unreachable: (quoted: Uint8Array) => void;

  /** @param number its place, by which waiters know it. */
  constructor(
    readonly number: number,
    received: (flight: Flight, datagram: Datagram) => void,
    unreachable: (flight: Flight, quoted: Uint8Array) => void,
  ) {
    this.receive = datagram => received(this, datagram);
    this.unreachable = quoted => unreachable(this, quoted);
  }

  begin(data: Uint8Array, query: Query, client: number): void {
    this.isActive = true;
    this.words = new Int32Array((data.length + 3) >> 2);
    this.query = new Uint8Array(this.words.buffer, 0, data.length);
    this.query.set(data);
    this.asked = data.slice(HEADER_BYTES, query.nameEnd);
    this.isShuffled = false;
    this.keepsCase = false;
    this.hash = query.hash;
    this.key = query.key;
    this.questionEnd = query.questionEnd;
    this.nameEnd = query.nameEnd;
    this.isPlain = query.plain;
    this.client = client;
    this.wantsTcp = false;
    this.server = undefined;
    this.tried = [];
    this.tries = 0;
    this.waits = 0;
    this.spoofs = 0;
  }

  /** It has left us, and is waited for so long. */
  sent(now: number, ticks: number): void {
    this.isSent = true;
    this.sentAt = now;
    this.deadline = (now + ticks) | 0;
  }

  /**
   * Gives each letter of the name a random case, which who forges an answer has to guess too (0x20: P. Vixie and D. Dagon,
   * draft-vixie-dnsext-dns0x20-00), or the case in which it was asked.
   */
  shuffle(isRandom: boolean, random: () => number): void {
    const { words, nameEnd } = this;
    this.isShuffled = isRandom;
    this.query.set(this.asked, HEADER_BYTES);
    if (!isRandom) return;
    let bits = 0;
    for (let i = HEADER_BYTES >> 2; i << 2 < nameEnd; i++) {
      if (((i - 3) & 7) === 0) bits = random();
      const word = words[i] as number;
      let letters = lettersOf(word);
      const left = nameEnd - (i << 2);
      if (left < 4) letters &= (1 << (left << 3)) - 1;
      words[i] = (word | letters) ^ (bits & letters);
      bits = (bits << 1) | (bits >>> 31);
    }
  }

  /** Whether a message of this buffer has the question as it was sent, letter for letter. */
  private hasQuestion(message: Int32Array): boolean {
    const { words, questionEnd } = this;
    const whole = questionEnd >> 2;
    for (let i = HEADER_BYTES >> 2; i < whole; i++) if (message[i] !== words[i]) return false;
    const rest = (1 << ((questionEnd & 3) << 3)) - 1;
    return rest === 0 || (((message[whole] as number) ^ (words[whole] as number)) & rest) === 0;
  }

  /**
   * Whether a message answers the query that is under way, by its identifier and its question: 0, SAME if the letters
   * have not the case that was sent, or EXACT.
   * @param words the message by four bytes, if it lies so: a long name costs a tenth then.
   */
  isAnswer(data: Uint8Array, words?: Int32Array): number {
    if (data.length < HEADER_BYTES || read16(data, 0) !== this.id) return 0;
    const flags = read16(data, 2);
    if ((flags & FLAG_QR) === 0 || ((flags ^ read16(this.query, 2)) & OPCODE) !== 0) return 0;
    // A server that could not read the query may leave the question out, but then has nothing else to say.
    if (read16(data, 4) === 0) return (flags & 15) !== 0 ? EXACT : 0;
    if (read16(data, 4) !== 1 || data.length < this.questionEnd) return 0;
    if (words !== undefined && this.hasQuestion(words)) return EXACT;
    return sameQuestion(data, HEADER_BYTES, this.query, this.questionEnd - HEADER_BYTES);
  }

  /** Whether its answer also answers this query. */
  isFor(data: Uint8Array, query: Query): boolean {
    if (this.hash !== query.hash || this.key !== query.key || !this.isPlain || !query.plain) return false;
    const bytes = query.questionEnd - HEADER_BYTES;
    return (
      this.questionEnd === query.questionEnd && sameQuestion(this.query, HEADER_BYTES, data, bytes) !== 0
    );
  }
}

/** Of four bytes of a name, 0x20 in those that are letters. Lengths are at most 63, so what looks like a letter is one. */
function lettersOf(word: number): number {
  const low = (word & 0x7f7f7f7f) | 0x20202020;
  // From 0x61 on the first sum has its topmost bit, from 0x7b on the second.
  return (((low + 0x1f1f1f1f) & ~(low + 0x05050505) & ~word) >>> 2) & 0x20202020;
}
