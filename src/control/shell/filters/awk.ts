// Runs `awk`: lines, fields, variables, what its functions do. -F and -v; the grammar is in awk-parser.ts.

import { printed } from '../printf.ts';
import { Fault, type Io } from '../streams.ts';
import { type Expression, numberOf, type Run, stringOf, type Value } from './awk-expressions.ts';
import { AwkParser, EXIT, type Rule } from './awk-parser.ts';
import { linesOf, SLICE_LINES, textOf } from './lines.ts';
import { Regex } from './regex.ts';

/** Statements for a line, and items of all arrays. */
const STEPS_MOST = 5000;
const ITEMS_MOST = 1000;

export class AwkRun implements Run {
  status = 0;
  private readonly variables = new Map<string, Value>([
    ['FS', ' '],
    ['OFS', ' '],
    ['ORS', '\n'],
    ['RS', '\n'],
    ['SUBSEP', '\x1c'],
    ['NR', 0],
    ['NF', 0],
  ]);
  private readonly arrays = new Map<string, Map<string, Value>>();
  private readonly regexes = new Map<string, Regex>();
  private line = '';
  private fields: string[] | undefined = [];
  private steps = 0;
  private items = 0;

  constructor(private readonly io: Io) {}

  write(text: string): void {
    this.io.write(text);
  }

  step(): void {
    if (++this.steps > STEPS_MOST) throw new Fault('awk: it takes too long for a line');
  }

  get(name: string): Value {
    if (name === 'NF') this.split();
    return this.variables.get(name) ?? '';
  }

  set(name: string, value: Value): void {
    this.variables.set(name, value);
    if (name !== 'NF') return;
    const fields = this.split();
    const count = Math.min(numberOf(value), ITEMS_MOST);
    while (fields.length < count) fields.push('');
    fields.length = Math.max(0, count);
    this.join();
  }

  array(name: string): Map<string, Value> {
    let found = this.arrays.get(name);
    if (found === undefined) {
      found = new Map();
      this.arrays.set(name, found);
    }
    return found;
  }

  setItem(name: string, key: string, value: Value): void {
    const array = this.array(name);
    if (!array.has(key) && ++this.items > ITEMS_MOST)
      throw new Fault(`awk: arrays have more than ${ITEMS_MOST} items`);
    array.set(key, value);
  }

  regex(text: string): Regex {
    let found = this.regexes.get(text);
    if (found === undefined) {
      if (this.regexes.size > 20) this.regexes.clear();
      found = new Regex(text, true);
      this.regexes.set(text, found);
    }
    return found;
  }

  begin(line: string): void {
    this.steps = 0;
    this.line = line;
    this.fields = undefined;
    this.variables.set('NR', numberOf(this.get('NR')) + 1);
    this.variables.set('FNR', this.get('NR'));
  }

  field(number: number): string {
    if (number === 0) return this.line;
    return this.split()[number - 1] ?? '';
  }

  setField(number: number, text: string): void {
    if (number < 0 || number > ITEMS_MOST) throw new Fault(`awk: ${number} is no field`);
    if (number === 0) {
      this.line = text;
      this.fields = undefined;
      return;
    }
    const fields = this.split();
    while (fields.length < number) fields.push('');
    fields[number - 1] = text;
    this.variables.set('NF', fields.length);
    this.join();
  }

  private join(): void {
    this.line = (this.fields as string[]).join(stringOf(this.get('OFS')));
  }

  private split(): string[] {
    if (this.fields === undefined) {
      this.fields = this.pieces(this.line, stringOf(this.variables.get('FS') ?? ' '), undefined);
      this.variables.set('NF', this.fields.length);
    }
    return this.fields;
  }

  private pieces(text: string, separator: string, pattern: Regex | undefined): string[] {
    if (pattern === undefined && separator === ' ')
      return text.split(/[ \t\n]+/).filter(piece => piece !== '');
    if (text === '') return [];
    if (pattern === undefined && (separator.length === 1 || separator === '\\|'))
      return text.split(separator === '\\|' ? '|' : separator);
    const regex = pattern ?? this.regex(separator);
    const pieces: string[] = [];
    let from = 0;
    for (let found = regex.exec(text); found !== undefined; found = regex.exec(text, from)) {
      const [start = 0, end = 0] = found;
      if (end === start) break;
      pieces.push(text.slice(from, start));
      from = end;
    }
    return [...pieces, text.slice(from)];
  }

  format(words: readonly string[]): string {
    const { text } = printed(['printf', ...words], problem => this.io.complain(problem));
    // Of a format that lacks nothing, one round is all.
    return text;
  }

