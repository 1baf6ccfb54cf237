// Patterns of file names, `case` and `${x%pattern}` (POSIX, Shell Command Language, section 2.13), in the form that words have
// while they are made: a backslash before what stands for itself. To fit costs at most the product of both lengths, and to trim
// as much for each character, so longer texts are refused: no step of a script may take a second.
// Not here: which files there are.

import { Fault } from './streams.ts';

/** Characters of a text that is compared with a pattern, and of one that is cut by it. */
const FITTED_MOST = 2048;
const TRIMMED_MOST = 256;

/** Whether a word of this form has anything to fit. */
export function isPattern(word: string): boolean {
  if (!(word.includes('*') || word.includes('?') || word.includes('['))) return false;
  for (let i = 0; i < word.length; i++) {
    const character = word[i];
    if (character === '\\') i++;
    else if (character === '*' || character === '?') return true;
    else if (character === '[' && bracketEnd(word, i) > 0) return true;
  }
  return false;
}

/** The word as it is meant. */
export function plain(word: string): string {
  if (!word.includes('\\')) return word;
  let result = '';
  for (let i = 0; i < word.length; i++) {
    if (word[i] === '\\' && i + 1 < word.length) i++;
    result += word[i];
  }
  return result;
}

/** The place of the `]` that ends an expression in brackets, or -1. */
function bracketEnd(pattern: string, at: number): number {
  let i = at + 1;
  if (pattern[i] === '!' || pattern[i] === '^') i++;
  if (pattern[i] === ']') i++;
  for (; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++;
    else if (pattern[i] === '[' && pattern[i + 1] === ':') {
      const end = pattern.indexOf(':]', i + 2);
      if (end > 0) i = end + 1;
    } else if (pattern[i] === ']') return i;
  }
  return -1;
}

const CLASSES: Record<string, (code: number) => boolean> = {
  digit: c => c >= 48 && c <= 57,
  lower: c => c >= 97 && c <= 122,
  upper: c => c >= 65 && c <= 90,
  alpha: c => (c | 32) >= 97 && (c | 32) <= 122,
  alnum: c => ((c | 32) >= 97 && (c | 32) <= 122) || (c >= 48 && c <= 57),
  space: c => c === 32 || (c >= 9 && c <= 13),
  blank: c => c === 32 || c === 9,
  punct: c => c > 32 && c < 127 && !((c | 32) >= 97 && (c | 32) <= 122) && !(c >= 48 && c <= 57),
  xdigit: c => (c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 102),
  print: c => c >= 32 && c < 127,
  graph: c => c > 32 && c < 127,
  cntrl: c => c < 32 || c === 127,
};

/** Whether a character is of a class as `alpha`. */
export function isOfClass(name: string, code: number): boolean {
  return Object.hasOwn(CLASSES, name) && (CLASSES[name]?.(code) ?? false);
}

/** Whether an expression in brackets, from behind `[` up to its `]`, has a character; a backslash escapes where `isEscaped`. */
export function bracketHas(
  pattern: string,
  from: number,
  to: number,
  code: number,
  isEscaped: boolean,
): boolean {
  let i = from;
  const isNegated = pattern[i] === '!' || pattern[i] === '^';
  if (isNegated) i++;
  let isIn = false;
  while (i < to) {
    if (pattern[i] === '[' && pattern[i + 1] === ':') {
      const end = pattern.indexOf(':]', i + 2);
      if (end > 0 && end < to) {
        isIn ||= isOfClass(pattern.slice(i + 2, end), code);
        i = end + 2;
        continue;
      }
    }
    if (isEscaped && pattern[i] === '\\') i++;
    const low = pattern.charCodeAt(i);
    let high = low;
    if (pattern[i + 1] === '-' && i + 2 < to) {
      i += 2;
      if (isEscaped && pattern[i] === '\\') i++;
      high = pattern.charCodeAt(i);
    }
    isIn ||= code >= low && code <= high;
    i++;
  }
  return isIn !== isNegated;
}

/** Whether a text fits a pattern. */
export function fits(pattern: string, text: string): boolean {
  if (text.length > FITTED_MOST && pattern !== '*')
    throw new Fault(`a text of ${text.length} characters is too long for a pattern`);
  let p = 0;
  let t = 0;
  // Where to go on when what follows the last `*` does not fit.
  let starAt = -1;
  let starText = 0;
  while (t < text.length || p < pattern.length) {
    const character = pattern[p];
    if (character === '*') {
      starAt = ++p;
      starText = t;
      continue;
    }
    const next = t < text.length && character !== undefined ? step(pattern, p, text.charCodeAt(t)) : -1;
    if (next >= 0) {
      p = next;
      t++;
    } else if (starAt >= 0 && starText < text.length) {
      p = starAt;
      t = ++starText;
    } else return false;
  }
  return true;
}

/** The place behind what fits a character at a place of the pattern, or -1. */
function step(pattern: string, p: number, code: number): number {
  const character = pattern[p];
  if (character === '?') return p + 1;
  if (character === '\\' && p + 1 < pattern.length) return pattern.charCodeAt(p + 1) === code ? p + 2 : -1;
  const end = character === '[' ? bracketEnd(pattern, p) : -1;
  if (end > 0) return bracketHas(pattern, p + 1, end, code, true) ? end + 1 : -1;
  return pattern.charCodeAt(p) === code ? p + 1 : -1;
}

/** `${x#pattern}` and its like: what is left of a value. */
export function trimmed(value: string, kind: string, pattern: string): string {
  const isEnd = kind[0] === '%';
  const isLongest = kind.length === 2;
  if (!isPattern(pattern)) {
    const part = plain(pattern);
    if (isEnd) return value.endsWith(part) ? value.slice(0, value.length - part.length) : value;
    return value.startsWith(part) ? value.slice(part.length) : value;
  }
  if (value.length > TRIMMED_MOST)
    throw new Fault(`a text of ${value.length} characters is too long to be cut by a pattern`);
  for (let i = 0; i <= value.length; i++) {
    const size = isLongest ? value.length - i : i;
    const part = isEnd ? value.slice(value.length - size) : value.slice(0, size);
    if (fits(pattern, part)) return isEnd ? value.slice(0, value.length - size) : value.slice(size);
  }
  return value;
}
