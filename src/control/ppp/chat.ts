// A chat script carried out: waits for texts from a modem or a login, answers them, and gives up at an ABORT text or a timeout.
// Not here: the script's language (chat-script.ts), the line itself.
//
//    next step --expect--> waiting --text has come--> next step            two timers:
//        |                    |  '--- too late, with another text --> sending --> waiting    how long a text is waited for, TIMEOUT
//        '--- send --> sending --pieces gone--> next step                                     the pauses \d and \p of what is sent
//
// What comes while something is sent is kept, as much as HEARD_MOST, and looked at when something is waited for again. The eighth bit of
// what comes is nothing: a login may send parity.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { BREAK, DEFAULT_SECONDS, type Expect, type Piece, type Send, type Step } from './chat-script.ts';

/** Characters that wait while nothing is waited for: of more the oldest go. */
const HEARD_MOST = 2048;
/** Characters of what came last, in which texts are found, and of a reported line. */
const TAIL_MOST = 512;
const REPORT_MOST = 80;

export interface ChatHost {
  readonly clock: Clock;
  send(bytes: Uint8Array): void;
  sendBreak(): void;
  /** What SAY, ECHO ON and a trace want to be seen, without its last return. */
  say(text: string): void;
  echo(text: string): void;
  /** A line from a REPORT text on, such as `CONNECT 33600`. */
  report(line: string): void;
  done(): void;
  /** @param abort the text that ended it, or '' after a timeout or a hang-up */
  failed(reason: string, abort: string): void;
}

export class Chat {
  private readonly aborts: string[] = [];
  private readonly reports: string[] = [];
  private timeoutTicks = DEFAULT_SECONDS * TICKS_PER_SECOND;
  private isEchoing = false;
  private mayHangUp = true;
  private isOver = false;
  /** It is at work: what its host does meanwhile, as to answer at once, waits for the next turn. */
  private isRunning = false;
  private step = -1;
  /** What is waited for, which of its texts, and the first character in which it may be found. */
  private waiting: readonly Expect[] | undefined;
  private alternative = 0;
  private from = 0;
  /** What came, and how much of it has been looked at. */
  private heard = '';
  private at = 0;
  /** A reported line, as far as it has come. */
  private line: string | undefined;
  /** What is being sent, the next of its pieces, and what is waited for behind it in place of a step. */
  private pieces: readonly Piece[] | undefined;
  private piece = 0;
  private behind: readonly Expect[] | undefined;
  private timer: Timer | undefined;

  constructor(
    private readonly host: ChatHost,
    private readonly steps: readonly Step[],
  ) {}

  /** Of the bytes that came last those that nobody has looked at: behind the end of the script they are another's. */
  get unread(): number {
    return this.heard.length - this.at;
  }

  start(): void {
    this.run();
  }

  /** Ends it; nobody is told. */
  stop(): void {
    this.isOver = true;
    this.sleep(-1);
  }

  /** Bytes from the line. */
  input(bytes: ArrayLike<number>): void {
    if (this.isOver) return;
    let text = '';
    for (let i = 0; i < bytes.length; i++) text += String.fromCharCode((bytes[i] as number) & 127);
    if (this.isEchoing) this.host.echo(text);
    this.heard += text;
    if (this.heard.length - this.at > HEARD_MOST) {
      this.at = this.heard.length - HEARD_MOST;
      this.from = this.at;
    }
    // What has been looked at goes now and then, not with each byte.
    const old = this.at - TAIL_MOST;
    if (old >= TAIL_MOST) {
      this.heard = this.heard.slice(old);
      this.at -= old;
      this.from = Math.max(0, this.from - old);
    }
    this.run();
  }

  /** The carrier has gone. */
  hungUp(): void {
    if (this.mayHangUp) this.fail('The line was hung up', '');
  }

  // --- steps ----------------------------------------------------------------------------------------------------

  /** Goes on until something has to be waited for. */
  private run(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    while (!this.isOver) {
      if (this.pieces !== undefined) {
        if (!this.sendsAll()) break;
      } else if (this.waiting !== undefined) {
        if (!this.finds()) break;
      } else {
        this.next();
      }
    }
    this.isRunning = false;
  }

  private next(): void {
    const step = this.steps[++this.step];
    if (step === undefined) {
      this.stop();
      this.host.done();
    } else if (step.kind === 'expect') this.expect(step.all, 0);
    else if (step.kind === 'send') this.send(step.send, undefined);
    else this.command(step);
  }

