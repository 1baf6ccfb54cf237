// DNS clients that come by TCP: their queries are taken without waiting for answers, which go back as they come
// (RFC 7766, sections 6.2.1.1 and 7). What cannot be taken now stays in the connection, whose window closes: so
// a client that asks faster than it is answered waits, and no query of it fails for that.
//
// A query is taken while fewer than DNS_TCP_QUERIES of the connection wait, the client has not its share of queries under
// way (flight.ts), and answers of at most DNS_TCP_UNSENT bytes are still to be sent. An answer that does not fit behind
// those is dropped, and its query asked again when they are gone: most often the cache has it then.
// Not here: messages in the stream (stream.ts), the port (dns.ts).

import type { Context } from '../core/context.ts';
import { DNS_QUERY_BYTES, DNS_TCP_QUERIES, DNS_TCP_UNSENT } from '../core/limits.ts';
import type { Connection } from '../core/net/tcp.ts';
import type { Forwarder } from './forwarder.ts';
import { HEADER_BYTES } from './message.ts';
import { framed, GIVE_UP, MessageStream, READ_ON, WAIT } from './stream.ts';

/** The connections that are open, and the timer that lets all who wait go on. */
export class Clients {
  private readonly waiting = new Set<() => void>();
  private isDue = false;

  constructor(
    private readonly context: Context,
    private readonly forwarder: Forwarder,
  ) {
    forwarder.onRoom = () => this.goOn();
  }

  /** Answers the queries of a connection. */
  serve(connection: Connection): void {
    const { forwarder } = this;
    let under = 0;
    let ended = false;
    /** Queries whose answers did not fit. */
    const again: Uint8Array[] = [];
    const mayTake = (): boolean =>
      under < DNS_TCP_QUERIES &&
      again.length === 0 &&
      connection.unsent <= DNS_TCP_UNSENT &&
      !forwarder.isAtShare(connection.client);
    const stream = new MessageStream(DNS_QUERY_BYTES, message => {
      // What is no query is not answered: such a client is not one.
      if (message.length < HEADER_BYTES || ((message[2] as number) & 0x80) !== 0) return GIVE_UP;
      connection.active();
      ask(message);
      return mayTake() ? READ_ON : WAIT;
    });
    const ask = (message: Uint8Array): void => {
      under++;
      const reply = (answer: Uint8Array): void => {
        under--;
        if (connection.write(framed(answer))) connection.active();
        else if (connection.unsent > 0) again.push(message);
        else connection.abort();
        this.goOn();
      };
      const { remote, remotePort, index, client } = connection;
      forwarder.ask(message, { address: remote, port: remotePort, index, client, reply });
    };
    /** Takes what has waited, as far as there is room. */
    const more = (): void => {
      while (again.length > 0 && connection.unsent === 0) ask(again.shift() as Uint8Array);
      if (mayTake()) connection.read();
      const isOver = under === 0 && again.length === 0 && connection.unread === 0;
      connection.isBusy = !isOver;
      if (isOver && ended) connection.close();
    };
    connection.onData = data => {
      const taken = mayTake() ? stream.take(data) : 0;
      if (taken < 0) connection.abort();
      else if (taken < data.length) connection.keep(data.subarray(taken));
      connection.isBusy = under > 0 || again.length > 0 || connection.unread > 0;
    };
    connection.onSent = more;
    connection.onEnd = () => {
      ended = true;
      more();
    };
    connection.onClose = () => void this.waiting.delete(more);
    this.waiting.add(more);
  }

  /** Later, as who calls is in the midst of an answer. */
  private goOn(): void {
    if (this.isDue || this.waiting.size === 0) return;
    this.isDue = true;
    this.context.clock.after(0, () => {
      this.isDue = false;
      for (const more of [...this.waiting]) more();
    });
  }
}
