// Names that are set: found whatever they are, at a label's beginning alone, the longest domain first.

import test from 'ava';
import { nameBytes } from './message.ts';
import { isBelow, Names, textOf } from './names.ts';

function text(name: string): string {
  const wire = nameBytes(name) as Uint8Array;
  return textOf(wire, 0, wire.length);
}

test('textOf() takes letters in either case alike, and nothing else', t => {
  t.is(textOf(Uint8Array.of(1, 65, 2, 0x5b, 0xff, 0), 0, 6), '\x01a\x02\x5b\xff\0');
  const all = Uint8Array.from({ length: 255 }, (_, i) => i);
  t.is(textOf(all, 0, 255).length, 255);
  t.is(textOf(all, 1, 3), '\x01\x02');
});

test('isBelow() is of the domain itself and of what has it behind a label', t => {
  t.true(isBelow(text('home.arpa'), text('home.arpa')));
  t.true(isBelow(text('a.b.home.arpa'), text('home.arpa')));
  t.false(isBelow(text('arpa'), text('home.arpa')));
  t.false(isBelow(text('nohome.arpa'), text('home.arpa')));
  // A label that ends with the bytes of a domain.
  t.false(isBelow('\x0bx\x04home\x04arpa\0', text('home.arpa')));
  t.false(isBelow('\x07x\x05local\0', '\x05local\0'));
});

test('Names finds a name, and the longest domain that it lies below', t => {
  const names = new Names<number>();
  t.is(names.above(text('www.example')), undefined);
  for (const [i, name] of ['example', 'a.example', 'example.org', 'c.a.example'].entries())
    names.set(text(name), i);
  t.is(names.get(text('a.example')), 1);
  t.is(names.get(text('b.example')), undefined);
  t.is(names.above(text('example')), 0);
  t.is(names.above(text('x.b.example')), 0);
  t.is(names.above(text('x.b.a.example')), 1);
  t.is(names.above(text('b.c.a.example')), 3);
  t.is(names.above(text('ba.example')), 0);
  t.is(names.above(text('org')), undefined);
  // The same bytes across labels.
  t.is(names.above('\x08x\x07example\0'), undefined);
  names.set(text('example'), 4);
  t.deepEqual(names.values(), [1, 2, 3, 4]);
  t.true(names.delete(text('a.example')));
  t.false(names.delete(text('a.example')));
  t.is(names.above(text('x.a.example')), 4);
  t.is(names.size, 3);
});

test('Names finds each of as many names as there can be, of all lengths', t => {
  const names = new Names<number>();
  const name = (labels: number): string => Array.from({ length: labels }, () => 'a').join('.');
  for (let i = 1; i <= 126; i++) names.set(text(name(i)), i);
  for (let i = 1; i <= 126; i++) t.is(names.above(text(`b.${name(i)}`)), i);
});
