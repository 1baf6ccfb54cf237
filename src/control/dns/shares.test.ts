// What one station, or many made-up ones, can take of the queries under way and of those who wait: with the whole board in
// virtual time, from frames on. The tables alone: waiters.test.ts.

import test from 'ava';
import { answerTo, DnsLab, query, record } from '../../../test/dns-lab.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { STATION_SETTLE_TICKS } from '../../base/station-limits.ts';
import { DNS_FLIGHTS, DNS_WAIT_TICKS } from '../core/limits.ts';

const GOOD = '192.168.0.20';
const GOOD_MAC = '02:00:00:00:01:20';
const BAD_MAC = '02:00:00:00:01:77';
const hex = (n: number) => n.toString(16).padStart(2, '0');
const madeUp = (n: number) => `02:66:00:00:${hex(n >> 8)}:${hex(n & 255)}`;
const host = (n: number) => `192.168.0.${30 + (n % 200)}`;

/** Two stations that were there before. */
async function lab(): Promise<DnsLab> {
  const made = await DnsLab.create();
  made.introduce(GOOD, GOOD_MAC);
  made.introduce('192.168.0.77', BAD_MAC);
  made.wait(STATION_SETTLE_TICKS + 10 * TICKS_PER_SECOND);
  made.asked.length = 0;
  return made;
}

/** The good host's question, asked first and answered last; what it heard. */
function beside(made: DnsLab, flood: () => void): number[] {
  made.ask(query('www.example.com', { id: 7 }), GOOD, 4000, GOOD_MAC);
  const asked = made.takeAsked();
  flood();
  made.reply(asked, answerTo(asked, [record('www.example.com', '192.0.2.1')]));
  return made.told.filter(({ host: to }) => to === GOOD).map(({ message }) => message.answers?.length ?? 0);
}

test('queries of one station from as many addresses as there are flights leave a good host its answer', async t => {
  for (const known of [false, true]) {
    const made = await lab();
    const heard = beside(made, () => {
      for (let i = 0; i < 2 * DNS_FLIGHTS; i++) {
        if (known) made.introduce(host(i), BAD_MAC);
        made.ask(query(`${i}.attack.example`, { id: i }), host(i), 4000, BAD_MAC);
      }
    });
    t.deepEqual(heard, [1], `${known}`);
  }
});

test('made-up stations with a query each, known or not, end each other’s, and not that of a good host', async t => {
  for (const known of [false, true]) {
    const made = await lab();
    const heard = beside(made, () => {
      for (let i = 0; i < 3 * DNS_FLIGHTS; i++) {
        if (known) made.introduce(host(i), madeUp(i));
        made.ask(query(`${i}.attack.example`, { id: i }), host(i), 4000, madeUp(i));
      }
    });
    t.deepEqual(heard, [1], `${known}`);
  }
});

test('a query that a made-up station began is left to the good host that waits for it as well', async t => {
  const made = await lab();
  made.ask(query('www.example.com', { id: 1 }), host(0), 4000, madeUp(0));
  const asked = made.takeAsked();
  made.ask(query('www.example.com', { id: 7 }), GOOD, 4000, GOOD_MAC);
  for (let i = 1; i < 3 * DNS_FLIGHTS; i++)
    made.ask(query(`${i}.attack.example`, { id: i }), host(i), 4000, madeUp(i));
  made.reply(asked, answerTo(asked, [record('www.example.com', '192.0.2.1')]));
  const heard = made.told.filter(({ host: to }) => to === GOOD);
  t.deepEqual(
    heard.map(({ message }) => message.answers?.length),
    [1],
  );
});

test('newcomers are clients each: one that asks for much leaves the others theirs', async t => {
  const made = await DnsLab.create();
  for (const [at, mac] of [
    [GOOD, GOOD_MAC],
    ['192.168.0.77', BAD_MAC],
  ] as const)
    made.introduce(at, mac);
  made.asked.length = 0;
  const heard = beside(made, () => {
    for (let i = 0; i < 2 * DNS_FLIGHTS; i++)
      made.ask(query(`${i}.attack.example`, { id: i }), '192.168.0.77', 4000, BAD_MAC);
  });
  t.deepEqual(heard, [1]);
});

