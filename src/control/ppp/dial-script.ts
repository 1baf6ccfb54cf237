// How a number is called where no script is set, and what a modem's words mean. Not here: the language of scripts (chat-script.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { readScript, type Send, type Step } from './chat-script.ts';

/** What a call came to nothing by, or ended by. */
export type Failure =
  | 'busy'
  | 'no carrier'
  | 'no dial tone'
  | 'no answer'
  | 'no modem'
  | 'login'
  | 'refused'
  | 'no ppp'
  | 'lost';

/** What modems say, and which failure it is. */
const WORDS: readonly (readonly [string, Failure])[] = [
  ['BUSY', 'busy'],
  ['NO CARRIER', 'no carrier'],
  ['NO DIALTONE', 'no dial tone'],
  ['NO DIAL TONE', 'no dial tone'],
  ['NO ANSWER', 'no answer'],
  ['ERROR', 'no modem'],
];

export const CONNECT = 'CONNECT';
const INIT_DEFAULT = 'ATZ';
/** How long a command's answer may take, and a call's. */
const ANSWER_TICKS = 5 * TICKS_PER_SECOND;
const CALL_TICKS = 90 * TICKS_PER_SECOND;

/** What a script is made of. */
export interface DialWants {
  /** The modem's first command, or '' for ATZ. */
  init: string;
  /** A script of one's own, in which \T is the number, or ''. */
  chat: string;
}

/** The script for a number; for none, a cable's, it is empty where none is set. Or why it is none. */
export function dialScript({ init, chat }: DialWants, number: string): Step[] | string {
  const numbers = { phone: number, other: '' };
  if (chat !== '') return readScript(chat, numbers);
  if (number === '') return [];
  const say = (text: string): Send => ({ pieces: [`${text}\r`], isHidden: false });
  const first = say(init === '' ? INIT_DEFAULT : init);
  return [
    ...WORDS.map(([text]): Step => ({ kind: 'abort', text })),
    { kind: 'report', text: CONNECT },
    { kind: 'timeout', ticks: ANSWER_TICKS },
    { kind: 'send', send: first },
    // A modem that was left in the middle of something takes the first command for the end of it.
    {
      kind: 'expect',
      all: [
        { text: 'OK', instead: first },
        { text: 'OK', instead: undefined },
      ],
    },
    { kind: 'send', send: say(`ATDT${number}`) },
    { kind: 'timeout', ticks: CALL_TICKS },
    { kind: 'expect', all: [{ text: CONNECT, instead: undefined }] },
    // To the end of its line, behind which the peer speaks.
    { kind: 'expect', all: [{ text: '\n', instead: undefined }] },
  ];
}

/** Which failure the end of a script is. @param abort the text that ended it, or '' */
export function failureOf(abort: string, reason: string, isConnected: boolean): Failure {
  for (const [text, failure] of WORDS) if (abort === text) return failure;
  if (isConnected) return 'login';
  if (abort !== '') return 'no answer';
  return reason.includes(CONNECT) ? 'no answer' : 'no modem';
}
