import test from 'ava';
import {
  ACK,
  concat,
  echo,
  fragments,
  type Ip,
  icmpError,
  ipv4,
  payload,
  put16,
  sealIp,
  tcp,
  udp,
} from '../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import {
  DROP_IP_CHECKSUM,
  DROP_IP_HEADER,
  DROP_IP_LENGTH,
  DROP_IP_OPTIONS,
  DROP_SOURCE_ROUTE,
  DROP_TRANSPORT_HEADER,
} from '../base/counters.ts';
import { i32at, puti32 } from '../base/memory.ts';
import {
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PACKET_PORTS,
  PASS,
} from '../base/packet.ts';

const IP: Ip = { source: '192.168.0.2', destination: '204.152.184.112' };
const PORTS = { sourcePort: 1043, destinationPort: 80 };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;

  /** The verdict about a datagram in a frame of `length` bytes and the packet that it was in. */
  const check = (datagram: Uint8Array, length = datagram.length) => {
    build.use();
    plane.resetPool();
    const packet = plane.allocate();
    memory.fill(0x5a, packet + PACKET_IP, packet + 1600);
    memory.set(datagram.subarray(0, 1536), packet + PACKET_IP);
    puti32(packet + PACKET_LENGTH, length);
    return { verdict: plane.ipv4Check(packet), packet };
  };
  const verdict = (datagram: Uint8Array) => check(datagram).verdict;

  test.serial(`ipv4Check() refuses a datagram cut at any length (${name})`, t => {
    for (const datagram of [
      udp(IP, 1043, 53, payload(5)),
      tcp(IP, PORTS, payload(5)),
      echo(IP, 8, 7),
      udp({ ...IP, options: [1, 1, 1, 0] }, 1043, 53),
    ]) {
      t.is(verdict(datagram), PASS);
      for (let n = 0; n < datagram.length; n++) {
        t.is(check(datagram, n).verdict, DROP_IP_LENGTH, `${n} of ${datagram.length} bytes`);
        // The same cut, with a total length that admits it: what is left of the transport must be whole.
        const cut = datagram.slice(0, n);
        const headerBytes = ((datagram[0] as number) & 15) * 4;
        if (n < headerBytes) continue;
        put16(cut, 2, n);
        sealIp(cut);
        const isTcp = datagram[9] === 6;
        const isUdp = datagram[9] === 17;
        // UDP has its own length, which the cut makes a lie.
        const isRight = isUdp ? false : n >= headerBytes + (isTcp ? 20 : 8);
        t.is(verdict(cut), isRight ? PASS : DROP_TRANSPORT_HEADER, `total length ${n}`);
      }
    }
  });

  test.serial(`ipv4Check() cuts the Ethernet's padding off (${name})`, t => {
    const datagram = udp(IP, 1043, 53, payload(3));
    const { verdict, packet } = check(concat(datagram, payload(29)), 60);
    t.is(verdict, PASS);
    t.is(i32at(packet + PACKET_LENGTH), datagram.length);
  });

  test.serial(`ipv4Check() refuses another version and a header of less than five words (${name})`, t => {
    for (let version = 0; version < 16; version++) {
      t.is(verdict(udp({ ...IP, version }, 1, 2)), version === 4 ? PASS : DROP_IP_HEADER);
    }
    for (let headerWords = 0; headerWords < 5; headerWords++) {
      t.is(verdict(udp({ ...IP, headerWords }, 1, 2)), DROP_IP_HEADER);
    }
    t.is(verdict(ipv4({ ...IP, headerWords: 15 }, 17, payload(30))), DROP_IP_LENGTH);
    t.is(verdict(ipv4({ ...IP, totalLength: 19 }, 17, payload(30))), DROP_IP_LENGTH);
  });

  test.serial(`ipv4Check() finds every single wrong bit of a header by its checksum (${name})`, t => {
    const datagram = tcp(IP, PORTS);
    for (let bit = 0; bit < 160; bit++) {
      const bad = datagram.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      t.not(verdict(bad), PASS, `bit ${bit}`);
      if (bit >= 32) t.is(verdict(bad), DROP_IP_CHECKSUM, `bit ${bit}`);
    }
  });

  test.serial(`ipv4Check() does not look at reserved bits: RFC 1812, 4.2.2.3 (${name})`, t => {
    t.is(verdict(udp({ ...IP, evil: true, tos: 0xff }, 1, 2)), PASS);
  });

  test.serial(`ipv4Check() drops source routes and lets whole other options through (${name})`, t => {
    const options = (...bytes: number[]) => verdict(udp({ ...IP, options: bytes }, 1, 2));
    t.is(options(131, 7, 4, 10, 0, 0, 1), DROP_SOURCE_ROUTE);
    t.is(options(1, 137, 7, 4, 10, 0, 0, 1), DROP_SOURCE_ROUTE);
    t.is(options(7, 7, 4, 0, 0, 0, 0, 131), DROP_SOURCE_ROUTE);
    t.is(options(7, 7, 4, 0, 0, 0, 0), PASS);
    t.is(options(148, 4, 0, 0), PASS);
    t.is(options(1, 0, 131, 7), PASS, 'what follows the end of the list is padding');
    t.is(options(7, 9, 4, 0, 0, 0, 0, 0), DROP_IP_OPTIONS);
    t.is(options(7, 1, 4, 0), DROP_IP_OPTIONS);
    t.is(options(7, 0, 4, 0), DROP_IP_OPTIONS);
    t.is(options(1, 1, 1, 7), DROP_IP_OPTIONS);
    t.is(options(...payload(40).fill(1)), PASS);
  });

  test.serial(`ipv4Check() fills ports, transport and flags (${name})`, t => {
    const { packet } = check(tcp(IP, { ...PORTS, flags: ACK, options: [1, 1, 1, 1] }));
    t.is(i32at(packet + PACKET_PORTS), (1043 << 16) | 80);
    t.is(i32at(packet + PACKET_L4), packet + PACKET_IP + 20);
    const query = check(echo({ ...IP, options: [1, 1, 1, 0] }, 8, 0xfeed)).packet;
    t.is(i32at(query + PACKET_PORTS), 0xfeedfeed | 0);
    t.is(i32at(query + PACKET_L4), query + PACKET_IP + 24);
    for (const type of [3, 4, 5, 11, 12]) {
      const error = check(icmpError(IP, type, 0, udp(IP, 1, 2))).packet;
      t.is(i32at(error + PACKET_PORTS), 0);
      t.is(i32at(error + PACKET_FLAGS), FLAG_ICMP_ERROR, `type ${type}`);
    }
  });

  test.serial(`ipv4Check() refuses TCP and UDP headers whose own lengths lie (${name})`, t => {
    for (let headerWords = 0; headerWords < 16; headerWords++) {
      const right = headerWords >= 5 && headerWords <= 7;
      t.is(verdict(tcp(IP, { ...PORTS, headerWords }, payload(8))), right ? PASS : DROP_TRANSPORT_HEADER);
    }
    for (const [length, right] of [
      [7, false],
      [8, true],
      [40, true],
      [41, false],
    ] as const) {
      const datagram = udp(IP, 1, 2, payload(32));
      put16(datagram, 24, length);
      t.is(verdict(datagram), right ? PASS : DROP_TRANSPORT_HEADER, `UDP length ${length}`);
    }
  });

  test.serial(`ipv4Check() wants the whole transport header in a first fragment: RFC 1858 (${name})`, t => {
    const whole = tcp(IP, PORTS, payload(200));
    t.is(verdict(fragments(whole, 16)[0] as Uint8Array), DROP_TRANSPORT_HEADER);
    t.is(verdict(fragments(whole, 24)[0] as Uint8Array), PASS);
    const { verdict: later, packet } = check(fragments(whole, 24)[1] as Uint8Array);
    t.is(later, PASS);
    t.is(i32at(packet + PACKET_L4), 0);
    t.is(i32at(packet + PACKET_PORTS), 0);
    t.is(verdict(fragments(udp(IP, 1, 2, payload(3000)), 1480)[0] as Uint8Array), PASS);
  });
}
