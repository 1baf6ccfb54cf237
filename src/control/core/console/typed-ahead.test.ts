import test from 'ava';
import { TYPED_AHEAD_LIMIT, TypedAhead } from './typed-ahead.ts';

/** Takes what comes as the console does: as much as there is room for. */
function come(ahead: TypedAhead, text: string): number {
  if (!ahead.makeRoom()) return 0;
  const count = Math.min(text.length, ahead.bytes.length - ahead.to);
  for (let i = 0; i < count; i++) ahead.bytes[ahead.to++] = text.charCodeAt(i);
  return count;
}

test('a paste that comes faster than its lines are taken fits as far as the limit, though each leaves little room', t => {
  const line = `${'x'.repeat(89)}\r`;
  const text = line.repeat(Math.floor(TYPED_AHEAD_LIMIT / line.length) - 1);
  const ahead = new TypedAhead();
  let [arrived, taken, most] = [0, 0, 0];
  // Four lines come while one is taken; what finds no room waits in a ring of 4 KB.
  for (let due = 0; arrived < text.length; ) {
    due = Math.min(due + 4 * line.length, text.length);
    arrived += come(ahead, text.slice(arrived, due));
    most = Math.max(most, due - arrived);
    if (ahead.line(ahead.to - ahead.from, 999) !== undefined) taken++;
  }
  t.true(most < 4096, `${most} bytes waited`);
  while (ahead.line(ahead.to - ahead.from, 999) !== undefined) taken++;
  t.is(taken * line.length, text.length);
  ahead.taken();
  t.is(ahead.bytes.length, 1024);
});

test('what is there outlives every growth and move, and at the limit nothing more is taken', t => {
  const ahead = new TypedAhead();
  let next = 0;
  let expected = 0;
  const digit = (i: number): string => String.fromCharCode(48 + (i % 10));
  for (let i = 0; i < 3000; i++) {
    let text = '';
    for (let n = (i * 7) % 150; n > 0; n--) text += digit(next + text.length);
    next += come(ahead, text);
    for (let n = (i * 5) % 97; n > 0 && ahead.from < ahead.to; n--)
      if (String.fromCharCode(ahead.bytes[ahead.from++] as number) !== digit(expected++))
        t.fail(`at ${expected}`);
  }
  t.is(ahead.to - ahead.from, next - expected);
  while (come(ahead, 'y'.repeat(1000)) > 0);
  t.is(ahead.to - ahead.from, TYPED_AHEAD_LIMIT);
  t.false(ahead.makeRoom());
});
