// Hostile traffic for the hour of hour.ts: campaigns against the router from its LAN and from outside, by a seed. Each is
// what one bad neighbour would do for a while; `make` builds its next frame.
// Not here: the hosts that must not notice (hour.ts), damage to any frame (../fuzz/mutate.ts).

import type { Random } from '../../src/control/debug/random.ts';
import { DISCOVER } from '../../src/control/dhcp/message.ts';
import { compose, station } from '../../src/control/dhcp/server-lab.ts';
import { mutate, noise } from '../fuzz/mutate.ts';
import * as packets from '../packets.ts';
import { GATEWAY, OUTSIDE, ROUTER, SERVER } from './addresses.ts';

const DNS_PORT = 53;
/** Hosts of the LAN that behave badly; the good ones have lower addresses. */
const BAD_FIRST = 200;
const BAD_COUNT = 40;

export interface Campaign {
  readonly name: string;
  /** The next frame: `to` is the router's station address on that side. */
  make(random: Random, to: string): Uint8Array;
}

/** What an attacker outside may know of a session: all but the numbers of its segments. */
export interface Known {
  /** The session's port outside, 0 before anybody has seen it. */
  outsidePort: number;
  readonly serverPort: number;
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random.below(from.length)] as T;
const port = (random: Random): number => 1 + random.below(65535);
const anyAddress = (random: Random): string =>
  [1 + random.below(222), random.below(256), random.below(256), random.below(256)].join('.');
const madeUpMac = (random: Random): string =>
  packets.macText(
    Uint8Array.from([2, 0x66, random.below(256), random.below(256), random.below(256), random.below(256)]),
  );
const badHost = (random: Random): string => `192.168.0.${BAD_FIRST + random.below(BAD_COUNT)}`;

function bytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.next() & 255);
}

/** A query for a name that nobody has asked for. */
function randomQuery(random: Random): Uint8Array {
  const label = `x${random.below(65536)}`;
  return packets.concat(
    [random.below(256), random.below(256), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.length],
    Buffer.from(label),
    [4, ...Buffer.from('evil'), 7, ...Buffer.from('example'), 0, 0, 1, 0, 1],
  );
}

/** A query whose records point from name to name, as long as a datagram holds (RFC 1035, section 4.1.4 misused). */
function chainQuery(random: Random): Uint8Array {
  const pointers = 362;
  const header = [random.below(256), 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 61];
  const first = 12 + 5 + 12;
  const chain: number[] = [];
  for (let i = 0; i < pointers; i++) {
    const target = i === 0 ? 12 : first + 2 * (i - 1);
    chain.push(0xc0 | (target >> 8), target & 255);
  }
  const last = first + 2 * (pointers - 1);
  const record = [0xc0 | (last >> 8), last & 255, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0];
  const records = Array.from({ length: 60 }, () => record).flat();
  return packets.concat(
    header,
    [0, 0, 2, 0, 1],
    [0, 0, 16, 0, 1, 0, 0, 0, 0, (2 * pointers) >> 8, (2 * pointers) & 255, ...chain],
    records,
  );
}

/** The one bad host of the LAN that shows its own address. */
const ONE = '192.168.0.199';

function from(random: Random, to: string, datagram: Uint8Array): Uint8Array {
  return packets.frame(to, madeUpMac(random), datagram);
}

function udp(
  random: Random,
  source: string,
  destination: string,
  destinationPort: number,
  data: Uint8Array,
): Uint8Array {
  return packets.udp({ source, destination }, port(random), destinationPort, data);
}

/** What passes through the router, or would. */
function throughCampaigns(): Campaign[] {
  return [
    {
      name: 'one host opens UDP flows to everybody',
      make: (r, to) => from(r, to, udp(r, ONE, anyAddress(r), port(r), packets.payload(18))),
    },
    {
      name: 'SYNs from made-up hosts to everybody',
      make: (r, to) =>
        from(
          r,
          to,
          packets.tcp(
            { source: badHost(r), destination: anyAddress(r) },
            { sourcePort: port(r), destinationPort: port(r), flags: packets.SYN, sequence: r.next() },
          ),
        ),
    },
    {
      name: 'flows to addresses of the WAN that nobody has',
      make: (r, to) => from(r, to, udp(r, ONE, `203.0.113.${20 + r.below(200)}`, 9, packets.payload(18))),
    },
    {
      name: 'ARP from everybody about everybody',
      make: (r, to) => {
        const mac = madeUpMac(r);
        return packets.arpFrame(r.below(2) === 0 ? packets.BROADCAST : to, {
          operation: 1 + r.below(2),
          senderMac: mac,
          senderAddress: badHost(r),
          targetMac: to,
          targetAddress: r.below(4) === 0 ? badHost(r) : ROUTER,
        });
      },
    },
  ];
}

