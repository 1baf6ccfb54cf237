// Scripts that are kept: lines `script NAME LINE` of the configuration (shell.ts). They are listed with their blanks as they were typed,
// so that a here-document is the same when it comes back; what a script has brought about is saved as that, too.

import { runInBackground } from '../core/background.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import { CONTROL_D } from '../core/console/console.ts';
import { visible, WARNING } from '../core/log.ts';
import type { Part } from './console-host.ts';
import { compiled } from './script.ts';
import { runWhole, scriptOf } from './session.ts';
import { scripts } from './shell.ts';
import { isFault } from './streams.ts';

const WORD = 'script ';
const END = 'end';
const PROMPT = '> ';
/** Lines of a script that is kept, and characters of its name. */
const LINES_MOST = 500;
const NAME_MOST = 24;

function refuseName(name: string): void {
  if (!/^[A-Za-z][\w.-]*$/.test(name) || name.length > NAME_MOST)
    throw new Refusal(
      `Cannot keep a script ${name}: a name has up to ${NAME_MOST} letters, digits, - _ and .`,
    );
}

/** The places of a script's lines among those of all: the first, and how many; they stand together. */
function placesOf({ context: { registry } }: Part, name: string): { first: number; count: number } {
  const reader = registry.sections.reader(registry.sections.now, scripts);
  let first = -1;
  let count = 0;
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    if (!`${line} `.startsWith(`${WORD}${name} `)) continue;
    if (first < 0) first = reader.number - 1;
    count++;
  }
  return { first, count };
}

function names({ context: { registry } }: Part): Map<string, number> {
  const reader = registry.sections.reader(registry.sections.now, scripts);
  const found = new Map<string, number>();
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const name = line.slice(WORD.length).split(' ')[0] as string;
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  return found;
}

/** `save script NAME`: takes the lines, and keeps them if they are a script. */
export function* keepScript(part: Part, name: string): Job {
  refuseName(name);
  const { output, registry } = part.context;
  output.line(`The lines may come, and then ${END}; ^C leaves everything as it is`);
  const lines: string[] = [];
  const { damaged } = part.terminal;
  for (;;) {
    const line = yield* part.terminal.ask(PROMPT, false, true);
    if (line === CONTROL_D || line.trim() === END) break;
    if (lines.length <= LINES_MOST) lines.push(line.replaceAll('\t', ' ').trimEnd());
  }
  if (part.terminal.damaged !== damaged)
    throw new Refusal(`Cannot keep script ${name}: a line of it has not come whole; nothing was changed`);
  if (lines.length > LINES_MOST)
    throw new Refusal(
      `Cannot keep script ${name}: it has more than ${LINES_MOST} lines; nothing was changed`,
    );
  try {
    compiled(lines.map(line => `${line}\n`).join(''));
  } catch (error) {
    if (!isFault(error)) throw error;
    throw new Refusal(`Cannot keep script ${name}: ${error.message}; nothing was changed`);
  }
  const { first, count } = placesOf(part, name);
  const kept = lines.map(line => `${WORD}${name} ${line}`.trimEnd());
  registry.sections.splice(scripts, first < 0 ? Number.POSITIVE_INFINITY : first, count, kept);
  registry.changed(scripts);
  output.line(`${lines.length} lines are kept, and run at each start; save keeps them over a power cut`);
}

/** A line as `export` lists it. Blanks within it are as they came to the console's parser: one. */
export function addLine(part: Part, name: string, words: readonly string[]): undefined {
  refuseName(name);
  const { registry } = part.context;
  const { first, count } = placesOf(part, name);
  registry.sections.splice(scripts, first < 0 ? Number.POSITIVE_INFINITY : first + count, 0, [
    `${WORD}${name} ${words.join(' ')}`,
  ]);
  registry.changed(scripts);
}

export function* showScript(part: Part, name: string | undefined): Job {
  const { output } = part.context;
  if (name === undefined) {
    const all = names(part);
    for (const [each, count] of all) output.line(`${each.padEnd(NAME_MOST)} ${count} lines`);
    if (all.size === 0) output.line('No script is kept');
    return;
  }
  const text = scriptOf(part, name);
  if (text === undefined) throw new Refusal(`Cannot show script ${name}: there is none of that name`);
  for (const line of text.split('\n').slice(0, -1)) {
    output.line(visible(line));
    yield 0;
  }
}

export function clearScript(part: Part, name: string): undefined {
  const { registry } = part.context;
  const { first, count } = placesOf(part, name);
  if (count === 0) throw new Refusal(`Cannot clear script ${name}: there is none of that name`);
  registry.sections.splice(scripts, first, count, []);
  registry.changed(scripts);
}

export function runNamed(part: Part, name: string, args: readonly string[]): Job {
  const text = scriptOf(part, name);
  if (text === undefined) throw new Refusal(`Cannot run script ${name}: there is none of that name`);
  return runWhole(part, text, name, args);
}

/** All of them, one after the other, when the board has started; nobody waits for it. */
export function runKept(part: Part): void {
  const { clock, log } = part.context;
  function* all(): Generator<number, undefined, void> {
    for (const name of names(part).keys()) {
      try {
        yield* runWhole(part, scriptOf(part, name) ?? '', name, ['start'], text =>
          log(WARNING, 'script', `${name}: ${text}`, true),
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        log(WARNING, 'script', `${name}: ${error.message}`);
      }
    }
    return undefined;
  }
  runInBackground(clock, all(), () => {});
}
