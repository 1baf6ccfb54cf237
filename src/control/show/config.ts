// `show config` and `export`: the settings as commands.

import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { isSafeMode } from '../core/facts.ts';
import { visible } from '../core/log.ts';
import { refusedIn } from '../core/store/refused.ts';
import type { Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';
import { isAsSaved } from '../core/store/unsaved.ts';
import { versionLine } from '../core/store/version.ts';

/** What a line is shown as: no secrets, and nothing that a terminal would take for a command. */
function shownBy({ registry }: Context): (line: string) => string {
  return line => visible(registry.shown(line));
}

/** Lines with marks: + is set and not saved, - is saved and not set any more. */
export function* showConfig(context: Context, store: Store): Job {
  const lines = context.registry.lines();
  if (!store.hasSettings) {
    for (const line of lines) context.output.line(shownBy(context)(line));
    return;
  }
  context.registry.write();
  const saved = yield* outcome(store.load());
  if (saved.text === undefined) context.output.line('# nothing is saved');
  const isSame = !isSafeMode() && isAsSaved(context.machine, saved);
  const kept = isSame ? [...lines, ...refusedIn(saved.text ?? '').map(({ line }) => line)] : saved.lines;
  yield* marked(context, lines, kept ?? []);
}

function* marked(context: Context, lines: readonly string[], saved: readonly string[]): Job {
  const { output } = context;
  const shown = shownBy(context);
  const kept = new Set(saved);
  for (const line of lines) {
    output.line(`${kept.has(line) ? ' ' : '+'} ${shown(line)}`);
    yield 0;
  }
  const now = new Set(lines);
  for (const line of saved) {
    if (!now.has(line)) output.line(`- ${shown(line)}`);
    yield 0;
  }
}

export function* exportConfig({ output, registry }: Context, isWhole: boolean): Job {
  output.line(versionLine());
  for (const line of registry.lines()) {
    const shown = registry.shown(line);
    output.line(isWhole || shown === line ? visible(line) : `# ${shown}: export secrets has it`);
    yield 0;
  }
}
