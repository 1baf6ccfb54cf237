// `help` and `reboot`.

import { TICKS_PER_SECOND } from '../../plane/limits.ts';
import { type Command, commandsUnder, type Job, Refusal, usage } from '../console/command.ts';
import type { Context } from '../context.ts';

/** Column at which the help text starts. */
const HELP_COLUMN = 38;
/** The last words get this long to leave the transmit ring: 4,096 bytes at 115200 baud take 355 ms. */
const LAST_WORDS_TICKS = TICKS_PER_SECOND / 2;

function* help(context: Context, table: readonly Command[], words: string[]): Job {
  const found = commandsUnder(table, words);
  if (found.length === 0) throw new Refusal(`Cannot help with ${words.join(' ')}: there is no such command`);
  for (const command of found) {
    const form = usage(command);
    if (form.length < HELP_COLUMN) context.output.line(`${form.padEnd(HELP_COLUMN)}${command.help}`);
    else context.output.line(`${form}\r\n${' '.repeat(HELP_COLUMN)}${command.help}`);
    yield 0;
  }
}

function* reboot(context: Context): Job {
  context.output.line('Rebooting');
  yield LAST_WORDS_TICKS;
  context.machine.reset();
}

/** @param table all commands, these included: it is read when help runs. */
export function systemCommands(context: Context, table: readonly Command[]): Command[] {
  return [
    {
      words: 'help',
      arguments: '[COMMAND]',
      count: [0, 9],
      help: 'this list, or its part that starts with COMMAND',
      run: words => help(context, table, words),
    },
    { words: 'reboot', help: 'starts the board again; what was set is lost', run: () => reboot(context) },
  ];
}
