// The board's console as a program uses it: brings it to its prompt, runs commands, knows where an answer ends.
//
// The prompt alone does not tell: a line of the log may come at any moment, and a new prompt behind it. So each
// command is followed by a comment that nobody has typed before, and the answer ends where the console echoes it:
//
//    typed    export CR                 #k3f0a1 CR
//    comes    masqbox> export           echo of the command, perhaps drawn anew around a line of the log
//             set lan address ...       the answer, and whatever the log said meanwhile
//             masqbox> #k3f0a1          the end
//
// What is typed ahead keeps the pager from asking. Should it ask all the same, as the comment is still on the line,
// it takes one of the blanks before the comment for its key. Nothing of the board's configuration is changed.
// Not here: the port (port.ts), what commands say (pull.ts, push.ts, status.ts and so on).

import { MORE, PROMPT } from '../../src/control/core/console/console.ts';
import { Failure, NO_ANSWER } from './failure.ts';
import type { Port } from './port.ts';
import type { ByteLine } from './ymodem.ts';

/** The speed of a board's console. */
export const BOARD_BAUD = 115200;
const PASSWORD_PROMPT = 'Password: ';
/** Ends what runs, but for a transfer that is under way. */
const INTERRUPT = '\x03';
/** Ends that too; at the prompt these do nothing. */
const CANCEL = '\x18\x18\x18';
const OPEN_TRIES = 3;
/** More pages than the board can make until the comment has come. */
const BLANKS = ' '.repeat(16);
/** Text kept: a `show masq` of 4,096 sessions is 350 KB. */
const TEXT_LIMIT = 1 << 20;
/** Bytes that mean nothing to us: NUL, bell, XON, XOFF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SILENT = /[\0\x07\x11\x13]/g;
/** What no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const GARBAGE = /[^\t\b\r\n\x1b\x20-\x7e]/g;
/** Share of such bytes in what a line at another speed brings; a text with umlauts stays far below. */
const GARBAGE_SHARE = 0.2;

const AT_PROMPT = new RegExp(`(?:^|[\\r\\n])${PROMPT}$`);
const ASKS = new RegExp(`(?:^|[\\r\\n])(?:${PROMPT}|${PASSWORD_PROMPT})$`);
const LOGGED_IN = new RegExp(`Wrong; [^\\r\\n]*\\r\\n|${AT_PROMPT.source}`);
/** Rows by which the board says that a command was not done, or came damaged. */
const REFUSAL = /^Cannot |^\d+ bytes were lost on the line/;

export interface Answer {
  readonly rows: readonly string[];
  /** The first row by which the board refuses. */
  readonly refusal: string | undefined;
}

export interface SessionOptions {
  /** How long the board may be silent before it is given up. */
  readonly patience: number;
  /** Called when the board asks for its password. */
  readonly password: () => Promise<string>;
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The last row that says something. */
function lastRow(text: string): string {
  const rows = text.split(/[\r\n]+/).filter(row => row.trim() !== '');
  return (rows.at(-1) ?? '').trim();
}

export class Session implements ByteLine {
  /** What has come and is not used yet. */
  private text = '';
  private marks = 0;
  private readonly salt = Math.floor(Math.random() * 36 ** 4).toString(36);

  constructor(
    private readonly port: Pick<Port, 'path' | 'baud' | 'write' | 'some' | 'now'>,
    private readonly options: SessionOptions,
  ) {}

  /** Brings the board to its prompt: ends what runs there, and logs in where a password is asked for. */
  async open(): Promise<void> {
    let heard = '';
    for (let attempt = 0; attempt < OPEN_TRIES; attempt++) {
      this.text = '';
      await this.type(attempt === 0 ? INTERRUPT : CANCEL + INTERRUPT);
      const until = this.now() + this.options.patience / OPEN_TRIES;
      while (this.now() < until && !ASKS.test(this.text)) await this.hear(until - this.now());
      if (ASKS.test(this.text)) {
        if (this.text.endsWith(PASSWORD_PROMPT)) await this.logIn();
        return;
      }
      heard += this.text;
    }
    throw this.silence(heard);
  }

