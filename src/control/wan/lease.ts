// What the WAN uses of a client that gets an address for it, and of what that is granted. Not here: the client by DHCP
// (src/control/dhcp/client.ts), which src/control/control.ts hands in.

import type { Prefix } from '../core/address.ts';

/** What was granted. */
export interface Lease extends Prefix {
  /** The server's address. */
  readonly server: number;
  /** 0: none. */
  readonly gateway: number;
  /** Gateway 0: the destination is on the link. */
  readonly routes: readonly {
    readonly destination: number;
    readonly length: number;
    readonly gateway: number;
  }[];
  /** 0: none was told. */
  readonly mtu: number;
  readonly dnsServers: readonly number[];
  readonly ntpServers: readonly number[];
  readonly domain: string;
  readonly isForever: boolean;
  readonly seconds: number;
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

/** What the client is told. */
export interface User {
  /** Why a lease cannot be used here, or undefined. */
  refuse(lease: Lease): string | undefined;
  /** Uses a lease from now on, or, undefined, none: at once. */
  use(lease: Lease | undefined): void;
  /** The address before the power went, which a server is asked for again, or 0. */
  lastAddress(): number;
  readonly identity: Identity;
}

export interface Client {
  readonly state: string;
  readonly lease: Lease | undefined;
  /** Seconds since it was granted. */
  readonly ageSeconds: number;
  start(restarted: boolean): void;
  /** Asks for more time. */
  renew(): void;
  /** Gives back what it has, and asks for nothing more. */
  stop(): void;
}
