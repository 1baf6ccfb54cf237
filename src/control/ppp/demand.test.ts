// Dial on demand on the sim board: a host's first packet, the modem, the provider and the answer, in virtual time.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { query } from '../../../test/dns-lab.ts';
import { echo, payload, SYN, tcp, udp } from '../../../test/packets.ts';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import { ModemLab, ROUTER, WEB } from './modem-lab.ts';

const HOST = '192.168.0.10';
const CHILD = '192.168.0.11';
const SET = ['set wan none', 'set ppp0 port com2', 'set ppp0 dial demand', 'set ppp0 number 0191011'];

const opening = (source: string, sourcePort: number, destinationPort = 80) =>
  tcp({ source, destination: WEB }, { sourcePort, destinationPort, flags: SYN });

test.serial(
  'a host opens a connection: the modem dials, and the session lives though the address is new',
  async t => {
    t.timeout(300_000);
    const lab = await ModemLab.create(...SET);
    t.regex(lab.type('show routes'), /^0\.0\.0\.0\/0 .*ppp0$/m);
    t.regex(lab.type('show ppp'), /^ppp0 down, on COM2 at 115200, PPP, dial demand/);
    // A Windows PC that shouts for its neighbours, and a clock.
    for (let n = 0; n < 20; n++) {
      lab.host(udp({ source: CHILD, destination: WEB }, 137, 137, payload(50)));
      lab.host(udp({ source: CHILD, destination: '192.168.0.255' }, 138, 138, payload(50)));
      lab.host(udp({ source: CHILD, destination: WEB }, 123, 123, payload(48)));
      lab.seconds(1);
    }
    t.deepEqual(lab.dialled, []);
    lab.host(opening(HOST, 1043));
    const from = lab.now;
    lab.seconds(10, () => lab.dialled.length > 0);
    const toDial = (lab.now - from) / 100;
    t.deepEqual(lab.dialled, ['0191011']);
    lab.host(opening(HOST, 1043));
    lab.seconds(60, () => lab.inside.some(({ sourcePort }) => sourcePort === 80));
    const answer = lab.inside.find(({ sourcePort }) => sourcePort === 80);
    t.like(answer, { source: WEB, destination: HOST, destinationPort: 1043 });
    const seconds = ((answer?.tick ?? 0) - lab.connectedAt) / 100;
    t.log(`${toDial} s from the packet to ATDT, ${seconds} from CONNECT to the answer`);
    t.true(toDial + seconds < 2, `${toDial} and ${seconds}`);
    t.is(lab.outside.filter(({ protocol }) => protocol === 6).length, 1);
    t.like(
      lab.outside.find(({ protocol }) => protocol === 6),
      { source: lab.own },
    );
    t.regex(
      lab.type('show ppp'),
      /0191011 \(CONNECT 33600\): goes on; for 192\.168\.0\.10, tcp to 203\.0\.113\.80 port 80$/m,
    );
    // Nobody uses it, whatever knocks; the line goes down, and the next packet dials again.
    lab.type('set ppp0 idle 60s');
    for (let n = 0; n < 70; n++) {
      lab.gives(udp({ source: WEB, destination: lab.own }, 9, 9, payload(9)));
      lab.gives(echo({ source: WEB, destination: lab.own }, 8, 7));
      lab.host(udp({ source: CHILD, destination: WEB }, 137, 137, payload(50)));
      lab.seconds(1);
    }
    t.regex(lab.type('show ppp'), /^ppp0 down/);
    t.regex(lab.type('show ppp'), /, nobody has used it; for 192/);
    lab.host(echo({ source: CHILD, destination: WEB }, 8, 7));
    lab.seconds(60, () => lab.inside.some(({ type, protocol }) => protocol === 1 && type === 0));
    t.is(lab.calls, 2);
    t.true(lab.inside.some(({ type, destination }) => type === 0 && destination === CHILD));
    t.regex(lab.type('show ppp'), /for 192\.168\.0\.11, ping to 203\.0\.113\.80$/m);
  },
);

