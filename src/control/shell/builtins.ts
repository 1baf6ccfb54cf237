// What is built into the shell (POSIX, Shell Command Language, section 2.14, and Utilities). Each takes its words, and answers its
// status. Not here: what changes where a script goes on, as `exit` (execute.ts), `test` and `printf` themselves.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { programName } from './files.ts';
import type { Commands, Outcome } from './host.ts';
import type { Machine } from './machine.ts';
import { plain } from './pattern.ts';
import { echoed, printed } from './printf.ts';
import { Fault } from './streams.ts';
import { sumOf } from './sum.ts';
import { TestExpression, TestFault } from './test-command.ts';
import { isName } from './word-compiler.ts';

type Builtin = (shell: Commands, machine: Machine, words: readonly string[]) => Outcome;

/** `sleep` takes this much, and no more. */
const SLEEP_SECONDS = 60;
/** Letters of `set` that mean something here. */
const OPTIONS = 'eufx';
const LONG_OPTIONS = new Map([
  ['errexit', 'e'],
  ['nounset', 'u'],
  ['noglob', 'f'],
  ['xtrace', 'x'],
]);
/** Those that are taken, and mean nothing for who has no jobs and no files. */
const IDLE_OPTIONS = 'abhkmnvC';
const RESERVED = '! { } case do done elif else esac fi for if in then until while'.split(' ');
/** What execute.ts runs. */
const FLOW = '. break continue eval exec exit return source'.split(' ');

function test(shell: Commands, machine: Machine, words: readonly string[]): number {
  let own = words.slice(1);
  if (words[0] === '[') {
    if (own[own.length - 1] !== ']') {
      machine.complain('[: missing ]');
      return 2;
    }
    own = own.slice(0, -1);
  }
  try {
    return new TestExpression(own, shell.host.files, text => shell.path(text)).value() ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TestFault)) throw error;
    machine.complain(`${words[0]}: ${error.message}`);
    return 2;
  }
}

function cd(shell: Commands, machine: Machine, words: readonly string[]): number {
  const to =
    words[1] === '-' ? (shell.state.get('OLDPWD') ?? '/') : (words[1] ?? shell.state.get('HOME') ?? '/');
  const path = shell.path(to);
  if (path !== '/' && shell.host.files.kind(path) !== 'directory') {
    machine.complain(`cd: can't cd to ${to}`);
    return 2;
  }
  machine.assign('OLDPWD', shell.state.directory);
  shell.state.directory = path;
  machine.assign('PWD', path);
  if (words[1] === '-') machine.out.write(`${path}\n`);
  return 0;
}

/** A value as a shell reads it again. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}

function list(machine: Machine, start: string, names: Iterable<string>): void {
  for (const name of [...names].sort()) {
    const value = machine.state.get(name);
    machine.out.write(`${start}${name}${value === undefined ? '' : `=${quoted(value)}`}\n`);
  }
}

/** `export` and `readonly`. */
function mark(machine: Machine, words: readonly string[], names: Set<string>): number {
  const own = words.slice(words[1] === '-p' ? 2 : 1);
  if (own.length === 0) list(machine, `${words[0]} `, names);
  for (const word of own) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (!isName(name)) throw new Fault(`${words[0]}: ${name}: bad variable name`);
    if (equals >= 0) machine.assign(name, word.slice(equals + 1));
    names.add(name);
  }
  return 0;
}

function local(shell: Commands, machine: Machine, words: readonly string[]): number {
  const frame = machine.frames.findLast(({ before, isShell }) => before !== undefined && !isShell);
  if (frame === undefined) throw new Fault('local: not in a function');
  for (const word of words.slice(1)) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (!isName(name)) throw new Fault(`local: ${name}: bad variable name`);
    shell.local(frame, name, equals < 0 ? undefined : word.slice(equals + 1));
  }
  return 0;
}

function unset(machine: Machine, words: readonly string[]): number {
  const isFunction = words[1] === '-f';
  for (const name of words.slice(isFunction || words[1] === '-v' ? 2 : 1)) {
    if (!isFunction && !isName(name)) throw new Fault(`unset: ${name}: bad variable name`);
    if (isFunction) {
      const found = machine.state.functions.get(name);
      if (found !== undefined) machine.state.functions.delete(name);
    } else {
      machine.note(name);
      machine.state.unset(name);
      machine.state.exported.delete(name);
    }
  }
  return 0;
}

