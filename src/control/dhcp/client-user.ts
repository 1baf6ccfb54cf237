// What the DHCP client works for and with (client.ts), and who it says that it is (client-sender.ts).

import type { Context } from '../core/context.ts';
import type { Lease } from './client-lease.ts';

/** What the client works for. */
export interface User {
  /** Why a lease cannot be used here, or undefined. */
  refuse(lease: Lease): string | undefined;
  /** Uses a lease from now on, or, undefined, none: at once. */
  use(lease: Lease | undefined): void;
  /** The address before the power went, which a server is asked for again, or 0. */
  lastAddress?(): number;
  readonly identity: Identity;
}

/** What a provider may want to hear. */
export interface Identity {
  /** The host name to send, or ''. */
  hostName: string;
  /** The client identifier; undefined: type and station address, empty: none is sent. */
  clientId?: Uint8Array | undefined;
  /** The vendor class, or nothing. */
  vendorClass?: string | undefined;
}

/** What the client needs of control. */
export type ClientContext = Pick<Context, 'machine' | 'clock' | 'udp' | 'log' | 'random'>;
