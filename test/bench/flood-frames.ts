// The floods, frame by frame: from one host that ARP knows, from made-up stations and addresses, from stations that say ARP
// first, and from some that were there before. Not here: at what rate they come, and what others get meanwhile (floods.ts).

import { DISCOVER, INFORM } from '../../src/control/dhcp/message.ts';
import { compose } from '../../src/control/dhcp/server-lab.ts';
import * as packets from '../packets.ts';
import { ip, OUTSIDE, ROUTER } from './addresses.ts';

export const DNS_PORT = 53;
/** A bad host that was there before. */
export const BAD = '192.168.0.77';
export const BAD_MAC = '02:00:00:00:00:77';

/** Stations that were there before, as good hosts are: so few that each is loud as soon as they flood. */
export const SETTLED: number = 8;
/** And so many that none is loud, though together they ask for far more than there is. */
export const CROWD: number = 60;
/** What each of those asks control for in a second: twice that is what is remembered of it (STATION_LOUD). */
const CROWD_ASKS = 28;
export const settledMac = (n: number): string => `02:66:00:00:01:${n.toString(16).padStart(2, '0')}`;
export const settledHost = (n: number): string => `192.168.0.${10 + n}`;

export interface Flood {
  readonly name: string;
  /** Comes by the WAN. */
  readonly outside?: boolean;
  /** Frames, if not as many as the wire brings. */
  readonly perSecond?: number;
  /** Frame number `i`, for the router's station `to`. */
  make(i: number, to: string): Uint8Array;
}

export function question(name: string, id: number): Uint8Array {
  const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}

/** A number that looks like chance and is the same in each run. */
const scramble = (i: number): number => Math.imul(i + 1, 0x9e3779b1) >>> 0;
const madeUpMac = (i: number): string => {
  const n = scramble(i);
  return packets.macText(Uint8Array.of(2, 0x66, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255));
};
/** Any but the good host's, the router's and the known bad one's. */
const madeUpHost = (i: number): string => `192.168.0.${100 + ((scramble(i) >>> 16) % 150)}`;

/** The same of a known host and of made-up ones. */
function both(name: string, datagram: (i: number, source: string) => Uint8Array): Flood[] {
  return [
    { name: `${name}, one host`, make: (i, to) => packets.frame(to, BAD_MAC, datagram(i, BAD)) },
    {
      name: `${name}, made-up hosts`,
      make: (i, to) => packets.frame(to, madeUpMac(i), datagram(i, madeUpHost(i))),
    },
  ];
}

export const toRouter = (source: string): packets.Ip => ip(source, ROUTER);
const anyPort = (i: number): number => 1024 + (scramble(i) % 60000);

/** Whole frames of an echo request of 2,000 bytes, in fragments: two for each. */
function bigPing(i: number, source: string): Uint8Array {
  const request = packets.echo({ ...toRouter(source), id: i >> 1 }, 8, 9, i, packets.payload(2000));
  return packets.fragments(request, 1480)[i & 1]!;
}

/** A new name, a name in the cache, what a host with an address asks the DHCP server for, or a large echo. */
function crowdAsks(kind: number, i: number, n: number, source: string): Uint8Array {
  if (kind === 3) return packets.echo(toRouter(source), 8, 9, i, packets.payload(1000));
  if (kind === 2)
    return packets.udp(toRouter(source), 68, 67, compose(settledMac(n), INFORM, { xid: i, ciaddr: source }));
  const name = kind === 1 ? 'warm.example' : `${scramble(i)}.example`;
  return packets.udp(toRouter(source), anyPort(i), DNS_PORT, question(name, i));
}

function discover(mac: string, i: number): Uint8Array {
  const message = compose(mac, DISCOVER, { xid: scramble(i), wants: [1, 3, 6, 15] });
  return packets.udp(ip('0.0.0.0', '255.255.255.255'), 68, 67, message);
}

/** The message that costs most (test/worst-inputs.test.ts): a name in 100 pieces, each joined to those before it, and pads. */
function worstMessage(i: number): Uint8Array {
  const message = new Uint8Array(1400);
  message.set(compose(BAD_MAC, DISCOVER, { xid: scramble(i) }).subarray(0, 243));
  for (let piece = 0; piece < 100; piece++) message.set([12, 1, 45], 243 + 3 * piece);
  return message;
}

/** A server's answer full of short options, with a wrong xid, as anybody on the internet can send it. */
function reply(i: number): Uint8Array {
  const message = new Uint8Array(300);
  message.set([2, 1, 6, 0, scramble(i) & 255, 1, 2, 3]);
  message.set([0x63, 0x82, 0x53, 0x63], 236);
  for (let at = 240; at < 300; at += 2) message[at] = 1 + ((at >> 1) % 200);
  return packets.udp(ip(`198.18.${i & 255}.1`, OUTSIDE), 67, 68, message);
}

