// The forwarder with answers longer than UDP carries, on a network that is two functions.
// Not here: what datagrams look like on the board (forwarder.test.ts), real servers (test/dns.test.ts).

import test from 'ava';
import packet from 'dns-packet';
import { query } from '../../../test/dns-lab.ts';
import { javascriptBuild } from '../../../tools/builds.ts';
import { createClock } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { DNS_TCP_BYTES, UDP_SEND_BYTES } from '../core/limits.ts';
import type { Connection } from '../core/net/tcp.ts';
import { Forwarder } from './forwarder.ts';
import { Local } from './local.ts';
import { FLAG_TC, read16, SERVFAIL, UDP_BYTES } from './message.ts';
import { Names } from './names.ts';
import { framed } from './stream.ts';
import { Upstream } from './upstream.ts';

const SERVER = 0xcb007135 | 0;

/** A forwarder whose server answers by TCP with a message of so many bytes. */
function fixture(bytes: number) {
  const { plane, memory } = javascriptBuild();
  plane.planeReset();
  const told: Uint8Array[] = [];
  let connections = 0;
  let queries = 0;
  const connect = (): Connection => {
    connections++;
    const connection = {
      write: (data: Uint8Array) => {
        queries++;
        connection.onData(framed(answerOf(data.subarray(2), bytes)));
        return true;
      },
      abort: () => {},
      onData: (_: Uint8Array) => {},
    };
    return connection as unknown as Connection;
  };
  const context = {
    ...{
      machine: { plane, memory, heapFree: () => 1 << 20 },
      clock: createClock(),
      log: () => {},
      random: () => 0x1234567,
    },
    udp: {
      // By UDP there is no way to the server.
      send: (address: number, _port: number, _from: number, data: Uint8Array) =>
        address !== SERVER && told.push(data.slice()) > 0,
      openRandom: () => 5000,
      close: () => {},
      isShort: () => false,
    },
    tcp: { connect, isShort: () => false },
  } as unknown as Context;
  const upstream = new Upstream({ changed: () => {}, probe: () => {} });
  upstream.use([SERVER]);
  const forwarder = new Forwarder(context, new Local(() => undefined), upstream, {
    guard: true,
    allowed: new Names(),
    forwards: new Names(),
  });
  const ask = (data: Uint8Array, byTcp: boolean): Uint8Array => {
    told.length = 0;
    const reply = byTcp ? (message: Uint8Array) => told.push(message.slice()) : undefined;
    forwarder.ask(data, { address: 1, port: 4000, index: 0, client: 1, reply });
    if (told[0] === undefined) throw new Error('No answer');
    return told[0];
  };
  return { ask, connections: () => connections, queries: () => queries };
}

/** An answer of TXT records that is so long. */
function answerOf(asked: Uint8Array, bytes: number): Uint8Array {
  const { questions, id } = packet.decode(Buffer.from(asked));
  const make = (length: number): Uint8Array => {
    const data: string[] = [];
    for (let left = length; left > 0; left -= 256)
      data.push('x'.repeat(Math.max(0, Math.min(255, left - 1))));
    const answers = [{ type: 'TXT', name: questions![0]!.name, ttl: 300, data }] as packet.Answer[];
    return Uint8Array.from(
      packet.encode({
        type: 'response',
        ...(id === undefined ? {} : { id }),
        questions: questions!,
        answers,
      }),
    );
  };
  return make(bytes - (make(256).length - 256));
}

test('an answer that came by TCP is whole for TCP; for UDP it is TC if it was kept, however long it is', t => {
  const asked = query('long.example.com', {}, 'TXT');
  const most = UDP_SEND_BYTES - 2; // and the offset of its TTL
  for (const bytes of [512, 513, 1472, 1473, most, most + 1, UDP_SEND_BYTES + 1, 7000, DNS_TCP_BYTES]) {
    const lab = fixture(bytes);
    t.is(lab.ask(asked, true).length, bytes);
    t.is(lab.ask(asked, true).length, bytes, 'again');
    t.is(lab.connections(), 1);
    t.is(lab.queries(), bytes <= most ? 1 : 2, `${bytes}`);
    const flags = read16(lab.ask(asked, false), 2);
    // What is not kept is asked for by UDP.
    if (bytes > most) t.is(flags & 15, SERVFAIL, `${bytes}`);
    else t.is((flags & FLAG_TC) !== 0, bytes > UDP_BYTES, `${bytes}`);
  }
});
