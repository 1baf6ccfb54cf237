// A masquerade table that is full of answered sessions, made before the traffic starts: one host holds
// all that it may, a second one some of the rest. Frames are written in place, as there are thousands.
// Not here: what then happens to new sessions (traffic.ts).

import { sessionLimit } from '../../base/flow-record.ts';
import { MASQUERADE_RESERVE } from '../../base/limits.ts';
import { get16, put16, puti32 } from '../../base/memory.ts';
import { PACKET_FRAME, PACKET_IN, PACKET_IP, setFrame } from '../../base/packet.ts';
import { ARP_REQUEST } from '../../wire/arp.ts';
import { arpFrame, udp } from '../../wire/build.ts';
import { DESTINATION_PORT, IP_HEADER_BYTES as IP_HEADER } from '../../wire/ipv4.ts';
import type { Plane } from '../core/machine.ts';
import {
  frameOf,
  LAN_ADDRESS,
  LAN_NETWORK,
  macOf,
  SERVER_NETWORK,
  WAN_ADDRESS,
  WAN_GATEWAY,
} from './hosts.ts';

const GREEDY = LAN_NETWORK | 10;
const SECOND = LAN_NETWORK | 11;
const SERVER = SERVER_NETWORK | 1;
const SERVICE = 53;
const FIRST_PORT = 2000;
/** The UDP header, and its destination port, in a packet. */
const UDP_AT = PACKET_IP + IP_HEADER;

/** Hands a frame to the packet path, with other UDP ports if given. Answers the source port of what went out. */
function pass(
  plane: Plane,
  memory: Uint8Array,
  card: number,
  frame: Uint8Array,
  ports?: [number, number],
): number {
  const packet = plane.allocate();
  memory.set(frame, packet + PACKET_FRAME);
  setFrame(packet, frame.length);
  puti32(packet + PACKET_IN, card);
  if (ports !== undefined) {
    put16(packet + UDP_AT, ports[0]);
    put16(packet + UDP_AT + DESTINATION_PORT, ports[1]);
  }
  plane.receive(packet);
  let port = 0;
  for (const out of [0, 1]) {
    for (let sent = plane.ringTake(out); sent !== 0; sent = plane.ringTake(out)) {
      port = get16(sent + UDP_AT);
      plane.release(sent);
    }
  }
  return port;
}

/** Fills the table by way of the native plane: the compared one has its turn afterwards. */
export function fillTable(plane: Plane, memory: Uint8Array): void {
  const data = new Uint8Array(4);
  const stations = [
    [1, WAN_GATEWAY, WAN_ADDRESS],
    [0, GREEDY, LAN_ADDRESS],
    [0, SECOND, LAN_ADDRESS],
  ] as const;
  for (const [card, sender, target] of stations) {
    pass(plane, memory, card, arpFrame(ARP_REQUEST, sender, macOf(sender, card), target));
  }
  const inward = frameOf(1, udp(SERVER, WAN_ADDRESS, 0, data, 0));
  const all = sessionLimit();
  const most = all - MASQUERADE_RESERVE;
  for (let i = 0; i < all; i++) {
    const outward = frameOf(0, udp(i < most ? GREEDY : SECOND, SERVER, 0, data, 0));
    const port = pass(plane, memory, 0, outward, [FIRST_PORT + i, SERVICE]);
    pass(plane, memory, 1, inward, [SERVICE, port]);
  }
}
