// The command line of the host tool: its commands and options, where their output goes, and the exit status.
// Standard output has what the board says, standard error what we say, so that output can be piped on.
// Not here: what the commands do, each in a file of its own.

import { createWriteStream, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { capture, type Sink } from './capture.ts';
import { Failure, INTERRUPTED, REFUSED, reasonOf, USAGE } from './failure.ts';
import { readFirmware } from './image-file.ts';
import { openPort } from './port.ts';
import { choosePort, listPorts, portRow } from './ports.ts';
import { writePrivate } from './private-file.ts';
import { pull } from './pull.ts';
import { push, replace } from './push.ts';
import { askSecret } from './secret.ts';
import { BOARD_BAUD, Session } from './session.ts';
import { parseStatus, statusRows } from './status.ts';
import { joinTerminal } from './terminal.ts';
import { followTrial, update } from './update.ts';

const TIMEOUT_SECONDS = 10;
/** `save` onto a floppy with a bad place says nothing for so long. */
const SAVE_SECONDS = 60;
const KIB = 1024;

interface CommonOptions {
  port?: string;
  baud: number;
  password?: boolean;
  timeout: number;
}

function number(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is no positive number.');
  return Number(text);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}

/** "ENOENT: no such file or directory, open '/x'" without its first and last part. */
function fileReason(error: unknown): string {
  return reasonOf(error).replace(/^[A-Z]+: |, \w+( '.*')?$/g, '');
}

/** A file of this machine, "-" for standard input. */
function read(path: string): Buffer {
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    throw new Failure(`Cannot read ${path}: ${fileReason(error)}`, USAGE);
  }
}

/**
 * Opens port and session for some work, and closes them whatever comes of it.
 * @param isInterruptible the first Ctrl-C makes the work fail where it waits for the board, so that it can clear up
 */
async function withBoard<T>(
  options: CommonOptions,
  work: (session: Session) => Promise<T>,
  isInterruptible = false,
): Promise<T> {
  const ask = () => askSecret('Password of the board: ');
  const given = options.password === true ? await ask() : process.env['MASQBOX_PASSWORD'];
  const port = await openPort(await choosePort(options.port), { baud: options.baud });
  const interrupt = (): void => port.interrupt(new Failure('Interrupted', INTERRUPTED));
  if (isInterruptible) process.once('SIGINT', interrupt);
  try {
    const password = async () => given ?? (await ask());
    const session = new Session(port, { patience: 1000 * options.timeout, password });
    await session.open();
    return await work(session);
  } finally {
    process.off('SIGINT', interrupt);
    await port.close();
  }
}

async function runConsole(path: string | undefined, options: CommonOptions): Promise<void> {
  const port = await openPort(await choosePort(path ?? options.port), {
    baud: options.baud,
    flowControl: true,
  });
  try {
    say(`${port.path} at ${port.baud} baud; Ctrl-] leaves`);
    await joinTerminal(port, { input: process.stdin, output: process.stdout });
    if (process.stdin.isTTY) say('');
  } finally {
    await port.close();
  }
}

async function runPull(file: string | undefined, options: CommonOptions): Promise<void> {
  const text = await withBoard(options, pull);
  if (file === undefined || file === '-') {
    print(text);
    return;
  }
  try {
    writePrivate(file, text);
  } catch (error) {
    throw new Failure(`Cannot write ${file}: ${fileReason(error)}`, USAGE);
  }
}

async function runPush(
  file: string,
  options: CommonOptions & { save?: boolean; replace?: boolean },
): Promise<void> {
  const text = read(file).toString('utf8');
  const name = file === '-' ? 'standard input' : basename(file);
  await withBoard(options, async session => {
    const show = (rows: readonly string[]): void => {
      for (const row of rows) print(`${row}\n`);
    };
    if (options.replace === true) {
      show(await replace(session, name, text));
      if (options.save === true) show(await save(session, options));
      return;
    }
    const count = await push(session, name, text, (_, rows) => show(rows));
    if (options.save === true) show(await save(session, options));
    say(`${count} lines are in force${options.save === true ? '' : '; save keeps them over a power cut'}`);
  });
}

async function save(session: Session, options: CommonOptions): Promise<readonly string[]> {
  const { rows, refusal } = await session.run('save', 1000 * Math.max(SAVE_SECONDS, options.timeout));
  if (refusal !== undefined) throw new Failure(refusal, REFUSED);
  return rows;
}

async function runUpdate(
  file: string,
  options: CommonOptions & { wait?: boolean; unsigned?: boolean },
): Promise<void> {
  const firmware = readFirmware(read(file));
  if (typeof firmware === 'string') throw new Failure(`Cannot update with ${file}: ${firmware}`, USAGE);
  const command = options.unsigned === true ? 'update unsigned' : 'update';
  const kib = (bytes: number): number => Math.ceil(bytes / KIB);
  const size = firmware.slot.length;
  const bar = new cliProgress.SingleBar({
    format: 'Sending {bar} {value} of {total} KiB, {eta_formatted} left',
    barsize: 30,
    hideCursor: true,
    stopOnComplete: true,
  });
  const progress = (sent: number): void => {
    if (!bar.isActive) bar.start(kib(size), 0);
    bar.update(kib(sent));
  };
  const work = async (session: Session): Promise<void> => {
    say(
      `Masqbox ${firmware.version}: ${firmware.slot.length} bytes, about ${seconds(firmware.slot.length, options.baud)} s`,
    );
    const tell = (text: string): void => {
      bar.stop();
      say(text);
    };
    const slot = await update(session, firmware, { tell, progress }, command);
    say(`The board runs ${slot.text} in ${slot.name}`);
    if (options.wait !== true) say('It becomes permanent by itself in a minute or so; see show update');
    else say(`The board runs ${(await followTrial(session, slot)).text} in ${slot.name}`);
  };
  try {
    await withBoard(options, work, true);
  } finally {
    bar.stop();
  }
}

