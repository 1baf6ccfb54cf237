// `show refused`: the saved lines that were not taken when the board started, each with its number, which is that of the
// line in the saved text, empty lines not counted. Why, is told of those that mean nothing; what a setting said of the
// first is in the log.

import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { visible } from '../core/log.ts';
import { isRefused, refusedKey } from '../core/store/refused.ts';
import type { Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';

/** Lines that are in the heap at a time: the text is read anew for more. */
const AT_ONCE = 128;

export interface Refused {
  number: number;
  line: string;
}

/** The saved lines that were refused, some at a time; what is saved must be what the board started with. */
export function* refusedLines(store: Store, use: (line: Refused) => void): Generator<number, number, void> {
  let count = 0;
  for (let last = 0; ; ) {
    const some: Refused[] = [];
    const visit = (line: string, number: number): void => {
      if (number > last && some.length < AT_ONCE && isRefused(number)) some.push({ number, line });
    };
    yield* outcome(store.load(visit));
    for (const refused of some) {
      use(refused);
      yield 0;
    }
    count += some.length;
    if (some.length < AT_ONCE) return count;
    last = (some.at(-1) as Refused).number;
  }
}

export function* showRefused({ noDisk, output, registry }: Context, store: Store): Job {
  if (!store.hasSettings) throw new Refusal(`Cannot show what was refused: ${noDisk}`);
  const { bytes, key, problems } = yield* outcome(store.load());
  for (const problem of problems) output.line(problem);
  if (bytes === undefined || key !== refusedKey()) {
    output.line(
      bytes === undefined ? 'Nothing is saved' : 'What is saved was saved since the start, and was taken',
    );
    return;
  }
  const count = yield* refusedLines(store, ({ number, line }) => {
    output.line(`${String(number).padStart(4)}  ${visible(registry.shown(line))}`);
  });
  output.line(
    count === 0 ? 'All saved lines were taken' : `${count} lines were not taken; save forgets them`,
  );
}
