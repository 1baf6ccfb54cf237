// Text in the plane's memory, for control: finding lines without making strings of them, which costs it thousands of
// instructions a line. Not here: reading a line (src/control/core/store/line-reader.ts), going on until the text's end
// (src/control/core/store/text.ts).

import { FIND_BYTES } from './limits.ts';
import { get8 } from './memory.ts';

const TAB: i32 = 9;
const LINE_FEED: i32 = 10;
const BLANK: i32 = 32;

/** The state of a search: the rest of the line is of no account. */
const SKIPPED: i32 = 3;

/**
 * The start of the first line in the text from `at` (a line's start) to `end` whose first word begins with one letter and
 * whose second with the other; `end` if there is none. Looks at FIND_BYTES bytes and answers a negative number if there are more: with that
 * for `at` it goes on.
 */
export function findLine(at: i32, end: i32, first: i32, second: i32): i32 {
  const from: i32 = at >= 0 ? at : ~at >> 1;
  // What comes next: 0 the first word, 1 its end, 2 the second word, 3 the line's end.
  let state: i32 = at >= 0 || (~at & 1) === 0 ? 0 : SKIPPED;
  let start: i32 = from;
  const to: i32 = end - from > FIND_BYTES ? from + FIND_BYTES : end;
  for (let p: i32 = from; p < to; p++) {
    const c: i32 = get8(p);
    if (c === LINE_FEED) {
      start = p + 1;
      state = 0;
    } else if (state === 1) {
      if (c === BLANK || c === TAB) state = 2;
    } else if (state !== SKIPPED && c !== BLANK && c !== TAB) {
      if (state === 2 && c === second) return start;
      state = state === 0 && c === first ? 1 : SKIPPED;
    }
  }
  if (to === end) return end;
  // A line of which too little was seen is looked at again; one that is longer than all that is nobody's.
  if (state !== SKIPPED && start > from) return ~(start << 1);
  return ~((to << 1) | 1);
}
