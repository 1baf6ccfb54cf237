// Commands: a table of words, arguments and what to do, and how a typed line finds its entry.
// Words may be abbreviated as long as only one command is meant. Here is what every line needs; what the types of
// arguments mean, completion, help and marks are in schema/, an overlay that is read when somebody asks.
//
// The form of the arguments is one string, a word for each: LABEL:type(range)...MOST=default, in [] if it may be
// left out. Only the label is shown.
//
//    ADDRESS/LENGTH:prefix               one prefix
//    on|off=on                           a choice: lower case is typed as it stands
//    BYTES:integer(68..1500,bytes)=1500  a number with its range and unit, and what is in force if nothing is set
//    ADDRESS:address...4                 one to four addresses
//    [NAME:name]                         a name, or nothing
//    OPTION:words(count/N|udp)...4       keywords, some of them with a value
//
// Not here: the commands themselves (commands/), who runs them (console.ts).

/**
 * What a command does after its first output: a generator, run in slices. It yields the ticks that it wants
 * to wait; 0 is "when the output has been taken". ^C ends it by its return().
 */
export type Job = Generator<number, void, void>;

/**
 * A help text, behind it ` | ` and the arguments of an example, where those of their types make no sense together; or its
 * number in those of the overlay `schema` (../../schema/help-texts.ts).
 */
export type Help = string | number;

export interface Command {
  /** The fixed words, as in `set lan address`. */
  words: string;
  /** The form of the arguments; none when left out. */
  arguments?: string;
  help: Help;
  /** Its words are typed whole: what is a slip would else be taken for its text. */
  isWhole?: boolean;
  /**
   * Answers a job if it has more to do. A refusal is thrown as Refusal. In a script arguments may have blanks, and `input` gives
   * the text that comes by `<`, a pipe or a here-document; it is not there where a person has typed the line. `beside` is there in
   * scripts alone.
   */
  run(args: string[], input?: () => string, beside?: Beside): Job | undefined;
}

/** What a command has in a script beside its output. */
export interface Beside {
  /** Says a line that is no part of the output, as standard error is none. */
  complain(text: string): void;
  /** Whether somebody is there to be asked. */
  readonly canAsk: boolean;
}

/** A command's error, in house form: "Cannot ACTION VALUE: CAUSE". Printed, nothing else happens. */
export class Refusal extends Error {}

/** What stands for a line: a command with its arguments, or the reason why there is none and the word at fault. */
export type Found = { command: Command; args: string[] } | { refusal: string; at: number };

/** The commands that a line's words may mean, and how many of the words are theirs. */
export interface Walk {
  candidates: Command[];
  depth: number;
}

/** The word behind `set` and `unset` that ../store/rollback.ts takes off; no setting has it for a value. */
export const CONFIRM = 'confirm';

/** Most arguments where the form has "..." without a number. */
const REPEAT_MOST = 99;

/**
 * A line with one blank between words, and none around them. Splitting by a regular expression would try it at each
 * character, which takes 20 ms a line on a 486, and a function for each word as long as that where they are many.
 */
export function flat(line: string): string {
  let text = line.includes('\t') ? line.replaceAll('\t', ' ') : line;
  while (text.includes('  ')) text = text.replaceAll('  ', ' ');
  return text.trim();
}

/** The words of a line. There is no quoting: no command has an argument with spaces. */
export function wordsOf(line: string): string[] {
  const text = flat(line);
  return text === '' ? [] : text.split(' ');
}

/** The letters that a table's commands begin with, one for each: where they are, the engine finds by itself. */
export function lettersOf(table: readonly Command[]): string {
  return table.map(({ words }) => words[0]).join('');
}

/** The commands that begin so. */
function beginningWith(table: readonly Command[], word: string, letters: string): Command[] {
  const found: Command[] = [];
  const letter = word[0] ?? '';
  for (let i = letters.indexOf(letter); i >= 0 && i < table.length; i = letters.indexOf(letter, i + 1))
    if ((table[i] as Command).words.startsWith(word)) found.push(table[i] as Command);
  return found;
}