  substitute(regex: Regex, by: string, text: string, isAll: boolean): { count: number; text: string } {
    let result = '';
    let from = 0;
    let count = 0;
    while (from <= text.length) {
      const found = regex.exec(text, from);
      if (found === undefined) break;
      const [start = 0, end = 0] = found;
      count++;
      const part = text.slice(start, end);
      result +=
        text.slice(from, start) + by.replace(/\\\\|\\&|&/g, mark => (mark === '&' ? part : mark.slice(1)));
      from = end;
      if (end === start) result += text[from++] ?? '';
      if (!isAll) break;
    }
    return { count, text: result + text.slice(from) };
  }

  call(name: string, args: readonly Expression[], array: string, pattern: Regex | undefined): Value {
    const text = (place: number): string => stringOf(args[place]?.(this) ?? '');
    if (name === 'length') return args.length === 0 ? this.line.length : text(0).length;
    if (name === 'substr') {
      const from = Math.round(numberOf(text(1)));
      const end = args.length > 2 ? from + Math.round(numberOf(text(2))) : Number.POSITIVE_INFINITY;
      return text(0).slice(Math.max(0, from - 1), Math.max(0, end - 1));
    }
    if (name === 'index') return text(0).indexOf(text(1)) + 1;
    if (name === 'tolower') return text(0).toLowerCase();
    if (name === 'toupper') return text(0).toUpperCase();
    if (name === 'int') return Math.trunc(numberOf(text(0)));
    if (name === 'strtonum') return Number(text(0)) || numberOf(text(0));
    if (name === 'sprintf') return this.format(args.map(value => stringOf(value(this))));
    if (name === 'match') {
      const found = (pattern ?? this.regex(text(1))).exec(text(0));
      this.set('RSTART', found === undefined ? 0 : (found[0] as number) + 1);
      this.set('RLENGTH', found === undefined ? -1 : (found[1] as number) - (found[0] as number));
      return this.get('RSTART');
    }
    // split
    const separator = args.length > 2 ? text(2) : stringOf(this.get('FS'));
    const pieces = this.pieces(text(0), separator, pattern);
    this.items -= this.array(array).size;
    this.array(array).clear();
    for (const [i, piece] of pieces.entries()) this.setItem(array, String(i + 1), piece);
    return pieces.length;
  }

  /** Runs a rule on the line; answers how its action ended. */
  rule(rule: Rule): number {
    const { pattern, until, action } = rule;
    const isTrue = (expression: Expression): boolean => {
      const value = expression(this);
      return typeof value === 'number' ? value !== 0 : value !== '';
    };
    if (pattern !== undefined) {
      if (!rule.isIn && !isTrue(pattern)) return 0;
      if (until !== undefined) rule.isIn = !isTrue(until);
    }
    if (action !== undefined) return action(this);
    this.write(`${this.line}\n`);
    return 0;
  }
}

const unquoted = (text: string): string => text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');

export function* awk(args: readonly string[], io: Io): Generator<number, number, void> {
  const run = new AwkRun(io);
  let i = 1;
  for (; args[i]?.startsWith('-') === true && args[i] !== '-'; i++) {
    const word = args[i] as string;
    if (word === '--') {
      i++;
      break;
    }
    const letter = word[1] as string;
    if (letter !== 'F' && letter !== 'v') throw new Fault(`awk: unknown option ${word}`);
    const value = word.length > 2 ? word.slice(2) : (args[++i] ?? '');
    const equals = value.indexOf('=');
    if (letter === 'F') run.set('FS', value === 't' ? '\t' : unquoted(value));
    else if (equals < 1) throw new Fault(`awk: ${value}: it is no assignment`);
    else run.set(value.slice(0, equals), unquoted(value.slice(equals + 1)));
  }
  const [program, ...files] = args.slice(i);
  if (program === undefined) {
    io.complain('usage: awk [-F fs] [-v var=value] prog [file ...]');
    return 2;
  }
  const rules = new AwkParser(program).rules();
  let isEnded = rules.some(rule => rule.kind === 'begin' && run.rule(rule) === EXIT);
  let isMissed = false;
  if (!isEnded && rules.some(({ kind }) => kind !== 'begin')) {
    const read = textOf(io, files);
    isMissed = read.isMissed;
    const lines = linesOf(read.text);
    for (let i = 0; i < lines.length && !isEnded; i++) {
      if (i % SLICE_LINES === SLICE_LINES - 1) yield 0;
      run.begin(lines[i] as string);
      for (const rule of rules) {
        const result = rule.kind === 'line' ? run.rule(rule) : 0;
        if (result === EXIT) isEnded = true;
        if (result !== 0) break;
      }
    }
  }
  for (const rule of rules) if (rule.kind === 'end' && run.rule(rule) === EXIT) break;
  return run.status === 0 && isMissed ? 2 : run.status;
}
