// `masqbox pull`: the board's configuration as text, which `masqbox push` brings to another board.
// The line may have noise, and a backup that is wrong is worse than none: it is read until two readings agree.

import { Failure, NO_ANSWER, REFUSED } from './failure.ts';
import type { Session } from './session.ts';

/** With the password's hash: a backup without it would make a board that anybody can use. */
const WHOLE = 'export secrets';
const READINGS = 4;
const FIRST = /^# masqbox configuration \d+$/;
/** What the log says meanwhile starts with another word and a colon. */
const SETTING = /^set \S/;

export async function pull(session: Session): Promise<string> {
  let last = '';
  let command = WHOLE;
  for (let reading = 0; reading < READINGS; reading++) {
    let { rows, refusal } = await session.run(command);
    if (refusal !== undefined && command === WHOLE) {
      // Firmware of before has no other export than the whole.
      command = 'export';
      ({ rows, refusal } = await session.run(command));
    }
    if (refusal !== undefined) throw new Failure(refusal, REFUSED);
    const text = configurationOf(rows);
    if (text !== '' && text === last) return text;
    last = text;
  }
  throw new Failure(`Cannot read the configuration: ${READINGS} readings all differ`, NO_ANSWER);
}

/** The configuration in what `export` printed; '' if its first line is missing. */
export function configurationOf(rows: readonly string[]): string {
  const first = rows.findIndex(row => FIRST.test(row));
  if (first < 0) return '';
  const settings = rows.slice(first + 1).filter(row => SETTING.test(row));
  return `${[rows[first], ...settings].join('\n')}\n`;
}
