import test from 'ava';
import packet from 'dns-packet';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { recordRows, reverseOf, typeName, typeNumber } from './records.ts';

/** The rows, or undefined if the message is malformed. */
function rowsOf(data: Uint8Array): string[] | undefined {
  const rows: string[] = [];
  const each = recordRows(data);
  for (let row = each.next(); ; row = each.next()) {
    if (row.done === true) return row.value < 0 ? undefined : rows;
    rows.push(row.value);
  }
}

function message(answers: object[]): Uint8Array {
  const questions = [{ name: 'www.example.com', type: 'A' }];
  return Uint8Array.from(
    packet.encode({ type: 'response', id: 1, questions, answers } as unknown as packet.Packet),
  );
}

/** A record of any type with these bytes, as RFC 3597 has it. */
function raw(type: number, bytes: number[]): Uint8Array {
  const head = [...message([]), 0xc0, 12, type >> 8, type & 255, 0, 1, 0, 0, 0, 60];
  head[7] = 1;
  return Uint8Array.from([...head, bytes.length >> 8, bytes.length & 255, ...bytes]);
}

test('recordRows() writes each type as RFC 1035 and its followers do', t => {
  const name = 'www.example.com';
  const rows = rowsOf(
    message([
      { name, type: 'CNAME', ttl: 60, data: 'web.example.net' },
      { name, type: 'A', ttl: 300, data: '192.0.2.1' },
      { name, type: 'AAAA', ttl: 2 ** 31 - 1, data: '2001:db8::1' },
      { name, type: 'MX', ttl: 1, data: { preference: 10, exchange: 'mail.example.com' } },
      { name, type: 'SRV', ttl: 1, data: { priority: 1, weight: 2, port: 5060, target: 'sip.example.com' } },
      { name, type: 'TXT', ttl: 1, data: ['v=spf1 "-all"', 'two'] },
      { name, type: 'CAA', ttl: 1, data: { flags: 0, tag: 'issue', value: 'ca.example' } },
      {
        ...{ name, type: 'SOA', ttl: 1 },
        data: {
          mname: 'a.example',
          rname: 'b.example',
          serial: 4e9,
          refresh: 1,
          retry: 2,
          expire: 3,
          minimum: 4,
        },
      },
    ]),
  );
  t.deepEqual(rows, [
    `${name}  CNAME  web.example.net  (60 s)`,
    `${name}  A  192.0.2.1  (300 s)`,
    `${name}  AAAA  2001:db8::1  (2147483647 s)`,
    `${name}  MX  10 mail.example.com  (1 s)`,
    `${name}  SRV  1 2 5060 sip.example.com  (1 s)`,
    `${name}  TXT  "v=spf1 \\034-all\\034" "two"  (1 s)`,
    `${name}  CAA  0 issue "ca.example"  (1 s)`,
    `${name}  SOA  a.example b.example 4000000000 1 2 3 4  (1 s)`,
  ]);
  const service = [
    0, 1, 0, 0, 1, 0, 6, 2, 104, 50, 2, 104, 51, 0, 3, 0, 2, 32, 251, 0, 4, 0, 4, 192, 0, 2, 7,
  ];
  t.deepEqual(rowsOf(raw(65, [...service, 0, 5, 0, 3, 1, 2, 3])), [
    `${name}  HTTPS  1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.7 ech=3 bytes  (60 s)`,
  ]);
  t.deepEqual(rowsOf(raw(999, [1, 0xab])), [`${name}  TYPE999  \\# 2 01ab  (60 s)`]);
  t.deepEqual(rowsOf(raw(1, [1])), [`${name}  A  \\# 1 01  (60 s)`], 'not what its type should be');
});

test('recordRows() shows no character that a terminal acts on, and ends with any message', t => {
  const example = raw(65, [0, 1, 0, 0, 1, 0, 3, 2, 27, 7]);
  t.is(rowsOf(raw(5, [0xc0, 45]))?.[0], 'www.example.com  CNAME  \\# 2 c02d  (60 s)', 'it leads to itself');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 400 }), bytes => {
      const rows = rowsOf(bytes) ?? [];
      return rows.every(row => /^[ -~]*$/.test(row));
    }),
    { seed: runSeed(), numRuns: 3000 },
  );
  for (let length = 12; length <= example.length; length++) {
    const rows = rowsOf(example.slice(0, length));
    t.is(rows?.length, length === example.length ? 1 : undefined, String(length));
  }
  t.regex(rowsOf(example)?.[0] ?? '', /alpn=\\027\\007/);
});

test('recordRows() follows a bounded chain of pointers, whatever the message has room for', t => {
  // 5,000 pointers, each to the one before, in a record of unknown content, and records whose owner is the last.
  const chain: number[] = [];
  const first = message([]).length + 12;
  for (let i = 0; i < 5000; i++) {
    const to = i === 0 ? 12 : first + 2 * (i - 1);
    chain.push(0xc0 | (to >> 8), to & 255);
  }
  const last = first + 2 * 4999;
  const bytes = [...raw(999, chain)];
  for (let i = 0; i < 400; i++) bytes.push(0xc0 | (last >> 8), last & 255, 3, 231, 0, 1, 0, 0, 0, 0, 0, 0);
  bytes.splice(6, 2, 1, 145);
  let reads = 0;
  const data = new Proxy(Uint8Array.from(bytes), {
    get: (target, key) => {
      reads++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  t.is(rowsOf(data), undefined);
  t.true(reads < 2000, `${reads}`);
});

test('reverseOf() takes addresses of both kinds, and typeNumber() names and numbers', t => {
  t.is(reverseOf('192.168.0.20'), '20.0.168.192.in-addr.arpa');
  t.is(reverseOf('2001:db8::a'), `a.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`);
  t.is(reverseOf('::')?.length, 72);
  for (const text of ['www.example.com', '1.2.3', '1::2::3', '1:2:3:4:5:6:7:8:9', ':1', '12345::', 'a:b'])
    t.is(reverseOf(text), undefined, text);
  t.is(typeNumber('aaaa'), 28);
  t.is(typeNumber('Type65'), 65);
  for (const text of ['x', 'TYPE0', 'TYPE65536', 'constructor', '']) t.is(typeNumber(text), undefined, text);
  t.is(typeName(65), 'HTTPS');
  t.is(typeName(65535), 'TYPE65535');
});
