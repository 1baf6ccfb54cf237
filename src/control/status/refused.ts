// `show refused`: the saved lines that were not taken when the board started, each with its number, which is that of the
// line in the saved text, empty lines not counted. Why, is told of those that mean nothing; what a setting said of the
// first is in the log.

import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { visible } from '../core/log.ts';
import { refusedIn, refusedKey } from '../core/store/refused.ts';
import type { Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';

export function* showRefused({ noDisk, output, registry }: Context, store: Store): Job {
  if (!store.hasSettings) throw new Refusal(`Cannot show what was refused: ${noDisk}`);
  const { text, key, problems } = yield* outcome(store.load());
  for (const problem of problems) output.line(problem);
  if (text === undefined || key !== refusedKey()) {
    output.line(
      text === undefined ? 'Nothing is saved' : 'What is saved was saved since the start, and was taken',
    );
    return;
  }
  const refused = refusedIn(text);
  for (const { number, line } of refused) {
    output.line(`${String(number).padStart(4)}  ${visible(registry.shown(line))}`);
    yield 0;
  }
  output.line(
    refused.length === 0
      ? 'All saved lines were taken'
      : `${refused.length} lines were not taken; save forgets them`,
  );
}
