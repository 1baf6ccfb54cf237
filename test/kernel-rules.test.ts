// Our rules and packets under them against the kernel's own iptables (kernel-rules.ts), for the suite; `npm run fuzz` goes on with other seeds.

import test from 'ava';
import { runSeed } from '../tools/harness/random.ts';
import { KernelRouter } from './harness/kernel-router.ts';
import { compareRules } from './kernel-rules.ts';

const SETS = 250;
const PACKETS = 44;
const MILLISECONDS = 600_000;
const rooted = process.getuid?.() === 0 ? test : test.skip;

rooted('whatever the rules, packets pass, change and count as in the kernel’s own iptables', async t => {
  t.timeout(MILLISECONDS);
  const kernel = await KernelRouter.start();
  try {
    for (let i = 0; i < SETS; i++) t.is(await compareRules(kernel, runSeed() + i, PACKETS), '');
  } finally {
    await kernel.stop();
  }
});
