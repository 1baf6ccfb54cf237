// What a person at the console has of the shell: lines that are run as they are typed, with `> ` while something is open, and
// scripts that are taken whole. Not here: how a script runs (script.ts, machine.ts), what it has of the board (console-host.ts).

import { type Job, Refusal } from '../core/console/command.ts';
import { CONTROL_D } from '../core/console/console.ts';
import { ConsoleHost, type Part } from './console-host.ts';
import { Shell } from './execute.ts';
import { Machine } from './machine.ts';
import { atExit, runText, Script } from './script.ts';
import { scripts } from './shell.ts';
import { ShellState } from './state.ts';
import { Fault, isFault, Sink, Source, TEXT_MOST, TO_CONSOLE } from './streams.ts';

const PROMPT = '> ';
/** What ends a script that is taken whole. */
const END = 'EOF';
/** With less of the heap, what is remembered is given up where something ends before its time. */
const SPARE_BYTES = 64 * 1024;

function machineOf(part: Part, state: ShellState, isScript: boolean, say?: (text: string) => void): Machine {
  const host = new ConsoleHost(part, state, isScript, say);
  return new Machine(new Shell(host, state), state, new Sink(TO_CONSOLE), new Source('', !isScript));
}

/** A paste is over when nothing has come for so long. */
const SILENT_TICKS = 50;

/** A line of which bytes were lost on the way is no part of a script. */
function refuseDamaged(part: Part, before: number): void {
  if (part.terminal.damaged !== before)
    throw new Refusal('Cannot go on: a line of it has not come whole; nothing of what was open has run');
}

/** Runs a line, with those that belong to it. */
export function* runLine(part: Part, first: string): Job {
  part.state ??= new ShellState();
  const { state } = part;
  const machine = machineOf(part, state, false);
  const script = new Script(machine);
  let isWhole = false;
  try {
    let job = script.take(first);
    while (script.isOpen) {
      const { damaged } = part.terminal;
      const line = yield* part.terminal.ask(PROMPT, false, true);
      refuseDamaged(part, damaged);
      if (line === CONTROL_D) throw new Fault(`syntax error: ${script.openText()} is not ended`);
      // From here on lines have numbers.
      machine.isNumbered = true;
      job = script.take(line);
    }
    if (job !== undefined) yield* job;
    if (machine.isLeft) {
      yield* atExit(machine);
      yield* forget(part);
    }
    isWhole = true;
  } catch (error) {
    if (!isFault(error)) throw error;
    state.status = error.status;
    isWhole = true;
    throw new Refusal(error.message);
  } finally {
    end(part, isWhole, machine.isLeft);
  }
}

/** What was pasted behind `exit` is not to run: it is forgotten as long as it comes. */
function* forget({ context: { output }, terminal }: Part): Job {
  let bytes = terminal.forget();
  for (let silent = bytes === 0 ? SILENT_TICKS : 0; silent < SILENT_TICKS; silent++) {
    yield 1;
    const more = terminal.forget();
    bytes += more;
    if (more > 0) silent = 0;
  }
  if (bytes > 0) output.line(`exit: ${bytes} characters that were pasted behind it are not run`);
}

/** Forgets what the shell remembers where it has been left, or where memory is short. */
function end(part: Part, isWhole: boolean, isLeft: boolean): void {
  const { machine, output } = part.context;
  if (part.state === undefined) return;
  const { variables, functions } = part.state;
  if (!isLeft && (isWhole || machine.heapFree() >= SPARE_BYTES)) return;
  part.state = undefined;
  output.line(
    `The shell is given up, with ${variables.size} variables and ${functions.size} functions${isLeft ? '; what is typed next begins a new one' : ', as memory is short'}`,
  );
}

/** Takes lines up to the last, and runs them in a shell of their own; or runs a script that is kept. */
export function* runScript(part: Part, word: string | undefined, args: readonly string[]): Job {
  const name = word === undefined ? '' : word.slice(word.lastIndexOf('/') + 1);
  const kept = word === undefined ? undefined : scriptOf(part, name);
  if (kept !== undefined) {
    yield* runWhole(part, kept, name, args);
    return;
  }
  const last = word?.replace(/^<<-?/, '').replace(/['"]/g, '') ?? END;
  if (!/^[A-Z_]+$/.test(last) || args.length > 0)
    throw new Refusal(
      `Cannot run ${word}: there is no such script; a word that ends one is in capitals, as ${END}`,
    );
  const { output } = part.context;
  output.line(`The lines may come, and then ${last}; ^C leaves everything as it is`);
  let text = '';
  let isTooLong = false;
  const { damaged } = part.terminal;
  for (;;) {
    const line = yield* part.terminal.ask(PROMPT, false, true);
    if (line === CONTROL_D || line.trim() === last) break;
    isTooLong ||= text.length + line.length > TEXT_MOST;
    if (!isTooLong) text += `${line}\n`;
  }
  if (part.terminal.damaged !== damaged)
    throw new Refusal('Cannot run the script: a line of it has not come whole; nothing was run');
  if (isTooLong) throw new Refusal('Cannot run the script: it has more than 64 KB; nothing was run');
  yield* runWhole(part, text, 'sh', []);
}

/** Runs a script with arguments; `say` gets what it says where nobody is at the console. */
export function* runWhole(
  part: Part,
  text: string,
  name: string,
  args: readonly string[],
  say?: (text: string) => void,
): Job {
  const state = new ShellState();
  state.name = name;
  state.parameters = args;
  const machine = machineOf(part, state, true, say);
  machine.isNumbered = true;
  yield* runText(machine, text);
  if (state.status !== 0) (say ?? part.context.output.line)(`${name} has ended with status ${state.status}`);
}

/** The text of a script that is kept; undefined if there is none. */
export function scriptOf({ context: { registry } }: Part, name: string): string | undefined {
  const start = `script ${name} `;
  const reader = registry.sections.reader(registry.sections.now, scripts);
  let text: string | undefined;
  for (let line = reader.next(); line !== undefined; line = reader.next())
    if (`${line} `.startsWith(start)) text = `${text ?? ''}${line.slice(start.length)}\n`;
  return text;
}
