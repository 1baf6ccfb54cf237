// A telephone exchange and the Hayes modems at it, for boards and guests that call each other: what is dialled, busy lines, rings, carriers
// that are lost, the escape sequence, and a line that is slow, late and noisy. A modem's other end is a stream of bytes, of which no line but those of
// the data crosses: who has it sees no carrier and pulls no DTR.
//
//     command    AT... is answered: Z, E, A, D, H, O, S0=; all other letters are OK      ATDT2 -> dialling, ATA -> online
//     dialling   the other rings until it answers, or nobody did in time                 any byte hangs up
//     online     bytes cross                                                             1 s of silence, +++, 1 s: command, and the call goes on
//
// Time is the real one, of which a modem's is shortened: training takes no ten seconds here.
// Not here: a guest's stream (user-mode-linux.ts), QEMU's (qemu.ts).

import type { Duplex } from 'node:stream';
import type { Random } from './random.ts';

const RING_MS = 1000;
const RINGS_MOST = 12;
const TRAINING_MS = 300;
const GUARD_MS = 1000;
const TURN_MS = 20;
/** What a line holds: past it bytes are lost, as no flow control stops who sends. */
const HELD_MOST = 1 << 18;
const COMMAND_MOST = 80;
const ESCAPE = '+++';

export interface LineOptions {
  /** Bits a second, ten a byte. */
  readonly rate?: number;
  /** Milliseconds that a byte is under way. */
  readonly delay?: number;
  /** Of a thousand bytes so many have a wrong bit. */
  readonly noise?: number;
  readonly random?: Random;
}

/** One direction of a call. */
class Way {
  private held: { at: number; byte: number }[] = [];
  private budget = 0;
  lost = 0;

  constructor(
    private readonly options: LineOptions,
    private readonly give: (bytes: Buffer) => void,
  ) {}

  put(bytes: Buffer): void {
    const at = Date.now() + (this.options.delay ?? 50);
    for (const byte of bytes) {
      if (this.held.length >= HELD_MOST) this.lost++;
      else this.held.push({ at, byte: this.noisy(byte) });
    }
  }

  turn(milliseconds: number): void {
    const rate = (this.options.rate ?? 38_400) / 10_000;
    this.budget = Math.min(this.budget + rate * milliseconds, rate * 5 * TURN_MS);
    const now = Date.now();
    let count = 0;
    while (count < this.held.length && count + 1 <= this.budget && (this.held[count]?.at ?? now) <= now)
      count++;
    if (this.held.length === 0) this.budget = Math.min(this.budget, rate * TURN_MS);
    if (count === 0) return;
    this.budget -= count;
    this.give(Buffer.from(this.held.splice(0, count).map(({ byte }) => byte)));
  }

  private noisy(byte: number): number {
    const { noise = 0, random } = this.options;
    return random !== undefined && random.below(1000) < noise ? byte ^ (1 << random.below(8)) : byte;
  }
}

type State = 'command' | 'dialling' | 'ringing' | 'online' | 'escaped';

