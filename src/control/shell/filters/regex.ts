// Regular expressions, basic and extended (POSIX, chapter 9), with GNU's \| \+ \? \w \s \b \< \>. Not the engine's own: those have no
// bound, and a pattern that tries for minutes would end control. Ours is a list of operations, tried with a stack of ways back, and
// STEPS_MOST of them are too many.
// Departure: of the ways in which an alternation fits, the first is taken, not the longest.

import { bracketHas } from '../pattern.ts';
import { Fault } from '../streams.ts';

/** Operations on a line: a second of a 486DX2-66. */
const STEPS_MOST = 30_000;
const PROGRAM_MOST = 2000;
const GROUPS_MOST = 10;
const NESTING_MOST = 10;

// Operations; each has two operands.
const CHARACTER = 0;
const ANY = 1;
const SET = 2;
const START = 3;
const END = 4;
const SPLIT = 5;
const JUMP = 6;
const SAVE = 7;
const AGAIN = 8;
const CHECK = 9;
const BORDER = 10;
const FOUND = 11;

const isWord = (code: number): boolean =>
  (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122) || code === 95;

export class Regex {
  private readonly program: number[] = [];
  private readonly sets: string[] = [];
  private at = 0;
  /** Places that are kept: two a group, then one a loop that may be empty. */
  private slots = 2 * GROUPS_MOST;
  private depth = 0;
  groups = 0;

  constructor(
    private readonly pattern: string,
    private readonly isExtended: boolean,
    private readonly isCaseless = false,
  ) {
    this.emit(SAVE, 0);
    this.alternation();
    if (this.at < pattern.length) this.refuse('unmatched )');
    this.emit(SAVE, 1);
    this.emit(FOUND);
  }

  private refuse(why: string): never {
    throw new Fault(`${this.pattern}: ${why}`);
  }

  private emit(operation: number, a = 0, b = 0): number {
    if (this.program.length > 3 * PROGRAM_MOST) this.refuse('it is too long');
    return this.program.push(operation, a, b) - 3;
  }

  // --- from text to operations ---------------------------------------------------------------------------

  private isNext(text: string): boolean {
    return this.pattern.startsWith(text, this.at);
  }

  private take(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.at += text.length;
    return true;
  }

  private alternation(): void {
    if (++this.depth > NESTING_MOST) this.refuse('it is nested too deeply');
    const bar = this.isExtended ? '|' : '\\|';
    let start = this.program.length;
    const ends: number[] = [];
    this.branch();
    while (this.take(bar)) {
      this.insert(start, SPLIT, start + 3, 0);
      ends.push(this.emit(JUMP));
      this.program[start + 2] = this.program.length;
      start = this.program.length;
      this.branch();
    }
    for (const end of ends) this.program[end + 1] = this.program.length;
    this.depth--;
  }

  /** Puts an operation before others, whose goals move along. */
  private insert(at: number, operation: number, a: number, b: number): void {
    this.program.splice(at, 0, operation, a, b);
    for (let i = at + 3; i < this.program.length; i += 3) {
      const kind = this.program[i] as number;
      if (kind !== SPLIT && kind !== JUMP) continue;
      for (const place of [i + 1, i + 2])
        if ((this.program[place] as number) >= at) this.program[place] = (this.program[place] as number) + 3;
    }
  }

  private branch(): void {
    let isStart = true;
    while (
      this.at < this.pattern.length &&
      !this.isNext(this.isExtended ? '|' : '\\|') &&
      !this.isNext(this.close)
    ) {
      this.piece(isStart);
      isStart = false;
    }
  }

  private get close(): string {
    // An extended one that is open nowhere is itself.
    return this.isExtended ? (this.depth > 1 ? ')' : '\0') : '\\)';
  }

  private piece(isStart: boolean): void {
    const start = this.program.length;
    const groups = this.groups;
    if (!this.atom(isStart)) return;
    for (;;) {
      const range = this.repetition();
      if (range === undefined) return;
      this.repeat(start, range[0], range[1], this.groups > groups);
    }
  }

