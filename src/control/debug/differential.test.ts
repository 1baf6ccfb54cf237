import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { BUFFER_COUNT, COUNTERS_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { counterList } from '../core/counter-names.ts';
import type { Plane } from '../core/machine.ts';
import { BATCH, runTraffic } from './differential.ts';
import { createTraffic } from './traffic.ts';

const FRAMES = 40 * BATCH;

test('createTraffic() gives the same frames for the same seed and others for another', t => {
  const frames = (seed: number) => {
    const traffic = createTraffic(seed);
    return Array.from({ length: 200 }, () => {
      const { frame, card, ticks } = traffic.next();
      return `${card} ${ticks} ${Buffer.from(frame).toString('hex')}`;
    });
  };
  t.deepEqual(frames(1), frames(1));
  t.notDeepEqual(frames(1), frames(2));
  t.true(frames(3).every(text => text.length / 2 < 1514 + 20));
});

for (const seed of [1, 2, 7, 12, 16, 31, 32, 33, 34, 36, 48, 63]) {
  test.serial(`runTraffic() leaves the same memory in JavaScript and WebAssembly, seed ${seed}`, async t => {
    const javascript = javascriptBuild();
    const first = [...runTraffic(javascript.plane, javascript.plane, javascript.memory, seed, FRAMES)];
    t.is(first.length, FRAMES / BATCH);
    const wasm = await wasmBuild();
    wasm.use();
    const second = [...runTraffic(wasm.plane, wasm.plane, wasm.memory, seed, FRAMES)];
    t.deepEqual(second, first);
    t.true(new Set(first).size > FRAMES / BATCH - 2, 'the memory hardly changes: nothing is compared');
  });
}

/** What no traffic between ring cards can bring about, and why. */
const NOT_REACHED: Record<string, string> = {
  'drop-transmit-error': 'a chip reports it; ring cards never refuse for good (dp8390.test.ts)',
  'ring-overrun': 'a chip reports it (dp8390.test.ts)',
  'card-reset': 'a chip hangs (dp8390.test.ts)',
  'drop-no-call': 'no link of the traffic may be dialled (demand.test.ts)',
  'drop-queue-delay': 'no link of the traffic has a rate (queue.test.ts)',
  'drop-vlan': 'no card of the traffic is in a VLAN (vlan.test.ts)',
  'drop-rule-loop': 'some rules are not enough (walk-cost.test.ts)',
  'serial-overrun': 'no serial port is in the traffic (ns16550.test.ts)',
};

/** Takes everything that waits for somebody; then nothing but free buffers may be left. */
function empty(plane: Plane): void {
  plane.reclaim();
  for (let p = plane.puntTake(); p !== 0; p = plane.puntTake()) plane.release(p);
  // Packets may wait for ARP and first fragments: after a long time they are given up.
  for (let i = 0; i < 8000; i++) {
    plane.tick(i);
    for (const card of [0, 1]) {
      for (let p = plane.ringTake(card); p !== 0; p = plane.ringTake(card)) plane.release(p);
    }
  }
}

test.serial('the traffic reaches every counter that it can, and leaks no buffer', async t => {
  const { plane, memory, use } = await wasmBuild();
  use();
  const seen = new Set<string>();
  for (let seed = 1; seed < 48; seed++) {
    [...runTraffic(plane, plane, memory, seed, FRAMES)];
    t.is(plane.masqueradeCheck(), 0, `seed ${seed}`);
    empty(plane);
    for (const { name, index } of counterList()) if (i32at(COUNTERS_AT + 4 * index) !== 0) seen.add(name);
    t.is(plane.poolFree(), BUFFER_COUNT, `seed ${seed}`);
    t.is(plane.masqueradeCheck(), 0, `seed ${seed}`);
  }
  const unseen = counterList().flatMap(({ name }) => (seen.has(name) ? [] : [name]));
  t.deepEqual(unseen.sort(), Object.keys(NOT_REACHED).sort());
});
