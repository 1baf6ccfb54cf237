// A shell without a console for tests: scripts in, text and status out; files are a map, programs are fakes that note how they were
// called. And dash, by which ours is measured.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../core/console/command.ts';
import { Shell } from './execute.ts';
import type { Files } from './files.ts';
import type { Host, Tool } from './host.ts';
import { Machine } from './machine.ts';
import { compiled, runText } from './script.ts';
import { ShellState } from './state.ts';
import { Sink, Source, TO_CONSOLE } from './streams.ts';

export interface Result {
  out: string;
  err: string;
  status: number;
}

export class Lab {
  readonly state = new ShellState();
  readonly files = new Map<string, string>();
  /** Calls of programs that are not there. */
  readonly calls: string[] = [];
  readonly tools = new Map<string, Tool>();
  /** Slices of the last script. */
  slices = 0;
  /** Names of programs that are noted, and answer nothing. */
  fakes: string[] = [];

  private readonly tree: Files = {
    kind: path => {
      if (this.files.has(path)) return 'file';
      const isDirectory = path === '/' || [...this.files.keys()].some(name => name.startsWith(`${path}/`));
      return isDirectory ? 'directory' : undefined;
    },
    read: path => {
      const text = this.files.get(path);
      if (text === undefined) throw new Refusal(`${path}: No such file`);
      return text;
    },
    whyNotWritten: path => (path.startsWith('/none/') ? 'Directory nonexistent' : undefined),
    write: (path, text, isAppended) => {
      this.files.set(path, (isAppended ? (this.files.get(path) ?? '') : '') + text);
    },
    list: path => {
      const start = path === '/' ? '/' : `${path}/`;
      const names = [...this.files.keys()].filter(name => name.startsWith(start));
      return [...new Set(names.map(name => name.slice(start.length).split('/')[0] as string))].sort();
    },
    remove: path => this.files.delete(path),
  };

  private host(out: string[]): Host {
    return {
      output: {
        write: text => out.push(text),
        line: text => out.push(`${text}\n`),
        divert: () => undefined,
        flush() {},
        discard() {},
        busy: false,
        rows: 0,
      },
      files: this.tree,
      tool: name => this.tools.get(name),
      command: (words, input, say) => {
        if (!this.fakes.includes(words[0] as string)) return undefined;
        this.calls.push(words.join(' '));
        if (words[0] === 'take') this.calls.push(input?.() ?? '');
        if (words[0] === 'say') (say ?? (text => out.push(text)))(`${words.slice(1).join(' ')}\n`);
        if (words[0] === 'refuse') throw new Refusal('Cannot refuse: it is refused');
        return 0;
      },
      whyNone: () => 'not found',
      *ask() {
        yield 0;
        return undefined;
      },
      compile: compiled,
    };
  }

  run(script: string, args: readonly string[] = []): Result {
    const out: string[] = [];
    const err: string[] = [];
    const shell = new Shell(this.host(out), this.state);
    this.state.parameters = args;
    const machine = new Machine(shell, this.state, new Sink(TO_CONSOLE), new Source(''));
    machine.err = new Sink(TO_CONSOLE);
    // Kept apart from what is said: what it has is no row of the console.
    machine.complain = text => {
      if (machine.err.kind === TO_CONSOLE) err.push(text);
      else machine.err.write(`${text}\n`);
    };
    this.slices = 0;
    const job = runText(machine, script);
    while (job.next().done !== true) this.slices++;
    return { out: out.join(''), err: err.join('\n'), status: this.state.status };
  }
}

export function ours(script: string, args: readonly string[] = []): Result {
  return new Lab().run(script, args);
}

/** The same by dash, in an empty folder. */
export function dash(script: string, args: readonly string[] = []): Result {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-shell-'));
  try {
    const { stdout, stderr, status } = spawnSync('dash', ['-s', '--', ...args], {
      cwd: folder,
      input: script,
      encoding: 'latin1',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      timeout: 20_000,
    });
    return { out: stdout, err: stderr, status: status ?? -1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
