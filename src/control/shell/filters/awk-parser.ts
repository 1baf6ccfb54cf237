// Rules and statements of `awk` (POSIX, Utilities): print and printf, if, while, for, next, exit, delete.
// Not there: functions of one's own, getline, output to files and pipes.

import { Fault } from '../streams.ts';
import {
  AwkExpressions,
  type Expression,
  isTrue,
  NESTING_MOST,
  numberOf,
  type Run,
  stringOf,
} from './awk-expressions.ts';

/** Answers NEXT, BREAK and so on, or GO. */
export type Statement = (run: Run) => number;

export const GO = 0;
export const NEXT = 1;
export const EXIT = 2;
export const BREAK = 3;
export const CONTINUE = 4;

export interface Rule {
  kind: 'begin' | 'end' | 'line';
  /** Undefined: each line. */
  pattern: Expression | undefined;
  /** The end of a range. */
  until: Expression | undefined;
  isIn: boolean;
  action: Statement | undefined;
}

export class AwkParser extends AwkExpressions {
  rules(): Rule[] {
    const rules: Rule[] = [];
    for (this.skip(); this.kind !== 'end'; this.skip()) {
      const kind = this.take('BEGIN') ? 'begin' : this.take('END') ? 'end' : 'line';
      let pattern: Expression | undefined;
      let until: Expression | undefined;
      if (kind === 'line' && !this.is('{')) {
        pattern = this.expression();
        if (this.take(',')) until = this.expression();
      }
      const action = this.is('{') ? this.statement() : undefined;
      if (kind !== 'line' && action === undefined) this.refuse();
      rules.push({ kind, pattern, until, isIn: false, action });
    }
    return rules;
  }

  private block(): Statement {
    const list: Statement[] = [];
    this.expect('{');
    for (this.skip(); !this.is('}'); this.skip()) {
      if (this.kind === 'end') this.refuse();
      list.push(this.statement());
    }
    this.expect('}');
    return run => {
      for (let i = 0; i < list.length; i++) {
        run.step();
        const result = (list[i] as Statement)(run);
        if (result !== GO) return result;
      }
      return GO;
    };
  }

  private statement(): Statement {
    if (++this.depth > NESTING_MOST) throw new Fault('awk: it is nested too deeply');
    const statement = this.anyStatement();
    this.depth--;
    return statement;
  }

  private anyStatement(): Statement {
    if (this.is('{')) return this.block();
    if (this.take('if')) return this.ifStatement();
    if (this.take('while')) {
      this.expect('(');
      const condition = this.expression();
      this.expect(')');
      return loop(undefined, condition, undefined, this.body());
    }
    if (this.take('for')) return this.forStatement();
    const simple = this.simpleStatement();
    if (!this.is('}', ';', '\n') && this.kind !== 'end') this.refuse();
    return simple;
  }

  private body(): Statement {
    this.lineFeeds();
    if (this.take(';')) return () => GO;
    return this.statement();
  }

  private ifStatement(): Statement {
    this.expect('(');
    const condition = this.expression();
    this.expect(')');
    const then = this.body();
    const before = { at: this.at, token: this.token, kind: this.kind };
    this.skip();
    if (!this.take('else')) {
      Object.assign(this, before);
      return run => (isTrue(condition(run)) ? then(run) : GO);
    }
    const otherwise = this.body();
    return run => (isTrue(condition(run)) ? then(run) : otherwise(run));
  }

  private forStatement(): Statement {
    this.expect('(');
    const found = /^\s*in\s+([A-Za-z_]\w*)\s*\)/.exec(this.text.slice(this.at));
    if (this.kind === 'name' && found !== null) {
      const name = this.token;
      const array = found[1] as string;
      this.at += found[0].length;
      this.advance();
      const body = this.body();
      return run => {
        for (const key of [...run.array(array).keys()]) {
          run.step();
          run.set(name, key);
          const result = body(run);
          if (result === BREAK) break;
          if (result === NEXT || result === EXIT) return result;
        }
        return GO;
      };
    }
    const first = this.is(';') ? undefined : this.simpleStatement();
    this.expect(';');
    const condition = this.is(';') ? undefined : this.expression();
    this.expect(';');
    const step = this.is(')') ? undefined : this.simpleStatement();
    this.expect(')');
    return loop(first, condition, step, this.body());
  }

  private simpleStatement(): Statement {
    if (this.take('next')) return () => NEXT;
    if (this.take('break')) return () => BREAK;
    if (this.take('continue')) return () => CONTINUE;
    if (this.take('exit')) {
      const status = this.is('}', ';', '\n') || this.kind === 'end' ? undefined : this.expression();
      return run => {
        if (status !== undefined) run.status = numberOf(status(run)) & 255;
        return EXIT;
      };
    }
    if (this.is('print', 'printf')) return this.print();
    if (this.take('delete')) {
      const name = this.token;
      this.advance();
      this.expect('[');
      const key = this.subscript();
      return run => {
        run.array(name).delete(key(run));
        return GO;
      };
    }
    const value = this.expression();
    return run => {
      value(run);
      return GO;
    };
  }

  private print(): Statement {
    const isFormat = this.token === 'printf';
    this.advance();
    this.isPrinting = true;
    const list = this.list('}', ';', '\n', '>', '|', '>>');
    this.isPrinting = false;
    if (this.is('>', '|', '>>'))
      throw new Fault('awk: print goes to the standard output here, and nowhere else');
    if (isFormat)
      return run => {
        run.write(run.format(list.map(value => stringOf(value(run)))));
        return GO;
      };
    return run => {
      const texts = list.length === 0 ? [run.field(0)] : list.map(value => stringOf(value(run)));
      run.write(texts.join(stringOf(run.get('OFS'))) + stringOf(run.get('ORS')));
      return GO;
    };
  }

  /** Values with commas between them, perhaps in parentheses. */
  private list(...ends: string[]): Expression[] {
    const list: Expression[] = [];
    if (this.kind === 'end' || this.is(...ends)) return list;
    const before = { at: this.at, token: this.token, kind: this.kind };
    if (this.take('(')) {
      this.isPrinting = false;
      list.push(this.expression());
      while (this.take(',')) list.push(this.expression());
      if (this.take(')') && (this.is(...ends) || (this.kind as string) === 'end')) return list;
      Object.assign(this, before);
      this.isPrinting = true;
      list.length = 0;
    }
    do {
      this.lineFeeds();
      list.push(this.expression());
    } while (this.take(','));
    return list;
  }
}

function loop(
  first: Statement | undefined,
  condition: Expression | undefined,
  step: Statement | undefined,
  body: Statement,
): Statement {
  return run => {
    first?.(run);
    while (condition === undefined || isTrue(condition(run))) {
      run.step();
      const result = body(run);
      if (result === BREAK) break;
      if (result === NEXT || result === EXIT) return result;
      step?.(run);
    }
    return GO;
  };
}
