// The DHCP client and what the WAN makes of its leases, in the laboratory (test/wan-lab.ts): RFC 2131, section 4.4.

import test from 'ava';
import fc from 'fast-check';
import { address, arpFrame, BROADCAST, read, udp } from '../../../test/packets.ts';
import {
  ACK,
  ADDRESS,
  type Answer,
  addressOption,
  answerBytes,
  DECLINE,
  DISCOVER,
  type Message,
  NAK,
  OFFER,
  obliging,
  REQUEST,
  SERVER,
  SERVER_MAC,
  type Server,
  text,
  WAN_MAC,
  WanLab,
} from '../../../test/wan-lab.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { BUFFER_COUNT } from '../../base/limits.ts';

const OTHER_MAC = '02:00:00:00:02:99';
const HOST = '192.168.0.2';
const PEER = '198.51.100.7';
/** From the first start to the lease: up to 1 s of delay, 0.9 s of probes. */
const START = 2;

function started(server: Server | undefined, seed = 1): WanLab {
  const lab = new WanLab(seed);
  lab.server = server;
  lab.wan.start(false);
  return lab;
}

function bound(server: Server = obliging(), seed = 1): WanLab {
  const lab = started(server, seed);
  lab.run(START);
  if (lab.wan.client.state !== 'bound') throw new Error(`It is ${lab.wan.client.state}`);
  lab.sent.length = 0;
  return lab;
}

/** Waits, by at most `seconds`, until a state is reached. */
function until(lab: WanLab, state: string, seconds: number): void {
  for (let i = 0; i < seconds * 10 && lab.wan.client.state !== state; i++) lab.run(0.1);
  if (lab.wan.client.state !== state) throw new Error(`It is ${lab.wan.client.state}, not ${state}`);
}

/** Seconds between a message and the one before it. */
function gaps(messages: readonly Message[]): number[] {
  return messages.slice(1).map(({ at }, i) => at - (messages[i] as Message).at);
}

test.serial('a lease is got by four messages, probed for, and used', t => {
  const lab = started(obliging());
  lab.run(0.99);
  t.is(lab.address(), '', 'no address before the probes are over');
  lab.run(START - 0.99);
  t.is(lab.address(), `${ADDRESS}/24`);
  t.deepEqual(lab.probes, [ADDRESS, ADDRESS, ADDRESS]);
  t.is(lab.changes, 2); // none at the start, then the lease
  const [discover, request, ...more] = lab.sent as [Message, Message];
  t.is(more.length, 0);
  for (const message of [discover, request]) {
    t.is(message.toMac, BROADCAST);
    t.is(message.source, '0.0.0.0');
    t.is(message.destination, '255.255.255.255');
    t.deepEqual([...message.bytes.subarray(0, 4)], [1, 1, 6, 0]);
    t.is(message.flags, 0, 'the plane takes unicast without an address');
    t.is(message.ciaddr, '0.0.0.0');
    t.is(Buffer.from(message.bytes.subarray(28, 34)).toString('hex'), WAN_MAC.replaceAll(':', ''));
    t.true(message.bytes.length >= 300);
    t.is(Buffer.from(message.options.get(61) ?? []).toString('hex'), `01${WAN_MAC.replaceAll(':', '')}`);
    t.is(Buffer.from(message.options.get(12) ?? []).toString(), 'masqbox');
    const wanted = [...(message.options.get(55) ?? [])];
    t.true(wanted.indexOf(121) < wanted.indexOf(3), 'RFC 3442: 121 before 3');
    t.deepEqual(
      [1, 6, 15, 26, 42].filter(code => !wanted.includes(code)),
      [],
    );
  }
  t.is(discover.name, 'DISCOVER');
  t.false(discover.options.has(50));
  t.false(discover.options.has(54));
  t.is(request.name, 'REQUEST');
  t.is(request.xid, discover.xid);
  t.is(request.secs, discover.secs);
  t.is(text(request, 50), ADDRESS);
  t.is(text(request, 54), SERVER);
  t.deepEqual(lab.logged.at(-2), 'wan: lease of 203.0.113.10/24 for 3600 s from 203.0.113.1');
});

