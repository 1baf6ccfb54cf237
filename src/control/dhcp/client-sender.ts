// What the DHCP client sends: RFC 2131, table 5 (which fields and options each message has) and section 4.1.
// Not here: when (client.ts).

import type { Udp } from '../core/net/udp.ts';
import type { Lease } from './client-lease.ts';
import type { Identity } from './client-user.ts';
import {
  BOOTREQUEST,
  CLIENT_PORT,
  DECLINE,
  DISCOVER,
  HTYPE_ETHERNET,
  RELEASE,
  REQUEST,
  SERVER_PORT,
  Writer,
} from './message.ts';
import {
  OPTION_CLASSLESS_ROUTES,
  OPTION_CLIENT_IDENTIFIER,
  OPTION_DOMAIN_NAME,
  OPTION_DOMAIN_NAME_SERVER,
  OPTION_HOST_NAME,
  OPTION_INTERFACE_MTU,
  OPTION_MAXIMUM_MESSAGE_SIZE,
  OPTION_NTP_SERVERS,
  OPTION_PARAMETER_REQUEST_LIST,
  OPTION_REBINDING_TIME,
  OPTION_RENEWAL_TIME,
  OPTION_REQUESTED_ADDRESS,
  OPTION_ROUTER,
  OPTION_SERVER_IDENTIFIER,
  OPTION_SUBNET_MASK,
  OPTION_VENDOR_CLASS,
} from './options.ts';

/** Bytes of an IP datagram that we can take. */
const DATAGRAM_MOST = 1500;
const EVERYBODY = -1;
/** In the order of importance, for servers short of room; 121 stands before 3 (RFC 3442). */
const PARAMETERS = Uint8Array.of(
  OPTION_SUBNET_MASK,
  OPTION_CLASSLESS_ROUTES,
  OPTION_ROUTER,
  OPTION_DOMAIN_NAME_SERVER,
  OPTION_RENEWAL_TIME,
  OPTION_REBINDING_TIME,
  OPTION_INTERFACE_MTU,
  OPTION_DOMAIN_NAME,
  OPTION_NTP_SERVERS,
);

export interface Sender {
  /** @param wished the address that we would like, or 0 */
  discover(xid: number, secs: number, wished: number): void;
  /** Asks for what a server has offered. */
  select(xid: number, secs: number, offer: Lease): void;
  /** Asks whether an address that we remember is good (INIT-REBOOT). */
  verify(xid: number, secs: number, address: number): void;
  /** Asks for more time: the server of the lease, or everybody. */
  extend(xid: number, secs: number, lease: Lease, everybody: boolean): void;
  decline(xid: number, lease: Lease): void;
  /** @param station the station to which frames for the server go, if it is known */
  release(xid: number, lease: Lease, station: Uint8Array | undefined): void;
}

/**
 * @param link where everybody is asked
 * @param mac answers the station address there
 * @param identity as whom we speak; it may change
 */
export function createSender(udp: Udp, link: number, mac: () => Uint8Array, identity: Identity): Sender {
  const writer = new Writer();
  const identifier = new Uint8Array(7);

  /**
   * The client identifier is type and station address, as most hosts send it, not RFC 4361's DUID: providers
   * know their customers by the station address, and both ways must name the same client. Some want another, or none.
   */
  function begin(type: number, xid: number): void {
    writer.start(BOOTREQUEST, xid, type);
    writer.chaddr = mac();
    identifier[0] = HTYPE_ETHERNET;
    identifier.set(mac(), 1);
    const id = identity.clientId ?? identifier;
    if (id.length > 0) writer.bytes(OPTION_CLIENT_IDENTIFIER, id);
  }

  /** What DISCOVER and REQUEST have in common at their end. */
  function wishes(): void {
    writer.half(OPTION_MAXIMUM_MESSAGE_SIZE, DATAGRAM_MOST);
    if (identity.hostName !== '') writer.text(OPTION_HOST_NAME, identity.hostName);
    if (identity.vendorClass !== undefined) writer.text(OPTION_VENDOR_CLASS, identity.vendorClass);
    writer.bytes(OPTION_PARAMETER_REQUEST_LIST, PARAMETERS);
  }

  function broadcast(source: number): void {
    udp.sendTo(link, undefined, source, EVERYBODY, [CLIENT_PORT, SERVER_PORT], writer.finish());
  }

  return {
    discover: (xid, secs, wished) => {
      begin(DISCOVER, xid);
      writer.secs = secs;
      if (wished !== 0) writer.word(OPTION_REQUESTED_ADDRESS, wished);
      wishes();
      broadcast(0);
    },
    select: (xid, secs, offer) => {
      begin(REQUEST, xid);
      writer.secs = secs;
      writer.word(OPTION_REQUESTED_ADDRESS, offer.address);
      writer.word(OPTION_SERVER_IDENTIFIER, offer.server);
      wishes();
      broadcast(0);
    },
    verify: (xid, secs, address) => {
      begin(REQUEST, xid);
      writer.secs = secs;
      writer.word(OPTION_REQUESTED_ADDRESS, address);
      wishes();
      broadcast(0);
    },
    extend: (xid, secs, lease, everybody) => {
      begin(REQUEST, xid);
      writer.secs = secs;
      writer.ciaddr = lease.address;
      wishes();
      if (everybody) broadcast(lease.address);
      else udp.send(lease.server, SERVER_PORT, CLIENT_PORT, writer.finish(), lease.address);
    },
    decline: (xid, lease) => {
      begin(DECLINE, xid);
      writer.word(OPTION_REQUESTED_ADDRESS, lease.address);
      writer.word(OPTION_SERVER_IDENTIFIER, lease.server);
      broadcast(0);
    },
    // The address is gone right after it, so there is no time for ARP: to the station that brought the ACK.
    release: (xid, lease, station) => {
      begin(RELEASE, xid);
      writer.ciaddr = lease.address;
      writer.word(OPTION_SERVER_IDENTIFIER, lease.server);
      const { address, server } = lease;
      const data = writer.finish();
      if (station === undefined) udp.send(server, SERVER_PORT, CLIENT_PORT, data, address);
      else udp.sendTo(link, station, address, server, [CLIENT_PORT, SERVER_PORT], data);
    },
  };
}
