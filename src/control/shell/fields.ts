// The words of a command while they are made (POSIX, Shell Command Language, section 2.6): values are split at IFS, patterns
// become the names of files, quotes go. A word has a backslash before each character that no pattern may see.
// Not here: who asks for it (machine.ts), what parameters there are.

import { MODE_PATTERN, MODE_QUOTED } from './operations.ts';
import { isPattern, plain } from './pattern.ts';
import { Fault } from './streams.ts';
import { escaped } from './word-compiler.ts';

/** Words of a command: `/proc/sys` has fewer files. */
const WORDS_MOST = 2000;

/** What is put aside while a word within a word is made. */
export interface Aside {
  text: string;
  isWord: boolean;
  words: string[];
}

export class Fields {
  words: string[] = [];
  /** The word that is being made, and whether there is one, as an empty one between quotes. */
  text = '';
  isWord = false;

  constructor(
    private readonly ifs: () => string,
    private readonly glob: (pattern: string) => string[],
  ) {}

  add(text: string): void {
    this.text += text;
    this.isWord = true;
  }

  /** Adds a value as its mode says. */
  value(value: string, mode: number): void {
    if (mode === MODE_QUOTED) {
      this.text += escaped(value);
      // What is empty and has no quotes is no word, and those have said so.
      if (value !== '') this.isWord = true;
    } else if (mode === MODE_PATTERN) this.add(value);
    else this.split(value.includes('\\') ? value.replaceAll('\\', '\\\\') : value);
  }

  /** Adds several, a word each. */
  values(values: readonly string[], mode: number): void {
    if (mode === MODE_QUOTED && values.length === 0 && this.text === '') this.isWord = false;
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.end();
      if (mode === MODE_QUOTED) this.add(escaped(values[i] as string));
      else this.value(values[i] as string, mode);
    }
  }

  /** Cuts a text into words where it has characters of IFS; blanks among these count once. */
  split(text: string): void {
    const ifs = this.ifs();
    let from = 0;
    let at = 0;
    while (at < text.length) {
      if (!ifs.includes(text[at] as string)) {
        at++;
        continue;
      }
      if (at > from) this.add(text.slice(from, at));
      // Blanks, with one other character among them, are one separator.
      let isOther = false;
      let to = at;
      while (to < text.length && ifs.includes(text[to] as string)) {
        const isBlank = ' \t\n'.includes(text[to] as string);
        if (!isBlank && isOther) break;
        isOther ||= !isBlank;
        to++;
      }
      if (this.isWord || isOther) this.isWord = true;
      this.end();
      from = to;
      at = to;
    }
    if (at > from) this.add(text.slice(from));
  }

  /** Ends a word. */
  end(): void {
    const { text } = this;
    if (!this.isWord) return;
    this.text = '';
    this.isWord = false;
    if (isPattern(text)) {
      const found = this.glob(text);
      for (let i = 0; i < found.length; i++) this.push(found[i] as string);
      if (found.length > 0) return;
    }
    this.push(plain(text));
  }

  push(word: string): void {
    if (this.words.length >= WORDS_MOST) throw new Fault(`a command has more than ${WORDS_MOST} words`);
    this.words.push(word);
  }

  /** Ends a word that is one text. */
  string(): string {
    return plain(this.pattern());
  }

  /** Ends a word that is a pattern. */
  pattern(): string {
    const { text } = this;
    this.text = '';
    this.isWord = false;
    return text;
  }

  /** Begins another word; answers what is to come back. */
  aside(isAll: boolean): Aside {
    const { text, isWord, words } = this;
    this.text = '';
    this.isWord = false;
    if (isAll) this.words = [];
    return { text, isWord, words };
  }

  back({ text, isWord, words }: Aside): void {
    this.text = text;
    this.isWord = isWord;
    this.words = words;
  }

  take(): string[] {
    const { words } = this;
    this.words = [];
    return words;
  }
}