test.serial('each start has another xid, and starts within a second', t => {
  const xids = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const lab = started(undefined, seed);
    lab.run(1.01);
    t.is(lab.sent.length, 1);
    xids.add(lab.sent[0]?.xid as number);
  }
  t.is(xids.size, 20);
});

test.serial('DISCOVER is repeated after 4, 8, 16, 32, 64, 64 s, give or take one, for ever', t => {
  const seen = new Set<number>();
  for (let seed = 1; seed <= 10; seed++) {
    const lab = started(undefined, seed);
    lab.run(400);
    const waited = gaps(lab.sent);
    t.true(waited.length >= 7);
    for (const [i, gap] of waited.entries()) {
      const right = Math.min(64, 4 << i);
      t.true(gap >= right - 1.01 && gap <= right + 1.01, `gap ${i} is ${gap}`);
      seen.add(Math.round(gap * 100));
    }
    for (const message of lab.sent) t.is(message.xid, lab.sent[0]?.xid as number);
    t.true((lab.sent.at(-1) as Message).secs > 180);
    lab.server = obliging();
    lab.run(66);
    t.is(lab.address(), `${ADDRESS}/24`, 'a server that comes at last is heard');
  }
  t.true(seen.size > 40, 'the waits are random');
});

test.serial('REQUEST is repeated four times, then it starts over', t => {
  const lab = started(({ type }) =>
    type === DISCOVER ? (obliging()(lab.sent.at(-1) as Message) as Answer) : undefined,
  );
  lab.run(70);
  const names = lab.sent.map(({ name }) => name);
  t.deepEqual(names.slice(0, 7), [
    'DISCOVER',
    'REQUEST',
    'REQUEST',
    'REQUEST',
    'REQUEST',
    'DISCOVER',
    'REQUEST',
  ]);
  const waited = gaps(lab.sent).slice(1, 5);
  for (const [i, gap] of waited.entries()) t.true(Math.abs(gap - (4 << i)) <= 1.01, `gap ${i} is ${gap}`);
  t.is(lab.address(), '');
});

test.serial('messages that are not for us, or nonsense, change nothing', t => {
  const lab = started(undefined);
  lab.run(1.01);
  const [discover] = lab.sent as [Message];
  const offer = answerBytes(discover, { type: OFFER, yiaddr: ADDRESS, seconds: 3600 });
  const change = (edit: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = offer.slice();
    edit(bytes);
    return bytes;
  };
  const answer = (fields: Partial<Answer>): Uint8Array =>
    answerBytes(discover, { type: OFFER, yiaddr: ADDRESS, seconds: 3600, ...fields });
  const wrong: [string, Uint8Array][] = [
    [
      'op',
      change(b => {
        b[0] = 1;
      }),
    ],
    [
      'hlen',
      change(b => {
        b[2] = 5;
      }),
    ],
    [
      'xid',
      change(b => {
        b[7] = (b[7] as number) ^ 1;
      }),
    ],
    [
      'chaddr',
      change(b => {
        b[33] = 99;
      }),
    ],
    [
      'cookie',
      change(b => {
        b[239] = 0;
      }),
    ],
    ['an ACK that nobody asked for', answer({ type: ACK })],
    ['NAK', answer({ type: NAK })],
    ['no address', answer({ yiaddr: '0.0.0.0' })],
    ['a multicast address', answer({ yiaddr: '224.0.0.5' })],
    ['a loopback address', answer({ yiaddr: '127.0.0.5' })],
    ['the broadcast address', answer({ yiaddr: '203.0.113.255' })],
    ["the network's number", answer({ yiaddr: '203.0.113.0' })],
    ["the server's own address", answer({ yiaddr: SERVER })],
    ['no server', answer({ server: '0.0.0.0' })],
    ['a lease of 0 s', answer({ seconds: 0 })],
    ['a lease of 9 s', answer({ seconds: 9 })],
  ];
  for (const [, bytes] of wrong) lab.answer(bytes);
  lab.answer(offer, 68);
  // Type, server and lease time are the first 15 bytes of options: behind them a cut message may be good.
  for (let n = 0; n < 240 + 15; n++) {
    lab.answer(offer.slice(0, n));
    lab.settle();
    t.is(lab.wan.client.state, 'selecting', `cut at ${n}`);
  }
  lab.run(1);
  t.is(lab.sent.length, 1);
  t.is(lab.plane.poolFree(), BUFFER_COUNT);
  lab.answer(offer);
  lab.settle();
  t.is(lab.wan.client.state, 'requesting');
});

