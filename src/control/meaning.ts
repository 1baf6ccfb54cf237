// What a configuration line means: its setting and the arguments, or why it means nothing. Words may be abbreviated as at
// the console, and are whole as a rule: then a line costs one look into a table. One that nothing fits costs a look at the
// settings that start with the same letter, not at all commands, of which the walk takes 40 ms on a 486DX2-66.
// Not here: commands that are typed (console/command.ts).

import { argumentCount, CONFIRM, type Command, usage, wordsOf } from './console/command.ts';
import type { Setting } from './registry.ts';

/** A line's setting and its arguments, or why there is none: '' where nobody wants to know. */
export type Meaning = { setting: Setting; args: string[] } | string;

export interface Meanings {
  add(setting: Setting, command: Command): void;
  /** @param isTold whether a reason is to be made. */
  of(line: string, isTold?: boolean): Meaning;
}

/** A setting as lines have it. */
interface Entry {
  setting: Setting;
  command: Command;
  /** Its words behind `set`. */
  words: string[];
  /** Least and most arguments, once they are known. */
  counts: [number, number] | undefined;
  /** It takes text or names, of which `confirm` is none; known with the counts. */
  isFree: boolean;
}

/** Settings by their first word. */
type Groups = Map<string, Entry[]>;

const FIRST = 'set';
/** Words of the longest command, as in `set dhcp range`. */
const WORDS_MOST = 3;
/** Characters of a line that are told. */
const TOLD = 60;
const NO_COMMAND = 'there is no such command, see help';

export function createMeanings(): Meanings {
  const byWords = new Map<string, Entry>();
  const byLetter = new Map<string, Groups>();
  /** What the last line was, as far as it says what the next one is that starts so. */
  let last: { start: string; entry: Entry } | undefined;

  function add(setting: Setting, command: Command): void {
    const words = wordsOf(setting.words);
    const entry: Entry = { setting, command, words, counts: undefined, isFree: false };
    byWords.set(command.words, entry);
    const [first = ''] = words;
    const letter = first.charAt(0);
    const groups: Groups = byLetter.get(letter) ?? new Map();
    byLetter.set(letter, groups);
    groups.set(first, [...(groups.get(first) ?? []), entry]);
  }

  function of(line: string, isTold = true): Meaning {
    // Many lines have the words of the one before; with so many of them, nothing longer can be meant.
    if (last !== undefined && line.startsWith(last.start)) {
      const args = line.slice(last.start.length).split(' ');
      const [least, most] = countsOf(last.entry);
      const isPlain =
        args.length >= least && args.length <= most && !args.includes('') && !line.includes('\t');
      if (isPlain && !confirms(last.entry, args)) return { setting: last.entry.setting, args };
    }
    // Of a line that means nothing no more than the first words are cut off.
    const first = line.split(' ', WORDS_MOST);
    const isPlain = !first.includes('') && !line.includes('\t');
    const found = isPlain
      ? (whole(first) ?? shortened(first))
      : (whole(wordsOf(line)) ?? shortened(wordsOf(line)));
    if (typeof found === 'string') return isTold ? refusal(line, found) : '';
    const { setting, command } = found;
    const words = wordsOf(line);
    const args = words.slice(found.words.length + 1);
    const [least, most] = countsOf(found);
    if (args.length < least || args.length > most) {
      if (!isTold) return '';
      const told = setting.isSecret === true ? command.words : line;
      return refusal(told, `the form is ${usage(command)}`);
    }
    if (confirms(found, args)) return isTold ? refusal(line, `${CONFIRM} is no value`) : '';
    if (found.words.length === WORDS_MOST - 1 || isAlone(found))
      last = { start: `${command.words} `, entry: found };
    return { setting, args };
  }

  /** Whether no other setting starts with its word. */
  function isAlone({ words: [first = ''] }: Entry): boolean {
    return byLetter.get(first.charAt(0))?.get(first)?.length === 1;
  }

  /** The setting with the most of the words, all of which are whole. */
  function whole(words: readonly string[]): Entry | undefined {
    let start = words[0] ?? '';
    let known: Entry | undefined;
    for (let count = 1; count < words.length && count < WORDS_MOST; count++) {
      start += ` ${words[count]}`;
      known = byWords.get(start) ?? known;
    }
    return known;
  }

  /** The setting that abbreviated words stand for, or why there is none. */
  function shortened(words: readonly string[]): Entry | string {
    const [first = '', second = '', third = ''] = words;
    if (first === '' || !FIRST.startsWith(first)) return NO_COMMAND;
    if (second === '') return `it is not complete, see help ${FIRST}`;
    const groups = byLetter.get(second.charAt(0)) ?? new Map<string, Entry[]>();
    const same = groups.get(second);
    const fitting: Entry[][] = same === undefined ? [] : [same];
    if (same === undefined)
      for (const [word, group] of groups) if (word.startsWith(second)) fitting.push(group);
    let found: Entry[] = [];
    let isWhole = false;
    for (const group of fitting) {
      for (const entry of group) {
        const [, own] = entry.words;
        if (own === undefined || third === '' || !own.startsWith(third)) continue;
        if (own === third && !isWhole) found = [];
        isWhole ||= own === third;
        if (own === third || !isWhole) found.push(entry);
      }
    }
    if (found.length === 0)
      for (const group of fitting) found.push(...group.filter(entry => entry.words.length === 1));
    const [only] = found;
    if (only === undefined) {
      const isShort = fitting.length > 0 && third === '';
      return isShort ? `it is not complete, see help ${FIRST} ${second}` : NO_COMMAND;
    }
    return found.length === 1 ? only : `it may mean ${found.map(({ command }) => command.words).join(', ')}`;
  }

  return { add, of };
}

function refusal(line: string, why: string): string {
  return `Cannot run ${line.length > TOLD ? `${line.slice(0, TOLD)}...` : line}: ${why}`;
}

/** Whether it has one value, and another takes its place: nobody need say which is to be taken back. */
export function isSingle({ unsetArguments }: Setting): boolean {
  return unsetArguments === undefined || unsetArguments.startsWith('[');
}

function countsOf(entry: Entry): [number, number] {
  if (entry.counts === undefined) {
    entry.counts = argumentCount(entry.command);
    entry.isFree = /:(text|name|domain|host)/.test(entry.command.arguments ?? '');
  }
  return entry.counts;
}

/** Whether one of the arguments is the word that is no value; only called when the counts are known. */
function confirms({ isFree }: Entry, args: readonly string[]): boolean {
  return isFree && args.some(word => word.length === CONFIRM.length && word.toLowerCase() === CONFIRM);
}
