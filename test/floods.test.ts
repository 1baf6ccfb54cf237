// A well-behaved host beside floods, on the booted board at a 486DX2-66's speed: at least 95 % of its names, renewals, pings
// and packets. All floods with their figures: `npm run bench -- floods`. Time is the machine's own, so that a busy
// host makes the test longer and the floods thinner, and nobody's answers fewer.

import test from 'ava';
import { FLOODS, FloodLab } from './bench/floods.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const SECONDS = 4;
const ASKED_LEAST = 60;
const LEAST = 0.95;
/** Where a busy host holds the machine up, its cards lose what comes meanwhile, which no router could answer. */
const TRIES = 3;
/** One for each thing that is shared: places of a class, made-up sources, such as say ARP first, the processor, the way from outside. */
const CHOSEN = [
  'DNS queries, random names, one host',
  'DNS queries, one name, made-up hosts',
  'DNS queries, random names, 40 known stations',
  'DNS queries, one name, 150 known stations',
  'rubbish to port 67, 40 known stations',
  'SYN to port 53, made-up hosts',
  'DHCP DISCOVER, made-up stations',
  'ping, 2,000 bytes in fragments, one host',
  'UDP to closed ports, made-up hosts',
  'UDP to port 68 from the WAN',
];

test.serial('a host that asks little is answered beside every flood at 3,000 a second', async t => {
  t.timeout(TEST_MILLISECONDS);
  const lab = await FloodLab.create();
  try {
    for (const name of CHOSEN) {
      const flood = FLOODS.find(other => other.name === name);
      if (flood === undefined) throw new Error(`There is no flood called ${name}`);
      let told = '';
      let isHeard = false;
      for (let attempt = 0; attempt < TRIES && !isHeard; attempt++) {
        const { asked, answered, consoleTicks } = await lab.run(flood, SECONDS, ASKED_LEAST);
        const sum = (counts: object): number => Object.values(counts).reduce((a, b) => a + b);
        isHeard = sum(answered) >= LEAST * sum(asked) && consoleTicks < 200;
        told = `${JSON.stringify(answered)} of ${JSON.stringify(asked)}, the console took ${consoleTicks} ticks`;
      }
      t.true(isHeard, `${name}: ${told}`);
    }
  } finally {
    await lab.stop();
  }
});
