// What the console has of others: the serial line below it, who may use it, who understands what is no command; and what it is to
// jobs that take its line. Not here: the console itself (console.ts).

import type { Job } from './command.ts';
import type { Sink } from './output.ts';

/** The serial port's rings. */
export interface Line extends Sink {
  /** Moves what has been received to `into` from `at` on; answers how many bytes. */
  read(into: Uint8Array, at: number): number;
  /** Whether every byte passes as it is: the driver then obeys no XON or XOFF and sends none. */
  setTransparent?(on: boolean): void;
  /** Whether a byte waits that read() has not taken yet. */
  holds?(byte: number): boolean;
  /** Bytes that were lost before read() could take them, since the start. */
  lost?(): number;
  /** Where some were lost since the last call: the first and last place, counted from the next byte of read(); below 0 among what it has taken. */
  takeLoss?(): Loss | undefined;
  /** Lets output go that the peer has stopped. */
  release?(): void;
}

/** Bytes are missing somewhere before each of the bytes from one number to another. */
export interface Loss {
  from: number;
  to: number;
}

/** The line for a program at its other end: a job that transfers a file takes it, and gives it back. */
export interface RawLine {
  /** All bytes go to `receive` as they come, ^C too, and nothing that the job did not write is printed. */
  take(receive: (bytes: Uint8Array) => void): void;
  giveBack(): void;
}

/** Lines of a text that is pasted. A whole line that has come is taken as it is; what is typed by hand goes through the editor. */
export interface PastedLines {
  /** Of whose lines so many were not got whole, and are left out. */
  readonly console: { readonly damaged: number };
  /** The next line; a job delegates to it. */
  next(prompt: string): Generator<number, string, void>;
  /** Puts the bytes of the line that next() has just answered to a place; answers how many, or -1 where the editor had it. */
  copy(into: Uint8Array, at: number): number;
}

/** Who may use the console. */
export interface Guard {
  /** What must be done before a command is taken, or undefined; ^C does not end it. */
  login(): Job | undefined;
  /** Ticks without a key after which lock() is called, 0 for never. */
  idleTicks(): number;
  lock(): void;
}

/** Who understands lines that are no commands: a shell. */
export interface LineShell {
  /** Whether a line is one of its own; `isRefused`: it is no command. */
  takes(line: string, isRefused: boolean): boolean;
  run(line: string): Job;
}
