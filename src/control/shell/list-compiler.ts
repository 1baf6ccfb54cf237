// Lists and pipelines of commands, their redirections and here-documents (POSIX, Shell Command Language, sections 2.7 and 2.9), as
// operations, line by line. What may be a word that only later turns out to be something else is put right where it stands: a
// pipeline begins with LINE, which becomes PIPE at the first `|`; a compound command with NOTHING, which becomes a jump to its
// redirections; an assignment is the command's own until that has no words.
// Departure: `&` runs what is before it, and only then what is behind it.
// Not here: words (word-compiler.ts), compound commands (compiler.ts), what the operations do (machine.ts).

import * as op from './operations.ts';
import { SyntaxFault } from './operations.ts';
import {
  escaped,
  FOR_ARGUMENT,
  FOR_ITEM,
  FOR_PATTERN,
  FOR_SUBJECT,
  FOR_TARGET,
  FOR_VALUE,
  isBlank,
  isName,
  isText,
  LINE_FEED,
  OPEN_ARM,
  OPEN_BACKQUOTE,
  OPEN_FOR,
  OPEN_FUNCTION,
  OPEN_HERE,
  OPEN_LISTS,
  OPEN_SUBSHELL,
  OPEN_SUBSTITUTION,
  OPEN_TOP,
  type Open,
  WordCompiler,
} from './word-compiler.ts';

// States of a list.
export const BEFORE = 0;
const WITHIN = 1;
export const BEHIND = 2;
interface HereDocument {
  end: string;
  isPlain: boolean;
  isStripped: boolean;
  /** Where the place of its text belongs. */
  slot: number;
  text: string;
}
export abstract class ListCompiler extends WordCompiler {
  /** Those whose texts begin at the line's end. */
  private heres: HereDocument[] = [];
  /** Whether lines are the first of these. */
  private isHere = false;
  /** Places of CHECK. */
  private checks: number[] = [];
  /** A backslash has joined the next line to this one. */
  private wasJoined = false;
  private isJoined = false;
  /** Of words that are open: where redirections lead from, and what assignments are to. */
  private targets: { descriptor: number; kind: string }[] = [];
  private names: string[] = [];

  /** Takes a reserved word; answers whether it is one. */
  protected abstract reserved(word: string): boolean;
  /** The same of those that end something, or its part. */
  protected abstract closing(word: string): boolean;
  /** Begins a function; answers whether it is one. */
  protected abstract isFunction(start: string): boolean;
  protected abstract endFunction(): void;
  protected abstract endArm(): void;
  protected abstract stepFor(): void;
  protected abstract stepCase(): void;

  /**
   * Takes a line, which ends with its line feed. Answers whether it is complete with those before it: then `code` is what
   * they mean, until the next one is fed.
   */
  feed(line: string): boolean {
    this.line++;
    if (this.isHere) {
      this.feedHere(line);
      return this.isComplete();
    }
    this.text = this.text.slice(this.at) + line;
    this.at = 0;
    this.isCut = false;
    this.compile();
    this.isJoined = this.wasJoined && !this.isCut && line.endsWith('\\\n');
    return this.isComplete();
  }

  /** Takes the code of what is complete. */
  take(): op.Code {
    const { code } = this;
    code.push(op.END);
    this.code = [];
    this.checks = [];
    return code;
  }

  /** Whether nothing has begun since the last complete command. */
  get isEmpty(): boolean {
    return this.isComplete() && this.code.length === 0;
  }

  /** What is still open, in words. */
  openText(): string {
    const [here] = this.heres;
    return here === undefined ? this.describe(this.top) : `<< ${here.end}`;
  }

  private isComplete(): boolean {
    const { top } = this;
    return (
      top.kind === OPEN_TOP &&
      top.state === BEFORE &&
      !top.isWanting &&
      !this.isHere &&
      !this.isCut &&
      !this.isJoined
    );
  }

  private compile(): void {
    this.wasJoined = false;
    while (!this.isCut) {
      if (this.at >= this.text.length) {
        if (this.sources.length === 0) return;
        this.endSource();
        continue;
      }
      const { kind } = this.top;
      if (isText(kind)) this.stepWord();
      else if (kind <= OPEN_LISTS) this.stepList();
      else if (kind === OPEN_FOR) this.stepFor();
      else this.stepCase();
    }
  }