function set(machine: Machine, words: readonly string[]): number {
  const { state } = machine;
  if (words.length === 1) list(machine, '', state.variables.keys());
  let at = 1;
  for (; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '--' || word === '-') {
      state.parameters = words.slice(at + 1);
      return 0;
    }
    if (!/^[-+][a-zA-Z]+$/.test(word)) break;
    for (const letter of word.slice(1)) {
      if (letter === 'o') {
        const name = words[++at] ?? '';
        const long = LONG_OPTIONS.get(name);
        if (long === undefined) throw new Fault(`set: -o ${name}: it is not there`);
        option(state, long, word[0] === '-');
      } else if (OPTIONS.includes(letter)) option(state, letter, word[0] === '-');
      else if (!IDLE_OPTIONS.includes(letter)) throw new Fault(`set: Illegal option ${word[0]}${letter}`);
    }
  }
  if (at < words.length) state.parameters = words.slice(at);
  return 0;
}

function option(state: Machine['state'], letter: string, isOn: boolean): void {
  state.options = state.options.replace(letter, '') + (isOn ? letter : '');
}

function shift(machine: Machine, words: readonly string[]): number {
  const { state } = machine;
  const count = words[1] ?? '1';
  if (!/^\d{1,5}$/.test(count)) throw new Fault(`shift: Illegal number: ${count}`);
  if (Number(count) > state.parameters.length) throw new Fault("shift: can't shift that many");
  state.parameters = state.parameters.slice(Number(count));
  return 0;
}

/** `trap`: what is to be done when the script ends; other signals never come. */
function trap(machine: Machine, words: readonly string[]): number {
  const { traps } = machine.state;
  const own = words.slice(words[1] === '--' ? 2 : 1);
  if (own.length === 0) {
    for (const [name, text] of traps) machine.out.write(`trap -- ${quoted(text)} ${name}\n`);
    return 0;
  }
  const isReset = own[0] === '-' || (own.length === 1 && own[0] !== '') || /^\d+$/.test(own[0] as string);
  const text = isReset ? '' : (own[0] as string);
  for (const word of own.slice(isReset && own[0] !== '-' ? 0 : 1)) {
    const name = word === '0' ? 'EXIT' : word.replace(/^SIG/, '');
    if (!/^(EXIT|HUP|INT|QUIT|TERM|ALRM|PIPE|USR1|USR2|CHLD|\d{1,2})$/.test(name)) {
      machine.complain(`trap: ${word}: bad trap`);
      return 1;
    }
    if (isReset) traps.delete(name);
    else traps.set(name, text);
  }
  return 0;
}

/** Cuts a line at IFS for `read`: the last name gets what is left. */
function fieldsOf(line: string, count: number, ifs: string): string[] {
  const isBlank = (character: string): boolean => ifs.includes(character) && ' \t\n'.includes(character);
  const isOther = (character: string): boolean => ifs.includes(character) && !' \t\n'.includes(character);
  const found: string[] = [];
  let at = 0;
  const skip = (): void => {
    while (at < line.length && isBlank(line[at] as string)) at++;
  };
  skip();
  while (found.length < count - 1 && at < line.length) {
    let piece = '';
    while (at < line.length && !ifs.includes(line[at] as string)) {
      if (line[at] === '\\' && at + 1 < line.length) piece += line[at++];
      piece += line[at++];
    }
    found.push(piece);
    skip();
    if (at < line.length && isOther(line[at] as string)) {
      at++;
      skip();
    }
  }
  let rest = line.slice(at);
  while (rest !== '' && isBlank(rest[rest.length - 1] as string) && rest[rest.length - 2] !== '\\')
    rest = rest.slice(0, -1);
  // One separator at the end of the last is none of it.
  const end = rest[rest.length - 1] ?? '';
  if (end !== '' && isOther(end) && ![...rest.slice(0, -1)].some(c => ifs.includes(c)))
    rest = rest.slice(0, -1);
  found.push(rest);
  return found;
}

function* read(shell: Commands, machine: Machine, words: readonly string[]): Generator<number, number, void> {
  let at = 1;
  let isRaw = false;
  let prompt = '';
  for (; at < words.length && /^-[rp]$/.test(words[at] as string); at++) {
    if (words[at] === '-r') isRaw = true;
    else prompt = words[++at] ?? '';
  }
  const names = words.length > at ? words.slice(at) : ['REPLY'];
  for (const name of names) if (!isName(name)) throw new Fault(`read: ${name}: bad variable name`);
  let line = '';
  let isEnd = false;
  for (;;) {
    const next = machine.input.isConsole ? yield* shell.host.ask(prompt) : machine.input.line();
    if (next === undefined) {
      isEnd = true;
      break;
    }
    line += isRaw ? next.replaceAll('\\', '\\\\') : next;
    if (isRaw || !/(^|[^\\])(\\\\)*\\$/.test(next)) {
      // A last line without its end is read, and told to be the end.
      isEnd =
        !machine.input.isConsole &&
        machine.input.at >= machine.input.text.length &&
        !machine.input.text.endsWith('\n');
      break;
    }
    line = line.slice(0, -1);
  }
  const found = fieldsOf(line, names.length, shell.state.get('IFS') ?? ' \t\n');
  for (const [i, name] of names.entries()) machine.assign(name, plain(found[i] ?? ''));
  return isEnd ? 1 : 0;
}