  /** Runs a command and answers the rows it printed; lines of the log that came meanwhile are among them. */
  async run(command: string, patience = this.options.patience): Promise<Answer> {
    const mark = `#${this.salt}${(this.marks++).toString(36)}`;
    // The row that has begun is the prompt, which tells the echo.
    this.text = this.text.slice(this.text.lastIndexOf('\n') + 1);
    await this.type(`${command}\r${BLANKS}${mark}\r`);
    const end = new RegExp(`(?:^|\\r?\\n)${PROMPT} *${mark}\\r\\n`);
    const match = await this.expect(end, patience);
    if (match === undefined) {
      const said = lastRow(this.text);
      await this.type(INTERRUPT);
      throw new Failure(
        `Cannot go on after "${command}": the board's prompt did not come back in ${patience / 1000} s; it says: ${said}`,
        NO_ANSWER,
      );
    }
    const rows = rowsOf(match.before);
    return { rows, refusal: rows.find(row => REFUSAL.test(row)) };
  }

  /** Types text, as it is. */
  async type(text: string): Promise<void> {
    await this.port.write(latin1(text));
  }

  /**
   * Waits for a pattern in what has come, and uses it up with all before it. Undefined when the board was silent for
   * too long.
   */
  async expect(
    pattern: RegExp,
    patience = this.options.patience,
  ): Promise<{ match: RegExpExecArray; before: string } | undefined> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) {
        const before = this.text.slice(0, match.index);
        this.text = this.text.slice(match.index + match[0].length);
        return { match, before };
      }
      if (!(await this.hear(patience))) return undefined;
    }
  }

  /** The next whole row, or undefined when the board was silent. */
  async row(patience: number): Promise<string | undefined> {
    return (await this.expect(/\r?\n/, patience))?.before.replace(/^\r+/, '');
  }

  /** Lets time pass, and keeps what comes. */
  async rest(milliseconds: number): Promise<void> {
    for (const until = this.now() + milliseconds; this.now() < until; ) await this.hear(until - this.now());
  }

  /** Whether the board waits for a command, as far as is known. */
  get isAtPrompt(): boolean {
    return AT_PROMPT.test(this.text);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.port.write(bytes);
  }

  async read(milliseconds: number): Promise<number | undefined> {
    if (this.text === '' && !(await this.hear(milliseconds))) return undefined;
    const byte = this.text.charCodeAt(0);
    this.text = this.text.slice(1);
    return Number.isNaN(byte) ? undefined : byte;
  }

  now(): number {
    return this.port.now();
  }

  /** Takes what comes; false when nothing did. */
  private async hear(milliseconds: number): Promise<boolean> {
    const bytes = await this.port.some(Math.max(0, milliseconds));
    this.text = (this.text + Buffer.from(bytes).toString('latin1').replace(SILENT, '')).slice(-TEXT_LIMIT);
    return bytes.length > 0;
  }

  private async logIn(): Promise<void> {
    const password = await this.options.password();
    this.text = '';
    await this.port.write(Buffer.from(`${password}\r`, 'utf8'));
    const seen = await this.expect(LOGGED_IN);
    if (seen === undefined) throw new Failure('Cannot log in: the board does not answer', NO_ANSWER);
    if (seen.match[0].startsWith('Wrong'))
      throw new Failure('Cannot log in: the password is another', NO_ANSWER);
    this.text = PROMPT;
  }

  private silence(heard: string): Failure {
    const { path, baud } = this.port;
    const what = `Cannot talk to the board on ${path}`;
    const seconds = Math.round(this.options.patience / 1000);
    if (heard === '') {
      return new Failure(
        `${what}: nothing came in ${seconds} s; is the board on, the cable a null modem's, the speed ${baud} (--baud)?`,
        NO_ANSWER,
      );
    }
    const garbage = heard.match(GARBAGE)?.length ?? 0;
    if (garbage > GARBAGE_SHARE * heard.length) {
      return new Failure(
        `${what}: what comes is no text, so its speed is not ${baud}; the board's is ${BOARD_BAUD} unless it was set (--baud)`,
        NO_ANSWER,
      );
    }
    return new Failure(
      `${what}: it answers, but with no prompt of Masqbox in ${seconds} s; it says: ${lastRow(heard)}`,
      NO_ANSWER,
    );
  }
}

/** The rows of a command's answer, without echoes and what the pager has drawn. */
function rowsOf(text: string): string[] {
  const rows = text.replaceAll(MORE, '').split(/\r?\n/);
  if (rows.at(-1) === '') rows.pop();
  return rows.map(row => row.replace(/^(\r *)+/, '')).filter(row => !row.startsWith(PROMPT));
}
