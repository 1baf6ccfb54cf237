// A year of the DHCP server: the server itself with a clock that goes from timer to timer and a wire that is a list.
// Stations come, renew, sleep, release and come back; no two ever hold one address at the same time.

import test from 'ava';
import { addressText } from '../../../test/packets.ts';
import { LEASE_COUNT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { DHCP_NOTE_BURST, DHCP_NOTE_SECONDS } from '../core/limits.ts';
import type { LeaseStore, StoredLease } from '../core/store/stored-lease.ts';
import { fixture, lottery } from './alone-lab.ts';
import { ACK, DISCOVER, NAK, OFFER, RELEASE, REQUEST } from './message.ts';

const DAY = 86400;
const YEAR = 365 * DAY;

test('a year of leases and renewals: no address twice, tables that do not grow', t => {
  const { clock, server, say, seconds } = fixture();
  const draw = lottery(7);
  /** Of each station: its address, until when it may use it, when it acts next. */
  const stations = Array.from({ length: 60 }, () => ({ address: '', until: 0, next: draw(DAY) }));
  let renewals = 0;
  let joins = 0;
  let mostTimers = 0;
  while (seconds() < YEAR) {
    let n = 0;
    for (let i = 1; i < stations.length; i++) if (stations[i]!.next < stations[n]!.next) n = i;
    const one = stations[n]!;
    clock.go(Math.max(clock.passed, Math.ceil(one.next * TICKS_PER_SECOND)));
    if (one.address !== '' && one.until > seconds()) {
      const answer = say(n, REQUEST, { ciaddr: one.address });
      t.is(answer?.type, ACK);
      renewals++;
    } else {
      const offer = say(n, DISCOVER, one.address === '' ? {} : { requested: one.address });
      t.is(offer?.type, OFFER);
      one.address = addressText(offer!.yiaddr);
      t.is(say(n, REQUEST, { requested: one.address, server: '192.168.0.1' })?.type, ACK);
      joins++;
    }
    one.until = seconds() + 43200;
    const holders = stations.filter(other => other.until > seconds() && other.address === one.address);
    t.is(holders.length, 1, `${one.address} at ${seconds()} s`);
    // Most renew at half of the time; some go to sleep for days, some say good-bye.
    const kind = draw(20);
    one.next = seconds() + (kind < 17 ? 21600 : 2 * DAY + draw(10 * DAY));
    if (kind === 19) {
      say(n, RELEASE, { ciaddr: one.address, server: '192.168.0.1' });
      one.until = 0;
    }
    mostTimers = Math.max(mostTimers, clock.timers.length);
  }
  t.true(renewals > 10_000, `${renewals} renewals`);
  t.true(joins > 1000, `${joins} joins`);
  t.true(mostTimers <= 2);
  t.is(server.table.used, stations.length);
});

test('new stations every day for a year: the table keeps its size', t => {
  const { clock, server, say } = fixture();
  for (let day = 0; day < 365; day++) {
    for (let n = 0; n < 20; n++) {
      const offer = say(1000 + day * 20 + n, DISCOVER);
      t.is(offer?.type, OFFER, `day ${day}`);
      const requested = addressText(offer!.yiaddr);
      t.is(say(1000 + day * 20 + n, REQUEST, { requested, server: '192.168.0.1' })?.type, ACK);
    }
    clock.go(clock.passed + DAY * TICKS_PER_SECOND);
    t.true(server.table.used <= LEASE_COUNT);
    t.is(server.table.active, 0);
  }
  t.is(server.table.used, 100, 'the range is remembered, no more');
});

test('a station that slept past the wrap of the ticks finds no lease that never ends', t => {
  const { clock, server, say } = fixture();
  const requested = addressText(say(1, DISCOVER)!.yiaddr);
  say(1, REQUEST, { requested, server: '192.168.0.1' });
  clock.go(clock.passed + 300 * DAY * TICKS_PER_SECOND);
  t.is(server.table.used, 0);
  t.is(say(2, REQUEST, { ciaddr: requested })?.type, ACK);
  t.is(say(1, REQUEST, { ciaddr: requested })?.type, NAK);
});

test('a store is told of each lease sparingly', t => {
  const notes: StoredLease[] = [];
  const store: LeaseStore = {
    load: add => {
      for (const lease of notes) add(lease);
    },
    note: lease => notes.push(lease),
  };
  const { clock, say } = fixture(store);
  const ciaddr = addressText(say(1, DISCOVER)!.yiaddr);
  say(1, REQUEST, { requested: ciaddr, server: '192.168.0.1' });
  t.is(notes.length, 1);
  for (let i = 0; i < 1000; i++) say(1, REQUEST, { ciaddr });
  t.is(notes.length, 1, 'renewed at once: nothing new');
  for (let i = 0; i < 100; i++) {
    clock.go(clock.passed + 21600 * TICKS_PER_SECOND);
    say(1, REQUEST, { ciaddr });
  }
  t.is(notes.length, 51, 'every other renewal at half of the time');
  const before = notes.length;
  // Stations that come and go as fast as they are let.
  for (let i = 0; i < 2000; i++) {
    const offer = say(2000 + (i % 40), DISCOVER);
    if (offer === undefined) continue;
    const address = addressText(offer.yiaddr);
    say(2000 + (i % 40), REQUEST, { requested: address, server: '192.168.0.1' });
    say(2000 + (i % 40), RELEASE, { ciaddr: address, server: '192.168.0.1' });
  }
  const passed = (2000 * 3 * 25) / TICKS_PER_SECOND;
  t.true(
    notes.length - before <= DHCP_NOTE_BURST + passed / DHCP_NOTE_SECONDS + 1,
    `${notes.length - before}`,
  );
});

test('a lease from a store is the client’s again', t => {
  const chaddr = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const lease = {
    address: 0xc0a80096 | 0,
    key: Uint8Array.of(1, ...chaddr),
    htype: 1,
    chaddr,
    name: 'desk',
    seconds: 500,
  };
  const { say, server } = fixture({ load: add => add(lease), note: () => {} });
  t.is(server.addressOf('desk'), lease.address);
  t.is(addressText(say(1, REQUEST, { requested: '192.168.0.150' })!.yiaddr), '192.168.0.150');
  t.is(server.nameOf(lease.address), undefined, 'it came without a name this time');
});
