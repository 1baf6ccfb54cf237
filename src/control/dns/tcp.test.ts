// DNS by TCP on both sides: RFC 7766. Not here: real programs (test/dns.test.ts).

import test from 'ava';
import { query } from '../../../test/dns-lab.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import {
  DNS_NO_TCP_TICKS,
  DNS_PIPE_IDLE_TICKS,
  DNS_QUERY_BYTES,
  DNS_TCP_BYTES,
  DNS_TCP_QUERIES,
  DNS_TCP_TICKS,
  DNS_WAIT_TICKS,
  DNS_WAITERS,
} from '../core/limits.ts';
import { answer, CLIENT, framed, SERVER, tcpLab } from './tcp-lab.ts';

const names = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => query(`n${i}.example.com`, { id: i }));
const inside = (client: number) => ({ address: client, port: 0, index: 0, client });
const joined = (messages: Uint8Array[]): Uint8Array =>
  Uint8Array.from(messages.flatMap(message => [...framed(message)]));

test.serial(
  'a hundred queries of one connection go by one to the server, and all are answered, in any order',
  t => {
    const lab = tcpLab();
    const client = lab.client();
    client.send(joined(names(100)));
    for (let round = 0; round < 100 && client.got.length < 100; round++) {
      const asked = lab.calls[0]?.got.splice(0).reverse() ?? [];
      t.true(asked.length <= DNS_TCP_QUERIES);
      for (const each of asked) lab.calls[0]?.send(framed(answer(each)));
      lab.wait(1);
    }
    t.is(lab.calls.length, 1);
    t.deepEqual(
      client.got.map(({ id }) => id).sort((a, b) => Number(a) - Number(b)),
      names(100).map((_, i) => i),
    );
    t.true(client.got.every(({ answers }) => answers?.length === 1));
    t.is(client.unread, 0);
    t.false(client.isBusy);
    lab.wait(DNS_PIPE_IDLE_TICKS);
    t.is(lab.calls[0]?.state, 'CLOSED', 'nobody waits for it');
    t.deepEqual(lab.logged, []);
  },
);

test.serial('a client that takes no answers waits, and gets them all when it does', t => {
  const lab = tcpLab();
  const client = lab.client();
  client.acknowledges = false;
  client.send(joined(names(60)));
  const text = 'x'.repeat(255);
  const records = [{ type: 'TXT', name: 'a.example', ttl: 300, data: [text, text, text, text] }] as never;
  const serve = (): void => {
    for (const each of lab.calls[0]?.got.splice(0) ?? [])
      lab.calls[0]?.send(framed(answer(each, { answers: records })));
    lab.wait(1);
  };
  for (let i = 0; i < 10; i++) serve();
  t.true(client.got.length < 20, 'what fits');
  t.true(client.unread > 0);
  for (let i = 0; i < 100 && client.got.length < 60; i++) {
    client.acknowledge();
    serve();
  }
  t.is(new Set(client.got.map(({ id }) => id)).size, 60);
  t.is(client.got.length, 60);
});

test.serial('a server that refuses connections is asked by UDP, for a while, and is not blamed', t => {
  const lab = tcpLab();
  lab.net.refuses = true;
  const client = lab.client();
  client.send(joined(names(3)));
  lab.wait(1);
  t.is(lab.calls.length, 1);
  t.is(lab.sent.length, 3);
  for (const each of lab.sent.splice(0)) lab.reply(each, answer(each.data));
  t.is(client.got.length, 3);
  client.send(framed(query('later.example.com')));
  t.is(lab.calls.length, 1, 'asked by UDP at once');
  // What UDP cuts is worth another call; refused again, it is SERVFAIL.
  const [cut] = lab.sent.splice(0);
  if (cut !== undefined) lab.reply(cut, answer(cut.data, { answers: [], flags: 0x0200 }));
  t.is(lab.calls.length, 2);
  lab.wait(2 * TICKS_PER_SECOND);
  t.is((client.got.at(-1) as unknown as { rcode: string }).rcode, 'SERVFAIL');
  lab.net.refuses = false;
  lab.wait(DNS_NO_TCP_TICKS);
  client.send(framed(query('again.example.com')));
  t.is(lab.calls.at(-1)?.got.length, 1, 'by TCP again');
  t.is(lab.upstream.servers[0]?.failures, 0);
  t.deepEqual(lab.logged, []);
});

test.serial('a server that is silent by TCP is asked by UDP', t => {
  const lab = tcpLab();
  const client = lab.client();
  client.send(joined(names(1)));
  lab.wait(3.5 * TICKS_PER_SECOND);
  t.is(lab.sent.length, 1);
  for (const each of lab.sent) lab.reply(each, answer(each.data));
  t.is(client.got.length, 1);
  t.deepEqual(lab.logged, []);
});

test.serial('a server that hangs up between answers is called again for the rest', t => {
  const lab = tcpLab();
  const client = lab.client();
  client.send(joined(names(5)));
  for (let i = 0; i < 5; i++) {
    const call = lab.calls.at(-1);
    const [first] = call?.got ?? [];
    if (first !== undefined) call?.send(framed(answer(first)));
    call?.end('closed');
  }
  t.is(client.got.length, 5);
  t.is(lab.sent.length, 0);
  t.deepEqual(lab.logged, []);
});

