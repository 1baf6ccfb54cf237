// What the console asks of the schema. Not here: who answers (../../schema/line-help.ts), an overlay.

import type { Job } from './command.ts';
import type { Output } from './output.ts';

export interface LineHelp {
  /** What TAB adds behind `before`, or rows of what it could be. */
  complete(before: string): { add: string; rows: string[] };
  /** Rows of what may come next, for `?`. */
  hints(before: string): string[];
  /** The row under a wrong line: a caret below the word at fault, and what was expected. Undefined: no fault. */
  mark(line: string, column: number): string | undefined;
  help(output: Output, words: string[]): Job;
}
