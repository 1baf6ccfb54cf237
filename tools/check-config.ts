// Which lines of a configuration the board would refuse, for flash.sh: the sim board starts with it as its saved settings,
// so that the firmware's own parser says it, and each refused line is then typed for its reason.
//
//    node --import=tsx tools/check-config.ts FILE      0: all are taken; 1: some are not, and are printed; else: not checked
//
// What depends on a board's cards, its WAN or its memory is not known here.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimBoard } from '../board/sim/board.ts';
import { simDisk } from '../board/sim/disk.ts';
import { memoryMedium } from '../hal/disk/ata-model.ts';
import { encodeConfig, putConfig } from '../image/records.ts';
import { CONFIG_TEXT_MAX, IMAGE_SECTORS, SECTOR_BYTES } from '../src/base/layout.ts';
import { PROMPT } from '../src/control/core/console/console.ts';

export interface Refused {
  /** Of the file, from 1 on. */
  number: number;
  why: string;
}

/** Ticks that a command may take: a password's hash is none of them. */
const PATIENCE_TICKS = 3000;
const SETTING = /^\s*se?t?\s/;
const PASSWORD = /^\s*se?t?\s+pas?s?w?o?r?d?\s/;
/** A row of `show refused`: the number of the line, empty ones not counted. */
const ROW = /^ *(\d+) {2}/;

/** A sim board with a saved text, and a way to type at it. */
async function boardWith(text: string): Promise<(line: string) => string[]> {
  const bytes = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
  putConfig(bytes, 0, encodeConfig(1, text));
  let said = '';
  const disk = simDisk(memoryMedium(bytes));
  const board = await createSimBoard({ onFrame() {}, onOutput: output => (said += output), disk });
  const settle = (): void => {
    for (let tick = 0; !said.endsWith(PROMPT); tick++) {
      if (tick === PATIENCE_TICKS) throw new Error(`The sim board does not come to its prompt: ${said}`);
      board.run();
      board.advance(1);
    }
  };
  settle();
  return line => {
    said = '';
    board.type(`${line}\r`);
    board.run();
    settle();
    return said.split('\r\n').slice(1, -1);
  };
}

/** Why a line is refused, in the console's words. */
function reasonOf(type: (line: string) => string[], line: string): string | undefined {
  if (!SETTING.test(line)) return `Cannot apply ${line}: it is no setting`;
  if (/[^\x20-\x7e]/.test(line)) return 'it has characters that no setting has';
  return type(line.replaceAll('?', '\x16?')).find(row => row.startsWith('Cannot '));
}

/** The lines of a text that the board would not take when it starts. */
export async function refusedLines(text: string): Promise<Refused[]> {
  const lines = text.split('\n');
  // A password would lock the console; its lines are typed instead.
  const open = lines.map(line => (PASSWORD.test(line) ? '#'.padEnd(line.length) : line));
  const type = await boardWith(open.join('\n'));
  type('set console pager off');
  const counted = [...lines.keys()].filter(i => lines[i] !== '');
  const refused = type('show refused').flatMap(row => {
    const at = counted[Number(ROW.exec(row)?.[1] ?? 0) - 1];
    return at === undefined ? [] : [at];
  });
  const found: Refused[] = [];
  for (const at of refused) {
    const line = (lines[at] as string).trim();
    const why = reasonOf(type, line) ?? `Cannot apply ${line}: it is not taken from a saved text`;
    found.push({ number: at + 1, why });
  }
  for (const [at, line] of lines.entries()) {
    const why = PASSWORD.test(line) ? reasonOf(type, line.trim()) : undefined;
    if (why !== undefined) found.push({ number: at + 1, why });
  }
  return found.sort((a, b) => a.number - b.number);
}

async function main(file: string | undefined): Promise<number> {
  const text = readFileSync(file ?? 0).toString('latin1');
  if (text.length > CONFIG_TEXT_MAX) throw new Error(`${text.length} characters are too many`);
  const refused = await refusedLines(text);
  for (const { number, why } of refused) process.stdout.write(`  line ${number}: ${why}\n`);
  return refused.length === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv[2]).then(
    status => process.exit(status),
    error => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(3);
    },
  );
}
