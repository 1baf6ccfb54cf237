// What the masquerade's loops cost at worst, in operations (test/metered.ts): the table "Worst case of each loop" of
// docs/performance.md has these bounds, and each test feeds the input that reaches them.

import test from 'ava';
import { HOST, HOST_2, Lab, SERVER, WAN } from '../../../test/masquerade-lab.ts';
import { meteredBuild } from '../../../test/metered.ts';
import {
  ACK,
  address,
  addressText,
  echo,
  get16,
  icmpError,
  ipv4,
  payload,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import { startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { NOW_AT, ROUTE_GENERATION_AT } from '../../base/cells.ts';
import { DROP_HOST_SHARE, DROP_TABLE_FULL } from '../../base/counters.ts';
import {
  FORWARD_CHECK_PING,
  FORWARD_LEAST,
  FORWARD_LIMITED,
  FORWARD_STICKY,
} from '../../base/forward-record.ts';
import { configureInterface, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import {
  ALIAS_COUNT,
  FORWARD_COUNT,
  FORWARD_KEPT_PORTS,
  INTERFACE_WAN,
  KNOWN_COUNT,
  MASQUERADE_CHAIN_LIMIT,
  MASQUERADE_COUNT,
  MASQUERADE_RESERVE,
  SOCKET_COUNT,
  TRIGGER_COUNT,
} from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { LOCAL, PASS } from '../../base/packet.ts';
import { FILTER_ENDPOINT, NAT_FILTER, NAT_PROFILE, PROFILE_CLASSIC } from '../../base/parameters.ts';
import { socketOpen } from '../local/sockets.ts';
import { entriesOf, HOST_OTHERS } from './flow-hosts.ts';
import { tupleChain } from './flow-table.ts';

/** A new session, whatever the table holds: with the end of another, a draw, and an eighth of the next numbers. */
const NEW_SESSION = 3000;
/** A packet of a known one. */
const KNOWN_SESSION = 930;
/** 0.5 ms of 31.25 million instructions a second: what may be done at once with interrupts off. */
const HALF_MILLISECOND = 15_600;

const metered = await meteredBuild();
let worst = 0;

/** The metered plane, which keeps the largest cost of a step. */
function counting<A extends unknown[]>(step: (...args: A) => number): (...args: A) => number {
  return (...args) => {
    let verdict = 0;
    worst = Math.max(
      worst,
      metered.operations(() => {
        verdict = step(...args);
      }),
    );
    return verdict;
  };
}

const { plane } = metered;
const build = {
  ...metered,
  plane: {
    ...plane,
    masqueradeOutbound: counting(plane.masqueradeOutbound),
    masqueradeInbound: counting(plane.masqueradeInbound),
    masqueradeHairpin: counting(plane.masqueradeHairpin),
  },
};
const lab = new Lab(build);

/** The worst step of `feed`, which must reach the bound's half: else it is not the worst input. */
function bounded(t: import('ava').ExecutionContext, bound: number, least: number, feed: () => void): void {
  worst = 0;
  feed();
  t.log(`${worst} operations, bound ${bound}`);
  t.true(worst <= bound, `${worst} of ${bound}`);
  t.true(worst >= least, `${worst}: the input does not reach the loop`);
}

const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
  test.serial(title, t => {
    lab.reset();
    lab.verify = false;
    // The first session of all draws the hash's keys, which is no loop's cost.
    from(254, 9);
    body(t);
    t.is(plane.masqueradeCheck(), 0);
  });

const host = (n: number) => `192.168.${n >> 8}.${n & 255}`;
const from = (n: number, port: number, remotePort = 53) =>
  lab.outbound(udp({ source: host(n), destination: SERVER }, port, remotePort));
const answer = (port: number, remotePort = 53) =>
  lab.inbound(udp({ source: SERVER, destination: WAN }, remotePort, port));

/** The router's own ports, as many as there are: in the range that is drawn from. */
function allSockets(): void {
  for (let i = 0; i < SOCKET_COUNT; i++) socketOpen(i % 2 === 0 ? 17 : 1, 62000 + i, 2);
}

it('a draw: one parity of the upper range taken, then both', t => {
  allSockets();
  bounded(t, NEW_SESSION, 500, () => {
    for (let port = 61000; port <= 65095; port += 2) from(2, port);
    for (let n = 3; n < 200; n++) t.is(from(n, 61000 + 2 * n).verdict, PASS);
    for (let port = 61001; port <= 65095; port += 2) from(2 + (port % 7), port);
    for (let n = 3; n < 250; n++) {
      t.is(from(n, 61000 + 2 * n).verdict, PASS);
      t.is(from(n, 61001 + 2 * n).verdict, PASS);
    }
  });
});

it('a draw: the low ports taken by as many hosts as it takes', t => {
  bounded(t, NEW_SESSION, 500, () => {
    for (let n = 2; n < 200; n++) for (let port = 512; port < 532; port++) t.is(from(n, port).verdict, PASS);
  });
});

it('a draw: identifiers, of which a host has 3,840 in a row', t => {
  allSockets();
  bounded(t, NEW_SESSION, 500, () => {
    const ask = (n: number, identifier: number) =>
      lab.outbound(echo({ source: host(n), destination: SERVER }, 8, identifier)).verdict;
    for (let i = 0; i < MASQUERADE_COUNT - MASQUERADE_RESERVE; i++) t.is(ask(2, i), PASS);
    for (let n = 3; n < 200; n++) t.is(ask(n, n), PASS);
  });
});

it('profile classic: the last ports of the range', t => {
  lab.set(NAT_PROFILE, PROFILE_CLASSIC);
  bounded(t, NEW_SESSION, 500, () => {
    for (let i = 0; i < MASQUERADE_COUNT; i++) t.is(from(2 + (i % 200), 1000 + i).verdict, PASS);
  });
});

it('a full table: each new session puts out another, of each class', t => {
  bounded(t, NEW_SESSION, 700, () => {
    for (let i = 0; i < MASQUERADE_COUNT; i++) from(2 + (i % 200), 1000 + i);
    for (let i = 0; i < 700; i++) t.is(from(2 + (i % 200), 10_000 + i).verdict, PASS, 'an unanswered one');
    for (let i = 0; i < MASQUERADE_COUNT; i++) {
      answer(1000 + i);
      answer(10_000 + i);
    }
    for (let n = 202; n < 250; n++) t.is(from(n, 1000).verdict, PASS, 'one of the greediest host');
  });
});

it('a full table of connections, and the host whose record is looked for in vain', t => {
  bounded(t, NEW_SESSION, 700, () => {
    const ip = (n: number) => ({ source: host(n), destination: SERVER });
    const back = { source: SERVER, destination: WAN };
    const options = Array(40).fill(1);
    for (let i = 0; i < MASQUERADE_COUNT; i++) {
      const ports = { sourcePort: 1000 + i, destinationPort: 80 };
      lab.outbound(tcp(ip(1 + (i % 700)), { ...ports, flags: SYN, options }));
      const reply = {
        sourcePort: 80,
        destinationPort: 1000 + i,
        flags: SYN | ACK,
        acknowledgment: 1001,
        options,
      };
      lab.inbound(tcp(back, reply));
    }
    t.true(entriesOf(HOST_OTHERS) > 500);
    for (let n = 800; n < 1000; n++)
      lab.outbound(tcp(ip(n), { sourcePort: n, destinationPort: 80, flags: SYN, options }));
  });
});

it('a chain that is full: who knew the keys', t => {
  from(2, 1000);
  const inside = address(HOST);
  const crowd = (bucket: (remote: number, ports: number) => number) => {
    const target = bucket(address(SERVER), (2000 << 16) | 53);
    const all: [remote: string, port: number][] = [];
    for (let i = 0; all.length < MASQUERADE_CHAIN_LIMIT + 8; i++) {
      const remote = 0x0b000000 + i;
      if (bucket(remote, (2000 << 16) | 53) === target) all.push([addressText(remote), 2000]);
    }
    return all;
  };
  const out = crowd((remote, ports) => tupleChain(inside, remote, ports, 17));
  bounded(t, NEW_SESSION, 400, () => {
    const verdicts = out.map(
      ([destination, port]) => lab.outbound(udp({ source: HOST, destination }, port, 53)).verdict,
    );
    t.is(verdicts.filter(verdict => verdict === PASS).length, MASQUERADE_CHAIN_LIMIT);
    t.is(verdicts.at(-1), DROP_TABLE_FULL);
  });
  bounded(t, KNOWN_SESSION, 300, () => {
    const [destination, port] = out[0] as [string, number];
    t.is(lab.outbound(udp({ source: HOST, destination }, port, 53)).verdict, PASS);
  });
});

it('a hairpin: two new sessions for one packet; strangers; errors', t => {
  lab.set(NAT_FILTER, FILTER_ENDPOINT);
  bounded(t, NEW_SESSION, 700, () => {
    from(2, 1043);
    for (let n = 3; n < 250; n++)
      t.is(lab.hairpin(udp({ source: host(n), destination: WAN }, 1000 + n, 1043)).verdict, PASS);
    for (let i = 0; i < 200; i++)
      lab.inbound(udp({ source: addressText(0x08000000 + i), destination: WAN }, 9, 1043));
    const quoted = udp({ source: WAN, destination: SERVER }, 1043, 53);
    t.is(lab.inbound(icmpError({ source: SERVER, destination: WAN }, 3, 3, quoted)).verdict, PASS);
    for (let i = 0; i < 20; i++)
      lab.outbound(ipv4({ source: HOST_2, destination: addressText(0x08000000 + i) }, 47, payload(8)));
  });
});

it('a mapping with 3,840 sessions, and the end of its leader each time', t => {
  bounded(t, NEW_SESSION, 500, () => {
    for (let i = 0; i < MASQUERADE_COUNT; i++) from(2, 1043, 1 + i);
    for (let i = 0; i < 1000; i++) t.is(from(2, 1043, 10_000 + i).verdict, PASS);
  });
});

it('a tick: all sessions end, all have been used, all are of a lost address', t => {
  const tick = () => {
    lab.build.use();
    worst = Math.max(
      worst,
      metered.operations(() => plane.masqueradeTick()),
    );
  };
  const fill = () => {
    for (let i = 0; i < MASQUERADE_COUNT; i++) {
      from(2 + (i % 200), 1000 + i);
      answer(1000 + i);
    }
  };
  fill();
  bounded(t, HALF_MILLISECOND / 2, 1000, () => {
    for (let i = 0; i < 202; i++) tick();
  });
  bounded(t, HALF_MILLISECOND / 2, 2000, () => {
    lab.build.use();
    plane.masqueradeForgetAddress(address(WAN));
    for (let i = 0; plane.masqueradeCount() > 0 && i < 700; i++) tick();
    t.is(plane.masqueradeCount(), 0);
  });
  fill();
  bounded(t, HALF_MILLISECOND / 2, 2000, () => {
    puti32(NOW_AT, lab.now + 30_100);
    for (let i = 0; plane.masqueradeCount() > 0 && i < 700; i++) tick();
    t.is(plane.masqueradeCount(), 0);
  });
});

it('all forwards set: who is refused, who gets in, and what setting one costs', t => {
  const { plane } = lab.build;
  const ports = (n: number) => ((1000 * n) << 16) | (1000 * n + FORWARD_KEPT_PORTS - 25);
  const back = { source: SERVER, destination: WAN };
  lab.build.use();
  let set = 0;
  for (let n = 1; n <= FORWARD_COUNT; n++) {
    set = Math.max(
      set,
      metered.operations(() => plane.forwardSet(17, ports(n), 1000 * n, address(HOST), 1, 0)),
    );
  }
  for (let port = 1; port <= SOCKET_COUNT; port++) plane.socketOpen(17, 31900 + port, 1);
  bounded(t, NEW_SESSION + 700, 400, () => {
    t.is(lab.inbound(udp(back, 4000, 32999)).verdict, PASS);
    for (let i = 0; i < 400; i++) lab.inbound(udp(back, 4000 + i, 1000 + i));
  });
  bounded(t, KNOWN_SESSION, 400, () => t.is(lab.inbound(udp(back, 4000, 999)).verdict, LOCAL));
  lab.reset();
  for (let n = 0; n < FORWARD_COUNT; n++) {
    const sticky = FORWARD_STICKY << 16;
    plane.forwardSet(17, ports(1), 1000, address(`192.168.0.${10 + n}`), 1 | sticky, 0);
  }
  // More hosts of one port than can be set.
  bounded(t, 3 * NEW_SESSION, 400, () => {
    for (let i = 0; i < 400; i++)
      lab.inbound(udp({ ...back, source: `198.51.100.${i % 250}` }, 4000 + i, 1000 + i));
  });
  lab.reset();
  const most = (FORWARD_LEAST | FORWARD_CHECK_PING | FORWARD_LIMITED) << 16;
  for (let n = 0; n < FORWARD_COUNT; n++) {
    plane.forwardSet(17, ports(1), 1000, address(`192.168.0.${10 + n}`), 1 | most, 0);
    plane.forwardLimit(n, 10, 3, 100);
    if (n < FORWARD_COUNT - 1) plane.serverState(n + 1, 1, 3, 0);
  }
  // All but the last are down, and it has had its turn.
  bounded(t, 3 * NEW_SESSION, 400, () => {
    for (let i = 0; i < 100; i++) t.is(lab.inbound(udp(back, 4000 + i, 1000 + i)).verdict, PASS);
    t.is(lab.inbound(udp(back, 4000, 1200)).verdict, DROP_HOST_SHARE);
    for (let n = 0; n < FORWARD_COUNT; n++) plane.serverState(n + 1, 0, 0, 0);
    for (let i = 0; i < 200; i++) t.is(lab.inbound(udp(back, 5000 + i, 1000 + i)).verdict, PASS);
  });
  for (let port = 1; port <= SOCKET_COUNT; port++) plane.socketOpen(17, 1000 + port, 1);
  const taken = metered.operations(() => plane.forwardRemove(0));
  t.log(`${set} operations to set one, ${taken} to take it back`);
  t.true(set < HALF_MILLISECOND && taken < HALF_MILLISECOND);
});

it('triggers: all are of one control port, with all their openings; who comes that none lets in', t => {
  const { plane } = lab.build;
  lab.build.use();
  for (let n = 0; n < TRIGGER_COUNT; n++)
    t.is(plane.triggerSet((17 << 16) | 7070, (17 << 16) | 1000, 9000, 0), 1);
  bounded(t, NEW_SESSION + 2500, 1000, () => {
    for (let n = 2; n < 40; n++) {
      lab.ticks(1);
      t.is(from(n, 1000 + n, 7070).verdict, PASS);
    }
  });
  bounded(t, 2 * NEW_SESSION, 400, () => {
    const stranger = udp({ source: SERVER, destination: WAN }, 4000, 8999);
    t.is(lab.inbound(stranger).verdict, PASS);
    lab.seconds(16);
    for (let i = 0; i < 20; i++)
      t.is(lab.inbound(udp({ source: SERVER, destination: WAN }, 4001 + i, 8000)).verdict, LOCAL);
  });
});

it('aliases: all set, and the last one stands for hosts inside', t => {
  const { plane } = lab.build;
  lab.build.use();
  const one = -1;
  for (let n = 1; n < ALIAS_COUNT; n++) plane.aliasSet(address(`203.0.113.${n}`), one, 0, INTERFACE_WAN);
  plane.aliasSet(address('10.1.2.0'), address('255.255.255.0'), address('192.168.0.0'), INTERFACE_WAN);
  for (let n = 1; n <= 3; n++) plane.routeAdd(n << 24, 0xff000000 | 0, address('10.1.2.1'), INTERFACE_WAN);
  bounded(t, 2 * NEW_SESSION, 700, () => {
    for (let n = 10; n < 250; n++) t.is(from(n, 700, 53).verdict, PASS);
    for (let n = 10; n < 250; n++) {
      const datagram = udp({ source: SERVER, destination: `10.1.2.${n}` }, 4000, 8000);
      t.is(lab.inbound(datagram).verdict, PASS);
    }
  });
  bounded(t, 3 * NEW_SESSION, 700, () => {
    for (let n = 10; n < 100; n++) {
      const datagram = udp({ source: host(n), destination: `10.1.2.${n + 100}` }, 4000, 8000);
      t.is(lab.hairpin(datagram).verdict, PASS);
    }
  });
});

test.serial('an address that changes under 3,840 sessions', t => {
  const router = startRouter(metered);
  for (let i = 0; i < 3840; i++) router.fromHost(udp({ source: HOST, destination: SERVER }, 1000 + i, 53));
  metered.use();
  t.is(plane.masqueradeCount(), 3840);
  configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, address('10.1.2.99'), address('255.255.255.0'), 1500);
  const change = metered.operations(() => plane.interfacesChanged());
  t.log(`${change} operations`);
  t.true(change < HALF_MILLISECOND);
  let most = 0;
  for (let i = 0; plane.masqueradeCount() > 0 && i < 700; i++)
    most = Math.max(
      most,
      metered.operations(() => plane.masqueradeTick()),
    );
  t.is(plane.masqueradeCount(), 0);
  t.true(most < HALF_MILLISECOND / 2, `${most}`);
  t.is(plane.masqueradeCheck(), 0);
});

test.serial(
  'to forget the kept routes of all sessions costs little, also when their number comes round',
  t => {
    const router = startRouter(metered);
    for (let i = 0; i < 3840; i++) router.fromHost(udp({ source: HOST, destination: SERVER }, 1000 + i, 53));
    metered.use();
    for (const generation of [i32at(ROUTE_GENERATION_AT), -0x10000]) {
      puti32(ROUTE_GENERATION_AT, generation);
      const cost = metered.operations(() => plane.flushRoutes());
      t.log(`${cost} operations`);
      t.true(cost < 300, `${cost}`);
    }
  },
);

test.serial(
  'sessions that share a place among the known cost each other a search a packet, and no more',
  t => {
    const out = { source: HOST, destination: SERVER };
    const back = { source: SERVER, destination: WAN_ADDRESS };
    // A place is a sum of the tuple that anybody may foresee (known-flow.ts), here of a packet from inside or of one from outside.
    const place = (from: string, to: string, ports: number) => {
      const mixed = address(from) ^ address(to) ^ ports;
      return (mixed ^ (mixed >>> 10) ^ (mixed >>> 20)) & (KNOWN_COUNT - 1);
    };
    for (const inbound of [false, true]) {
      const router = startRouter(metered);
      const crowd: [number, number][] = [];
      for (let port = 2000; port < 2040; port++) {
        for (let remote = 1; crowd.length <= port - 2000; remote++) {
          const at = inbound
            ? place(SERVER, WAN_ADDRESS, (remote << 16) | port)
            : place(HOST, SERVER, (port << 16) | remote);
          if (at === 77) crowd.push([port, remote]);
        }
      }
      const packet = ([port, remote]: [number, number]) =>
        inbound ? udp(back, remote, port, payload(8)) : udp(out, port, remote, payload(8));
      const send = inbound ? router.fromGateway : router.fromHost;
      const received = () => (inbound ? router.toLan() : router.toWan());
      for (const [port, remote] of crowd) {
        router.fromHost(udp(out, port, remote, payload(8)));
        for (let i = 0; i < 2; i++) {
          router.fromGateway(udp(back, remote, port, payload(8)));
          router.fromHost(udp(out, port, remote, payload(8)));
        }
      }
      router.toLan();
      router.toWan();
      metered.use();
      const cost = (each: [number, number]) => metered.operations(() => send(packet(each)));
      const alone = cost(crowd[0] as [number, number]) && cost(crowd[0] as [number, number]);
      received();
      let most = 0;
      for (let turn = 0; turn < 3; turn++) {
        for (const each of crowd) most = Math.max(most, cost(each));
        t.deepEqual(
          received().map(datagram => [get16(datagram, 20), get16(datagram, 22)]),
          crowd.map(([port, remote]) => (inbound ? [remote, port] : [port, remote])),
        );
      }
      t.log(`${alone} operations alone in its place, ${most} of ${crowd.length} in one`);
      t.true(most > alone + 20, `${most}, ${alone}: they do not share a place`);
      t.true(most < alone + 300, `${most}, ${alone}`);
    }
  },
);
