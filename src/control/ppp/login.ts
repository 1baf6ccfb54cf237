// The prompts for a caller who types: his name, then his password, which is not echoed. Not here: whether they are right (answer.ts), how callers
// who speak PPP at once are told apart (frame-start.ts), how long one may take.
//
//    login: bob CR  -->  Password: ****** CR  -->  judged  --wrong, a pause-->  login:, TRIES times
//
// One timer, the pause behind a password: while it runs nothing that is typed counts. A line is as long as LINE_MOST; what is typed beyond is not kept, and spoils it. The eighth bit is nothing, as it may be parity.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from '../core/clock.ts';

export interface LoginHost {
  readonly clock: Clock;
  send(text: string): void;
  isUser(name: string, password: string): boolean;
  loggedIn(name: string): void;
  failed(why: string): void;
}

const LINE_MOST = 64;
const NAME = '\r\nmasqbox login: ';
const PASSWORD = 'Password: ';
const CR = 13;
const BACKSPACE = 8;
const DELETE = 127;
const TRIES = 3;
const WRONG_TICKS = 3 * TICKS_PER_SECOND;
const RIGHT_TICKS = TICKS_PER_SECOND / 2;
/** For what was said last to be read, before the line is hung up. */
const READ_TICKS = TICKS_PER_SECOND;

export class Login {
  private state: 'name' | 'password' | 'deaf' = 'deaf';
  private name = '';
  private line = '';
  private isSpoilt = false;
  private tries = 0;
  private timer: Timer | undefined;

  constructor(private readonly host: LoginHost) {}

  start(): void {
    this.tries = 0;
    this.ask();
  }

  stop(): void {
    this.state = 'deaf';
    if (this.timer !== undefined) this.host.clock.cancel(this.timer);
    this.timer = undefined;
  }

  /** Says why it ends, and when that has been read, ends. */
  end(why: string): void {
    this.host.send(`${why}\r\n`);
    this.pause(READ_TICKS, () => this.host.failed(why));
  }

  input(byte: number): void {
    const { state } = this;
    if (state === 'deaf') return;
    const c = byte & 127;
    if (c === CR) {
      this.entered();
    } else if (c === BACKSPACE || c === DELETE) {
      if (this.line !== '' && state === 'name') this.host.send('\b \b');
      this.line = this.line.slice(0, -1);
    } else if (c >= 32) {
      if (this.line.length === LINE_MOST) {
        this.isSpoilt = true;
        return;
      }
      const text = String.fromCharCode(c);
      this.line += text;
      if (state === 'name') this.host.send(text);
    }
  }

  private ask(): void {
    this.state = 'name';
    this.line = '';
    this.isSpoilt = false;
    this.host.send(NAME);
  }

  private entered(): void {
    const { line, host } = this;
    this.line = '';
    host.send('\r\n');
    if (this.state === 'password') {
      this.judge(this.isSpoilt ? '' : line);
    } else if (line === '') {
      this.ask();
    } else {
      this.name = line;
      this.state = 'password';
      host.send(PASSWORD);
    }
  }

  private judge(password: string): void {
    const { host, name } = this;
    if (host.isUser(name, password)) {
      this.pause(RIGHT_TICKS, () => host.loggedIn(name));
      return;
    }
    this.pause(WRONG_TICKS, () => {
      if (++this.tries === TRIES) {
        this.end('Login incorrect');
        return;
      }
      host.send('Login incorrect\r\n');
      this.ask();
    });
  }

  private pause(ticks: number, run: () => void): void {
    this.stop();
    this.timer = this.host.clock.after(ticks, () => {
      this.timer = undefined;
      run();
    });
  }
}
