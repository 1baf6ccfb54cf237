// What may stand at a place of a line, by the table of commands: for completion, `?`, and the mark under a wrong word.
// Here: places and their candidates. Not here: printing them (line-help.ts), finding the command to run (command.ts).

import {
  type Command,
  commandsUnder,
  findCommand,
  usage,
  type Walk,
  walk,
  wordsOf,
} from '../core/console/command.ts';
import { type Parameter, parameterAt, parametersOf } from './grammar.ts';
import { helpText } from './help-texts.ts';
import { describe, keywords, typeOf, valueAfter } from './types.ts';

/** What completion knows of the network and of the settings. */
export interface Known {
  addresses(): Iterable<string>;
  /** Station addresses and ports of the cards. */
  cards(): Iterable<string>;
  names(): Iterable<string>;
  /** Names of time zones with this beginning. */
  zones(start: string): Iterable<string>;
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

/** What may stand behind a line that changes settings; src/control/core/store/rollback.ts takes it off. */
const CONFIRM: Command = {
  words: 'confirm',
  arguments: 'MINUTES:integer(1..1440)',
  help: 'takes it back after MINUTES, unless confirm is typed before',
  run: () => undefined,
};

export function placeAt(table: readonly Command[], before: string): Place {
  // Not by a regular expression: it would try each place of a word that ends before a blank.
  const part = before.slice(Math.max(before.lastIndexOf(' '), before.lastIndexOf('\t')) + 1);
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
    if (parameter !== undefined && wrongOf(table, form, args) < 0)
      parameters.push({ command, parameter, value: args });
  }
  const ends = commandOf(table, typed);
  if (isChange(ends) && CONFIRM.words.startsWith(part)) words.set(CONFIRM.words, [CONFIRM]);
  if (typed[typed.length - 1] === CONFIRM.words && isChange(commandOf(table, typed.slice(0, -1))))
    parameters.push({ command: CONFIRM, parameter: parametersOf(CONFIRM)[0] as Parameter, value: [] });
  return { part, words, parameters, ends };
}

function commandOf(table: readonly Command[], typed: readonly string[]): Command | undefined {
  const found = typed.length === 0 ? undefined : findCommand(table, typed.join(' '));
  return found !== undefined && 'command' in found ? found.command : undefined;
}

function isChange(command: Command | undefined): boolean {
  return command !== undefined && /^(un)?set /.test(command.words);
}

/** The first of the arguments that is wrong, or -1. */
function wrongOf(table: readonly Command[], form: readonly Parameter[], args: readonly string[]): number {
  return args.findIndex((arg, i) => {
    const parameter = parameterAt(form, i);
    if (parameter === undefined) return true;
    if (parameter.type === 'command') return !isCommand(table, parameter, args.slice(0, i + 1));
    return typeOf(parameter).refuse(arg, parameter, args[i - 1]) !== undefined;
  });
}

/** The commands that an argument may name. */
function commandsFor(table: readonly Command[], { values }: Parameter): readonly Command[] {
  return values.length === 0 ? table : table.filter(({ words }) => values.includes(wordsOf(words)[0] ?? ''));
}

/** Whether words start a command; one of few kinds is run, and has its own arguments behind it. */
function isCommand(table: readonly Command[], parameter: Parameter, words: string[]): boolean {
  const commands = commandsFor(table, parameter);
  if (parameter.values.length > 0 && walk(commands, words).candidates.length > 0) return true;
  return commandsUnder(commands, words).length > 0;
}

/** The words that may stand at a place, those with its beginning, sorted. */
export function candidatesAt(table: readonly Command[], place: Place, known: Known): string[] {
  const found = new Set<string>();
  // Who asks what a finished line lacks need not be given what hardly a line has.
  for (const [word, [command]] of place.words) if (command !== CONFIRM || place.part !== '') found.add(word);
  for (const { command, parameter, value } of place.parameters) {
    for (const word of valuesOf(table, parameter, command, value, known)) found.add(word);
    // They are 600: who has typed nothing yet is better served by the example.
    if (parameter.type === 'zone' && place.part !== '')
      for (const name of known.zones(place.part)) found.add(name);
  }
  return [...found].filter(word => word.startsWith(place.part)).sort();
}

