import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import {
  ACK,
  address,
  FIN,
  faults,
  mssOption,
  payload,
  type Read,
  RST,
  read,
  SYN,
  tcp,
} from '../../../test/packets.ts';
import { HOST, LAN, LAN_ADDRESS, type Router, startRouter } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { NOW_AT } from '../../base/cells.ts';
import { COUNT_PUNTED } from '../../base/counters.ts';
import { SOCKET_COUNT, TCP_CONNECTION_COUNT, TCP_MSS, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { PACKET_PORTS } from '../../base/packet.ts';

const PORT = 53;
const ENDS = { source: HOST, destination: LAN_ADDRESS };
const FIRST = 5000;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  const listening = (lanMtu = 1500): Router => {
    const router = startRouter(build, { lanMtu });
    router.plane.socketOpen(6, PORT, 1 << LAN);
    return router;
  };

  /** Sends a segment from the host; what comes back. */
  const say = (
    router: Router,
    flags: number,
    fields: object = {},
    data: Uint8Array = new Uint8Array(0),
  ): Read[] => {
    const header = { sourcePort: 4000, destinationPort: PORT, flags, sequence: FIRST, ...fields };
    router.fromHost(tcp(ENDS, header, data));
    return router.toLan().map(bytes => {
      if (faults(bytes) !== '') throw new Error(faults(bytes));
      return read(bytes);
    });
  };
  const syn = (router: Router, fields: object = {}): Read =>
    say(router, SYN, { sequence: FIRST - 1, ...fields })[0] as Read;
  /** The third segment: whether control gets it, and the MSS that it is told. */
  const acknowledge = (router: Router, { sequence }: Read, fields: object = {}): number => {
    say(router, ACK, { acknowledgment: (sequence + 1) | 0, ...fields });
    const packet = router.plane.puntTake();
    if (packet === 0) return 0;
    const mss = router.plane.tcpAccepts(packet);
    router.plane.release(packet);
    return mss;
  };

  test.serial(`a SYN is answered at once and nothing is kept of it (${name})`, t => {
    const router = listening();
    const answer = syn(router);
    t.like(answer, { tcpFlags: SYN | ACK, acknowledgment: FIRST, sourcePort: PORT, destinationPort: 4000 });
    t.is(answer.totalLength, 44);
    t.is(router.held(), 0);
    t.is(router.counter(COUNT_PUNTED), 0);
    t.is(syn(router).sequence, answer.sequence, 'what is sent again is answered alike');
    t.not(syn(router, { sequence: 1 }).sequence, answer.sequence);
    t.not(syn(router, { sourcePort: 4001 }).sequence, answer.sequence);
    t.is(say(router, SYN, {}, payload(1460)).length, 1, 'data on it is left for the sender to send again');
  });

  test.serial(
    `only the right number opens a connection, all else is reset as at a closed port (${name})`,
    t => {
      const router = listening();
      const answer = syn(router);
      for (const fields of [
        { acknowledgment: answer.sequence },
        { acknowledgment: (answer.sequence + 2) | 0 },
        { acknowledgment: (answer.sequence + 1) ^ (1 << 31) },
        { acknowledgment: (answer.sequence + 1) | 0, sourcePort: 4001 },
      ]) {
        const reset = say(router, ACK, fields);
        t.deepEqual(
          reset.map(({ tcpFlags }) => tcpFlags),
          [RST],
        );
      }
      const right = { acknowledgment: (answer.sequence + 1) | 0 };
      t.deepEqual(
        say(router, ACK, { ...right, sequence: FIRST + 100 }),
        [],
        'it has overtaken others: no reset',
      );
      t.deepEqual(say(router, ACK, { acknowledgment: ((answer.sequence ^ 8) + 1) | 0 }), []);
      t.deepEqual(say(router, RST, right), []);
      t.deepEqual(say(router, RST | ACK, right), []);
      t.deepEqual(
        say(router, SYN | ACK, right).map(({ tcpFlags }) => tcpFlags),
        [RST],
      );
      t.is(router.counter(COUNT_PUNTED), 0);
      t.not(acknowledge(router, answer), 0);
      say(router, ACK | FIN, right, payload(100));
      t.is(router.counter(COUNT_PUNTED), 2, 'the third segment may bring data and the end');
    },
  );

  /** The clock goes on; the stations stay known. */
  const later = (seconds: number): void => puti32(NOW_AT, (i32at(NOW_AT) + seconds * TICKS_PER_SECOND) | 0);

  test.serial(`the number is good for a minute at least, and for three at most (${name})`, t => {
    for (const start of [0, 50, 81, 0x7fffffff / TICKS_PER_SECOND - 30]) {
      const router = listening();
      later(start);
      const answer = syn(router);
      later(60);
      t.not(acknowledge(router, answer), 0, `${start}`);
      later(120);
      t.is(acknowledge(router, answer), 0, `${start}`);
    }
  });

  test.serial(`the number remembers how much a segment may bring (${name})`, t => {
    for (const [told, kept] of [
      [undefined, 536],
      [1, 88],
      [535, 88],
      [536, 536],
      [1219, 536],
      [1220, 1220],
      [1452, 1220],
      [1460, TCP_MSS],
      [65535, TCP_MSS],
    ] as const) {
      const router = listening();
      const answer = syn(router, told === undefined ? {} : { options: mssOption(told) });
      t.is(acknowledge(router, answer), kept, `${told}`);
    }
    const router = listening(1000);
    router.fromHost(tcp(ENDS, { sourcePort: 4000, destinationPort: PORT, flags: SYN }));
    const [bytes] = router.toLan() as [Uint8Array];
    t.deepEqual([...bytes.slice(-4)], mssOption(960), 'of ours, what fits the interface');
  });

  test.serial(`control gets all segments of its connections, and of no others (${name})`, t => {
    const router = listening();
    const { plane } = router;
    const ports = (i: number): number => (PORT << 16) | (4000 + i);
    for (let i = 0; i < TCP_CONNECTION_COUNT; i++) t.is(plane.tcpOpen(address(HOST), ports(i)), 1);
    t.is(plane.tcpOpen(address(HOST), ports(99)), 0);
    for (const flags of [SYN, ACK, RST, FIN, 0]) {
      t.deepEqual(say(router, flags, { sourcePort: 4003 }), []);
      t.truthy(router.punted());
    }
    plane.tcpClose(address(HOST), ports(3));
    plane.tcpClose(address(HOST), ports(3));
    say(router, ACK, { sourcePort: 4003 });
    t.is(router.punted(), undefined);
    say(router, ACK, { sourcePort: 4004 });
    build.use();
    const packet = plane.puntTake();
    t.is(i32at(packet + PACKET_PORTS), (4004 << 16) | PORT);
    plane.release(packet);
    t.is(plane.tcpOpen(address(HOST), ports(99)), 1);
    t.is(router.held(), 0);
  });
}