  private repetition(): [number, number] | undefined {
    const { isExtended } = this;
    if (this.take('*')) return [0, -1];
    if (this.take(isExtended ? '+' : '\\+')) return [1, -1];
    if (this.take(isExtended ? '?' : '\\?')) return [0, 1];
    const rest = this.pattern.slice(this.at);
    const found = (isExtended ? /^\{(\d{0,3})(,?)(\d{0,3})\}/ : /^\\\{(\d{0,3})(,?)(\d{0,3})\\\}/).exec(rest);
    if (found === null || (found[1] === '' && found[2] === '')) {
      if (!isExtended && rest.startsWith('\\{')) this.refuse('invalid content of \\{\\}');
      return undefined;
    }
    this.at += found[0].length;
    const least = Number(found[1]);
    const most = found[2] === '' ? least : found[3] === '' ? -1 : Number(found[3]);
    if (most >= 0 && (most < least || most > 255)) this.refuse('invalid content of {}');
    return [least, most];
  }

  private repeat(start: number, least: number, most: number, isGroup: boolean): void {
    const body = this.program.splice(start);
    const copy = (): void => {
      const shift = this.program.length - start;
      for (let i = 0; i < body.length; i += 3) {
        const kind = body[i] as number;
        const isJump = kind === SPLIT || kind === JUMP;
        const a = (body[i + 1] as number) + (isJump ? shift : 0);
        const b = (body[i + 2] as number) + (isJump ? shift : 0);
        this.emit(kind, a, b);
      }
    };
    for (let i = 0; i < least; i++) copy();
    if (most < 0) {
      const slot = isGroup || body.length > 3 ? this.slots++ : -1;
      const split = this.emit(SPLIT, this.program.length + 3);
      if (slot >= 0) this.emit(SAVE, slot);
      copy();
      if (slot >= 0) this.emit(CHECK, slot);
      this.emit(JUMP, split);
      this.program[split + 2] = this.program.length;
      return;
    }
    const splits: number[] = [];
    for (let i = least; i < most; i++) {
      splits.push(this.emit(SPLIT, this.program.length + 3));
      copy();
    }
    for (const split of splits) this.program[split + 2] = this.program.length;
  }

  /** One thing that fits; answers whether it may be repeated. */
  private atom(isStart: boolean): boolean {
    const { isExtended, pattern } = this;
    if (this.take(isExtended ? '(' : '\\(')) {
      const group = ++this.groups;
      if (group >= GROUPS_MOST) this.refuse('it has too many groups');
      this.emit(SAVE, 2 * group);
      this.alternation();
      if (!this.take(isExtended ? ')' : '\\)')) this.refuse('unmatched (');
      this.emit(SAVE, 2 * group + 1);
      return true;
    }
    const character = pattern[this.at++] as string;
    const isLast = this.at === pattern.length || this.isNext('\\)') || this.isNext('\\|');
    if (character === '^' && (isExtended || isStart)) this.emit(START);
    else if (character === '$' && (isExtended || isLast)) this.emit(END);
    else if (character === '.') this.emit(ANY);
    else if (character === '[') this.brackets();
    else if (character === '\\') return this.escape();
    else {
      if (isExtended && isStart && '*+?'.includes(character)) this.refuse('nothing to repeat');
      this.literal(character);
      return true;
    }
    return character === '.' || character === '[' || (isExtended && character !== '^');
  }

  private literal(character: string): void {
    const code = character.charCodeAt(0);
    const other = this.isCaseless && isWord(code) && code !== 95 && code > 57 ? code ^ 32 : code;
    this.emit(CHARACTER, code, other);
  }

  private escape(): boolean {
    const character = this.pattern[this.at++];
    if (character === undefined) this.refuse('trailing backslash');
    const letter = character as string;
    if (letter >= '1' && letter <= '9') {
      if (Number(letter) > this.groups) this.refuse('invalid back reference');
      this.emit(AGAIN, Number(letter));
    } else if ('wWsS'.includes(letter)) {
      const inner = letter.toLowerCase() === 'w' ? '[:alnum:]_' : '[:space:]';
      this.set(letter < 'a' ? `!${inner}` : inner);
    } else if ('b<>B'.includes(letter)) {
      this.emit(BORDER, 'b<>B'.indexOf(letter));
      return false;
    } else this.literal(letter === 'n' ? '\n' : letter === 't' ? '\t' : letter);
    return true;
  }

  private set(inner: string): void {
    this.emit(SET, this.sets.push(inner) - 1);
  }

