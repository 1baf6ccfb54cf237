// The words of a script (POSIX, Shell Command Language, sections 2.2, 2.3 and 2.6): quotes, parameters, substitutions and sums,
// as operations. A script comes a line at a time, and whatever is open at a line's end is on a stack, so that nothing is read
// twice. Between backquotes the text is taken off first, as what is escaped there depends on it, and is a source of its own.
// Not here: commands (compiler.ts, which says what becomes of a word), what the operations do (fields.ts).

import * as op from './operations.ts';
import { MODE_PATTERN, MODE_QUOTED, MODE_SPLIT, SyntaxFault } from './operations.ts';

// What is open. Up to OPEN_LISTS: lists of commands.
export const OPEN_TOP = 0;
export const OPEN_IF = 1;
export const OPEN_THEN = 2;
export const OPEN_ELSE = 3;
export const OPEN_CONDITION = 4;
export const OPEN_BODY = 5;
export const OPEN_ARM = 6;
export const OPEN_BRACE = 7;
export const OPEN_SUBSHELL = 8;
export const OPEN_SUBSTITUTION = 9;
export const OPEN_BACKQUOTE = 10;
export const OPEN_FUNCTION = 11;
export const OPEN_LISTS = 11;
export const OPEN_FOR = 12;
export const OPEN_CASE = 13;
const OPEN_WORD = 14;
const OPEN_SINGLE = 15;
const OPEN_DOUBLE = 16;
const OPEN_PARAMETER = 17;
const OPEN_SUM = 18;
export const OPEN_HERE = 19;

const OPEN_NAMES =
  'command,if,then,else,while,do,case,{,(,$(,`,function,for,case,word,\',",${,$((,here-document'.split(',');

// What a word is for.
export const FOR_ARGUMENT = 0;
export const FOR_ITEM = 1;
export const FOR_VALUE = 2;
export const FOR_TARGET = 3;
export const FOR_SUBJECT = 4;
export const FOR_PATTERN = 5;

// Classes of characters.
const DELIMITER = 1;
const SPECIAL = 2;
const DOUBLED = 4;
const ESCAPING = 8;
const CLOSING = 16;
const PAREN = 32;
const NAME = 64;
const BLANK = 128;

/** Codes of characters. */
export const LINE_FEED = 10;
const BACKSLASH = 92;
const BACKQUOTE = 96;
const DOLLAR = 36;
const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const PAREN_OPEN = 40;
const PAREN_CLOSE = 41;
const BRACE_OPEN = 123;

const classes = new Uint8Array(256);

function mark(characters: string, bits: number): void {
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i);
    classes[code] = (classes[code] as number) | bits;
  }
}

mark(' \t\n;&|()<>', DELIMITER);
mark(' \t', BLANK);
mark('\'"\\`$', SPECIAL);
mark('"\\`$', DOUBLED);
mark('\\`$', ESCAPING);
mark('}', CLOSING);
mark('()', PAREN);
mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789', NAME);

const isClass = (code: number, bits: number): boolean => ((classes[code & 255] as number) & bits) !== 0;
export const isBlank = (code: number): boolean => isClass(code, BLANK);
const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Whether a text is a variable's name. */
export function isName(text: string): boolean {
  if (text === '' || isDigit(text.charCodeAt(0))) return false;
  for (let i = 0; i < text.length; i++) if (!isClass(text.charCodeAt(i), NAME)) return false;
  return true;
}

/** Text that stands for itself, in a word or pattern. */
export function escaped(text: string): string {
  if (!(text.includes('\\') || text.includes('*') || text.includes('?') || text.includes('['))) return text;
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    result += '\\*?['.includes(character) ? `\\${character}` : character;
  }
  return result;
}

/** Something that has begun and not ended, with what it must know then. */
export class Open {
  /** Of a list: 0 before a command, 1 in one, 2 behind a compound one. */
  state = 0;
  /** Of a list: where its pipeline and its compound command begin; where the jump of `&&` is that waits for its goal; -1 is none. */
  lineSlot = -1;
  compound = -1;
  jumpSlot = -1;
  isPipe = false;
  isNegated = false;
  /** Of a list: something is in it. */
  isFilled = false;
  /** Its command is `export` or its like, whose assignments are not split. */
  isDeclaring = false;
  /** An operator wants a command. */
  isWanting = false;
  /** Jumps over the redirections of a compound command; -1 while there are none. */
  outSlot = -1;
  /** Of a list: words of its command. Of a sum: parentheses. */
  count = 0;
  /** Of a list: places of its command's assignments, and where the next of its pipeline belongs. */
  assigns: number[] = [];
  tubeSlot = -1;
  /** Jumps to a common goal. */
  slots: number[] = [];
  /** The jump to what comes next, or a place to go back to. */
  slot = -1;
  mode = MODE_SPLIT;
  purpose = FOR_ARGUMENT;
  name = '';
  isQuoted = false;

