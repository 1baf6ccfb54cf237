// `sed`: -n -e -E -r; addresses by number, `$`, pattern and range, `!`, and the commands s p d q = y a i c n N D P x h g H G { }.
// Not there: labels and branches, files to write to.

import { Fault, type Io } from '../streams.ts';
import { linesOf, optionsOf, SLICE_LINES, textOf } from './lines.ts';
import { Regex } from './regex.ts';

type Address = number | '$' | Regex;

interface Command {
  from: Address | undefined;
  to: Address | undefined;
  isNegated: boolean;
  letter: string;
  text: string;
  regex: Regex | undefined;
  isGlobal: boolean;
  isPrinted: boolean;
  which: number;
  /** Of a range: whether it has begun, and the line where it ends. */
  isOn: boolean;
  /** Of `{`: the place behind its `}`. */
  end: number;
}

class Parser {
  private at = 0;
  private last: Regex | undefined;
  readonly commands: Command[] = [];

  constructor(
    private readonly text: string,
    private readonly isExtended: boolean,
  ) {}

  private refuse(why: string): never {
    throw new Fault(`sed: -e expression #1, char ${this.at}: ${why}`, 1);
  }

  parse(): Command[] {
    const open: Command[] = [];
    for (;;) {
      while (' \t\n;'.includes(this.text[this.at] ?? '!')) this.at++;
      if (this.at >= this.text.length) break;
      if (this.text[this.at] === '#') {
        const end = this.text.indexOf('\n', this.at);
        this.at = end < 0 ? this.text.length : end;
        continue;
      }
      if (this.text[this.at] === '}') {
        const start = open.pop();
        if (start === undefined) this.refuse("unexpected `}'");
        (start as Command).end = this.commands.length;
        this.at++;
        continue;
      }
      const command = this.command();
      this.commands.push(command);
      if (command.letter === '{') open.push(command);
    }
    if (open.length > 0) this.refuse("unmatched `{'");
    return this.commands;
  }

  private address(): Address | undefined {
    const rest = this.text.slice(this.at, this.at + 9);
    const digits = /^\d+/.exec(rest)?.[0];
    if (digits !== undefined) {
      this.at += digits.length;
      return Number(digits);
    }
    if (this.text[this.at] === '$') {
      this.at++;
      return '$';
    }
    const mark = this.text[this.at];
    if (mark === '\\') this.at++;
    else if (mark !== '/') return undefined;
    const delimiter = this.text[this.at++] as string;
    return this.regexOf(this.until(delimiter), '');
  }

