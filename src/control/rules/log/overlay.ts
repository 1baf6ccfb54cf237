// The overlay `rules/log`: lines of the packets that rules have logged, for the log, the console and the syslog receiver. Not here: which
// packets (src/plane/filter/rule-log.ts), the lines (line.ts, old-line.ts).

import { get8, i32at, put8, puti32 } from '../../../base/memory.ts';
import { LOG_KIND, LOG_LEVEL, logAt } from '../../../base/rule-log-record.ts';
import { OPERATION_LOG } from '../../../base/rule-record.ts';
import { LOG_LOST_AT, LOG_READ_AT, LOG_WRITTEN_AT } from '../../../base/rule-state.ts';
import type { Log } from '../../core/log.ts';
import { DEBUG, ERROR } from '../../core/log.ts';
import { DIALECT_IPFWADM, ownerOf } from '../old/dialect.ts';
import { logLine } from './line.ts';
import { chainsLine, fwadmLine } from './old-line.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/log': typeof import('./overlay.ts');
  }
}

export const FACILITY = 'firewall';

/** Whose rules logged it, its owner now has. */
function oldLine(record: number): string {
  return ownerOf() === DIALECT_IPFWADM ? fwadmLine(record) : chainsLine(record);
}

/** Writes a line of each packet that waits, and one of those for which there was no room. */
export function writeLog(log: Log): void {
  while (get8(LOG_READ_AT) !== get8(LOG_WRITTEN_AT)) {
    const record = logAt(get8(LOG_READ_AT));
    // Levels more serious than an error's are shown as one.
    const level = Math.min(DEBUG, Math.max(ERROR, get8(record + LOG_LEVEL)));
    const text = get8(record + LOG_KIND) === OPERATION_LOG ? logLine(record) : oldLine(record);
    put8(LOG_READ_AT, get8(LOG_READ_AT) + 1);
    log(level, FACILITY, text);
  }
  const lost = i32at(LOG_LOST_AT) >>> 0;
  if (lost === 0) return;
  puti32(LOG_LOST_AT, 0);
  log(ERROR + 1, FACILITY, `${lost} more packets were to be logged`);
}
