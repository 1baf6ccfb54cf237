// What may stand at a place of a line, by the table of commands: for completion, `?`, and the mark under a wrong word.
// Here: places and their candidates. Not here: printing them (help.ts), finding the command to run (command.ts).

import { type Command, findCommand, usage, type Walk, walk, wordsOf } from '../console/command.ts';
import { type Parameter, parameterAt, parametersOf } from './grammar.ts';
import { describe, typeOf } from './types.ts';

/** What completion knows of the network and of the settings. */
export interface Known {
  addresses(): Iterable<string>;
  names(): Iterable<string>;
  /** The configuration's lines: what can be unset. */
  lines(): readonly string[];
}

/** A place in a line, the end of `before`. */
export interface Place {
  /** What of the word is there already. */
  part: string;
  /** The commands' own words that may stand here, with their commands. */
  words: Map<string, Command[]>;
  /** Arguments that may stand here. */
  parameters: { command: Command; parameter: Parameter; value: string[] }[];
  /** The command that would run if the line ended before this word. */
  ends: Command | undefined;
}

export function placeAt(table: readonly Command[], before: string): Place {
  const part = /\S*$/.exec(before)?.[0] ?? '';
  const typed = wordsOf(before.slice(0, before.length - part.length));
  const { candidates, depth }: Walk =
    typed.length === 0 ? { candidates: [...table], depth: 0 } : walk(table, typed);
  const words = new Map<string, Command[]>();
  const parameters: Place['parameters'] = [];
  const args = typed.slice(depth);
  for (const command of candidates) {
    const own = command.words.split(' ');
    const word = own[depth];
    if (word !== undefined) {
      if (args.length === 0 && word.startsWith(part)) words.set(word, [...(words.get(word) ?? []), command]);
      continue;
    }
    const form = parametersOf(command);
    const parameter = parameterAt(form, args.length);
    const fit = args.every((arg, i) => whyNot(parameterAt(form, i), arg) === undefined);
    if (parameter !== undefined && fit) parameters.push({ command, parameter, value: args });
  }
  const found = typed.length === 0 ? undefined : findCommand(table, typed.join(' '));
  return {
    part,
    words,
    parameters,
    ends: found !== undefined && 'command' in found ? found.command : undefined,
  };
}

function whyNot(parameter: Parameter | undefined, text: string): string | undefined {
  return parameter === undefined ? 'it is too much' : typeOf(parameter).refuse(text, parameter);
}

/** The words that may stand at a place, those with its beginning, sorted. */
export function candidatesAt(table: readonly Command[], place: Place, known: Known): string[] {
  const found = new Set(place.words.keys());
  for (const { command, parameter, value } of place.parameters) {
    for (const word of valuesOf(table, parameter, command, value, known)) found.add(word);
  }
  return [...found].filter(word => word.startsWith(place.part)).sort();
}

function* valuesOf(
  table: readonly Command[],
  { type, values, standard }: Parameter,
  command: Command,
  before: string[],
  known: Known,
): Generator<string> {
  yield* values;
  if (values.length === 0 && standard !== '') yield standard;
  if (type === 'interface') yield* ['lan', 'wan'];
  if (type === 'address' || type === 'host' || type === 'session') yield* known.addresses();
  if (type === 'name' || type === 'host') yield* known.names();
  if (type === 'command') {
    for (const { words } of table) {
      const own = words.split(' ');
      const word = own[before.length];
      if (word !== undefined && before.every((typed, i) => own[i]?.startsWith(typed))) yield word;
    }
  }
  // What is set can be unset, and set anew: its values are in the configuration.
  const setting = command.words.replace(/^unset /, 'set ');
  const start = [setting, ...before, ''].join(' ');
  for (const line of known.lines()) {
    if (line.startsWith(start)) yield wordsOf(line.slice(start.length))[0] ?? '';
  }
}

/** What TAB adds to a line: text, or nothing but candidates to be shown. */
export function complete(
  table: readonly Command[],
  before: string,
  known: Known,
): { add: string; candidates: string[] } {
  const place = placeAt(table, before);
  const candidates = candidatesAt(table, place, known);
  const [first] = candidates;
  if (first === undefined) return { add: '', candidates };
  if (candidates.length === 1) return { add: `${first.slice(place.part.length)} `, candidates: [] };
  let common = first;
  for (const word of candidates) while (!word.startsWith(common)) common = common.slice(0, -1);
  const add = common.slice(place.part.length);
  return { add, candidates: add === '' ? candidates : [] };
}

/** The word of a line that is wrong, as an offset, and what was expected there; undefined if each word is right. */
export function faultOf(
  table: readonly Command[],
  line: string,
): { offset: number; expected: string } | undefined {
  const found = findCommand(table, line);
  const starts = [...line.matchAll(/\S+/g)].map(({ index }) => index);
  const offsetOf = (word: number) => starts[word] ?? line.trimEnd().length + 1;
  if ('refusal' in found) {
    const offset = offsetOf(found.at);
    return { offset, expected: expectedAt(table, line.slice(0, offset).padEnd(offset)) };
  }
  const { command, args } = found;
  const form = parametersOf(command);
  const wrong = args.findIndex((arg, i) => whyNot(parameterAt(form, i), arg) !== undefined);
  const parameter = parameterAt(form, wrong);
  if (wrong < 0 || parameter === undefined) return undefined;
  return { offset: offsetOf(starts.length - args.length + wrong), expected: describe(parameter) };
}

/** More words than this are not listed. */
const LISTED_MOST = 8;

function expectedAt(table: readonly Command[], before: string): string {
  const place = placeAt(table, before);
  const words = [...place.words.keys()];
  if (words.length > LISTED_MOST) return 'a command, see ?';
  const expected = [...words, ...place.parameters.map(({ parameter }) => describe(parameter))];
  if (expected.length > 0) return expected.join(', ');
  return place.ends === undefined ? 'a command, see ?' : 'the end of the line';
}

/** Each row of `?`: what may come next, and what it means. */
export function hintsAt(table: readonly Command[], before: string): { form: string; help: string }[] {
  const place = placeAt(table, before);
  const rows: { form: string; help: string }[] = [];
  for (const [word, commands] of place.words) {
    const [only] = commands;
    if (only === undefined) continue;
    const at = usage(only).split(' ').indexOf(word);
    if (commands.length === 1)
      rows.push({ form: usage(only).split(' ').slice(at).join(' '), help: only.help });
    else rows.push({ form: word, help: followers(word, commands) });
  }
  for (const { command, parameter } of place.parameters) {
    rows.push({ form: parameter.label, help: describe(parameter) });
    if (parameter.values.length > 0)
      rows[rows.length - 1] = { form: describe(parameter), help: command.help };
  }
  if (place.part === '' && place.ends !== undefined) rows.push({ form: 'Enter', help: place.ends.help });
  return rows;
}

/** The words that can follow a word, for a row of help. */
function followers(word: string, commands: readonly Command[]): string {
  const next = new Set<string>();
  for (const command of commands) {
    const own = usage(command).split(' ');
    next.add(own[own.indexOf(word) + 1] ?? '');
  }
  next.delete('');
  return [...next].join(', ');
}
