// A client whose source changes while it asks: it settles, becomes loud, or ARP forgets it. Each place is given back to the one
// who took it, whatever he counts as by then: of queries under way, of those who wait for answers, and of those that wait
// for a place. Connections are counted anew each time (../core/net/tcp.test.ts). Not here: who gets a place (shares.test.ts).

import test, { type ExecutionContext } from 'ava';
import packet from 'dns-packet';
import { query } from '../../../test/dns-lab.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { LOUD, NEWCOMERS, STRANGERS } from '../../base/punt-source.ts';
import { DNS_CLIENT_FLIGHTS, DNS_FLIGHTS } from '../core/limits.ts';
import { sourceOf } from '../core/net/client.ts';
import type { Shares } from '../core/net/shares.ts';
import { lottery } from '../dhcp/alone-lab.ts';
import type { Asker } from './flight.ts';
import type { Flights } from './flights.ts';
import type { Queue } from './queue.ts';
import { answer, type End, framed, SERVER, tcpLab } from './tcp-lab.ts';
import type { Waiters } from './waiters.ts';

const STEPS = 1500;
const HOSTS = 6;
const WORDS = 2 ** 32;
const NAMES = 40;

/** A station's number while it counts as one of a shared source, or as itself. */
const SETTLED = 1;
const numberOf = (word: number, source: number): number =>
  source === SETTLED ? word : (1 - source) * WORDS + (word >>> 0);

type Lab = ReturnType<typeof tcpLab>;

/** What the tables have, and what was counted of it. */
function tables(lab: Lab): [string, number[], Shares][] {
  const inside = lab.forwarder as unknown as { flights: Flights; waiters: Waiters; queue: Queue };
  const { flights, waiters, queue } = inside;
  const shares = (table: unknown): Shares => (table as { shares: Shares }).shares;
  const waiting: number[] = [];
  for (const flight of flights.active)
    for (let at = flight.firstWaiter; at >= 0; at = waiters.next(at)) waiting.push(waiters.client(at));
  const rows = (queue as unknown as { rows: Map<number, { asker: Asker }[]> }).rows;
  const queued = [...rows.values()].flatMap(row => row.map(({ asker }) => asker.client));
  return [
    ['under way', flights.active.map(({ client }) => client), shares(flights)],
    ['waiting', waiting, shares(waiters)],
    ['queued', queued, shares(queue)],
  ];
}

const sorted = (counts: Map<number, number>): [number, number][] => [...counts].sort(([a], [b]) => a - b);

function tally(clients: number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const client of clients) counts.set(client, (counts.get(client) ?? 0) + 1);
  return sorted(counts);
}

/** That each share is what its client, and its source, has. */
function audit(t: ExecutionContext, lab: Lab, when: string): void {
  for (const [what, clients, shares] of tables(lab)) {
    const counted = shares as unknown as { clients: Map<number, number>; sources: Map<number, number> };
    t.deepEqual(sorted(counted.clients), tally(clients), `${what}, ${when}`);
    t.deepEqual(sorted(counted.sources), tally(clients.map(sourceOf)), `${what}, of sources, ${when}`);
  }
}

/** Answers what servers were asked by UDP and by connections, as far as `pick` wants it. */
function serve(lab: Lab, pick: () => boolean): void {
  for (const sent of lab.sent.splice(0)) {
    if (sent.to !== SERVER) continue;
    if (pick()) lab.reply(sent, answer(sent.data));
  }
  for (const call of lab.calls) {
    if (call.state !== 'CLOSED') call.onOpen();
    for (const asked of call.got.splice(0))
      if (call.state !== 'CLOSED' && pick()) call.send(framed(answer(asked)));
  }
}

test('places are given back to who took them, though his source changes meanwhile', t => {
  const random = lottery(runSeed());
  const lab = tcpLab();
  const hosts = Array.from({ length: HOSTS }, (_, n) => ({
    address: 0xc0a80010 + n,
    word: n % 2 === 0 ? 0x01020300 + n : -0x01020300 - n,
    source: SETTLED,
    ends: [] as End[],
  }));
  const moves = [SETTLED, NEWCOMERS, LOUD, STRANGERS];
  let id = 0;
  const name = (step: number): string =>
    random(3) === 0 ? `common${random(NAMES)}.example` : `n${step}x${id}.example`;
  for (let step = 0; step < STEPS; step++) {
    const host = hosts[random(HOSTS)]!;
    const client = numberOf(host.word, host.source);
    const what = random(16);
    if (what < 8) {
      for (let left = random(16); left > 0; left--) {
        const asker = {
          address: host.address | 0,
          port: 4000 + random(3),
          index: 0,
          client,
          reply: undefined,
        };
        const message = query(name(step), { id: ++id & 0xffff });
        // Some repeat themselves.
        for (let n = random(4) === 0 ? 2 : 1; n > 0; n--) lab.forwarder.ask(message, asker);
      }
    } else if (what < 10) {
      if (host.ends.length < 2) host.ends.push(lab.client(host.address | 0, client));
      host.ends[random(host.ends.length)]?.send(framed(query(name(step), { id: ++id & 0xffff })));
    } else if (what < 12) host.source = moves[random(moves.length)]!;
    else if (what < 13) {
      host.ends.shift()?.end();
    } else if (what < 15) serve(lab, () => random(4) > 0);
    else lab.wait(random(200));
    if (step % 5 === 0) audit(t, lab, `step ${step}`);
  }
  for (let n = 0; n < 50; n++) {
    serve(lab, () => true);
    lab.wait(60);
  }
  audit(t, lab, 'at the end');
  for (const [what, clients] of tables(lab)) t.deepEqual(clients, [], what);
  const { joined, waited, refused } = lab.forwarder.counts;
  t.true(joined > 0 && waited > 0 && refused > 0, 'all kinds of places were taken and lost');
});

test('a host that has become loud has what it had as a settled one until that is over, and then its whole share again', t => {
  const lab = tcpLab();
  const ask = (n: number, client: number): void =>
    lab.forwarder.ask(query(`n${n}.example`, { id: n }), {
      ...{ address: 0xc0a80010 | 0, port: 4000, index: 0, client, reply: undefined },
    });
  const [settled, loud] = [numberOf(7, SETTLED), numberOf(7, LOUD)];
  for (let n = 0; n < DNS_FLIGHTS; n++) ask(n, n < 30 ? settled : loud);
  audit(t, lab, 'half of it loud');
  t.is(lab.sent.length, DNS_FLIGHTS);
  serve(lab, () => true);
  lab.wait(10);
  audit(t, lab, 'answered');
  for (const client of [settled, loud]) {
    lab.sent.length = 0;
    for (let n = 0; n < DNS_CLIENT_FLIGHTS; n++) ask(100 + n + (client === loud ? 100 : 0), client);
    t.is(lab.sent.filter(({ to }) => to === SERVER).length, DNS_CLIENT_FLIGHTS);
    const told = lab.sent
      .filter(({ to }) => to !== SERVER)
      .map(({ data }) => packet.decode(Buffer.from(data)));
    t.deepEqual(told, [], 'none was refused');
    serve(lab, () => true);
    lab.wait(10);
  }
});