  private brackets(): void {
    const { pattern } = this;
    const start = this.at;
    let at = start;
    if (pattern[at] === '^') at++;
    if (pattern[at] === ']') at++;
    while (at < pattern.length && pattern[at] !== ']') {
      const end = pattern[at] === '[' && pattern[at + 1] === ':' ? pattern.indexOf(':]', at + 2) : -1;
      at = end > 0 ? end + 2 : at + 1;
    }
    if (at >= pattern.length) this.refuse('unmatched [');
    this.at = at + 1;
    this.set(pattern.slice(start, at));
  }

  // --- finding it ----------------------------------------------------------------------------------------

  /** Where it is in a text, from a place on: start and end of the whole, of the first group, ...; undefined if nowhere. */
  exec(text: string, from = 0): number[] | undefined {
    const { program } = this;
    // What begins with a character is looked for where that is.
    const first =
      program[3] === CHARACTER && !this.isCaseless ? String.fromCharCode(program[4] as number) : '';
    // What begins with .* and does not fit from here on fits from nowhere behind.
    const isGreedy = program[3] === SPLIT && program[6] === ANY && program[9] === JUMP && program[10] === 3;
    const isAnchored = program[3] === START || isGreedy;
    let steps = 0;
    for (let start = from; start <= text.length; start++) {
      if (first !== '') {
        start = text.indexOf(first, start);
        if (start < 0) return undefined;
      }
      if (isAnchored && start > (isGreedy ? from : 0)) return undefined;
      const slots: number[] = new Array(this.slots).fill(-1);
      const used = this.tryAt(text, start, slots, STEPS_MOST - steps);
      if (used < 0) return slots;
      steps += used + 1;
      if (steps >= STEPS_MOST) throw new Fault(`${this.pattern}: it takes too long for a line`);
    }
    return undefined;
  }

  test(text: string): boolean {
    return this.exec(text) !== undefined;
  }

  /** Answers the steps that were taken, or -1 where it fits. */
  private tryAt(text: string, start: number, slots: number[], most: number): number {
    const { program } = this;
    /** Ways back: where in the program and in the text; or, with a negative place, what a slot was. */
    const ways: number[] = [];
    let at = start;
    let place = 0;
    for (let steps = 1; steps < most; steps++) {
      const operation = program[place] as number;
      const a = program[place + 1] as number;
      const b = program[place + 2] as number;
      let isFit = true;
      place += 3;
      if (operation === CHARACTER) {
        const code = text.charCodeAt(at++);
        isFit = code === a || code === b;
      } else if (operation === SPLIT) {
        ways.push(b, at);
        place = a;
      } else if (operation === JUMP) place = a;
      else if (operation === ANY) isFit = at++ < text.length;
      else if (operation === SAVE) {
        ways.push(-1 - a, slots[a] as number);
        slots[a] = at;
      } else if (operation === SET) isFit = at < text.length && this.isIn(a, text.charCodeAt(at++));
      else if (operation === START) isFit = at === 0;
      else if (operation === END) isFit = at === text.length;
      else if (operation === CHECK) isFit = at !== slots[a];
      else if (operation === FOUND) return -1;
      else if (operation === BORDER) isFit = this.isBorder(a, text, at);
      else {
        const part = text.slice(slots[2 * a] as number, slots[2 * a + 1] as number);
        isFit = text.startsWith(part, at);
        at += part.length;
      }
      if (isFit) continue;
      let isBack = false;
      while (ways.length > 0 && !isBack) {
        at = ways.pop() as number;
        place = ways.pop() as number;
        isBack = place >= 0;
        if (!isBack) slots[-1 - place] = at;
      }
      if (!isBack) return steps;
    }
    return most;
  }

  private isIn(index: number, code: number): boolean {
    const inner = this.sets[index] as string;
    if (bracketHas(inner, 0, inner.length, code, false)) return true;
    if (!this.isCaseless || !isWord(code)) return false;
    return inner[0] !== '^' && bracketHas(inner, 0, inner.length, code ^ 32, false);
  }

  private isBorder(kind: number, text: string, at: number): boolean {
    const isBefore = at > 0 && isWord(text.charCodeAt(at - 1));
    const isBehind = at < text.length && isWord(text.charCodeAt(at));
    if (kind === 1) return !isBefore && isBehind;
    if (kind === 2) return isBefore && !isBehind;
    return (isBefore !== isBehind) === (kind === 0);
  }
}
