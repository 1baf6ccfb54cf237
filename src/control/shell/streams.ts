// Where a command's text comes from and goes to. All is text in memory, bounded: a pipe is what one command has said, kept until
// the next one reads it; a file is written when the command that writes it is over.
// Not here: which files there are (files.ts).

/** Characters of a pipe, a file or a variable. */
export const TEXT_MOST = 64 * 1024;

/** A script cannot go on; what it has set stays. */
export class Fault extends Error {
  constructor(
    message: string,
    readonly status = 2,
  ) {
    super(message);
  }
}

/** Whether it is one: each overlay has its own class of that name. */
export function isFault(error: unknown): error is Fault {
  return error instanceof Error && typeof (error as Partial<Fault>).status === 'number';
}

export const TO_TEXT = 0;
export const TO_CONSOLE = 1;
export const TO_NOTHING = 2;
export const TO_FILE = 3;

export class Sink {
  /** What is there; of the console what has not been printed yet. */
  text = '';

  constructor(
    readonly kind: number,
    readonly path = '',
    readonly isAppended = false,
  ) {}

  write(text: string): void {
    if (this.kind === TO_NOTHING) return;
    if (this.text.length + text.length > TEXT_MOST) throw new Fault('more than 64 KB were said at once');
    this.text += text;
  }
}

export class Source {
  at = 0;

  /** @param isConsole lines come from who types. */
  constructor(
    readonly text: string,
    readonly isConsole = false,
  ) {}

  /** A line without its line feed; undefined at the end. */
  line(): string | undefined {
    const { at, text } = this;
    if (at >= text.length) return undefined;
    const end = text.indexOf('\n', at);
    this.at = end < 0 ? text.length : end + 1;
    return text.slice(at, end < 0 ? text.length : end);
  }

  rest(): string {
    const { at } = this;
    this.at = this.text.length;
    return this.text.slice(at);
  }
}

/** What a tool has: its words, text in and out, files. */
export interface Io {
  /** All that comes in. */
  read(): string;
  /** A file's text; a Refusal says why there is none. */
  file(path: string): string;
  write(text: string): void;
  /** Says what is wrong, behind the tool's name. */
  complain(text: string): void;
}
