// What the DHCP server's replies say, and where they go. RFC 2131, sections 4.1 and 4.3.1 (table 3); RFC 2132;
// the client identifier comes back: RFC 6842; the relay's option comes back, last: RFC 3046, section 2.2. A host that
// starts by the network gets `siaddr` and `file` (RFC 951; RFC 2132, 9.4 and 9.5), one by HTTP its class back (UEFI, 24.7).
// Not here: what is decided (server.ts).

import { IF_MTU, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_LAN } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { formatAddress, parseAddress } from '../core/address.ts';
import type { Udp } from '../core/net/udp.ts';
import { characters } from './client-key.ts';
import {
  ACK,
  BOOTREPLY,
  CLIENT_PORT,
  FILE_BYTES,
  FLAG_BROADCAST,
  HTYPE_ETHERNET,
  INFORM,
  LEAST_BYTES,
  MESSAGE_BYTES,
  type Reader,
  SERVER_PORT,
  Writer,
} from './message.ts';
import * as option from './options.ts';
import type { DhcpConfig, Pool } from './pool.ts';

const IP_UDP_BYTES = 28;
const EVERYBODY = -1;
/** What a UEFI firmware that boots by HTTP begins its class with, and looks for in the answer. */
const HTTP_CLIENT = 'HTTPClient';
/** Told when the client does not say what it wants. */
const USUAL = Uint8Array.of(
  option.OPTION_SUBNET_MASK,
  option.OPTION_ROUTER,
  option.OPTION_DOMAIN_NAME_SERVER,
  option.OPTION_DOMAIN_NAME,
  option.OPTION_BROADCAST_ADDRESS,
);

/** What is given: seconds 0 is no lease (INFORM). */
export interface Given {
  address: number;
  seconds: number;
  name: string;
}

