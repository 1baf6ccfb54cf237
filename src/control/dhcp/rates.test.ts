// How much each kind of station may say to the DHCP server, and that an office, and a relay, do not meet it.
// Not here: who is which kind (src/plane/local/punt.test.ts), floods on a board (test/floods.test.ts).

import test from 'ava';
import { addressText, mac } from '../../../test/packets.ts';
import { LEASE_COUNT } from '../../base/limits.ts';
import { LOUD, NEWCOMERS, STRANGERS } from '../../base/punt-source.ts';
import {
  DHCP_MESSAGE_BURST,
  DHCP_MESSAGE_LONG,
  DHCP_MESSAGE_TICKS,
  DHCP_RELAYS,
  DHCP_STATION_BURST,
  DHCP_STATION_TICKS,
  DHCP_STATIONS,
} from '../core/limits.ts';
import { INFORMS, inPieces, office, type Speaker } from './alone-lab.ts';
import { ACK, DISCOVER, INFORM, OFFER, REQUEST, type Reader } from './message.ts';
import { compose, station } from './server-lab.ts';

const OFFICE = 150;
const ROUTER = '192.168.0.1';
const RELAY = '02:00:00:00:77:01';

test('what each kind of station may say at once, and how soon it may say one more', t => {
  const kinds: [Speaker, number, number][] = [
    [{ source: STRANGERS }, DHCP_MESSAGE_BURST, DHCP_MESSAGE_TICKS],
    [{ source: NEWCOMERS }, DHCP_STATION_BURST, DHCP_STATION_TICKS],
    [{ source: LOUD }, DHCP_STATION_BURST, DHCP_STATION_TICKS],
    [{}, DHCP_STATION_BURST, DHCP_STATION_TICKS],
  ];
  const lab = office();
  for (const [speaker, burst, ticks] of kinds) {
    const say = (): boolean => lab.hear(INFORMS, 0, speaker).length > 0;
    let answered = 0;
    for (let n = 0; n < 2 * burst; n++) if (say()) answered++;
    t.is(answered, burst);
    lab.clock.go(lab.clock.passed + ticks - 1);
    t.false(say());
    lab.clock.go(lab.clock.passed + 1);
    t.deepEqual([say(), say()], [true, false]);
    lab.clock.go(lab.clock.passed + burst * ticks);
    for (let n = 0; n < burst; n++) t.true(say(), 'after a pause');
    t.false(say());
  }
  t.true(lab.hear(compose(station(2), INFORM, { ciaddr: '192.168.0.50' }), 0).length > 0, 'another station');
});

test('the worst messages of one known station are read once in DHCP_MESSAGE_LONG of its turns', t => {
  const lab = office();
  let read = 0;
  const long = (): void => {
    if (lab.hear(inPieces(100), 1).length > 0) read++;
  };
  for (let n = 0; n < 1000; n++) long();
  // What it has at once, and the seconds of 1,000 ticks.
  const most = (DHCP_STATION_BURST + 1000 / DHCP_STATION_TICKS) / DHCP_MESSAGE_LONG + 1;
  t.true(read >= most - 2 && read <= most, `${read} of 1,000`);
  // A good host beside it, at its start: as often as it likes.
  for (let n = 0; n < 10; n++) {
    long();
    t.is(lab.hear(compose(station(7), INFORM, { ciaddr: '192.168.0.57' }), 0).length, 1);
  }
});

test('a host that comes while 40 newcomers flood is read', t => {
  const lab = office();
  for (let tick = 0; tick < 1000; tick++)
    for (let n = 0; n < 40; n++)
      lab.hear(inPieces(100), n === 39 ? 1 : 0, { source: NEWCOMERS, mac: station(n) });
  const speaker = { source: NEWCOMERS };
  t.is(lab.hear(compose(station(77), DISCOVER, {}), 30, speaker)[0]?.type, OFFER);
});

test('strangers’ worst messages cost no more when they keep coming than at first', t => {
  const lab = office();
  let read = 0;
  const ticks = 1200;
  for (let n = 0; n < ticks; n++) if (lab.stranger(inPieces(100), 1).length > 0) read++;
  const most = (DHCP_MESSAGE_BURST + ticks / DHCP_MESSAGE_TICKS) / DHCP_MESSAGE_LONG + 1;
  t.true(read >= most - 2 && read <= most, `${read} in ${ticks} ticks`);
});

test('an office of 150 that was there before and starts at once is read, new clients and all', t => {
  const lab = office();
  let leases = 0;
  for (let n = 0; n < OFFICE; n++) lab.hear(compose(station(n), DISCOVER, { xid: n }), 0);
  lab.clock.go(lab.clock.passed + 30);
  for (let n = 0; n < OFFICE; n++) {
    const slot = [...Array(LEASE_COUNT).keys()].find(s => lab.server.table.isOf(s, 1, mac(station(n))));
    const requested = addressText(lab.server.table.addressOf(slot as number));
    const [answer] = lab.hear(compose(station(n), REQUEST, { requested, server: ROUTER, xid: n }), 0);
    if (answer?.type === ACK) leases++;
  }
  t.is(leases, OFFICE);
});

