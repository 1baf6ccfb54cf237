// What the forwarder refuses to ask or to tell: private addresses of public names, whole zones.
// Not here: all else that it does (forwarder.test.ts).

import test from 'ava';
import type dns from 'dns-packet';
import { DnsLab, OUTSIDE, query, record, SERVER } from '../../../test/dns-lab.ts';
import { DNS_FORWARDS } from '../core/limits.ts';

const A = record('www.example.com', '192.0.2.1');
const ASK = query('www.example.com');

/** The answers' code as dns-packet names it. */
function codeOf({ message }: { message: dns.DecodedPacket }): string {
  return (message as unknown as { rcode: string }).rcode;
}

test('address hints of SVCB and HTTPS records are private addresses too, whatever stands around them', async t => {
  const lab = await DnsLab.create();
  const target = [3, 119, 119, 119, 0];
  const alpn = [0, 1, 0, 3, 2, 104, 50];
  const v4 = (...addresses: number[]): number[] => [0, 4, 0, addresses.length, ...addresses];
  const v6 = (...addresses: number[]): number[] => [0, 6, 0, addresses.length, ...addresses];
  const global6 = [0x20, 1, 0x0d, 0xb8, ...Array<number>(12).fill(0)];
  const local6 = [0xfd, ...Array<number>(15).fill(1)];
  const cases: [string, number[]][] = [
    ['NOERROR', [0, 0, ...target]],
    ['NOERROR', [0, 1, 0, ...alpn, ...v4(9, 9, 9, 9), ...v6(...global6)]],
    ['NXDOMAIN', [0, 1, 0, ...v4(192, 168, 0, 1)]],
    ['NXDOMAIN', [0, 1, ...target, ...alpn, ...v4(9, 9, 9, 9, 10, 0, 0, 1)]],
    ['NXDOMAIN', [0, 1, ...target, ...v6(...global6, ...local6)]],
    // Malformed: a parameter that is cut, and half an address.
    ['NOERROR', [0, 1, 0, 0, 4, 0, 9, 192, 168, 0, 1]],
    ['NOERROR', [0, 1, 0, ...v4(10, 0, 0)]],
    ['NOERROR', [0, 1]],
    ['NOERROR', []],
  ];
  for (const type of ['UNKNOWN_64', 'UNKNOWN_65']) {
    for (const [i, [code, data]] of cases.entries()) {
      const name = `n${i}.example.com`;
      const answer = record(name, Buffer.from(data) as unknown as string, 300, type);
      t.is(codeOf(lab.exchange(query(name, {}, type), [answer])), code, `${type} ${data}`);
    }
  }
});

test('a question for a whole zone is refused, and asked of nobody', async t => {
  const lab = await DnsLab.create();
  for (const type of ['AXFR', 'IXFR']) {
    lab.ask(query('example.com', {}, type));
    t.is(codeOf(lab.takeTold()), 'REFUSED', type);
  }
  t.is(lab.asked.length, 0);
});

test('0.0.0.0 and :: of a filter are passed and kept, but not beside another address', async t => {
  const lab = await DnsLab.create();
  for (const [type, data] of [
    ['A', '0.0.0.0'],
    ['AAAA', '::'],
  ] as const) {
    t.like(
      lab.exchange(query('ads.example.com', {}, type), [record('ads.example.com', data, 60, type)]).message,
      {
        rcode: 'NOERROR',
      },
    );
    lab.ask(query('ads.example.com', {}, type));
    t.is(lab.takeTold().message.answers?.length, 1, 'from the cache');
  }
  const mixed = [record('mixed.example.com', '0.0.0.0'), record('mixed.example.com', '192.0.2.1')];
  t.is(codeOf(lab.exchange(query('mixed.example.com'), mixed)), 'NXDOMAIN');
  // What was refused is not asked again and again either.
  lab.ask(query('mixed.example.com'));
  t.is(codeOf(lab.takeTold()), 'NXDOMAIN');
  lab.command('set dns allow mixed.example.com');
  t.is(codeOf(lab.exchange(query('mixed.example.com'), mixed)), 'NOERROR');
});

