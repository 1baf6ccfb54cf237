// The same traffic through all that runs the plane: its JavaScript in Node, its WebAssembly in Node, the
// bundle under QuickJS on the sim board, and both engines of the booted 486. The CRC-32 of all of the plane's
// memory is compared after every BATCH frames. And the engine's check of itself, on the 486 and in Node.
// Not here: what the traffic reaches (src/control/debug/differential.test.ts).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createSimBoard } from '../board/sim/board.ts';
import { hex } from '../src/control/core/address.ts';
import { MORE } from '../src/control/core/console/screen.ts';
import { BATCH, runCapture, runTraffic } from '../src/control/debug/differential.ts';
import { GROUPS } from '../src/control/debug/selftest.ts';
import { type Build, javascriptBuild, wasmBuild } from '../tools/builds.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { Machine } from '../tools/harness/qemu.ts';
import { captureCommands, readCapture } from './fuzz/capture.ts';
import { IMAGE } from './harness/board-router.ts';

/** Bits of a seed choose settings (changes.ts); 16 starts with a full table, 31 has all of them; 32 sets rules. */
const SEEDS = [1, 6, 16, 31, 34, 61];
const FRAMES = 10 * BATCH;
const SECONDS = 400;
const CAPTURES = ['town.pcap'].map(name => join(import.meta.dirname, 'fuzz/corpus', name));

interface Outcome {
  native: string[];
  interpreted: string[];
  verdict: string;
}

/** The numbers in what a board has printed. */
function outcome(text: string): Outcome {
  const numbers = (engine: string) =>
    [...text.matchAll(new RegExp(`^differential ${engine} ([0-9a-f]{8})\\r?$`, 'gm'))].map(row => row[1]!);
  const verdict = /^differential (equal|DIFFERENT)/m.exec(text)?.[1] ?? 'none';
  return { native: numbers('native'), interpreted: numbers('interpreted'), verdict };
}

/** Types lines at the sim board's console until the pattern shows; answers all output. */
async function simRun(lines: readonly string[], until: RegExp): Promise<string> {
  let text = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: output => (text += output) });
  board.run();
  for (const line of lines) {
    board.type(`${line}\r`);
    board.run();
    if (MORE.test(text)) board.type('a');
    board.run();
  }
  for (let i = 0; i < 1000 && !until.test(text); i++) board.advance(1);
  return text;
}

async function boardRun(machine: Machine, lines: readonly string[]): Promise<string> {
  for (const line of lines.slice(0, -1)) await machine.console.command(line, SECONDS);
  machine.console.write(`${lines.at(-1)}\r`);
  const text = await machine.console.expect(/differential (equal|DIFFERENT)/, SECONDS);
  await machine.console.expect(PROMPT, SECONDS); // it has been reset
  return text;
}

/** Runs the same through all five, and compares. */
async function compare(
  t: import('ava').ExecutionContext,
  run: (build: Build) => Iterable<number>,
  lines: readonly string[],
  what: string,
): Promise<void> {
  const inNode = (build: Build): string[] => {
    build.use();
    return [...run(build)].map(crc => hex(crc, 8));
  };
  const expected = inNode(javascriptBuild());
  t.deepEqual(inNode(await wasmBuild()), expected, `${what}: WebAssembly in Node`);
  const all = { native: expected, interpreted: expected, verdict: 'equal' };
  t.deepEqual(outcome(await simRun(lines, /differential (equal|DIFF)/)), all, `${what}: sim board`);
  const said = await boardRun(machine!, lines);
  t.deepEqual(outcome(said), all, `${what}: 486, which said\n${said}`);
  t.true(new Set(expected).size > expected.length / 2, 'the memory hardly changes: nothing is compared');
}

let machine: Machine | undefined;

test.serial.before(async t => {
  t.timeout(SECONDS * 1000);
  machine = await Machine.start({ disk: IMAGE });
  await machine.console.expect(PROMPT, SECONDS);
});

test.after.always(async () => {
  await machine?.stop();
});

test.serial('the 486 finds the same as the embedded engine in Node when it checks itself', async t => {
  const node = await simRun(['debug selftest'], /selftest total .*\n/);
  const lines = (text: string) => text.replaceAll('\r', '').match(/^selftest .*$/gm) ?? [];
  t.is(lines(node).length, Object.keys(GROUPS).length + 1);
  t.deepEqual(lines(await machine!.console.command('debug selftest', SECONDS)), lines(node));
});

for (const seed of SEEDS) {
  test.serial(`all engines do the same with the traffic of seed ${seed}`, async t => {
    t.timeout(2 * SECONDS * 1000);
    const lines = [`debug differential ${seed} ${FRAMES}`];
    const run = ({ plane, memory }: Build) => runTraffic(plane, plane, memory, seed, FRAMES);
    await compare(t, run, lines, `seed ${seed}`);
  });
}

for (const file of CAPTURES) {
  test.serial(
    `all engines do the same with the frames of ${file.slice(file.lastIndexOf('/') + 1)}`,
    async t => {
      t.timeout(2 * SECONDS * 1000);
      const capture = readCapture(readFileSync(file));
      t.true(capture.arrivals.length > 100);
      const run = ({ plane, memory }: Build) =>
        runCapture(plane, plane, memory, capture.wanAddress, capture.arrivals);
      await compare(t, run, captureCommands(capture), file);
    },
  );
}
