// The shell's part that is always there: which lines are its own, what it remembers between them, and the scripts that are kept.
// Lines with quotes, variables, pipes and the like, assignments, `if` and its kin, paths and the tools of the time are taken; a plain
// line that is a command is not looked at further. What it remembers lasts until `exit`, or until memory is short.
//
// A script that is kept is a section of the configuration (../core/section.ts), a line for each of its own:
//
//    script NAME LINE
//
// It runs when the board starts, behind all settings; what it then does wrong is in the log, and hinders nothing else.
// Not here: how a line is run (session.ts), what the commands of kept scripts do (kept.ts); both are in the overlay.

import type { Command, Job } from '../core/console/command.ts';
import type { LineShell } from '../core/console/terminal.ts';
import type { Context } from '../core/context.ts';
import { SHELL_START_TICKS } from '../core/limits.ts';
import { WARNING } from '../core/log.ts';
import type { Section } from '../core/section.ts';
import type { ShellState } from './state.ts';

/** What it needs of the console. */
export interface Terminal {
  ask(prompt: string, secret?: boolean, isEndable?: boolean): Generator<number, string, void>;
  /** Lines that were asked for and not got whole. */
  readonly damaged: number;
  /** Forgets what is typed ahead; answers how many bytes that was. */
  forget(): number;
  /** Takes `confirm MINUTES` off a line; given '' when the line is done. */
  strip: (line: string) => string;
}

/** Words that begin a shell's line. Those that only make sense behind a pipe may be a command's beginning, as `tr`. */
const NAMES =
  ' if then elif else fi for while until do done case esac function in' +
  ' echo printf test cd pwd read local shift trap wait exit return break continue eval exec source true false sleep type which let' +
  ' cat grep egrep fgrep sed awk cut head tail sort uniq wc expr basename dirname' +
  ' ifconfig route arp netstat hostname uname date modprobe insmod rmmod depmod lsmod id whoami logger touch rm mkdir ls chmod' +
  ' readonly command umask ulimit alias hash sysctl dmesg service tc ip nvram ';
/** Its character code. */
const PAREN = 40;
/** What a line with one of these has is not only words. */
const MARKS = ['"', "'", '$', '`', '|', ';', '&', '<', '>', '\\', '#'];

function isMarked(line: string): boolean {
  for (let i = 0; i < MARKS.length; i++) if (line.includes(MARKS[i] as string)) return true;
  return false;
}

/** Lines of scripts: their text is all that they are. */
export const scripts: Section = { words: ['script'], take() {}, clear() {}, inPlane: true };

export class ShellPart implements LineShell {
  /** What is remembered; undefined: nothing. */
  state: ShellState | undefined;
  /** Modules that scripts have loaded, with their parameters. */
  readonly modules = new Map<string, string>();
  /** Files of other parts, as /proc/net/ip_fwchains, with who makes their text. */
  readonly files = new Map<string, () => string>();

  constructor(
    readonly context: Context,
    readonly terminal: Terminal,
    readonly table: readonly Command[],
    /** What `set alias` says: names, and the links that they mean. */
    readonly aliases: ReadonlyMap<string, number>,
  ) {
    context.registry.sections.add(scripts);
  }

  takes(line: string, isRefused: boolean): boolean {
    if (isRefused) return isMarked(line);
    const text = (line.includes('\t') ? line.replaceAll('\t', ' ') : line).trim();
    if (text === '') return false;
    const blank = text.indexOf(' ');
    const word = blank < 0 ? text : text.slice(0, blank);
    // Also a function, as `start() {` or `start () {`.
    if (
      word.includes('=') ||
      word.includes('(') ||
      text.charCodeAt(blank + 1) === PAREN ||
      this.isFunction(word)
    )
      return true;
    const code = text.charCodeAt(0);
    // Of what is typed with a capital by mistake the console knows more to say.
    if (code < 97 || code > 122) return !(code >= 65 && code <= 90) || isMarked(text);
    if (NAMES.includes(` ${word} `)) return true;
    if (word === 'export') return blank > 0 && text !== 'export secrets';
    if (word === 'set') return text.startsWith('set -') || text.startsWith('set +');
    if (word === 'unset') return blank > 0 && text.indexOf(' ', blank + 1) < 0 && /[A-Z_]/.test(text);
    return (word.startsWith('ip') || word === 'show') && isMarked(text);
  }

  private isFunction(word: string): boolean {
    return this.state?.functions.has(word) === true;
  }

  *run(line: string): Job {
    yield* this.context.machine.overlay('shell').runLine(this, line);
  }

  /** Runs the kept scripts after the board's start. */
  start(restarted: boolean): void {
    const { clock, log, machine, registry } = this.context;
    if (restarted || registry.sections.now.bytesOf(registry.sections.all.indexOf(scripts)) === 0) return;
    clock.after(SHELL_START_TICKS, () => {
      try {
        machine.overlay('shell').runKept(this);
      } catch (error) {
        log(WARNING, 'script', `the kept scripts are not run: ${(error as Error).message}`);
      }
    });
  }

  commands(): Command[] {
    const overlay = () => this.context.machine.overlay('shell');
    return [
      {
        words: 'shell',
        arguments: '[END:text] [ARGUMENT:text...9]',
        help: 'takes a script up to a line EOF, or END, and runs it; or runs a kept one | END',
        run: ([end, ...args]) => overlay().runScript(this, end, args),
      },
      {
        words: 'save script',
        arguments: 'NAME:text',
        help: 'takes a script up to a line `end`, and keeps it to run at each start | firewall',
        run: ([name = '']) => overlay().keepScript(this, name),
      },
      {
        words: 'script',
        isWhole: true,
        arguments: 'NAME:text [LINE:text...99]',
        help: 'adds a line to a script that is kept, as export has it | firewall echo started',
        run: ([name = '', ...words]) => overlay().addLine(this, name, words),
      },
      {
        words: 'show script',
        arguments: '[NAME:text]',
        help: 'the scripts that are kept, or the lines of one | firewall',
        run: ([name]) => overlay().showScript(this, name),
      },
      {
        words: 'clear script',
        arguments: 'NAME:text',
        help: 'forgets a script that is kept | firewall',
        run: ([name = '']) => overlay().clearScript(this, name),
      },
      {
        words: 'run',
        arguments: 'NAME:text [ARGUMENT:text...9]',
        help: 'runs a script that is kept | firewall start',
        run: ([name = '', ...args]) => overlay().runNamed(this, name, args),
      },
    ];
  }
}
