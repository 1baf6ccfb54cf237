// Talks to a serial console as a person would: types, waits for what must come, and keeps the whole transcript.
// Every wait is bounded; a wait that fails shows the transcript's end.

import type { Duplex } from 'node:stream';
import { MORE, plainOutput } from '../../src/control/core/console/screen.ts';
import { PATIENCE_SECONDS } from './processes.ts';

/** Transcript kept, in characters. A whole boot is a few thousand. */
const TRANSCRIPT_LIMIT = 1 << 20;
/** Transcript shown by a failure. */
const REPORT_LIMIT = 6000;

export const PROMPT = /(?:^|[\r\n])masqbox> $/;

/** The next prompt, or the pager's question. */
const ANSWER = new RegExp(`${PROMPT.source}|${MORE.source}`);

/** The same behind a command's echo: whatever may follow, the first of them is its own. */
const OWN_ANSWER = /(?:^|[\r\n])masqbox> |-- more: [^-]*--/;

/** Longer lines are echoed through a window. */
const ECHO_CHARACTERS = 60;

export class Console {
  transcript = '';
  /** Called with everything that comes, as it comes. */
  watcher: (bytes: Buffer) => void = () => {};
  /** Where the next expect() starts to look. */
  #mark = 0;
  #closed = false;
  readonly #stream: Duplex;
  readonly #watchers = new Set<() => void>();

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => {
      this.watcher(bytes);
      // The console speaks ASCII; latin1 keeps any other byte apart and visible. XON and XOFF are for a line's driver.
      this.transcript += bytes.toString('latin1').replaceAll('\x11', '').replaceAll('\x13', '');
      const excess = this.transcript.length - TRANSCRIPT_LIMIT;
      if (excess > 0) {
        this.transcript = this.transcript.slice(excess);
        this.#mark = Math.max(0, this.#mark - excess);
      }
      this.#wake();
    });
    const close = (): void => {
      this.#closed = true;
      this.#wake();
    };
    stream.on('close', close).on('error', close);
  }

  write(text: string): void {
    this.#stream.write(Buffer.from(text, 'latin1'));
  }

  /**
   * Waits for a pattern in what came since the last expect(), and answers the text up to and with it.
   * The pattern's `$` is the end of what has come so far.
   */
  async expect(pattern: RegExp | string, seconds: number): Promise<string> {
    const find = (): number => {
      const text = this.transcript.slice(this.#mark);
      if (typeof pattern === 'string') {
        const at = text.indexOf(pattern);
        return at < 0 ? -1 : at + pattern.length;
      }
      const match = pattern.exec(text);
      return match === null ? -1 : match.index + match[0].length;
    };
    const end = await this.#wait(find, seconds);
    if (end < 0) {
      const why = this.#closed ? 'the console closed' : `nothing matched in ${seconds} s`;
      throw new Error(`Cannot see ${pattern} on the console: ${why}\n${this.report()}`);
    }
    const text = this.transcript.slice(this.#mark, this.#mark + end);
    this.#mark += end;
    return text;
  }

  /**
   * Types a line, waits for the prompt behind its echo, and answers what was printed between, with line feeds only. A
   * notice that the log shows before or after brings a prompt of its own, which is not taken for the command's.
   */
  async command(line: string, seconds = PATIENCE_SECONDS): Promise<string> {
    this.#mark = this.transcript.length;
    this.write(`${line}\r`);
    const isWhole = line.length <= ECHO_CHARACTERS;
    if (isWhole) await this.expect(`${line}\r\n`, seconds);
    const end = isWhole ? OWN_ANSWER : ANSWER;
    let text = await this.expect(end, seconds);
    if (MORE.test(text)) {
      this.write('a');
      text += await this.expect(end, seconds);
    }
    const lines = plainOutput(text).replace(/\r/g, '').split('\n');
    return lines.slice(isWhole ? 0 : 1, -1).join('\n'); // without the echo and the prompt
  }

  close(): void {
    this.#stream.destroy();
  }

  report(): string {
    const tail = this.transcript.slice(-REPORT_LIMIT).replace(/\r/g, '');
    return `--- console ---\n${tail}\n--- end of console ---`;
  }

  async #wait(find: () => number, seconds: number): Promise<number> {
    const first = find();
    if (first >= 0 || this.#closed) return first;
    return await new Promise<number>(resolve => {
      const finish = (end: number): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(end);
      };
      const check = (): void => {
        const end = find();
        if (end >= 0 || this.#closed) finish(end);
      };
      const timer = setTimeout(() => finish(-1), seconds * 1000);
      this.#watchers.add(check);
    });
  }

  #wake(): void {
    for (const check of [...this.#watchers]) check();
  }
}
