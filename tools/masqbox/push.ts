// `masqbox push FILE`: types a file's lines at the prompt, each when the one before has been taken, and stops at the
// first that the board refuses. Empty lines and comments stay here. With `--replace` the board takes all or none
// (`import`, src/control/setup/import.ts).

import { crc32 } from 'node:zlib';
import { CONFIG_TEXT_MAX } from '../../src/base/layout.ts';
import { LINE_LIMIT } from '../../src/control/core/console/line-editor.ts';
import { IMPORT_BEGUN } from '../../src/control/setup/import.ts';
import { Failure, REFUSED, USAGE } from './failure.ts';
import type { Session } from './session.ts';

export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/** A board that replaces hundreds of settings says nothing meanwhile. */
const REPLACE_MILLISECONDS = 60_000;
/** Comments that mean something to the board. */
const MEANT = /^# (masqbox configuration|set password )/;

/** The lines that are typed. A tab would ask for completion, so it becomes a blank. */
export function linesOf(text: string): NumberedLine[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ number: i + 1, text: line.replaceAll('\t', ' ').trim() }))
    .filter(line => line.text !== '' && !line.text.startsWith('#'));
}

/** A line as keys: `?` would ask for help, so ^V goes before it. The console takes UTF-8. */
function keysOf(line: string): string {
  return Buffer.from(line.replaceAll('?', '\x16?'), 'utf8').toString('latin1');
}

/**
 * Types a file's lines. Answers what the board printed about them.
 * @param name the file's, for messages
 * @param taken called after each line, with what was printed
 */
export async function push(
  session: Session,
  name: string,
  text: string,
  taken: (line: NumberedLine, rows: readonly string[]) => void = () => {},
): Promise<number> {
  const lines = linesOf(text);
  refuseOdd(name, lines);
  for (const line of lines) {
    const { rows, refusal } = await session.run(keysOf(line.text));
    if (refusal !== undefined) throw new Failure(refusalText(name, line, rows), REFUSED);
    taken(line, rows);
  }
  return lines.length;
}

/** Refuses what the console's editor would take for keys. */
function refuseOdd(name: string, lines: readonly NumberedLine[]): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const odd = lines.find(line => /[\0-\x1f\x7f]/.test(line.text));
  if (odd !== undefined) {
    throw new Failure(
      `Cannot push ${name}: line ${odd.number} has a control character, so it is no text`,
      USAGE,
    );
  }
}

/** Makes the board's settings equal to a file's lines; answers what the board says. It takes all, or none. */
export async function replace(session: Session, name: string, text: string): Promise<readonly string[]> {
  const settings = linesOf(text);
  refuseOdd(name, settings);
  const fail = (why: string, status: number): never => {
    throw new Failure(`Cannot replace the settings by ${name}: ${why}`, status);
  };
  const bytes = (line: string): number => Buffer.byteLength(line) + 1;
  // An export of a board as it comes has its first line at least.
  if (text.trim() === '') fail('it is empty', USAGE);
  const long = settings.find(line => bytes(line.text) > LINE_LIMIT);
  if (long !== undefined) fail(`line ${long.number} is longer than ${LINE_LIMIT} bytes`, USAGE);
  const size = settings.reduce((sum, line) => sum + bytes(line.text), 0);
  if (size > CONFIG_TEXT_MAX) fail(`it has ${size} characters, and ${CONFIG_TEXT_MAX} fit`, USAGE);
  if (settings.some(line => line.text === 'end')) fail('end is no setting', USAGE);
  // Lines keep their numbers, so that the board's errors have those of the file.
  const sent = text.split(/\r?\n/).map(line => (MEANT.test(line) ? line.trim() : ''));
  for (const line of settings) sent[line.number - 1] = line.text;
  const latin1 = sent.map(line => Buffer.from(line, 'utf8').toString('latin1'));
  const sum = crc32(Buffer.from(latin1.map(line => `${line}\n`).join(''), 'latin1'));
  await session.type(`import ${latin1.length} ${sum.toString(16).padStart(8, '0')}\r`);
  const seen = await session.expect(
    new RegExp(`${IMPORT_BEGUN.replaceAll('^', '\\^')}\r\n|Cannot [^\r\n]*\r\n`),
  );
  if (seen === undefined || seen.match[0].startsWith('Cannot ')) {
    const said = seen?.match[0].trim() ?? 'it does not answer';
    return fail(`the board says: ${said}`, REFUSED);
  }
  const { rows, refusal } = await session.run([...latin1, 'end'].join('\r'), REPLACE_MILLISECONDS);
  // Each line that the board takes in silence is an empty row.
  const said = rows.filter(row => row !== '');
  if (refusal !== undefined) {
    const what = `${name} was refused, and the board is as it was:`;
    throw new Failure([what, ...said.map(row => `  ${row}`)].join('\n'), REFUSED);
  }
  return said;
}

/** What the console says of a line, its mark under the wrong word included. */
function refusalText(name: string, line: NumberedLine, rows: readonly string[]): string {
  const said = rows.filter(row => row !== '').map(row => `  ${row}`);
  const what = `Line ${line.number} of ${name} is refused; those before it are in force, those after it were not sent:`;
  return [what, `  masqbox> ${line.text}`, ...said].join('\n');
}
