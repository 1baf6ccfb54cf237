// Text in the plane's memory, for control: finding lines without making strings of them, which costs it thousands of
// instructions a line. Not here: reading a line (src/control/core/store/line-reader.ts).

import { get8 } from './memory.ts';

const TAB: i32 = 9;
const LINE_FEED: i32 = 10;
const BLANK: i32 = 32;

/**
 * The start of the first line in the text from `at` (a line's start) to `end` whose first word begins with one letter and
 * whose second with the other; `end` if there is none.
 */
export function findLine(at: i32, end: i32, first: i32, second: i32): i32 {
  let start: i32 = at;
  // What comes next: 0 the first word, 1 its end, 2 the second word, 3 the line's end.
  let state: i32 = 0;
  for (let p: i32 = at; p < end; p++) {
    const c: i32 = get8(p);
    if (c === LINE_FEED) {
      start = p + 1;
      state = 0;
    } else if (state === 1) {
      if (c === BLANK || c === TAB) state = 2;
    } else if (state !== 3 && c !== BLANK && c !== TAB) {
      if (state === 2 && c === second) return start;
      state = state === 0 && c === first ? 1 : 3;
    }
  }
  return end;
}