function* valuesOf(
  table: readonly Command[],
  parameter: Parameter,
  command: Command,
  before: string[],
  known: Known,
): Generator<string> {
  const { type, values, standard } = parameter;
  const last = before[before.length - 1];
  if (type === 'command') {
    const commands = commandsFor(table, parameter);
    if (values.length > 0) yield* candidatesAt(commands, placeAt(commands, [...before, ''].join(' ')), known);
    for (const { words } of commands) {
      const own = words.split(' ');
      const word = own[before.length];
      if (word !== undefined && before.every((typed, i) => own[i]?.startsWith(typed))) yield word;
    }
  } else if (type === 'words') yield* valueAfter(values, last) === undefined ? keywords(values) : [];
  else yield* values;
  if (values.length === 0 && standard !== '') yield standard;
  if (type === 'interface') yield* ['lan', 'wan'];
  const isAddress = ['address', 'host', 'session'].includes(type) || valueAfter(values, last) === 'ADDRESS';
  if (isAddress) yield* known.addresses();
  if (type === 'card') yield* known.cards();
  if (type === 'name' || type === 'host') yield* known.names();
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

/**
 * The word of a line that is wrong, as an offset, and what was expected there; undefined if each word is right. The
 * first word that nothing accepts is the one, whatever is missing or too much behind it.
 */
export function faultOf(
  table: readonly Command[],
  line: string,
): { offset: number; expected: string } | undefined {
  const found = findCommand(table, line);
  const words = wordsOf(line);
  const { candidates, depth } = walk(table, words);
  const ends = candidates.filter(({ words: own }) => own.split(' ').length === depth);
  let at = 'refusal' in found ? found.at : -1;
  if (ends.length === 1) {
    const wrong = wrongOf(table, parametersOf(ends[0] as Command), words.slice(depth));
    if (wrong >= 0) at = depth + wrong;
  }
  if (at < 0) {
    const place = words.indexOf(CONFIRM.words);
    if (place > depth && isChange(commandOf(table, words.slice(0, place)))) at = place + 1;
  }
  if (at < 0) return undefined;
  // What confirm itself lacks is behind it.
  if (words[at] === CONFIRM.words && isChange(commandOf(table, words.slice(0, at)))) at++;
  const offset = startOf(line, at);
  return { offset, expected: expectedAt(table, line.slice(0, offset).padEnd(offset)) };
}

/** Where a word of a line starts, or the one that it lacks. */
function startOf(line: string, wanted: number): number {
  let word = -1;
  let isBlank = true;
  for (let i = 0; i < line.length; i++) {
    const wasBlank = isBlank;
    isBlank = line[i] === ' ' || line[i] === '\t';
    if (wasBlank && !isBlank && ++word === wanted) return i;
  }
  return line.trimEnd().length + 1;
}

/** More words than this are not listed. */
const LISTED_MOST = 16;

function expectedAt(table: readonly Command[], before: string): string {
  const place = placeAt(table, before);
  const words = [...place.words.keys()];
  if (words.length > LISTED_MOST) return 'a command, see ?';
  const expected = [...words];
  for (const { parameter, value } of place.parameters) {
    const isCommand = parameter.type === 'command';
    expected.push(
      isCommand ? expectedAt(commandsFor(table, parameter), [...value, ''].join(' ')) : describe(parameter),
    );
  }
  if (place.ends !== undefined) expected.push('the end of the line');
  return expected.length === 0 ? 'a command, see ?' : expected.join(', ');
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
      rows.push({ form: usage(only).split(' ').slice(at).join(' '), help: helpText(only.help) });
    else rows.push({ form: word, help: followers(word, commands) });
  }
  for (const { command, parameter } of place.parameters) {
    rows.push({ form: parameter.label, help: describe(parameter) });
    if (parameter.values.length > 0)
      rows[rows.length - 1] = { form: describe(parameter), help: helpText(command.help) };
  }
  if (place.part === '' && place.ends !== undefined)
    rows.push({ form: 'Enter', help: helpText(place.ends.help) });
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