test.serial('a name that a host asks the router for dials, and is answered when the link is up', async t => {
  t.timeout(300_000);
  const lab = await ModemLab.create(...SET, 'set ppp0 idle 60s');
  const asks = (port: number, id: number) =>
    lab.host(udp({ source: HOST, destination: ROUTER }, port, 53, query('www.example.org', { id })));
  const answered = (port: number) => lab.inside.filter(({ destinationPort }) => destinationPort === port);
  asks(2000, 7);
  lab.seconds(10);
  asks(2000, 7);
  t.is(answered(2000).length, 0, 'who hears nothing asks again');
  lab.seconds(60, () => answered(2000).length > 0);
  t.is(answered(2000).length, 1);
  t.regex(lab.type('show ppp'), /goes on; for 192\.168\.0\.10, dns about www\.example\.org$/m);
  lab.seconds(70, () => lab.text.includes('ppp0: ends'));
  const { length } = lab.outside;
  t.is(lab.calls, 1);
  asks(2001, 8);
  lab.seconds(1);
  // Its TTL is 60 s, and that is over by now: it is asked for anew.
  lab.seconds(60, () => answered(2001).length > 0);
  t.is(lab.calls, 2);
  t.true(lab.outside.length > length);
  lab.type('hangup ppp0');
  lab.seconds(5);
  asks(2002, 9);
  lab.seconds(2);
  t.is(answered(2002).length, 1, 'from the cache, while the link is down');
  t.is(lab.calls, 2);
  // A host that asks outside itself: it dials where nobody has hung up by hand, or somebody has set the link anew.
  lab.host(opening(CHILD, 1024));
  lab.seconds(10);
  t.is(lab.calls, 2);
  t.regex(lab.type('show ppp'), /^ppp0 down, it was hung up by hand, until dial, /);
  lab.type('set ppp0 dial manual');
  lab.type('set ppp0 dial demand');
  lab.host(udp({ source: CHILD, destination: '198.51.100.53' }, 1025, 53, query('mail.example.org')));
  lab.seconds(60, () => answered(1025).length > 0);
  t.regex(
    lab.type('show ppp'),
    /for 192\.168\.0\.11, udp to 198\.51\.100\.53 port 53 about mail\.example\.org$/m,
  );
});

test.serial(
  'a name dials where the words of the link have names, and where no other link leads to the world',
  async t => {
    t.timeout(300_000);
    const lab = await ModemLab.create(...SET, 'set ppp0 demand tcp -udp:53');
    let port = 2000;
    const asks = () =>
      lab.host(udp({ source: HOST, destination: ROUTER }, port++, 53, query(`a${port}.example.org`)));
    asks();
    lab.seconds(10);
    t.deepEqual(lab.dialled, []);
    lab.type('set ppp0 demand udp:53');
    lab.type('set wan address 192.0.2.2/24');
    lab.type('set wan gateway 192.0.2.1');
    lab.type('set dns 198.51.100.53');
    lab.seconds(1);
    asks();
    lab.seconds(30);
    t.deepEqual(lab.dialled, [], 'servers that do not answer are no reason to dial');
    lab.type('set wan none');
    lab.seconds(1);
    asks();
    lab.seconds(10);
    t.is(lab.dialled.length, 1);
  },
);

test.serial('nobody answers: who waits is told, and does not dial until it is time', async t => {
  t.timeout(300_000);
  const lab = await ModemLab.create(...SET, 'set ppp0 number 0191011 0191022', 'set ppp0 hour-calls 6');
  lab.answer = () => 'BUSY';
  lab.host(opening(HOST, 1043));
  lab.seconds(70, () => lab.dialled.length === 2);
  t.is(lab.inside.filter(({ type }) => type === 3).length, 0, 'there is another number');
  lab.seconds(30, () => lab.inside.some(({ type }) => type === 3));
  t.like(
    lab.inside.find(({ type }) => type === 3),
    { source: ROUTER, destination: HOST, code: 1 },
  );
  const told = lab.inside.length;
  lab.host(opening(HOST, 1044));
  lab.seconds(1);
  t.is(lab.inside.length, told + 1, 'and at once while it waits after the failure');
  t.is(lab.dialled.length, 2);
  lab.seconds(20);
  for (let n = 0; n < 60; n++) {
    lab.host(opening(HOST, 2000 + n));
    lab.seconds(5);
  }
  t.is(lab.dialled.length, 6, 'no more than an hour may have');
  t.regex(lab.type('show ppp'), /^ppp0 down, the 6 calls of an hour have been made/);
  t.regex(lab.type('show memory'), /packet buffers +160, 160 free/);
});