/** Follows words through the table. A command's own word goes before an argument, a whole word before a beginning. */
export function walk(table: readonly Command[], words: readonly string[], letters = lettersOf(table)): Walk {
  let candidates = beginningWith(table, words[0] ?? '', letters);
  // Split once: a beginning as `s` leaves seventy of them.
  let owns = candidates.map(({ words: own }) => own.split(' '));
  for (const [depth, word] of words.entries()) {
    const deeper: Command[] = [];
    const ownsDeeper: string[][] = [];
    let isWhole = false;
    for (const [i, own] of owns.entries()) {
      const at = own[depth];
      if (at === undefined || !at.startsWith(word) || (isWhole && at !== word)) continue;
      if (at === word && !isWhole) {
        isWhole = true;
        deeper.length = 0;
        ownsDeeper.length = 0;
      }
      deeper.push(candidates[i] as Command);
      ownsDeeper.push(own);
    }
    if (deeper.length === 0)
      return { candidates: candidates.filter((_, i) => owns[i]?.length === depth), depth };
    candidates = deeper;
    owns = ownsDeeper;
  }
  return { candidates, depth: words.length };
}

/** @param letters lettersOf(table), where it is kept */
export function findCommand(table: readonly Command[], line: string, letters?: string): Found {
  const words = wordsOf(line);
  const { candidates, depth } = walk(table, words, letters);
  const refuse = (why: string, at: number): Found => ({ refusal: `Cannot run ${line.trim()}: ${why}`, at });
  const ends = candidates.filter(command => lengthOf(command) === depth);
  const [command] = ends;
  if (command === undefined) {
    if (depth < words.length) return refuse('there is no such command, see help', depth);
    return refuse(`it is not complete, see help ${words.join(' ')}`, depth);
  }
  if (ends.length > 1) return refuse(`it may mean ${ends.map(({ words }) => words).join(', ')}`, depth - 1);
  if (command.isWhole === true && words.slice(0, depth).join(' ') !== command.words)
    return refuse('there is no such command, see help', 0);
  const args = words.slice(depth);
  const [least, most] = argumentCount(command);
  if (args.length < least || args.length > most) {
    return refuse(`the form is ${usage(command)}`, args.length < least ? words.length : depth + most);
  }
  return { command, args };
}

/** A command with its arguments as people write them: labels only. */
export function usage({ words, arguments: form = '' }: Command): string {
  return [words, ...wordsOf(form).map(labelOf)].join(' ');
}

/** Not by a regular expression: of a long form it takes 40 ms of a 486. */
function labelOf(word: string): string {
  const isOptional = word.startsWith('[');
  let end = isOptional ? word.length - 1 : word.length;
  for (const mark of [':', '...', '=']) {
    const at = word.indexOf(mark);
    if (at >= 0 && at < end) end = at;
  }
  const label = word.slice(isOptional ? 1 : 0, end) + (word.includes('...') ? ' ...' : '');
  return isOptional ? `[${label}]` : label;
}

/** The commands that a help text is wanted for: those that start with the typed words. */
export function commandsUnder(table: readonly Command[], words: string[]): Command[] {
  return table.filter(({ words: own }) => {
    // Without splitting: of some two hundred commands that is most of the time.
    let at = 0;
    for (const word of words) {
      if (at < 0 || !own.startsWith(word, at)) return false;
      const blank = own.indexOf(' ', at);
      at = blank < 0 ? -1 : blank + 1;
    }
    return true;
  });
}

/** Least and most arguments. */
export function argumentCount({ arguments: form = '' }: Command): [number, number] {
  let least = 0;
  let most = 0;
  for (const word of wordsOf(form)) {
    const dots = word.indexOf('...');
    if (!word.startsWith('[')) least++;
    most += dots < 0 ? 1 : Number.parseInt(word.slice(dots + 3), 10) || REPEAT_MOST;
  }
  return [least, most];
}

function lengthOf(command: Command): number {
  return command.words.split(' ').length;
}
