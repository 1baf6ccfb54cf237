import test from 'ava';
import { ACK, address, echo, fragments, payload, RST, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  introduce,
  LAN,
  LAN_ADDRESS,
  OTHER,
  type Router,
  SERVER,
  startRouter,
} from '../../../test/plane-router.ts';
import { addRule, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DEMAND_ASKED_AT, DEMAND_HELD_AT, NOW_AT, WAKE_AT } from '../../base/cells.ts';
import { DROP_INTERFACE_DOWN, DROP_NO_CALL, DROP_TRANSMIT_FULL } from '../../base/counters.ts';
import {
  DEMAND_ICMP,
  DEMAND_OWN,
  DEMAND_TCP,
  DEMAND_UDP,
  DEMAND_USED,
  demandAt,
  WANTED_DESTINATION_AT,
  WANTED_LINK_AT,
  WANTED_PACKET_AT,
  WANTED_PORTS_AT,
  WANTED_PROTOCOL_AT,
  WANTED_SOURCE_AT,
} from '../../base/demand-record.ts';
import { BUFFER_COUNT, INTERFACE_WAN, TICKS_PER_SECOND } from '../../base/limits.ts';
import {
  DEMAND_FIRST,
  DEMAND_HOLD_SECONDS,
  DEMAND_HOST_PLACES,
  DEMAND_PLACES,
  DEMAND_QUIET_TICKS,
} from '../../base/line-limits.ts';
import { LINE_PPP } from '../../base/line-record.ts';
import { i32at, put8, puti32 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';
import { PPP_IP } from '../../wire/ppp.ts';
import { PortEnd, pppFrame, pppFrames } from './port-lab.ts';

const LINK = 4;
const PORT = 1;
const FIRST = '10.64.64.64';
const SECOND = '10.64.0.7';
const UNREACHABLE = 3;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  /** A router whose way to the world is a link that a packet dials. */
  function start(): { router: Router; end: PortEnd } {
    const router = startRouter(build);
    plane.configureInterface(INTERFACE_WAN, 1, 0, 0, 1500);
    plane.routeRemove(0, 0);
    plane.configureInterface(LINK, 1, 0, 0, 1500);
    plane.interfacesChanged();
    plane.routeLearn(0, 0, 0, LINK);
    const words = [
      [DEMAND_TCP, 0, 0, 0xffff],
      [DEMAND_UDP, 0, 0, 0xffff],
      [DEMAND_ICMP, 0, 0, 0xffff],
      [DEMAND_UDP, 1, 137, 139],
      [DEMAND_UDP, 1, 123, 123],
    ] as const;
    for (const [n, [kind, isMinus, from, to]] of words.entries())
      plane.demandWord(LINK, n, kind, isMinus, from, to);
    plane.demandSet(LINK, 1);
    router.ticks(1);
    puti32(WAKE_AT, i32at(NOW_AT) + 1_000_000);
    return { router, end: new PortEnd(build, PORT) };
  }

  function up(own = FIRST): void {
    plane.lineBind(LINK, PORT, LINE_PPP);
    plane.lineOpen(PORT, 1);
    plane.configureInterface(LINK, 1, address(own), -1, 1500);
    plane.interfacesChanged();
  }

  function down(): void {
    plane.lineOpen(PORT, 0);
    plane.configureInterface(LINK, 1, 0, 0, 1500);
    plane.interfacesChanged();
    plane.lineUnbind(PORT);
  }

  /** The links for which control is asked for a call. */
  function asked(): number {
    const links = i32at(DEMAND_ASKED_AT);
    if ((plane.wanted() !== 0) !== (links !== 0))
      throw new Error('control is called where it is asked, and only then');
    return links;
  }

  /** What leaves by the line in some ticks, as datagrams. */
  function sent(router: Router, end: PortEnd, ticks = 2 * DEMAND_PLACES): ReturnType<typeof read>[] {
    const bytes: number[] = [];
    for (let n = 0; n < ticks; n++) {
      router.ticks(1);
      bytes.push(...end.take());
    }
    return pppFrames(bytes)
      .filter(({ protocol }) => protocol === PPP_IP)
      .map(frame => read(Uint8Array.from(frame.bytes)));
  }

  const opening = (sourcePort = 1043, source = HOST, destinationPort = 80) =>
    tcp({ source, destination: SERVER }, { sourcePort, destinationPort, flags: SYN });
  const question = (port = 1043, destinationPort = 53, source = HOST) =>
    udp({ source, destination: SERVER }, port, destinationPort, payload(9));

  test.serial(
    `the first packet waits for the call that it has dialled, and leaves by its address (${name})`,
    t => {
      const { router, end } = start();
      t.is(asked(), 0);
      router.fromHost(opening());
      t.is(asked(), 1 << LINK);
      t.is(i32at(WANTED_LINK_AT), LINK);
      t.is(i32at(WANTED_SOURCE_AT), address(HOST));
      t.is(i32at(WANTED_DESTINATION_AT), address(SERVER));
      t.deepEqual([i32at(WANTED_PROTOCOL_AT), i32at(WANTED_PORTS_AT)], [6, (1043 << 16) | 80]);
      t.not(i32at(WANTED_PACKET_AT), 0);
      plane.demandAnswer(LINK, 1);
      t.is(asked(), 0);
      t.is(plane.masqueradeCount(), 0, 'no flow is made before there is an address');
      router.ticks(40 * TICKS_PER_SECOND);
      // Sent again meanwhile: the same waits already.
      router.fromHost(opening());
      t.is(router.held(), 1);
      up(SECOND);
      const frames = sent(router, end);
      t.is(frames.length, 1);
      t.like(frames[0], { source: SECOND, sourcePort: 1043, destination: SERVER, destinationPort: 80 });
      t.is(plane.masqueradeCount(), 1);
      const answer = tcp(
        { source: SERVER, destination: SECOND },
        { sourcePort: 80, destinationPort: 1043, flags: SYN | ACK },
      );
      end.put(pppFrame(PPP_IP, answer));
      router.ticks(1);
      t.like(read(router.toLan()[0] as Uint8Array), {
        source: SERVER,
        destination: HOST,
        destinationPort: 1043,
      });
      t.deepEqual([i32at(DEMAND_HELD_AT), i32at(WANTED_PACKET_AT)], [0, 0]);
      t.is(router.held(), 0);
    },
  );

  test.serial(`what may dial does, and all else is dropped without a call (${name})`, t => {
    const { router } = start();
    const plain = { source: HOST, destination: SERVER };
    const segment = (flags: number) => tcp(plain, { sourcePort: 9, destinationPort: 80, flags });
    for (const [what, datagram] of [
      ['NetBIOS', question(137, 137)],
      ['NetBIOS datagrams', question(138, 138)],
      ['time', question(1025, 123)],
      ['a segment of an old connection', segment(ACK)],
      ['a refusal', segment(RST)],
      ['an opening that is one of an old connection too', segment(SYN | ACK)],
      ['an answer to a ping', echo(plain, 0, 7)],
      ['one for everybody', udp({ source: HOST, destination: '255.255.255.255' }, 1, 9)],
      ['one for a group', udp({ source: HOST, destination: '224.0.1.1' }, 1, 9)],
    ] as const) {
      router.fromHost(datagram);
      t.is(asked(), 0, what);
    }
    t.is(router.held(), 0);
    t.true(router.counter(DROP_INTERFACE_DOWN) >= 6);
    t.is(router.toLan().length, 0, 'nobody is told');
    for (const [what, datagram] of [
      ['TCP', opening(2000)],
      ['a name', question(2001)],
      ['what another port than NetBIOS has', question(137, 140)],
      ['a ping', echo(plain, 8, 7)],
    ] as const) {
      router.fromHost(datagram);
      t.is(asked(), 1 << LINK, what);
      plane.demandAnswer(LINK, 1);
      router.ticks(DEMAND_QUIET_TICKS + 1);
    }
    for (const part of fragments(udp(plain, 1045, 53, payload(3000)), 1480)) router.fromHost(part);
    t.is(asked(), 1 << LINK, 'a datagram in fragments dials');
    plane.demandAnswer(LINK, 1);
    router.ticks(3 * TICKS_PER_SECOND);
    t.is(i32at(DEMAND_HELD_AT), DEMAND_HOST_PLACES, 'and does not wait');
  });

  test.serial(
    `control is asked once, again after a while, and a refusal is told to who asks (${name})`,
    t => {
      const { router } = start();
      router.fromHost(question(1, 53));
      t.is(asked(), 1 << LINK);
      plane.demandAnswer(LINK, 1);
      router.fromHost(question(2, 53));
      t.is(asked(), 0);
      t.is(router.held(), 2);
      plane.demandAnswer(LINK, 0);
      router.ticks(5);
      const told = router.toLan().map(datagram => read(datagram));
      t.is(told.length, 2);
      t.like(told[0], { source: LAN_ADDRESS, destination: HOST, type: UNREACHABLE, code: 1 });
      t.is(router.held(), 0);
      router.fromHost(question(3, 53));
      t.is(asked(), 0);
      t.is(router.toLan().length, 1, 'at once, without control');
      t.is(router.counter(DROP_NO_CALL), 3);
      router.ticks(DEMAND_QUIET_TICKS + 1);
      router.fromHost(question(4, 53));
      t.is(asked(), 1 << LINK);
    },
  );

  test.serial(`a link for which nobody has asked for 248 days and more is dialled at once (${name})`, t => {
    const { router } = start();
    router.fromHost(question(1, 53));
    plane.demandAnswer(LINK, 0);
    router.ticks(DEMAND_QUIET_TICKS + 1);
    router.toLan();
    puti32(NOW_AT, i32at(NOW_AT) + 2 ** 31 + 1000);
    router.fromHost(question(2, 53));
    t.is(asked(), 1 << LINK);
  });

  test.serial(
    `what a rule leads to a server outside waits for the call, too, and leaves by its address (${name})`,
    t => {
      const { router, end } = start();
      startRules(plane);
      addRule(plane, R.CHAIN_NAT_PREROUTING, {
        target: R.TARGET_DNAT,
        operations: [
          {
            kind: R.OPERATION_ADDRESSES,
            write: at => {
              put8(at + 4, R.ADDRESSES_ADDRESS);
              for (const place of [8, 12]) puti32(at + place, address('203.0.113.99'));
            },
          },
        ],
      });
      router.fromHost(question());
      t.is(asked(), 1 << LINK);
      t.is(i32at(WANTED_DESTINATION_AT), address(SERVER), 'of whom the host has asked is told');
      t.is(plane.masqueradeCount(), 0);
      t.is(router.held(), 1);
      plane.demandAnswer(LINK, 1);
      up(SECOND);
      const sees = { source: SECOND, destination: '203.0.113.99', destinationPort: 53 };
      t.like(sent(router, end)[0], sees);
      router.fromHost(question());
      t.like(sent(router, end)[0], sees);
      const answer = udp({ source: '203.0.113.99', destination: SECOND }, 53, 1043, payload(9));
      end.put(pppFrame(PPP_IP, answer));
      router.ticks(1);
      t.like(read(router.toLan()[0] as Uint8Array), { source: SERVER, destination: HOST });
      // The next call has another address: the flow of this one is over.
      down();
      router.ticks(DEMAND_QUIET_TICKS + 1);
      router.fromHost(question());
      t.is(asked(), 1 << LINK);
      up(FIRST);
      router.fromHost(question());
      t.like(sent(router, end)[0], { source: FIRST, destination: '203.0.113.99' });
      t.is(plane.masqueradeCheck(), 0);
      t.is(router.held(), 0);
    },
  );

  test.serial(
    `what no call comes about for is dropped after a while, and its sender is told (${name})`,
    t => {
      const { router } = start();
      router.fromHost(opening());
      plane.demandAnswer(LINK, 1);
      router.ticks(DEMAND_HOLD_SECONDS * TICKS_PER_SECOND - 2);
      t.is(router.held(), 1);
      introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
      router.ticks(3);
      t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, type: UNREACHABLE, code: 1 });
      t.is(router.counter(DROP_NO_CALL), 1);
      t.is(router.held(), 0);
      t.is(plane.poolFree(), BUFFER_COUNT);
    },
  );

  test.serial(`a flood of one host pushes nobody out, and of two hosts both have places (${name})`, t => {
    const { router } = start();
    router.fromHost(opening(1, OTHER));
    plane.demandAnswer(LINK, 1);
    for (let n = 0; n < 1000; n++) router.fromHost(question(2000 + n, 53));
    t.is(i32at(DEMAND_HELD_AT), 1 + DEMAND_HOST_PLACES);
    t.is(router.counter(DROP_TRANSMIT_FULL), 1000 - DEMAND_HOST_PLACES);
    // Hosts that nobody has: each has what is left, then one of who has most.
    for (let n = 0; n < 100; n++) router.fromHost(question(53, 53, `192.168.0.${100 + n}`));
    t.is(i32at(DEMAND_HELD_AT), DEMAND_PLACES);
    router.fromHost(opening(2, OTHER));
    t.is(i32at(DEMAND_HELD_AT), DEMAND_PLACES, 'who has one does not get a place of who has one');
    up();
    const end = new PortEnd(build, PORT);
    const frames = sent(router, end, 200);
    t.is(frames.length, DEMAND_PLACES);
    t.like(frames[0], { sourcePort: 1, destinationPort: 80 });
    t.is(
      frames.filter(frame => frame.sourcePort === 2000).length,
      1,
      'the first one of the loud host stays, too',
    );
    t.is(router.held(), 0);
  });

  test.serial(`a session of a call that is over is made anew by the next one's address (${name})`, t => {
    const { router, end } = start();
    up(FIRST);
    router.fromHost(question(1043));
    router.fromHost(opening(1044));
    t.deepEqual(
      sent(router, end).map(frame => frame.source),
      [FIRST, FIRST],
    );
    down();
    router.ticks(50);
    router.fromHost(question(1043));
    router.fromHost(opening(1044));
    t.is(asked(), 1 << LINK);
    t.is(router.held(), 2);
    up(SECOND);
    t.deepEqual(
      sent(router, end).map(frame => [frame.source, frame.sourcePort]),
      [
        [SECOND, 1043],
        [SECOND, 1044],
      ],
    );
    // The same address again: the same session goes on.
    const count = plane.masqueradeCount();
    down();
    router.fromHost(question(1043));
    plane.demandAnswer(LINK, 1);
    up(SECOND);
    t.is(sent(router, end).length, 1);
    t.is(plane.masqueradeCount(), count);
  });

  test.serial(`while another link has a way nobody is dialled (${name})`, t => {
    const { router } = start();
    plane.lineBind(5, 2, LINE_PPP);
    plane.lineOpen(2, 1);
    plane.configureInterface(5, 1, address('10.9.0.2'), -1, 1500);
    plane.interfacesChanged();
    plane.routeLearn(0, 0, 0, 5);
    router.fromHost(opening());
    t.is(asked(), 0);
    t.is(sent(router, new PortEnd(build, 2)).length, 1);
    plane.routeForget(0, 0, 5);
    router.fromHost(opening(1044));
    t.is(asked(), 1 << LINK);
    plane.demandSet(LINK, 0);
    t.is(asked(), 0);
    router.ticks(3);
    t.is(i32at(DEMAND_HELD_AT), 0, 'what waited for a link that nobody dials any more is dropped');
  });

  test.serial(`a control that is started again is asked for what waits still (${name})`, t => {
    const { router } = start();
    router.fromHost(opening());
    plane.demandAnswer(LINK, 1);
    router.ticks(DEMAND_QUIET_TICKS + 100);
    t.is(asked(), 0);
    plane.demandSet(LINK, 1);
    t.is(asked(), 1 << LINK);
    t.is(router.held(), 1);
  });

  test.serial(`what a host sends counts as use, and not what else passes (${name})`, t => {
    const { router, end } = start();
    up();
    const record = demandAt(LINK);
    const used = (datagram: Uint8Array): boolean => {
      router.ticks(1);
      puti32(record + DEMAND_USED, 0);
      router.fromHost(datagram);
      router.ticks(2);
      end.take();
      return i32at(record + DEMAND_USED) !== 0;
    };
    const plain = { source: HOST, destination: SERVER };
    t.true(used(question()));
    t.true(used(opening()));
    t.true(used(tcp(plain, { sourcePort: 1043, destinationPort: 80, flags: ACK })));
    t.true(used(echo(plain, 8, 7)));
    t.false(used(question(1043, 123)));
    t.false(used(question(137, 137)));
    t.false(used(tcp(plain, { sourcePort: 1043, destinationPort: 80, flags: RST })));
    // Somebody knocks: the refusal does not count. Nor does the router's own question.
    puti32(record + DEMAND_USED, 0);
    end.put(pppFrame(PPP_IP, echo({ source: SERVER, destination: FIRST }, 8, 7)));
    end.put(pppFrame(PPP_IP, udp({ source: SERVER, destination: FIRST }, 5, 7)));
    router.ticks(3);
    t.is(i32at(record + DEMAND_USED), 0);
    const own = (): number => {
      const packet = plane.allocateForControl();
      const datagram = udp({ source: '0.0.0.0', destination: SERVER, ttl: 0, id: 0 }, 123, 53);
      build.memory.set(datagram, packet + 64);
      puti32(packet + 4, datagram.length);
      return plane.localSend(packet);
    };
    t.is(own(), 0);
    router.ticks(2);
    t.is(i32at(record + DEMAND_USED), 0);
    plane.demandWord(LINK, 5, DEMAND_OWN, 0, 0, 0xffff);
    t.is(own(), 0);
    router.ticks(2);
    t.not(i32at(record + DEMAND_USED), 0);
    down();
    t.not(own(), 0, 'it is refused, as there is no address to send from');
    t.is(asked(), 1 << LINK);
    t.is(i32at(WANTED_PACKET_AT), 0);
    t.is(router.held(), 0);
  });
}

test('links that packets dial are those behind the cards', t => {
  t.is(DEMAND_FIRST, LINK);
  t.is(demandAt(DEMAND_FIRST - 1), 0);
  t.is(demandAt(8), 0);
});
