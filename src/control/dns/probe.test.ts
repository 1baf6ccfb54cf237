import test from 'ava';
import { DNS_BLAME_TICKS, DNS_FAILURES, DNS_PROBE_TICKS } from '../core/limits.ts';
import { probe, SILENT, UNASKED } from './probe.ts';
import { SERVER, tcpLab } from './tcp-lab.ts';
import { Upstream } from './upstream.ts';

test.serial('probe() tells of silence only when the question has gone', t => {
  for (const [want, told] of [
    [{}, SILENT],
    [{ sockets: 0 }, UNASKED],
    [{ hasBuffers: false }, UNASKED],
    [{ hasWay: false }, UNASKED],
  ] as const) {
    const lab = tcpLab();
    Object.assign(lab.net, want);
    const heard: number[] = [];
    probe(lab.context, lab.upstream.servers[0]!, ticks => heard.push(ticks));
    lab.wait(DNS_PROBE_TICKS);
    t.deepEqual(heard, [told]);
    t.is(lab.openPorts(), 0);
  }
});

test.serial('a server about which nothing was learnt is up, and doubted when it fails once more', t => {
  const asked: number[] = [];
  const upstream = new Upstream({ changed: () => t.fail(), probe: ({ address }) => asked.push(address) });
  upstream.use([SERVER]);
  const [server] = upstream.servers as [(typeof upstream.servers)[0]];
  for (let i = 0; i < DNS_FAILURES; i++) upstream.failed(server, 0, DNS_BLAME_TICKS);
  t.is(server.state, 'doubted');
  upstream.unknown(server);
  t.is(server.state, 'up');
  t.is(server.answered, 0);
  upstream.failed(server, 0, DNS_BLAME_TICKS);
  t.is(server.state, 'doubted');
  t.deepEqual(asked, [SERVER, SERVER]);
});