test('a page of a good host’s names is resolved while made-up stations ask', async t => {
  const made = await lab();
  for (let i = 0; i < DNS_FLIGHTS; i++)
    made.ask(query(`${i}.attack.example`, { id: i }), host(i), 4000, madeUp(i));
  made.asked.length = 0;
  const page = DNS_FLIGHTS / 2;
  for (let i = 0; i < page; i++) {
    made.ask(query(`${i}.good.example`, { id: i }), GOOD, 4000, GOOD_MAC);
    made.ask(query(`more${i}.attack.example`, { id: i }), host(i), 4000, madeUp(i));
  }
  for (const asked of made.asked.splice(0)) {
    const name = asked.message.questions?.[0]?.name.toLowerCase() ?? '';
    if (name.endsWith('good.example')) made.reply(asked, answerTo(asked, [record(name, '192.0.2.1')]));
  }
  const heard = made.told.filter(({ host: to, message }) => to === GOOD && message.answers?.length === 1);
  t.is(heard.length, page);
});

test('an office of 150 hosts with two names each of their own is answered, none with SERVFAIL', async t => {
  const made = await DnsLab.create();
  const office = Array.from({ length: 150 }, (_, n) => ({ at: `192.168.0.${60 + n}`, mac: madeUp(500 + n) }));
  for (const { at, mac } of office) made.introduce(at, mac);
  made.wait(STATION_SETTLE_TICKS + 10 * TICKS_PER_SECOND);
  made.asked.length = 0;
  for (let n = 0; n < 2; n++)
    for (const [i, { at, mac }] of office.entries())
      made.ask(query(`name${n}.host${i}.example`, { id: 2 * i + n }), at, 4000, mac);
  const names = made.asked.map(({ message }) => message.questions?.[0]?.name.toLowerCase());
  t.is(new Set(names).size, DNS_FLIGHTS, 'so many are under way');
  // The server takes its time: 50 ms each.
  for (let round = 0; round < 40 && made.told.length < 300; round++) {
    // What was asked again meanwhile is answered once.
    const asked = new Map(made.asked.splice(0).map(each => [each.port, each]));
    made.wait(5);
    for (const each of asked.values()) made.reply(each, answerTo(each, []));
  }
  t.is(made.told.length, 300);
  t.true(made.told.every(({ data }) => ((data[3] ?? 0) & 15) === 0));
  t.is(new Set(made.told.map(({ host: to, message }) => `${to} ${message.id}`)).size, 300);
  t.is(made.counts().refused, 0);
  t.is(made.counts().waited, 300 - DNS_FLIGHTS);
});

test('what waits for a place has its turn though the server is silent, and SERVFAIL then', async t => {
  const made = await DnsLab.create();
  const office = Array.from({ length: DNS_FLIGHTS + 20 }, (_, n) => ({
    at: `192.168.0.${60 + n}`,
    mac: madeUp(500 + n),
  }));
  for (const { at, mac } of office) made.introduce(at, mac);
  made.wait(STATION_SETTLE_TICKS + 10 * TICKS_PER_SECOND);
  for (const [i, { at, mac }] of office.entries())
    made.ask(query(`host${i}.example`, { id: i }), at, 4000, mac);
  made.wait(2 * DNS_WAIT_TICKS + TICKS_PER_SECOND);
  t.is(made.told.length, office.length);
  t.true(made.told.every(({ data }) => ((data[3] ?? 0) & 15) === 2));
});

test('four hosts whose 64 names are never answered leave another its place', async t => {
  const made = await DnsLab.create();
  made.introduce(GOOD, GOOD_MAC);
  for (let n = 0; n < 4; n++) made.introduce(host(n), madeUp(n));
  made.wait(STATION_SETTLE_TICKS + 10 * TICKS_PER_SECOND);
  for (let i = 0; i < DNS_FLIGHTS; i++)
    made.ask(query(`${i}.silent.example`, { id: i }), host(i % 4), 4000, madeUp(i % 4));
  made.asked.length = 0;
  // At once it waits; when their first tries are over it is asked for.
  made.ask(query('www.example.com', { id: 7 }), GOOD, 4000, GOOD_MAC);
  made.wait(2 * TICKS_PER_SECOND);
  const mine = made.asked.find(({ message }) => /^www\./i.test(message.questions?.[0]?.name ?? ''));
  t.truthy(mine);
  made.reply(mine!, answerTo(mine!, [record('www.example.com', '192.0.2.1')]));
  const heard = made.told.filter(({ host: to }) => to === GOOD);
  t.deepEqual(
    heard.map(({ message }) => message.answers?.length),
    [1],
  );
});
