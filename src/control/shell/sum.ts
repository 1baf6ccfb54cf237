// Sums, `$((1 + 2))` (POSIX, Shell Command Language, section 2.6.4): the operators of C with its precedences, over whole numbers.
// Departures: numbers are whole as long as they are below 2^53, and those of bits have 32 of these.
// It is a stack of operators and one of values, so that no nesting costs any of the engine's stack.

import { parameterOf, setParameter } from './parameters.ts';
import type { Scope } from './state.ts';
import { Fault } from './streams.ts';

const BINARY: Record<string, number> = {
  '*': 12,
  '/': 12,
  '%': 12,
  '+': 11,
  '-': 11,
  '<<': 10,
  '>>': 10,
  '<': 9,
  '<=': 9,
  '>': 9,
  '>=': 9,
  '==': 8,
  '!=': 8,
  '&': 7,
  '^': 6,
  '|': 5,
  '&&': 4,
  '||': 3,
};
const UNARY = 13;
const TERNARY = 2;
const ASSIGNING = 1;
/** What a sum may have. */
const SUM_MOST = 1000;

interface Value {
  number: number;
  /** The variable that it is of. */
  name: string;
}

interface Operator {
  text: string;
  rank: number;
  /** Nothing behind it is evaluated: the other side has decided. */
  isIdle: boolean;
}

const TOKEN =
  /\s*(?:(0[xX][0-9a-fA-F]+|\d+)|([A-Za-z_]\w*)|(<<=|>>=|&&|\|\||<<|>>|[<>=!]=|[-+*/%&|^]=|[-+*/%&|^<>=!~?:(),]))/y;

class Sum {
  private readonly values: Value[] = [];
  private readonly operators: Operator[] = [];
  /** Levels in which nothing is evaluated. */
  private idle = 0;

  constructor(
    private readonly scope: Scope,
    private readonly text: string,
  ) {}

  result(): number {
    const { text } = this;
    if (text.trim() === '') return 0;
    if (text.length > SUM_MOST) throw new Fault('a sum is too long');
    TOKEN.lastIndex = 0;
    let isValue = true;
    let end = text.length;
    while (end > 0 && ' \t\n'.includes(text[end - 1] as string)) end--;
    while (TOKEN.lastIndex < end) {
      const found = TOKEN.exec(text);
      if (found === null) this.refuse();
      const [, number, name, operator = ''] = found as RegExpExecArray;
      if (number !== undefined || name !== undefined) {
        if (!isValue) this.refuse();
        this.values.push({ number: number === undefined ? 0 : numberOf(number), name: name ?? '' });
        isValue = false;
      } else if (isValue) {
        if (operator === '(') this.open('(', 0);
        else if (operator === '-' || operator === '+' || operator === '!' || operator === '~')
          this.open(`u${operator}`, UNARY);
        else this.refuse();
      } else isValue = this.infix(operator);
    }
    if (isValue) this.refuse();
    while (this.operators.length > 0) this.apply();
    return this.numberOf(this.values.pop() as Value);
  }

  private refuse(): never {
    throw new Fault(`${this.text.trim()}: it is no sum`);
  }

  private open(text: string, rank: number): void {
    this.operators.push({ text, rank, isIdle: false });
  }

  private get last(): Operator | undefined {
    return this.operators[this.operators.length - 1];
  }

  /** Takes an operator behind a value; answers whether a value must follow. */
  private infix(text: string): boolean {
    if (text === ')') {
      while (this.last !== undefined && this.last.text !== '(') this.apply();
      if (this.last === undefined) this.refuse();
      this.operators.pop();
      return false;
    }
    const isAssigning = text.endsWith('=') && BINARY[text] === undefined;
    const rank = isAssigning ? ASSIGNING : text === '?' || text === ':' ? TERNARY : (BINARY[text] ?? 0);
    if (rank === 0) this.refuse();
    const isRight = isAssigning || text === '?';
    while (this.last !== undefined && (this.last.rank > rank || (this.last.rank === rank && !isRight))) {
      if (text === ':' && this.last.text === '?') break;
      this.apply();
    }
    if (text === ':') this.otherwise();
    else this.begin(text, rank);
    return true;
  }

  private begin(text: string, rank: number): void {
    let isIdle = false;
    if (text === '&&' || text === '||' || text === '?') {
      const left = this.values[this.values.length - 1] as Value;
      const isTrue = this.numberOf(left) !== 0;
      isIdle = text === '||' ? isTrue : !isTrue;
      if (text !== '?') left.number = isTrue ? 1 : 0;
      if (text !== '?') left.name = '';
    }
    if (isIdle) this.idle++;
    this.operators.push({ text, rank, isIdle });
  }

