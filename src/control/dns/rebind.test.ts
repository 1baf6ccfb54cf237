import test from 'ava';
import { hintsLeft, isPrivate } from './rebind.ts';

const OWN = [203, 0, 113, 2];
const OWN_WORD = 0xcb007102 | 0;

/** The 16 bytes of an address, written with eight groups at most and one `::`. */
function ipv6(text: string): Uint8Array {
  const [before = '', after] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16));
  const head = groups(before);
  const tail = after === undefined ? [] : groups(after);
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap(group => [group >> 8, group & 255]));
}

const hex = (bytes: number[]): string =>
  `${(((bytes[0] as number) << 8) | (bytes[1] as number)).toString(16)}:${(((bytes[2] as number) << 8) | (bytes[3] as number)).toString(16)}`;

/** What translators and tunnels make of an IPv4 address. */
const FORMS: [string, (bytes: number[]) => string][] = [
  ['compatible', bytes => `::${hex(bytes)}`],
  ['mapped', bytes => `::ffff:${hex(bytes)}`],
  ['translated', bytes => `::ffff:0:${hex(bytes)}`],
  ['NAT64', bytes => `64:ff9b::${hex(bytes)}`],
  ['6to4', bytes => `2002:${hex(bytes)}::1`],
  ['Teredo', bytes => `2001:0:cb00:7101:0:0:${hex(bytes.map(byte => byte ^ 255))}`],
];

test('isPrivate() knows private IPv4 addresses and our own, in every form of IPv6', t => {
  const inside = [
    [10, 1, 2, 3],
    [172, 16, 0, 1],
    [172, 31, 255, 255],
    [192, 168, 0, 1],
    [169, 254, 1, 1],
    [127, 0, 0, 1],
    OWN,
  ];
  const outside = [
    [9, 9, 9, 9],
    [172, 15, 0, 1],
    [172, 32, 0, 1],
    [192, 169, 0, 1],
    [100, 64, 0, 1],
    [203, 0, 113, 3],
    [255, 1, 1, 1],
  ];
  for (const [bytes, expected] of [
    ...inside.map(b => [b, true] as const),
    ...outside.map(b => [b, false] as const),
  ]) {
    t.is(isPrivate(Uint8Array.from([1, ...bytes]), 1, 4, OWN_WORD), expected, `${bytes}`);
    for (const [form, write] of FORMS)
      t.is(isPrivate(ipv6(write([...bytes])), 0, 16, OWN_WORD), expected, `${form} ${bytes}`);
  }
});

test('isPrivate() knows the private networks of IPv6', t => {
  for (const text of [
    '::',
    '::1',
    'fc00::1',
    'fdff:1::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    '64:ff9b:1::909:909',
  ])
    t.true(isPrivate(ipv6(text), 0, 16, OWN_WORD), text);
  for (const text of [
    '2001:db8::1',
    '2001:4860::8888',
    'ff02::1',
    'fbff::1',
    'fe00::1',
    '64:ff9b:2::a01:203',
    '64:ff9b::1:0:a01:203',
  ])
    t.false(isPrivate(ipv6(text), 0, 16, OWN_WORD), text);
  t.false(isPrivate(new Uint8Array(16), 0, 5, OWN_WORD), 'no length of an address');
});

test('hintsLeft() looks through so many parameters and addresses, and no more', t => {
  const list = (count: number, last = 9): Uint8Array =>
    Uint8Array.from([
      0,
      4,
      (4 * count) >> 8,
      (4 * count) & 255,
      ...new Array<number>(4 * count - 1).fill(9),
      last,
    ]);
  const left = (data: Uint8Array, most: number): number => hintsLeft(data, 0, data.length, OWN_WORD, most);
  t.is(left(list(10), 100), 89);
  t.is(left(list(10), 11), 0);
  t.true(left(list(10), 10) < 0);
  t.true(left(Uint8Array.from([0, 4, 0, 4, 10, 0, 0, 1]), 100) < 0);
  t.true(left(new Uint8Array(4 * 400), 399) < 0, 'of empty parameters');
  t.is(left(Uint8Array.from([0, 4, 0, 40, 10, 0, 0, 1]), 100), 100, 'cut: none');
});
