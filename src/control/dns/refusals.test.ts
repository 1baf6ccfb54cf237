// What the forwarder refuses to ask or to tell: private addresses of public names, whole zones.
// Not here: all else that it does (forwarder.test.ts).

import test from 'ava';
import type dns from 'dns-packet';
import { DnsLab, OUTSIDE, query, record } from '../../../test/dns-lab.ts';

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
    '0.0.0.0',
    OUTSIDE,
  ];
  for (const address of addresses) t.is(told('evil.example.com', address), 'NXDOMAIN', address);
  for (const address of ['::1', '::', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::c0a8:1'])
    t.is(told('evil.example.com', address, 'AAAA'), 'NXDOMAIN', address);
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
    /dns: evil\.example\.com has a private address: refused, see set dns allow/,
  );
  lab.command('set dns rebind off');
  t.is(told('evil.example.com', '10.1.2.3'), 'NOERROR');
  lab.command('set dns rebind on');
  t.is(told('evil.example.com', '10.1.2.3'), 'NXDOMAIN', 'what was kept meanwhile is forgotten');
  lab.command('unset dns allow corp.example');
  t.is(told('intra.CORP.example', '10.1.2.3'), 'NXDOMAIN', 'here too');
});
