// Weeks of the WAN's lease on the sim board, from wake to wake. What is asked: is there always an address when there can
// be one, and is control's heap as large as it was? A year, of the LAN's leases too: dhcp-year.test.ts.

import test from 'ava';
import { seeded } from '../tools/harness/random.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import { longRun } from './long-lab.ts';
import { ADDRESS, NAK, obliging, type Server } from './wan-lab.ts';

const DAY = 24 * 3600;
const LEASE_SECONDS = 1200;

test('two weeks of twenty-minute leases: losses, NAKs, days without a server; the heap stays as it is', async t => {
  t.timeout(TEST_MILLISECONDS);
  const random = seeded(7);
  let messages = 0;
  let day = 0;
  const server: Server = message => {
    messages++;
    if (day % 7 === 6 || random.chance(0.1)) return undefined;
    if (day % 5 === 4 && message.ciaddr !== '0.0.0.0' && random.chance(0.1)) return { type: NAK };
    const answers = obliging(ADDRESS, LEASE_SECONDS)(message);
    return random.chance(0.1) && answers !== undefined ? [answers, answers].flat() : answers;
  };
  const { run, hasAddress, heapFree } = await longRun(server);
  run(10);
  t.true(hasAddress());
  const without: number[] = [];
  let first = 0;
  for (day = 0; day < 14; day++) {
    run(DAY);
    if (!hasAddress()) without.push(day);
    if (day === 1) first = heapFree();
  }
  t.deepEqual(without, [6, 13]);
  t.true(messages > 1500, `${messages} messages`);
  t.true(heapFree() >= first - 64, `${first} KiB were free after two days, ${heapFree()} after two weeks`);
  t.log(`${messages} messages, ${heapFree()} KiB of heap free`);
});

test('a server that refuses every request for three days: no storm, no growth, and an address when it relents', async t => {
  t.timeout(TEST_MILLISECONDS);
  let messages = 0;
  let relents = false;
  const server: Server = message => {
    messages++;
    return relents || message.type === 1 ? obliging()(message) : { type: NAK };
  };
  const { run, hasAddress, heapFree, command } = await longRun(server);
  run(DAY);
  const before = heapFree();
  messages = 0;
  run(2 * DAY);
  t.true(messages < (2 * DAY) / 30, `${messages} messages`);
  t.true(heapFree() >= before - 64);
  relents = true;
  run(70);
  t.true(hasAddress());
  t.regex(command('show log'), /\(NAK\)/);
});

test('control that dies finds its lease, asks whether it is good, and goes on', async t => {
  t.timeout(TEST_MILLISECONDS);
  const seen: string[] = [];
  const server: Server = message => {
    seen.push(`${message.name} ${message.ciaddr} ${message.options.has(50)} ${message.options.has(54)}`);
    return obliging()(message);
  };
  const { board, run, hasAddress, command } = await longRun(server);
  run(10);
  t.true(hasAddress());
  seen.length = 0;
  board.engine.evaluate('Math.max = () => { throw new Error("test") }; 0');
  t.regex(command('help'), /Control was restarted/);
  run(5);
  t.deepEqual(seen, ['REQUEST 0.0.0.0 true false']);
  t.true(hasAddress());
});
