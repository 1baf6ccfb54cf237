// `import [LINES CRC]`: takes a configuration, line by line up to `end`, and makes the settings equal to it, all or none.
// What is not among the lines goes back to what it is without a setting. With LINES and CRC, which programs give, what
// comes must be what was sent: the number of lines, and the CRC-32 of all with a line feed behind each.
//
// A text as `export` prints it leaves the password as it is, for it says that there is one and not which. One without a
// word of a password takes it away, as it does with every other setting that it does not have.
// Not here: how settings are replaced (replace.ts); masqbox push --replace (tools/masqbox/).

import { CONFIG_TEXT_MAX, SECTOR_BYTES } from '../../base/layout.ts';
import { DISK_BUFFER_AT } from '../../base/limits.ts';
import { hex } from '../core/address.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { visible } from '../core/log.ts';
import { putText } from '../core/store/text.ts';
import { keptNow } from '../core/store/unsaved.ts';
import { migrationOf, versionLine } from '../core/store/version.ts';
import { replaceAll } from './replace.ts';

const END = 'end';
/** What says that the lines may come, to the host tool too. */
export const IMPORT_BEGUN = 'The lines may come, and then end; ^C leaves everything as it is';
/** What fits on a disk, and so what is kept of the lines. */
const ROOM = CONFIG_TEXT_MAX - versionLine().length - 1;
const PASSWORD = 'set password ';
/** How `export` says that there is a password. */
const HIDDEN = `# ${PASSWORD}`;
/** Refusals that are told. */
const TOLD = 8;
/** Lines that are looked at in one step. */
const SLICE_LINES = 16;
const UNCHANGED = 'nothing was changed';

/** What has come: settings with the numbers of their lines. */
interface Received {
  settings: { number: number; text: string }[];
  /** Characters of the settings; what is beyond ROOM is counted and not kept. */
  characters: number;
  first: string;
  isHidden: boolean;
  count: number;
  crc: number;
}

/** The CRC-32 of what came before and this line; the disk's buffer is nobody's between two steps. */
function crcOf({ machine }: Context, before: number, line: string): number {
  const text = `${line}\n`;
  let crc = before;
  for (let at = 0; at < text.length; at += SECTOR_BYTES) {
    const bytes = putText(machine.memory, DISK_BUFFER_AT, text.slice(at, at + SECTOR_BYTES));
    crc = machine.plane.crc32(crc, DISK_BUFFER_AT, bytes);
  }
  return crc;
}

/** Takes lines until the last. A program needs no echo. */
function* receive(context: Context, isProgram: boolean): Generator<number, Received, void> {
  if (context.ask === undefined) throw new Refusal('Cannot import: there is no console');
  const got: Received = { settings: [], characters: 0, first: '', isHidden: false, count: 0, crc: 0 };
  for (;;) {
    const line = yield* context.ask(isProgram ? '' : '> ', isProgram);
    const text = line.trim();
    if (text === END) return got;
    got.count++;
    if (got.count === 1) got.first = text;
    got.crc = crcOf(context, got.crc, line);
    got.isHidden ||= text.startsWith(HIDDEN);
    if (text === '' || text.startsWith('#')) continue;
    got.characters += text.length + 1;
    if (got.characters <= ROOM) got.settings.push({ number: got.count, text });
  }
}

/** The lines that the settings are to be, some of them a step; a Refusal if one of them is none. */
function* wantedOf({ output, registry }: Context, got: Received): Generator<number, string[], void> {
  const steps = migrationOf(got.first);
  const wanted: string[] = [];
  let refused = 0;
  for (const [i, { number, text }] of got.settings.entries()) {
    if (i % SLICE_LINES === SLICE_LINES - 1) yield 0;
    for (const line of steps.reduce<string[]>((lines, step) => lines.flatMap(step), [text])) {
      wanted.push(line);
      // A reason is made for those that are told alone.
      if (typeof registry.meaningOf(line) !== 'string') continue;
      refused++;
      if (refused <= TOLD) output.line(`Line ${number}: ${visible(registry.refusalOf(line) ?? '')}`);
    }
  }
  if (refused > 0) throw new Refusal(`Cannot import: ${refused} lines are no settings; ${UNCHANGED}`);
  if (got.isHidden && !wanted.some(registry.isFirst))
    wanted.push(...registry.lines().filter(registry.isFirst));
  return wanted;
}

export function importLines(context: Context, [lines, crc]: readonly string[]): Job {
  if (lines !== undefined && !/^\d{1,5}$/.test(lines))
    throw new Refusal(`Cannot import ${lines} lines: it is not 0 to 99999`);
  if (lines !== undefined && !/^[0-9a-f]{8}$/.test(crc ?? ''))
    throw new Refusal('Cannot import: the CRC is not eight hexadecimal digits');
  return take(context, lines, crc);
}

function* take(context: Context, lines?: string, crc?: string): Job {
  const { output, registry } = context;
  const isProgram = lines !== undefined;
  output.line(IMPORT_BEGUN);
  const got = yield* receive(context, isProgram);
  if (isProgram && (Number(lines) !== got.count || crc !== hex(got.crc, 8))) {
    const why = `${got.count} lines have come that are not the ${lines} that were sent`;
    throw new Refusal(`Cannot import: ${why}; ${UNCHANGED}`);
  }
  if (got.characters > ROOM) {
    const why = `the settings have ${got.characters} characters, and ${ROOM} fit`;
    throw new Refusal(`Cannot import: ${why}; ${UNCHANGED}`);
  }
  const hadPassword = registry.lines().some(registry.isFirst);
  const wanted = yield* wantedOf(context, got);
  const refusals = yield* replaceAll(context, wanted);
  for (const refusal of refusals.slice(0, TOLD)) output.line(visible(refusal));
  if (refusals.length > 0)
    throw new Refusal(`Cannot import: ${refusals.length} lines were refused; ${UNCHANGED}`);
  if (hadPassword && !wanted.some(registry.isFirst))
    output.line('The password is gone, as there is none among the lines');
  output.line(`${wanted.length} lines are in force, and ${yield* keptNow(context)}`);
}
