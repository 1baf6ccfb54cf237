// Lines of rules, whole and bent, read and written back by both builds of the plane, which must leave the same memory and the same text. Not here: whether
// that is what control makes of them (src/control/rules/reader.test.ts).

import test from 'ava';
import { ruleSet } from '../../../test/rule-cases.ts';
import { startRules } from '../../../test/rule-lab.ts';
import { type Build, javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { type Random, runSeed, seeded } from '../../../tools/harness/random.ts';
import { RULES_AT, RULES_BYTES } from '../../base/limits.ts';
import { fill, put8 } from '../../base/memory.ts';
import { RULE_TEXT_AT, RULE_TEXT_BYTES } from '../../base/rule-limits.ts';
import * as R from '../../base/rule-record.ts';

const SETS = 300;
const FIRST_SET = 1;
const NAMES = ['lan', 'wan', 'w+'];
const TABLES: Record<string, [number, Record<string, number>]> = {
  '*filter': [R.TABLE_FILTER, { INPUT: R.CHAIN_INPUT, FORWARD: R.CHAIN_FORWARD, OUTPUT: R.CHAIN_OUTPUT }],
  '*nat': [
    R.TABLE_NAT,
    { PREROUTING: R.CHAIN_NAT_PREROUTING, POSTROUTING: R.CHAIN_NAT_POSTROUTING, OUTPUT: R.CHAIN_NAT_OUTPUT },
  ],
  '*mangle': [
    R.TABLE_MANGLE,
    {
      PREROUTING: R.CHAIN_MANGLE_PREROUTING,
      INPUT: R.CHAIN_MANGLE_INPUT,
      FORWARD: R.CHAIN_MANGLE_FORWARD,
      OUTPUT: R.CHAIN_MANGLE_OUTPUT,
      POSTROUTING: R.CHAIN_MANGLE_POSTROUTING,
    },
  ],
};
/** What the sets have little of. */
const MORE = [
  '-A FORWARD -m state --state NEW -m limit --limit 3/min --limit-burst 7 -j LOG --log-prefix "new: " --log-level 6',
  '-A INPUT -p icmp -m icmp --icmp-type 3/4 -m conntrack ! --ctstate INVALID,RELATED -j REJECT --reject-with icmp-host-prohibited',
  '-A u0 -p tcp -m multiport ! --sports 1:7,9,65535 -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -g u1',
];

function putText(at: number, text: string): number {
  for (let i = 0; i < text.length; i++) put8(at + i, text.charCodeAt(i));
  return text.length;
}

/** A line with a letter changed, taken away or put in. */
function bent(line: string, random: Random): string {
  const at = random.below(line.length);
  const letters = ' !-:/,.0123456789"\\aA\tz';
  const kind = random.below(3);
  const letter = kind === 0 ? '' : letters.charAt(random.below(letters.length));
  return line.slice(0, at) + letter + line.slice(at + (kind === 2 ? 0 : 1));
}

function lines(seed: number): [number, string][] {
  const random = seeded(seed);
  const all: [number, string][] = [];
  for (let i = 0; i < SETS; i++) {
    let table = 0;
    for (const line of ruleSet(random, i).lines) {
      const begins = TABLES[line];
      if (begins !== undefined) [table] = begins;
      else if (line.startsWith('-A')) all.push([table, line], [table, bent(line, random)]);
    }
  }
  for (const line of MORE) {
    all.push([R.TABLE_FILTER, line]);
    for (let i = 0; i < 300; i++) all.push([R.TABLE_FILTER, bent(line, random)]);
  }
  return all;
}

/** What a build answers to each line, and the memory that it leaves each time, as a sum. */
function played(build: Build, all: readonly [number, string][]): { said: string[]; taken: number } {
  const { plane, memory } = build;
  build.use();
  startRules(plane);
  for (const [name, n] of NAMES.map((text, i): [string, number] => [text, i + 1])) putText(R.nameAt(n), name);
  for (const [, chains] of Object.values(TABLES))
    for (const [name, chain] of Object.entries(chains)) putText(R.chainAt(chain), name);
  for (let i = 0; i < 3; i++) putText(R.chainAt(plane.chainNew(R.TABLE_FILTER)), `u${i}`);
  let taken = 0;
  const said = all.map(([table, line]) => {
    fill(RULE_TEXT_AT, 0, RULE_TEXT_BYTES);
    const read = plane.ruleRead(RULE_TEXT_AT, putText(RULE_TEXT_AT, line), table, 0);
    const rule = read & 0xffff;
    let text = `${read}`;
    if (read !== 0) {
      taken++;
      const cell = R.cellAt(rule);
      text += ` ${Buffer.from(memory.slice(cell, cell + 64)).toString('hex')}`;
      const end = plane.ruleWrite(rule, table, read >> 16, RULE_TEXT_AT);
      text += ` ${Buffer.from(memory.slice(RULE_TEXT_AT, Math.max(RULE_TEXT_AT, end))).toString('latin1')}`;
      plane.cellGive(rule);
    }
    return `${line}: ${text}`;
  });
  return { said, taken };
}

test('whatever a line, both builds read it alike, write it alike and leave the same memory', async t => {
  const builds = [javascriptBuild(), await wasmBuild()] as const;
  const all = lines(runSeed() + FIRST_SET);
  const [javascript, wasm] = builds.map(build => played(build, all));
  for (const [i, said] of (javascript?.said ?? []).entries())
    if (said !== wasm?.said[i]) t.is(wasm?.said[i], said);
  const [a, b] = builds.map(build => build.memory.slice(RULES_AT, RULES_AT + RULES_BYTES));
  t.true(Buffer.compare(a as Uint8Array, b as Uint8Array) === 0, 'the memory differs');
  const { taken = 0 } = javascript ?? {};
  t.log(`${taken} of ${all.length} lines were the plane's`);
  t.true(taken > all.length / 10);
});
