// `masqbox push FILE`: types a file's lines at the prompt, each when the one before has been taken, and stops at the
// first that the board refuses. Empty lines and comments stay here.

import { Failure, REFUSED, USAGE } from './failure.ts';
import type { Session } from './session.ts';

export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

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
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const odd = lines.find(line => /[\0-\x1f\x7f]/.test(line.text));
  if (odd !== undefined) {
    throw new Failure(
      `Cannot push ${name}: line ${odd.number} has a control character, so it is no text`,
      USAGE,
    );
  }
  for (const line of lines) {
    const { rows, refusal } = await session.run(keysOf(line.text));
    if (refusal !== undefined) throw new Failure(refusalText(name, line, rows), REFUSED);
    taken(line, rows);
  }
  return lines.length;
}

/** What the console says of a line, its mark under the wrong word included. */
function refusalText(name: string, line: NumberedLine, rows: readonly string[]): string {
  const said = rows.filter(row => row !== '').map(row => `  ${row}`);
  const what = `Line ${line.number} of ${name} is refused; those before it are in force, those after it were not sent:`;
  return [what, `  masqbox> ${line.text}`, ...said].join('\n');
}
