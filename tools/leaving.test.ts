import test from 'ava';
import { createLeaving } from './leaving.ts';

const keys = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('createLeaving() leaves at Ctrl-], and at a second Ctrl-C within a second', t => {
  let now = 0;
  const isLeaving = createLeaving(() => now);
  t.false(isLeaving(keys('show')));
  t.false(isLeaving(keys('\x03')));
  now += 1000;
  t.false(isLeaving(keys('\x03')), 'too late to be the second');
  now += 999;
  t.true(isLeaving(keys('x\x03')));
  t.true(isLeaving(keys('ping\x1d')));
  t.true(createLeaving(() => now)(keys('\x03\x03')), 'both at once');
});