function* sleep(machine: Machine, words: readonly string[]): Generator<number, number, void> {
  const found = /^(\d{1,6}(?:\.\d+)?)([smhd]?)$/.exec(words[1] ?? '');
  if (found === null) {
    machine.complain(`sleep: invalid time interval '${words[1] ?? ''}'`);
    return 1;
  }
  const seconds = Number(found[1]) * ({ m: 60, h: 3600, d: 86400 }[found[2] ?? ''] ?? 1);
  if (seconds > SLEEP_SECONDS) machine.complain(`sleep: it waits ${SLEEP_SECONDS} s here, and no longer`);
  yield Math.ceil(Math.min(seconds, SLEEP_SECONDS) * TICKS_PER_SECOND);
  return 0;
}

/** What a name is, as `type` says it. */
function kindOf(shell: Commands, name: string): string | undefined {
  if (RESERVED.includes(name)) return 'a shell keyword';
  if (shell.state.functions.has(name)) return 'a shell function';
  const program = programName(name);
  if (builtinNamed(program) !== undefined || FLOW.includes(name)) return 'a shell builtin';
  const isThere =
    shell.host.tool(program) !== undefined || shell.host.files.kind(`/sbin/${program}`) === 'file';
  return isThere ? `/sbin/${program}` : undefined;
}

function type(shell: Commands, machine: Machine, words: readonly string[]): number {
  let status = 0;
  for (const name of words.slice(1)) {
    const kind = kindOf(shell, name);
    if (kind === undefined) status = 127;
    machine.out.write(`${name}${kind === undefined ? ': not found' : ` is ${kind}`}\n`);
  }
  return status;
}

function command(shell: Commands, machine: Machine, words: readonly string[]): Outcome {
  const option = words[1];
  if (option === '-v' || option === '-V') {
    const name = words[2] ?? '';
    const kind = kindOf(shell, name);
    if (kind === undefined) return 127;
    machine.out.write(option === '-V' ? `${name} is ${kind}\n` : `${kind.startsWith('/') ? kind : name}\n`);
    return 0;
  }
  return shell.again(machine, words.slice(1));
}

function which(shell: Commands, machine: Machine, words: readonly string[]): number {
  let status = 0;
  for (const name of words.slice(1)) {
    const kind = kindOf(shell, programName(name));
    if (kind === undefined) status = 1;
    else machine.out.write(`${kind.startsWith('/') ? kind : `/bin/${name}`}\n`);
  }
  return status;
}

function printf(machine: Machine, words: readonly string[]): number {
  if (words.length < 2) {
    machine.complain('printf: usage: printf format [arg ...]');
    return 2;
  }
  const own = words[1] === '--' ? words.slice(1) : words;
  const { text, status } = printed(own, problem => machine.complain(`printf: ${problem}`));
  machine.out.write(text);
  return status;
}

/** Said once: what changes nothing here. */
function once(why: string): Builtin {
  return ({ state }, machine, words) => {
    const name = words[0] as string;
    if (!state.told.has(name)) machine.complain(`${name}: ${why}`);
    state.told.add(name);
    return 0;
  };
}

const builtins: Record<string, Builtin> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  echo: (_, machine, words) => {
    machine.out.write(echoed(words));
    return 0;
  },
  printf: (_, machine, words) => printf(machine, words),
  test,
  '[': test,
  cd,
  chdir: cd,
  pwd: ({ state }, machine) => {
    machine.out.write(`${state.directory}\n`);
    return 0;
  },
  export: ({ state }, machine, words) => mark(machine, words, state.exported),
  readonly: ({ state }, machine, words) => mark(machine, words, state.fixed),
  local,
  unset: (_, machine, words) => unset(machine, words),
  set: (shell, machine, words) => {
    // `set lan address` is the console's.
    if (/^[a-z]{3}/.test(words[1] ?? '')) return shell.again(machine, words);
    return set(machine, words);
  },
  shift: (_, machine, words) => shift(machine, words),
  trap: (_, machine, words) => trap(machine, words),
  read,
  sleep: (_, machine, words) => sleep(machine, words),
  wait: () => 0,
  type,
  command,
  which,
  let: (_, machine, words) => {
    let value = '0';
    for (const word of words.slice(1)) value = sumOf(machine, word);
    return value === '0' ? 1 : 0;
  },
  hash: () => 0,
  umask: once('files have no owners here, so it changes nothing'),
  ulimit: once('what a script may have is fixed here, so it changes nothing'),
  alias: once('it is not there'),
};

/** What is built in by a name; nothing is by those that any object has, as `constructor`. */
export function builtinNamed(name: string): Builtin | undefined {
  return Object.hasOwn(builtins, name) ? builtins[name] : undefined;
}