export class Replies {
  private readonly writer = new Writer();
  /** Codes that are in the message already. */
  private readonly told = new Uint8Array(256);
  /** What was set by hand, by code. */
  private readonly set = new Map<number, Uint8Array>();
  /** The message that was built last; a view of the writer's buffer. */
  private message: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly udp: Udp,
    private readonly config: DhcpConfig,
    private readonly pool: Pool,
    /** Time servers that the WAN's lease brought. */
    private readonly ntpServers: () => readonly number[],
  ) {}

  /** An OFFER or an ACK, or with type 0 a BOOTREPLY without anything of DHCP (RFC 1534, section 2). */
  send(reader: Reader, type: number, given: Given, source: number): void {
    const { writer, told, set } = this;
    set.clear();
    for (const { code, value } of this.config.options) set.set(code, value);
    this.begin(reader, type);
    if (type === ACK) writer.ciaddr = reader.ciaddr;
    writer.yiaddr = given.address;
    told.fill(0);
    told[option.OPTION_LEASE_TIME] = told[option.OPTION_RENEWAL_TIME] = 1;
    told[option.OPTION_REBINDING_TIME] = told[option.OPTION_SERVER_IDENTIFIER] = 1;
    if (given.seconds !== 0) {
      writer.word(option.OPTION_LEASE_TIME, given.seconds);
      writer.word(option.OPTION_RENEWAL_TIME, given.seconds >>> 1);
      writer.word(option.OPTION_REBINDING_TIME, Math.floor((given.seconds * 7) / 8));
    }
    const list = reader.bytes(option.OPTION_PARAMETER_REQUEST_LIST);
    const wanted = list.length === 0 ? USUAL : list;
    // The mask goes before the router, in whatever order they are wanted (RFC 2132, 3.3).
    if (wanted.includes(option.OPTION_SUBNET_MASK)) this.tell(option.OPTION_SUBNET_MASK, given);
    for (let i = 0; i < wanted.length; i++) this.tell(wanted[i] as number, given);
    for (const { code, always } of this.config.options) if (always) this.tell(code, given);
    this.boot(reader, given);
    this.closeMessage(reader);
    this.deliver(
      reader,
      given.address,
      reader.type === INFORM && reader.ciaddr === 0 ? source : reader.ciaddr,
    );
  }

  /** A NAK: to everybody, as the client's address is not to be used (RFC 2131, 4.3.2). */
  refuse(reader: Reader, type: number, why: string): void {
    this.begin(reader, type);
    if (reader.giaddr !== 0) this.writer.flags = reader.flags | FLAG_BROADCAST;
    this.writer.text(option.OPTION_MESSAGE, why);
    this.closeMessage(reader);
    if (reader.giaddr !== 0) this.udp.send(reader.giaddr, SERVER_PORT, SERVER_PORT, this.message);
    else this.toStation(undefined, EVERYBODY);
  }

  private begin(reader: Reader, type: number): void {
    const { writer } = this;
    const most = reader.half(option.OPTION_MAXIMUM_MESSAGE_SIZE) - IP_UDP_BYTES;
    const mtu = i32at(interfaceAt(INTERFACE_LAN) + IF_MTU) - IP_UDP_BYTES;
    const limit = type === 0 ? LEAST_BYTES : Math.min(mtu, Math.max(MESSAGE_BYTES, most));
    writer.start(BOOTREPLY, reader.xid, type, limit - relayBytes(reader));
    writer.htype = reader.htype;
    writer.flags = reader.flags;
    writer.giaddr = reader.giaddr;
    writer.chaddr = reader.chaddr;
    if (type === 0) return;
    writer.word(option.OPTION_SERVER_IDENTIFIER, this.pool.router);
    if (reader.has(option.OPTION_CLIENT_IDENTIFIER)) {
      writer.bytes(option.OPTION_CLIENT_IDENTIFIER, reader.bytes(option.OPTION_CLIENT_IDENTIFIER));
    }
  }

  private closeMessage(reader: Reader): void {
    const code = option.OPTION_RELAY_AGENT_INFORMATION;
    // A switch puts it in without being a relay: giaddr may be 0.
    this.writer.more(relayBytes(reader));
    if (reader.has(code)) this.writer.bytes(code, reader.bytes(code));
    this.message = this.writer.finish();
  }

  /** Fills in what a host that starts by the network looks for in the fixed fields. */
  private boot(reader: Reader, given: Given): void {
    const { writer, config } = this;
    const file = this.textOf(option.OPTION_BOOT_FILE_NAME);
    const server = parseAddress(this.textOf(option.OPTION_TFTP_SERVER_NAME));
    if (file !== '') {
      writer.file = file;
      if (file.length >= FILE_BYTES) this.tell(option.OPTION_BOOT_FILE_NAME, given);
    }
    if (typeof server === 'number') writer.siaddr = server;
    const vendor = reader.bytes(option.OPTION_VENDOR_CLASS);
    if (config.boot === undefined || this.told[option.OPTION_VENDOR_CLASS] === 2) return;
    for (let i = 0; i < HTTP_CLIENT.length; i++) if (vendor[i] !== HTTP_CLIENT.charCodeAt(i)) return;
    writer.text(option.OPTION_VENDOR_CLASS, HTTP_CLIENT);
  }

  /** The option of that name as it was set by hand, or what `set dhcp boot` makes of it; '' if neither was. */
  private textOf(code: number): string {
    const { boot } = this.config;
    const set = this.set.get(code);
    if (set !== undefined) return characters(set);
    if (boot === undefined) return '';
    return code === option.OPTION_BOOT_FILE_NAME ? boot.file : formatAddress(boot.server || this.pool.router);
  }

  /** Writes an option if we have it to give, once. */
  private tell(code: number, given: Given): void {
    const { writer, told, pool, config } = this;
    if (told[code] !== 0) return;
    told[code] = 1;
    const set = this.set.get(code);
    if (set !== undefined) {
      writer.bytes(code, set);
      told[code] = 2;
      return;
    }
    switch (code) {
      case option.OPTION_TFTP_SERVER_NAME:
      case option.OPTION_BOOT_FILE_NAME:
        if (config.boot !== undefined) writer.text(code, this.textOf(code));
        break;
      case option.OPTION_SUBNET_MASK:
        writer.word(code, pool.mask);
        break;
      case option.OPTION_ROUTER:
        writer.word(code, pool.router);
        break;
      case option.OPTION_DOMAIN_NAME_SERVER:
        if (config.dns.length === 0) writer.word(code, pool.router);
        else writer.addresses(code, config.dns);
        break;
      case option.OPTION_BROADCAST_ADDRESS:
        writer.word(code, pool.router | ~pool.mask);
        break;
      case option.OPTION_DOMAIN_NAME:
        if (config.domain !== '') writer.text(code, config.domain);
        break;
      case option.OPTION_NTP_SERVERS:
        writer.addresses(code, this.ntpServers());
        break;
      case option.OPTION_HOST_NAME:
        if (given.name !== '') writer.text(code, given.name);
        break;
    }
  }

  /** To the relay; to the address that the client has; to all if it wants that; to the one that it gets. */
  private deliver(reader: Reader, yiaddr: number, clientAddress: number): void {
    const { giaddr, chaddr } = reader;
    if (giaddr !== 0) {
      this.udp.send(giaddr, SERVER_PORT, SERVER_PORT, this.message);
      return;
    }
    const isEthernet = reader.htype === HTYPE_ETHERNET && chaddr.length === 6 && (chaddr[0]! & 1) === 0;
    const address = clientAddress !== 0 ? clientAddress : yiaddr;
    const isWanted = clientAddress === 0 && (reader.flags & FLAG_BROADCAST) !== 0;
    if (!isEthernet || isWanted || address === 0) this.toStation(undefined, EVERYBODY);
    else this.toStation(chaddr, address);
  }

  private toStation(mac: Uint8Array | undefined, address: number): void {
    this.udp.sendTo(INTERFACE_LAN, mac, this.pool.router, address, [SERVER_PORT, CLIENT_PORT], this.message);
  }
}

/** Bytes that the relay's option takes. */
function relayBytes(reader: Reader): number {
  const length = reader.lengthOf(option.OPTION_RELAY_AGENT_INFORMATION);
  return length < 0 ? 0 : length + 2 * Math.max(1, Math.ceil(length / 255));
}
