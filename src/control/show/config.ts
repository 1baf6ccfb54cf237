// `show config` and `export`: the settings as commands.

import { DISK_BUFFER_AT, DISK_BUFFER_BYTES } from '../../base/limits.ts';
import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { isSafeMode } from '../core/facts.ts';
import { visible } from '../core/log.ts';
import type { Store } from '../core/store/store-types.ts';
import { outcome } from '../core/store/tasks.ts';
import { putText } from '../core/store/text.ts';
import { isAsSaved } from '../core/store/unsaved.ts';
import { versionLine } from '../core/store/version.ts';

/** Lines that are in the heap at a time: the text is read anew for more. */
const AT_ONCE = 128;

/** What a line is shown as: no secrets, and nothing that a terminal would take for a command. */
function shownBy({ registry }: Context): (line: string) => string {
  return line => visible(registry.shown(line));
}

/** Lines with marks: + is set and not saved, - is saved and not set any more. */
export function* showConfig(context: Context, store: Store): Job {
  const { output, registry } = context;
  const lines = registry.lines();
  const shown = shownBy(context);
  if (!store.hasSettings) {
    for (const line of lines) output.line(shown(line));
    yield* eachOrdered(context, line => output.line(shown(line)));
    return;
  }
  registry.write();
  const sums = new Sums(context);
  const saved = yield* outcome(
    store.load((line, _, section, at) => {
      if (section >= 0) sums.note(line, at);
    }),
  );
  if (saved.bytes === undefined) output.line('# nothing is saved');
  const isSame = !isSafeMode() && isAsSaved(context.machine, saved);
  const kept = isSame ? lines : (saved.lines ?? []);
  yield* markedNow(context, lines, kept);
  sums.close();
  yield* eachOrdered(context, (line, at) => {
    const isKept = isSame || saved.isSameSections || sums.has(line, at);
    output.line(`${isKept ? ' ' : '+'} ${shown(line)}`);
  });
  yield* markedGone(context, lines, kept);
  if (!isSame && !saved.isSameSections) yield* goneOrdered(context, store);
  if (isSame && saved.bytes !== undefined)
    yield* context.machine
      .overlay('status')
      .refusedLines(store, ({ line }) => output.line(`- ${shown(line)}`));
}

function* markedNow(context: Context, lines: readonly string[], saved: readonly string[]): Job {
  const { output } = context;
  const shown = shownBy(context);
  const kept = new Set(saved);
  for (const line of lines) {
    output.line(`${kept.has(line) ? ' ' : '+'} ${shown(line)}`);
    yield 0;
  }
}

function* markedGone(context: Context, lines: readonly string[], saved: readonly string[]): Job {
  const { output } = context;
  const shown = shownBy(context);
  const now = new Set(lines);
  for (const line of saved) {
    if (!now.has(line)) output.line(`- ${shown(line)}`);
    yield 0;
  }
}

/** The lines of the sections, one at a time: there may be a thousand. */
function* eachOrdered({ registry }: Context, use: (line: string, at: number) => void): Job {
  const { sections } = registry;
  const reader = sections.reader(sections.now);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    use(line, reader.lineAt);
    yield 0;
  }
}

/** Those that are saved and not in force any more, some at a time. */
function* goneOrdered(context: Context, store: Store): Job {
  const sums = new Sums(context);
  yield* eachOrdered(context, (line, at) => sums.note(line, at));
  sums.close();
  const shown = shownBy(context);
  for (let last = 0; ; ) {
    const some: { line: string; number: number }[] = [];
    const visit = (line: string, number: number, section: number, at: number): void => {
      if (section >= 0 && number > last && some.length < AT_ONCE && !sums.has(line, at))
        some.push({ line, number });
    };
    yield* outcome(store.load(visit));
    for (const { line } of some) {
      context.output.line(`- ${shown(line)}`);
      yield 0;
    }
    if (some.length < AT_ONCE) return;
    last = some.at(-1)?.number as number;
  }
}

/**
 * Sums of lines, four bytes each in place of a text: which of a thousand are on both sides. Of two thousand lines two are taken for
 * each other once in two thousand times, and then a mark is missing; nothing but the listing is made by it.
 */
class Sums {
  private readonly noted: number[] = [];
  private sums = new Int32Array(0);

  constructor(private readonly context: Context) {}

  note(line: string, at: number): void {
    this.noted.push(this.of(line, at));
  }

  close(): void {
    this.sums = Int32Array.from(this.noted).sort();
    this.noted.length = 0;
  }

  has(line: string, at: number): boolean {
    const sum = this.of(line, at);
    let [from, to] = [0, this.sums.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.sums[middle] as number) < sum) from = middle + 1;
      else to = middle;
    }
    return this.sums[from] === sum;
  }

  /** @param at where the line lies, or 0 */
  private of(line: string, at: number): number {
    const { memory, plane } = this.context.machine;
    if (at !== 0) return plane.crc32(0, at, line.length) | 0;
    let sum = 0;
    for (let from = 0; from < line.length; from += DISK_BUFFER_BYTES) {
      const bytes = putText(memory, DISK_BUFFER_AT, line.slice(from, from + DISK_BUFFER_BYTES));
      sum = plane.crc32(sum, DISK_BUFFER_AT, bytes);
    }
    return sum | 0;
  }
}

export function* exportConfig(context: Context, isWhole: boolean): Job {
  const { output, registry } = context;
  output.line(versionLine());
  for (const line of registry.lines()) {
    const shown = registry.shown(line);
    output.line(isWhole || shown === line ? visible(line) : `# ${shown}: export secrets has it`);
    yield 0;
  }
  yield* eachOrdered(context, line => output.line(visible(line)));
}