test.serial('mutated answers never throw, and what is used is always sane', t => {
  const lab = started(undefined);
  let leases = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.integer({ min: 0, max: 330 }), value: fc.integer({ min: 0, max: 255 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      edits => {
        lab.server = message => {
          const type = message.type === DISCOVER ? OFFER : ACK;
          const options = [[121, 8, 24, 10, 9, 9, 203, 0, 113, 1], addressOption(6, '9.9.9.9', '8.8.8.8')];
          const bytes = answerBytes(message, { type, yiaddr: ADDRESS, seconds: 600, options });
          for (const { at, value } of edits) if (at < bytes.length && (at < 4 || at > 7)) bytes[at] = value;
          lab.answer(bytes);
          return undefined;
        };
        lab.wan.client.stop();
        lab.wan.renew();
        lab.run(6);
        const lease = lab.client.lease;
        if (lease === undefined) return;
        leases++;
        t.true(lease.seconds >= 10 && lease.renewalSeconds < lease.rebindingSeconds);
        t.true(lease.rebindingSeconds < lease.seconds);
        t.true(lease.length >= 8 && lease.length <= 32);
        t.true(lease.mtu === 0 || (lease.mtu >= 576 && lease.mtu <= 1500));
        t.true(lease.routes.length <= 16 && lease.dnsServers.length <= 4);
      },
    ),
    { numRuns: 500, seed: runSeed() },
  );
  t.true(leases > 50, `${leases} leases`);
  t.is(lab.plane.poolFree(), BUFFER_COUNT);
});

test.serial('an address that somebody has is declined, and not asked for again for ten seconds', t => {
  const lab = started(obliging());
  lab.stations.set(ADDRESS, OTHER_MAC);
  lab.run(1.5);
  t.deepEqual(
    lab.sent.map(({ name }) => name),
    ['DISCOVER', 'REQUEST', 'DECLINE'],
  );
  const decline = lab.sent[2] as Message;
  t.is(text(decline, 50), ADDRESS);
  t.is(text(decline, 54), SERVER);
  t.is(decline.ciaddr, '0.0.0.0');
  t.is(decline.destination, '255.255.255.255');
  t.is(lab.address(), '');
  t.true(lab.logged.some(line => line.includes(`${ADDRESS} is declined: ${OTHER_MAC} has it`)));
  lab.server = obliging('203.0.113.11');
  lab.run(14);
  const next = lab.sent[3] as Message;
  t.is(next.name, 'DISCOVER');
  t.true(next.at - decline.at >= 10);
  t.false(next.options.has(50), 'the declined address is not wished for');
  t.is(lab.address(), '203.0.113.11/24');
});

test.serial('after ten conflicts a minute passes between two tries', t => {
  const lab = started(obliging());
  lab.stations.set(ADDRESS, OTHER_MAC);
  lab.run(1000);
  const declines = lab.sent.filter(({ type }) => type === DECLINE);
  t.true(
    gaps(declines)
      .slice(11)
      .every(gap => gap >= 60),
  );
  t.true(declines.length < 25);
});

test.serial(
  'the probe of another host for the same address is a conflict, our own that comes back is none',
  t => {
    const probe = (senderMac: string) =>
      arpFrame(BROADCAST, { operation: 1, senderMac, senderAddress: '0.0.0.0', targetAddress: ADDRESS });
    for (const [mac, state] of [
      [WAN_MAC, 'bound'],
      [OTHER_MAC, 'init'],
    ] as const) {
      const lab = started(obliging());
      until(lab, 'probing', START);
      lab.put(probe(mac));
      lab.run(1);
      t.is(lab.wan.client.state, state);
    }
  },
);

