// Compound commands and functions of a script (POSIX, Shell Command Language, section 2.9.4), as operations.
// Departures: `[[`, `select`, `((` and arrays are not there; `function name` of bash is.
// Not here: lists (list-compiler.ts), words (word-compiler.ts), what the operations do (machine.ts).

import { BEHIND, ListCompiler } from './list-compiler.ts';
import * as op from './operations.ts';
import { SyntaxFault } from './operations.ts';
import {
  FOR_ITEM,
  FOR_PATTERN,
  FOR_SUBJECT,
  isName,
  LINE_FEED,
  OPEN_ARM,
  OPEN_BODY,
  OPEN_BRACE,
  OPEN_CASE,
  OPEN_CONDITION,
  OPEN_ELSE,
  OPEN_FOR,
  OPEN_FUNCTION,
  OPEN_IF,
  OPEN_THEN,
} from './word-compiler.ts';

// States of `for`.
const FOR_NAME = 0;
const FOR_IN = 1;
const FOR_WORDS = 2;
const FOR_DO = 3;
// States of `case`.
const CASE_WORD = 0;
const CASE_IN = 1;
const CASE_START = 2;
const CASE_PATTERN = 3;
const CASE_BEHIND = 4;

export class Compiler extends ListCompiler {
  /** Jumps to the ends of the cases that are open, of the innermost last. */
  private ends: number[] = [];

  /** `name()`, or bash's `function name`. */
  protected isFunction(start: string): boolean {
    let name = start;
    if (start === 'function' && this.isWordEnd()) {
      this.next();
      name = this.wordRun();
      if (this.next() === 40) this.parens(name);
    } else {
      const { at } = this;
      if (start === '' || !this.isWordEnd()) return false;
      if (this.next() !== 40) {
        this.at = at;
        return false;
      }
      this.parens(name);
    }
    if (!/^[A-Za-z_][\w.-]*$/.test(name)) throw new SyntaxFault(`${name} is no name of a function`);
    this.emit(op.FUNCTION, name, 0);
    const slot = this.code.length - 1;
    this.push(OPEN_FUNCTION).slot = slot;
    return true;
  }

  private parens(name: string): void {
    this.at++;
    if (this.next() !== 41) throw new SyntaxFault(`( is not expected behind ${name}`);
    this.at++;
  }

  protected endFunction(): void {
    const { slot } = this.top;
    this.emit(op.RETURN);
    this.patch(slot);
    this.pop();
    // What ended its body ends the definition, too.
    this.top.state = BEHIND;
    this.endCommand();
  }

  /** Takes a reserved word; answers whether it is one. */
  protected reserved(word: string): boolean {
    const { top } = this;
    if (word === '!') {
      if (top.lineSlot >= 0) this.refuse('!');
      this.beginPipeline();
      top.isNegated = !top.isNegated;
      top.isWanting = true;
    } else if (word === 'if') {
      this.beginCompound();
      this.push(OPEN_IF).slot = this.code.length;
    } else if (word === 'while' || word === 'until') {
      this.beginCompound();
      this.emit(op.LOOP, 0, this.code.length + 3);
      const open = this.push(OPEN_CONDITION);
      open.slot = this.code.length;
      open.name = word;
    } else if (word === 'for') {
      this.beginCompound();
      this.push(OPEN_FOR);
    } else if (word === 'case') {
      this.beginCompound();
      this.push(OPEN_CASE);
    } else if (word === '{') {
      this.beginCompound();
      this.push(OPEN_BRACE);
    } else return this.closing(word);
    return true;
  }

  protected closing(word: string): boolean {
    const { kind } = this.top;
    if (!this.isCloser(word)) return false;
    if (kind === OPEN_IF && word === 'then') this.endIfCondition();
    else if (kind === OPEN_THEN && (word === 'elif' || word === 'else')) this.otherwise(word);
    else if ((kind === OPEN_THEN || kind === OPEN_ELSE) && word === 'fi') this.endIf();
    else if (kind === OPEN_CONDITION && word === 'do') this.beginBody();
    else if (kind === OPEN_BODY && word === 'done') this.endBody();
    else if (kind === OPEN_BRACE && word === '}') {
      this.endList(word);
      this.endCompound();
    } else if (kind === OPEN_ARM && word === 'esac') {
      this.endList(word);
      this.endArm();
      this.endCase();
    } else this.refuse(word);
    return true;
  }

  private endIfCondition(): void {
    const { top } = this;
    this.endList('then');
    this.forgetChecks(top.slot);
    this.pop();
    const open = this.push(OPEN_THEN);
    open.slots = top.slots;
    open.slot = this.emitJump(op.UNLESS);
  }

  private otherwise(word: string): void {
    const { top } = this;
    this.endList(word);
    top.slots.push(this.emitJump(op.JUMP));
    this.patch(top.slot);
    this.pop();
    const open = this.push(word === 'elif' ? OPEN_IF : OPEN_ELSE);
    open.slots = top.slots;
    open.slot = this.code.length;
  }