  /** Text up to a delimiter; before that a backslash makes it a character. */
  private until(delimiter: string): string {
    let result = '';
    let isSet = false;
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined) this.refuse("unterminated `s' command");
      if (character === '\\') {
        const next = this.text[this.at++] ?? '';
        result += next === delimiter ? (delimiter === '|' && !this.isExtended ? '|' : next) : `\\${next}`;
      } else if (character === delimiter && !isSet) return result;
      else {
        if (character === '[') isSet = true;
        // ] right behind [ or [^ is one of the set.
        else if (character === ']' && !/\[\^?$/.test(result)) isSet = false;
        result += character;
      }
    }
  }

  private regexOf(text: string, flags: string): Regex {
    if (text === '') {
      if (this.last === undefined) this.refuse('no previous regular expression');
      return this.last as Regex;
    }
    this.last = new Regex(text, this.isExtended, /[iI]/.test(flags));
    return this.last;
  }

  private blanks(): void {
    while (' \t'.includes(this.text[this.at] ?? '!')) this.at++;
  }

  private command(): Command {
    const from = this.address();
    let to: Address | undefined;
    this.blanks();
    if (from !== undefined && this.text[this.at] === ',') {
      this.at++;
      this.blanks();
      to = this.address();
      if (to === undefined) this.refuse("unexpected `,'");
    }
    this.blanks();
    let isNegated = false;
    while (this.text[this.at] === '!') {
      isNegated = true;
      this.at++;
      this.blanks();
    }
    const letter = this.text[this.at++] ?? '';
    const command: Command = {
      ...{ from, to, isNegated, letter, text: '', regex: undefined, end: 0 },
      ...{ isGlobal: false, isPrinted: false, which: 1, isOn: false },
    };
    if (letter === 's') this.substitution(command);
    else if (letter === 'y') this.transliteration(command);
    else if (letter !== '' && 'aic'.includes(letter)) this.insertion(command);
    else if (letter === '' || !'pdq=nNDPxhHgG{'.includes(letter))
      this.refuse(letter === '' ? 'missing command' : `unknown command: \`${letter}'`);
    if (letter !== '{') this.ended();
    return command;
  }

  private ended(): void {
    this.blanks();
    const next = this.text[this.at];
    if (next !== undefined && !';\n}#'.includes(next)) this.refuse('extra characters after command');
  }

  private substitution(command: Command): void {
    const delimiter = this.text[this.at++];
    if (delimiter === undefined || delimiter === '\n' || delimiter === '\\')
      this.refuse("unterminated `s' command");
    const pattern = this.until(delimiter as string);
    let replacement = '';
    for (;;) {
      const character = this.text[this.at++];
      if (character === undefined) this.refuse("unterminated `s' command");
      if (character === delimiter) break;
      replacement += character;
      if (character === '\\') {
        const next = this.text[this.at++] ?? '';
        if (next === delimiter) replacement = replacement.slice(0, -1);
        replacement += next;
      }
    }
    const flags = /^[gpiI\d]*/.exec(this.text.slice(this.at))?.[0] ?? '';
    this.at += flags.length;
    command.text = replacement;
    command.regex = this.regexOf(pattern, flags);
    command.isGlobal = flags.includes('g');
    command.isPrinted = flags.includes('p');
    command.which = Number(/\d+/.exec(flags)?.[0] ?? 1);
  }

  private transliteration(command: Command): void {
    const delimiter = this.text[this.at++] as string;
    const from = this.until(delimiter).replaceAll('\\n', '\n').replaceAll('\\\\', '\\');
    const to = this.until(delimiter).replaceAll('\\n', '\n').replaceAll('\\\\', '\\');
    if (from.length !== to.length) this.refuse("strings for `y' command are different lengths");
    command.text = from + to;
  }

  private insertion(command: Command): void {
    this.blanks();
    if (this.text[this.at] === '\\') {
      this.at++;
      this.blanks();
      if (this.text[this.at] === '\n') this.at++;
    }
    const end = this.text.indexOf('\n', this.at);
    command.text = this.text.slice(this.at, end < 0 ? this.text.length : end);
    this.at = end < 0 ? this.text.length : end;
  }
}

/** What takes the place of what was found. */
function replaced(text: string, line: string, found: readonly number[]): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    const next = text[i + 1] ?? '';
    let group = character === '&' ? 0 : -1;
    if (character === '\\') {
      i++;
      if (next >= '0' && next <= '9') group = Number(next);
      else result += next === 'n' ? '\n' : next === 't' ? '\t' : next;
    } else if (group < 0) result += character;
    if (group >= 0 && (found[2 * group] as number) >= 0)
      result += line.slice(found[2 * group], found[2 * group + 1]);
  }
  return result;
}

class Sed {
  private line = '';
  private number = 0;
  private hold = '';
  private after = '';
  isQuit = false;

  constructor(
    private readonly commands: readonly Command[],
    private readonly lines: readonly string[],
    private readonly isSilent: boolean,
    /** The last line has no line feed, and gets none. */
    private readonly isOpenEnded: boolean,
    private readonly write: (text: string) => void,
  ) {}

  private get isLast(): boolean {
    return this.number >= this.lines.length;
  }

  private fits(address: Address): boolean {
    if (typeof address === 'number') return this.number === address;
    return address === '$' ? this.isLast : address.test(this.line);
  }

  private applies(command: Command): boolean {
    const { from, to } = command;
    if (from === undefined) return !command.isNegated;
    let isIn: boolean;
    if (to === undefined) isIn = this.fits(from);
    else if (command.isOn) {
      isIn = typeof to !== 'number' || this.number <= to;
      command.isOn = typeof to === 'number' ? this.number < to : !this.fits(to);
    } else {
      isIn = this.fits(from);
      command.isOn = isIn && !(typeof to === 'number' && to <= this.number) && !(to === '$' && this.isLast);
    }
    return isIn !== command.isNegated;
  }