test.serial('a server that answers ARP for every address is no conflict', t => {
  const lab = started(obliging());
  lab.stations.set(ADDRESS, SERVER_MAC);
  lab.run(START);
  t.is(lab.address(), `${ADDRESS}/24`);
});

test.serial('at T1 the server is asked by unicast, and the lease goes on from then', t => {
  const lab = bound();
  lab.run(1700);
  const before = lab.sent.length;
  lab.run(105); // T1 is 1,800 s, less up to a 32nd of the lease
  const [renewal, ...more] = lab.sent as [Message];
  t.is(before + more.length, 0);
  t.is(renewal.name, 'REQUEST');
  t.is(renewal.toMac, SERVER_MAC);
  t.is(renewal.source, ADDRESS);
  t.is(renewal.destination, SERVER);
  t.is(renewal.ciaddr, ADDRESS);
  t.false(renewal.options.has(50));
  t.false(renewal.options.has(54));
  t.is(lab.wan.client.state, 'bound');
  t.true(lab.wan.client.ageSeconds < 110);
  t.is(lab.changes, 2, 'nobody is told of a renewal that changes nothing');
  t.is(lab.probes.length, 3, 'and the address is not probed for again');
});

test.serial(
  'a silent server is asked again after half of the rest, then everybody, and at the end the address goes',
  t => {
    const lab = bound();
    const start = lab.now;
    lab.server = undefined;
    lab.run(3600 - 3);
    const unicast = lab.sent.filter(({ destination }) => destination === SERVER);
    const broadcast = lab.sent.filter(({ destination }) => destination === '255.255.255.255');
    t.is(unicast.length + broadcast.length, lab.sent.length);
    // T1 about 1,800, T2 3,150: half of the rest each time, but 60 s at least.
    t.true(unicast.length >= 5 && unicast.length <= 7, `${unicast.length} by unicast`);
    t.true(gaps(unicast).every(gap => gap >= 59.9));
    t.true((broadcast[0] as Message).at - start >= 3149 - START);
    t.true(broadcast.length >= 3 && broadcast.length <= 5);
    for (const message of broadcast) {
      t.is(message.ciaddr, ADDRESS);
      t.is(message.source, ADDRESS);
      t.false(message.options.has(54));
    }
    t.is(new Set(lab.sent.map(({ xid }) => xid)).size, lab.sent.length, 'each try has its xid');
    t.is(lab.address(), `${ADDRESS}/24`, 'three seconds before the end it is still ours');
    lab.run(4);
    t.is(lab.address(), '');
    t.deepEqual(lab.wan.dnsServers(), []);
    const last = lab.sent.at(-1) as Message;
    t.is(last.name, 'DISCOVER');
    t.is(text(last, 50), ADDRESS, 'the old address is wished for');
    lab.run(5 * 3600);
    lab.server = obliging();
    lab.run(66);
    t.is(lab.address(), `${ADDRESS}/24`, 'a server that returns is found within 65 s');
  },
);

test.serial('another server that renews takes the lease over', t => {
  const lab = bound();
  const other = '203.0.113.77';
  lab.server = message =>
    message.destination === SERVER ? undefined : { type: ACK, yiaddr: ADDRESS, seconds: 3600, server: other };
  lab.run(3200);
  t.is(lab.address(), `${ADDRESS}/24`);
  t.is(lab.wan.client.lease?.server, address(other));
  t.true(lab.logged.some(line => line.endsWith(`from ${other}`)));
});

test.serial('a short lease has more than two tries to be renewed', t => {
  const lab = bound(obliging(ADDRESS, 120));
  lab.server = undefined;
  lab.run(117);
  t.true(lab.sent.length >= 5, `${lab.sent.length} tries`);
  t.true(gaps(lab.sent).every(gap => gap >= 3.9));
});

