import test from 'ava';
import { query } from '../../../test/dns-lab.ts';
import { DNS_QUEUED, DNS_QUEUED_BYTES } from '../core/limits.ts';
import { Queue } from './queue.ts';

const asker = (client: number, port = 4000) => ({
  address: client,
  port,
  index: 0,
  client,
  reply: undefined,
});
const NAME = query('www.example.com', { id: 5 });

test('take() gives each source its turn, and the queries of one in their order', t => {
  const queue = new Queue();
  for (let i = 0; i < 6; i++) queue.add(NAME, asker(1, i), i);
  queue.add(NAME, asker(2, 10), 10);
  queue.add(NAME, asker(3, 11), 11);
  const ports = Array.from({ length: 8 }, () => queue.take()?.asker.port);
  t.deepEqual(ports, [0, 10, 11, 1, 2, 3, 4, 5]);
  t.is(queue.take(), undefined);
  t.is(queue.count, 0);
});

test('has() knows who repeats himself', t => {
  const queue = new Queue();
  queue.add(NAME, asker(1), 0);
  t.true(queue.has(asker(1), 5));
  t.false(queue.has(asker(1), 6));
  t.false(queue.has(asker(1, 4001), 5));
  t.false(queue.has(asker(2), 5));
  // What its station counts as has changed meanwhile.
  t.true(queue.has({ ...asker(1), client: 77 }, 5));
  queue.take();
  t.false(queue.has(asker(1), 5));
});

test('takeVictim() takes the oldest of who has most, by number and by bytes', t => {
  const queue = new Queue();
  for (let i = 0; i < DNS_QUEUED; i++) queue.add(NAME, asker(i < 10 ? 7 : 100 + i, i), i);
  t.false(queue.hasRoom(1));
  for (let i = 0; i < 9; i++) t.is(queue.takeVictim(9)?.asker.port, i);
  t.true(queue.hasRoom(1));
  t.is(queue.takeVictim(9)?.asker.port, 9, 'each has one: the oldest');
  t.is(queue.takeVictim(150)?.asker.port, 50, 'who has as much as any loses his own');
  const large = new Queue();
  const long = new Uint8Array(4096);
  for (let i = 0; i < DNS_QUEUED_BYTES / long.length; i++) large.add(long, asker(i), i);
  t.false(large.hasRoom(1));
  large.takeVictim(99);
  t.true(large.hasRoom(long.length));
});

test('takeLate() takes those that have waited too long, the oldest first, also when the ticks wrap', t => {
  const queue = new Queue();
  const start = 0x7ffffff0;
  for (let i = 0; i < 5; i++) queue.add(NAME, asker(i, i), (start + 10 * i) | 0);
  const now = (start + 100) | 0;
  t.is(queue.takeLate(now, 80)?.asker.port, 0);
  t.is(queue.takeLate(now, 80)?.asker.port, 1);
  t.is(queue.takeLate(now, 80)?.asker.port, 2);
  t.is(queue.takeLate(now, 80), undefined);
  t.is(queue.count, 2);
});
