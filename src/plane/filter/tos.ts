// The type of service of the packet in the view, as rules change it (RFC 791, section 3.1; RFC 1349).

import { get16, i32at, put16 } from '../../base/memory.ts';
import { PACKET_IP } from '../../base/packet.ts';
import { VIEW_PACKET } from '../../base/rule-state.ts';
import { adjust16 } from '../../wire/checksum.ts';
import { IP_CHECKSUM } from '../../wire/ipv4.ts';

/** Takes bits from the type of service, and turns others. */
export function setTos(mask: i32, value: i32): void {
  const ip: i32 = i32at(VIEW_PACKET) + PACKET_IP;
  const word: i32 = get16(ip);
  const changed: i32 = (word & ~mask) ^ (value & 0xff);
  if (changed === word) return;
  put16(ip, changed);
  adjust16(ip + IP_CHECKSUM, word, changed);
}