/** What the router itself would have to answer. */
function toRouterCampaigns(): Campaign[] {
  return [
    {
      name: 'queries for names that nobody has',
      make: (r, to) => from(r, to, udp(r, ONE, ROUTER, DNS_PORT, randomQuery(r))),
    },
    {
      name: 'queries with chains of pointers',
      make: (r, to) => from(r, to, udp(r, badHost(r), ROUTER, DNS_PORT, chainQuery(r))),
    },
    {
      name: 'SYNs to port 53',
      make: (r, to) =>
        from(
          r,
          to,
          packets.tcp(
            { source: badHost(r), destination: ROUTER },
            { sourcePort: port(r), destinationPort: DNS_PORT, flags: packets.SYN, sequence: r.next() },
          ),
        ),
    },
    {
      name: 'DISCOVERs of made-up stations',
      make: r => {
        const mac = station(1000 + r.below(60000));
        const message = compose(mac, DISCOVER, { xid: r.next() >>> 0 });
        const datagram = packets.udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67, message);
        return packets.frame(packets.BROADCAST, mac, datagram);
      },
    },
    {
      name: 'pings of 1,400 bytes',
      make: (r, to) =>
        from(
          r,
          to,
          packets.echo({ source: badHost(r), destination: ROUTER }, 8, port(r), 1, packets.payload(1400)),
        ),
    },
    {
      name: 'fragments without their others',
      make: (r, to) => {
        const ip = {
          source: badHost(r),
          destination: r.below(2) === 0 ? ROUTER : SERVER,
          id: r.below(65536),
          moreFragments: r.below(2) === 0,
          fragmentOffset: 8 * r.below(185),
        };
        return from(r, to, packets.ipv4(ip, packets.UDP, packets.payload(64)));
      },
    },
    {
      name: 'damaged frames',
      make: (r, to) => {
        const good = from(
          r,
          to,
          udp(r, badHost(r), pick(r, [ROUTER, SERVER, OUTSIDE]), port(r), packets.payload(60)),
        );
        return r.below(8) === 0 ? noise(r, good) : mutate(r, good);
      },
    },
  ];
}

export function lanCampaigns(): Campaign[] {
  return [...throughCampaigns(), ...toRouterCampaigns()];
}

/** @param known the good sessions, whose ports an attacker outside has learned or guessed. */
export function wanCampaigns(known: readonly Known[]): Campaign[] {
  const segment = (random: Random, flags: number): Uint8Array => {
    const { outsidePort, serverPort } = pick(random, known);
    return packets.tcp(
      { source: SERVER, destination: OUTSIDE },
      {
        sourcePort: serverPort,
        destinationPort: outsidePort === 0 ? port(random) : outsidePort,
        flags,
        sequence: random.next(),
        acknowledgment: random.next(),
      },
    );
  };
  return [
    {
      name: 'junk to every port',
      make: (r, to) =>
        from(
          r,
          to,
          packets.udp({ source: anyAddress(r), destination: OUTSIDE }, port(r), port(r), packets.payload(18)),
        ),
    },
    {
      name: 'forged resets',
      make: (r, to) => from(r, to, segment(r, packets.RST | (r.below(2) * packets.ACK))),
    },
    { name: 'forged ends', make: (r, to) => from(r, to, segment(r, packets.FIN | packets.ACK)) },
    {
      name: 'UDP to the port of the DHCP client',
      make: (r, to) =>
        from(
          r,
          to,
          packets.udp(
            { source: '198.18.0.1', destination: OUTSIDE },
            port(r),
            68,
            bytes(r, r.below(2) === 0 ? 1400 : 300),
          ),
        ),
    },
    {
      name: 'forged errors about the sessions',
      make: (r, to) => {
        const { outsidePort, serverPort } = pick(r, known);
        const quoted = packets.tcp(
          { source: OUTSIDE, destination: SERVER },
          { sourcePort: outsidePort, destinationPort: serverPort, sequence: r.next() },
        );
        const ip = { source: anyAddress(r), destination: OUTSIDE };
        return from(r, to, packets.icmpError(ip, 3, pick(r, [0, 1, 2, 3, 4, 13]), quoted));
      },
    },
    {
      name: 'forged answers of the DNS server',
      make: (r, to) => {
        const answer = randomQuery(r);
        answer[2] = 0x81;
        return from(r, to, packets.udp({ source: SERVER, destination: OUTSIDE }, DNS_PORT, port(r), answer));
      },
    },
    {
      name: "ARP that takes the gateway's address, and ours",
      make: (r, to) => {
        const mine = r.below(2) === 0 ? GATEWAY : OUTSIDE;
        return packets.arpFrame(r.below(2) === 0 ? packets.BROADCAST : to, {
          operation: 1 + r.below(2),
          senderMac: madeUpMac(r),
          senderAddress: mine,
          targetMac: to,
          targetAddress: r.below(2) === 0 ? mine : OUTSIDE,
        });
      },
    },
    {
      name: 'damaged frames',
      make: (r, to) => {
        const good = from(r, to, segment(r, packets.ACK));
        return r.below(8) === 0 ? noise(r, good) : mutate(r, good);
      },
    },
  ];
}
