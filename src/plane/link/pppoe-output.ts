// What a PPPoE session sends (RFC 2516, section 4): the headers before a datagram or one of PPP's own frames, and the card below it. The link
// of the session has a queue of its own (transmit.ts); what of its own waits goes first.
//
//    | concentrator | ours | tag, if the link below has a VLAN | 8864 | 11 00 | session | length | protocol | information
//
// Not here: receiving (pppoe-input.ts), who gets a session (src/control/ppp/discovery.ts).

import { nicSend } from '../../../hal/nic/nic.ts';
import { count, DROP_INTERFACE_DOWN } from '../../base/counters.ts';
import {
  cardOf,
  IF_MAC,
  IF_TX_BYTES,
  IF_TX_DROPPED,
  IF_TX_PACKETS,
  IF_VLAN,
  interfaceAt,
} from '../../base/interface.ts';
import { LINE_OWN_LIMIT } from '../../base/line-limits.ts';
import {
  LINE_BELOW,
  LINE_LINK,
  LINE_OPEN,
  LINE_OWN_COUNT,
  LINE_OWN_FIRST,
  LINE_REFUSED,
  LINE_SESSION,
  LINE_STATION,
  lineAt,
  lineCount,
} from '../../base/line-record.ts';
import { copy, i32at, put16, puti32, putu16 } from '../../base/memory.ts';
import { PACKET_HEADER, PACKET_IP, PACKET_LENGTH, PACKET_NEXT, PACKET_PORTS } from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_TAG, TAG_BYTES } from '../../wire/ethernet.ts';
import { PPP_IP } from '../../wire/ppp.ts';
import {
  ETHERTYPE_SESSION,
  PPPOE_DATA,
  PPPOE_HEADER_BYTES,
  PPPOE_LENGTH,
  PPPOE_SESSION,
  PPPOE_VERSION_1,
} from '../../wire/pppoe.ts';

const PROTOCOL_BYTES: i32 = 2;

/** Gives a datagram to the card below: 1, and the packet is its; 0: it has no room now. Where the link is not open it is dropped. */
export function pppoeSend(number: i32, packet: i32): i32 {
  const line: i32 = lineAt(number);
  const at: i32 = interfaceAt(i32at(line + LINE_LINK));
  if (i32at(line + LINE_OPEN) === 0) {
    lose(line, packet, at);
    return 1;
  }
  if (i32at(line + LINE_OWN_COUNT) !== 0) return 0;
  return give(line, packet, at, PPP_IP);
}

/** Sends frames of the link's own that wait: 1 if none is left, 0: the card has no room now. */
export function pppoeMove(number: i32): i32 {
  const line: i32 = lineAt(number);
  const at: i32 = interfaceAt(i32at(line + LINE_LINK));
  for (let n: i32 = 0; n < LINE_OWN_LIMIT; n++) {
    const waiting: i32 = i32at(line + LINE_OWN_COUNT);
    if (waiting === 0) return 1;
    const packet: i32 = i32at(line + LINE_OWN_FIRST);
    const next: i32 = i32at(packet + PACKET_NEXT); // the driver uses the link, or frees the packet
    if (give(line, packet, at, i32at(packet + PACKET_PORTS)) === 0) {
      puti32(packet + PACKET_NEXT, next);
      return 0;
    }
    puti32(line + LINE_OWN_FIRST, next);
    puti32(line + LINE_OWN_COUNT, waiting - 1);
  }
  return i32at(line + LINE_OWN_COUNT) === 0 ? 1 : 0;
}

/** One that is given again has the same header written again. */
function give(line: i32, packet: i32, at: i32, protocol: i32): i32 {
  const below: i32 = i32at(line + LINE_BELOW);
  const card: i32 = cardOf(below);
  if (card < 0 || i32at(line + LINE_SESSION) === 0) {
    lose(line, packet, at);
    return 1;
  }
  const bytes: i32 = i32at(packet + PACKET_LENGTH);
  head(packet, line, interfaceAt(below), protocol);
  puti32(packet + PACKET_LENGTH, bytes);
  if (nicSend(card, packet) === 0) return 0;
  lineCount(at + IF_TX_PACKETS);
  puti32(at + IF_TX_BYTES, (i32at(at + IF_TX_BYTES) + bytes) | 0);
  return 1;
}

function lose(line: i32, packet: i32, at: i32): void {
  count(DROP_INTERFACE_DOWN);
  lineCount(line + LINE_REFUSED);
  lineCount(at + IF_TX_DROPPED);
  release(packet);
}

/** Writes all that stands before the information, from its end. */
function head(packet: i32, line: i32, below: i32, protocol: i32): void {
  const session: i32 = packet + PACKET_IP - PPPOE_HEADER_BYTES - PROTOCOL_BYTES;
  put16(session, (PPPOE_VERSION_1 << 8) | PPPOE_DATA);
  put16(session + PPPOE_SESSION, i32at(line + LINE_SESSION));
  put16(session + PPPOE_LENGTH, i32at(packet + PACKET_LENGTH) + PROTOCOL_BYTES);
  put16(session + PPPOE_HEADER_BYTES, protocol);
  put16(session - 2, ETHERTYPE_SESSION);
  const vlan: i32 = i32at(below + IF_VLAN);
  let addresses: i32 = session - ETHERNET_HEADER_BYTES;
  if (vlan !== 0) {
    addresses -= TAG_BYTES;
    put16(session - 4, vlan);
    put16(session - 6, ETHERTYPE_TAG);
  }
  copy(addresses, line + LINE_STATION, 6);
  copy(addresses + 6, below + IF_MAC, 6);
  putu16(packet + PACKET_HEADER, packet + PACKET_IP - addresses);
}