test.serial('without a place for a connection queries wait, and nobody is blamed', t => {
  const lab = tcpLab();
  lab.net.places = 0;
  const client = lab.client();
  client.send(joined(names(4)));
  lab.wait(2 * TICKS_PER_SECOND);
  t.is(client.got.length, 0);
  lab.net.places = 1;
  lab.wait(TICKS_PER_SECOND / 5);
  for (const each of lab.calls[0]?.got ?? []) lab.calls[0]?.send(framed(answer(each)));
  t.is(client.got.length, 4);
  t.is(lab.upstream.servers[0]?.failures, 0);
  t.is(lab.upstream.servers[0]?.timeouts, 0);
});

test.serial('a connection to a server is busy while somebody waits for it', t => {
  const lab = tcpLab();
  const client = lab.client();
  for (let i = 0; i < 2; i++) {
    client.send(joined(names(2).map(data => query(`x${i}${data[0]}${data[1]}.example`, { id: data[1]! }))));
    const [call] = lab.calls;
    t.is(call?.isBusy, true);
    for (const each of call?.got.splice(0) ?? []) call?.send(framed(answer(each)));
    t.is(call?.isBusy, false);
  }
  t.is(lab.calls.length, 1);
});

test.serial('an idle connection gives its place to another server', t => {
  const lab = tcpLab([SERVER, SERVER + 1]);
  lab.net.places = 1;
  const client = lab.client();
  client.send(joined(names(1)));
  const [first] = lab.calls;
  first?.send(framed(answer(first.got[0]!, { flags: 2, answers: [] })));
  t.is(first?.state, 'CLOSED');
  t.is(lab.calls[1]?.remote, SERVER + 1);
  t.is(lab.calls[1]?.got.length, 1);
});

test.serial('without a socket queries by UDP wait, and nobody is blamed', t => {
  const lab = tcpLab();
  lab.net.sockets = 0;
  const told: number[] = [];
  lab.forwarder.ask(query('www.example.com'), {
    address: CLIENT,
    port: 0,
    index: 0,
    client: CLIENT,
    reply: m => told.push(m[3]! & 15),
  });
  t.is(lab.sent.length, 0);
  lab.wait(2 * TICKS_PER_SECOND);
  lab.net.sockets = 1;
  lab.wait(TICKS_PER_SECOND / 5);
  for (const each of lab.sent) lab.reply(each, answer(each.data));
  t.deepEqual(told, [0]);
  t.is(lab.upstream.servers[0]?.timeouts, 0);
});

test.serial('without a buffer a query waits, goes as soon as there is one, and nobody is blamed', t => {
  for (const bytes of [30, 1600]) {
    const lab = tcpLab();
    lab.net.hasBuffers = false;
    const told: number[] = [];
    const reply = (m: Uint8Array): void => void told.push(m[3]! & 15);
    const padding = new Uint8Array(bytes);
    const data = Uint8Array.from([...query('www.example.com'), ...padding]);
    lab.forwarder.ask(data, { address: CLIENT, port: 0, index: 0, client: CLIENT, reply });
    lab.wait(3 * TICKS_PER_SECOND);
    t.deepEqual(told, []);
    t.is(lab.sent.length, 0);
    lab.net.hasBuffers = true;
    lab.wait(TICKS_PER_SECOND / 5);
    t.is(lab.sent.length, 1);
    for (const each of lab.sent) lab.reply(each, answer(each.data.subarray(0, 33)));
    t.deepEqual(told, [0]);
    t.is(lab.upstream.servers[0]?.timeouts, 0);
    t.is(lab.upstream.servers[0]?.failures, 0);
    t.deepEqual(lab.logged, []);
  }
});

test.serial('what waits for sockets, buffers or places to the end is SERVFAIL, and nobody is blamed', t => {
  const reply = (told: number[]) => (m: Uint8Array) => void told.push(m[3]! & 15);
  for (const want of [{ sockets: 0 }, { hasBuffers: false }, { places: 0 }]) {
    const lab = tcpLab();
    Object.assign(lab.net, want);
    const told: number[] = [];
    const port = 'places' in want ? 4000 : 0;
    for (let i = 0; i < 3; i++)
      lab.forwarder.ask(query(`n${i}.example`), {
        address: CLIENT,
        port,
        index: 0,
        client: CLIENT,
        reply: reply(told),
      });
    lab.wait(DNS_WAIT_TICKS - 1);
    t.deepEqual(told, []);
    lab.wait(TICKS_PER_SECOND / 5);
    t.deepEqual(told, [2, 2, 2]);
    const [server] = lab.upstream.servers;
    t.deepEqual([server?.timeouts, server?.failures, server?.noTcp, server?.state], [0, 0, false, 'up']);
    t.deepEqual(lab.logged, []);
  }
});

