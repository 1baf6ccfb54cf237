// Seeded traffic for comparing engines: frames of hosts on both sides of the router, most of them right,
// some spoiled, with the time that passes between them. The same seed and the same frames sent by the router
// give the same traffic, so that a test in Node can repeat what a board was fed.
// Not here: how frames are built (src/wire/build.ts), who is fed (differential.ts).

import { FRAME_MAX } from '../../base/limits.ts';
import { ARP_REPLY, ARP_REQUEST, ARP_SENDER, ARP_TARGET } from '../../wire/arp.ts';
import { arpFrame, type Datagram, icmp, sealIp, tcp } from '../../wire/build.ts';
import { get16, get32, put16 } from '../../wire/bytes.ts';
import {
  ETHERNET_HEADER_BYTES as ETHERNET,
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
} from '../../wire/ethernet.ts';
import {
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_DONT_FRAGMENT,
  IP_HEADER_BYTES,
  IP_PROTOCOL,
  IP_SOURCE,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { headerBytesOf, tcpHeaderBytesOf } from '../../wire/read.ts';
import {
  TCP_ACK as ACK,
  TCP_FIN as FIN,
  TCP_RST as RST,
  TCP_SYN as SYN,
  TCP_ACKNOWLEDGMENT,
  TCP_FLAGS as TCP_FLAGS_AT,
  TCP_HEADER_BYTES,
  TCP_SEQUENCE,
} from '../../wire/tcp.ts';
import {
  cardMac,
  fragmentOf,
  frameOf,
  LAN_ADDRESS,
  LAN_NETWORK,
  lanHost,
  macOf,
  type Sent,
  server,
  someData,
  someEcho,
  somePorts,
  someTcp,
  someUdp,
  TCP_FLAGS,
  WAN_ADDRESS,
  WAN_GATEWAY,
  WAN_NETWORK,
} from './hosts.ts';
import { createRandom, type Random } from './random.ts';
import { type Storm, someStorm } from './storms.ts';

/** Sent frames that may still get an answer. */
const REMEMBERED = 16;
/** One storm in so many frames, and at most so many frames in a storm. */
const STORM_EVERY = 160;
const STORM_FRAMES = 90;

/** A frame for a card of the router, after `ticks` more ticks, with a sample for the entropy pool. */
export interface Arrival {
  ticks: number;
  sample: number;
  card: number;
  frame: Uint8Array;
}

export interface Traffic {
  next(): Arrival;
  /** Tells of a frame that the router has sent; it may get an answer. The bytes are copied. */
  sent(card: number, frame: Uint8Array): void;
}

/** Settings of the traffic that follow from its seed. */
export const SEED_FULL_TABLE = 16;

export function createTraffic(seed: number): Traffic {
  const random = createRandom(seed);
  let remembered: Sent[] = [];
  let storm: Storm | undefined;
  let left = 0;
  // Where the table is full, sessions must not end in masses by the clock.
  const leap = (seed & SEED_FULL_TABLE) !== 0 ? 300 : 3000;

  function make(): Sent {
    if (left === 0 && random.below(STORM_EVERY) === 0) {
      storm = someStorm(random);
      left = 8 + random.below(STORM_FRAMES);
    }
    if (left > 0 && storm !== undefined && random.below(8) !== 0) {
      left--;
      return storm();
    }
    const kind = random.below(16);
    if (kind < 7 && remembered.length > 0) return answer(random, remembered);
    if (kind < 11) return { card: 0, frame: fromLan(random) };
    if (kind < 14) return { card: 1, frame: fromWan(random) };
    return arp(random);
  }

  return {
    next: () => {
      const { card, frame } = make();
      const still = left > 0; // a storm is over before the clock has moved
      return {
        ticks: still
          ? random.below(32) === 0
            ? 1
            : 0
          : random.below(8) === 0
            ? random.below(leap)
            : random.below(2),
        sample: random.below(11932),
        card,
        // Options may have made it too long for the wire.
        frame: (random.below(still ? 24 : 6) === 0 ? spoil(random, frame) : frame).slice(0, FRAME_MAX),
      };
    },
    sent: (card, frame) => {
      remembered.push({ card, frame: frame.slice() });
      if (remembered.length > REMEMBERED) remembered = remembered.slice(-REMEMBERED);
    },
  };
}

function fromLan(random: Random): Uint8Array {
  const source = random.below(24) === 0 ? server(random) : lanHost(random);
  const choice = random.below(12);
  let destination = server(random);
  if (choice === 0) destination = LAN_ADDRESS;
  else if (choice === 1) destination = WAN_ADDRESS;
  else if (choice === 2)
    destination = [-1, LAN_NETWORK | 255, lanHost(random), 0x7f000001][random.below(4)] as number;
  const kind = random.below(8);
  let datagram: Datagram;
  if (kind < 3) datagram = someUdp(random, source, destination, somePorts(random));
  else if (kind < 6) {
    const flags = TCP_FLAGS[random.below(TCP_FLAGS.length)] as number;
    datagram = someTcp(random, source, destination, somePorts(random), flags);
  } else if (kind === 6) datagram = someEcho(random, source, destination, 8);
  else
    datagram = {
      source,
      destination,
      protocol: [47, 50, 2, 1][random.below(4)] as number,
      payload: someData(random, 8),
    };
  if (random.below(10) === 0) datagram.ttl = random.below(3);
  if (random.below(4) === 0) datagram.fragment = IP_DONT_FRAGMENT;
  if (random.below(12) === 0) datagram.options = someOptions(random);
  if (random.below(10) === 0) return frameOf(0, fragmentOf(random, datagram));
  return frameOf(0, datagram);
}

/** Options of the IP header: NOPs, record route, timestamp, router alert, source routes, and lies about lengths. */
function someOptions(random: Random): Uint8Array {
  const options = new Uint8Array(4 * (1 + random.below(6))).fill(1);
  const kinds = [0, 1, 7, 0x44, 0x94, 0x83, 0x89, 0x1e];
  const at = random.below(options.length - 2);
  options[at] = kinds[random.below(kinds.length)] as number;
  const room = options.length - at;
  options[at + 1] = random.below(3) === 0 ? random.below(44) : Math.max(2, random.below(room + 1));
  if (at + 2 < options.length) options[at + 2] = 4;
  return options;
}

/** What nobody inside asked for: the Internet's noise. */
function fromWan(random: Random): Uint8Array {
  const source = random.below(12) === 0 ? lanHost(random) : server(random);
  const destination = random.below(8) === 0 ? lanHost(random) : WAN_ADDRESS;
  const ports = (53 << 16) | (random.below(2) === 0 ? 61000 + random.below(64) : 1024 + random.below(12));
  const kind = random.below(4);
  let datagram: Datagram;
  if (kind === 0) datagram = someUdp(random, source, destination, ports);
  else if (kind === 1) {
    const flags = TCP_FLAGS[random.below(TCP_FLAGS.length)] as number;
    datagram = someTcp(random, source, destination, ports, flags);
  } else if (kind === 2) datagram = someEcho(random, source, destination, random.below(2) * 8);
  else
    datagram = icmp(
      source,
      destination,
      random.below(20),
      random.below(5),
      new Uint8Array(4 + random.below(40)),
    );
  return frameOf(1, random.below(10) === 0 ? fragmentOf(random, datagram) : datagram);
}

/**
 * What a frame that the router sent brings about: the flow's answer, an ICMP error, an ARP reply, or others
 * who find out about its port: a stranger outside, a host inside that uses our outside address.
 */
function answer(random: Random, remembered: Sent[]): Sent {
  const { card, frame } = remembered[random.below(remembered.length)] as Sent;
  const type = get16(frame, ETHERNET_TYPE);
  const inside = frame.subarray(ETHERNET);
  if (type === ETHERTYPE_ARP) return { card, frame: arpReply(card, inside) };
  const header = headerBytesOf(inside);
  if (type !== ETHERTYPE_IPV4 || inside.length < header + 8) return arp(random);
  const source = get32(inside, IP_DESTINATION);
  const destination = get32(inside, IP_SOURCE);
  const protocol = inside[IP_PROTOCOL] as number;
  const ports = get32(inside, header);
  const reversed = (ports << 16) | (ports >>> 16);
  const choice = random.below(24);
  if (choice < 3) return { card, frame: errorAbout(random, card, inside) };
  if (protocol === ICMP) {
    const message = icmp(source, destination, 0, 0, inside.slice(header + 4));
    return { card, frame: frameOf(card, message) };
  }
  if (choice === 3) {
    const stranger = (server(random) << 16) | (ports >>> 16);
    const knock = protocol === TCP ? someTcp(random, server(random), destination, stranger, SYN) : undefined;
    return { card, frame: frameOf(card, knock ?? someUdp(random, server(random), destination, stranger)) };
  }
  if (choice === 4) {
    const turned = ((1024 + random.below(12)) << 16) | (ports >>> 16);
    return { card: 0, frame: frameOf(0, someUdp(random, lanHost(random), destination, turned)) };
  }
  if (protocol === UDP) return { card, frame: frameOf(card, someUdp(random, source, destination, reversed)) };
  if (protocol !== TCP || inside.length < header + TCP_HEADER_BYTES) return arp(random);
  const segment = nextSegment(random, inside.subarray(header));
  return { card, frame: frameOf(card, tcp(source, destination, { ...segment, ports: reversed })) };
}

/** The other end's next TCP segment: mostly what the protocol asks for, up to the end of the connection. */
function nextSegment(random: Random, segment: Uint8Array) {
  const flags = segment[TCP_FLAGS_AT] as number;
  const bytes = segment.length - tcpHeaderBytesOf(segment);
  const taken = bytes + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
  const choice = random.below(10);
  let next = ACK;
  if (choice === 0) next = TCP_FLAGS[random.below(TCP_FLAGS.length)] as number;
  else if ((flags & RST) !== 0) next = SYN;
  else if ((flags & (SYN | ACK)) === SYN) next = SYN | ACK;
  else if ((flags & FIN) !== 0 || choice < 4) next = ACK | FIN;
  return {
    sequence: get32(segment, TCP_ACKNOWLEDGMENT),
    acknowledgment: (get32(segment, TCP_SEQUENCE) + taken) | 0,
    flags: next,
    data: next === ACK ? someData(random, 24) : new Uint8Array(0),
  };
}

/** An ICMP error about a datagram, from its destination or a router on the way; now and then it lies. */
function errorAbout(random: Random, card: number, datagram: Uint8Array): Uint8Array {
  const quoted = datagram.slice(0, headerBytesOf(datagram) + 8 + random.below(2) * random.below(560));
  if (random.below(6) === 0) quoted[random.below(quoted.length)] = random.next();
  const rest = new Uint8Array(4 + quoted.length);
  rest.set(quoted, 4);
  const kinds = [
    [3, 3],
    [3, 4],
    [11, 0],
    [3, 1],
    [4, 0],
    [12, 0],
  ];
  const [type, code] = kinds[random.below(kinds.length)] as [number, number];
  if (code === 4) put16(rest, 2, 1400);
  const reporter = random.below(2) === 0 ? get32(datagram, IP_DESTINATION) : server(random);
  return frameOf(card, icmp(reporter, get32(datagram, IP_SOURCE), type, code, rest));
}

/** A request or an unasked reply of some host. */
function arp(random: Random): Sent {
  const card = random.below(2);
  const sender =
    card === 0 ? lanHost(random) : random.below(2) === 0 ? WAN_GATEWAY : WAN_NETWORK | (16 + random.below(8));
  const target = random.below(4) === 0 ? sender : card === 0 ? LAN_ADDRESS : WAN_ADDRESS;
  const operation = random.below(2) === 0 ? ARP_REQUEST : ARP_REPLY;
  const to = operation === ARP_REPLY ? macOf(target, card) : undefined;
  return { card, frame: arpFrame(operation, sender, macOf(sender, card), target, to) };
}

/** The reply of the station that the router's request asks for. */
function arpReply(card: number, request: Uint8Array): Uint8Array {
  const asked = get32(request, ARP_TARGET);
  const asking = get32(request, ARP_SENDER);
  return arpFrame(ARP_REPLY, asked, macOf(asked, card), asking, cardMac(card));
}

/** A frame with bytes changed, cut or added. Checksums are left as they are, so most changes show there. */
function spoil(random: Random, frame: Uint8Array): Uint8Array {
  const kind = random.below(4);
  if (kind === 0) return frame.slice(0, random.below(frame.length));
  if (kind === 1 && frame.length < 1400) {
    const longer = new Uint8Array(frame.length + random.below(60)).fill(0xee);
    longer.set(frame);
    return longer;
  }
  for (let n = random.below(3); n >= 0; n--) {
    frame[random.below(Math.min(frame.length, kind === 2 ? 64 : 2000))] = random.next();
  }
  if (kind === 2 && frame.length >= ETHERNET + IP_HEADER_BYTES) sealIp(frame, ETHERNET);
  return frame;
}
