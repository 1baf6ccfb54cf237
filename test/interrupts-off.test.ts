// Interrupts are off half a millisecond at most, whatever is to be done: on the booted board, as its floor measures it,
// by the machine's own time. And what a frame costs in a flood is little enough for all that a 10BASE-T brings.
// Not here: the table (`npm run bench -- off`), an overrun of a ring (hal/nic/dp8390.test.ts).

import test from 'ava';
import { CASES, FLOOD, LONE, LONE_PACKETS, LONGEST_COUNTS, measureOff } from './bench/interrupts-off.ts';
import { INSTRUCTIONS_PER_SECOND } from './harness/icount.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

/** Frames of 60 bytes that a 10 Mb/s wire brings in a second (IEEE 802.3: 84 bytes each), at this load. */
const FRAMES_PER_SECOND = 14_880;
const LOAD = 0.75;

for (const machine of ['isapc', 'pc'] as const) {
  test.serial(`interrupts are off for half a millisecond at most (${machine})`, async t => {
    t.timeout(TEST_MILLISECONDS);
    await measureOff(machine, Object.keys(CASES), (name, { counts, whose, perFrame, frames, idle }) => {
      t.log(`${name}: ${counts} counts, ${whose}`);
      t.true(counts > 0, name);
      t.true(counts <= LONGEST_COUNTS, `${name}: ${counts} counts, ${whose}`);
      // A card's line has fallen when its interrupt ends.
      if (name === LONE) t.true(idle <= LONE_PACKETS / 20, `${idle} interrupts without a cause`);
      if (name !== FLOOD) return;
      t.true(frames > 500, `${frames} frames came out`);
      t.true(
        perFrame * FRAMES_PER_SECOND <= LOAD * INSTRUCTIONS_PER_SECOND,
        `${perFrame} instructions a frame`,
      );
    });
  });
}
