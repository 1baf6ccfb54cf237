// A serial port of this machine, by npm's serialport: opening it for ourselves alone, bytes, and in plain words why
// that cannot be. Not here: what is said on it (session.ts, ymodem.ts).

import { statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { SerialPort } from 'serialport';
import { Failure, NO_PORT, reasonOf } from './failure.ts';
import { Inbox } from './inbox.ts';
import type { ByteLine } from './ymodem.ts';

export interface PortOptions {
  readonly baud: number;
  /** XON and XOFF: for a person who pastes. Everything else waits for the board's answers anyway. */
  readonly flowControl?: boolean;
}

export interface Port extends ByteLine {
  readonly path: string;
  readonly baud: number;
  /** What has come, or nothing when nothing came in time. */
  some(milliseconds: number): Promise<Uint8Array>;
  /** Ends what waits for bytes, once: it fails with `why`. */
  interrupt(why: Failure): void;
  close(): Promise<void>;
}

/** Causes in the words of the system, and what they mean. */
const CAUSES: readonly [RegExp, string][] = [
  [/cannot lock|temporarily unavailable|resource busy/i, 'another program uses it'],
  [/permission denied/i, 'this user may not; on Debian, members of the group dialout may'],
  [/no such (file|device)|no such device or address/i, 'there is no such port; see masqbox ports'],
  [/inappropriate ioctl|not a tty/i, 'it is no serial port'],
];

/** @param cause what the system says */
export function openFailure(path: string, cause: string): Failure {
  const known = CAUSES.find(([pattern]) => pattern.test(cause));
  return new Failure(`Cannot open ${path}: ${known?.[1] ?? cause}`, NO_PORT);
}

function refuseFile(path: string): void {
  let isPort: boolean;
  try {
    isPort = statSync(path).isCharacterDevice();
  } catch (error) {
    throw openFailure(path, reasonOf(error));
  }
  if (!isPort) throw openFailure(path, 'not a tty');
}

/** Opens a port. Nobody else may have it open with a lock, and nobody gets it while it is ours. */
export async function openPort(path: string, { baud, flowControl = false }: PortOptions): Promise<Port> {
  if (process.platform !== 'win32') refuseFile(path);
  const flow = { xon: flowControl, xoff: flowControl };
  const port = new SerialPort({ path, baudRate: baud, lock: true, autoOpen: false, ...flow });
  await new Promise<void>((resolve, reject) => {
    port.open(error => (error === null ? resolve() : reject(openFailure(path, error.message))));
  });
  const close = (): Promise<void> =>
    new Promise(resolve => (port.isOpen ? port.close(() => resolve()) : resolve()));
  const { fd } = port.port as { fd?: number };
  if (fd !== undefined && !isatty(fd)) {
    await close();
    throw openFailure(path, 'not a tty');
  }
  // A board behind RTS and CTS wants to see us ready. A pty has no such lines and says so: all is well.
  await new Promise<void>(resolve => port.set({ dtr: true, rts: true }, () => resolve()));
  const inbox = new Inbox();
  const gone = (cause: string): void =>
    inbox.end(new Failure(`Cannot go on with ${path}: ${cause}`, NO_PORT));
  port.on('data', (bytes: Buffer) => inbox.put(bytes));
  port.on('error', (error: Error) => gone(error.message));
  port.on('close', () => gone('the port is gone'));
  return {
    path,
    baud,
    write: bytes =>
      new Promise((resolve, reject) => {
        port.write(Buffer.from(bytes), error => {
          if (error) reject(new Failure(`Cannot write to ${path}: ${error.message}`, NO_PORT));
          else resolve();
        });
      }),
    some: milliseconds => inbox.some(milliseconds),
    read: milliseconds => inbox.next(milliseconds),
    interrupt: why => inbox.interrupt(why),
    now: () => performance.now(),
    close,
  };
}
