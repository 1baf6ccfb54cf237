// The made-up hosts around the router: their addresses, and datagrams with something in them.
// Not here: how frames are built (src/wire/build.ts), which host sends what and when (traffic.ts, storms.ts).

import { type Datagram, icmp, ipFrame, tcp, udp } from '../../wire/build.ts';
import { put16 } from '../../wire/bytes.ts';
import { IP_MORE_FRAGMENTS as MORE_FRAGMENTS } from '../../wire/ipv4.ts';
import { TCP_ACK as ACK, TCP_FIN as FIN, TCP_RST as RST, TCP_SYN as SYN } from '../../wire/tcp.ts';
import type { Random } from './random.ts';

export const LAN_NETWORK = 0xc0a80000 | 0; // 192.168.0.0/24
export const LAN_ADDRESS = LAN_NETWORK | 1;
export const WAN_NETWORK = 0xcb007100 | 0; // 203.0.113.0/24, TEST-NET-3
export const WAN_ADDRESS = WAN_NETWORK | 2;
export const WAN_GATEWAY = WAN_NETWORK | 1;
export const SERVER_NETWORK = 0xc6336400 | 0; // 198.51.100.0/24, TEST-NET-2
/** What ends the station addresses of the two ring cards. */
export const LAN_CARD = 1;
export const WAN_CARD = 2;
/** A UDP port of the router's that control has open, among those that the traffic uses. */
export const OPEN_PORT = 1030;
export const TCP_FLAGS = [SYN, SYN, SYN, ACK, ACK, ACK | FIN, RST, ACK | RST, SYN | ACK, 0];

/** A frame and the card by which it comes, or left. */
export interface Sent {
  card: number;
  frame: Uint8Array;
}

/** The router's station address on a card. */
export function cardMac(card: number): number[] {
  return [2, 0x4d, 0x42, 0, 0, card === 0 ? LAN_CARD : WAN_CARD];
}

export function lanHost(random: Random): number {
  return LAN_NETWORK | (10 + random.below(8));
}

export function server(random: Random): number {
  return random.below(4) === 0 ? WAN_NETWORK | (16 + random.below(8)) : SERVER_NETWORK | random.below(16);
}

/** A station's address: hosts' are made of their IPv4 address, the router's are its cards'. */
export function macOf(address: number, card: number): number[] {
  const own = card === 0 ? LAN_ADDRESS : WAN_ADDRESS;
  if (address === own) return cardMac(card);
  return [2, 0, address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
}

/** The frame of a datagram on its way to the router's card, from the host itself or by the gateway. */
export function frameOf(card: number, datagram: Datagram): Uint8Array {
  const { source } = datagram;
  const onLink = ((source ^ (card === 0 ? LAN_NETWORK : WAN_NETWORK)) & ~255) === 0;
  const own = card === 0 ? LAN_ADDRESS : WAN_ADDRESS;
  return ipFrame(macOf(own, card), macOf(onLink ? source : WAN_GATEWAY, card), datagram);
}

/** Mostly few bytes, now and then enough for a full frame. */
export function someData(random: Random, header: number): Uint8Array {
  const sizes = [0, 1, 8, 33, 100, 512, 1400, 1480];
  const size = Math.max(0, Math.min(sizes[random.below(sizes.length)] as number, 1480 - header));
  return new Uint8Array(size).fill(random.below(256));
}

export function someUdp(random: Random, source: number, destination: number, ports: number): Datagram {
  return udp(source, destination, ports, someData(random, 8), random.below(4) === 0 ? 0 : undefined);
}

export function someTcp(
  random: Random,
  source: number,
  destination: number,
  ports: number,
  flags: number,
): Datagram {
  const data = (flags & ACK) !== 0 ? someData(random, 24) : new Uint8Array(0);
  return tcp(source, destination, {
    ports,
    sequence: random.next(),
    acknowledgment: random.next(),
    flags,
    data,
  });
}

export function someEcho(random: Random, source: number, destination: number, type: number): Datagram {
  const data = someData(random, 8);
  const rest = new Uint8Array(4 + data.length);
  put16(rest, 0, 700 + random.below(6));
  put16(rest, 2, random.below(100));
  rest.set(data, 4);
  return icmp(source, destination, type, 0, rest);
}

/** Few ports, so that flows meet again and hosts collide. */
export function somePorts(random: Random): number {
  const ports = [53, 80, 25, 2049, 6112, 61000, 61001];
  return ((1024 + random.below(12)) << 16) | (ports[random.below(ports.length)] as number);
}

/** A piece of the datagram, as a fragment; the few identifications let pieces of a datagram meet. */
export function fragmentOf(random: Random, datagram: Datagram): Datagram {
  const { payload } = datagram;
  const units = (payload.length + 7) >> 3;
  const first = random.below(2) === 0 ? 0 : random.below(units + 1);
  const last = Math.min(units, first + 1 + random.below(units + 1));
  const more = last * 8 < payload.length ? MORE_FRAGMENTS : 0;
  return {
    ...datagram,
    payload: payload.slice(first * 8, last * 8),
    fragment: more | first,
    identification: random.below(4),
  };
}
