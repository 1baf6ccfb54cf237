// What the users of a TCP connection see of it, and what it needs of what is below.
// Not here: how it works (tcp-connection.ts).

import type { Clock } from '../clock.ts';
import type { Ends } from './tcp-segment.ts';

export type State =
  | 'SYN_SENT'
  | 'ESTABLISHED'
  | 'FIN_WAIT_1'
  | 'FIN_WAIT_2'
  | 'CLOSE_WAIT'
  | 'CLOSING'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSED';

/** How a connection ended. */
export type End = 'closed' | 'reset' | 'timeout' | 'unreachable' | 'aborted';

/** What a user of a connection sees. The callbacks are his to set. */
export interface Connection extends Readonly<Ends> {
  readonly state: State;
  /** The interface by which it was opened by the other side; -1 if it was opened by us. */
  readonly index: number;
  /** In whose share it is, if it was opened by the other side. */
  readonly client: number;
  /** Opened; for a connection of ours. */
  onOpen: () => void;
  /** The next bytes; a view that is valid during the call. What is given to keep() comes again. */
  onData: (data: Uint8Array) => void;
  /** The other side has acknowledged something. */
  onSent: () => void;
  /** The other side sends no more. Unless this is set, our side closes too. */
  onEnd: () => void;
  /** It is over, once. No other callback comes after it. */
  onClose: (end: End) => void;
  /** Its user is at work for the other side: it does not have to make room for another. */
  isBusy: boolean;
  /** Starts the idle time anew. */
  active(): void;
  /** Bytes that are still to be sent or acknowledged. */
  readonly unsent: number;
  /** Bytes that keep() has. */
  readonly unread: number;
  /** From onData(): the last of its bytes come again with the next, or by read(). The window is smaller by them. */
  keep(data: Uint8Array): void;
  /** Hands on what keep() has. */
  read(): void;
  /** Sends bytes; false and nothing is taken if they do not fit, or the connection is closing. */
  write(data: Uint8Array): boolean;
  /** Ends it once all is sent. What still arrives is handed on. */
  close(): void;
  /** Ends it at once. */
  abort(): void;
}

/** What a connection needs of tcp.ts. */
export interface Below {
  clock: Clock;
  send(
    ends: Ends,
    sequence: number,
    acknowledgment: number,
    flags: number,
    window: number,
    data?: Uint8Array,
  ): void;
  /** Whether an answer to a segment that makes no sense is within the rate. */
  mayRepair(): boolean;
  /** It is CLOSED: forget it. */
  gone(connection: Connection): void;
}
