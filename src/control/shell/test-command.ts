// `test` and `[` (POSIX, Utilities, test): by the number of arguments, and with -a, -o and parentheses where there are more.
// Not here: which files there are.

import type { Files } from './files.ts';

export class TestFault extends Error {}

const BINARY = ['=', '!=', '==', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '<', '>', '-nt', '-ot', '-ef'];
const UNARY = '-n -z -f -d -e -r -w -x -s -t -h -L -c -b -p -S -u -g -k -O -G'.split(' ');

export class TestExpression {
  private at = 0;

  constructor(
    private readonly words: readonly string[],
    private readonly files: Files,
    private readonly path: (text: string) => string,
  ) {}

  value(): boolean {
    const { words } = this;
    if (words.length === 0) return false;
    const simple = this.few();
    if (simple !== undefined) return simple;
    const value = this.or(0);
    if (this.at < words.length) throw new TestFault(`${words[this.at]}: it is not expected here`);
    return value;
  }

  /** What the standard says of up to four arguments. */
  private few(): boolean | undefined {
    const [a = '', b = '', c = '', d = ''] = this.words;
    const count = this.words.length;
    if (count === 1) return a !== '';
    if (count === 2) {
      if (a === '!') return b === '';
      return UNARY.includes(a) ? this.unary(a, b) : undefined;
    }
    if (count === 3) {
      if (BINARY.includes(b)) return this.binary(a, b, c);
      if (a === '!') return !new TestExpression([b, c], this.files, this.path).value();
      if (a === '(' && c === ')') return b !== '';
    }
    if (count === 4 && a === '!') return !new TestExpression([b, c, d], this.files, this.path).value();
    return undefined;
  }

  private or(depth: number): boolean {
    if (depth > 16) throw new TestFault('it is nested too deeply');
    let value = this.and(depth);
    while (this.words[this.at] === '-o') {
      this.at++;
      const right = this.and(depth);
      value ||= right;
    }
    return value;
  }

  private and(depth: number): boolean {
    let value = this.not(depth);
    while (this.words[this.at] === '-a') {
      this.at++;
      const right = this.not(depth);
      value &&= right;
    }
    return value;
  }

  private not(depth: number): boolean {
    let isNegated = false;
    while (this.words[this.at] === '!' && this.at + 1 < this.words.length) {
      this.at++;
      isNegated = !isNegated;
    }
    return this.primary(depth) !== isNegated;
  }

  private primary(depth: number): boolean {
    const { words } = this;
    const word = words[this.at++];
    if (word === undefined) throw new TestFault('argument expected');
    const operator = words[this.at];
    if (operator !== undefined && BINARY.includes(operator) && this.at + 1 < words.length) {
      this.at += 2;
      return this.binary(word, operator, words[this.at - 1] as string);
    }
    if (word === '(') {
      const value = this.or(depth + 1);
      if (words[this.at++] !== ')') throw new TestFault(') expected');
      return value;
    }
    if (UNARY.includes(word) && this.at < words.length) return this.unary(word, words[this.at++] as string);
    return word !== '';
  }

  private unary(operator: string, text: string): boolean {
    if (operator === '-n') return text !== '';
    if (operator === '-z') return text === '';
    if (operator === '-t') return text === '0' || text === '1' || text === '2';
    const path = this.path(text);
    const kind = text === '' ? undefined : this.files.kind(path);
    if (operator === '-f') return kind === 'file';
    if (operator === '-d') return kind === 'directory';
    if (operator === '-s') return kind === 'directory' || (kind === 'file' && this.files.read(path) !== '');
    if (operator === '-x') return kind === 'directory' || (kind === 'file' && isProgram(path));
    if (operator === '-w') return kind !== undefined && this.files.whyNotWritten(path) === undefined;
    if (operator === '-e' || operator === '-r' || operator === '-O' || operator === '-G')
      return kind !== undefined;
    if (operator === '-c') return kind !== undefined && path.startsWith('/dev/');
    return false;
  }

  private binary(left: string, operator: string, right: string): boolean {
    if (operator === '=' || operator === '==') return left === right;
    if (operator === '!=') return left !== right;
    if (operator === '<') return left < right;
    if (operator === '>') return left > right;
    if (operator === '-nt' || operator === '-ot') return false;
    if (operator === '-ef') return this.path(left) === this.path(right);
    const a = integer(left);
    const b = integer(right);
    if (operator === '-eq') return a === b;
    if (operator === '-ne') return a !== b;
    if (operator === '-lt') return a < b;
    if (operator === '-le') return a <= b;
    return operator === '-gt' ? a > b : a >= b;
  }
}

function isProgram(path: string): boolean {
  return /\/s?bin\/|\/rc\.d\/|\/init\.d\//.test(path);
}

function integer(text: string): number {
  const trimmed = text.trim();
  if (!/^[-+]?\d{1,15}$/.test(trimmed)) throw new TestFault(`Illegal number: ${text}`);
  return Number(trimmed);
}
