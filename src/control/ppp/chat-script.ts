// The language of chat scripts, as pppd's `chat` has it: words, quotes, escapes, and what each word is.
// Not here: carrying one out (chat.ts). Words are those of a line or of a file, in which # begins a comment at a line's first character.
//
//    expect send expect send ...        an expect may be  what-send-what-send-what : on a timeout that is sent, and the next waited for
//    in an expect's place:  ABORT text   CLR_ABORT text   REPORT text   CLR_REPORT text   TIMEOUT seconds   SAY text
//                           ECHO ON|OFF   HANGUP ON|OFF
//    in a send's place:     EOT   BREAK
//
// Escapes: \b \n \r \s \t \\ \N (zero) \ddd (octal) ^C; and in what is sent \c (no return behind it) \d (a second) \p (a tenth) \K (a
// break) \q (not shown) \T (the number to call) \U (a second text). A dash in an expect is \-.

import { TICKS_PER_SECOND } from '../../base/limits.ts';

/** A word with more would be no dialogue: others have overflowed at them. */
const WORD_MOST = 255;
export const DEFAULT_SECONDS = 45;
const SECONDS_MOST = 3600;

/** Something to send: characters, ticks to wait, or a break of the line. */
export type Piece = string | number | 'break';
export const BREAK = 'break';

export interface Send {
  pieces: readonly Piece[];
  /** It is not to be seen in a log. */
  isHidden: boolean;
}

/** What is waited for; what is sent when it does not come, and then the next one. */
export interface Expect {
  text: string;
  instead: Send | undefined;
}

export type Step =
  | { kind: 'expect'; all: readonly Expect[] }
  | { kind: 'send'; send: Send }
  | { kind: 'abort' | 'clear-abort' | 'report' | 'clear-report' | 'say'; text: string }
  | { kind: 'timeout'; ticks: number }
  | { kind: 'echo' | 'hangup'; isOn: boolean };

/** What \T and \U stand for. */
export interface Numbers {
  phone: string;
  other: string;
}

const TEXT_WORDS = {
  ABORT: 'abort',
  CLR_ABORT: 'clear-abort',
  REPORT: 'report',
  CLR_REPORT: 'clear-report',
  SAY: 'say',
} as const;
const SWITCH_WORDS = { ECHO: 'echo', HANGUP: 'hangup' } as const;

/** A script, or why it is none. */
export function readScript(text: string, numbers: Numbers): Step[] | string {
  const words = wordsOf(text);
  if (typeof words === 'string') return words;
  const steps: Step[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const word = words[i] as string;
    const next = words[i + 1];
    const special = specialOf(word, next, numbers);
    if (typeof special === 'string') return special;
    if (special !== undefined) {
      steps.push(special);
      continue;
    }
    steps.push({ kind: 'expect', all: alternatives(word, numbers) });
    if (next !== undefined) steps.push({ kind: 'send', send: sendOf(next, numbers) });
  }
  return steps;
}

/** What a word in an expect's place commands. */
function specialOf(word: string, next: string | undefined, numbers: Numbers): Step | string | undefined {
  const isText = Object.hasOwn(TEXT_WORDS, word);
  const isSwitch = Object.hasOwn(SWITCH_WORDS, word);
  if (!isText && !isSwitch && word !== 'TIMEOUT') return undefined;
  if (next === undefined) return `${word} is followed by nothing`;
  if (isText) {
    const text = plain(next, numbers);
    if (text === '' && word !== 'SAY') return `${word} wants a text`;
    return { kind: TEXT_WORDS[word as keyof typeof TEXT_WORDS], text };
  }
  if (isSwitch) {
    if (next !== 'ON' && next !== 'OFF') return `${word} wants ON or OFF, not ${next}`;
    return { kind: SWITCH_WORDS[word as keyof typeof SWITCH_WORDS], isOn: next === 'ON' };
  }
  const seconds = Number(next);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > SECONDS_MOST)
    return `TIMEOUT wants 0 to ${SECONDS_MOST} seconds, not ${next}`;
  // As `chat` has it: none is the usual time.
  return { kind: 'timeout', ticks: (seconds === 0 ? DEFAULT_SECONDS : seconds) * TICKS_PER_SECOND };
}

const isBlank = (c: string): boolean => c === ' ' || c === '\t' || c === '\n' || c === '\r';

