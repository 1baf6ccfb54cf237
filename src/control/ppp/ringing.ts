// A modem that is called: set up, its rings are counted, it is told to answer, and says whether that came to something.
// Not here: what follows behind CONNECT (answer.ts), calls of our own (dial-script.ts), a modem that is none (hayes.ts).
//
//    setting up --OK, OK--> ready --RING, as often as wanted: rang()--> (answer) answering --CONNECT--> connected()
//        ^   no answer, twice: failed()        '--CONNECT: it answers by itself ------------------------^
//        '--- each hour, as a modem that was switched off has forgotten all          NO CARRIER, a fax: failed()
//
// One timer: for the modem's OK, for the end of rings that nobody waited for, and for the hour. Lines are as long as LINE_MOST; the rest of longer ones is not kept.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from '../core/clock.ts';

export interface RingingHost {
  readonly clock: Clock;
  send(text: string): void;
  /** It is set up and waits. */
  ready(): void;
  /** It has rung so often. @param from the caller's number where the modem tells it, or '' */
  rang(count: number, from: string): void;
  /** @param report the modem's line, as in `CONNECT 33600`, behind which the caller speaks */
  connected(report: string): void;
  /** It does not answer, or the call has come to nothing. @param word the modem's, or '' */
  failed(word: string): void;
  /** It has waited for an hour, and may have been switched off meanwhile. */
  stale(): void;
}

const LINE_MOST = 80;
const OK_TICKS = 5 * TICKS_PER_SECOND;
const OK_TRIES = 2;
/** Rings are six seconds apart, at most ten: behind such a pause it is another call. */
const PAUSE_TICKS = 10 * TICKS_PER_SECOND;
const HOUR_TICKS = 3600 * TICKS_PER_SECOND;
/** By which modems say that nothing comes of it; a fax has said hello, or the modem takes it for one. */
const FAILURES = ['NO CARRIER', 'NO ANSWER', 'NO DIAL', 'BUSY', 'ERROR', 'FAX', '+FC', 'VOICE'];
const NUMBER = 'NMBR';
const NUMBER_MOST = 20;

export class Ringing {
  private state: 'off' | 'setting up' | 'ready' | 'answering' = 'off';
  private line = '';
  private rings = 0;
  private from = '';
  /** Commands that are still to be said, and how often the one at hand was. */
  private commands: readonly string[] = [];
  private tries = 0;
  private timer: Timer | undefined;

  constructor(private readonly host: RingingHost) {}

  /** Sets the modem up. @param init its first command @param isAlone whether it is to answer by itself */
  start(init: string, isAlone: boolean): void {
    this.commands = [init, `ATS0=${isAlone ? 1 : 0}`];
    this.state = 'setting up';
    this.line = '';
    this.tries = 0;
    this.say();
  }

  /** Takes the call. */
  answer(): void {
    this.state = 'answering';
    this.wait(-1);
    this.host.send('ATA\r');
  }

  stop(): void {
    this.state = 'off';
    this.wait(-1);
  }

  input(byte: number): void {
    const c = byte & 127;
    if (c === 13 || c === 10) {
      const { line } = this;
      this.line = '';
      if (line !== '') this.heard(line);
    } else if (c >= 32 && c < 127 && this.line.length < LINE_MOST) {
      this.line += String.fromCharCode(c);
    }
  }

  private heard(line: string): void {
    const { state, host } = this;
    if (state === 'off') return;
    if (state === 'setting up') {
      if (line === 'OK') this.said();
      else if (line === 'ERROR') this.fail(line);
      return;
    }
    if (line.startsWith('CONNECT')) {
      this.stop();
      host.connected(line);
    } else if (state === 'answering') {
      if (FAILURES.some(word => line.startsWith(word))) this.fail(line);
    } else if (line.startsWith(NUMBER)) {
      this.from = digitsOf(line);
    } else if (line.startsWith('RING')) {
      this.rings++;
      this.wait(PAUSE_TICKS, () => this.isReady());
      host.rang(this.rings, this.from);
    }
  }

  /** Says the command at hand. */
  private say(): void {
    if (this.tries++ === OK_TRIES) {
      this.fail('');
      return;
    }
    this.host.send(`${this.commands[0]}\r`);
    this.wait(OK_TICKS, () => this.say());
  }

  private said(): void {
    this.commands = this.commands.slice(1);
    this.tries = 0;
    if (this.commands.length > 0) {
      this.say();
      return;
    }
    this.isReady();
    this.host.ready();
  }

  /** Nobody rings: waits, an hour at most. */
  private isReady(): void {
    this.state = 'ready';
    this.rings = 0;
    this.from = '';
    this.wait(HOUR_TICKS, () => this.host.stale());
  }

  private fail(word: string): void {
    this.stop();
    this.host.failed(word);
  }

  private wait(ticks: number, run: () => void = () => {}): void {
    const { clock } = this.host;
    if (this.timer !== undefined) clock.cancel(this.timer);
    this.timer = undefined;
    if (ticks < 0) return;
    this.timer = clock.after(ticks, () => {
      this.timer = undefined;
      run();
    });
  }
}

function digitsOf(line: string): string {
  let digits = '';
  for (let i = NUMBER.length; i < line.length && digits.length < NUMBER_MOST; i++)
    if ((line[i] as string) >= '0' && (line[i] as string) <= '9') digits += line[i];
  return digits;
}
