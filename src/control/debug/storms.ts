// Storms: many frames of one kind with hardly any time between them, for limits that single frames do not reach.
// Not here: the mix of all other traffic (traffic.ts).

import { ARP_REPLY, ARP_REQUEST } from '../../wire/arp.ts';
import { arpFrame, type Datagram, icmp, udp } from '../../wire/build.ts';
import { IP_MORE_FRAGMENTS as MORE_FRAGMENTS, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';
import { TCP_SYN as SYN } from '../../wire/tcp.ts';
import {
  cardMac,
  frameOf,
  LAN_ADDRESS,
  LAN_NETWORK,
  lanHost,
  macOf,
  OPEN_PORT,
  SERVER_NETWORK,
  type Sent,
  server,
  someTcp,
  someUdp,
  WAN_ADDRESS,
  WAN_GATEWAY,
  WAN_NETWORK,
} from './hosts.ts';
import type { Random } from './random.ts';

/** The storm's next frame. */
export type Storm = () => Sent;

/** A UDP port on which nobody ever listens, as traceroute has it. */
const TRACEROUTE_PORT = 33434;

const STORMS: readonly ((random: Random) => Storm)[] = [
  arpStorm,
  neighbourStorm,
  tracerouteStorm,
  fragmentStorm,
  tornDatagram,
  knocking,
  newSessions,
  connections,
  questions,
  filtered,
];

export function someStorm(random: Random): Storm {
  return (STORMS[random.below(STORMS.length)] as (typeof STORMS)[number])(random);
}

/** More stations than the table of neighbours has places, asking and answering. */
function arpStorm(random: Random): Storm {
  return () => {
    const card = random.below(2);
    const network = card === 0 ? LAN_NETWORK : WAN_NETWORK;
    const sender = network | (3 + random.below(250));
    const target = random.below(8) === 0 ? sender : card === 0 ? LAN_ADDRESS : WAN_ADDRESS;
    if (random.below(2) === 0) {
      return { card, frame: arpFrame(ARP_REQUEST, sender, macOf(sender, card), target) };
    }
    return { card, frame: arpFrame(ARP_REPLY, sender, macOf(sender, card), target, cardMac(card)) };
  };
}

/** Packets to neighbours that never answer: they wait for ARP until there is no more room. */
function neighbourStorm(random: Random): Storm {
  const spread = 1 + random.below(30);
  const source = lanHost(random);
  return () => {
    const destination = WAN_NETWORK | (200 + random.below(spread));
    return { card: 0, frame: frameOf(0, someUdp(random, source, destination, (2000 << 16) | 9)) };
  };
}

/** Packets whose time to live ends here: more errors than are sent. */
function tracerouteStorm(random: Random): Storm {
  const source = lanHost(random);
  return () => {
    const datagram = udp(source, SERVER_NETWORK | 1, (2001 << 16) | TRACEROUTE_PORT, new Uint8Array(12));
    datagram.ttl = 1;
    return { card: 0, frame: frameOf(0, datagram) };
  };
}

/** Fragments of many datagrams whose first ones never come. */
function fragmentStorm(random: Random): Storm {
  const card = random.below(2);
  return () => {
    const [source, destination] =
      card === 0 ? [lanHost(random), server(random)] : [server(random), WAN_ADDRESS];
    const datagram: Datagram = {
      ...{ source, destination, protocol: UDP, payload: new Uint8Array(8 * (1 + random.below(4))) },
      fragment: (random.below(4) === 0 ? 0 : MORE_FRAGMENTS) | (1 + random.below(100)),
      identification: random.below(200),
    };
    return { card, frame: frameOf(card, datagram) };
  };
}

/** One datagram in the smallest pieces, with holes, out of order, in part twice. */
function tornDatagram(random: Random): Storm {
  const source = lanHost(random);
  const destination = server(random);
  const identification = random.below(0x10000);
  let place = 0;
  return () => {
    const unit = random.below(8) === 0 ? random.below(64) : place;
    place = (place + 2) % 61; // every second one first, so that nothing joins
    const more = random.below(40) === 0 ? 0 : MORE_FRAGMENTS;
    const payload = new Uint8Array(8 * (1 + (random.below(6) === 0 ? random.below(5) : 0)));
    payload.set([0x20, 0x21, 0, 53, 2, 0, 0, 0]);
    return {
      card: 0,
      frame: frameOf(0, {
        source,
        destination,
        protocol: UDP,
        payload,
        identification,
        fragment: more | unit,
      }),
    };
  };
}

/** Somebody outside tries all doors, ours and those that mappings have opened. */
function knocking(random: Random): Storm {
  const source = server(random);
  return () => {
    const port = random.below(2) === 0 ? 1024 + random.below(16) : 61000 + random.below(4096);
    const ports = ((40000 + random.below(4)) << 16) | port;
    const kind = random.below(4);
    if (kind === 0) return { card: 1, frame: frameOf(1, someTcp(random, source, WAN_ADDRESS, ports, SYN)) };
    if (kind < 3) return { card: 1, frame: frameOf(1, someUdp(random, source, WAN_ADDRESS, ports)) };
    const echo = new Uint8Array(12);
    echo[1] = random.below(256);
    return { card: 1, frame: frameOf(1, icmp(source, WAN_ADDRESS, 8, 0, echo)) };
  };
}

/** One host opens session after session. */
function newSessions(random: Random): Storm {
  const source = lanHost(random);
  return () => {
    const ports = ((1024 + random.below(60000)) << 16) | (1 + random.below(1000));
    return { card: 0, frame: frameOf(0, someUdp(random, source, server(random), ports)) };
  };
}

/** Many hosts open TCP connections from the same port to the same server: the ports collide. */
function connections(random: Random): Storm {
  const destination = server(random);
  const ports = ((1024 + random.below(4)) << 16) | 80;
  const gateway = WAN_GATEWAY;
  return () => {
    if (random.below(10) === 0) {
      return { card: 1, frame: arpFrame(ARP_REPLY, gateway, macOf(gateway, 1), WAN_ADDRESS, cardMac(1)) };
    }
    return { card: 0, frame: frameOf(0, someTcp(random, lanHost(random), destination, ports, SYN)) };
  };
}

/** Questions for the router itself, more than control takes at once. */
function questions(random: Random): Storm {
  const source = lanHost(random);
  return () => {
    const datagram = someUdp(random, source, LAN_ADDRESS, (3000 << 16) | OPEN_PORT);
    return { card: 0, frame: frameOf(0, datagram) };
  };
}

/** A host asks one server, another answers: what the filter of the mapping lets in. */
function filtered(random: Random): Storm {
  const source = lanHost(random);
  const asked = SERVER_NETWORK | 1;
  const port = 4000 + random.below(8);
  let turn = 0;
  return () => {
    turn++;
    if (turn % 8 === 1)
      return { card: 0, frame: frameOf(0, someUdp(random, source, asked, (port << 16) | 53)) };
    const stranger = asked + random.below(3);
    const ports = ((53 + random.below(2)) << 16) | port;
    return { card: 1, frame: frameOf(1, someUdp(random, stranger, WAN_ADDRESS, ports)) };
  };
}
