import test from 'ava';
import fc from 'fast-check';
import {
  ACK,
  address,
  arp,
  BROADCAST,
  concat,
  echo,
  ethernet,
  faults,
  frame,
  get16,
  icmpError,
  ipv4,
  macText,
  payload,
  read,
  SYN,
  sealIp,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  introduce,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  COUNT_FORWARDED,
  DROP_ETHERTYPE,
  DROP_FRAME_SHORT,
  DROP_MARTIAN_DESTINATION,
  DROP_NOT_FOR_US,
  DROP_SOURCE_ROUTE,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import {
  BUFFER_COUNT,
  BUFFERS_AT,
  FRAGMENT_LIFE_TICKS,
  FRAME_TAGGED_MAX,
  NEIGHBOUR_RETRY_TICKS,
  NEIGHBOUR_TRIES,
} from '../../base/limits.ts';

const OUT = { source: HOST, destination: SERVER };
const IN = { source: SERVER, destination: WAN_ADDRESS };
/** The tables of each build after the same hostile frames. */
const states = new Map<string, Uint8Array>();

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`a packet goes out masqueraded and its answer comes back, in right frames (${name})`, t => {
    const router = startRouter(build);
    for (const bytes of [0, 1, 17, 18, 700, 1471, 1472]) {
      router.fromHost(udp({ ...OUT, tos: 0x10, id: bytes }, 1043, 53, payload(bytes)));
      const [out, ...more] = router.taken(WAN);
      t.is(more.length, 0);
      t.is(macText(out as Uint8Array), GATEWAY_MAC);
      t.is(macText(out as Uint8Array, 6), WAN_MAC);
      t.deepEqual(
        (out as Uint8Array).slice(14),
        udp(
          { source: WAN_ADDRESS, destination: SERVER, tos: 0x10, id: bytes, ttl: 63 },
          1043,
          53,
          payload(bytes),
        ),
      );
      router.fromGateway(udp(IN, 53, 1043, payload(bytes, 3)));
      const [back] = router.taken(LAN);
      t.is(macText(back as Uint8Array), HOST_MAC);
      t.is(macText(back as Uint8Array, 6), LAN_MAC);
      t.deepEqual(
        (back as Uint8Array).slice(14),
        udp({ source: SERVER, destination: HOST, ttl: 63 }, 53, 1043, payload(bytes, 3)),
      );
    }
    t.is(router.counter(COUNT_FORWARDED), 14);
    t.is(router.held(), 0);
  });

  test.serial(`the TTL's checksum is right for every checksum and TTL that there can be (${name})`, t => {
    const router = startRouter(build);
    // Every 37th identification, and those whose sums come out as the two zeros of ones complement.
    const ids = Array.from({ length: 1772 }, (_, i) => 37 * i);
    const out = { source: WAN_ADDRESS, destination: SERVER, ttl: 63 };
    const zero = (id: number) => (get16(ipv4({ ...out, id }, 47, payload(4)), 10) + 1) % 0x10000 < 2;
    for (let id = 0; id < 0x10000; id++) if (zero(id)) ids.push(id);
    t.true(ids.length > 1772);
    for (const [i, id] of ids.entries()) {
      const ttl = i < 1772 ? 2 + (id % 254) : 64;
      router.fromHost(ipv4({ ...OUT, ttl, id }, 47, payload(4)));
      const [sent] = router.toWan();
      const expected = ipv4({ ...out, ttl: ttl - 1, id }, 47, payload(4));
      if (Buffer.compare(sent as Uint8Array, expected) !== 0) t.fail(`id ${id}`);
    }
    t.pass();
  });

  test.serial(`frames for others, and not IPv4, are dropped and counted (${name})`, t => {
    const router = startRouter(build);
    const datagram = udp(OUT, 1, 2);
    router.put(LAN, frame('02:00:00:00:00:99', HOST_MAC, datagram));
    router.put(LAN, frame(WAN_MAC, HOST_MAC, datagram));
    router.put(LAN, frame('01:00:5e:00:00:01', HOST_MAC, datagram));
    router.put(LAN, frame(LAN_MAC, '03:00:00:00:00:02', datagram));
    t.is(router.counter(DROP_NOT_FOR_US), 4);
    router.put(LAN, ethernet(LAN_MAC, HOST_MAC, 0x86dd, datagram));
    router.put(LAN, ethernet(LAN_MAC, HOST_MAC, 52, datagram));
    // Types that look like drop reasons, were they not compared with.
    for (let type = 16; type < 60; type++) router.put(LAN, ethernet(LAN_MAC, HOST_MAC, type, datagram));
    for (let n = 0; n < 14; n++) router.put(LAN, frame(LAN_MAC, HOST_MAC, datagram).slice(0, n));
    t.is(
      router.counter(DROP_FRAME_SHORT) + router.counter(DROP_ETHERTYPE) + router.counter(DROP_NOT_FOR_US),
      64,
    );
    t.deepEqual([...router.taken(LAN), ...router.taken(WAN)], []);
    t.is(router.held(), 0);
  });

  test.serial(`nothing unsolicited comes in, and nobody outside learns why (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(udp(OUT, 1043, 53));
    router.toWan();
    const ports = { sourcePort: 80, destinationPort: 1043 };
    const all = [
      udp(IN, 53, 1044),
      udp({ ...IN, ttl: 1 }, 53, 1044),
      tcp(IN, { ...ports, flags: SYN }),
      tcp(IN, { ...ports, flags: ACK }),
      ipv4(IN, 47, payload(30)),
      udp({ ...IN, destination: HOST }, 53, 1043),
      udp({ ...IN, destination: HOST, ttl: 1 }, 53, 1043),
      udp({ ...IN, destination: '192.168.0.1' }, 53, 53),
      udp({ ...IN, destination: '203.0.113.9', ttl: 1 }, 53, 53),
    ];
    for (const datagram of all) router.fromGateway(datagram);
    t.is(router.counter(DROP_UNSOLICITED), all.length);
    router.fromGateway(icmpError(IN, 3, 1, udp({ source: WAN_ADDRESS, destination: SERVER }, 99, 53)));
    t.deepEqual([...router.taken(LAN), ...router.taken(WAN)], []);
    t.is(router.held(), 0);
  });

  test.serial(`inside, a packet goes back where it came from, and outside none does (${name})`, t => {
    const router = startRouter(build);
    const back = (datagram: Uint8Array) => {
      router.fromHost(datagram);
      const frames = router.taken(LAN);
      t.is(frames.length, 1);
      return { to: macText(frames[0] as Uint8Array), ...read((frames[0] as Uint8Array).slice(14)) };
    };
    // Hosts whose mask is /32 send us what is for their neighbours, and get no redirect.
    t.like(back(udp({ source: HOST, destination: OTHER }, 1, 2)), {
      to: OTHER_MAC,
      source: HOST,
      destination: OTHER,
      ttl: 63,
    });
    t.like(back(udp({ source: OTHER, destination: HOST }, 2, 1)), {
      to: HOST_MAC,
      source: OTHER,
      destination: HOST,
      ttl: 63,
    });
    t.like(back(udp({ source: HOST, destination: OTHER, ttl: 1 }, 1, 2)), {
      to: HOST_MAC,
      source: LAN_ADDRESS,
      type: 11,
    });
    router.plane.routeAdd(address('10.5.0.0'), address('255.255.0.0'), address(OTHER), LAN);
    t.like(back(udp({ source: HOST, destination: '10.5.6.7' }, 1, 2)), {
      to: OTHER_MAC,
      destination: '10.5.6.7',
    });
    t.like(back(udp({ source: '10.5.6.7', destination: HOST }, 1, 2)), { to: HOST_MAC, source: '10.5.6.7' });
    // What came in a frame for everybody goes nowhere.
    router.put(LAN, frame(BROADCAST, HOST_MAC, udp({ source: HOST, destination: OTHER }, 1, 2)));
    router.fromGateway(udp({ source: SERVER, destination: '10.1.2.77' }, 1, 2));
    t.is(router.counter(DROP_UNSOLICITED), 1);
    router.fromHost(udp({ source: HOST, destination: '127.0.0.1' }, 1, 2));
    router.fromHost(udp({ source: HOST, destination: '240.0.0.1' }, 1, 2));
    t.is(router.counter(DROP_MARTIAN_DESTINATION), 2);
    router.fromHost(udp({ ...OUT, options: [131, 3, 4, 0] }, 1, 2));
    t.is(router.counter(DROP_SOURCE_ROUTE), 1);
    t.deepEqual([...router.taken(LAN), ...router.taken(WAN)], []);
  });

  test.serial(`a hairpinned packet that ends here tells its sender, by the outside address (${name})`, t => {
    const router = startRouter(build);
    const other = (datagram: Uint8Array) => router.put(LAN, frame(LAN_MAC, OTHER_MAC, datagram));
    router.fromHost(udp(OUT, 1043, 53));
    other(udp({ source: OTHER, destination: SERVER }, 2000, 53));
    // Each opens its filter for the other.
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 2000));
    other(udp({ source: OTHER, destination: WAN_ADDRESS }, 2000, 1043));
    router.taken(LAN);
    router.taken(WAN);
    const lost = udp({ source: HOST, destination: WAN_ADDRESS, ttl: 1 }, 1043, 2000);
    router.fromHost(lost);
    const [exceeded, ...more] = router.taken(LAN);
    t.is(more.length, 0);
    t.is(macText(exceeded as Uint8Array), HOST_MAC);
    const message = (exceeded as Uint8Array).slice(14);
    t.is(faults(message), '');
    t.like(read(message), { source: WAN_ADDRESS, destination: HOST, type: 11, code: 0 });
    // The quote is the host's own packet, byte by byte.
    t.deepEqual(read(message).data, lost);
    // And so is too long a one, and one whose receiver is gone.
    router.plane.configureInterface(LAN, 0, address(LAN_ADDRESS), address('255.255.255.0'), 600);
    router.fromHost(
      udp({ source: HOST, destination: WAN_ADDRESS, dontFragment: true }, 1043, 2000, payload(900)),
    );
    const [big] = router.toLan();
    t.is(faults(big as Uint8Array), '');
    t.like(read(big as Uint8Array), { source: WAN_ADDRESS, destination: HOST, type: 3, code: 4, rest: 600 });
    router.plane.forgetNeighbours(LAN);
    introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 2000));
    router.ticks(NEIGHBOUR_TRIES * 2 * NEIGHBOUR_RETRY_TICKS);
    const [gone] = router.toLan();
    t.like(read(gone as Uint8Array), { source: WAN_ADDRESS, destination: HOST, type: 3, code: 1 });
    t.is(router.held(), 0);
  });

  test.serial(`a protocol that finds no session is refused with 3/13 (RFC 5508, REQ-8) (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(ipv4(OUT, 50, payload(40)));
    t.is(router.toWan().length, 1);
    router.put(LAN, frame(LAN_MAC, OTHER_MAC, ipv4({ ...OUT, source: OTHER }, 50, payload(40))));
    const [error] = router.toLan();
    t.like(read(error as Uint8Array), { source: LAN_ADDRESS, destination: OTHER, type: 3, code: 13 });
    router.fromHost(ipv4(OUT, 136, payload(40)));
    t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, type: 3, code: 13 });
    t.deepEqual(router.toWan(), []);
  });

  test.serial(`a frame with a tag for VLAN 0 is one without, and others are not ours (${name})`, t => {
    const router = startRouter(build);
    const tagged = (to: string, from: string, tag: number, data: Uint8Array, type = 0x0800) =>
      ethernet(to, from, 0x8100, concat([tag >> 8, tag & 255, type >> 8, type & 255], data));
    const full = udp(OUT, 4000, 53, payload(1472));
    const frames = [
      tagged(LAN_MAC, HOST_MAC, 0xe000, full),
      tagged(LAN_MAC, HOST_MAC, 0, udp(OUT, 4000, 53)),
    ];
    t.is(frames[0]?.length, FRAME_TAGGED_MAX);
    for (const bytes of frames) router.put(LAN, bytes);
    const sent = router.taken(WAN);
    t.deepEqual(
      sent.map(bytes => [bytes.length >= 60 ? get16(bytes, 12) : 0x0800, faults(bytes.slice(14))]),
      [
        [0x0800, ''],
        [0x0800, ''],
      ],
    );
    t.deepEqual(read((sent[0] as Uint8Array).slice(14)).data, payload(1472));
    router.put(WAN, tagged(WAN_MAC, GATEWAY_MAC, 0xa000, udp(IN, 53, 4000)));
    t.is(read(router.toLan()[0] as Uint8Array).destination, HOST);
    const asks = arp({
      operation: 1,
      senderMac: OTHER_MAC,
      senderAddress: OTHER,
      targetAddress: LAN_ADDRESS,
    });
    router.put(LAN, tagged(BROADCAST, OTHER_MAC, 0x6000, asks, 0x0806));
    const [reply] = router.taken(LAN);
    t.is(get16(reply as Uint8Array, 12), 0x0806);
    t.is(reply?.length, 42);
    // A VLAN of somebody's, a tag in a tag, and tags that are cut off.
    router.put(LAN, tagged(LAN_MAC, HOST_MAC, 5, udp(OUT, 4000, 53)));
    router.put(LAN, tagged(LAN_MAC, HOST_MAC, 0, concat([0, 0, 8, 0], udp(OUT, 4000, 53)), 0x8100));
    t.is(router.counter(DROP_ETHERTYPE), 2);
    for (let n = 14; n < 18; n++) router.put(LAN, (frames[1] as Uint8Array).slice(0, n));
    t.is(router.counter(DROP_FRAME_SHORT), 4);
    router.put(LAN, (frames[1] as Uint8Array).slice(0, 18));
    t.deepEqual([...router.taken(WAN), ...router.taken(LAN)], []);
    t.is(router.held(), 0);
  });

  test.serial(`a host reaches another by our outside address: hairpin (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(udp(OUT, 1043, 53));
    router.toWan();
    router.put(
      LAN,
      frame(LAN_MAC, '02:00:00:00:00:03', udp({ source: OTHER, destination: SERVER }, 2000, 53)),
    );
    router.toWan();
    // Filter: the mapping of HOST accepts whom it has sent to, so it first sends to the other's mapping.
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 2000));
    router.put(
      LAN,
      frame(LAN_MAC, '02:00:00:00:00:03', udp({ source: OTHER, destination: WAN_ADDRESS }, 2000, 1043)),
    );
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1043, 2000));
    const turned = router.toLan();
    t.true(turned.length >= 2);
    for (const datagram of turned) {
      t.is(faults(datagram), '');
      t.is(read(datagram).source, WAN_ADDRESS);
      t.is(read(datagram).ttl, 63);
    }
    t.deepEqual(router.toWan(), []);
    t.is(router.held(), 0);
  });

  test.serial(`an ICMP error about a masqueraded packet reaches the host (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(udp({ ...OUT, ttl: 9 }, 40001, 33435));
    const out = router.toWan()[0] as Uint8Array;
    router.fromGateway(icmpError({ source: '10.1.2.1', destination: WAN_ADDRESS }, 11, 0, out));
    const error = router.toLan()[0] as Uint8Array;
    t.is(faults(error), '');
    t.like(read(error), { source: '10.1.2.1', destination: HOST, type: 11 });
    t.like(read(error.slice(28)), { source: HOST, sourcePort: 40001, destination: SERVER });
  });

  test.serial(`hostile frames neither leak buffers nor change the two builds' tables apart (${name})`, t => {
    const router = startRouter(build);
    const seeds = [
      frame(LAN_MAC, HOST_MAC, udp(OUT, 1043, 53, payload(40))),
      frame(
        LAN_MAC,
        HOST_MAC,
        tcp(OUT, { sourcePort: 5, destinationPort: 80, flags: SYN, options: [2, 4, 5, 180] }),
      ),
      frame(WAN_MAC, GATEWAY_MAC, udp(IN, 53, 1043)),
      frame(
        WAN_MAC,
        GATEWAY_MAC,
        icmpError(IN, 3, 4, udp({ source: WAN_ADDRESS, destination: SERVER }, 1043, 53)),
      ),
      frame(LAN_MAC, HOST_MAC, echo({ ...OUT, moreFragments: true }, 8, 3, 1, payload(16))),
      frame(BROADCAST, HOST_MAC, udp({ ...OUT, fragmentOffset: 24 }, 8, 3)),
    ];
    fc.assert(
      fc.property(
        fc.nat(seeds.length - 1),
        fc.array(fc.tuple(fc.nat(90), fc.nat(255)), { maxLength: 4 }),
        fc.nat(110),
        fc.boolean(),
        fc.nat(1),
        (seed, changes, cut, seal, index) => {
          const bytes = (seeds[seed] as Uint8Array).slice();
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const short = cut < 90 ? bytes : bytes.slice(0, cut - 60);
          if (seal && short.length >= 34) {
            const datagram = short.slice(14);
            if (((datagram[0] as number) & 15) * 4 <= datagram.length) short.set(sealIp(datagram), 14);
          }
          router.put(index, short);
          for (const out of [...router.toLan(), ...router.toWan()]) {
            const fault = faults(out, false);
            if (
              fault !== '' &&
              !fault.startsWith('UDP') &&
              !fault.startsWith('TCP') &&
              !fault.startsWith('ICMP')
            ) {
              return false;
            }
          }
          return true;
        },
      ),
      { numRuns: 2000, seed: 486 },
    );
    router.ticks(FRAGMENT_LIFE_TICKS + 100);
    router.taken(LAN);
    router.taken(WAN);
    while (router.punted());
    t.is(router.held(), 0);
    t.is(router.plane.poolFree(), BUFFER_COUNT);
    // All tables: the buffers behind them keep old frames.
    const state = build.memory.slice(0, BUFFERS_AT);
    states.set(name, state);
    const [other] = [...states.values()] as [Uint8Array];
    t.is(
      state.findIndex((byte, at) => byte !== other[at]),
      -1,
    );
  });
}
