// What a configuration line means: its setting and the arguments, or why it means nothing. Words may be abbreviated as at
// the console, and are whole as a rule: then a line costs one look into a table. Any other costs a look at the settings whose
// words start with the same letters, not at all commands, of which the walk takes 40 ms on a 486DX2-66.
// Not here: commands that are typed (console/command.ts).

import { argumentCount, CONFIRM, type Command, usage, wordsOf } from './console/command.ts';
import type { Setting } from './setting.ts';

/** A line's setting and its arguments, or why there is none: '' where nobody wants to know. */
export type Meaning = { setting: Setting; args: string[] } | string;

export interface Meanings {
  add(setting: Setting, command: Command): void;
  /** @param isTold whether a reason is to be made. */
  of(line: string, isTold?: boolean): Meaning;
  /** Settings that have the same first word, the given one among them. */
  fellows(setting: Setting): Setting[];
}

/** A setting as lines have it. */
interface Entry {
  setting: Setting;
  command: Command;
  /** Its words behind `set`; '' where it has but one. */
  first: string;
  second: string;
  /** All with its first word. */
  group: Map<string, Entry>;
  /** Least and most arguments, once they are known. */
  counts: [number, number] | undefined;
  /** It takes text or names, of which `confirm` is none; known with the counts. */
  isFree: boolean;
}

/** All settings, for who looks for one. */
interface Index {
  /** By the first word, and in it by the second; '' is the setting of one word. */
  groups: Map<string, Map<string, Entry>>;
  /** By the first letters of their words: all that abbreviated ones may stand for. */
  byLetters: Map<string, Entry[]>;
}

const FIRST = 'set';
/** Words of the longest command, as in `set dhcp range`. */
const WORDS_MOST = 3;
/** Characters of a line that means something: two words. */
const LINE_LEAST = 3;
/** Characters of a line that are told. */
const TOLD = 60;
/** Arguments of a setting below which they are counted before all are cut off. */
const FEW = 4;
const NONE: Entry[] = [];
/** What may be a part of a salt or hash: so many hexadecimal digits without anything between. */
const SECRET = /[0-9a-f]{16,}/gi;
const NO_COMMAND = 'there is no such command, see help';

export function createMeanings(): Meanings {
  const index: Index = { groups: new Map(), byLetters: new Map() };
  /** What the last line was, as far as it says what the next one is that starts so. */
  let last: { start: string; entry: Entry } | undefined;

  function add(setting: Setting, command: Command): void {
    const { groups, byLetters } = index;
    const [first = '', second = ''] = wordsOf(setting.words);
    const group = groups.get(first) ?? new Map<string, Entry>();
    const entry: Entry = { setting, command, first, second, group, counts: undefined, isFree: false };
    groups.set(first, group.set(second, entry));
    const letters = lettersOf(first, second);
    const among = byLetters.get(letters);
    if (among === undefined) byLetters.set(letters, [entry]);
    else among.push(entry);
  }

  function of(line: string, isTold = true): Meaning {
    // Of the shortest lines a text of 64 KB has the most.
    if (!isTold && line.length < LINE_LEAST) return '';
    // Many lines have the words of the one before; with so many of them, nothing longer can be meant.
    if (last !== undefined && line.startsWith(last.start)) {
      const { entry } = last;
      const args = line.slice(last.start.length).split(' ');
      const counts = countsOf(entry);
      const isPlain = args.length >= counts[0] && args.length <= counts[1] && !args.includes('');
      if (isPlain && !line.includes('\t') && !(entry.isFree && confirms(args)))
        return { setting: entry.setting, args };
    }
    // Of a line that means nothing no more than the first words are cut off.
    const text = line.includes('\t') ? line.replaceAll('\t', ' ') : line;
    let words: string[] = [];
    const at = cut(text, words, 0, WORDS_MOST);
    const found = entryOf(index, words, isTold);
    if (typeof found === 'string') return isTold ? refusal(line, found) : '';
    const { setting, command } = found;
    const depth = found.second === '' ? WORDS_MOST - 1 : WORDS_MOST;
    // By index: to take an array apart goes through an iterator, which costs as much as all the rest.
    const counts = countsOf(found);
    const most = depth + counts[1];
    // One more than it may have tells that there are too many.
    if (counts[1] < FEW) cut(text, words, at, most + 1);
    else words = wordsOf(text);
    if (words.length < depth + counts[0] || words.length > most) {
      if (!isTold) return '';
      const told = setting.isSecret === true ? command.words : line;
      return refusal(told, `the form is ${usage(command)}`);
    }
    const args = words.slice(depth);
    if (found.isFree && confirms(args)) return isTold ? refusal(line, `${CONFIRM} is no value`) : '';
    if (depth === WORDS_MOST || found.group.size === 1) last = { start: `${command.words} `, entry: found };
    return { setting, args };
  }

  return {
    add,
    of,
    fellows: setting => {
      const group = index.groups.get(wordsOf(setting.words)[0] as string);
      return [...(group as Map<string, Entry>).values()].map(entry => entry.setting);
    },
  };
}