  constructor(
    readonly kind: number,
    readonly line: number,
  ) {}
}

export abstract class WordCompiler {
  code: op.Code = [];
  line = 0;
  protected text = '';
  protected at = 0;
  protected top: Open;
  protected readonly stack: Open[] = [];
  /** Texts that go on behind the present one. */
  protected readonly sources: { text: string; at: number }[] = [];
  /** What is there cannot be understood before the next line. */
  protected isCut = false;

  constructor() {
    this.top = new Open(OPEN_TOP, 0);
    this.stack.push(this.top);
  }

  /** A word is over, as is what stands behind a substitution or here-document. */
  protected abstract endWord(word: Open): void;
  protected abstract endBackquote(): void;
  protected abstract endHere(): void;

  protected emit(...items: (number | string)[]): void {
    if (this.code.length > op.CODE_MOST) throw new SyntaxFault('it is too long for one command');
    for (let i = 0; i < items.length; i++) this.code.push(items[i] as number | string);
  }

  /** Adds a jump whose goal is not known yet; answers the goal's place. */
  protected emitJump(operation: number): number {
    this.emit(operation, 0);
    return this.code.length - 1;
  }

  protected patch(slot: number): void {
    if (slot >= 0) this.code[slot] = this.code.length;
  }

  protected push(kind: number): Open {
    if (this.stack.length >= op.NESTING_MOST) throw new SyntaxFault('it is nested too deeply');
    this.top = new Open(kind, this.line);
    this.stack.push(this.top);
    return this.top;
  }

  protected pop(): void {
    this.stack.pop();
    this.top = this.stack[this.stack.length - 1] as Open;
  }

  protected describe({ kind, line }: Open): string {
    return `${OPEN_NAMES[kind]}${line > 1 ? ` of line ${line}` : ''}`;
  }

  protected code_(at: number): number {
    return this.text.charCodeAt(at);
  }

  /** What ends with the text that is being read. */
  protected endSource(): void {
    if (this.top.kind === OPEN_WORD) this.endWord(this.top);
    const { kind } = this.top;
    if (kind !== OPEN_BACKQUOTE && kind !== OPEN_HERE)
      throw new SyntaxFault(`${this.describe(this.top)} is not ended`);
    const source = this.sources.pop() as { text: string; at: number };
    if (kind === OPEN_HERE) this.endHere();
    else this.endBackquote();
    this.text = source.text;
    this.at = source.at;
  }

  protected beginSource(text: string): void {
    this.sources.push({ text: this.text, at: this.at });
    this.text = text;
    this.at = 0;
  }

  /** The plain characters from here on, which may be a whole word. */
  protected run(bits: number): string {
    const { text } = this;
    const from = this.at;
    let to = from;
    while (to < text.length && ((classes[text.charCodeAt(to) & 255] as number) & bits) === 0) to++;
    this.at = to;
    return to === from ? '' : text.slice(from, to);
  }

  /** The plain characters at the start of a word, and whether they are all of it. */
  protected wordRun(): string {
    return this.run(DELIMITER | SPECIAL);
  }

  protected isWordEnd(): boolean {
    return this.at >= this.text.length || isClass(this.code_(this.at), DELIMITER);
  }