test.serial('without a way there is SERVFAIL at once, and nobody is blamed', t => {
  for (const port of [0, 4000]) {
    const lab = tcpLab([SERVER, SERVER + 1]);
    lab.net.hasWay = false;
    const told: number[] = [];
    for (let i = 0; i < 5; i++)
      lab.forwarder.ask(query(`n${i}.example`), {
        ...{ address: CLIENT, port, index: 0, client: CLIENT },
        reply: m => told.push(m[3]! & 15),
      });
    t.deepEqual(told, [2, 2, 2, 2, 2]);
    for (const server of lab.upstream.servers) t.deepEqual([server.failures, server.state], [0, 'up']);
    t.deepEqual(lab.logged, []);
  }
});

test.serial('a query that waited long for a place is waited for as others are', t => {
  const lab = tcpLab();
  lab.net.places = 0;
  const client = lab.client();
  client.send(joined(names(1)));
  lab.wait(DNS_TCP_TICKS - 20);
  lab.net.places = 1;
  lab.wait(TICKS_PER_SECOND);
  const [call] = lab.calls;
  call?.send(framed(answer(call.got[0]!)));
  t.is(client.got[0]?.answers?.length, 1);
  t.is(lab.upstream.servers[0]?.noTcp, false);
  t.is(lab.sent.length, 0);
});

test.serial(
  'a connection whose other end is gone is given up for a new one, with all that wait for it',
  t => {
    const lab = tcpLab();
    const client = lab.client();
    client.send(joined(names(1)));
    const [gone] = lab.calls;
    gone?.send(framed(answer(gone.got[0]!)));
    lab.wait(1);
    client.send(joined(names(3).slice(1)));
    t.is(lab.calls.length, 1);
    lab.wait(DNS_TCP_TICKS + 20);
    t.is(gone?.state, 'CLOSED');
    t.is(lab.calls.length, 2);
    for (const each of lab.calls[1]?.got ?? []) lab.calls[1]?.send(framed(answer(each)));
    t.is(client.got.filter(({ answers }) => answers?.length === 1).length, 3);
    t.is(lab.upstream.servers[0]?.noTcp, false);
  },
);

test.serial('an answer too long for us fails alone, and the others by that connection come', t => {
  const lab = tcpLab();
  const client = lab.client();
  client.send(joined(names(3)));
  const [call] = lab.calls;
  const [a, b, c] = call?.got ?? [];
  call?.send(framed(Uint8Array.from([...answer(b!), ...new Uint8Array(DNS_TCP_BYTES)])));
  call?.send(framed(answer(a!)));
  call?.send(framed(answer(c!)));
  t.deepEqual(
    client.got.map(({ id, answers }) => `${id} ${answers?.length}`),
    ['1 0', '0 1', '2 1'],
  );
  t.is(lab.calls.length, 1);
});

test.serial('a client with its share by TCP waits; the queries of others go on', t => {
  const lab = tcpLab();
  const ends = [lab.client(), lab.client(), lab.client()];
  for (const [i, end] of ends.entries())
    end.send(joined(Array.from({ length: 30 }, (_, j) => query(`n${i}-${j}.example`, { id: j }))));
  lab.wait(1);
  const other = lab.client(CLIENT + 1);
  other.send(framed(query('other.example')));
  for (let i = 0; i < 20; i++) {
    for (const each of lab.calls[0]?.got.splice(0) ?? []) lab.calls[0]?.send(framed(answer(each)));
    lab.wait(1);
  }
  t.is(other.got.length, 1);
  for (const end of ends) t.is(end.got.length, 30);
  t.is(lab.forwarder.counts.refused, 0);
});

test.serial('a query that is too long is not answered', t => {
  const lab = tcpLab();
  const told: number[] = [];
  for (const length of [DNS_QUERY_BYTES, DNS_QUERY_BYTES + 1]) {
    const data = new Uint8Array(length);
    data.set(query('www.example.com'));
    lab.forwarder.ask(data, { ...inside(CLIENT), reply: () => told.push(length) });
  }
  for (const each of lab.sent) lab.reply(each, answer(each.data.subarray(0, 33)));
  t.deepEqual(told, [DNS_QUERY_BYTES]);
  t.is(lab.forwarder.counts.malformed, 1);
});

test.serial('one who waits more than there is room for sends the oldest away, and the query goes on', t => {
  const lab = tcpLab();
  const codes: number[] = [];
  for (let i = 0; i <= DNS_WAITERS; i++) {
    const reply = (m: Uint8Array): void => void codes.push(i * 16 + (m[3]! & 15));
    lab.forwarder.ask(query('www.example.com', { id: i }), { ...inside(CLIENT + i), reply });
  }
  t.deepEqual(codes.splice(0), [2], 'the first of them, as everybody has one');
  t.is(lab.sent.length, 1);
  for (const each of lab.sent) lab.reply(each, answer(each.data));
  lab.wait(TICKS_PER_SECOND);
  t.deepEqual(
    codes,
    Array.from({ length: DNS_WAITERS }, (_, i) => (i + 1) * 16),
  );
});
