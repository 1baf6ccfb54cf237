// Expressions of `awk` (POSIX, Utilities), as functions of a run (awk.ts), by rising precedence: fields, variables and arrays,
// patterns, the usual functions. Bounded in depth. Not here: statements (awk-parser.ts).

import { Fault } from '../streams.ts';
import { Regex } from './regex.ts';

export type Value = string | number;

/** What a program has while it runs (awk.ts). */
export interface Run {
  status: number;
  write(text: string): void;
  /** Counts what is done. */
  step(): void;
  get(name: string): Value;
  set(name: string, value: Value): void;
  array(name: string): Map<string, Value>;
  setItem(name: string, key: string, value: Value): void;
  regex(text: string): Regex;
  field(number: number): string;
  setField(number: number, text: string): void;
  format(words: readonly string[]): string;
  substitute(regex: Regex, by: string, text: string, isAll: boolean): { count: number; text: string };
  call(name: string, args: readonly Expression[], array: string, pattern: Regex | undefined): Value;
}

export type Expression = (run: Run) => Value;
/** Something that can be set. */
interface Place {
  get: Expression;
  set(run: Run, value: Value): void;
}

const TOKEN =
  /[ \t]*(?:\\\n[ \t]*)*(?:(#[^\n]*)|(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|("(?:\\[\s\S]|[^"\\\n])*")|([A-Za-z_]\w*)|(&&|\|\||[-+*/%^!<>=]=|\+\+|--|>>|!~|[-+*/%^!<>=~?:,;(){}[\]$\n|]))/y;
export const NESTING_MOST = 24;
const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  '"': '"',
  '/': '/',
  a: '\x07',
};
/** How many arguments a function takes. */
const FUNCTIONS: Record<string, [number, number]> = {
  length: [0, 1],
  substr: [2, 3],
  index: [2, 2],
  split: [2, 3],
  gsub: [2, 3],
  sub: [2, 3],
  match: [2, 2],
  tolower: [1, 1],
  toupper: [1, 1],
  int: [1, 1],
  sprintf: [1, 20],
  strtonum: [1, 1],
};

export const numberOf = (value: Value): number =>
  typeof value === 'number'
    ? value
    : Number(/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/.exec(value)?.[0] ?? 0);

export const stringOf = (value: Value): string => {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
};

const isNumeric = (value: Value): boolean =>
  typeof value === 'number' || /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(value);
export const isTrue = (value: Value): boolean =>
  typeof value === 'number' ? value !== 0 : isNumeric(value) ? Number(value) !== 0 : value !== '';

export class AwkExpressions {
  protected at = 0;
  /** The token that is next: its text, and of what kind. */
  protected token = '';
  protected kind: 'number' | 'string' | 'name' | 'mark' | 'end' = 'end';
  protected depth = 0;
  /** In a print without parentheses `>` is no comparison, and in a for's head `in` is none. */
  protected isPrinting = false;
  /** Expressions that are text whatever they look like. */
  protected readonly texts = new Set<Expression>();

  constructor(protected readonly text: string) {
    this.advance();
  }

  protected refuse(): never {
    const near = this.token === '\n' ? 'a line feed' : this.token;
    throw new Fault(`awk: syntax error at ${this.kind === 'end' ? 'the end' : near}`);
  }

  protected advance(): void {
    for (;;) {
      TOKEN.lastIndex = this.at;
      const found = TOKEN.exec(this.text);
      if (found === null) {
        if (this.text.slice(this.at).trim() !== '') throw new Fault('awk: syntax error');
        this.kind = 'end';
        this.token = '';
        return;
      }
      this.at = TOKEN.lastIndex;
      if (found[1] !== undefined) continue;
      this.token = (found[2] ?? found[3] ?? found[4] ?? found[5]) as string;
      this.kind =
        found[2] !== undefined
          ? 'number'
          : found[3] !== undefined
            ? 'string'
            : found[4] !== undefined
              ? 'name'
              : 'mark';
      return;
    }
  }

  protected is(...texts: string[]): boolean {
    return this.kind !== 'string' && this.kind !== 'end' && texts.includes(this.token);
  }

  protected take(text: string): boolean {
    if (!this.is(text)) return false;
    this.advance();
    return true;
  }

  protected expect(text: string): void {
    if (!this.take(text)) this.refuse();
  }

  protected skip(): void {
    while (this.is('\n', ';')) this.advance();
  }

  protected lineFeeds(): void {
    while (this.is('\n')) this.advance();
  }

  protected expression(): Expression {
    if (++this.depth > NESTING_MOST) throw new Fault('awk: it is nested too deeply');
    const value = this.ternary();
    this.depth--;
    return value;
  }

  private ternary(): Expression {
    const condition = this.or();
    if (!this.take('?')) return condition;
    const yes = this.expression();
    this.expect(':');
    const no = this.expression();
    return run => (isTrue(condition(run)) ? yes(run) : no(run));
  }

  private or(): Expression {
    let left = this.and();
    while (this.take('||')) {
      this.lineFeeds();
      const [a, b] = [left, this.and()];
      left = run => (isTrue(a(run)) || isTrue(b(run)) ? 1 : 0);
    }
    return left;
  }

  private and(): Expression {
    let left = this.matching();
    while (this.take('&&')) {
      this.lineFeeds();
      const [a, b] = [left, this.matching()];
      left = run => (isTrue(a(run)) && isTrue(b(run)) ? 1 : 0);
    }
    return left;
  }

  private matching(): Expression {
    let left = this.comparison();
    for (;;) {
      if (this.is('~', '!~')) {
        const isNegated = this.token === '!~';
        this.advance();
        const [a, regex] = [left, this.regex()];
        left = run => (regex(run).test(stringOf(a(run))) !== isNegated ? 1 : 0);
      } else if (this.take('in')) {
        const a = left;
        const name = this.token;
        this.advance();
        left = run => (run.array(name).has(stringOf(a(run))) ? 1 : 0);
      } else return left;
    }
  }

  private comparison(): Expression {
    const left = this.concatenation();
    if (!this.is('<', '<=', '==', '!=', '>=') && (this.isPrinting || !this.is('>'))) return left;
    const operator = this.token;
    this.advance();
    const right = this.concatenation();
    const isText = this.texts.has(left) || this.texts.has(right);
    return run => {
      const [a, b] = [left(run), right(run)];
      const isNumber = !isText && isNumeric(a) && isNumeric(b);
      const [x, y] = isNumber ? [numberOf(a), numberOf(b)] : [stringOf(a), stringOf(b)];
      return compared(operator, x, y) ? 1 : 0;
    };
  }

  private concatenation(): Expression {
    let left = this.addition();
    while (this.isValue()) {
      const [a, b] = [left, this.addition()];
      left = run => stringOf(a(run)) + stringOf(b(run));
      this.texts.add(left);
    }
    return left;
  }

  private isValue(): boolean {
    if (this.kind === 'number' || this.kind === 'string') return true;
    if (this.kind === 'name') return !this.is('in', 'else', 'while');
    return this.is('$', '(', '!', '-', '+', '++', '--') && !this.is('-', '+');
  }

  private addition(): Expression {
    let left = this.product();
    while (this.is('+', '-')) {
      const isMinus = this.token === '-';
      this.advance();
      const [a, b] = [left, this.product()];
      left = run => numberOf(a(run)) + (isMinus ? -1 : 1) * numberOf(b(run));
    }
    return left;
  }

  private product(): Expression {
    let left = this.unary();
    while (this.is('*', '/', '%')) {
      const operator = this.token;
      this.advance();
      const [a, b] = [left, this.unary()];
      left = run => {
        const [x, y] = [numberOf(a(run)), numberOf(b(run))];
        if (operator !== '*' && y === 0) throw new Fault('awk: division by zero');
        return operator === '*' ? x * y : operator === '/' ? x / y : x % y;
      };
    }
    return left;
  }

  private unary(): Expression {
    if (this.take('!')) {
      const value = this.unary();
      return run => (isTrue(value(run)) ? 0 : 1);
    }
    if (this.is('-', '+')) {
      const sign = this.token === '-' ? -1 : 1;
      this.advance();
      const value = this.unary();
      return run => sign * numberOf(value(run));
    }
    const base = this.postfix();
    if (!this.take('^')) return base;
    const power = this.unary();
    return run => numberOf(base(run)) ** numberOf(power(run));
  }

  private postfix(): Expression {
    if (this.is('++', '--')) {
      const step = this.token === '++' ? 1 : -1;
      this.advance();
      const place = this.place();
      return run => {
        const value = numberOf(place.get(run)) + step;
        place.set(run, value);
        return value;
      };
    }
    if (this.is('$') || (this.kind === 'name' && !this.isFunction())) return this.assigned(this.place());
    return this.primary();
  }

  private isFunction(): boolean {
    return Object.hasOwn(FUNCTIONS, this.token);
  }

  /** What may be set: `$2`, a variable, an item of an array. */
  private place(): Place {
    if (this.take('$')) {
      const number = this.is('++', '--', '-') ? this.unary() : this.fieldNumber();
      return {
        get: run => run.field(numberOf(number(run))),
        set: (run, value) => run.setField(numberOf(number(run)), stringOf(value)),
      };
    }
    const name = this.token;
    if (this.kind !== 'name') this.refuse();
    this.advance();
    if (!this.take('[')) return { get: run => run.get(name), set: (run, value) => run.set(name, value) };
    const key = this.subscript();
    return {
      get: run => run.array(name).get(key(run)) ?? '',
      set: (run, value) => run.setItem(name, key(run), value),
    };
  }

  private fieldNumber(): Expression {
    if (this.is('$') || (this.kind === 'name' && !this.isFunction())) return this.place().get;
    return this.primary();
  }

  protected subscript(): (run: Run) => string {
    const list = [this.expression()];
    while (this.take(',')) list.push(this.expression());
    this.expect(']');
    return run => list.map(value => stringOf(value(run))).join('\x1c');
  }

  private assigned(place: Place): Expression {
    if (this.is('++', '--')) {
      const step = this.token === '++' ? 1 : -1;
      this.advance();
      return run => {
        const value = numberOf(place.get(run));
        place.set(run, value + step);
        return value;
      };
    }
    if (!this.is('=', '+=', '-=', '*=', '/=', '%=')) return place.get;
    const operator = this.token;
    this.advance();
    const value = this.expression();
    return run => {
      let result = value(run);
      if (operator !== '=') {
        const [x, y] = [numberOf(place.get(run)), numberOf(result)];
        if ((operator === '/=' || operator === '%=') && y === 0) throw new Fault('awk: division by zero');
        result = { '+=': x + y, '-=': x - y, '*=': x * y, '/=': x / y, '%=': x % y }[operator] as number;
      }
      place.set(run, result);
      return result;
    };
  }

  private primary(): Expression {
    if (this.kind === 'number') {
      const value = Number(this.token);
      this.advance();
      return () => value;
    }
    if (this.kind === 'string') {
      const text = textOf(this.token);
      const value: Expression = () => text;
      this.texts.add(value);
      this.advance();
      return value;
    }
    if (this.is('/', '/=')) {
      const regex = this.regex();
      return run => (regex(run).test(run.field(0)) ? 1 : 0);
    }
    if (this.take('(')) {
      const before = this.isPrinting;
      this.isPrinting = false;
      const value = this.expression();
      this.isPrinting = before;
      this.expect(')');
      return value;
    }
    if (this.kind === 'name' && this.isFunction()) return this.call();
    return this.refuse();
  }

  /** A pattern, of which nobody knows before that it is no division. */
  private regex(): (run: Run) => Regex {
    if (!this.is('/', '/=')) {
      const value = this.comparison();
      return run => run.regex(stringOf(value(run)));
    }
    let text = this.token === '/=' ? '=' : '';
    let isSet = false;
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined || character === '\n') throw new Fault('awk: a pattern is not ended');
      if (character === '\\') {
        const next = this.text[this.at++] ?? '';
        text += next === '/' ? '/' : `\\${next}`;
      } else if (character === '/' && !isSet) break;
      else {
        if (character === '[') isSet = true;
        else if (character === ']' && !/\[\^?$/.test(text)) isSet = false;
        text += character;
      }
    }
    this.advance();
    const regex = new Regex(text, true);
    return () => regex;
  }

  private call(): Expression {
    const name = this.token;
    const [least, most] = FUNCTIONS[name] as [number, number];
    this.advance();
    if (!this.take('(')) {
      if (name !== 'length') this.refuse();
      return run => run.field(0).length;
    }
    const isPattern = name === 'gsub' || name === 'sub';
    let pattern: ((run: Run) => Regex) | undefined;
    const args: Expression[] = [];
    let target: Place | undefined;
    let array = '';
    const before = this.isPrinting;
    this.isPrinting = false;
    while (!this.is(')')) {
      const place = args.length + (pattern === undefined ? 0 : 1);
      if ((isPattern && place === 0) || (name === 'match' && place === 1 && this.is('/')))
        pattern = this.regex();
      else if (name === 'split' && place === 2 && this.is('/')) pattern = this.regex();
      else if (isPattern && place === 2) {
        target = this.place();
        args.push(target.get);
      } else if (name === 'split' && place === 1) {
        array = this.token;
        this.advance();
        args.push(() => '');
      } else args.push(this.expression());
      if (!this.take(',') && !this.is(')')) this.refuse();
      this.lineFeeds();
    }
    this.expect(')');
    this.isPrinting = before;
    const count = args.length + (pattern === undefined ? 0 : 1);
    if (count < least || count > most) throw new Fault(`awk: ${name} has ${count} arguments`);
    const line: Place = { get: run => run.field(0), set: (run, value) => run.setField(0, stringOf(value)) };
    if (isPattern) {
      const place = target ?? line;
      return run => {
        const { count: done, text } = run.substitute(
          (pattern as (run: Run) => Regex)(run),
          stringOf((args[0] as Expression)(run)),
          stringOf(place.get(run)),
          name === 'gsub',
        );
        if (done > 0) place.set(run, text);
        return done;
      };
    }
    return run => run.call(name, args, array, pattern?.(run));
  }
}

function compared(operator: string, x: Value, y: Value): boolean {
  if (operator === '==') return x === y;
  if (operator === '!=') return x !== y;
  if (operator === '<') return x < y;
  if (operator === '<=') return x <= y;
  return operator === '>' ? x > y : x >= y;
}

/** A string without its quotes. */
function textOf(token: string): string {
  return token.slice(1, -1).replace(/\\([0-7]{1,3}|[\s\S])/g, (_, inner: string) => {
    if (inner === '\n') return '';
    if (/^[0-7]/.test(inner)) return String.fromCharCode(Number.parseInt(inner, 8) & 255);
    return ESCAPES[inner] ?? `\\${inner}`;
  });
}