  /** Begins a word of which some plain characters are read. */
  protected beginWord(purpose: number, start: string): Open | undefined {
    if (this.isWordEnd() && purpose <= FOR_ITEM && !/[*?[]/.test(start)) {
      this.emit(op.WORD, start);
      return undefined;
    }
    if (start !== '') this.emit(op.TEXT, start);
    const word = this.push(OPEN_WORD);
    word.purpose = purpose;
    word.mode = purpose <= FOR_ITEM ? MODE_SPLIT : purpose === FOR_PATTERN ? MODE_PATTERN : MODE_QUOTED;
    if (this.isWordEnd()) this.endWord(word);
    return word;
  }

  /** Reads on in a word, or in what is open in it. */
  protected stepWord(): void {
    const { top } = this;
    if (top.kind === OPEN_SINGLE) {
      this.stepSingle();
      return;
    }
    const run = this.run(bitsOf(top));
    if (run !== '') this.emitText(top, run);
    if (this.at >= this.text.length) return;
    const code = this.code_(this.at);
    if (code === BACKSLASH) this.backslash(top);
    else if (code === DOLLAR) this.dollar(top);
    else if (code === BACKQUOTE) this.backquote(top);
    else if (code === DOUBLE_QUOTE) this.doubleQuote(top);
    else if (code === QUOTE) {
      this.at++;
      this.emit(op.QUOTE);
      this.push(OPEN_SINGLE);
    } else if (top.kind === OPEN_SUM) this.paren(top, code);
    else if (top.kind === OPEN_PARAMETER) this.endParameter(top);
    else this.endWord(top);
  }

  private emitText(top: Open, text: string): void {
    const isQuoted = top.kind !== OPEN_WORD && !(top.kind === OPEN_PARAMETER && !top.isQuoted);
    if (isQuoted) this.emit(op.TEXT, escaped(text));
    else if (top.kind === OPEN_PARAMETER && top.mode === MODE_SPLIT) this.emit(op.SPLIT, text);
    else this.emit(op.TEXT, text);
  }

  private stepSingle(): void {
    const end = this.text.indexOf("'", this.at);
    const to = end < 0 ? this.text.length : end;
    if (to > this.at) this.emit(op.TEXT, escaped(this.text.slice(this.at, to)));
    this.at = to;
    if (end < 0) return;
    this.at++;
    this.pop();
  }

  private doubleQuote(top: Open): void {
    this.at++;
    if (top.kind === OPEN_DOUBLE) {
      this.pop();
      return;
    }
    // A sum has no quotes.
    if (top.kind === OPEN_SUM) return;
    this.emit(op.QUOTE);
    this.push(OPEN_DOUBLE).mode = MODE_QUOTED;
  }

  private backslash(top: Open): void {
    const next = this.text[this.at + 1];
    this.at += 2;
    if (next === '\n') return;
    if (next === undefined) {
      this.emit(op.TEXT, '\\\\');
      return;
    }
    const isUnquoted = top.kind === OPEN_WORD || (top.kind === OPEN_PARAMETER && !top.isQuoted);
    if (isUnquoted) this.emit(op.QUOTE);
    const isTaken = isUnquoted || '\\`$'.includes(next) || (next === '"' && top.kind !== OPEN_HERE);
    const isClosing = top.kind === OPEN_PARAMETER && next === '}';
    this.emit(op.TEXT, escaped(isTaken || isClosing ? next : `\\${next}`));
  }

  private paren(top: Open, code: number): void {
    this.at++;
    if (code === PAREN_OPEN) top.count++;
    else if (top.count > 0) top.count--;
    else {
      if (this.code_(this.at) !== PAREN_CLOSE) throw new SyntaxFault('$(( wants ))');
      this.at++;
      const { mode } = top;
      this.pop();
      this.emit(op.SUM, mode);
      return;
    }
    this.emit(op.TEXT, code === PAREN_OPEN ? '(' : ')');
  }

  private valueMode(top: Open): number {
    return top.kind === OPEN_WORD || top.kind === OPEN_PARAMETER ? top.mode : MODE_QUOTED;
  }

  private dollar(top: Open): void {
    const mode = this.valueMode(top);
    const code = this.code_(this.at + 1);
    if (code === BRACE_OPEN) this.braces(top, mode);
    else if (code === PAREN_OPEN && this.code_(this.at + 2) === PAREN_OPEN) {
      this.at += 3;
      this.emit(op.ASIDE);
      this.push(OPEN_SUM).mode = mode;
    } else if (code === PAREN_OPEN) {
      this.at += 2;
      const slot = this.beginSubstitution(mode);
      this.push(OPEN_SUBSTITUTION).slot = slot;
    } else {
      const name = this.nameAt(this.at + 1);
      this.at += 1 + name.length;
      // As in bash: what is in its quotes might be translated.
      if (code === DOUBLE_QUOTE && top.kind === OPEN_WORD) return;
      if (name === '') this.emit(op.TEXT, '$');
      else this.emit(op.VALUE, this.parameter(name), mode);
    }
  }

  protected beginSubstitution(mode: number): number {
    this.emit(op.SUBSTITUTE, mode, 0);
    return this.code.length - 1;
  }

  /** The parameter's name at a place, or ''. */
  private nameAt(at: number): string {
    const code = this.code_(at);
    if (isDigit(code) || '@*#?$!-'.includes(this.text[at] ?? ' ')) return this.text[at] as string;
    let to = at;
    while (to < this.text.length && isClass(this.code_(to), NAME)) to++;
    return this.text.slice(at, to);
  }

  /** Where there is but one text, all parameters are one. */
  private parameter(name: string): string {
    if (name !== '@') return name;
    let i = this.stack.length - 1;
    while ((this.stack[i] as Open).kind > OPEN_WORD && (this.stack[i] as Open).kind !== OPEN_HERE) i--;
    const { kind, purpose } = this.stack[i] as Open;
    return kind === OPEN_WORD && purpose <= FOR_ITEM ? '@' : '*';
  }

  /** `${name}` and its like. */
  private braces(top: Open, mode: number): void {
    let at = this.at + 2;
    const next = this.text[at + 1];
    // ${#} is a parameter, and so is what ${#-word} looks at.
    const isLength = this.text[at] === '#' && next !== undefined && !'}:-=?+%'.includes(next);
    if (isLength) at++;
    let name = this.nameAt(at);
    while (isDigit(name.charCodeAt(0)) && isDigit(this.code_(at + name.length)))
      name += this.text[at + name.length];
    at += name.length;
    if (name === '') throw new SyntaxFault('bad substitution');
    if (this.text[at] === '}') {
      this.at = at + 1;
      this.emit(isLength ? op.LENGTH : op.VALUE, this.parameter(name), mode);
      return;
    }
    let kind = this.text[at] ?? '';
    if (kind === ':' || ((kind === '%' || kind === '#') && this.text[at + 1] === kind))
      kind += this.text[at + 1] ?? '';
    if (isLength || !['-', '=', '?', '+', ':-', ':=', ':?', ':+', '%', '%%', '#', '##'].includes(kind))
      throw new SyntaxFault(`bad substitution of ${name}`);
    this.at = at + kind.length;
    this.beginParameter(top, name, kind, mode);
  }

  private beginParameter(top: Open, name: string, kind: string, mode: number): void {
    const isTrim = kind[0] === '%' || kind[0] === '#';
    const isWord = kind.endsWith('-') || kind.endsWith('+');
    let slot = -1;
    if (!isTrim) {
      this.emit(op.PARAMETER, name, kind, mode, 0);
      slot = this.code.length - 1;
    }
    if (!isWord) this.emit(op.ASIDE);
    const open = this.push(OPEN_PARAMETER);
    const isQuoted = top.kind !== OPEN_WORD && !(top.kind === OPEN_PARAMETER && !top.isQuoted);
    // A pattern has its own quotes.
    open.isQuoted = isQuoted && !isTrim;
    open.mode = isTrim ? MODE_PATTERN : isWord ? mode : MODE_QUOTED;
    open.name = `${kind} ${name}`;
    open.slot = slot;
    open.purpose = mode;
  }

  private endParameter({ name: text, slot, purpose: mode }: Open): void {
    this.at++;
    this.pop();
    const [kind = '', name = ''] = text.split(' ');
    if (kind[0] === '%' || kind[0] === '#') this.emit(op.TRIM, name, kind, mode);
    else if (kind.endsWith('=')) this.emit(op.DEFAULT, name, mode);
    else if (kind.endsWith('?')) this.emit(op.COMPLAIN, name);
    this.patch(slot);
  }

  /** What is between backquotes, where it is escaped, becomes a source; where it does not end in this line, the next is waited for. */
  private backquote(top: Open): void {
    const { text } = this;
    let inner = '';
    let at = this.at + 1;
    for (;;) {
      if (at >= text.length) {
        if (this.sources.length > 0) throw new SyntaxFault('` is not ended');
        this.isCut = true;
        return;
      }
      const character = text[at] as string;
      if (character === '`') break;
      const next = text[at + 1] ?? '';
      const isEscape =
        character === '\\' &&
        next !== '' &&
        ('`$\\'.includes(next) || (next === '"' && top.kind === OPEN_DOUBLE));
      inner += isEscape ? next : character;
      at += isEscape ? 2 : 1;
    }
    const slot = this.beginSubstitution(this.valueMode(top));
    this.at = at + 1;
    this.beginSource(inner);
    this.push(OPEN_BACKQUOTE).slot = slot;
    // Of an empty text no step would be made.
    if (inner === '') this.endSource();
  }
}

function bitsOf({ kind, isQuoted }: Open): number {
  if (kind === OPEN_WORD) return DELIMITER | SPECIAL;
  if (kind === OPEN_PARAMETER) return (isQuoted ? DOUBLED : SPECIAL) | CLOSING;
  if (kind === OPEN_SUM) return DOUBLED | PAREN;
  return kind === OPEN_HERE ? ESCAPING : DOUBLED;
}

/** A text of a here-document, which is read as if between double quotes, but that these stand for themselves. */
export function isText(kind: number): boolean {
  return kind >= OPEN_WORD;
}