export class Modem {
  state: State = 'command';
  /** All commands that it was given, the newest last. */
  readonly commands: string[] = [];
  /** A call's other end, and the way there. */
  private other: Modem | undefined;
  private way: Way | undefined;
  private echoes = true;
  private answersAfter = 0;
  private rings = 0;
  private line = '';
  private heardAt = 0;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly exchange: Exchange,
    readonly number: string,
    private readonly stream: Duplex,
    private readonly options: LineOptions,
  ) {
    stream.on('data', (bytes: Buffer) => this.hear(bytes));
    stream.on('error', () => this.drop());
  }

  get isFree(): boolean {
    return this.state === 'command';
  }

  /** Bytes that had no room on the way from here, in this call. */
  get lost(): number {
    return this.way?.lost ?? 0;
  }

  /** The carrier goes away, at both ends. */
  drop(): void {
    const other = this.other;
    this.end();
    other?.end();
  }

  turn(milliseconds: number): void {
    this.way?.turn(milliseconds);
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private later(milliseconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      then();
    }, milliseconds);
    this.timers.add(timer);
  }

  private say(text: string): void {
    this.stream.write(`\r\n${text}\r\n`);
  }

  private hear(bytes: Buffer): void {
    const silence = Date.now() - this.heardAt;
    this.heardAt = Date.now();
    if (this.state === 'online') {
      if (silence >= GUARD_MS && bytes.toString('latin1') === ESCAPE)
        this.later(GUARD_MS, () => this.escape());
      this.way?.put(bytes);
    } else if (this.state === 'dialling') this.drop();
    else for (const byte of bytes) this.type(String.fromCharCode(byte));
  }

  private escape(): void {
    if (this.state !== 'online' || Date.now() - this.heardAt < GUARD_MS - TURN_MS) return;
    this.state = 'escaped';
    this.say('OK');
  }

  private type(character: string): void {
    if (this.echoes) this.stream.write(character);
    if (character !== '\r') {
      if (character !== '\n' && this.line.length < COMMAND_MOST) this.line += character;
      return;
    }
    const line = this.line.trim();
    this.line = '';
    if (line !== '') this.obey(line);
  }

  private obey(line: string): void {
    this.commands.push(line);
    // Whatever stands before AT is noise, of who has not heard yet that the call is over.
    const command = /.*at(.*)$/i.exec(line)?.[1]?.replaceAll(' ', '').toUpperCase();
    if (command === undefined) return;
    const dialled = /D[TP]?([0-9,*#W-]+);?$/.exec(command)?.[1]?.replace(/[^0-9]/g, '');
    const automatic = /S0=(\d+)/.exec(command)?.[1];
    if (automatic !== undefined) this.answersAfter = Number(automatic);
    if (/^Z|&F/.test(command))
      [this.echoes, this.answersAfter] = [true, automatic === undefined ? 0 : this.answersAfter];
    if (command.includes('E0')) this.echoes = false;
    if (dialled !== undefined) this.dial(dialled);
    else if (/^A$/.test(command)) this.answer();
    else if (/^H/.test(command)) {
      this.drop();
      this.say('OK');
    } else if (/^O/.test(command) && this.state === 'escaped') {
      this.state = 'online';
      this.say('CONNECT');
    } else this.say('OK');
  }

  private dial(number: string): void {
    const other = this.exchange.at(number);
    if (this.other !== undefined) this.say('ERROR');
    else if (other === undefined) this.later(RING_MS, () => this.say('NO ANSWER'));
    else if (!other.isFree) this.later(RING_MS, () => this.say('BUSY'));
    else {
      [this.state, this.other] = ['dialling', other];
      other.ring(this);
    }
  }

  /** Rings on behalf of who calls, until it is answered or that one gives up. */
  private ring(from: Modem): void {
    if (this.other === undefined) [this.state, this.other, this.rings] = ['ringing', from, 0];
    if (this.state !== 'ringing' || this.other !== from) return;
    if (++this.rings > RINGS_MOST) {
      from.noAnswer();
      return;
    }
    this.say('RING');
    if (this.answersAfter > 0 && this.rings >= this.answersAfter) this.answer();
    else this.later(RING_MS, () => this.ring(from));
  }

  private noAnswer(): void {
    const other = this.other;
    this.forget();
    other?.forget();
    this.say('NO ANSWER');
  }

  private answer(): void {
    const from = this.other;
    if (this.state !== 'ringing' || from === undefined) {
      this.say('NO CARRIER');
      return;
    }
    this.later(TRAINING_MS, () => {
      if (this.other !== from || from.other !== this) this.say('NO CARRIER');
      else for (const one of [from, this]) one.connect();
    });
  }

  private connect(): void {
    const other = this.other as Modem;
    this.state = 'online';
    this.heardAt = Date.now();
    this.say(`CONNECT ${this.options.rate ?? 38_400}`);
    this.way = new Way(this.options, bytes => {
      if (other.state === 'online') other.stream.write(bytes);
    });
  }

  /** The call is over here. */
  private end(): void {
    const was = this.state;
    this.forget();
    if (was === 'online' || was === 'escaped' || was === 'dialling') this.say('NO CARRIER');
  }

  private forget(): void {
    this.state = 'command';
    this.other = undefined;
    this.way = undefined;
  }
}

export class Exchange {
  private readonly modems: Modem[] = [];
  private readonly timer: NodeJS.Timeout;
  private turnedAt = Date.now();

  constructor(private readonly options: LineOptions = {}) {
    this.timer = setInterval(() => {
      const now = Date.now();
      for (const modem of this.modems) modem.turn(now - this.turnedAt);
      this.turnedAt = now;
    }, TURN_MS);
  }

  /** A modem with this number, which somebody has by a stream. */
  modem(number: string, stream: Duplex): Modem {
    const modem = new Modem(this, number, stream, this.options);
    this.modems.push(modem);
    return modem;
  }

  at(number: string): Modem | undefined {
    return this.modems.find(modem => modem.number === number);
  }

  close(): void {
    clearInterval(this.timer);
    for (const modem of this.modems) modem.close();
  }
}
