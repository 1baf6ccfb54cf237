// Seeded traffic for comparing engines: frames of hosts on both sides of the router, most of them right,
// some spoiled, with the time that passes between them. The same seed and the same frames sent by the router
// give the same traffic, so that a test in Node can repeat what a board was fed.
// Not here: how frames are built (frames.ts), who is fed (differential.ts).

import { FRAME_MAX } from '../../base/limits.ts';
import { PROTOCOL_ICMP as ICMP, PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';
import { TCP_ACK as ACK, TCP_FIN as FIN, TCP_RST as RST, TCP_SYN as SYN } from '../../wire/tcp.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  arpFrame,
  type Datagram,
  ETHERNET,
  get16,
  get32,
  icmp,
  ipHeaderBytes,
  put16,
  type Sent,
  sealIp,
  tcp,
} from './frames.ts';
import {
  cardMac,
  fragmentOf,
  frameOf,
  LAN_ADDRESS,
  LAN_NETWORK,
  lanHost,
  macOf,
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

const DONT_FRAGMENT = 0x4000;
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
  if (random.below(4) === 0) datagram.fragment = DONT_FRAGMENT;
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
  if (get16(frame, 12) === 0x0806) return { card, frame: arpReply(card, frame) };
  const header = ETHERNET + ipHeaderBytes(frame);
  if (get16(frame, 12) !== 0x0800 || frame.length < header + 8) return arp(random);
  const source = get32(frame, 30);
  const destination = get32(frame, 26);
  const protocol = frame[23] as number;
  const ports = get32(frame, header);
  const reversed = (ports << 16) | (ports >>> 16);
  const choice = random.below(24);
  if (choice < 3) return { card, frame: errorAbout(random, card, frame.subarray(ETHERNET)) };
  if (protocol === ICMP) {
    const message = icmp(source, destination, 0, 0, frame.slice(header + 4));
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
  if (protocol !== TCP || frame.length < header + 20) return arp(random);
  const segment = nextSegment(random, frame, header);
  return { card, frame: frameOf(card, tcp(source, destination, { ...segment, ports: reversed })) };
}

/** The other end's next TCP segment: mostly what the protocol asks for, up to the end of the connection. */
function nextSegment(random: Random, frame: Uint8Array, tcpAt: number) {
  const flags = frame[tcpAt + 13] as number;
  const bytes = frame.length - tcpAt - (((frame[tcpAt + 12] as number) >> 4) << 2);
  const taken = bytes + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
  const choice = random.below(10);
  let next = ACK;
  if (choice === 0) next = TCP_FLAGS[random.below(TCP_FLAGS.length)] as number;
  else if ((flags & RST) !== 0) next = SYN;
  else if ((flags & (SYN | ACK)) === SYN) next = SYN | ACK;
  else if ((flags & FIN) !== 0 || choice < 4) next = ACK | FIN;
  return {
    sequence: get32(frame, tcpAt + 8),
    acknowledged: (get32(frame, tcpAt + 4) + taken) | 0,
    flags: next,
    data: next === ACK ? someData(random, 24) : new Uint8Array(0),
  };
}

/** An ICMP error about a datagram, from its destination or a router on the way; now and then it lies. */
function errorAbout(random: Random, card: number, datagram: Uint8Array): Uint8Array {
  const header = ((datagram[0] as number) & 15) << 2;
  const quoted = datagram.slice(0, header + 8 + random.below(2) * random.below(560));
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
  const reporter = random.below(2) === 0 ? get32(datagram, 16) : server(random);
  return frameOf(card, icmp(reporter, get32(datagram, 12), type, code, rest));
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
  const asked = get32(request, 38);
  const asking = get32(request, 28);
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
  if (kind === 2 && frame.length >= ETHERNET + 20) {
    sealIp(frame);
  }
  return frame;
}
