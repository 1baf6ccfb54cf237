// `masqbox pull`: the board's configuration as text, which `masqbox push` brings to another board.
// The line may have noise, and a backup that is wrong is worse than none: it is read until two readings agree.

import { Failure, NO_ANSWER, REFUSED } from './failure.ts';
import type { Session } from './session.ts';

const READINGS = 4;
const FIRST = /^# masqbox configuration \d+$/;
/** What the log says meanwhile starts with another word and a colon. */
const SETTING = /^set \S/;

export async function pull(session: Session): Promise<string> {
  let last = '';
  for (let reading = 0; reading < READINGS; reading++) {
    const { rows, refusal } = await session.run('export');
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