test.serial('a port, and then a number: what was a cable is a modem at once', async t => {
  t.timeout(300_000);
  const lab = await ModemLab.create('set wan none', 'set ppp0 port com2');
  lab.seconds(5);
  lab.type('set ppp0 number 0191011');
  lab.seconds(3);
  t.regex(lab.type('dial ppp0'), /ppp0 is called/);
  lab.seconds(40, () => lab.text.includes('ppp0: up'));
  t.deepEqual(lab.dialled, ['0191011']);
  t.regex(lab.type('show ppp'), /^ppp0 up/);
});

test.serial(
  'what a rule refuses dials nobody; a control that is started again dials for who waits',
  async t => {
    t.timeout(300_000);
    const lab = await ModemLab.create(...SET, `iptables -A FORWARD -s ${CHILD} -j DROP`);
    lab.host(opening(CHILD, 1));
    lab.seconds(5);
    t.deepEqual(lab.dialled, []);
    lab.host(opening(HOST, 2));
    lab.seconds(10);
    t.is(lab.dialled.length, 1);
    lab.type('debug crash control throw');
    lab.seconds(10);
    t.is(lab.dialled.length, 2, 'nobody knows of the first call any more, which was hung up');
    lab.seconds(60, () => lab.inside.some(({ destinationPort }) => destinationPort === 2));
    t.true(lab.inside.some(({ destinationPort }) => destinationPort === 2));
    t.regex(lab.type('show ppp'), /goes on; for 192\.168\.0\.10, tcp to 203\.0\.113\.80 port 80$/m);
  },
);

test.serial(
  'two hours of an office by one modem with ten minutes an hour: never over it, and never stuck',
  async t => {
    t.timeout(600_000);
    const chance = seeded(runSeed());
    const limits = ['set ppp0 hour-minutes 10', 'set ppp0 idle 60s', 'set ppp0 retry 15s 60s'];
    const lab = await ModemLab.create(...SET, ...limits);
    lab.answerSeconds = 15;
    lab.answer = () => (chance.chance(0.2) ? 'BUSY' : chance.chance(0.1) ? 'NO CARRIER' : 'CONNECT 33600');
    const online: number[] = [];
    let port = 1024;
    for (let hour = 0; hour < 2; hour++) {
      const before = lab.online;
      // From the beginning of the board's own hour on, whatever the hosts want.
      const end = 360_000 * (hour + 1);
      while (lab.now < end) {
        const host = `192.168.0.${10 + Math.floor(chance.fraction() * 12)}`;
        const wants = chance.fraction();
        if (wants < 0.5) lab.host(opening(host, port++));
        else if (wants < 0.8) lab.host(udp({ source: host, destination: WEB }, 137, 137, payload(50)));
        else lab.host(udp({ source: host, destination: ROUTER }, port++, 53, query(`a${port}.example.org`)));
        if (chance.chance(0.02)) lab.cut();
        lab.seconds(Math.min(20 * chance.fraction(), (end - lab.now) / 100));
      }
      online.push((lab.online - before) / 100);
    }
    t.log(`seconds online: ${online.map(Math.round).join(', ')}; ${lab.dialled.length} calls`);
    for (const seconds of online) t.true(seconds <= 600 && seconds > 450, `${seconds}`);
    // Nothing of it stays.
    lab.seconds(200);
    t.regex(lab.type('show ppp'), /^ppp0 down/);
    t.regex(lab.type('show memory'), /packet buffers +160, 160 free/);
  },
);

test.serial('what docs/modem.md shows of who has dialled is what the board says', async t => {
  t.timeout(300_000);
  const page = readFileSync(join(import.meta.dirname, '../../../docs/modem.md'), 'utf8');
  const shown = (text: string) =>
    text
      .split('\n')
      .filter(line => /; for |^ *ppp0 /.test(line))
      .map(line => line.trim().replaceAll(/\d+:\d\d/g, 'TIME'));
  const section = /^## What dialled\?\n(.*?)^## /ms.exec(page)?.[1] ?? '';
  const lab = await ModemLab.create(...SET, 'set ppp0 idle 60s');
  lab.host(udp({ source: HOST, destination: ROUTER }, 2000, 53, query('www.example.org')));
  lab.seconds(100, () => lab.text.includes('ppp0: ends'));
  lab.text = '';
  lab.seconds(3);
  lab.host(opening(CHILD, 1043));
  lab.seconds(100, () => lab.text.includes('ppp0: ends'));
  lab.seconds(3);
  lab.host(echo({ source: '192.168.0.12', destination: WEB }, 8, 7));
  lab.seconds(24);
  t.deepEqual(shown(section), shown(lab.type('show ppp')));
});
