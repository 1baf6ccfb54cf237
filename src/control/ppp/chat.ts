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
  private step = -1;
  /** What is waited for, which of its texts, and what came last. */
  private waiting: readonly Expect[] | undefined;
  private alternative = 0;
  private tail = '';
  /** A reported line, as far as it has come. */
  private line: string | undefined;
  private heard = '';
  private pieces: readonly Piece[] = [];
  private piece = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly host: ChatHost,
    private readonly steps: readonly Step[],
  ) {}

  start(): void {
    this.next();
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
    this.heard = (this.heard + text).slice(-HEARD_MOST);
    this.look();
  }

  /** The carrier has gone. */
  hungUp(): void {
    if (this.mayHangUp) this.fail('The line was hung up', '');
  }

  // --- steps ----------------------------------------------------------------------------------------------------

  /** Goes on, up to a step that has to wait. */
  private next(): void {
    while (!this.isOver) {
      const step = this.steps[++this.step];
      if (step === undefined) {
        this.stop();
        this.host.done();
        return;
      }
      if (step.kind === 'expect') {
        this.expect(step.all, 0);
        return;
      }
      if (step.kind === 'send') {
        this.send(step.send);
        return;
      }
      this.command(step);
    }
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
    this.waiting = all;
    this.alternative = alternative;
    this.tail = '';
    if (all[alternative]?.text === '') {
      this.found();
      return;
    }
    this.sleep(this.timeoutTicks, () => this.late());
    this.look();
  }

  private found(): void {
    this.waiting = undefined;
    this.sleep(-1);
    this.next();
  }

  /** It has not come: something is sent in its place, or it is over. */
  private late(): void {
    const { alternative } = this;
    const all = this.waiting as readonly Expect[];
    const { text, instead } = all[alternative] as Expect;
    this.waiting = undefined;
    if (instead === undefined) this.fail(`No "${shown(text)}" has come`, '');
    else
      this.send(instead, () =>
        all[alternative + 1] === undefined ? this.next() : this.expect(all, alternative + 1),
      );
  }

  private send({ pieces }: Send, then: () => void = () => this.next()): void {
    this.pieces = pieces;
    this.piece = 0;
    this.pieceOf(then);
  }

  private pieceOf(then: () => void): void {
    const { host } = this;
    while (this.piece < this.pieces.length) {
      const piece = this.pieces[this.piece++] as Piece;
      if (typeof piece === 'number') {
        this.sleep(piece, () => this.pieceOf(then));
        return;
      }
      if (piece === BREAK) host.sendBreak();
      else host.send(Uint8Array.from(piece, c => c.charCodeAt(0)));
    }
    then();
  }

  // --- what comes ---------------------------------------------------------------------------------------------------

  /** Looks at what has come, a character after the other, while something is waited for. */
  private look(): void {
    while (this.waiting !== undefined && this.heard !== '' && !this.isOver) {
      const c = this.heard[0] as string;
      this.heard = this.heard.slice(1);
      this.tail = (this.tail + c).slice(-TAIL_MOST);
      this.reported(c);
      const { text } = this.waiting[this.alternative] as Expect;
      if (this.tail.endsWith(text)) {
        this.found();
        continue;
      }
      const abort = this.aborts.find(text => this.tail.endsWith(text));
      if (abort !== undefined) this.fail(`"${shown(abort)}"`, abort);
    }
  }

  private reported(c: string): void {
    if (this.line !== undefined) {
      if (c !== '\r' && c !== '\n' && this.line.length < REPORT_MOST) {
        this.line += c;
        return;
      }
      this.host.report(shown(this.line));
      this.line = undefined;
      return;
    }
    this.line = this.reports.find(text => this.tail.endsWith(text));
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
