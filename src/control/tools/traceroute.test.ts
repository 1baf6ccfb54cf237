import test from 'ava';
import { controlLab, type Lab } from '../../../test/control-lab.ts';
import { icmpError, read } from '../../../test/packets.ts';
import { GATEWAY, HOST, LAN_ADDRESS, SERVER, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { SOCKETS_OPEN_AT } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import type { Names } from './target.ts';
import { traceroute } from './traceroute.ts';

const NAMES: Names = {
  resolve: (name, done) => done(name === 'far.example' ? [0x08080808] : []),
  refuse: text => (text.includes('..') ? 'it is no name' : undefined),
};

/** Runs the command; `answer` makes of each probe what comes back: who, type and code; or nothing. */
function trace(
  lab: Lab,
  host: string,
  answer: (ttl: number, port: number) => [string, number, number] | undefined,
  ticks = 1000,
): string[] {
  lab.output.length = 0;
  const job = traceroute(lab.context, NAMES, host);
  for (let i = 0; i < ticks && job.next().done !== true; i++) {
    for (const probe of [...lab.router.toWan(), ...lab.router.toLan()]) {
      const { destinationPort } = read(probe);
      const back = answer(probe[8] as number, destinationPort);
      if (back === undefined) continue;
      const [source, type, code] = back;
      lab.router.fromGateway(icmpError({ source, destination: WAN_ADDRESS }, type, code, probe.slice(0, 28)));
    }
    lab.ticks(1);
  }
  job.return();
  return lab.output;
}

test.serial('traceroute shows each hop with three times, and ends with the host', t => {
  const lab = controlLab();
  const lines = trace(lab, SERVER, ttl => {
    if (ttl === 1) return [GATEWAY, 11, 0];
    if (ttl === 2) return undefined;
    return ttl === 3 ? ['10.9.9.9', 11, 0] : [SERVER, 3, 3];
  });
  t.deepEqual(
    lines.map(line => line.replace(/<?\d+ ms/g, 'T')),
    [
      `The way to ${SERVER}, 30 hops at most, ^C stops`,
      ` 1  ${GATEWAY}  T  T  T`,
      ' 2  *  *  *',
      ' 3  10.9.9.9  T  T  T',
      ` 4  ${SERVER}  T  T  T`,
    ],
  );
  t.is(i32at(SOCKETS_OPEN_AT), 0);
});

test.serial('traceroute marks a way that ends before the host, and answers of several routers', t => {
  const lab = controlLab();
  const lines = trace(lab, SERVER, (ttl, port) => {
    if (ttl === 1) return [port % 2 === 0 ? GATEWAY : '10.1.2.9', 11, 0];
    return ['10.9.9.9', 3, port % 3 === 0 ? 1 : 13];
  });
  t.is(lines.length, 3);
  t.regex(lines[1] ?? '', /^ 1 {2}10\.1\.2\.1 .* 10\.1\.2\.9 .* 10\.1\.2\.1 /);
  t.regex(lines[2] ?? '', /!H/);
  t.regex(lines[2] ?? '', /!13/);
});

test.serial('traceroute ends after thirty hops', t => {
  const lab = controlLab();
  const lines = trace(lab, SERVER, () => undefined, 30 * 3 * 4 * TICKS_PER_SECOND);
  t.is(lines.length, 31);
  t.is(lines.at(-1), '30  *  *  *');
});

test.serial('traceroute by name asks DNS, and refuses what it cannot trace', t => {
  const lab = controlLab();
  const lines = trace(lab, 'far.example', () => ['8.8.8.8', 3, 3]);
  t.is(lines[0], 'The way to far.example (8.8.8.8), 30 hops at most, ^C stops');
  t.is(lines.length, 2);
  for (const [host, why] of [
    ['nobody.example', /no address is known for that name/],
    ['1.2.3', /four numbers/],
    [LAN_ADDRESS, /an address of the router/],
    ['224.0.0.1', /multicast/],
  ] as const)
    t.regex(
      lab.refusal(() => void trace(lab, host, () => undefined)),
      why,
    );
  t.deepEqual(trace(lab, HOST, () => undefined, 3).length, 1);
});
