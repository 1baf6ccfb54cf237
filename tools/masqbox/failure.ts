// What ends the host tool: a message, and the exit status, by which scripts know what went wrong.
// The statuses are documented in docs/host-tool.md.

/** The board refused, or what was wanted did not come about. */
export const REFUSED = 1;
/** The command line is wrong, or a file of this machine. */
export const USAGE = 2;
/** The serial port cannot be used. */
export const NO_PORT = 3;
/** There is no board that answers, or it cannot be understood, or its password is another. */
export const NO_ANSWER = 4;
/** Ctrl-C, as shells count it. */
export const INTERRUPTED = 130;

export class Failure extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