test.serial('a NAK in mid-life: the address is not used from the same moment on, and another is got', t => {
  const lab = bound();
  lab.fromHost(udp({ source: HOST, destination: PEER }, 4000, 53));
  lab.settle();
  t.is(read((lab.toWan[0] as Uint8Array).slice(14)).source, ADDRESS);
  t.is(lab.plane.masqueradeCount(), 1);
  const next = '203.0.113.20';
  lab.server = message => (message.ciaddr === ADDRESS ? { type: NAK } : obliging(next)(message));
  lab.wan.client.renew();
  lab.run(0.02);
  t.is(lab.address(), '');
  lab.fromHost(udp({ source: HOST, destination: PEER }, 4000, 53));
  lab.settle();
  t.is(lab.toWan.length, 1, 'nothing leaves');
  lab.run(START);
  t.is(lab.address(), `${next}/24`);
  for (let i = 0; i < 2; i++) lab.plane.masqueradeTick();
  t.is(lab.plane.masqueradeCount(), 0, 'sessions of the lost address have ended');
  lab.fromHost(udp({ source: HOST, destination: PEER }, 4000, 53));
  lab.settle();
  t.is(
    read((lab.toWan.at(-1) as Uint8Array).slice(14)).source,
    next,
    'an unanswered packet follows the new address',
  );
});

test.serial('a NAK after which the same address is given costs no session', t => {
  const lab = bound();
  lab.fromHost(udp({ source: HOST, destination: PEER }, 4000, 53));
  lab.settle();
  lab.server = message => (message.ciaddr === ADDRESS ? { type: NAK } : obliging()(message));
  lab.wan.client.renew();
  lab.run(START + 1);
  t.is(lab.address(), `${ADDRESS}/24`);
  t.is(lab.plane.masqueradeCount(), 1);
});

test.serial('a server that gives another address in mid-life: probed for, the old one is gone at once', t => {
  const lab = bound();
  const next = '203.0.113.21';
  lab.server = obliging(next);
  lab.wan.client.renew();
  lab.run(0.02);
  t.is(lab.wan.client.state, 'probing');
  t.is(lab.address(), '');
  lab.run(1);
  t.is(lab.address(), `${next}/24`);
  t.true(lab.logged.some(line => line.includes(`takes ${ADDRESS} away and gives ${next}`)));
});

test.serial('a NAK by another server than the chosen one, or with a wrong xid, is not believed', t => {
  const lab = started(message =>
    message.type === DISCOVER
      ? { type: OFFER, yiaddr: ADDRESS, seconds: 3600 }
      : [
          { type: NAK, server: '203.0.113.66' },
          { type: ACK, yiaddr: ADDRESS, seconds: 3600 },
        ],
  );
  lab.run(START);
  t.is(lab.address(), `${ADDRESS}/24`);
  const [, request] = lab.sent as [Message, Message];
  lab.answer(answerBytes(request, { type: NAK }));
  lab.run(1);
  t.is(lab.address(), `${ADDRESS}/24`, 'bound, nobody is asked, so nobody can say no');
});

test.serial('a server that refuses what it offers is not asked in a circle', t => {
  const lab = started(({ type }) =>
    type === DISCOVER ? { type: OFFER, yiaddr: ADDRESS, seconds: 3600 } : { type: NAK },
  );
  lab.run(3600);
  t.true(lab.sent.length <= 2 * 64, `${lab.sent.length} messages in an hour`);
  t.true(lab.logged.length < 200);
  lab.server = obliging();
  lab.run(70);
  t.is(lab.address(), `${ADDRESS}/24`);
});

test.serial('duplicates and late copies of every answer do no harm', t => {
  const server = obliging();
  const lab = started(message => {
    const answer = server(message) as Answer;
    return [answer, answer, answer];
  });
  lab.run(START + 4000);
  t.is(lab.address(), `${ADDRESS}/24`);
  t.is(lab.changes, 2);
});

