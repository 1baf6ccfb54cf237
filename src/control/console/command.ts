// Commands: a table of words, arguments and what to do, and how a typed line finds its entry.
// Words may be abbreviated as long as only one command is meant. Not here: the commands themselves
// (commands/), the period tools' own syntax (commands/period.ts), who runs them (console.ts).

/**
 * What a command does after its first output: a generator, run in slices. It yields the ticks that it wants
 * to wait; 0 is "when the output has been taken". ^C ends it by its return().
 */
export type Job = Generator<number, void, void>;

export interface Command {
  /** The fixed words, as in `set lan address`. */
  words: string;
  /** The arguments as the help shows them, as in `ADDRESS/LENGTH`; none when left out. */
  arguments?: string;
  help: string;
  /** Least and most arguments; by default one for each word of `arguments`. */
  count?: [number, number];
  /** Answers a job if it has more to do. A refusal is thrown as Refusal. */
  run(args: string[]): Job | undefined;
}

/** A command's error, in house form: "Cannot ACTION VALUE: CAUSE". Printed, nothing else happens. */
export class Refusal extends Error {}

/** What stands for a line: a command with its arguments, or the reason why there is none. */
export type Found = { command: Command; args: string[] } | { refusal: string };

/** The words of a line. There is no quoting yet: no command has an argument with spaces. */
export function wordsOf(line: string): string[] {
  return line.split(/\s+/).filter(word => word !== '');
}

export function findCommand(table: readonly Command[], line: string): Found {
  const words = wordsOf(line);
  let candidates: { command: Command; depth: number }[] = [];
  for (const command of table) {
    if (matches(command, words)) candidates.push({ command, depth: command.words.split(' ').length });
  }
  if (candidates.length > 1) {
    const exact = candidates.filter(({ command }) => isExact(command, words));
    if (exact.length > 0) candidates = exact;
    const deepest = Math.max(...candidates.map(({ depth }) => depth));
    candidates = candidates.filter(({ depth }) => depth === deepest);
  }
  const [first, second] = candidates;
  if (first === undefined) return { refusal: `Cannot run ${line.trim()}: ${whyNone(table, words)}` };
  if (second !== undefined) {
    const names = candidates.map(({ command }) => command.words).join(', ');
    return { refusal: `Cannot run ${line.trim()}: it may mean ${names}` };
  }
  const args = words.slice(first.depth);
  const [least, most] = argumentCount(first.command);
  if (args.length < least || args.length > most) {
    return { refusal: `Cannot run ${line.trim()}: the form is ${usage(first.command)}` };
  }
  return { command: first.command, args };
}

export function usage(command: Command): string {
  return command.arguments === undefined ? command.words : `${command.words} ${command.arguments}`;
}

/** The commands that a help text is wanted for: those that start with the typed words. */
export function commandsUnder(table: readonly Command[], words: string[]): Command[] {
  return table.filter(command => {
    const own = command.words.split(' ');
    return words.every((word, i) => own[i]?.startsWith(word) ?? false);
  });
}

function argumentCount(command: Command): [number, number] {
  if (command.count !== undefined) return command.count;
  const count = command.arguments === undefined ? 0 : wordsOf(command.arguments).length;
  return [count, count];
}

function matches(command: Command, words: string[]): boolean {
  const own = command.words.split(' ');
  return own.length <= words.length && own.every((word, i) => word.startsWith(words[i] as string));
}

function isExact(command: Command, words: string[]): boolean {
  return command.words.split(' ').every((word, i) => word === words[i]);
}

/** Why no command was found: nothing starts so, or more words are missing. */
function whyNone(table: readonly Command[], words: string[]): string {
  if (commandsUnder(table, words).length > 0) return `it is not complete, see help ${words.join(' ')}`;
  return 'there is no such command, see help';
}
