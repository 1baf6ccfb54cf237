// `masqbox console`: joins this terminal to the board's console. Ctrl-] leaves, as in telnet; every other key is the
// board's. Standard input may be a pipe: its lines are typed, and it ends when the board has been silent after them.

import type { Port } from './port.ts';

const LEAVE = 0x1d;
const LOOK = 100;
/** With a pipe: silence that is taken for the end of what the last line brought. */
const QUIET = 2000;

interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WritableStream;
}

/** Resolves when the person leaves, or the pipe is at its end; fails when the port is gone. */
export async function joinTerminal(port: Port, { input, output }: Terminal): Promise<void> {
  let hasLeft = false;
  let endedAt: number | undefined;
  let writing = Promise.resolve();
  let problem: unknown;
  const write = (bytes: Uint8Array): void => {
    writing = writing
      .then(() => port.write(bytes))
      .catch(error => {
        problem = error;
      });
  };
  const take = (bytes: Buffer): void => {
    const end = input.isTTY ? bytes.indexOf(LEAVE) : -1;
    if (end >= 0) hasLeft = true;
    const typed = end >= 0 ? bytes.subarray(0, end) : bytes;
    write(input.isTTY ? typed : Buffer.from(typed.toString('latin1').replace(/\r?\n/g, '\r'), 'latin1'));
  };
  if (input.isTTY) input.setRawMode(true);
  input.on('data', take).on('end', () => {
    void writing.then(() => {
      endedAt = port.now();
    });
  });
  try {
    while (!hasLeft && problem === undefined) {
      const bytes = await port.some(LOOK);
      if (bytes.length > 0) output.write(bytes);
      if (endedAt === undefined) continue;
      if (bytes.length > 0) endedAt = port.now();
      else if (port.now() - endedAt > QUIET) break;
    }
    if (problem !== undefined) throw problem;
  } finally {
    if (input.isTTY) input.setRawMode(false);
    input.destroy();
  }
}
