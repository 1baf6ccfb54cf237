// Connections to servers: one to each, by which all its queries go, without waiting for answers, which come in any order
// (RFC 7766, sections 6.2.1 and 7). It stays open for a while after the last.
//
// What finds no room, in the table of connections or behind what is still to be sent, waits here until there is.
// A connection that ends leaves its queries to sender.ts: by a new one, if it has answered any, else by UDP.
// Not here: which server gets a query, and for how long it is waited for (sender.ts).

import { since, type Timer } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { DNS_PIPE_IDLE_TICKS, DNS_TCP_BYTES, DNS_TCP_TICKS } from '../core/limits.ts';
import type { Connection } from '../core/net/tcp.ts';
import type { Flight } from './flight.ts';
import { HEADER_BYTES, read16 } from './message.ts';
import { framed, MessageStream, READ_ON } from './stream.ts';

export const DNS_PORT = 53;

/** What becomes of a connection's queries. */
export interface PipeUser {
  /** The answer to a query; not whole if it is longer than DNS_TCP_BYTES. */
  answered(flight: Flight, message: Uint8Array, isWhole: boolean): void;
  /** The connection has ended before the answer came. */
  lost(flight: Flight, pipe: Pipe): void;
}

export class Pipe {
  private connection: Connection | undefined;
  /** Those that were not answered yet, and of them those that were not sent yet. */
  private flights: Flight[] = [];
  private unsent: Flight[] = [];
  private idle: Timer | undefined;
  /** The connection that is open, or was last, has brought answers, and when the last. */
  hasAnswered = false;
  private heardAt = 0;

  constructor(
    private readonly context: Context,
    readonly address: number,
    private readonly user: PipeUser,
    private readonly makeRoom: () => boolean,
  ) {}

  get isIdle(): boolean {
    return this.connection !== undefined && this.flights.length === 0;
  }

  get isUseless(): boolean {
    return this.connection === undefined && this.flights.length === 0;
  }

  uses(id: number): boolean {
    return this.flights.some(flight => flight.id === id);
  }

  /** It has brought nothing for somebody since then, though it did before: its other end may have lost it. */
  isSilentSince(tick: number): boolean {
    return this.hasAnswered && since(this.heardAt, tick) < 0;
  }

  /** Takes a query, which is sent now or later. False if there is no way to the server. */
  add(flight: Flight): boolean {
    this.flights.push(flight);
    this.unsent.push(flight);
    flight.pipe = this;
    if (this.idle !== undefined) this.context.clock.cancel(this.idle);
    this.idle = undefined;
    if (this.connection !== undefined) this.connection.isBusy = true;
    return this.flush();
  }

  remove(flight: Flight): void {
    flight.pipe = undefined;
    this.flights = this.flights.filter(other => other !== flight);
    this.unsent = this.unsent.filter(other => other !== flight);
    const { connection } = this;
    if (connection === undefined || this.flights.length > 0) return;
    connection.isBusy = false;
    if (connection.state === 'SYN_SENT') this.hangUp();
    else this.idle ??= this.context.clock.after(DNS_PIPE_IDLE_TICKS, () => this.close());
  }

  /** Sends what waits, as far as there is room. False if there is no way to the server. */
  flush(): boolean {
    if (this.unsent.length === 0) return true;
    const { tcp, clock } = this.context;
    if (this.connection === undefined && !this.open()) return tcp.isShort();
    while (this.unsent.length > 0) {
      const [flight] = this.unsent as [Flight];
      if (this.connection?.write(framed(flight.query)) !== true) break;
      this.unsent.shift();
      flight.sent(clock.now(), DNS_TCP_TICKS);
    }
    return true;
  }

  /** Ends the connection at once; nobody waits for it, or its place is wanted more. */
  hangUp(): void {
    const { connection } = this;
    this.forget();
    connection?.abort();
  }

  /** The same, and those who wait are told that it is lost. */
  giveUp(): void {
    const { connection } = this;
    this.lose();
    connection?.abort();
  }

  private close(): void {
    const { connection } = this;
    this.forget();
    connection?.close();
  }

  private forget(): void {
    this.connection = undefined;
    if (this.idle !== undefined) this.context.clock.cancel(this.idle);
    this.idle = undefined;
  }

  private open(): boolean {
    const { tcp } = this.context;
    let connection = tcp.connect(this.address, DNS_PORT);
    if (connection === undefined && tcp.isShort() && this.makeRoom())
      connection = tcp.connect(this.address, DNS_PORT);
    if (connection === undefined) return false;
    this.connection = connection;
    this.hasAnswered = false;
    const stream = new MessageStream(
      DNS_TCP_BYTES,
      (message, isWhole) => {
        this.take(message, isWhole);
        return READ_ON;
      },
      true,
    );
    const opened = connection;
    const ended = (): void => {
      if (this.connection === opened) this.lose();
    };
    opened.onData = data => void stream.take(data);
    opened.onSent = () => void this.flush();
    opened.onClose = ended;
    opened.onEnd = () => {
      ended();
      opened.close();
    };
    return true;
  }

  /** An answer, if it is one: who else would say it is on nobody's way (RFC 5452, section 9.1). */
  private take(message: Uint8Array, isWhole: boolean): void {
    const id = message.length < HEADER_BYTES ? -1 : read16(message, 0);
    const flight = this.flights.find(other => other.id === id);
    if (flight === undefined || flight.isAnswer(message) === 0) return;
    this.hasAnswered = true;
    this.heardAt = this.context.clock.now();
    this.remove(flight);
    this.user.answered(flight, message, isWhole);
  }

  private lose(): void {
    this.forget();
    const lost = this.flights;
    this.flights = [];
    this.unsent = [];
    for (const flight of lost) {
      flight.pipe = undefined;
      this.user.lost(flight, this);
    }
  }
}

export class Pipes {
  private pipes: Pipe[] = [];

  constructor(
    private readonly context: Context,
    private readonly user: PipeUser,
  ) {}

  /** The one to a server. */
  to(address: number): Pipe {
    this.pipes = this.pipes.filter(pipe => !pipe.isUseless);
    const found = this.pipes.find(pipe => pipe.address === address);
    if (found !== undefined) return found;
    const pipe = new Pipe(this.context, address, this.user, () => this.makeRoom());
    this.pipes.push(pipe);
    return pipe;
  }

  /** Sends what waited for room. */
  flush(): void {
    for (const pipe of this.pipes) pipe.flush();
  }

  /** Gives up a connection that nobody waits for. */
  private makeRoom(): boolean {
    const idle = this.pipes.find(pipe => pipe.isIdle);
    idle?.hangUp();
    return idle !== undefined;
  }
}
