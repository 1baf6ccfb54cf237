// A sim board that somebody calls: its serial ports have their chips, and at the other end of each is what a test plays: a cable, a modem, a caller's PPP.
// Time is virtual.

import { createSimBoard, type SimBoard } from '../../../board/sim/board.ts';
import type { SimPort } from '../../../board/sim/serial.ts';
import { DCD } from '../../../hal/serial/ns16550-model.ts';
import { seeded } from '../../../tools/harness/random.ts';
import { NOW_AT } from '../../base/cells.ts';
import { puti32 } from '../../base/memory.ts';
import { End, hex, PppTime, type WantsChange, wants } from './ppp-lab.ts';

const PROMPT = 'masqbox> ';

/** FCS-16 of RFC 1662, appendix C.2, a bit at a time. */
function fcs(bytes: readonly number[]): number {
  let sum = 0xffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1) !== 0 ? (sum >> 1) ^ 0x8408 : sum >> 1;
  }
  return sum;
}

/** A frame as anybody sends it: whole header, all control characters escaped. */
export function frameOf(protocol: number, data: ArrayLike<number>): number[] {
  const plain = [0xff, 3, protocol >> 8, protocol & 255, ...Array.from(data)];
  const sum = fcs(plain) ^ 0xffff;
  const all = [...plain, sum & 255, sum >> 8];
  return [0x7e, ...all.flatMap(b => (b < 32 || b === 0x7e || b === 0x7d ? [0x7d, b ^ 32] : [b])), 0x7e];
}

/** What comes out of a port. */
export class Far {
  /** All that came, as text; what a test has seen it takes away. */
  heard = '';
  private frame: number[] | undefined;
  private isEscaped = false;
  readonly frames: { protocol: number; data: number[] }[] = [];

  constructor(readonly port: SimPort) {
    port.wire = { onBytes: bytes => this.take(bytes) };
  }

  send(what: string | ArrayLike<number>): void {
    this.port.write(typeof what === 'string' ? Array.from(what, c => c.charCodeAt(0)) : what);
  }

  protected take(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.heard += String.fromCharCode(byte);
      this.unframe(byte);
    }
  }

  private unframe(byte: number): void {
    if (byte === 0x7e) {
      const frame = this.frame ?? [];
      this.frame = [];
      this.isEscaped = false;
      if (frame.length > 4 && fcs(frame) === 0xf0b8) this.whole(frame.slice(0, -2));
    } else if (byte === 0x7d) {
      this.isEscaped = true;
    } else {
      this.frame?.push(this.isEscaped ? byte ^ 32 : byte);
      this.isEscaped = false;
    }
  }

  private whole(frame: number[]): void {
    let at = frame[0] === 0xff ? 2 : 0;
    const first = frame[at++] as number;
    const protocol = (first & 1) !== 0 ? first : (first << 8) | (frame[at++] as number);
    this.frames.push({ protocol, data: frame.slice(at) });
  }
}

/** A modem at a port: it knows some commands, rings when somebody calls, and has a carrier. */
export class PlayedModem extends Far {
  readonly commands: string[] = [];
  /** What it says to a command; undefined: the usual. */
  answer: (command: string) => string | undefined = () => undefined;
  isOnline = false;
  private line = '';

  constructor(port: SimPort) {
    super(port);
    port.uart.setModem(DCD, false);
  }

  say(line: string): void {
    this.send(`\r\n${line}\r\n`);
  }

  connect(report = 'CONNECT 33600'): void {
    this.say(report);
    this.isOnline = true;
    this.port.uart.setModem(DCD, true);
  }

  hangUp(): void {
    if (!this.isOnline) return;
    this.isOnline = false;
    this.port.uart.setModem(DCD, false);
    this.say('NO CARRIER');
  }