test('updates, notifications and what else is no query are answered NOTIMP', async t => {
  const lab = await DnsLab.create();
  for (const opcode of [1, 2, 4, 5, 6, 15]) {
    lab.ask(query('www.example.com', { id: opcode, flags: opcode << 11 }));
    const { message } = lab.takeTold();
    t.is(codeOf({ message }), 'NOTIMP');
    t.is(message.id, opcode);
  }
  t.is(lab.asked.length, 0);
});

test('names that nobody outside has are answered here, all below them too', async t => {
  const lab = await DnsLab.create();
  const zeros = (count: number): string => '0.'.repeat(count);
  const denied = [
    ...[
      'a.localhost.test',
      'x.invalid',
      'deep.below.test',
      'host.local',
      'abc.onion',
      'a.alt',
      '_dns.resolver.arpa',
    ],
    ...['lb._dns-sd._udp.0.0.168.192.in-addr.arpa', 'x.5.0.168.192.in-addr.arpa', 'x.10.in-addr.arpa'],
    ...['1.2.3.4.10.in-addr.arpa', '1.64.100.in-addr.arpa', `x.1.${zeros(31)}ip6.arpa`],
    ...['a.d.f.ip6.arpa', '1.8.e.f.ip6.arpa', '1.8.b.d.0.1.0.0.2.ip6.arpa', 'printer', 'wpad'],
  ];
  for (const name of denied) {
    lab.ask(query(name));
    t.is(lab.asked.length, 0, name);
    const { message } = lab.takeTold();
    t.is(codeOf({ message }), 'NXDOMAIN', name);
    t.is(message.authorities?.[0]?.type, 'SOA', name);
  }
  for (const name of ['localhost', 'www.localhost', 'LOCALHOST']) {
    lab.ask(query(name));
    t.like(lab.takeTold().message.answers?.[0], { data: '127.0.0.1' });
    lab.ask(query(name, {}, 'AAAA'));
    t.like(lab.takeTold().message.answers?.[0], { data: '::1' });
    lab.ask(query(name, {}, 'MX'));
    t.is(lab.takeTold().message.answers?.length, 0);
  }
  const forwarded: [string, string][] = [
    ['localhost.example', 'A'],
    ['xtest.example', 'A'],
    ['8.8.8.8.in-addr.arpa', 'PTR'],
    ['x.33.172.in-addr.arpa', 'PTR'],
    ['1.0.0.2.ip6.arpa', 'PTR'],
    ['com', 'NS'],
    ['com', 'DS'],
    ['.', 'NS'],
  ];
  for (const [name, type] of forwarded) {
    lab.ask(query(name, {}, type));
    t.is(lab.asked.splice(0).length + lab.probes.splice(0).length, 1, name);
  }
});