/** The words of a text, without their quotes and with their escapes; or what is wrong. */
function wordsOf(text: string): string[] | string {
  const words: string[] = [];
  let at = 0;
  let isLineStart = true;
  while (at < text.length) {
    const c = text[at] as string;
    if (isBlank(c)) {
      isLineStart = c === '\n' || (isLineStart && c === '\r');
      at++;
      continue;
    }
    if (c === '#' && isLineStart) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
      continue;
    }
    isLineStart = false;
    const quote = c === '"' || c === "'" ? c : '';
    const from = at + quote.length;
    at = from;
    while (at < text.length && (quote === '' ? !isBlank(text[at] as string) : text[at] !== quote))
      at += text[at] === '\\' ? 2 : 1;
    if (quote !== '' && at >= text.length) return `A quote is not closed: ${c}${text.slice(from, from + 20)}`;
    const word = text.slice(from, at);
    if (word.length > WORD_MOST) return `A word has more than ${WORD_MOST} characters: ${word.slice(0, 20)}`;
    words.push(word);
    at += quote.length;
  }
  return words;
}

/** The parts of an expect between dashes: waited for, sent, waited for, ... */
function alternatives(word: string, numbers: Numbers): Expect[] {
  const parts: string[] = [''];
  for (let at = 0; at < word.length; at++) {
    const c = word[at] as string;
    const last = parts.length - 1;
    if (c === '-') {
      parts.push('');
    } else if (c === '\\' && word[at + 1] === '-') {
      parts[last] += '-';
      at++;
    } else if (c === '\\') {
      parts[last] += c + (word[at + 1] ?? '');
      at++;
    } else {
      parts[last] += c;
    }
  }
  const all: Expect[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const instead = parts[i + 1];
    all.push({
      text: plain(parts[i] as string, numbers),
      instead: instead === undefined ? undefined : sendOf(instead, numbers),
    });
  }
  return all;
}

/** What a word says to send. */
function sendOf(word: string, numbers: Numbers): Send {
  if (word === 'EOT') return { pieces: ['\x04'], isHidden: false };
  if (word === 'BREAK') return { pieces: [BREAK], isHidden: false };
  const reader = new Reader(word, numbers, true);
  reader.run();
  return { pieces: reader.pieces, isHidden: reader.isHidden };
}

/** The text that a word is. */
function plain(word: string, numbers: Numbers): string {
  const reader = new Reader(word, numbers, false);
  reader.run();
  return reader.pieces.join('');
}

const SIMPLE: Readonly<Record<string, string>> = {
  b: '\b',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
  N: '\0',
  '\\': '\\',
};

/** Reads the escapes of one word. */
class Reader {
  readonly pieces: Piece[] = [];
  isHidden = false;
  private at = 0;
  private text = '';
  private endsWithReturn: boolean;

  constructor(
    private readonly word: string,
    private readonly numbers: Numbers,
    private readonly isSent: boolean,
  ) {
    this.endsWithReturn = isSent;
  }

  run(): void {
    const { word } = this;
    while (this.at < word.length) {
      const c = word[this.at++] as string;
      if (c === '\\') this.escape();
      else if (c === '^' && this.at < word.length)
        this.text += String.fromCharCode(word.charCodeAt(this.at++) & 31);
      else this.text += c;
    }
    if (this.endsWithReturn) this.text += '\r';
    this.flush();
  }

  private flush(): void {
    if (this.text !== '') this.pieces.push(this.text);
    this.text = '';
  }

  private escape(): void {
    const c = this.word[this.at++];
    if (c === undefined) this.text += '\\';
    else if (c >= '0' && c <= '7') this.octal(c);
    else if (Object.hasOwn(SIMPLE, c)) this.text += SIMPLE[c];
    else if (c === 'q') this.isHidden = true;
    else if (!this.isSent) this.text += c;
    else this.sent(c);
  }

  /** Those that mean something in what is sent alone. */
  private sent(c: string): void {
    if (c === 'c') this.endsWithReturn = false;
    else if (c === 'T') this.text += this.numbers.phone;
    else if (c === 'U') this.text += this.numbers.other;
    else if (c === 'd' || c === 'p') this.piece(c === 'd' ? TICKS_PER_SECOND : TICKS_PER_SECOND / 10);
    else if (c === 'K') this.piece(BREAK);
    else this.text += c;
  }

  private piece(piece: Piece): void {
    this.flush();
    this.pieces.push(piece);
  }

  /** Up to three digits. */
  private octal(first: string): void {
    let value = Number(first);
    for (let n = 0; n < 2; n++) {
      const c = this.word[this.at] ?? '';
      if (c < '0' || c > '7') break;
      value = 8 * value + Number(c);
      this.at++;
    }
    this.text += String.fromCharCode(value & 255);
  }
}
