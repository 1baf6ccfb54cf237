// `expr` (POSIX, Utilities): | & comparisons + - * / % : ( ), and GNU's match, substr, index, length.

import { Fault, type Io, isFault } from '../streams.ts';
import { Regex } from './regex.ts';

const LEVELS = [['|'], ['&'], ['<', '<=', '=', '==', '!=', '>=', '>'], ['+', '-'], ['*', '/', '%'], [':']];
const NESTING_MOST = 10;

const isInteger = (text: string): boolean => /^-?\d+$/.test(text);
const isNone = (text: string): boolean => text === '' || /^-?0+$/.test(text);

class Expression {
  private at = 0;
  private depth = 0;

  constructor(private readonly words: readonly string[]) {}

  value(): string {
    const value = this.level(0);
    if (this.at < this.words.length) throw new Fault('expr: syntax error');
    return value;
  }

  private level(number: number): string {
    const operators = LEVELS[number];
    if (operators === undefined) return this.primary();
    let left = this.level(number + 1);
    for (;;) {
      const operator = this.words[this.at];
      if (operator === undefined || !operators.includes(operator)) return left;
      this.at++;
      left = applied(operator, left, this.level(number + 1));
    }
  }

  private primary(): string {
    const word = this.words[this.at++];
    if (word === undefined || word === ')') throw new Fault('expr: syntax error');
    if (word === '(') {
      if (++this.depth > NESTING_MOST) throw new Fault('expr: it is nested too deeply');
      const value = this.level(0);
      if (this.words[this.at++] !== ')') throw new Fault('expr: syntax error');
      this.depth--;
      return value;
    }
    const hasMore = this.at < this.words.length && !LEVELS.flat().includes(this.words[this.at] as string);
    if (word === 'length' && hasMore) return String(this.primary().length);
    if (word === 'match' && hasMore) return matched(this.primary(), this.primary());
    if (word === 'index' && hasMore) {
      const text = this.primary();
      const set = this.primary();
      return String([...text].findIndex(character => set.includes(character)) + 1);
    }
    if (word === 'substr' && hasMore) {
      const text = this.primary();
      const [from, size] = [Number(this.primary()), Number(this.primary())];
      return from > 0 && size > 0 ? text.slice(from - 1, from - 1 + size) : '';
    }
    return word;
  }
}

function matched(text: string, pattern: string): string {
  const regex = new Regex(pattern.startsWith('^') ? pattern : `^${pattern}`, false);
  const found = regex.exec(text);
  if (regex.groups > 0)
    return found === undefined || (found[2] as number) < 0 ? '' : text.slice(found[2], found[3]);
  return String(found === undefined ? 0 : (found[1] as number));
}

function applied(operator: string, left: string, right: string): string {
  if (operator === ':') return matched(left, right);
  if (operator === '|') return isNone(left) ? (isNone(right) ? '0' : right) : left;
  if (operator === '&') return isNone(left) || isNone(right) ? '0' : left;
  const isNumeric = isInteger(left) && isInteger(right);
  const [a, b] = isNumeric ? [Number(left), Number(right)] : [left, right];
  if (operator === '<') return a < b ? '1' : '0';
  if (operator === '<=') return a <= b ? '1' : '0';
  if (operator === '>') return a > b ? '1' : '0';
  if (operator === '>=') return a >= b ? '1' : '0';
  if (operator === '=' || operator === '==') return a === b ? '1' : '0';
  if (operator === '!=') return a !== b ? '1' : '0';
  if (!isNumeric) throw new Fault('expr: non-integer argument');
  const [m, n] = [Number(left), Number(right)];
  if (operator === '+') return String(m + n);
  if (operator === '-') return String(m - n);
  if (operator === '*') return String(m * n);
  if (n === 0) throw new Fault('expr: division by zero');
  const result = operator === '/' ? Math.trunc(m / n) : m % n;
  return String(result === 0 ? 0 : result);
}

/** A wrong expression is no reason to end a script. */
export function expr(args: readonly string[], io: Io): number {
  try {
    const value = new Expression(args.slice(1)).value();
    io.write(`${value}\n`);
    return isNone(value) ? 1 : 0;
  } catch (error) {
    if (!isFault(error)) throw error;
    io.complain(error.message.replace(/^expr: /, ''));
    return 2;
  }
}
