// Options as C's getopt() reads them: letters behind one dash, alone or together, with what belongs to one in the same word or the next;
// and words behind two dashes, by their beginning. A word that is no option is one for itself (WORD).
// Not here: which options there are (../ipchains/line.ts, ../ipfwadm/line.ts).

/** What is no option. */
export const WORD = '\x01';
export const NONE = 0;
export const REQUIRED = 1;
/** In the same word alone. */
export const OPTIONAL = 2;

export interface LongOption {
  name: string;
  argument: number;
  letter: string;
}

export interface Found {
  letter: string;
  argument: string | undefined;
}

export class Options {
  /** The word that is read next. */
  index = 0;
  private rest = '';

  constructor(
    readonly words: readonly string[],
    /** Letters, each with a colon behind it for what it requires, with two for what it may have. */
    private readonly letters: string,
    private readonly longs: readonly LongOption[],
    /** Says what is wrong with one; throws. */
    private readonly refuse: (text: string) => never,
  ) {}

  /** The next option, undefined behind the last. */
  next(): Found | undefined {
    if (this.rest !== '') return this.letter();
    const word = this.words[this.index];
    if (word === undefined) return undefined;
    this.index++;
    if (word.length < 2 || word.charAt(0) !== '-') return { letter: WORD, argument: word };
    // Behind two dashes alone there are no options.
    if (word === '--') return undefined;
    if (word.startsWith('--') && this.longs.length > 0) return this.long(word.slice(2));
    this.rest = word.slice(1);
    return this.letter();
  }

  /** The next word, if it is neither an option nor a `!`: then it is taken. */
  value(isNotAllowed = true): string | undefined {
    const word = this.words[this.index];
    if (this.rest !== '' || word === undefined || word.startsWith('-')) return undefined;
    if (isNotAllowed && word.startsWith('!')) return undefined;
    this.index++;
    return word;
  }

  /** Whether words are left behind the last option. */
  get hasMore(): boolean {
    return this.index < this.words.length;
  }

  private letter(): Found {
    const letter = this.rest.charAt(0);
    this.rest = this.rest.slice(1);
    const place = letter === ':' ? -1 : this.letters.indexOf(letter);
    if (place < 0) this.refuse(`invalid option -- ${letter}`);
    if (this.letters.charAt(place + 1) !== ':') return { letter, argument: undefined };
    const isOptional = this.letters.charAt(place + 2) === ':';
    let argument: string | undefined;
    if (this.rest !== '') {
      argument = this.rest;
      this.rest = '';
    } else if (!isOptional) {
      argument = this.words[this.index++];
      if (argument === undefined) this.refuse(`option requires an argument -- ${letter}`);
    }
    return { letter, argument };
  }

  private long(text: string): Found {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const meant = this.longs.filter(option => option.name.startsWith(name));
    const option = meant.find(other => other.name === name) ?? meant[0];
    if (option === undefined || name === '') this.refuse(`unrecognized option \`--${text}'`);
    const isOne = option.name === name || meant.every(other => other.letter === option.letter);
    if (!isOne) this.refuse(`option \`--${name}' is ambiguous`);
    let argument = equals < 0 ? undefined : text.slice(equals + 1);
    if (argument !== undefined && option.argument === NONE)
      this.refuse(`option \`--${option.name}' doesn't allow an argument`);
    if (argument === undefined && option.argument === REQUIRED) {
      argument = this.words[this.index++];
      if (argument === undefined) this.refuse(`option \`--${option.name}' requires an argument`);
    }
    return { letter: option.letter, argument };
  }
}