/** Ten bits a byte; blocks of 1,024 with five bytes around them. */
function seconds(bytes: number, baud: number): number {
  return Math.ceil((bytes * (1029 / 1024) * 10) / baud);
}

async function runCapture(
  name: string,
  filter: readonly string[],
  options: CommonOptions & { write?: string; count?: number },
): Promise<void> {
  const path = options.write ?? '-';
  if (path === '-' && process.stdout.isTTY) {
    throw new Failure(
      'Cannot write packets to a terminal: name a file by -w, or pipe to wireshark -k -i -',
      USAGE,
    );
  }
  const words = [name, ...(options.count === undefined ? [] : ['count', String(options.count)]), ...filter];
  const stop = { wanted: false };
  const interrupt = (): void => {
    stop.wanted = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const { sink, close } = sinkOf(path === '-' ? process.stdout : createWriteStream(path), path);
  try {
    const seen = await withBoard(options, session =>
      capture(session, words, sink, stop, 1000 * options.timeout, () =>
        say(`Capturing on ${name}; Ctrl-C ends it`),
      ),
    );
    say(
      `${seen.received} packets captured, ${seen.lost} lost on the line, ${seen.dropped} dropped by the board`,
    );
  } finally {
    await close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}

/** A stream as the capture writes to it: a reader who leaves is no error. */
function sinkOf(stream: Writable, path: string): { sink: Sink; close: () => Promise<void> } {
  let problem: NodeJS.ErrnoException | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    problem = error;
  });
  const write = async (bytes: Uint8Array): Promise<boolean> => {
    if (problem === undefined) await new Promise<void>(resolve => stream.write(bytes, () => resolve()));
    if (problem === undefined) return true;
    if (problem.code === 'EPIPE') return false;
    throw new Failure(`Cannot write ${path}: ${fileReason(problem)}`, USAGE);
  };
  const close = (): Promise<void> =>
    new Promise(resolve => {
      if (stream === process.stdout || problem !== undefined) resolve();
      else stream.end(() => resolve());
    });
  return { sink: { write }, close };
}

async function runStatus(options: CommonOptions & { json?: boolean }): Promise<void> {
  const rows = await withBoard(options, statusRows);
  if (options.json === true) print(`${JSON.stringify(parseStatus(rows), null, 2)}\n`);
  else print(rows.map(row => `${row}\n`).join(''));
}

async function runPorts(): Promise<void> {
  const ports = await listPorts();
  if (ports.length === 0) say('There is no serial port');
  for (const port of ports) print(`${portRow(port)}\n`);
}

/** The commands with their options. */
function createProgram(): Command {
  const program = new Command('masqbox');
  program
    .description('Talks to a Masqbox board over its serial console. Manual: docs/host-tool.md')
    .option('-P, --port <port>', 'the serial port; else MASQBOX_PORT, else the only USB adapter')
    .option('-b, --baud <speed>', 'speed of the line', number, BOARD_BAUD)
    .option(
      '--password',
      "ask for the board's password at once; else MASQBOX_PASSWORD, else when the board asks",
    )
    .option('--timeout <seconds>', 'how long the board may be silent', number, TIMEOUT_SECONDS)
    .showHelpAfterError('(masqbox --help tells the commands)')
    .exitOverride();
  const common = <T>(command: Command): CommonOptions & T => {
    const options = command.optsWithGlobals<CommonOptions & T>();
    const port = options.port ?? process.env['MASQBOX_PORT'];
    return port === undefined ? options : { ...options, port };
  };
  program
    .command('console [port]')
    .description('joins this terminal to the console; Ctrl-] leaves')
    .action((port: string | undefined, _, command) => runConsole(port, common(command)));
  program
    .command('pull [file]')
    .description('writes the configuration to a file, or to standard output')
    .action((file: string | undefined, _, command) => runPull(file, common(command)));
  program
    .command('push <file>')
    .description('types the lines of a file, - for standard input, and stops at the first error')
    .option('--save', 'then saves them')
    .option('--replace', "makes the board's settings equal to the file, all of it or nothing")
    .action((file: string, _, command) => runPush(file, common(command)));
  program
    .command('update <image>')
    .description('sends firmware by YMODEM and follows the board through its reboot')
    .option('--wait', 'waits until the trial is over')
    .option('--unsigned', 'whoever has made the firmware')
    .action((image: string, _, command) => runUpdate(image, common(command)));
  program
    .command('capture <interface> [filter...]')
    .description('captures packets as pcap, to standard output or a file, until Ctrl-C')
    .option('-w, --write <file>', 'writes to a file')
    .option('-c, --count <packets>', 'ends after so many', number)
    .action((name: string, filter: string[], _, command) => runCapture(name, filter, common(command)));
  program
    .command('status')
    .description('shows the state of the board')
    .option('--json', 'as JSON')
    .action((_, command) => runStatus(common(command)));
  program.command('ports').description('lists the serial ports of this machine').action(runPorts);
  return program;
}

/** Runs the tool with the words of its command line. Answers the exit status. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (!(error instanceof Failure)) throw error;
    say(error.message);
    return error.status;
  }
}
