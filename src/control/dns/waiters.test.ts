import test from 'ava';
import { query } from '../../../test/dns-lab.ts';
import { DNS_CLIENT_FLIGHTS, DNS_FLIGHTS, DNS_WAITERS } from '../core/limits.ts';
import { Flight } from './flight.ts';
import { Flights } from './flights.ts';
import { Query } from './message.ts';
import { Waiters } from './waiters.ts';

const NAME = query('www.example.com');

function flights(waiters: Waiters): Flights {
  return new Flights(
    waiters,
    number =>
      new Flight(
        number,
        () => {},
        () => {},
      ),
  );
}

function begin(table: Flights, client: number): Flight {
  const flight = table.take(client);
  const asked = new Query();
  asked.nameEnd = NAME.length - 4;
  flight.begin(NAME, asked, client);
  return flight;
}

const asker = (address: number, port = 4000, client = address) => ({
  ...{ address, port, client },
  ...{ index: 0, reply: undefined },
});

/** Addresses of those who wait, in their order. */
function row(waiters: Waiters, flight: Flight): number[] {
  const found: number[] = [];
  for (let waiter = flight.firstWaiter; waiter >= 0; waiter = waiters.next(waiter))
    found.push(waiters.address(waiter));
  return found;
}

test('waiters are given back what they asked: client, port, identifier, size, and spelling of the name', t => {
  const waiters = new Waiters();
  const flight = begin(flights(waiters), 1);
  const spelt = query('wWw.exAMple.cOm');
  waiters.add(flight, NAME, asker(-1062731766, 65535), 0xffff, 512);
  waiters.add(flight, spelt, asker(2, 1), 7, 0xffff);
  const [first, second] = [flight.firstWaiter, waiters.next(flight.firstWaiter)];
  t.is(waiters.address(first), -1062731766);
  t.is(waiters.port(first), 65535);
  t.is(waiters.id(first), 0xffff);
  t.is(waiters.size(second), 0xffff);
  const message = new Uint8Array(NAME.length);
  for (const [waiter, text] of [
    [first, 'www.example.com'],
    [second, 'wWw.exAMple.cOm'],
  ] as const) {
    waiters.spell(waiter, flight.asked, message);
    t.deepEqual(message.slice(12, -4), query(text).slice(12, -4));
  }
  t.true(waiters.has(flight, asker(2, 1), 7));
  t.false(waiters.has(flight, asker(2, 1), 8));
  t.false(waiters.has(flight, asker(3, 1), 7));
});

test('a full table of waiters loses the oldest of the client that has most, and as many clients the oldest', t => {
  const waiters = new Waiters();
  const table = flights(waiters);
  const flight = begin(table, 1);
  for (let i = 0; i < DNS_WAITERS; i++) waiters.add(flight, NAME, asker(i < 40 ? 7 : 100 + i, i), i, 512);
  t.true(waiters.isFull);
  for (let i = 0; i < 39; i++) {
    const victim = waiters.victimFor(5000 + i);
    t.is(waiters.address(victim), 7);
    t.is(waiters.port(victim), i, 'the oldest of them');
    waiters.remove(flight, victim);
    waiters.add(flight, NAME, asker(5000 + i), i, 512);
  }
  const oldest = waiters.victimFor(9000);
  t.is(waiters.port(oldest), 39, 'each has one: the oldest of all');
  t.is(waiters.address(waiters.victimFor(140)), 140, 'who has most himself loses his own');
  const before = row(waiters, flight);
  waiters.remove(flight, oldest);
  t.deepEqual(row(waiters, flight), before.slice(1));
  for (let waiter = waiters.takeAll(flight); waiter >= 0; ) waiter = waiters.release(waiter);
  t.is(waiters.count, 0);
  t.deepEqual(row(waiters, flight), []);
});

test('a full table of queries: the oldest of the greediest, but what others wait for is left to them', t => {
  const waiters = new Waiters();
  const table = flights(waiters);
  const greedy = Array.from({ length: DNS_CLIENT_FLIGHTS }, () => begin(table, 7));
  for (const flight of greedy) waiters.add(flight, NAME, asker(7), 1, 512);
  t.true(table.isAtShare(7));
  t.is(table.victimFor(7), greedy[0]);
  // An innocent waits for the oldest as well: it becomes his, and the next is in danger.
  waiters.add(greedy[0] as Flight, NAME, asker(8), 1, 512);
  for (let i = 0; i < DNS_FLIGHTS - DNS_CLIENT_FLIGHTS; i++) begin(table, 100 + i);
  t.is(table.active.length, DNS_FLIGHTS);
  t.is(table.victimFor(9), greedy[1]);
  t.is(greedy[0]?.client, 8);
  t.false(table.isAtShare(9), 'others have more');
  // As many clients as places: nobody has more than is fair, so the new one waits.
  for (const flight of [...table.active]) table.release(flight);
  for (let i = 0; i < DNS_FLIGHTS; i++) begin(table, 200 + (i >> 4));
  t.is(table.victimFor(9), undefined);
  t.false(table.hasRoom(9));
  // One more than that is not.
  table.release(table.active[DNS_FLIGHTS - 1] as Flight);
  const [first] = table.active;
  begin(table, 200);
  t.is(table.victimFor(9), first);
});
