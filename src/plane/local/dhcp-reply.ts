// What the WAN's DHCP client can want now: RFC 2131, section 4.4. UDP port 68 is open to everybody outside while the
// client runs, and reading a message costs control a thousand times what a look at its fixed fields costs here.
//
//    0           4     8        12
//    | interface | xid | tokens | tick |      interface: -1 while the client waits for nothing
//
// Not compared is the address of the server: behind relays and where several share one, an answer comes from another
// than the one that was asked. Who can guess 32 bits of xid sees the requests, and has DHCP_REPLY_BURST at once, then one
// each DHCP_REPLY_TICKS; past that the client's next try is answered.
// Not here: what a message says (src/control/dhcp/client.ts).

import { NOW_AT } from '../../base/cells.ts';
import { IF_MAC, interfaceAt } from '../../base/interface.ts';
import { DHCP_REPLY_AT, DHCP_REPLY_BURST, DHCP_REPLY_TICKS } from '../../base/limits.ts';
import { get8, get16, get32, i32at, puti32 } from '../../base/memory.ts';
import { PACKET_L4, PACKET_PORTS } from '../../base/packet.ts';
import { UDP_HEADER_BYTES, UDP_LENGTH } from '../../wire/udp.ts';

const REPLY_INTERFACE: i32 = DHCP_REPLY_AT;
const REPLY_XID: i32 = DHCP_REPLY_AT + 4;
const REPLY_TOKENS: i32 = DHCP_REPLY_AT + 8;
const REPLY_TICK: i32 = DHCP_REPLY_AT + 12;

export const DHCP_CLIENT_PORT: i32 = 68;
const DHCP_SERVER_PORT: i32 = 67;
/** Fixed part and magic cookie (RFC 2131, figure 1). */
const LEAST_BYTES: i32 = 240;
/** op BOOTREPLY, htype Ethernet, hlen 6. */
const BOOTREPLY_ETHERNET: i32 = 0x020106;
const XID: i32 = 4;
const CHADDR: i32 = 28;

/** Nobody waits for an answer. */
export function dhcpExpectNothing(): void {
  puti32(REPLY_INTERFACE, -1);
}

/** The client waits for an answer with this xid by an interface. */
export function dhcpExpect(index: i32, xid: i32): void {
  if (i32at(REPLY_INTERFACE) !== index || i32at(REPLY_XID) !== xid) {
    puti32(REPLY_TOKENS, DHCP_REPLY_BURST);
    puti32(REPLY_TICK, i32at(NOW_AT));
  }
  puti32(REPLY_INTERFACE, index);
  puti32(REPLY_XID, xid);
}

/** 1 if a whole UDP datagram to port 68 may be an answer that the client waits for. */
export function dhcpExpected(packet: i32, index: i32): i32 {
  if (i32at(REPLY_INTERFACE) !== index) return 0;
  if (i32at(packet + PACKET_PORTS) >>> 16 !== DHCP_SERVER_PORT) return 0;
  const l4: i32 = i32at(packet + PACKET_L4);
  if (get16(l4 + UDP_LENGTH) < UDP_HEADER_BYTES + LEAST_BYTES) return 0;
  const message: i32 = l4 + UDP_HEADER_BYTES;
  if (get32(message) >>> 8 !== BOOTREPLY_ETHERNET || get32(message + XID) !== i32at(REPLY_XID)) return 0;
  const mac: i32 = interfaceAt(index) + IF_MAC;
  for (let i: i32 = 0; i < 6; i++) if (get8(message + CHADDR + i) !== get8(mac + i)) return 0;
  return takeToken();
}

function takeToken(): i32 {
  const now: i32 = i32at(NOW_AT);
  const passed: i32 = (now - i32at(REPLY_TICK)) | 0;
  let tokens: i32 = i32at(REPLY_TOKENS);
  if (passed < 0 || passed >= DHCP_REPLY_BURST * DHCP_REPLY_TICKS) {
    tokens = DHCP_REPLY_BURST;
    puti32(REPLY_TICK, now);
  } else if (passed >= DHCP_REPLY_TICKS) {
    const more: i32 = (passed / DHCP_REPLY_TICKS) | 0;
    tokens += more;
    if (tokens > DHCP_REPLY_BURST) tokens = DHCP_REPLY_BURST;
    puti32(REPLY_TICK, (i32at(REPLY_TICK) + more * DHCP_REPLY_TICKS) | 0);
  }
  if (tokens === 0) return 0;
  puti32(REPLY_TOKENS, tokens - 1);
  return 1;
}