  /** Passes over blanks, a joined line and a comment; the next character's code, NaN at the end of what is there. */
  protected next(): number {
    const { text } = this;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (isBlank(code)) this.at++;
      else if (code === 92 && text.charCodeAt(this.at + 1) === LINE_FEED) {
        this.at += 2;
        this.wasJoined = true;
      } else if (code === 35) {
        const end = text.indexOf('\n', this.at);
        this.at = end < 0 ? text.length : end;
      } else return code;
    }
  }

  protected refuse(what: string): never {
    throw new SyntaxFault(`${what} is not expected here`);
  }

  // --- lists ---------------------------------------------------------------------------------------------

  private stepList(): void {
    const code = this.next();
    if (Number.isNaN(code)) return;
    const { top } = this;
    const character = this.text[this.at] as string;
    if (character === '\n') this.lineFeed();
    else if (character === ';') this.semicolon();
    else if (character === '&') this.ampersand();
    else if (character === '|') this.bar();
    else if (character === ')') this.closeParen();
    else if (character === '(') {
      if (top.state !== BEFORE) this.refuse('(');
      this.at++;
      this.beginCompound();
      this.push(OPEN_SUBSHELL).slot = this.emitJump(op.SUBSHELL);
    } else if (character === '<' || character === '>') this.redirection('');
    else this.listWord();
  }

  private lineFeed(): void {
    const { top } = this;
    this.at++;
    if (top.state !== BEFORE) this.endCommand();
    if (this.heres.length === 0) return;
    if (this.sources.length > 0) throw new SyntaxFault('<< cannot be read between backquotes');
    this.isHere = true;
  }

  private semicolon(): void {
    const { top } = this;
    const isDouble = this.text[this.at + 1] === ';';
    if (isDouble && top.kind !== OPEN_ARM) this.refuse(';;');
    if (top.isWanting || (top.state === BEFORE && !isDouble)) this.refuse(';');
    this.at += isDouble ? 2 : 1;
    if (top.state !== BEFORE) this.endCommand();
    if (isDouble) this.endArm();
  }

  private ampersand(): void {
    const { top } = this;
    if (top.state === BEFORE) this.refuse('&');
    if (this.text[this.at + 1] === '&') {
      this.at += 2;
      this.join(op.UNLESS);
      return;
    }
    this.at++;
    this.emit(op.BACKGROUND);
    this.endCommand();
  }

  private bar(): void {
    const { top } = this;
    if (top.state === BEFORE) this.refuse('|');
    if (this.text[this.at + 1] === '|') {
      this.at += 2;
      this.join(op.IF);
      return;
    }
    this.at++;
    this.endPart();
    if (!top.isPipe) {
      this.code[top.lineSlot] = op.PIPE;
      top.tubeSlot = top.lineSlot + 2;
    }
    this.patch(top.tubeSlot);
    top.tubeSlot = this.emitJump(op.TUBE);
    top.isPipe = true;
    top.isWanting = true;
  }

  /** `&&` or `||`. */
  private join(operation: number): void {
    const { top } = this;
    this.forgetChecks(top.lineSlot);
    this.endPipeline();
    this.patch(top.jumpSlot);
    top.jumpSlot = this.emitJump(operation);
    top.isWanting = true;
  }

  /** Ends the command that is part of a pipeline. */
  private endPart(): void {
    const { top } = this;
    if (top.state === WITHIN) {
      if (top.count === 0) for (const slot of top.assigns) this.code[slot] = op.ASSIGN;
      this.emit(op.EXECUTE);
    } else if (top.outSlot >= 0) {
      this.emit(op.APPLY, op.JUMP, top.compound + 2);
      this.patch(top.outSlot);
    }
    top.state = BEFORE;
    top.count = 0;
    top.assigns = [];
    top.outSlot = -1;
  }

  private endPipeline(): void {
    const { top } = this;
    this.endPart();
    if (top.isPipe) {
      this.patch(top.tubeSlot);
      this.emit(op.TUBE_END);
    }
    if (top.isNegated) {
      this.forgetChecks(top.lineSlot);
      this.emit(op.NOT);
    }
    top.isPipe = false;
    top.isNegated = false;
    top.lineSlot = -1;
  }

  /** Ends what stands before `;`, a line's end or the end of the list. */
  protected endCommand(): void {
    const { top } = this;
    const isChecked = !top.isNegated;
    top.isFilled = true;
    this.endPipeline();
    if (isChecked) {
      this.checks.push(this.code.length);
      this.emit(op.CHECK);
    }
    this.patch(top.jumpSlot);
    top.jumpSlot = -1;
    if (top.kind === OPEN_FUNCTION) this.endFunction();
  }

  /** From a place on, what fails does not end the script: somebody looks at it. */
  protected forgetChecks(from: number): void {
    const { checks } = this;
    while (checks.length > 0 && (checks[checks.length - 1] as number) >= from)
      this.code[checks.pop() as number] = op.IDLE;
  }

  /** The list is over: there must be something in it, and nothing may be missing. */
  protected endList(by: string): void {
    const { top } = this;
    if (top.isWanting) this.refuse(by);
    if (top.state !== BEFORE) this.endCommand();
    const mayBeEmpty = top.kind === OPEN_ARM || top.kind === OPEN_SUBSTITUTION || top.kind === OPEN_BACKQUOTE;
    if (!(top.isFilled || mayBeEmpty)) this.refuse(by);
  }

  protected beginPipeline(): void {
    const { top } = this;
    top.isWanting = false;
    if (top.lineSlot >= 0) return;
    top.lineSlot = this.code.length;
    this.emit(op.LINE, this.line, 0);
  }

  protected beginCompound(): void {
    this.beginPipeline();
    this.top.compound = this.code.length;
    this.emit(op.NOTHING, 0);
  }

  /** A compound command is over: back in the list that it is a part of. */
  protected endCompound(): void {
    this.pop();
    const { top } = this;
    top.state = BEHIND;
    top.outSlot = -1;
  }

  /** The body of a function ends with the list around it. */
  private endInner(): void {
    while (this.top.kind === OPEN_FUNCTION && this.top.state === BEHIND) this.endCommand();
  }

  private closeParen(): void {
    this.endInner();
    const { top } = this;
    if (top.kind !== OPEN_SUBSHELL && top.kind !== OPEN_SUBSTITUTION) this.refuse(')');
    this.endList(')');
    this.at++;
    if (top.kind === OPEN_SUBSHELL) {
      this.patch(top.slot);
      this.emit(op.SUBSHELL_END);
      this.endCompound();
      return;
    }
    this.endSubstitution(top);
  }

  private endSubstitution({ slot }: Open): void {
    this.patch(slot);
    this.emit(op.SUBSTITUTE_END);
    this.pop();
  }

  protected endBackquote(): void {
    this.endInner();
    this.endList('`');
    this.endSubstitution(this.top);
  }

  // --- words of a list -----------------------------------------------------------------------------------

  private listWord(): void {
    const { top } = this;
    const start = this.wordRun();
    if (this.isRedirected(start)) {
      this.redirection(start);
      return;
    }
    if (top.state === BEHIND) {
      if (!this.isCloser(start)) this.refuse(start === '' ? (this.text[this.at] as string) : start);
      this.endInner();
      this.closing(start);
      return;
    }
    if (top.state === BEFORE) {
      if (start !== '' && this.isWordEnd() && this.reserved(start)) return;
      this.beginPipeline();
      if (top.kind === OPEN_FUNCTION) this.refuse(start);
      if (this.isFunction(start)) return;
    }
    top.state = WITHIN;
    const equals = top.count === 0 ? start.indexOf('=') : -1;
    if (equals > 0 && isName(start.slice(0, equals))) {
      this.names.push(start.slice(0, equals));
      this.beginWord(FOR_VALUE, start.slice(equals + 1));
      return;
    }
    if (top.count === 0) top.isDeclaring = start === 'export' || start === 'readonly' || start === 'local';
    const isValue =
      top.isDeclaring && top.count > 0 && isName(start.slice(0, Math.max(0, start.indexOf('='))));
    top.count++;
    const word = this.beginWord(FOR_ARGUMENT, start);
    if (isValue && word !== undefined) word.mode = op.MODE_QUOTED;
  }

  private isRedirected(start: string): boolean {
    const character = this.text[this.at];
    return (character === '<' || character === '>') && start.length === 1 && start >= '0' && start <= '9';
  }

  protected isCloser(word: string): boolean {
    return this.isWordEnd() && ['then', 'elif', 'else', 'fi', 'do', 'done', 'esac', '}'].includes(word);
  }

  // --- redirections --------------------------------------------------------------------------------------

  private redirection(number: string): void {
    const { top } = this;
    if (top.state === BEFORE) this.beginPipeline();
    if (top.state === BEHIND && top.outSlot < 0) {
      this.emit(op.RESTORE);
      top.outSlot = this.emitJump(op.JUMP);
      this.code[top.compound] = op.JUMP;
      this.code[top.compound + 1] = this.code.length;
    } else if (top.state === BEFORE) top.state = WITHIN;
    const two = this.text.slice(this.at, this.at + 2);
    const kind = ['>>', '<<', '>&', '<&', '<>', '>|'].includes(two) ? two : two.slice(0, 1);
    this.at += kind.length;
    const descriptor = number === '' ? (kind[0] === '<' ? 0 : 1) : Number(number);
    if (kind === '<<') {
      this.hereDocument(descriptor);
      return;
    }
    const code = this.next();
    if (Number.isNaN(code) || code === LINE_FEED)
      throw new SyntaxFault(`something is missing behind ${kind}`);
    const start = this.wordRun();
    if (start === '' && this.isWordEnd()) this.refuse(this.text[this.at] as string);
    this.targets.push({ descriptor, kind });
    this.beginWord(FOR_TARGET, start);
  }

  private hereDocument(descriptor: number): void {
    const isStripped = this.text[this.at] === '-';
    if (isStripped) this.at++;
    this.next();
    const raw = /^(?:'[^'\n]*'|"[^"\n]*"|\\.|[^\s;&|()<>'"\\])+/.exec(this.text.slice(this.at))?.[0] ?? '';
    if (raw === '') throw new SyntaxFault('something is missing behind <<');
    this.at += raw.length;
    this.emit(op.HERE, descriptor, 0);
    this.heres.push({
      end: raw.replace(/['"\\]/g, ''),
      isPlain: /['"\\]/.test(raw),
      isStripped,
      slot: this.code.length - 1,
      text: '',
    });
  }

  private feedHere(line: string): void {
    const here = this.heres[0] as HereDocument;
    const given = here.isStripped ? line.replace(/^\t+/, '') : line;
    if (given !== `${here.end}\n`) {
      here.text += given;
      if (here.text.length > 65536) throw new SyntaxFault(`<< ${here.end} has more than 64 KB`);
      return;
    }
    this.heres.shift();
    this.isHere = this.heres.length > 0;
    const over = this.emitJump(op.JUMP);
    this.patch(here.slot);
    const place = this.push(OPEN_HERE);
    place.slot = over;
    if (here.isPlain) {
      this.emit(op.TEXT, escaped(here.text));
      this.endHere();
      return;
    }
    this.beginSource(here.text);
    if (here.text === '') this.endSource();
    this.compile();
  }

  protected endHere(): void {
    const { slot } = this.top;
    this.emit(op.HERE_END);
    this.patch(slot);
    this.pop();
  }

  // --- what becomes of words -----------------------------------------------------------------------------

  protected endWord({ purpose }: Open): void {
    this.pop();
    if (purpose === FOR_ARGUMENT || purpose === FOR_ITEM) this.emit(op.FIELD);
    else if (purpose === FOR_PATTERN) {
      this.emit(op.PATTERN);
      this.top.slots.push(this.emitJump(op.MATCH));
    } else if (purpose === FOR_SUBJECT) this.emit(op.STRING, op.CASE);
    else if (purpose === FOR_TARGET) {
      const { descriptor, kind } = this.targets.pop() as { descriptor: number; kind: string };
      this.emit(op.STRING, op.REDIRECT, descriptor, kind);
    } else {
      this.emit(op.STRING);
      this.top.assigns.push(this.code.length);
      this.emit(op.LEND, this.names.pop() as string);
    }
  }
}
