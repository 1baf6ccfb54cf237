// `npm run manual`: writes the commands into docs/console.md, from the table that the console itself parses, completes and
// helps by. What stands above MARK is written by hand and stays.
// manual.test.ts fails when the file is not what this gives.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, usage } from '../src/control/core/console/command.ts';
import { helpText } from '../src/control/schema/help-texts.ts';
import { helpOf } from '../src/control/schema/line-help.ts';
import { consoleTable } from './console-table.ts';

export const MANUAL_PATH = fileURLToPath(new URL('../docs/console.md', import.meta.url));
const MARK = '<!-- From here on by npm run manual. -->\n';
const COLUMNS = 120;

/** Chapters by a line's first word; the last has all other commands. */
const CHAPTERS: readonly [word: string, title: string, text: string][] = [
  ['set', 'Settings', 'What is set is in force at once, and kept over a reset by `save`.'],
  ['show', 'Looking', '`watch` repeats each of these every two seconds.'],
  ['debug', 'Looking for faults', 'Some of these stop the router for a while, or start it again.'],
  ['', 'Other commands', 'In the order in which `help` lists them.'],
];

/** The manual with the commands of today, from a manual of before. */
export function manual(before: string): string {
  const at = before.indexOf(MARK);
  if (at < 0) throw new Error(`Cannot make the manual: ${MANUAL_PATH} has no line ${MARK.trim()}`);
  return before.slice(0, at) + MARK + chapters(consoleTable());
}

function chapters(table: readonly Command[]): string {
  const unset = new Map(table.map(command => [command.words.replace(/^unset /, 'set '), command]));
  const named = CHAPTERS.map(([word]) => word);
  let text = '';
  for (const [word, title, about] of CHAPTERS) {
    const own = table.filter(({ words }) => {
      const first = words.split(' ')[0] as string;
      return first !== 'unset' && (named.includes(first) ? first : '') === word;
    });
    text += `\n## ${title}\n\n${about}\n`;
    for (const command of own) {
      const back = word === 'set' ? unset.get(command.words) : undefined;
      text += entry(command, back === command ? undefined : back);
    }
  }
  return text;
}

/** A command: what `help COMMAND` says, and what takes it back. */
function entry(command: Command, back: Command | undefined): string {
  const [form = '', about = '', ...rest] = helpOf(command).map(row => row.trim());
  const example = rest.pop()?.replace(/^as in: /, '') ?? '';
  const parameters = rest.map(row => `${wrapped(`- ${row}`, 2)}\n`).join('');
  const text = `\n### \`${form}\`\n\n${wrapped(sentence(about), 0)}\n${parameters === '' ? '' : `\n${parameters}`}`;
  const asIn = example === form ? '' : `\n    ${example}\n`;
  return (
    text +
    asIn +
    (back === undefined
      ? ''
      : `\n${wrapped(`\`${usage(back)}\` ${sentence(helpText(back.help), false)}`, 0)}\n`)
  );
}

function sentence(help: string, isFirst = true): string {
  return `${isFirst ? help.charAt(0).toUpperCase() + help.slice(1) : help}.`;
}

function wrapped(text: string, indent: number): string {
  const rows = [''];
  for (const word of text.split(' ')) {
    const row = rows[rows.length - 1] as string;
    const longer = row === '' ? word : `${row} ${word}`;
    if (longer.length <= COLUMNS) rows[rows.length - 1] = longer;
    else rows.push(' '.repeat(indent) + word);
  }
  return rows.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(MANUAL_PATH, manual(readFileSync(MANUAL_PATH, 'utf8')));
}