  private command(step: Exclude<Step, { kind: 'expect' | 'send' }>): void {
    if (step.kind === 'timeout') this.timeoutTicks = step.ticks;
    else if (step.kind === 'echo') this.isEchoing = step.isOn;
    else if (step.kind === 'hangup') this.mayHangUp = step.isOn;
    else if (step.kind === 'say') this.host.say(step.text);
    else if (step.kind === 'abort') this.aborts.push(step.text);
    else if (step.kind === 'report') this.reports.push(step.text);
    else if ('text' in step) {
      const list = step.kind === 'clear-abort' ? this.aborts : this.reports;
      const at = list.indexOf(step.text);
      if (at >= 0) list.splice(at, 1);
    }
  }

  private expect(all: readonly Expect[], alternative: number): void {
    if (all[alternative]?.text === '') return;
    this.waiting = all;
    this.alternative = alternative;
    this.from = this.at;
    this.sleep(this.timeoutTicks, () => this.late());
  }

  /** It has not come: something is sent in its place, or it is over. */
  private late(): void {
    const all = this.waiting as readonly Expect[];
    const { text, instead } = all[this.alternative] as Expect;
    this.waiting = undefined;
    if (instead === undefined) this.fail(`No "${shown(text)}" has come`, '');
    else this.send(instead, all[this.alternative + 1] === undefined ? undefined : all);
  }

  private send({ pieces }: Send, behind: readonly Expect[] | undefined): void {
    this.pieces = pieces;
    this.piece = 0;
    this.behind = behind;
  }

  /** Sends as far as the next pause; whether it was the end. */
  private sendsAll(): boolean {
    const { host } = this;
    const pieces = this.pieces as readonly Piece[];
    while (this.piece < pieces.length) {
      const piece = pieces[this.piece++] as Piece;
      if (typeof piece === 'number') {
        this.sleep(piece, () => {});
        return false;
      }
      if (piece === BREAK) host.sendBreak();
      else host.send(Uint8Array.from(piece, c => c.charCodeAt(0)));
      if (this.isOver) return false;
    }
    this.pieces = undefined;
    const { behind } = this;
    if (behind !== undefined) this.expect(behind, this.alternative + 1);
    return true;
  }

  // --- what comes ---------------------------------------------------------------------------------------------------

  /** Looks at what has come, a character after the other; whether it is what is waited for. */
  private finds(): boolean {
    const { text } = (this.waiting as readonly Expect[])[this.alternative] as Expect;
    while (this.at < this.heard.length) {
      this.at++;
      this.reported();
      if (this.endsWith(text)) {
        this.waiting = undefined;
        this.sleep(-1);
        return true;
      }
      for (let i = 0; i < this.aborts.length; i++) {
        const abort = this.aborts[i] as string;
        if (!this.endsWith(abort)) continue;
        this.fail(`"${shown(abort)}"`, abort);
        return false;
      }
    }
    return false;
  }

  /** Whether a text ends with the character that was looked at last, all of it since something is waited for. */
  private endsWith(text: string): boolean {
    const { heard, at } = this;
    const { length } = text;
    if (heard.charCodeAt(at - 1) !== text.charCodeAt(length - 1) || at - length < this.from) return false;
    return heard.startsWith(text, at - length);
  }

  private reported(): void {
    if (this.line !== undefined) {
      const c = this.heard[this.at - 1] as string;
      if (c !== '\r' && c !== '\n' && this.line.length < REPORT_MOST) {
        this.line += c;
        return;
      }
      this.host.report(shown(this.line));
      this.line = undefined;
      return;
    }
    for (let i = 0; i < this.reports.length && this.line === undefined; i++) {
      const text = this.reports[i] as string;
      if (this.endsWith(text)) this.line = text;
    }
  }

  private fail(reason: string, abort: string): void {
    if (this.isOver) return;
    this.stop();
    this.host.failed(reason, abort);
  }

  /** The one timer, of what is waited for or of a pause. */
  private sleep(ticks: number, then: () => void = () => {}): void {
    const { clock } = this.host;
    if (this.timer !== undefined) clock.cancel(this.timer);
    this.timer = undefined;
    if (ticks < 0) return;
    this.timer = clock.after(ticks, () => {
      this.timer = undefined;
      then();
      this.run();
    });
  }
}

/** A text for a line of the log. */
function shown(text: string): string {
  let line = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    line += c >= 32 && c < 127 ? text[i] : '?';
  }
  return line;
}