test.serial('a restarted control asks for the address that it uses, which stays', t => {
  const lab = bound();
  lab.run(500);
  lab.control();
  lab.server = undefined;
  lab.wan.start(true);
  t.is(lab.address(), `${ADDRESS}/24`);
  lab.run(1);
  const [request] = lab.sent as [Message];
  t.is(lab.wan.client.state, 'rebooting');
  t.is(request.name, 'REQUEST');
  t.is(text(request, 50), ADDRESS);
  t.false(request.options.has(54));
  t.is(request.ciaddr, '0.0.0.0');
  t.is(request.destination, '255.255.255.255');
  lab.run(20);
  t.is(lab.sent.length, 2);
  t.is(lab.wan.client.state, 'bound', 'nobody answers: it goes on until its end');
  t.true(lab.wan.client.ageSeconds >= 500);
  lab.run(3600 - 500 - 24);
  t.is(lab.address(), `${ADDRESS}/24`);
  lab.run(6);
  t.is(lab.address(), '');
});

test.serial(
  'a restarted control whose address is good goes on; a NAK takes it; an old lease is not used',
  t => {
    const good = bound(obliging(ADDRESS, 3600, [addressOption(6, '9.9.9.9')]));
    good.control();
    good.wan.start(true);
    good.run(1);
    t.is(good.wan.client.state, 'bound');
    t.deepEqual(good.took(), ['REQUEST']);
    t.deepEqual([...good.wan.dnsServers()], [address('9.9.9.9')]);
    good.server = ({ type }) => (type === REQUEST ? { type: NAK } : undefined);
    good.control();
    good.wan.start(true);
    good.run(1);
    t.is(good.address(), '');
    const old = bound();
    old.server = undefined;
    old.context.udp.close(68); // control is dead
    old.control();
    old.run(4000);
    old.wan.start(true);
    old.run(0.1);
    t.is(old.address(), '', 'it ran out while control was away');
  },
);

test.serial('release gives the lease back by unicast, and nothing is sent until renew', t => {
  const lab = bound();
  lab.wan.client.stop();
  lab.settle();
  const [release] = lab.sent as [Message];
  t.is(release.name, 'RELEASE');
  t.is(release.ciaddr, ADDRESS);
  t.is(text(release, 54), SERVER);
  t.is(release.destination, SERVER);
  t.is(release.toMac, SERVER_MAC);
  t.is(lab.address(), '');
  t.is(lab.plane.socketUses(17, 68), 0, 'port 68 is closed');
  lab.run(3600);
  t.is(lab.sent.length, 1);
  lab.wan.renew();
  lab.run(START);
  t.is(lab.address(), `${ADDRESS}/24`);
});

test.serial('a lease without an end is renewed all the same, and outlives its servers', t => {
  const lab = bound(obliging(ADDRESS, 0xffffffff));
  t.true(lab.logged.some(line => line.includes('for ever')));
  lab.server = undefined;
  lab.run(400 * 86400);
  t.is(lab.address(), `${ADDRESS}/24`);
  lab.server = obliging(ADDRESS, 0xffffffff);
  lab.sent.length = 0;
  lab.run(100 * 86400);
  t.is(lab.address(), `${ADDRESS}/24`);
  t.true(lab.sent.length > 0);
});

test.serial(
  'a year of renewals, lost packets and servers that vanish leaves everything as large as it was',
  t => {
    const lab = bound();
    const { plane } = lab;
    let lost = 0;
    let messages = 0;
    const server = obliging();
    lab.server = message => {
      messages++;
      const day = Math.floor(message.at / 86400);
      if (day % 30 === 29) return undefined; // a day without a server each month
      if (day % 50 === 49 && message.type === REQUEST && message.ciaddr !== '0.0.0.0') return { type: NAK };
      if (messages % 5 === 0) {
        lost++;
        return undefined;
      }
      return server(message);
    };
    let without = 0;
    for (let hour = 0; hour < 365 * 24; hour++) {
      lab.run(3600);
      lab.sent.length = 0;
      lab.probes.length = 0;
      lab.logged.length = 0;
      if (lab.address() === '') without++;
    }
    t.true(messages > 17_000);
    t.true(lost > 3000);
    t.true(
      without > 12 * 20 && without <= 12 * 26,
      `${without} hours without an address, 12 days without a server`,
    );
    t.is(plane.poolFree(), BUFFER_COUNT);
    t.is(lab.address(), `${ADDRESS}/24`);
  },
);