test.serial(
  'the worst segment to a port that listens costs the plane a bounded sum, and control nothing',
  async t => {
    const metered = await meteredBuild();
    const router = startRouter(metered);
    const { plane } = router;
    plane.socketOpen(6, PORT, 1 << LAN);
    for (let i = 1; i < SOCKET_COUNT; i++) plane.socketOpen(6, 10_000 + i, 1 << LAN);
    for (let i = 0; i < TCP_CONNECTION_COUNT; i++) plane.tcpOpen(address(HOST), (PORT << 16) | (5000 + i));
    const cost = (flags: number, options: number[], data: Uint8Array): number => {
      const header = { sourcePort: 4000, destinationPort: PORT, flags, sequence: FIRST, options };
      const segment = tcp(ENDS, header, data);
      router.fromHost(segment); // the key is drawn, the way found
      router.toLan();
      const operations = metered.operations(() => router.fromHost(segment));
      router.toLan();
      return operations;
    };
    const nothing = new Uint8Array(0);
    const late = [...new Array<number>(36).fill(1), ...mssOption(1460)];
    const rows: [string, number][] = [
      ['SYN, its MSS behind 36 bytes', cost(SYN, late, nothing)],
      ['SYN of 1,500 bytes', cost(SYN, [], payload(1460))],
      ['ACK to nobody', cost(ACK, [], nothing)],
      ['RST to nobody', cost(RST, [], nothing)],
      ['ACK to nobody of 1,500 bytes', cost(ACK, [], payload(1460))],
    ];
    for (const [what, operations] of rows) {
      t.log(`${what}: ${operations}`);
      t.true(operations < 10_000, `${what}: ${operations}`);
    }
    t.is(router.counter(COUNT_PUNTED), 0);
  },
);
