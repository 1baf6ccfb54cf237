// `import [LINES CRC]`: takes a configuration, line by line up to `end`, and makes the settings equal to it, all or none.
// What is not among the lines goes back to what it is without a setting. With LINES and CRC, which programs give, what
// comes must be what was sent: the number of lines, and the CRC-32 of all with a line feed behind each.
//
// A text as `export` prints it leaves the password as it is, for it says that there is one and not which. One without a
// word of a password takes it away, as it does with every other setting that it does not have.
// Not here: how settings are replaced (replace.ts); masqbox push --replace (tools/masqbox/).

import { CONFIG_TEXT_MAX, SECTOR_BYTES } from '../../base/layout.ts';
import { CONFIGURATION_BYTES, DISK_BUFFER_AT } from '../../base/limits.ts';
import { hex } from '../core/address.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { visible } from '../core/log.ts';
import { HEAD_BYTES } from '../core/sections.ts';
import { putText } from '../core/store/text.ts';
import { keptNow } from '../core/store/unsaved.ts';
import { migrationOf } from '../core/store/version.ts';
import { replaceAll } from './replace.ts';

const END = 'end';
/** What says that the lines may come, to the host tool too. */
export const IMPORT_BEGUN = 'The lines may come, and then end; ^C leaves everything as it is';
/** What fits on a disk, and of it what settings may have. */
const SETTINGS_ROOM = CONFIGURATION_BYTES - 4;
const ROOM = CONFIG_TEXT_MAX - HEAD_BYTES;
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
  /** Characters of these, and of sections' lines, which are the draft (../core/sections.ts); what is beyond is counted and not kept. */
  characters: number;
  ordered: number;
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

function whyTooLong({ characters, ordered }: Received): string | undefined {
  if (characters > SETTINGS_ROOM)
    return `the settings have ${characters} characters, and ${SETTINGS_ROOM} fit`;
  const all = characters + ordered;
  return all > ROOM ? `the configuration has ${all} characters, and ${ROOM} fit` : undefined;
}

/** A line of a section, which says what it means when all are there. */
function keep({ registry }: Context, section: number, text: string): void {
  if (!registry.sections.draft.append(section, `${text}\n`))
    throw new Refusal(`Cannot import: control's heap has no room for it; ${UNCHANGED}`);
}

/** Takes lines until the last. A program needs no echo. */
function* receive(context: Context, isProgram: boolean): Generator<number, Received, void> {
  if (context.ask === undefined) throw new Refusal('Cannot import: there is no console');
  const got: Received = {
    settings: [],
    characters: 0,
    ordered: 0,
    first: '',
    isHidden: false,
    count: 0,
    crc: 0,
  };
  for (;;) {
    const line = yield* context.ask(isProgram ? '' : '> ', isProgram);
    const text = line.trim();
    if (text === END) return got;
    got.count++;
    if (got.count === 1) got.first = text;
    got.crc = crcOf(context, got.crc, line);
    got.isHidden ||= text.startsWith(HIDDEN);
    if (text === '' || text.startsWith('#')) continue;
    const section = context.registry.sections.of(text);
    if (section >= 0) got.ordered += text.length + 1;
    else got.characters += text.length + 1;
    if (whyTooLong(got) !== undefined) continue;
    if (section >= 0) keep(context, section, text);
    else got.settings.push({ number: got.count, text });
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
  const { draft } = registry.sections;
  while (registry.sections.isDrafting || registry.isRestoring) yield 1;
  output.line(IMPORT_BEGUN);
  draft.clear();
  let wanted: string[] | undefined;
  try {
    const got = yield* receive(context, lines !== undefined);
    check(got, lines, crc);
    wanted = yield* wantedOf(context, got);
  } finally {
    // Whoever replaces the settings needs it to the end, and ^C does not end that.
    if (wanted === undefined) draft.clear();
  }
  yield* bringAbout(context, wanted);
}

/** Refuses what is not what was sent, or too much. */
function check(got: Received, lines?: string, crc?: string): void {
  if (lines !== undefined && (Number(lines) !== got.count || crc !== hex(got.crc, 8))) {
    const why = `${got.count} lines have come that are not the ${lines} that were sent`;
    throw new Refusal(`Cannot import: ${why}; ${UNCHANGED}`);
  }
  const why = whyTooLong(got);
  if (why !== undefined) throw new Refusal(`Cannot import: ${why}; ${UNCHANGED}`);
}

/** What has come takes the place of what was. */
function* bringAbout(context: Context, wanted: readonly string[]): Job {
  const { output, registry } = context;
  const hadPassword = registry.lines().some(registry.isFirst);
  const ordered = registry.sections.reader(registry.sections.draft);
  let count = wanted.length;
  while (ordered.next() !== undefined) count++;
  const refusals = yield* replaceAll(context, wanted, true);
  for (const refusal of refusals.slice(0, TOLD)) output.line(visible(refusal));
  if (refusals.length > 0)
    throw new Refusal(`Cannot import: ${refusals.length} lines were refused; ${UNCHANGED}`);
  if (hadPassword && !wanted.some(registry.isFirst))
    output.line('The password is gone, as there is none among the lines');
  output.line(`${count} lines are in force, and ${yield* keptNow(context)}`);
}