  protected override take(bytes: Uint8Array): void {
    super.take(bytes);
    if (this.isOnline && !this.port.uart.dtr) this.hangUp();
    if (this.isOnline) return;
    for (const byte of bytes) {
      this.line += String.fromCharCode(byte);
      if (byte !== 13) continue;
      const command = this.line.slice(0, -1);
      this.line = '';
      this.commands.push(command);
      this.send(`${command}\r`);
      const answer = this.answer(command);
      if (answer !== undefined) {
        if (answer.startsWith('CONNECT')) this.connect(answer);
        else if (answer !== '') this.say(answer);
      } else if (command === 'ATA' || command.startsWith('ATD')) this.connect();
      else this.say('OK');
    }
  }

  /** DTR is seen without bytes too. */
  look(): void {
    if (this.isOnline && !this.port.uart.dtr) this.hangUp();
  }
}

/** A caller's PPP at a port. */
export class Peer {
  readonly end: End;
  private seen = 0;

  constructor(
    private readonly called: Called,
    readonly far: Far,
    change: WantsChange,
    seed = 5,
  ) {
    this.end = new End(called.time.clock, seeded(seed), wants(change));
    this.end.send_ = (protocol, data) => far.send(frameOf(protocol, data));
    this.seen = far.frames.length;
    called.peers.push(this);
  }

  open(): this {
    this.end.session.open();
    return this;
  }

  /** Frames that have come since it was here last. */
  work(): void {
    for (; this.seen < this.far.frames.length; this.seen++) {
      const { protocol, data } = this.far.frames[this.seen] as { protocol: number; data: number[] };
      this.end.hear(protocol, Uint8Array.from(data));
    }
  }

  get isUp(): boolean {
    return this.end.result !== undefined;
  }

  close(): void {
    this.end.session.close('the caller has had enough');
  }

  /** It is gone: nothing more is said or heard. */
  die(): void {
    this.end.send_ = () => {};
    this.called.peers.splice(this.called.peers.indexOf(this), 1);
  }

  get sent(): string[] {
    return this.end.sent.map(({ protocol, data }) => `${protocol.toString(16)} ${hex(data)}`);
  }
}

/** The board that is called. */
export class Called {
  readonly time = new PppTime();
  readonly peers: Peer[] = [];
  readonly modems: PlayedModem[] = [];
  /** Frames that left by the LAN's card. */
  readonly lan: Uint8Array[] = [];
  said = '';
  private now = 0;

  private constructor(readonly board: SimBoard) {}

  static async start(serial: readonly number[] = [1]): Promise<Called> {
    let made: Called | undefined;
    let early = '';
    const board = await createSimBoard({
      serial,
      onFrame: (card, frame) => {
        if (card === 0) made?.lan.push(frame);
      },
      onOutput: text => {
        if (made === undefined) early += text;
        else made.said += text;
      },
    });
    made = new Called(board);
    made.said = early;
    made.seconds(10, () => made.said.endsWith(PROMPT));
    return made;
  }

  cable(index = 1): Far {
    return new Far(this.board.port(index));
  }

  modem(index = 1): PlayedModem {
    const modem = new PlayedModem(this.board.port(index));
    this.modems.push(modem);
    return modem;
  }

  seconds(seconds: number, until: () => boolean = () => false): this {
    for (let tick = 0; tick < 100 * seconds && !until(); tick++) {
      this.board.advance(1);
      puti32(NOW_AT, ++this.now);
      for (const modem of this.modems) modem.look();
      for (const peer of [...this.peers]) peer.work();
      this.time.clock.run();
    }
    return this;
  }

  /** Types a line, and answers what the board says to it. */
  type(line: string): string {
    this.said = '';
    this.board.type(`${line}\r`);
    this.seconds(20, () => this.said.endsWith(PROMPT));
    return this.said
      .slice(this.said.indexOf('\n') + 1, -PROMPT.length)
      .replaceAll('\r', '')
      .trimEnd();
  }

  /** Types settings; answers what was refused. */
  set(...lines: string[]): string {
    return lines
      .map(line => this.type(`set ${line}`))
      .filter(said => said !== '')
      .join('\n');
  }

  stateOf(link: string): string {
    return (
      this.type('show ppp')
        .split('\n')
        .find(line => line.startsWith(link)) ?? ''
    );
  }
}
