// Fuzzing of the console: bytes of all kinds, half-typed and wrong commands, at the sim board. An exception that
// escapes restarts control, which the sim says; after each run the prompt must come again and take a command.

import { createSimBoard, type SimBoard } from '../../board/sim/board.ts';
import { createRandom, type Random } from '../../src/control/debug/random.ts';

/** Ends the board or lasts for minutes by design. */
const NOT_RUN = /^(reboot|debug|r|re|reb|rebo|reboo|d|de|deb|debu)\b/;
const CONTROL_C = '\x03';
/** Lets everything finish that waits: five pings, and answers that do not come. */
const PATIENCE_TICKS = 400;

const WORDS = [
  ...[
    '192.168.0.1/24',
    '10.0.0.1/8',
    '203.0.113.5/24',
    '203.0.113.1',
    '0.0.0.0',
    '255.255.255.255',
    '1.2.3',
    '::1',
  ],
  ...[
    '0',
    '-1',
    '1',
    '65535',
    '65536',
    '4294967296',
    '1e9',
    'NaN',
    '',
    '/',
    '/33',
    '0x10',
    'lan',
    'wan',
    'on',
    'off',
  ],
  ...[
    'rfc',
    'classic',
    'native',
    'interpreted',
    'dhcp',
    'none',
    'address',
    '__proto__',
    'constructor',
    'toString',
  ],
  ...[
    '-M',
    '-l',
    '-n',
    '-L',
    '-v',
    '--',
    '-',
    '%s%n',
    'a'.repeat(300),
    '\u00ff\u00fe',
    '?',
    'name',
    '192.168.0.7',
  ],
];
const KEYS = [
  '\t',
  '\x1b[A',
  '\x1b[B',
  '\x1b[C',
  '\x1b[D',
  '\x1b[H',
  '\x1b[3~',
  '\x01',
  '\x05',
  '\x15',
  '\x17',
  '\x7f',
  '\b',
];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T;
}

/** A line that looks like a command of the table: known words, a few cut or wrong, and arguments. */
function someLine(random: Random, commands: readonly string[]): string {
  const words = pick(random, commands).split(' ');
  if (random.below(4) === 0) words.pop();
  if (random.below(6) === 0) words.splice(random.below(words.length + 1), 0, pick(random, WORDS));
  for (let n = random.below(4); n > 0; n--) words.push(pick(random, WORDS));
  const line = words.map(word =>
    random.below(6) === 0 ? word.slice(0, 1 + random.below(word.length + 1)) : word,
  );
  return line.join(' ');
}

function someBytes(random: Random): string {
  let text = '';
  for (let n = random.below(60); n >= 0; n--) {
    const kind = random.below(8);
    if (kind < 3) text += pick(random, KEYS);
    else if (kind < 6) text += String.fromCharCode(32 + random.below(95));
    else text += String.fromCharCode(random.below(256));
  }
  // XOFF stops the output until XON: that is no fault.
  return text.replaceAll('\x13', '');
}

export interface ConsoleFuzzer {
  /** Answers what went wrong, with what was typed, or nothing. */
  run(seed: number, lines: number): string | undefined;
}

class Fuzzed implements ConsoleFuzzer {
  private text = '';
  private board!: SimBoard;
  private commands: string[] = [];

  async start(): Promise<this> {
    this.board = await createSimBoard({
      onFrame: () => {},
      onOutput: output => {
        this.text += output;
      },
    });
    this.board.run();
    this.type('help\ra');
    // A row is the command's words, its arguments in capitals, and what it does.
    const rows = this.text.split(/\r?\n/).map(row => (row.split('  ')[0] as string).split(' '));
    const words = rows.map(row =>
      row.filter(word => /^-?[a-z]+$/i.test(word) && word !== word.toUpperCase()),
    );
    this.commands = words.map(row => row.join(' ')).filter(text => text !== '' && !NOT_RUN.test(text));
    this.commands.push('ipfwadm -M -l -n', 'ipchains -M -L -n');
    if (this.commands.length < 10) throw new Error(`Cannot read the help:\n${this.text}`);
    return this;
  }

  run(seed: number, lines: number): string | undefined {
    const random = createRandom(seed);
    for (let i = 0; i < lines; i++) {
      this.text = '';
      const typed = random.below(3) === 0 ? someBytes(random) : someLine(random, this.commands);
      // What the bytes would complete or recall may be anything; only lines of our own making are entered.
      const line = NOT_RUN.test(typed.trimStart()) ? '' : typed;
      this.type(line.replaceAll(/[\r\n]/g, ' '));
      this.type(/[^ -~]/.test(line) ? `${CONTROL_C}` : '\r');
      this.board.advance(random.below(3));
      if (random.below(3) === 0) this.type(CONTROL_C);
      const fault = this.fault();
      if (fault !== undefined) return `${fault}\ntyped: ${JSON.stringify(line)}\n${this.text}`;
    }
    return this.prompt();
  }

  private type(text: string): void {
    this.board.type(text);
    this.board.run();
  }

  private fault(): string | undefined {
    return /Floor: control ended|InternalError|TypeError|RangeError/.exec(this.text)?.[0];
  }

  private prompt(): string | undefined {
    this.type(CONTROL_C);
    this.board.advance(PATIENCE_TICKS);
    this.text = '';
    this.type('\x15show version\r');
    this.board.advance(10);
    return /Masqbox \d/.test(this.text) ? this.fault() : `show version is not answered:\n${this.text}`;
  }
}

export async function consoleFuzzer(): Promise<ConsoleFuzzer> {
  return await new Fuzzed().start();
}