test('names of a domain go to its own servers, the longest domain first, and may have private addresses', async t => {
  const lab = await DnsLab.create(
    'set dns forward corp.example 203.0.113.61',
    'set dns forward eu.corp.example 203.0.113.62 203.0.113.63',
    'set dns forward 10.in-addr.arpa 203.0.113.61',
    'set dns forward printers 203.0.113.61',
    'set dns host here.corp.example 192.168.0.9',
  );
  const to = (name: string, type = 'A'): string | undefined => {
    lab.ask(query(name, {}, type));
    return lab.asked.splice(0)[0]?.server;
  };
  t.is(to('www.example'), SERVER);
  t.is(to('a.CORP.example'), '203.0.113.61');
  t.is(to('notcorp.example'), SERVER);
  t.is(to('b.eu.corp.example'), '203.0.113.62');
  t.is(to('1.2.3.10.in-addr.arpa', 'PTR'), '203.0.113.61');
  t.is(to('hp.printers'), '203.0.113.61');
  lab.told.length = 0;
  t.is(to('here.corp.example'), undefined, 'known here');
  t.like(lab.takeTold().message.answers?.[0], { data: '192.168.0.9' });
  t.like(lab.exchange(query('in.corp.example'), [record('in.corp.example', '10.1.2.3')]).message, {
    rcode: 'NOERROR',
  });
  t.regex(
    lab.command('show dns'),
    /eu\.corp\.example:\s+1\. 203\.0\.113\.62 +up .*\s+2\. 203\.0\.113\.63 +up/,
  );
  t.regex(lab.command('show config'), /set dns forward eu\.corp\.example 203\.0\.113\.62 203\.0\.113\.63/);
  t.is(lab.command('unset dns forward eu.corp.example'), '');
  t.is(to('c.eu.corp.example'), '203.0.113.61');
  t.regex(lab.command('unset dns forward eu.corp.example'), /it is not set/);
  t.regex(lab.command('set dns forward a.example 192.168.0.1'), /it is an address of the router/);
  for (let i = 3; i < DNS_FORWARDS; i++) t.is(lab.command(`set dns forward f${i}.example 203.0.113.70`), '');
  t.regex(lab.command('set dns forward more.example 203.0.113.70'), /all 16 entries are in use/);
});

test('what was kept before an address became ours is not told from the cache', async t => {
  const lab = await DnsLab.create();
  const ask = query('evil.example.com');
  const told = (): string => codeOf(lab.exchange(ask, [record('evil.example.com', '198.51.100.77', 3600)]));
  t.is(told(), 'NOERROR');
  lab.ask(ask);
  t.is(codeOf(lab.takeTold()), 'NOERROR', 'from the cache');
  lab.command('set wan address 198.51.100.77/24');
  const { cached } = lab.counts();
  lab.ask(ask);
  t.is(lab.counts().cached, cached, 'it is asked for again');
});

test('private addresses of public names are refused, but for domains in the list', async t => {
  const lab = await DnsLab.create('set dns allow corp.example');
  const told = (name: string, data: string, type = 'A'): string =>
    codeOf(lab.exchange(query(name, {}, type), [record(name, data, 300, type)]));
  const addresses = [
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.1.1',
    '127.0.0.1',
    '0.0.0.1',
    OUTSIDE,
  ];
  for (const [i, address] of addresses.entries())
    t.is(told(`evil${i}.example.com`, address), 'NXDOMAIN', address);
  const six = ['::1', '::2', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::c0a8:1'];
  for (const [i, address] of six.entries())
    t.is(told(`evil${i}.example.com`, address, 'AAAA'), 'NXDOMAIN', address);
  for (const address of ['9.9.9.9', '172.32.0.1', '192.169.0.1', '100.64.0.1'])
    t.is(told(`${address}.good.example.com`, address), 'NOERROR', address);
  t.is(told('good.example.com', '2001:db8::1', 'AAAA'), 'NOERROR');
  t.is(told('intra.CORP.example', '10.1.2.3'), 'NOERROR');
  t.is(told('corp.example', '10.1.2.3'), 'NOERROR');
  t.is(told('notcorp.example', '10.1.2.3'), 'NXDOMAIN');
  const mixed = lab.exchange(ASK, [A, record('www.example.com', '192.168.0.1')]);
  t.is(codeOf(mixed), 'NXDOMAIN');
  t.is(mixed.message.answers?.length, 0);
  t.is(lab.counts().rebound, addresses.length + 8);
  t.regex(
    lab.command('show log'),
    /dns: evil0\.example\.com has a private address: refused, see set dns allow/,
  );
  lab.command('set dns rebind off');
  t.is(told('evil.example.com', '10.1.2.3'), 'NOERROR');
  lab.command('set dns rebind on');
  t.is(told('evil.example.com', '10.1.2.3'), 'NXDOMAIN', 'what was kept meanwhile is forgotten');
  lab.command('unset dns allow corp.example');
  t.is(told('intra.CORP.example', '10.1.2.3'), 'NXDOMAIN', 'here too');
});
