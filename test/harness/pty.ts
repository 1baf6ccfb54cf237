// A pseudo terminal: programs open its path as they would a serial port, the test holds the other end. By socat.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../../tools/harness/qemu.ts';

const MADE_MILLISECONDS = 30_000;

export class Pty {
  readonly path: string;
  /** Gets what programs write. */
  onBytes: (bytes: Buffer) => void = () => {};
  readonly #child: ChildProcess;
  readonly #directory: string;
  /** While somebody has it open the other end lives, as a cable does between two programs. */
  readonly #held: number;

  private constructor(child: ChildProcess, directory: string, path: string) {
    this.#child = child;
    this.#directory = directory;
    this.path = path;
    this.#held = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    child.stdout!.on('data', (bytes: Buffer) => this.onBytes(bytes));
    child.stdin!.on('error', () => {});
  }

  static async open(): Promise<Pty> {
    const directory = mkdtempSync(join(tmpdir(), 'masqbox-pty-'));
    const path = join(directory, 'port');
    const words = ['--pdeathsig', 'KILL', '--', 'socat', `PTY,link=${path},rawer`, 'STDIO'];
    const child = spawn('setpriv', words, { stdio: ['pipe', 'pipe', 'ignore'] });
    const end = performance.now() + MADE_MILLISECONDS;
    while (!existsSync(path)) {
      if (performance.now() > end || child.exitCode !== null)
        throw new Error('Cannot make a pty: socat fails');
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    return new Pty(child, directory, path);
  }

  write(bytes: Uint8Array): void {
    this.#child.stdin!.write(bytes);
  }

  close(): void {
    closeSync(this.#held);
    this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A machine's serial console as a port of this machine. Its transcript is kept all the same. */
export async function serialPort(machine: Machine): Promise<Pty> {
  const pty = await Pty.open();
  machine.console.watcher = bytes => pty.write(bytes);
  pty.onBytes = bytes => machine.console.write(bytes.toString('latin1'));
  return pty;
}
