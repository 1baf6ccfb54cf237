// LCP's options (RFC 1661, section 6; RFC 1662, section 7): what we want of the link, and what we say to what the peer wants.
// Not here: when it is said (automaton.ts), echo and Protocol-Reject (session.ts), who is asked for a password (auth.ts).

import { get16, get32 } from '../../wire/bytes.ts';
import {
  CHAP_MD5,
  CHAP_MS_1,
  CHAP_MS_2,
  LCP_ACCM,
  LCP_ACFC,
  LCP_AUTHENTICATION,
  LCP_MAGIC,
  LCP_MRU,
  LCP_PFC,
  PPP_CHAP,
  PPP_MRU_DEFAULT,
  PPP_MRU_LEAST,
  PPP_PAP,
} from '../../wire/ppp.ts';
import { type Negotiation, type Opinion, type Verdict, verdictOf } from './negotiation.ts';
import { number16, number32, type Option } from './packet.ts';

/** How somebody shows who he is. */
export type Method = 'pap' | 'chap-md5' | 'ms-chap' | 'ms-chap-v2';

/** LCP's value for each: protocol, and of CHAP the algorithm. */
const METHODS: Readonly<Record<Method, readonly number[]>> = {
  pap: [PPP_PAP >> 8, PPP_PAP & 255],
  'chap-md5': [PPP_CHAP >> 8, PPP_CHAP & 255, CHAP_MD5],
  'ms-chap': [PPP_CHAP >> 8, PPP_CHAP & 255, CHAP_MS_1],
  'ms-chap-v2': [PPP_CHAP >> 8, PPP_CHAP & 255, CHAP_MS_2],
};
const ALL_METHODS = Object.keys(METHODS) as Method[];

const EMPTY = new Uint8Array(0);
/** Requests with our own magic number before the line is said to be looped. */
const LOOPS = 5;

export interface LcpWants {
  /** What we take in one frame, and what we would send at most. */
  mru: number;
  mtu: number;
  /** Control characters that are to be escaped on their way to us. */
  accm: number;
  /** Whether headers may be shortened, on their way to us and to the peer. */
  isShort: boolean;
  hasMagic: boolean;
  /** Methods by which the peer may show who it is, the one we like most first; none: it need not. */
  demanded: readonly Method[];
  /** Methods by which we show who we are, where it is asked for; none: we do not. */
  offered: readonly Method[];
  /** What has our own magic number is an echo of the line, and passed over. */
  ignoresEcho: boolean;
}

/** What holds for one way of the link. */
export interface LcpWay {
  mru: number;
  accm: number;
  pfc: boolean;
  acfc: boolean;
  magic: number;
  method: Method | undefined;
}

const nothing = (): LcpWay => ({
  mru: PPP_MRU_DEFAULT,
  accm: -1,
  pfc: false,
  acfc: false,
  magic: 0,
  method: undefined,
});

function methodOf(value: Uint8Array): Method | undefined {
  return ALL_METHODS.find(method => {
    const own = METHODS[method];
    return own.length === value.length && own.every((byte, i) => byte === value[i]);
  });
}

export class LcpOptions implements Negotiation {
  /** How the peer may send to us, and who it must say it is; how we may send, and who we must. */
  ours = nothing();
  theirs = nothing();
  /** Types that we do not ask for any more. */
  private readonly dropped = new Set<number>();
  private tried = 0;
  private loops = 0;

  constructor(
    private readonly wants: LcpWants,
    private readonly random: () => number,
  ) {}

  /** The line brings back what we send. */
  get isLooped(): boolean {
    return this.loops >= LOOPS && !this.wants.ignoresEcho;
  }

  begin(): void {
    const { wants } = this;
    this.dropped.clear();
    this.tried = 0;
    this.theirs = nothing();
    this.ours = { ...nothing(), mru: wants.mru, accm: wants.accm, pfc: wants.isShort, acfc: wants.isShort };
    this.ours.magic = wants.hasMagic ? this.magic() : 0;
    this.ours.method = wants.demanded[0];
  }

  request(): Option[] {
    const { ours } = this;
    const all: Option[] = [];
    const add = (type: number, value: Uint8Array, isWanted: boolean) => {
      if (isWanted && !this.dropped.has(type)) all.push({ type, value });
    };
    add(LCP_MRU, number16(ours.mru), ours.mru !== PPP_MRU_DEFAULT);
    add(LCP_ACCM, number32(ours.accm), ours.accm !== -1);
    if (ours.method !== undefined) add(LCP_AUTHENTICATION, Uint8Array.from(METHODS[ours.method]), true);
    add(LCP_MAGIC, number32(ours.magic), ours.magic !== 0);
    add(LCP_PFC, EMPTY, ours.pfc);
    add(LCP_ACFC, EMPTY, ours.acfc);
    return all;
  }

