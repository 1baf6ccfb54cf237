import test from 'ava';
import { Lab, SERVER, WAN } from '../../../test/masquerade-lab.ts';
import { ACK, addressText, FIN, RST, SYN, tcp, udp } from '../../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { SESSIONS_LESS_AT } from '../../base/cells.ts';
import {
  COUNT_EVICTED_CLOSED,
  COUNT_EVICTED_SHARE,
  COUNT_EVICTED_UNANSWERED,
  DROP_HOST_SHARE,
  DROP_TABLE_FULL,
} from '../../base/counters.ts';
import { entryAt } from '../../base/flow-record.ts';
import {
  MASQUERADE_COUNT,
  MASQUERADE_COUNT_SMALL,
  MASQUERADE_IDLE_SECONDS,
  MASQUERADE_RESERVE,
} from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { PASS } from '../../base/packet.ts';
import { FILTER_ENDPOINT, NAT_FILTER, NAT_PROFILE, PROFILE_CLASSIC } from '../../base/parameters.ts';
import { entriesOf, H_ADDRESS, HOST_OTHERS, hostAt } from './flow-hosts.ts';

const ALONE = MASQUERADE_COUNT - MASQUERADE_RESERVE;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const lab = new Lab(build);
  const { plane } = build;
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      lab.verify = false;
      body(t);
      t.is(plane.masqueradeCheck(), 0);
    });
  const host = (n: number) => `192.168.${n >> 8}.${n & 255}`;
  /** Host n sends to port `port` of a server, by UDP. */
  const send = (n: number, port: number, from = 1000) =>
    lab.outbound(udp({ source: host(n), destination: SERVER }, from + (n & 255), port)).verdict;
  const answer = (n: number, port: number, from = 1000) =>
    lab.inbound(udp({ source: SERVER, destination: WAN }, port, from + (n & 255))).verdict;
  const syn = (n: number, port: number) =>
    lab.outbound(
      tcp(
        { source: host(n), destination: SERVER },
        { sourcePort: 1000 + n, destinationPort: port, flags: SYN },
      ),
    ).verdict;
  const reply = (n: number, port: number, flags: number) =>
    lab.inbound(
      tcp(
        { source: SERVER, destination: WAN },
        { sourcePort: port, destinationPort: 1000 + n, flags, sequence: 0, acknowledgment: 1001 },
      ),
    ).verdict;
  const connect = (n: number, port: number) => {
    const verdict = syn(n, port);
    if (verdict === PASS) reply(n, port, SYN | ACK);
    return verdict;
  };
  const talk = (n: number, port: number, flags: number) =>
    lab.outbound(
      tcp({ source: host(n), destination: SERVER }, { sourcePort: 1000 + n, destinationPort: port, flags }),
    ).verdict;

  it('one host fills the table up to the reserve, then replaces its own oldest unanswered', t => {
    for (let port = 1; port <= ALONE; port++) t.is(send(2, port), PASS);
    t.is(plane.masqueradeCount(), ALONE);
    for (let port = ALONE + 1; port <= ALONE + 500; port++) t.is(send(2, port), PASS);
    t.is(plane.masqueradeCount(), ALONE);
    t.is(lab.counter(COUNT_EVICTED_UNANSWERED), 500);
    // The first 500 are gone: an answer to them is no session's. Later ones are there.
    const strict = (port: number) => {
      lab.set(NAT_FILTER, 2);
      return answer(2, port);
    };
    t.not(strict(1), PASS);
    t.not(strict(500), PASS);
    t.is(strict(501), PASS);
    t.is(strict(ALONE + 500), PASS);
  });

  it('a small board has less places, shares them alike, and touches nothing behind them', t => {
    const limit = MASQUERADE_COUNT_SMALL;
    const behind = build.memory.subarray(entryAt(limit + 1), entryAt(MASQUERADE_COUNT + 1));
    puti32(SESSIONS_LESS_AT, MASQUERADE_COUNT - limit);
    behind.fill(0xa5);
    plane.masqueradeReset();
    const alone = limit - MASQUERADE_RESERVE;
    for (let port = 1; port <= alone; port++) t.is(connect(2, port), PASS);
    t.is(syn(2, 60000), DROP_HOST_SHARE);
    for (let i = 0; i < MASQUERADE_RESERVE; i++) t.is(connect(3 + (i % 8), 100 + i), PASS);
    t.is(plane.masqueradeCount(), limit);
    t.is(syn(2, 60000), DROP_HOST_SHARE);
    t.is(connect(20, 80), PASS);
    t.is(plane.masqueradeCount(), limit);
    t.is(plane.masqueradeCheck(), 0);
    t.true(behind.every(byte => byte === 0xa5));
    puti32(SESSIONS_LESS_AT, 0);
    plane.masqueradeReset();
  });

  it('a host over its share is refused when all it has is established, others get the reserve', t => {
    for (let port = 1; port <= ALONE; port++) t.is(connect(2, port), PASS);
    t.is(syn(2, 60000), DROP_HOST_SHARE);
    t.is(plane.masqueradeCount(), ALONE);
    for (let i = 0; i < MASQUERADE_RESERVE; i++) t.is(connect(3 + (i % 8), 100 + i), PASS);
    t.is(plane.masqueradeCount(), MASQUERADE_COUNT);
    t.is(syn(2, 60000), DROP_HOST_SHARE);
    t.is(lab.counter(COUNT_EVICTED_SHARE), 0);
    for (let port = 1; port <= ALONE; port += 97) t.is(reply(2, port, ACK), PASS);
  });

  it('a host within its share always gets a place, however the others fill the table', t => {
    const fill: Record<string, (n: number, port: number) => void> = {
      connections: connect,
      'answered datagrams, all in use': (n, port) => {
        send(n, port);
        answer(n, port);
      },
      both: (n, port) => {
        if ((port & 1) === 0) return void connect(n, port);
        send(n, port);
        answer(n, port);
      },
    };
    for (const [name, one] of Object.entries(fill)) {
      for (const greedy of [1, 2, 3, 7, 40]) {
        lab.reset();
        lab.verify = false;
        for (let i = 0; i < 3 * MASQUERADE_COUNT; i++) one(2 + (i % greedy), 1 + Math.floor(i / greedy));
        for (let n = 100; n < 104; n++) {
          const before = plane.masqueradeCount();
          for (let port = 1; port <= 15; port++) {
            t.is(connect(n, port), PASS, `${name} of ${greedy}`);
            t.is(reply(n, port, ACK), PASS);
          }
          t.true(plane.masqueradeCount() >= before);
        }
        t.is(plane.masqueradeCheck(), 0, `${name} of ${greedy}`);
        lab.set(NAT_FILTER, 2);
        for (let n = 100; n < 104; n++)
          for (let port = 1; port <= 15; port++) t.is(reply(n, port, ACK), PASS);
      }
    }
  });

  it('what goes is what the greedy host has used least lately, to about a second', t => {
    for (let port = 1; port <= ALONE; port++) connect(2, port);
    for (let i = 0; i < MASQUERADE_RESERVE; i++) connect(3 + (i % 8), 100 + i);
    lab.seconds(2);
    for (let port = 1; port <= ALONE; port++) if (port !== 77 && port !== 1900) talk(2, port, ACK);
    lab.ticks(110);
    t.is(connect(20, 80), PASS);
    t.is(connect(20, 81), PASS);
    t.is(lab.counter(COUNT_EVICTED_SHARE), 2);
    lab.set(NAT_FILTER, 2);
    for (let port = 1; port <= ALONE; port++)
      t.is(reply(2, port, ACK) === PASS, port !== 77 && port !== 1900);
  });

  it('a host over its share gives its own idle datagram session, and no connection', t => {
    for (let port = 1; port <= 100; port++) {
      send(2, port);
      answer(2, port);
    }
    for (let port = 101; port <= ALONE; port++) connect(2, port);
    t.is(send(2, 60000), DROP_HOST_SHARE, 'all are in use');
    lab.seconds(MASQUERADE_IDLE_SECONDS);
    t.is(send(2, 60000), PASS);
    lab.set(NAT_FILTER, 2);
    t.not(answer(2, 1), PASS);
    t.is(answer(2, 2), PASS);
    for (let port = 101; port <= ALONE; port++) t.is(reply(2, port, ACK), PASS);
  });

  it('a table full of a lost address serves at once, its own host too', t => {
    for (let port = 1; port <= ALONE; port++) connect(2, port);
    for (let i = 0; i < MASQUERADE_RESERVE; i++) connect(3 + (i % 8), 100 + i);
    plane.masqueradeFlush();
    for (let port = 1; port <= 1000; port++) t.is(connect(2, port), PASS);
    t.is(plane.masqueradeCount(), MASQUERADE_COUNT);
    t.is(lab.counter(COUNT_EVICTED_SHARE), 0);
    t.is(plane.masqueradeCheck(), 0);
    lab.clearUp(1000);
    t.is(plane.masqueradeCount(), 1000);
  });

  it('a flood of unanswered sessions costs no established connection and no answered session', t => {
    for (let n = 2; n < 12; n++) {
      for (let port = 1; port <= 100; port++) t.is(connect(n, port), PASS);
      for (let port = 1; port <= 50; port++) {
        send(n, port);
        answer(n, port);
      }
    }
    for (let i = 0; i < 20_000; i++) send(66, 1 + (i % 60_000), 2000 + (i % 7) * 256);
    t.is(plane.masqueradeCheck(), 0);
    for (let n = 2; n < 12; n++) {
      for (let port = 1; port <= 100; port++) t.is(reply(n, port, ACK), PASS);
      for (let port = 1; port <= 50; port++) t.is(answer(n, port), PASS);
    }
    t.is(connect(12, 80), PASS, 'a new host gets in');
    t.is(connect(3, 8080), PASS);
  });

  it('a flooding host does not push out the fresh SYNs of the others', t => {
    for (let n = 2; n < 6; n++) for (let port = 1; port <= 100; port++) connect(n, port);
    for (let i = 0; i < 5000; i++) send(66, 1 + i);
    for (let n = 2; n < 6; n++) for (let port = 201; port <= 260; port++) t.is(syn(n, port), PASS);
    for (let i = 0; i < 5000; i++) send(66, 6000 + i);
    for (let n = 2; n < 6; n++) {
      for (let port = 201; port <= 260; port++)
        t.is(reply(n, port, SYN | ACK), PASS, `host ${n} port ${port}`);
    }
  });

  it('forged source addresses do not shrink the share of real hosts', t => {
    for (let port = 1; port <= 500; port++) connect(2, port);
    for (let i = 0; i < 8000; i++) {
      lab.outbound(
        udp(
          { source: addressText((192 << 24) | (168 << 16) | ((i * 7919) % 65535)), destination: SERVER },
          9,
          9 + i,
        ),
      );
    }
    t.is(plane.masqueradeCheck(), 0);
    for (let port = 501; port <= 1500; port++) t.is(connect(2, port), PASS);
    for (let port = 1; port <= 1500; port++) t.is(reply(2, port, ACK), PASS);
  });

  it('unanswered go before closed, closed before idle; each oldest first', t => {
    for (let port = 1; port <= 1000; port++) connect(2, port);
    for (let port = 1; port <= 5; port++) reply(2, port, RST | ACK);
    // The RST's sequence number is what the host expects, so these five are over.
    for (let port = 6; port <= 10; port++) {
      talk(2, port, FIN | ACK);
      reply(2, port, FIN | ACK);
    }
    for (let port = 1; port <= 1500; port++) {
      send(3, port);
      answer(3, port);
    }
    for (let i = 0; i < 20; i++) send(4, 1 + i);
    let n = 5;
    while (plane.masqueradeCount() < MASQUERADE_COUNT) {
      for (let port = 1; port <= 200 && plane.masqueradeCount() < MASQUERADE_COUNT; port++) connect(n, port);
      n++;
    }
    const evicted = () =>
      [COUNT_EVICTED_UNANSWERED, COUNT_EVICTED_CLOSED, COUNT_EVICTED_SHARE].map(c => lab.counter(c));
    t.deepEqual(evicted(), [0, 0, 0]);
    for (let i = 0; i < 20; i++) t.is(connect(100 + i, 80), PASS);
    t.deepEqual(evicted(), [20, 0, 0]);
    for (let i = 0; i < 10; i++) t.is(connect(120 + i, 80), PASS);
    t.deepEqual(evicted(), [20, 10, 0]);
    t.is(syn(130, 80), PASS, 'nothing is idle yet: the one that was used least lately goes');
    t.deepEqual(evicted(), [20, 10, 1]);
    lab.seconds(MASQUERADE_IDLE_SECONDS);
    for (let i = 0; i < 10; i++) t.is(connect(130 + i, 80), PASS);
    t.deepEqual(evicted(), [20, 10, 10], 'the first of them has its session');
    lab.set(NAT_FILTER, 2);
    for (let port = 1; port <= 1500; port++)
      t.is(answer(3, port) === PASS, port > 10, `session ${port} of the greedy host`);
    t.is(reply(2, 11, ACK), PASS);
  });

  it('a session in use is not idle: the list follows use to about a second', t => {
    for (let port = 1; port <= 2000; port++) {
      send(3, port);
      answer(3, port);
    }
    let n = 5;
    while (plane.masqueradeCount() < MASQUERADE_COUNT) {
      for (let port = 1; port <= 100 && plane.masqueradeCount() < MASQUERADE_COUNT; port++) connect(n, port);
      n++;
    }
    for (let second = 0; second < MASQUERADE_IDLE_SECONDS + 2; second++) {
      for (let port = 1; port <= 100; port++) send(3, port);
      lab.ticks(100);
    }
    for (let i = 0; i < 50; i++) t.is(connect(120 + i, 80), PASS);
    t.is(lab.counter(COUNT_EVICTED_SHARE), 50);
    lab.set(NAT_FILTER, 2);
    for (let port = 1; port <= 100; port++) t.is(answer(3, port), PASS);
    t.not(answer(3, 101), PASS);
  });

  it('strangers push out nothing that the inside has begun', t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    const stranger = (i: number) =>
      lab.inbound(udp({ source: addressText(0x08000000 + i), destination: WAN }, 1 + (i % 60000), 1002))
        .verdict;
    send(2, 53);
    for (let i = 0; i < 10_000; i++) t.is(stranger(i), PASS);
    t.is(plane.masqueradeCount(), ALONE, 'the reserve is not theirs');
    for (let port = 1; port <= 256; port++) t.is(send(3, port), PASS);
    t.is(plane.masqueradeCheck(), 0);
    for (let i = 0; i < 5000; i++) stranger(20_000 + i);
    lab.set(NAT_FILTER, 2);
    for (let port = 1; port <= 256; port++) t.is(answer(3, port), PASS);
    t.is(answer(2, 53), PASS);
  });

  it('the reserve is not for strangers, also when no host is over its share', t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    for (let n = 2; n < 10; n++) send(n, 53);
    for (let i = 0; i < 6000; i++) {
      const stranger = { source: addressText(0x08000000 + i), destination: WAN };
      // Those that are refused find only sessions of the inside among the oldest.
      const { verdict } = lab.inbound(udp(stranger, 1 + i, 1002 + (i % 8)));
      t.is(verdict, i < ALONE - 8 ? PASS : DROP_TABLE_FULL);
    }
    t.is(plane.masqueradeCount(), ALONE);
  });

  it('strangers are refused where only the inside has entries', t => {
    for (let port = 1; port <= ALONE; port++) send(2, port);
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    t.is(lab.inbound(udp({ source: '8.8.8.8', destination: WAN }, 1, 1002)).verdict, DROP_TABLE_FULL);
    t.is(lab.counter(COUNT_EVICTED_UNANSWERED), 0);
  });

  it('hosts of a /24 have records of their own; of more than there are, some share one', t => {
    for (let n = 1; n < 255; n++) send(n, 53);
    const records = new Map<number, number>();
    for (let i = 0; i < 256; i++) records.set(i32at(hostAt(i) + H_ADDRESS), entriesOf(i));
    t.is(entriesOf(HOST_OTHERS), 0);
    t.is([...records.values()].filter(entries => entries === 1).length, 254);
    for (let n = 256; n < 756; n++) send(n, 54);
    t.true(entriesOf(HOST_OTHERS) > 400);
    t.is(plane.masqueradeCheck(), 0);
    lab.flush();
    for (let i = 0; i < 256; i++) t.is(entriesOf(i), 0);
  });

  it('profile classic keeps the same rules', t => {
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    const ports: number[] = [];
    for (let port = 1; port <= 500; port++) {
      const ip = { source: host(2), destination: SERVER };
      const mapped = lab.outbound(tcp(ip, { sourcePort: 1002, destinationPort: port, flags: SYN })).read
        .sourcePort;
      ports.push(mapped);
      lab.inbound(
        tcp(
          { source: SERVER, destination: WAN },
          { sourcePort: port, destinationPort: mapped, flags: SYN | ACK, acknowledgment: 1001 },
        ),
      );
    }
    for (let i = 0; i < 6000; i++) t.is(send(66, 1 + i), PASS);
    for (const [i, mapped] of ports.entries()) {
      const segment = { sourcePort: 1 + i, destinationPort: mapped, flags: ACK };
      t.is(lab.inbound(tcp({ source: SERVER, destination: WAN }, segment)).verdict, PASS);
    }
    t.true(lab.counter(COUNT_EVICTED_UNANSWERED) > 2000);
  });
}