  /** Runs the commands on the next line; answers whether there is one. */
  next(): boolean {
    if (this.isLast || this.isQuit) return false;
    this.line = this.lines[this.number++] as string;
    this.after = '';
    let isShown = !this.isSilent;
    for (let i = 0; i < this.commands.length; i++) {
      const command = this.commands[i] as Command;
      if (!this.applies(command)) {
        if (command.letter === '{') i = command.end - 1;
        continue;
      }
      if (!this.run(command)) {
        isShown &&= command.letter === 'q' || command.letter === 'N';
        break;
      }
    }
    const end = this.isLast && this.isOpenEnded && this.after === '' ? '' : '\n';
    if (isShown) this.write(this.line + end);
    this.write(this.after);
    return true;
  }

  /** Answers whether the commands behind it are to be run. */
  private run(command: Command): boolean {
    const { letter, text } = command;
    if (letter === 's') this.substitute(command);
    else if (letter === 'p') this.write(`${this.line}\n`);
    else if (letter === '=') this.write(`${this.number}\n`);
    else if (letter === 'i') this.write(`${text}\n`);
    else if (letter === 'a') this.after += `${text}\n`;
    else if (letter === 'P') this.write(`${this.line.split('\n')[0]}\n`);
    else if (letter === 'h') this.hold = this.line;
    else if (letter === 'H') this.hold += `\n${this.line}`;
    else if (letter === 'g') this.line = this.hold;
    else if (letter === 'G') this.line += `\n${this.hold}`;
    else if (letter === 'x') [this.line, this.hold] = [this.hold, this.line];
    else if (letter === 'y') {
      const half = text.length / 2;
      this.line = [...this.line]
        .map(character => {
          const place = text.slice(0, half).indexOf(character);
          return place < 0 ? character : text[half + place];
        })
        .join('');
    } else if (letter === 'n' || letter === 'N') return this.more(letter);
    else if (letter !== '{') {
      if (letter === 'c' && !command.isOn) this.write(`${text}\n`);
      if (letter === 'q') this.isQuit = true;
      return false;
    }
    return true;
  }

  private more(letter: string): boolean {
    if (this.isLast) {
      this.isQuit = true;
      if (letter === 'n' && !this.isSilent) this.write(`${this.line}\n`);
      return false;
    }
    if (letter === 'n' && !this.isSilent) this.write(`${this.line}\n`);
    const next = this.lines[this.number++] as string;
    this.line = letter === 'n' ? next : `${this.line}\n${next}`;
    return true;
  }

  private substitute({ regex, text, isGlobal, isPrinted, which }: Command): void {
    const { line } = this;
    let result = '';
    let from = 0;
    let count = 0;
    let isDone = false;
    while (from <= line.length) {
      const found = (regex as Regex).exec(line, from);
      if (found === undefined) break;
      const [start, end] = found as [number, number];
      count++;
      result += line.slice(from, start);
      if (count >= which) {
        result += replaced(text, line, found);
        isDone = true;
      } else result += line.slice(start, end);
      if (end > start) from = end;
      else {
        result += line[start] ?? '';
        from = start + 1;
      }
      if (isDone && !isGlobal) break;
      if (result.length > 65536) throw new Fault('sed: a line has more than 64 KB');
    }
    if (!isDone) return;
    this.line = result + line.slice(from);
    if (isPrinted) this.write(`${this.line}\n`);
  }
}

export function* sed(args: readonly string[], io: Io): Generator<number, number, void> {
  const { values, files } = optionsOf(args, 'nErsu', 'e');
  const script = values.get('e') ?? files.shift();
  if (script === undefined) {
    io.complain('usage: sed [OPTION]... SCRIPT [FILE]...');
    return 1;
  }
  const commands = new Parser(script, values.has('E') || values.has('r')).parse();
  const { text, isMissed } = textOf(io, files);
  const isOpenEnded = text !== '' && !text.endsWith('\n');
  const isSilent = values.has('n') || /^#n\n/.test(script);
  const run = new Sed(commands, linesOf(text), isSilent, isOpenEnded, io.write);
  for (let i = 1; run.next(); i++) if (i % SLICE_LINES === 0) yield 0;
  return isMissed ? 2 : 0;
}
