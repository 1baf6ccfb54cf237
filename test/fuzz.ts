// Long fuzz runs: npm run fuzz [SECONDS] [SEED]. Frames, the driver, the console, lines of rules, and, as root, rules against the kernel's in turn,
// each round with the next seed, until the time is over. A failure is printed with its seed; frames that fail are cut down and kept in
// test/fuzz/corpus/, where the suite replays them from then on.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { consoleFuzzer } from './fuzz/console.ts';
import { driverFuzzer } from './fuzz/driver.ts';
import { formatCase, frameFuzzer } from './fuzz/frames.ts';
import { tryRuleLines } from './fuzz/rule-lines.ts';
import { KernelRouter } from './harness/kernel-router.ts';
import { compareRules } from './kernel-rules.ts';

const CORPUS = join(import.meta.dirname, 'fuzz/corpus');
const FRAMES = 1000;
const STEPS = 500;
const LINES = 30;
const RULE_LINES = 2000;
/** Rule sets of a round, and packets under each. */
const SETS = 10;
const PACKETS = 60;

function numberOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  process.stderr.write(`Cannot fuzz: ${text} is no number; the form is npm run fuzz -- [SECONDS] [SEED]\n`);
  process.exit(2);
}

const seconds = numberOf(process.argv[2], 60);
const first = numberOf(process.argv[3], 1 + Math.floor(Math.random() * 0x7fff_fffe));
console.log(`Fuzzing for ${seconds} s, from seed ${first} on`);
const frames = await frameFuzzer();
const driver = await driverFuzzer();
const terminal = await consoleFuzzer();
const kernel = process.getuid?.() === 0 ? await KernelRouter.start() : undefined;
const end = performance.now() + 1000 * seconds;
let seed = first;
let failures = 0;
for (; performance.now() < end; seed = (seed + 1) & 0x7fffffff) {
  const failed = frames.run(seed, FRAMES);
  if (failed !== undefined) {
    const file = join(CORPUS, `seed-${seed}.frames`);
    writeFileSync(file, formatCase(failed));
    console.log(`frames, seed ${seed}: ${failed.fault}\nkept ${failed.arrivals.length} frames in ${file}`);
  }
  const hung = driver.run(seed, STEPS);
  if (hung !== undefined) console.log(`driver, seed ${seed}: ${hung}`);
  const died = terminal.run(seed, LINES);
  if (died !== undefined) console.log(`console, seed ${seed}: ${died}`);
  const { fault } = tryRuleLines(seed, RULE_LINES);
  if (fault !== '') console.log(`lines: ${fault}`);
  if (fault !== '') failures++;
  for (let i = 0; i < SETS && kernel !== undefined; i++) {
    const differs = await compareRules(kernel, (seed * SETS + i) & 0x7fffffff, PACKETS);
    if (differs !== '') console.log(`rules: ${differs}`);
    if (differs !== '') failures++;
  }
  failures += [failed, hung, died].filter(fault => fault !== undefined).length;
}
await kernel?.stop();
console.log(`${failures} failures in ${seed - first} rounds; the next seed is ${seed}`);
process.exitCode = failures === 0 ? 0 : 1;