  private endIf(): void {
    const { top } = this;
    this.endList('fi');
    if (top.kind === OPEN_THEN) {
      top.slots.push(this.emitJump(op.JUMP));
      this.patch(top.slot);
      this.emit(op.SUCCEED);
    }
    for (const slot of top.slots) this.patch(slot);
    this.endCompound();
  }

  private beginBody(): void {
    const { top } = this;
    this.endList('do');
    this.forgetChecks(top.slot);
    const exit = this.emitJump(top.name === 'while' ? op.UNLESS : op.IF);
    this.pop();
    const open = this.push(OPEN_BODY);
    open.slot = top.slot;
    open.slots = [exit];
    open.name = top.name;
  }

  private endBody(): void {
    const { slot, slots, name } = this.top;
    this.endList('done');
    this.emit(op.AGAIN, slot);
    if (name !== 'for') {
      this.patch(slots[0] as number);
      this.emit(op.LOOP_END);
      this.code[slot - 2] = this.code.length;
    } else this.patch(slots[0] as number);
    this.endCompound();
  }

  // --- for and case --------------------------------------------------------------------------------------

  protected stepFor(): void {
    const code = this.next();
    const { top } = this;
    if (Number.isNaN(code)) return;
    if (code === LINE_FEED || code === 59) {
      this.at++;
      if (top.state === FOR_NAME || (top.state === FOR_DO && code === 59))
        this.refuse(code === 59 ? ';' : 'a line feed');
      if (top.state === FOR_WORDS) top.state = FOR_DO;
      else if (top.state === FOR_IN && code === 59) this.allParameters();
      return;
    }
    const word = this.wordRun();
    if (top.state === FOR_NAME) {
      if (!isName(word) || !this.isWordEnd()) throw new SyntaxFault(`${word} is no name of a variable`);
      top.name = word;
      top.state = FOR_IN;
    } else if (top.state === FOR_IN && word === 'in' && this.isWordEnd()) top.state = FOR_WORDS;
    else if (top.state === FOR_WORDS) {
      if (word === '' && this.isWordEnd()) this.refuse(this.text[this.at] as string);
      this.beginWord(FOR_ITEM, word);
    } else {
      if (top.state === FOR_IN) this.allParameters();
      if (word !== 'do' || !this.isWordEnd())
        this.refuse(word === '' ? (this.text[this.at] as string) : word);
      this.beginFor();
    }
  }

  private allParameters(): void {
    this.emit(op.VALUE, '@', op.MODE_QUOTED, op.FIELD);
    this.top.state = FOR_DO;
  }

  private beginFor(): void {
    const { name } = this.top;
    this.emit(op.FOR, name, 0, this.code.length + 4);
    const slot = this.code.length;
    this.emit(op.NEXT);
    this.pop();
    const open = this.push(OPEN_BODY);
    open.name = 'for';
    open.slot = slot;
    open.slots = [slot - 2];
  }

  protected stepCase(): void {
    const code = this.next();
    const { top } = this;
    if (Number.isNaN(code)) return;
    if (code === LINE_FEED) {
      this.at++;
      if (top.state === CASE_WORD || top.state >= CASE_PATTERN) this.refuse('a line feed');
      return;
    }
    if (top.state === CASE_BEHIND) {
      this.behindPattern(code);
      return;
    }
    if (top.state === CASE_START && code === 40) {
      this.at++;
      top.state = CASE_PATTERN;
      return;
    }
    const word = this.wordRun();
    if (top.state === CASE_WORD) {
      top.state = CASE_IN;
      this.beginWord(FOR_SUBJECT, word);
    } else if (top.state === CASE_IN) {
      if (word !== 'in' || !this.isWordEnd()) this.refuse(word);
      top.state = CASE_START;
    } else if (top.state === CASE_START && word === 'esac' && this.isWordEnd()) this.endCase();
    else {
      if (word === '' && this.isWordEnd()) this.refuse(this.text[this.at] as string);
      top.state = CASE_BEHIND;
      this.beginWord(FOR_PATTERN, word);
    }
  }

  /** `|` and another pattern, or `)` and what is to be done. */
  private behindPattern(code: number): void {
    const { top } = this;
    this.at++;
    if (code === 124) {
      top.state = CASE_PATTERN;
      return;
    }
    if (code !== 41) this.refuse(this.text[this.at - 1] as string);
    const next = this.emitJump(op.JUMP);
    for (const slot of top.slots) this.patch(slot);
    top.slots = [];
    top.state = CASE_START;
    this.push(OPEN_ARM).slot = next;
  }

  protected endArm(): void {
    const { slot } = this.top;
    const end = this.emitJump(op.JUMP);
    this.patch(slot);
    this.pop();
    this.top.count++;
    this.ends.push(end);
  }

  private endCase(): void {
    const { count } = this.top;
    this.emit(op.CASE_END);
    for (const slot of this.ends.splice(this.ends.length - count)) this.patch(slot);
    this.endCompound();
  }
}