test('DHCP_STATIONS: one more than said something lately shares with others, until one of them is silent', t => {
  const lab = office();
  const say = (n: number): number =>
    lab.hear(compose(station(n), INFORM, { ciaddr: '192.168.0.50' }), 0).length;
  for (let n = 0; n < DHCP_STATIONS; n++) t.is(say(n), 1);
  for (let n = 0; n < DHCP_MESSAGE_BURST + DHCP_STATIONS; n++)
    lab.hear(INFORMS, 0, { source: NEWCOMERS, mac: station(1000 + n) });
  t.is(say(DHCP_STATIONS), 0);
  t.is(say(0), 1);
  lab.clock.go(lab.clock.passed + DHCP_STATION_TICKS);
  // One of those that said one thing has gone: the place is the new one's.
  t.is(say(DHCP_STATIONS), 1);
  for (let n = 1; n < DHCP_STATION_BURST; n++) t.is(say(DHCP_STATIONS), 1);
  t.is(say(DHCP_STATIONS), 0);
});

test('a relay speaks for 100 clients that start at once, whatever the plane takes it for', t => {
  for (const source of [undefined, NEWCOMERS, LOUD, STRANGERS]) {
    const lab = office();
    const speaker: Speaker = { mac: RELAY, port: 67, ...(source === undefined ? {} : { source }) };
    const giaddr = '192.168.0.2';
    const offers = new Map<number, number>();
    const note = (heard: Reader[]): void => {
      for (const { type, xid, yiaddr } of heard) if (type === OFFER) offers.set(xid, yiaddr);
    };
    for (let n = 0; n < 100; n++)
      note(lab.hear(compose(station(n), DISCOVER, { giaddr, xid: n }), 0, speaker));
    note(lab.hear(INFORMS, 40));
    t.is(offers.size, 100);
    let leases = 0;
    for (const [xid, yiaddr] of offers) {
      const said = { giaddr, xid, requested: addressText(yiaddr), server: ROUTER };
      const [answer] = lab.hear(compose(station(xid), REQUEST, said), 0, speaker);
      if (answer?.type === ACK) leases++;
    }
    t.is(leases, 100);
    // The relay itself, as a host, has not paid for them.
    if (source === undefined) t.is(lab.hear(compose(RELAY, INFORM, { ciaddr: giaddr }), 0).length, 1);
  }
});

test('DHCP_RELAYS: made-up relays have together what one has, and leave another its part', t => {
  const lab = office();
  const relay = (n: number): number => {
    const said = { ciaddr: '192.168.0.50', giaddr: `192.168.0.${2 + n}` };
    return lab.hear(compose(station(1), INFORM, said), 0, { mac: station(500 + n), port: 67 }).length;
  };
  let read = 0;
  for (let n = 0; n < 1000; n++) for (let i = 1; i < DHCP_RELAYS; i++) read += relay(i);
  t.true(read <= DHCP_MESSAGE_BURST + 2 * DHCP_RELAYS, `${read} at once`);
  let own = 0;
  for (let n = 0; n < 100; n++) own += relay(0);
  t.true(own >= DHCP_MESSAGE_BURST / DHCP_RELAYS - 1, `${own} of the other`);
  // One more is a station like others.
  let more = 0;
  for (let n = 0; n < 100; n++) more += relay(DHCP_RELAYS);
  t.is(more, DHCP_STATION_BURST);
  [read, own] = [0, 0];
  for (let tick = 0; tick < 2400; tick++) {
    lab.clock.go(lab.clock.passed + 1);
    for (let i = 1; i < DHCP_RELAYS; i++) read += relay(i);
    own += relay(0);
  }
  t.true(read + own <= 2400 / DHCP_MESSAGE_TICKS + 2, `${read} and ${own} in 24 s`);
  t.true(own >= 2400 / DHCP_MESSAGE_TICKS / DHCP_RELAYS - 2, `${own} of its own`);
});

test('whose messages are not read is told in the log, once for each kind in a while', t => {
  const lab = office();
  for (let n = 0; n < 2 * DHCP_MESSAGE_BURST; n++) {
    lab.stranger(INFORMS);
    lab.hear(INFORMS, 0);
  }
  lab.clock.go(lab.clock.passed + 1000);
  t.deepEqual(lab.said, [
    `more messages came from ${station(1)} than are read`,
    'more messages came from unknown stations than are read',
  ]);
  lab.clock.go(lab.clock.passed + 2000);
  t.is(lab.said.length, 2);
});
