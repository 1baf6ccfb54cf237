// Who has how many of the places for TCP connections, and who loses one when all are taken. Not here: connections by
// themselves (tcp.test.ts).

import test from 'ava';
import { controlLab } from '../../../../test/control-lab.ts';
import { ACK, arpFrame, frame, PSH, payload, read, SYN, tcp } from '../../../../test/packets.ts';
import { HOST, LAN, LAN_ADDRESS, LAN_MAC } from '../../../../test/plane-router.ts';
import {
  INTERFACE_LAN,
  NEIGHBOUR_SWEEP_TICKS,
  PUNT_TCP_LIMIT,
  TICKS_PER_SECOND,
} from '../../../base/limits.ts';
import { LOUD } from '../../../base/punt-source.ts';
import { STATION_LOUD, STATION_SETTLE_TICKS } from '../../../base/station-limits.ts';
import { parseAddress } from '../address.ts';
import { TCP_ACCEPTED, TCP_CLIENT, TCP_CONNECTIONS } from '../limits.ts';
import { sourceOf } from './client.ts';
import type { Connection, End } from './tcp.ts';

const PORT = 53;
const FIRST = 5000;

interface Client {
  connection: Connection;
  host: string;
  ends: End[];
  /** Sends a byte. */
  say(): void;
  /** Sends as many, of which control hears nothing meanwhile. */
  flood(count: number): void;
}

const stationOf = (host: string) => `02:00:00:00:03:${host.split('.')[3]?.padStart(2, '0')}`;

/** A listener with an idle time of its own, and hosts that open connections to it. */
function served() {
  const lab = controlLab();
  const clients: Client[] = [];
  let last: Connection | undefined;
  lab.context.tcp.listen(
    PORT,
    1 << INTERFACE_LAN,
    connection => {
      last = connection;
    },
    10,
  );
  const join = (host: string, mac = stationOf(host)): Client => {
    const sourcePort = 5000 + clients.length;
    const send = (
      flags: number,
      sequence: number,
      acknowledgment: number,
      data: Uint8Array = new Uint8Array(0),
    ): void => {
      const header = { sourcePort, destinationPort: PORT, flags, sequence, acknowledgment };
      const segment = tcp({ source: host, destination: LAN_ADDRESS }, header, data);
      lab.router.put(LAN, frame(LAN_MAC, mac, segment));
    };
    last = undefined;
    const sender = { operation: 1, senderMac: mac, senderAddress: host };
    lab.router.put(LAN, arpFrame(LAN_MAC, { ...sender, targetAddress: LAN_ADDRESS }));
    lab.router.toLan();
    send(SYN, FIRST - 1, 0);
    lab.settle();
    const answer = lab.router
      .toLan()
      .map(read)
      .find(({ tcpFlags }) => tcpFlags === (SYN | ACK));
    const iss = ((answer?.sequence ?? 0) + 1) | 0;
    send(ACK, FIRST, iss);
    lab.settle();
    const ends: End[] = [];
    const connection = last as Connection | undefined;
    if (connection === undefined) throw new Error(`No connection of ${host}`);
    connection.onClose = end => ends.push(end);
    let said = 0;
    const say = (): void => {
      send(ACK | PSH, FIRST + said++, iss, payload(1));
      lab.settle();
    };
    const flood = (count: number): void => {
      for (let i = 0; i < count; i++) send(ACK | PSH, FIRST + said, iss, payload(1));
    };
    const client = { connection, host, ends, say, flood };
    clients.push(client);
    lab.ticks(1);
    return client;
  };
  return { lab, join };
}

test.serial('one client has its share of the places: one more ends its own that was idle longest', t => {
  const { lab, join } = served();
  const clients = Array.from({ length: TCP_CLIENT }, () => join(HOST));
  clients[0]?.connection.active();
  join(HOST);
  t.deepEqual(
    clients.map(({ ends }) => ends.length),
    [0, 1, 0],
  );
  t.is(lab.context.tcp.connections().length, TCP_CLIENT);
});

test.serial('with all places taken the idle one of who has most goes, and the oldest if all are busy', t => {
  const { lab, join } = served();
  const greedy = Array.from({ length: TCP_CLIENT }, () => join('192.168.0.30'));
  const others = ['31', '32', '33'].map(last => join(`192.168.0.${last}`));
  t.is(lab.context.tcp.connections().length, TCP_ACCEPTED);
  others[0]?.connection.active();
  join('192.168.0.34');
  t.deepEqual(
    greedy.map(({ ends }) => ends.length),
    [1, 0, 0],
  );
  t.true(others.every(({ ends }) => ends.length === 0));
  for (const connection of lab.context.tcp.connections()) connection.isBusy = true;
  join('192.168.0.35');
  t.deepEqual(
    greedy.map(({ ends }) => ends.length),
    [1, 1, 0],
    'it had two, the new one none',
  );
  for (const connection of lab.context.tcp.connections()) connection.isBusy = true;
  join('192.168.0.36');
  t.is([...greedy, ...others].flatMap(({ ends }) => ends).length, 3, 'everybody has one, and all are busy');
  t.is(lab.context.tcp.connections().length, TCP_ACCEPTED);
});