/** The same of so many stations, of which each says ARP first, and again and again. */
function known(name: string, stations: number, datagram: (i: number, source: string) => Uint8Array): Flood {
  const macOf = (n: number) => `02:66:00:00:00:${n.toString(16).padStart(2, '0')}`;
  return saysArp(`${name}, ${stations} known stations`, stations, macOf, datagram);
}

/** One station under so many addresses, each of which it says by ARP. */
function addressed(
  name: string,
  addresses: number,
  datagram: (i: number, source: string) => Uint8Array,
): Flood {
  return saysArp(`${name}, one station of ${addresses} addresses`, addresses, () => BAD_MAC, datagram);
}

function saysArp(
  name: string,
  hosts: number,
  macOf: (n: number) => string,
  datagram: (i: number, source: string) => Uint8Array,
): Flood {
  return {
    name,
    make(i, to) {
      const n = i % hosts;
      const mac = macOf(n);
      const source = `192.168.0.${100 + (n % 150)}`;
      if (Math.floor(i / hosts) % 50 !== 0) return packets.frame(to, mac, datagram(i, source));
      return packets.arpFrame(packets.BROADCAST, {
        ...{ operation: 1, senderMac: mac, senderAddress: source, targetAddress: ROUTER },
      });
    },
  };
}

export const FLOODS: readonly Flood[] = [
  ...both('DNS queries, one name', (i, source) =>
    packets.udp(toRouter(source), anyPort(i), DNS_PORT, question('warm.example', i)),
  ),
  ...both('DNS queries, random names', (i, source) =>
    packets.udp(toRouter(source), anyPort(i), DNS_PORT, question(`${scramble(i)}.example`, i)),
  ),
  known('DNS queries, random names', 40, (i, source) =>
    packets.udp(toRouter(source), anyPort(i), DNS_PORT, question(`${scramble(i)}.example`, i)),
  ),
  {
    name: `DNS queries, random names, ${SETTLED} stations that were there before`,
    make(i, to) {
      const n = i % SETTLED;
      const query = question(`${scramble(i)}.example`, i);
      return packets.frame(
        to,
        settledMac(n),
        packets.udp(toRouter(settledHost(n)), anyPort(i), DNS_PORT, query),
      );
    },
  },
  {
    name: `names, leases and pings, ${CROWD} stations that were there before and are not loud`,
    // Of four frames three are for control.
    perSecond: Math.floor((CROWD * CROWD_ASKS * 4) / 3),
    make(i, to) {
      const n = i % CROWD;
      const source = settledHost(n);
      // Each of all in turn, one kind behind the other.
      return packets.frame(to, settledMac(n), crowdAsks((i + i / CROWD) & 3, i, n, source));
    },
  },
  known('DNS queries, one name', 150, (i, source) =>
    packets.udp(toRouter(source), anyPort(i), DNS_PORT, question('warm.example', i)),
  ),
  addressed('DNS queries, random names', 150, (i, source) =>
    packets.udp(toRouter(source), anyPort(i), DNS_PORT, question(`${scramble(i)}.example`, i)),
  ),
  known('rubbish to port 67', 40, (_, source) => packets.udp(toRouter(source), 68, 67, packets.payload(300))),
  ...both('SYN to port 53', (i, source) =>
    packets.tcp(toRouter(source), {
      ...{ sourcePort: anyPort(i), destinationPort: DNS_PORT, sequence: scramble(i), flags: packets.SYN },
    }),
  ),
  {
    name: 'DHCP DISCOVER, one station',
    make: i => packets.frame(packets.BROADCAST, BAD_MAC, discover(BAD_MAC, i)),
  },
  {
    name: 'DHCP DISCOVER, made-up stations',
    make: i => packets.frame(packets.BROADCAST, madeUpMac(i), discover(madeUpMac(i), i)),
  },
  {
    name: 'DHCP full of options, one host',
    make: (i, to) => packets.frame(to, BAD_MAC, packets.udp(toRouter(BAD), 68, 67, worstMessage(i))),
  },
  ...both('ping, 1,000 bytes', (i, source) => packets.echo(toRouter(source), 8, 9, i, packets.payload(1000))),
  ...both('ping, 2,000 bytes in fragments', bigPing),
  ...both('UDP to closed ports', (i, source) =>
    packets.udp(toRouter(source), 4000, anyPort(i), packets.payload(18)),
  ),
  {
    name: 'UDP to port 68 from the WAN',
    outside: true,
    make: (i, to) => packets.frame(to, '02:00:00:00:00:01', reply(i)),
  },
];
