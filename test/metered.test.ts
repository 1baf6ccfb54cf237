// The meter itself: operations are counted as often as they are carried out, and change no result.

import test from 'ava';
import { wasmBuild } from '../tools/builds.ts';
import { meteredBuild } from './metered.ts';
import { udp } from './packets.ts';
import { HOST, SERVER, startRouter, WAN } from './plane-router.ts';

const metered = await meteredBuild();

test.serial('a loop counts in proportion to its turns, a fill a quarter of its bytes', t => {
  metered.use();
  const { plane } = metered;
  const sum = (bytes: number) => metered.operations(() => plane.checksum(4096, bytes));
  const [a, b, c] = [sum(200), sum(400), sum(600)] as [number, number, number];
  t.true(b > a && c > b);
  t.is(c - b, b - a);
  t.true((b - a) / 200 > 1 && (b - a) / 200 < 8, `${(b - a) / 200} a byte`);
  const reset = metered.operations(() => plane.resetSockets());
  t.true(reset >= (128 * 16) / 4 && reset < (128 * 16) / 4 + 20, `${reset}`);
  t.is(
    metered.operations(() => {}),
    0,
  );
});

test.serial('the metered plane leaves the same memory', async t => {
  const plain = await wasmBuild();
  const frames = [metered, plain].map(build => {
    const router = startRouter(build);
    for (let port = 1000; port < 1050; port++)
      router.fromHost(udp({ source: HOST, destination: SERVER }, port, 53));
    return router.taken(WAN);
  });
  t.deepEqual(frames[0], frames[1] as Uint8Array[]);
  t.is(Buffer.compare(metered.memory, plain.memory), 0);
});

test.serial('a frame of a known session takes some hundred operations', t => {
  const router = startRouter(metered);
  const send = () => router.fromHost(udp({ source: HOST, destination: SERVER }, 1000, 53));
  send();
  const operations = metered.operations(send);
  t.log(`${operations} operations`);
  t.true(operations > 300 && operations < 1200, `${operations}`);
});