test.serial('one station has its share of the places, under however many addresses', t => {
  const { lab, join } = served();
  const good = join('192.168.0.40');
  lab.ticks(STATION_SETTLE_TICKS);
  const bad = Array.from({ length: 2 * TCP_ACCEPTED }, (_, i) =>
    join(`192.168.0.${50 + i}`, stationOf('192.168.0.50')),
  );
  t.is(bad.filter(({ ends }) => ends.length === 0).length, TCP_CLIENT);
  t.is(lab.context.tcp.connections().length, TCP_CLIENT);
  for (const connection of lab.context.tcp.connections()) connection.isBusy = true;
  t.throws(() => join('192.168.0.70', stationOf('192.168.0.50')));
  join('192.168.0.41');
  t.is(lab.context.tcp.connections().length, TCP_CLIENT + 1);
  t.deepEqual(good.ends, ['timeout']);
});

test.serial('made-up stations with a busy connection each leave one that was there before its own', t => {
  const { lab, join } = served();
  const good = stationOf('192.168.0.40');
  lab.router.put(
    LAN,
    arpFrame(LAN_MAC, {
      ...{ operation: 1, senderMac: good, senderAddress: '192.168.0.40', targetAddress: LAN_ADDRESS },
    }),
  );
  lab.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS);
  const bad = Array.from({ length: TCP_ACCEPTED }, (_, i) => {
    const client = join(`192.168.0.${50 + i}`);
    client.connection.isBusy = true;
    return client;
  });
  const { ends, connection } = join('192.168.0.40', good);
  connection.isBusy = true;
  t.deepEqual(
    bad.map(client => client.ends),
    [['aborted'], ...Array.from({ length: TCP_ACCEPTED - 1 }, () => [])],
    'the oldest of the newcomers',
  );
  for (let i = 0; i < 2 * TCP_ACCEPTED; i++) join(`192.168.0.${60 + i}`).connection.isBusy = true;
  t.deepEqual(ends, [], 'more of theirs end each other’s');
});

test.serial(
  'with an idle time of its own, bytes do not keep a connection, only what its user calls active',
  t => {
    const { lab, join } = served();
    const drip = join(HOST);
    const good = join(HOST);
    for (let second = 0; second < 12; second++) {
      drip.say();
      if (second === 6) good.connection.active();
      lab.ticks(TICKS_PER_SECOND);
    }
    t.deepEqual(drip.ends, ['timeout']);
    t.deepEqual(good.ends, []);
  },
);

test.serial('an idle connection of our own goes before a client loses one; a busy one does not', t => {
  const { lab, join } = served();
  const count = TCP_ACCEPTED - 2;
  const clients = Array.from({ length: count }, (_, i) => join(`192.168.0.${30 + i}`));
  for (const { connection } of clients) connection.isBusy = true;
  const own = Array.from({ length: TCP_CONNECTIONS - count }, () =>
    lab.context.tcp.connect(parseAddress('192.168.0.90') as number, PORT),
  );
  t.true(
    own.every(connection => connection?.isBusy),
    'until its owner says otherwise',
  );
  const [, idle] = own as Connection[];
  (idle as Connection).isBusy = false;
  join('192.168.0.60').connection.isBusy = true;
  t.deepEqual(
    own.map(connection => connection?.state),
    own.map(connection => (connection === idle ? 'CLOSED' : 'SYN_SENT')),
  );
  t.true(clients.every(({ ends }) => ends.length === 0));
  t.is(lab.context.tcp.connections().length, TCP_CONNECTIONS);
});

test.serial(
  'a station that becomes loud, or gets another address, gives back the places that it had before',
  t => {
    const { lab, join } = served();
    const mac = stationOf('192.168.0.40');
    const greet = (host: string, sender: string): void => {
      const said = { operation: 1, senderMac: sender, senderAddress: host, targetAddress: LAN_ADDRESS };
      lab.router.put(LAN, arpFrame(LAN_MAC, said));
    };
    greet('192.168.0.40', mac);
    for (let n = 0; n < TCP_ACCEPTED; n++) greet(`192.168.0.${80 + n}`, stationOf(`192.168.0.${80 + n}`));
    lab.ticks(STATION_SETTLE_TICKS + 2 * NEIGHBOUR_SWEEP_TICKS);
    const before = [join('192.168.0.40', mac), join('192.168.0.41', mac)];
    before[0]?.flood(PUNT_TCP_LIMIT + STATION_LOUD + 1);
    lab.settle();
    const after = Array.from({ length: TCP_CLIENT + 1 }, () => join('192.168.0.40', mac));
    const sources = (clients: Client[]): boolean[] =>
      clients.map(({ connection }) => sourceOf(connection.client) === LOUD);
    t.deepEqual([sources(before), sources(after)], [before.map(() => false), after.map(() => true)]);
    t.deepEqual(
      [before, after].map(clients => clients.map(({ ends }) => ends.length)),
      [
        [0, 0],
        [1, 0, 0, 0],
      ],
      'one too many ends its own, of those that it has as what it is',
    );
    t.is(lab.context.tcp.connections().length, 2 + TCP_CLIENT);
    // As many others come as there are places: what it had before goes for them too, and nothing is left behind.
    for (const { connection } of [...before, ...after]) connection.isBusy = true;
    const others = Array.from({ length: TCP_ACCEPTED - 1 }, (_, n) => {
      const client = join(`192.168.0.${80 + n}`);
      client.connection.isBusy = true;
      return client;
    });
    t.true(others.every(({ ends }) => ends.length === 0));
    t.is(lab.context.tcp.connections().length, TCP_ACCEPTED);
    for (const { connection } of [...before, ...after, ...others]) connection.abort();
    t.is(lab.context.tcp.connections().length, 0);
    const again = Array.from({ length: TCP_ACCEPTED }, (_, n) => join(`192.168.0.${80 + n}`));
    t.true(again.every(({ ends }) => ends.length === 0));
  },
);
