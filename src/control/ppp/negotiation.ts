// What an automaton (automaton.ts) asks of those whose options it negotiates: LCP's and IPCP's.

import { CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT } from '../../wire/ppp.ts';
import type { Option } from './packet.ts';

/** The answer to a request: a code, and the options that go with it. */
export interface Verdict {
  code: number;
  options: Option[];
}

export interface Negotiation {
  /** A new negotiation: all that was agreed on is gone. */
  begin(): void;
  /** What we want now. */
  request(): Option[];
  /** What we say to the peer's request; undefined: nothing. @param isFinal nothing more is suggested: what is not as we want it is rejected */
  judge(options: readonly Option[], isFinal: boolean): Verdict | undefined;
  /** The peer suggests others. Answers why it cannot go on, or `wait` where the peer has nothing to give yet. */
  nakked(options: readonly Option[]): string | undefined;
  /** The peer does not want these. Answers why it cannot go on. */
  rejected(options: readonly Option[]): string | undefined;
}

/** What we think of one option: as it is, not at all, or another value. */
export type Opinion = 'ack' | 'reject' | Uint8Array;

/** The answer to a request of which each option has been judged: rejects go before all else (RFC 1661, section 5.4). */
export function verdictOf(
  options: readonly Option[],
  isFinal: boolean,
  judge: (option: Option) => Opinion,
): Verdict {
  const nakked: Option[] = [];
  const rejected: Option[] = [];
  for (const option of options) {
    const opinion = judge(option);
    if (opinion === 'reject' || (opinion !== 'ack' && isFinal)) rejected.push(option);
    else if (opinion !== 'ack') nakked.push({ type: option.type, value: opinion });
  }
  if (rejected.length > 0) return { code: CONFIGURE_REJECT, options: rejected };
  if (nakked.length > 0) return { code: CONFIGURE_NAK, options: nakked };
  return { code: CONFIGURE_ACK, options: [...options] };
}