/**
 * The setting that words stand for, whole or abbreviated, or why there is none, which is made whole where it `isTold`. Made for
 * those that stand for none.
 */
function entryOf({ groups, byLetters }: Index, words: readonly string[], isTold: boolean): Entry | string {
  const set = words[0] ?? '';
  if (set !== FIRST && (set === '' || !FIRST.startsWith(set))) return NO_COMMAND;
  const first = words[1];
  if (first === undefined) return isTold ? `it is not complete, see help ${FIRST}` : NO_COMMAND;
  const second = words[2] ?? '';
  const group = groups.get(first);
  const whole = group?.get(second);
  if (whole !== undefined) return whole;
  if (group?.size === 1 && group.has('')) return group.get('') as Entry;
  let among = second === '' ? undefined : byLetters.get(lettersOf(first, second));
  let found = among === undefined ? NONE : fitting(among, group, first, second);
  if (found.length === 0) {
    among = byLetters.get(lettersOf(first, ''));
    if (among !== undefined) found = fitting(among, group, first, '');
  }
  if (found.length === 1) return found[0] as Entry;
  if (!isTold) return NO_COMMAND;
  if (found.length > 1) return `it may mean ${found.map(({ command }) => command.words).join(', ')}`;
  const isShort = second === '' && [...groups.keys()].some(word => word.startsWith(first));
  return isShort ? `it is not complete, see help ${FIRST} ${first}` : NO_COMMAND;
}

/** Cuts words off a line from a place on, until there are so many: the place behind them. */
function cut(text: string, words: string[], from: number, most: number): number {
  let at = from;
  while (words.length < most && at < text.length) {
    const blank = text.indexOf(' ', at);
    const end = blank < 0 ? text.length : blank;
    if (end > at) words.push(text.slice(at, end));
    at = end + 1;
  }
  return at;
}

function lettersOf(first: string, second: string): string {
  return (first[0] as string) + (second[0] ?? '');
}

/** Those of settings whose words start so; a whole word, as that of a group, goes before a beginning. */
function fitting(
  among: readonly Entry[],
  group: Map<string, Entry> | undefined,
  first: string,
  second: string,
): Entry[] {
  let found: Entry[] = [];
  for (let i = 0; i < among.length; i++) {
    const entry = among[i] as Entry;
    const isMeant = group === undefined ? entry.first.startsWith(first) : entry.group === group;
    if (isMeant && entry.second.startsWith(second)) found.push(entry);
  }
  if (found.length > 1 && found.some(entry => entry.second === second))
    found = found.filter(entry => entry.second === second);
  return found;
}

/**
 * A line without what is to be seen by nobody, wherever in it that stands: a setting's secrets are digits that no other
 * value has as many of.
 */
export function withoutSecrets(line: string): string {
  return line.replace(SECRET, '(not shown)');
}

function refusal(line: string, why: string): string {
  const told = withoutSecrets(line);
  return `Cannot run ${told.length > TOLD ? `${told.slice(0, TOLD)}...` : told}: ${why}`;
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

/** Whether one of the arguments is the word that is no value. By index: a function for each would take as long as all the rest of a line. */
function confirms(args: readonly string[]): boolean {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word.length === CONFIRM.length && word.toLowerCase() === CONFIRM) return true;
  }
  return false;
}