  /** `:`: the other side of `?` counts from here on. */
  private otherwise(): void {
    const question = this.operators.pop();
    if (question?.text !== '?') this.refuse();
    const { isIdle } = question as Operator;
    if (isIdle) this.idle--;
    else this.idle++;
    this.operators.push({ text: ':', rank: TERNARY, isIdle: !isIdle });
  }

  private apply(): void {
    const { text, isIdle } = this.operators.pop() as Operator;
    if (text === '(' || text === '?') this.refuse();
    const right = this.values.pop() as Value;
    if (text[0] === 'u') {
      this.values.push({ number: this.unary(text, this.numberOf(right)), name: '' });
      return;
    }
    const left = this.values.pop();
    if (left === undefined) this.refuse();
    if (isIdle && text !== ':') this.idle--;
    if (text === ':') {
      const condition = this.values.pop() as Value;
      if (isIdle) this.idle--;
      // What is decided is the value; the other one was not evaluated.
      this.values.push(this.numberOf(condition) !== 0 ? (left as Value) : right);
    } else if (text === '&&' || text === '||') {
      const isOne =
        text === '||' ? isIdle || this.numberOf(right) !== 0 : !isIdle && this.numberOf(right) !== 0;
      this.values.push({ number: isOne ? 1 : 0, name: '' });
    } else if (text.endsWith('=') && BINARY[text] === undefined) this.assign(left as Value, text, right);
    else
      this.values.push({
        number: this.binary(text, this.numberOf(left as Value), this.numberOf(right)),
        name: '',
      });
  }

  private unary(text: string, value: number): number {
    if (text === 'u-') return -value;
    if (text === 'u!') return value === 0 ? 1 : 0;
    return text === 'u~' ? ~value : value;
  }

  private assign({ name }: Value, text: string, right: Value): void {
    if (name === '') this.refuse();
    const value = this.numberOf(right);
    const operator = text.slice(0, -1);
    const number = operator === '' ? value : this.binary(operator, this.numberOf({ number: 0, name }), value);
    if (this.idle === 0) setParameter(this.scope, name, String(number));
    this.values.push({ number, name: '' });
  }

  private binary(text: string, left: number, right: number): number {
    if ((text === '/' || text === '%') && right === 0) {
      if (this.idle > 0) return 0;
      throw new Fault(`${this.text.trim()}: it divides by zero`);
    }
    if (text === '+') return left + right;
    if (text === '-') return left - right;
    if (text === '*') return left * right;
    if (text === '/') return Math.trunc(left / right);
    if (text === '%') return left % right;
    if (text === '<<') return left * 2 ** (right & 63);
    if (text === '>>') return Math.floor(left / 2 ** (right & 63));
    if (text === '&') return left & right;
    if (text === '|') return left | right;
    if (text === '^') return left ^ right;
    const isTrue =
      text === '<'
        ? left < right
        : text === '<='
          ? left <= right
          : text === '>'
            ? left > right
            : text === '>='
              ? left >= right
              : text === '=='
                ? left === right
                : left !== right;
    return isTrue ? 1 : 0;
  }

  private numberOf({ name, number }: Value): number {
    if (name === '') return number;
    const text = (parameterOf(this.scope, name) ?? '').trim();
    if (text === '') {
      if (this.idle === 0 && this.scope.state.has('u') && this.scope.state.get(name) === undefined)
        throw new Fault(`${name}: it is not set`);
      return 0;
    }
    if (!/^[-+]?(0[xX][0-9a-fA-F]+|\d+)$/.test(text)) {
      if (this.idle > 0) return 0;
      throw new Fault(`${text}: it is no number`);
    }
    const isNegative = text[0] === '-';
    const value = numberOf(text.replace(/^[-+]/, ''));
    return isNegative ? -value : value;
  }
}

function numberOf(text: string): number {
  if (/^0[xX]/.test(text)) return Number(text);
  if (text.length > 1 && text[0] === '0') {
    if (/[89]/.test(text)) throw new Fault(`${text}: it is no number`);
    return Number.parseInt(text, 8);
  }
  return Number(text);
}

/** The value of a sum as text. */
export function sumOf(scope: Scope, text: string): string {
  const result = new Sum(scope, text).result();
  // A zero has no sign.
  return String(result === 0 ? 0 : result);
}
