// What is wanted of a link that waits for who calls, and what the link is to who waits (answer.ts). Not here: which options that comes of (options.ts).

import type { Accounts } from './accounts.ts';
import type { BackHost } from './call-back.ts';
import type { CallerHost } from './caller.ts';
import type { Hours } from './hours.ts';
import type { Opened, SessionWants } from './session.ts';

export type AnswerState =
  | 'preparing'
  | 'waiting for a call'
  | 'answering'
  | 'login'
  | 'negotiating'
  | 'up'
  | 'hanging up'
  | 'calling back';

export interface AnswerWants {
  isModem: boolean;
  /** Rings after which the modem is told to answer; 0: it answers by itself, or at the first where there are hours. */
  rings: number;
  /** The modem's first command. */
  init: string;
  isSlip: boolean;
  /** Seconds without a packet of ours that end a call; 0: none do. */
  idleSeconds: number;
  hours: readonly Hours[];
  accounts: Accounts;
  session: SessionWants;
}

/** What a link is to who waits, beside what it is to who calls. */
export interface AnswerHost extends CallerHost, BackHost {
  readonly port: number;
  /** What an open link has. */
  readonly result: Opened | undefined;
}
