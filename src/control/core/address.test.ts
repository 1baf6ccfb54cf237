import test from 'ava';
import {
  formatAddress,
  formatMac,
  lengthOf,
  maskOf,
  overlap,
  parseAddress,
  parsePrefix,
  parseServer,
  refuseHost,
} from './address.ts';

test('parseAddress() and formatAddress() are each other’s inverse at the edges', t => {
  for (const text of ['0.0.0.0', '255.255.255.255', '192.168.0.1', '127.255.0.128', '1.2.3.4']) {
    const address = parseAddress(text);
    t.is(typeof address, 'number');
    t.is(formatAddress(address as number), text);
  }
  t.is(parseAddress('255.255.255.255'), -1);
  t.is(parseAddress('192.168.0.1'), 0xc0a80001 | 0);
});

test('parseAddress() names the part that is wrong', t => {
  t.is(parseAddress('192.168.0.300'), '300 is not 0 to 255');
  t.is(parseAddress('1.2.3.1000'), '1000 is not 0 to 255');
  t.is(parseAddress('1.2.3'), 'an address is four numbers with dots');
  t.is(parseAddress('1.2.3.4.5'), 'an address is four numbers with dots');
  t.is(parseAddress('1.2..4'), 'an empty part is not a number');
  t.is(parseAddress('1.2.-3.4'), '-3 is not a number');
  t.is(parseAddress('1.2.0x3.4'), '0x3 is not a number');
  t.is(parseAddress('010.0.0.1'), '010 starts with a zero');
});

test('parsePrefix() takes lengths 0 to 32', t => {
  t.deepEqual(parsePrefix('10.1.2.3/0'), { address: 0x0a010203, length: 0 });
  t.deepEqual(parsePrefix('10.1.2.3/32'), { address: 0x0a010203, length: 32 });
  t.is(parsePrefix('10.1.2.3/33'), 'prefix length 33 is not 0 to 32');
  t.is(parsePrefix('10.1.2.3'), 'the prefix length is missing, as in 192.168.0.1/24');
  t.is(parsePrefix('10.1.2.3/'), 'an empty prefix length is not a number');
  t.is(parsePrefix('192.168.0.300/24'), '300 is not 0 to 255');
});

test('maskOf() and lengthOf() agree for every length', t => {
  for (let length = 0; length <= 32; length++) t.is(lengthOf(maskOf(length)), length);
  t.is(maskOf(24), 0xffffff00 | 0);
  t.is(maskOf(0), 0);
});

test('refuseHost() refuses what no interface can have', t => {
  const of = (text: string) => refuseHost(parsePrefix(text) as { address: number; length: number });
  t.is(of('192.168.0.1/24'), undefined);
  t.is(of('10.0.0.0/31'), undefined);
  t.is(of('192.168.0.0/24'), "it is the network's own number");
  t.is(of('192.168.0.255/24'), "it is the network's broadcast address");
  t.is(of('224.0.0.1/24'), 'it is a multicast address');
  t.is(of('127.0.0.1/8'), 'addresses in 127.0.0.0/8 stay inside a host');
  t.is(of('192.168.0.1/32'), 'prefix length 32 is not 8 to 31');
  t.is(of('192.168.0.1/7'), 'prefix length 7 is not 8 to 31');
});

test('overlap() looks at the shorter prefix', t => {
  const of = (text: string) => parsePrefix(text) as { address: number; length: number };
  t.true(overlap(of('192.168.0.1/24'), of('192.168.255.1/16')));
  t.false(overlap(of('192.168.0.1/24'), of('192.168.1.1/24')));
});

test('formatMac() pads each byte', t => {
  t.is(formatMac([0, 1, 2, 0xab, 0xcd, 0xef]), '00:01:02:ab:cd:ef');
});

test('parseServer() takes addresses and names, and says at once what is neither, however long', t => {
  t.is(parseServer('192.0.2.1'), 0xc0000201 | 0);
  for (const text of ['time.example', 'a', '_ntp.example.', 'x'.repeat(63), `${'a.'.repeat(126)}a`])
    t.is(parseServer(text), 0, text);
  for (const text of [
    '',
    '.',
    'a..b',
    '-a',
    'a b',
    'x'.repeat(64),
    'a.'.repeat(127),
    `${'a'.repeat(200)}!`,
    `${'a_'.repeat(60)}!`,
  ])
    t.is(typeof parseServer(text), 'string', text);
});
