// Frames of a script that runs: what must be put back when something ends, a function's parameters, what a shell of its own has
// changed, where text goes. Not here: when that is (machine.ts).

import type { Aside } from './fields.ts';
import type { Code } from './operations.ts';
import type { Sink, Source } from './streams.ts';

export const FRAME_CALL = 0;
export const FRAME_SOURCE = 1;
export const FRAME_SUBSTITUTION = 2;
export const FRAME_SUBSHELL = 3;
export const FRAME_PIPE = 4;
export const FRAME_LOOP = 5;
export const FRAME_STREAMS = 6;

export class Frame {
  /** Where to go on behind it. */
  code: Code;
  at: number;
  /** Streams to go back to, parameters, options, directory. */
  input: Source | undefined;
  out: Sink | undefined;
  err: Sink | undefined;
  parameters: readonly string[] | undefined;
  options = '';
  directory = '';
  words: Aside | undefined;
  /** What a command has gathered, of a shell of its own. */
  lent: string[] = [];
  redirections: Redirection[] = [];
  asides = 0;
  subject = '';
  hereAt = 0;
  /** What variables were before, of a subshell or of `local`. */
  before: Map<string, string | undefined> | undefined;
  mode = 0;
  /** Of a loop. */
  name = '';
  items: readonly string[] = [];
  index = 0;
  next = 0;
  status = 0;
  /** What fails in it is looked at. */
  isTested = false;
  /** Files to write when it ends. */
  sinks: Sink[] = [];

  constructor(
    readonly kind: number,
    code: Code,
    at: number,
  ) {
    this.code = code;
    this.at = at;
  }

  /** Whether it is a shell of its own. */
  get isShell(): boolean {
    return this.kind >= FRAME_SUBSTITUTION && this.kind <= FRAME_PIPE;
  }
}

export interface Redirection {
  descriptor: number;
  kind: string;
  target: string;
}
