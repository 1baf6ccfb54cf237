// What the console asks of the schema, as text for the terminal: completion, `?`, the mark under a wrong word, and
// the `help` command. Nothing of it is needed to run a line.
// Not here: what may stand where (schema.ts).

import { type Command, commandsUnder, type Job, Refusal, usage } from '../core/console/command.ts';
import type { LineHelp } from '../core/console/line-help.ts';
import type { Output } from '../core/console/output.ts';
import { parametersOf } from './grammar.ts';
import { exampleIn, helpText } from './help-texts.ts';
import { complete, faultOf, hintsAt, type Known } from './schema.ts';
import { describe, exampleOf } from './types.ts';

/** Columns of a terminal that are written: the last may wrap. */
const COLUMNS = 79;
/** Column at which the help text starts. */
const HELP_COLUMN = 38;
const INDENT = '  ';

export function createLineHelp(table: readonly Command[], known: Known): LineHelp {
  return {
    complete: before => {
      const { add, candidates } = complete(table, before, known);
      return { add, rows: columns(candidates) };
    },
    hints: before => {
      const hints = hintsAt(table, before);
      if (hints.length === 0) return [`${INDENT}nothing that starts so; take the last word back`];
      return hints.flatMap(({ form, help }) => rows(`${INDENT}${form}`, help));
    },
    mark: (line, column) => {
      const fault = faultOf(table, line);
      return fault === undefined ? undefined : markRow(column + fault.offset, fault.expected);
    },
    help: (output, words) => helpRows(table, output, words),
  };
}

const EXPECTED = 'expected: ';

/** The caret and the text, whichever side of it has room, or below. */
function markRow(at: number, expected: string): string {
  const text = EXPECTED + expected;
  const space = ' '.repeat(Math.max(0, at));
  const below = wrapped(text, INDENT, INDENT.length + EXPECTED.length).join('\r\n');
  // A long line is seen through a window, and its word may be outside.
  if (at < 0 || at >= COLUMNS) return below;
  if (at + 2 + text.length <= COLUMNS) return `${space}^ ${text}`;
  if (text.length + 3 <= at) return `${`${INDENT}${text} `.padStart(at)}^`;
  return `${space}^\r\n${below}`;
}

/** Text behind what a row has already, in as many rows as it takes; the others start at a column. */
function wrapped(text: string, start: string, column: number): string[] {
  const all: string[] = [];
  let row = start;
  for (const word of text.split(' ')) {
    if (row.length + word.length > COLUMNS) {
      all.push(row.trimEnd());
      row = ' '.repeat(column);
    }
    row += `${word} `;
  }
  return [...all, row.trimEnd()];
}

/** A form and its meaning, beside or below it. */
function rows(form: string, help: string): string[] {
  const isLong = form.length >= HELP_COLUMN;
  const below = wrapped(help, (isLong ? '' : form).padEnd(HELP_COLUMN), HELP_COLUMN);
  return isLong ? [...wrapped(form.trimStart(), INDENT, 2 * INDENT.length), ...below] : below;
}

/** Words side by side. */
function columns(words: readonly string[]): string[] {
  const width = Math.max(0, ...words.map(word => word.length)) + 2;
  const each = Math.max(1, Math.floor((COLUMNS - INDENT.length) / width));
  const all: string[] = [];
  for (let i = 0; i < words.length; i += each) {
    const row = words.slice(i, i + each).map(word => word.padEnd(width));
    all.push((INDENT + row.join('')).trimEnd());
  }
  return all;
}

function* helpRows(table: readonly Command[], output: Output, words: string[]): Job {
  const found = commandsUnder(table, words);
  const whole = found.find(command => command.words === words.join(' '));
  if (found.length === 0) throw new Refusal(`Cannot help with ${words.join(' ')}: there is no such command`);
  const [only = whole] = found.length === 1 ? found : [];
  if (only !== undefined) {
    for (const row of helpOf(only)) output.line(row);
    if (found.length > 1) output.line('');
  }
  for (const command of found.length === 1 ? [] : found) {
    for (const row of rows(usage(command), helpText(command.help))) output.line(row);
    yield 0;
  }
  if (words.length === 0) output.line('? at any point of a line says what may come next, TAB completes it');
}

/** All that is to be said of one command. */
export function helpOf(command: Command): string[] {
  const parameters = parametersOf(command);
  const list = parameters.map(parameter => {
    const times = parameter.times > 1 ? `, up to ${parameter.times}` : '';
    return `${INDENT}${describe(parameter)}${parameter.optional ? ', may be left out' : ''}${times}`;
  });
  return [
    usage(command),
    `${INDENT}${helpText(command.help)}`,
    ...list,
    `${INDENT}as in: ${exampleFor(command)}`,
  ];
}

/** A line that would do: with the arguments that stand behind the help text, or what their types have for an example. */
export function exampleFor(command: Command): string {
  const own = exampleIn(command.help) ?? parametersOf(command).map(exampleOf).join(' ');
  return `${command.words} ${own}`.trim();
}