  judge(options: readonly Option[], isFinal: boolean): Verdict | undefined {
    const theirs = nothing();
    if (this.isEcho(options)) {
      this.loops++;
      if (this.wants.ignoresEcho) return undefined;
    } else if (options.some(({ type }) => type === LCP_MAGIC)) {
      this.loops = 0;
    }
    const verdict = verdictOf(options, isFinal, option => this.opinion(option, theirs));
    this.theirs = theirs;
    return verdict;
  }

  private isEcho(options: readonly Option[]): boolean {
    const magic = options.find(({ type, value }) => type === LCP_MAGIC && value.length === 4);
    return magic !== undefined && this.ours.magic !== 0 && get32(magic.value, 0) === this.ours.magic;
  }

  private opinion({ type, value }: Option, theirs: LcpWay): Opinion {
    if (type === LCP_MRU && value.length === 2) {
      theirs.mru = get16(value, 0);
      return theirs.mru < PPP_MRU_LEAST ? number16(PPP_MRU_LEAST) : 'ack';
    }
    if (type === LCP_ACCM && value.length === 4) {
      theirs.accm = get32(value, 0);
      return 'ack';
    }
    if (type === LCP_AUTHENTICATION && value.length >= 2) return this.asked(value, theirs);
    if (type === LCP_MAGIC && value.length === 4) {
      theirs.magic = get32(value, 0);
      return theirs.magic === 0 || theirs.magic === this.ours.magic ? number32(this.magic()) : 'ack';
    }
    if (type === LCP_PFC && value.length === 0) {
      theirs.pfc = true;
      return 'ack';
    }
    if (type === LCP_ACFC && value.length === 0) {
      theirs.acfc = true;
      return 'ack';
    }
    return 'reject';
  }

  /** The peer wants to know who we are. What we can do is not bargained about. */
  private asked(value: Uint8Array, theirs: LcpWay): Opinion {
    const { offered } = this.wants;
    const method = methodOf(value);
    theirs.method = method;
    if (method !== undefined && offered.includes(method)) return 'ack';
    return offered[0] === undefined ? 'reject' : Uint8Array.from(METHODS[offered[0]]);
  }

  nakked(options: readonly Option[]): string | undefined {
    const { ours } = this;
    for (const { type, value } of options) {
      if (type === LCP_MRU && value.length === 2) this.otherMru(get16(value, 0));
      else if (type === LCP_ACCM && value.length === 4) ours.accm |= get32(value, 0);
      else if (type === LCP_MAGIC) ours.magic = ours.magic === 0 ? 0 : this.magic();
      else if (type === LCP_PFC || type === LCP_ACFC) this.dropped.add(type);
      else if (type === LCP_AUTHENTICATION && ours.method !== undefined && !this.otherMethod(value))
        return 'The peer knows no way to say who it is that is asked for';
    }
    return undefined;
  }

  /** A peer that suggests more than we take gets what is usual, and may send less. */
  private otherMru(mru: number): void {
    this.ours.mru =
      mru >= PPP_MRU_LEAST && mru <= this.wants.mru ? mru : Math.min(this.wants.mru, PPP_MRU_DEFAULT);
  }

  /** The one that the peer suggests, if we take it, else our next one; false when all have been tried. */
  private otherMethod(value: Uint8Array): boolean {
    const { demanded } = this.wants;
    const suggested = methodOf(value);
    if (++this.tried > demanded.length) return false;
    const isTaken = suggested !== undefined && suggested !== this.ours.method && demanded.includes(suggested);
    this.ours.method = isTaken ? suggested : demanded[this.tried];
    return this.ours.method !== undefined;
  }

  rejected(options: readonly Option[]): string | undefined {
    const { ours } = this;
    for (const { type } of options) {
      this.dropped.add(type);
      if (type === LCP_AUTHENTICATION && ours.method !== undefined) return 'The peer will not say who it is';
      if (type === LCP_MRU) ours.mru = PPP_MRU_DEFAULT;
      else if (type === LCP_ACCM) ours.accm = -1;
      else if (type === LCP_MAGIC) ours.magic = 0;
      else if (type === LCP_PFC) ours.pfc = false;
      else if (type === LCP_ACFC) ours.acfc = false;
    }
    return undefined;
  }

  private magic(): number {
    const value = this.random() | 0;
    return value === 0 ? 1 : value;
  }
}
