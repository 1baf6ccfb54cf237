// What comes of PPPoE by an Ethernet link that has sessions (RFC 2516, section 4): a session's datagram or frame becomes one of the link above,
// a discovery packet that somebody waits for is control's. Each is looked at whole before anything of it is believed: version, length, session and station.
// Not here: sending (pppoe-output.ts), what becomes of it then (line-input.ts).

import { DROP_ETHERTYPE, DROP_FRAME_SHORT, DROP_NOT_FOR_US } from '../../base/counters.ts';
import { IF_RX_BYTES, IF_RX_PACKETS, interfaceAt } from '../../base/interface.ts';
import { LINE_COUNT, SERIAL_COUNT } from '../../base/limits.ts';
import {
  LINE_BELOW,
  LINE_KIND,
  LINE_LINK,
  LINE_PPPOE,
  LINE_RX_BYTES,
  LINE_RX_FRAMES,
  LINE_SESSION,
  LINE_STATION,
  lineAt,
  lineCount,
} from '../../base/line-record.ts';
import { copy, get8, get16, i32at, puti32, u16at } from '../../base/memory.ts';
import {
  FLAG_BROADCAST,
  FLAG_FRAME,
  FOR_ABOVE,
  PACKET_FLAGS,
  PACKET_FRAME,
  PACKET_IN,
  PACKET_IP,
  PACKET_LENGTH,
  PACKET_PORTS,
  PACKET_STATION,
  PUNT,
} from '../../base/packet.ts';
import { ETHERNET_TYPE } from '../../wire/ethernet.ts';
import { PPP_IP } from '../../wire/ppp.ts';
import {
  ETHERTYPE_DISCOVERY,
  ETHERTYPE_SESSION,
  PPPOE_CODE,
  PPPOE_DATA,
  PPPOE_HEADER_BYTES,
  PPPOE_LENGTH,
  PPPOE_PADO,
  PPPOE_PADS,
  PPPOE_PADT,
  PPPOE_SESSION,
  PPPOE_VERSION_1,
} from '../../wire/pppoe.ts';

const PROTOCOL_BYTES: i32 = 2;
const SESSION: i32 = PACKET_IP;

/**
 * A frame of no type of Ethernet's own, by the link `index`. FOR_ABOVE: it is the link's above now, PACKET_IN; PUNT: a discovery packet, whose
 * header lies where a datagram does; or the reason to drop it.
 */
export function pppoeInput(packet: i32, index: i32): i32 {
  const type: i32 = get16(packet + PACKET_FRAME + ETHERNET_TYPE);
  if (type !== ETHERTYPE_SESSION && type !== ETHERTYPE_DISCOVERY) return DROP_ETHERTYPE;
  if ((i32at(packet + PACKET_FLAGS) & FLAG_BROADCAST) !== 0) return DROP_NOT_FOR_US;
  const room: i32 = i32at(packet + PACKET_LENGTH) - PPPOE_HEADER_BYTES;
  if (room < 0 || get8(packet + SESSION) !== PPPOE_VERSION_1) return DROP_FRAME_SHORT;
  const bytes: i32 = get16(packet + SESSION + PPPOE_LENGTH);
  if (bytes > room) return DROP_FRAME_SHORT;
  if (type === ETHERTYPE_SESSION) return sessionInput(packet, index, bytes - PROTOCOL_BYTES);
  if (isAwaited(packet, index) === 0) return DROP_NOT_FOR_US;
  puti32(packet + PACKET_LENGTH, PPPOE_HEADER_BYTES + bytes);
  puti32(packet + PACKET_PORTS, ETHERTYPE_DISCOVERY);
  puti32(packet + PACKET_FLAGS, FLAG_FRAME);
  return PUNT;
}

/**
 * Whether somebody waits for a discovery packet: for offers, confirmations and what follows them who has no session, for its end who has it. What a neighbour floods
 * us with while sessions are open costs this look.
 */
function isAwaited(packet: i32, index: i32): i32 {
  const code: i32 = get8(packet + SESSION + PPPOE_CODE);
  if (code === PPPOE_PADT && lineOf(packet, index, get16(packet + SESSION + PPPOE_SESSION)) !== 0) return 1;
  // An end may come right behind the confirmation, which control has not read yet.
  if (code !== PPPOE_PADO && code !== PPPOE_PADS && code !== PPPOE_PADT) return 0;
  for (let number: i32 = SERIAL_COUNT; number < LINE_COUNT; number++) {
    const line: i32 = lineAt(number);
    if (
      i32at(line + LINE_KIND) === LINE_PPPOE &&
      i32at(line + LINE_BELOW) === index &&
      i32at(line + LINE_SESSION) === 0
    )
      return 1;
  }
  return 0;
}

function sessionInput(packet: i32, index: i32, bytes: i32): i32 {
  if (bytes < 0 || get8(packet + SESSION + PPPOE_CODE) !== PPPOE_DATA) return DROP_FRAME_SHORT;
  const line: i32 = lineOf(packet, index, get16(packet + SESSION + PPPOE_SESSION));
  if (line === 0) return DROP_NOT_FOR_US;
  const link: i32 = i32at(line + LINE_LINK);
  const at: i32 = interfaceAt(link);
  const protocol: i32 = get16(packet + SESSION + PPPOE_HEADER_BYTES);
  copy(packet + PACKET_IP, packet + SESSION + PPPOE_HEADER_BYTES + PROTOCOL_BYTES, bytes);
  puti32(packet + PACKET_LENGTH, bytes);
  puti32(packet + PACKET_IN, link);
  puti32(packet + PACKET_PORTS, protocol);
  if (protocol !== PPP_IP) puti32(packet + PACKET_FLAGS, FLAG_FRAME);
  lineCount(line + LINE_RX_FRAMES);
  puti32(line + LINE_RX_BYTES, (i32at(line + LINE_RX_BYTES) + bytes) | 0);
  lineCount(at + IF_RX_PACKETS);
  puti32(at + IF_RX_BYTES, (i32at(at + IF_RX_BYTES) + bytes) | 0);
  return FOR_ABOVE;
}

/** The line whose session it is, by number, link and station; 0: nobody's. */
function lineOf(packet: i32, index: i32, session: i32): i32 {
  for (let number: i32 = SERIAL_COUNT; number < LINE_COUNT; number++) {
    const line: i32 = lineAt(number);
    if (
      i32at(line + LINE_KIND) === LINE_PPPOE &&
      session !== 0 &&
      i32at(line + LINE_SESSION) === session &&
      i32at(line + LINE_BELOW) === index &&
      i32at(packet + PACKET_STATION) === i32at(line + LINE_STATION) &&
      u16at(packet + PACKET_STATION + 4) === u16at(line + LINE_STATION + 4)
    )
      return line;
  }
  return 0;
}
