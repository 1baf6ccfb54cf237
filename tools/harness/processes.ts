// Programs that a test or a tool starts: each is recorded, its output kept, and ended by its own pid.
//
// A child that outlives its test would spoil the next one, so every child also gets a parent-death signal
// (setpriv of util-linux): if the test's thread dies, however it dies, the kernel ends the child.
// Not here: what runs where (namespace.ts), QEMU (qemu.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';

/** Output kept of one program, in characters; older output is forgotten, so that a chatty one stays bounded. */
const OUTPUT_LIMIT = 1 << 20;
/**
 * How long a test waits for what must happen: a machine with other work may be ten times slower than an idle one, and
 * only a failure waits so long.
 */
export const PATIENCE_SECONDS = 90;
/** How long a program may take to leave after SIGTERM before it gets SIGKILL. */
const TERM_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 150;

/** Programs of the system only: npm puts node_modules/.bin first, where an `nft` lives that is not Debian's. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface Result {
  readonly command: string;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  /** Words before the command: how to get into a namespace. */
  readonly within?: readonly string[];
  readonly input?: string | Uint8Array;
  /** run(): the program is ended and the run fails after this time. */
  readonly seconds?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** start(): keeps standard input open for send(). */
  readonly interactive?: boolean;
  /** start(): the program's third descriptor is one end of a pair of sockets, whose other end is `line`. */
  readonly line?: boolean;
  /** Called with each whole line of standard output, which is then not kept. */
  readonly onLine?: (line: string) => void;
}

/** A program that is running, or was. */
export class Running {
  readonly command: string;
  readonly child: ChildProcess;
  readonly line: Duplex | undefined;
  stdout = '';
  stderr = '';
  status: number | null = null;
  ended = false;
  readonly whenEnded: Promise<void>;
  readonly #watchers = new Set<() => void>();
  readonly #onLine: ((line: string) => void) | undefined;

  constructor(command: readonly string[], options: StartOptions = {}) {
    const words = [...(options.within ?? []), ...command];
    this.command = command.join(' ');
    this.#onLine = options.onLine;
    const open = options.interactive === true || options.input !== undefined;
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
      stdio: [open ? 'pipe' : 'ignore', 'pipe', 'pipe', options.line === true ? 'pipe' : 'ignore'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, PATH: SYSTEM_PATH, LC_ALL: 'C', ...options.env },
    });
    this.line = (this.child.stdio[3] ?? undefined) as Duplex | undefined;
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#keep('stdout', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#keep('stderr', text));
    // A program that left early closes its input: its status tells, the broken pipe adds nothing.
    this.child.stdin?.on('error', () => {});
    if (options.input !== undefined) this.child.stdin?.end(options.input);
    this.whenEnded = new Promise(resolve => {
      const end = (status: number | null): void => {
        if (this.ended) return;
        this.status = status;
        this.ended = true;
        this.#wake();
        resolve();
      };
      this.child.on('error', error => {
        this.stderr += `${error.message}\n`;
        end(127);
      });
      this.child.on('close', status => end(status));
    });
  }

  send(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Waits until the program's output (standard output, then standard error) matches. */
  async until(pattern: RegExp, seconds = PATIENCE_SECONDS): Promise<RegExpMatchArray> {
    const find = (): RegExpMatchArray | null => this.stdout.match(pattern) ?? this.stderr.match(pattern);
    await this.wait(() => find() !== null || this.ended, seconds);
    const match = find();
    if (match === null) throw new Error(`${this.command}: no ${pattern} in ${seconds} s\n${this.report()}`);
    return match;
  }

  /** Waits for a condition that can only change with the program's output or end. Bounded. */
  async wait(done: () => boolean, seconds: number): Promise<void> {
    if (done()) return;
    await new Promise<void>(resolve => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve();
      };
      const check = (): void => {
        if (done()) finish();
      };
      const timer = setTimeout(finish, seconds * 1000);
      this.#watchers.add(check);
    });
  }

  /** Ends the program: SIGTERM, then SIGKILL. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.ended) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), TERM_MILLISECONDS);
    await this.whenEnded;
    clearTimeout(timer);
  }

  report(): string {
    return `status ${this.status}\nstdout: ${this.stdout.slice(-4000)}\nstderr: ${this.stderr.slice(-4000)}`;
  }

  #keep(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] = (this[stream] + text).slice(-OUTPUT_LIMIT);
    if (stream === 'stdout' && this.#onLine !== undefined) {
      const lines = this.stdout.split('\n');
      this.stdout = lines.pop()!;
      for (const line of lines) this.#onLine(line);
    }
    this.#wake();
  }

  #wake(): void {
    for (const check of [...this.#watchers]) check();
  }
}

/** The programs of one test or tool. */
export class Processes {
  readonly #running = new Set<Running>();

  start(command: readonly string[], options: StartOptions = {}): Running {
    const running = new Running(command, options);
    this.#running.add(running);
    void running.whenEnded.then(() => this.#running.delete(running));
    return running;
  }

  /** Runs a program to its end, whatever its status. */
  async run(command: readonly string[], options: StartOptions = {}): Promise<Result> {
    const seconds = options.seconds ?? PATIENCE_SECONDS;
    const running = this.start(command, options);
    await running.wait(() => running.ended, seconds);
    if (!running.ended) {
      await running.stop('SIGKILL');
      throw new Error(`${running.command}: still running after ${seconds} s\n${running.report()}`);
    }
    return {
      command: running.command,
      status: running.status,
      stdout: running.stdout,
      stderr: running.stderr,
    };
  }

  /** Runs a program that must succeed, and answers its standard output. */
  async output(command: readonly string[], options: StartOptions = {}): Promise<string> {
    const result = await this.run(command, options);
    if (result.status !== 0) throw new Error(`${result.command}: ${describe(result)}`);
    return result.stdout;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map(running => running.stop()));
  }
}

/** Reads something again and again until it is good, and answers it. */
export async function eventually<T>(
  read: () => Promise<T> | T,
  isGood: (value: T) => boolean,
  seconds = PATIENCE_SECONDS,
): Promise<T> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const value = await read();
    if (isGood(value)) return value;
    if (performance.now() > end) throw new Error(`Not in ${seconds} s: ${isGood}, but\n${value}`);
    await new Promise(resolve => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

export function describe(result: Result): string {
  return `status ${result.status}\nstdout: ${result.stdout.slice(-4000)}\nstderr: ${result.stderr.slice(-4000)}`;
}
