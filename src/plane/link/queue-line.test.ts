// What people wait for on a slow line beside who fills it, in virtual time (test/queue-lab.ts): round trips of a ping, a key of telnet and a DNS
// answer. The figures are those of `npm run bench -- queue`.

import test from 'ava';
import { HOST, OTHER } from '../../../test/plane-router.ts';
import { type LineOptions, longest, middle, runLine } from '../../../test/queue-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';

const builds = [javascriptBuild(), await wasmBuild()];
/** What a full packet of 576 bytes takes, in ms. */
const packetTime = (rate: number): number => (576 * 8000) / rate;

/** The longest of what is more than without the uploads, in ms. */
function more(
  build: (typeof builds)[number],
  options: LineOptions,
): { worst: number; left: number; part: number } {
  const idle = runLine(build, { rate: options.rate });
  const busy = runLine(build, { uploads: 3, ...options });
  const worst = (['ping', 'key', 'name'] as const).map(what => longest(busy[what]) - middle(idle[what]));
  return { worst: Math.max(...worst), left: busy.left, part: (busy.up * 8) / options.rate };
}

for (const build of builds) {
  test.serial(
    `at 33,600 b/s what is short waits 350 ms at most, where one FIFO makes seconds (${build.name})`,
    t => {
      for (const prober of [HOST, OTHER]) {
        const { worst, left, part } = more(build, { rate: 33600, queues: 'flow', prober });
        t.log(`${worst} ms more, the uploads have ${(100 * part).toFixed(0)} %`);
        t.true(worst <= 350, `${worst}`);
        t.true(part > 0.75);
        t.is(left, 0);
      }
      const fifo = more(build, { rate: 33600 });
      t.log(`${fifo.worst} ms by one FIFO`);
      t.true(fifo.worst > 2000);
    },
  );
}

test.serial('at every rate it waits a few packets of the others, by flow and by host', t => {
  for (const rate of [33600, 57600, 128000, 512000])
    for (const queues of ['flow', 'host'] as const) {
      const { worst, left } = more(builds[1] as (typeof builds)[number], { rate, queues });
      t.log(`${rate} by ${queues}: ${worst} ms more, ${(worst / packetTime(rate)).toFixed(1)} packets`);
      t.true(worst <= 3.5 * packetTime(rate) + 40, `${rate}: ${worst}`);
      t.is(left, 0);
    }
});
