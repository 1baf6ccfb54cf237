// A link that is a PPPoE session on an Ethernet link: what control sets of one. It has a line as one on a serial port has (line.ts), with a number
// behind the ports', so that what is agreed on with the peer is set, and frames are sent, in the same words; there is no framing and no
// compression.
//
//    none --pppoeBind--> bound: discovery passes --pppoeSession--> a session: PPP's own frames --lineOpen--> datagrams too
//
// Not here: discovery (src/control/ppp/discovery.ts), what comes and goes in a session (pppoe-input.ts, pppoe-output.ts).

import { LINES_BOUND_AT } from '../../base/cells.ts';
import {
  bindSession,
  cardOf,
  DEVICE_NONE,
  IF_DEVICE,
  IF_QUEUE_LENGTH,
  interfaceAt,
} from '../../base/interface.ts';
import { INTERFACE_COUNT, LINE_COUNT, SERIAL_COUNT } from '../../base/limits.ts';
import { LINE_BYTES } from '../../base/line-limits.ts';
import {
  LINE_BELOW,
  LINE_KIND,
  LINE_LINK,
  LINE_NONE,
  LINE_OPEN,
  LINE_PORT,
  LINE_PPPOE,
  LINE_SESSION,
  LINE_STATION,
  lineAt,
} from '../../base/line-record.ts';
import { copy, fill, i32at, puti32 } from '../../base/memory.ts';
import { FLAG_LOCAL, PACKET_FLAGS, PACKET_IN, PACKET_LENGTH } from '../../base/packet.ts';
import { release } from '../../base/pool.ts';
import { ethernetFrom } from '../../wire/ethernet.ts';
import { ETHERTYPE_DISCOVERY } from '../../wire/pppoe.ts';
import { transmit } from './transmit.ts';

/**
 * Makes a line's number, SERIAL_COUNT or behind it, the device of a link that has none, on a link that has a card: 1, or 0 if one of them is
 * something else. There is no session yet; discovery packets that come by the link below are control's from now on.
 */
export function pppoeBind(link: i32, number: i32, below: i32): i32 {
  if (link < 0 || link >= INTERFACE_COUNT || number < SERIAL_COUNT || number >= LINE_COUNT) return 0;
  if (below < 0 || below >= INTERFACE_COUNT || cardOf(below) < 0) return 0;
  const line: i32 = lineAt(number);
  if (i32at(line + LINE_KIND) !== LINE_NONE || i32at(interfaceAt(link) + IF_DEVICE) !== DEVICE_NONE) return 0;
  fill(line, 0, LINE_BYTES);
  puti32(line + LINE_KIND, LINE_PPPOE);
  puti32(line + LINE_PORT, number);
  puti32(line + LINE_LINK, link);
  puti32(line + LINE_BELOW, below);
  bindSession(link, number, below);
  puti32(LINES_BOUND_AT, i32at(LINES_BOUND_AT) | (1 << number));
  return 1;
}

/** The session that there is from now on, 0 for none: its number, and the concentrator's station, 6 bytes at `station` in plane memory. */
export function pppoeSession(number: i32, session: i32, station: i32): void {
  if (number < SERIAL_COUNT || number >= LINE_COUNT) return;
  const line: i32 = lineAt(number);
  if (i32at(line + LINE_KIND) !== LINE_PPPOE) return;
  puti32(line + LINE_OPEN, 0);
  puti32(line + LINE_SESSION, session & 0xffff);
  if (session !== 0) copy(line + LINE_STATION, station, 6);
}

/**
 * Sends a discovery packet, `bytes` with PPPoE's header at PACKET_IP, to the station at PACKET_TO_STATION by the link below a line's. Takes the
 * packet; behind others that wait for the card it is dropped, as it is sent again for want of an answer.
 */
export function pppoeDiscover(number: i32, packet: i32, bytes: i32): void {
  const line: i32 = number < SERIAL_COUNT || number >= LINE_COUNT ? 0 : lineAt(number);
  if (line === 0 || i32at(line + LINE_KIND) !== LINE_PPPOE) {
    release(packet);
    return;
  }
  const below: i32 = i32at(line + LINE_BELOW);
  const at: i32 = interfaceAt(below);
  if (cardOf(below) < 0 || i32at(at + IF_QUEUE_LENGTH) !== 0) {
    release(packet);
    return;
  }
  puti32(packet + PACKET_FLAGS, FLAG_LOCAL);
  puti32(packet + PACKET_IN, -1);
  puti32(packet + PACKET_LENGTH, bytes);
  ethernetFrom(packet, at, ETHERTYPE_DISCOVERY);
  transmit(packet, below);
}
