// Bringing saved lines about, at the start and after a restart of control: a few at a time, so that no text, however long
// and whatever is in it, takes a step that the floor would end as hanging. The rules:
//
//    - The password first: whatever becomes of the other lines, it is in force.
//    - A line that is refused takes no other with it. It may have stood before what it needs, so those that are refused
//      are tried again behind the last, while that helps. What stays refused is marked in the plane's memory (refused.ts).
//    - A line that ends control, or the board, is left out next time. The crash page has the number of the line that is
//      being applied, and those of the lines that were found so; it outlives control and warm resets. Where even that does
//      not help, none but the password is applied.
//
// Costs on a 486DX2-66: a line that is no setting 2 ms at most, 2.5 ms with shortened words, up to 160 characters; each of the settings says its own.
// Not here: what differs between two configurations (reconcile.ts), what lines mean (meaning.ts).

import { NOW_AT } from '../../base/cells.ts';
import {
  CRASH_AT_LINE,
  CRASH_AT_SKIPPED,
  CRASH_AT_SUM,
  CRASH_AT_TEXT,
  CRASH_RECORDS_AT,
  CRASH_SKIPPED_COUNT,
} from '../../base/crash-page.ts';
import { CRASH_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { Refusal } from './console/command.ts';
import type { Machine } from './machine.ts';
import { isSingle, type Meaning, type Meanings } from './meaning.ts';
import type { Section } from './section.ts';
import type { Sections } from './sections.ts';
import type { Setting } from './setting.ts';
import { LineReader } from './store/line-reader.ts';
import { clearRefused, isRefused, setRefused } from './store/refused.ts';
import { crcOf, findLine, type Text, textFrom } from './store/text.ts';
import { type Migration, migrationOf } from './store/version.ts';

export interface Outcome {
  /** The first refusals, and how many there were. */
  refusals: string[];
  count: number;
  /** The settings' lines, where the text from `from` on is these and then sections' lines, and all are in force. */
  lines: string[] | undefined;
  from: number;
}

/** A slice ends after so many ticks, or lines where time stands still (the sim, tests). */
const SLICE_TICKS = 4;
const SLICE_LINES = 64;
/** Refusals that are told. */
export const REFUSALS_TOLD = 8;
/** More lines are not remembered as they were written: then all are written anew. */
const LINES_MOST = 1000;
/** How often refused lines are tried again: the LAN, then an address, then its gateway. */
const ROUNDS = 2;
/** In place of the first line to leave out: there was one too many. */
const ALL = -1;
const SET = 'set ';
/** With these, the words of the password's line begin. */
const [S, P] = [115, 112];
/** Its line has some 170 characters. */
const PASSWORD_BYTES = 256;

function refusalOf(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.message;
  }
  return undefined;
}

export class Application {
  private readonly told: { number: number; text: string }[] = [];
  private count = 0;
  private skipped: number[] = [];
  private steps: readonly Migration[] = [];
  /** Lines that settings have refused. */
  private again: number[] = [];
  /** Where a setting of one value got it last: what stands before is not tried again. */
  private readonly places = new Map<Setting, number>();
  private lines: string[] | undefined = [];
  /** Bytes of these, of the comments before them, and of sections' lines behind them. */
  private linesBytes = 0;
  private headBytes = 0;
  private sectionBytes = 0;
  /** Sections that have had a line, and how many of theirs were refused. */
  private readonly begun = new Map<Section, number>();
  /** Where the line that is being applied lies as it is given, or 0. */
  private lineAt = 0;
  private sliceTick = i32at(NOW_AT);
  private sliceLines = 0;
  private readonly page: Int32Array;

  /** @param isRestart control alone has started anew: what lives in the plane's tables is there. */
  constructor(
    private readonly machine: Machine,
    private readonly meanings: Meanings,
    private readonly sections: Sections,
    private readonly text: Text,
    private readonly isRestart: boolean,
  ) {
    const { buffer, byteOffset } = machine.memory;
    this.page = new Int32Array(buffer, byteOffset + CRASH_AT, CRASH_RECORDS_AT / 4);
  }

  *run(): Generator<number, Outcome, void> {
    const { at, bytes } = this.text;
    const key = crcOf(this.machine.plane, 0, at, bytes);
    this.begin(key);
    yield* this.password();
    // A control that starts anew has the lines that were taken.
    if (!this.isRestart) clearRefused(key);
    const isGivenUp = this.skipped.includes(ALL);
    if (isGivenUp)
      this.tell(0, 'Cannot apply the settings: one line after the other has ended control or the board');
    const reader = this.reader();
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      if (reader.number === 1) this.steps = migrationOf(line);
      const given = line.trim();
      const isComment = given === '' || given[0] === '#';
      this.remember(line, given, isComment);
      const isInMemory =
        given === line && this.steps.length === 0 && reader.lineAt + line.length < at + bytes;
      this.lineAt = isInMemory ? reader.lineAt : 0;
      if (reader.isTooLong) this.refuse(reader.number, `Cannot apply ${line}...: it is too long for a line`);
      else if (isGivenUp && !isComment) this.refuse(reader.number, '');
      else if (!isComment) this.apply(given, reader.number);
      if (this.isSliceOver()) yield this.pause();
    }
    for (const [section, refused] of this.begun) yield* this.end(section, refused);
    for (let round = 0; round < ROUNDS && this.again.length > 0; round++) yield* this.tryAgain();
    this.pause();
    const isAsWritten = this.count === 0 && this.headBytes + this.linesBytes + this.sectionBytes === bytes;
    return {
      refusals: this.told.map(({ text }) => text),
      count: this.count,
      lines: isAsWritten ? this.lines : undefined,
      from: at + this.headBytes,
    };
  }

  /** Applies the lines of the password alone. */
  *password(): Generator<number, void, void> {
    const { memory, plane } = this.machine;
    const end = this.text.at + this.text.bytes;
    for (let at = findLine(plane, this.text.at, end, S, P); at < end; ) {
      const length = memory.subarray(at, end).indexOf(10);
      const most = Math.min(length < 0 ? end - at : length, PASSWORD_BYTES);
      const found = this.meanings.of(textFrom(memory, at, most).trim(), false);
      if (typeof found !== 'string' && found.setting.isFirst === true) this.set(found, 0);
      at = length < 0 ? end : findLine(plane, at + length + 1, end, S, P);
      if (this.isSliceOver()) yield this.pause();
    }
  }

  private reader(): LineReader {
    const { at, bytes } = this.text;
    return new LineReader(this.machine.memory, at, at + bytes);
  }

  /** Keeps a line as it is written, as long as the text is nothing but comments and then such lines. */
  private remember(line: string, given: string, isComment: boolean): void {
    if (this.lines === undefined) return;
    if (this.count > 0) this.lines = undefined;
    else if (isComment && this.lines.length === 0) this.headBytes += line.length + 1;
    else if (isComment || given !== line || this.lines.length === LINES_MOST) this.lines = undefined;
    else if (!given.startsWith(SET) && this.sections.of(given) >= 0) this.sectionBytes += line.length + 1;
    else if (this.sectionBytes > 0) this.lines = undefined;
    else {
      this.lines.push(line);
      this.linesBytes += line.length + 1;
    }
  }

  private apply(given: string, number: number): void {
    if (this.steps.length === 0) {
      this.one(given, number);
      return;
    }
    const all = this.steps.reduce<string[]>((lines, step) => lines.flatMap(step), [given]);
    for (const line of all) this.one(line, number);
  }

  private one(line: string, number: number): void {
    const section = line.startsWith(SET) ? -1 : this.sections.of(line);
    if (section >= 0) {
      this.section(section, line, number);
      return;
    }
    const found = this.meanings.of(line, this.told.length < REFUSALS_TOLD);
    if (typeof found === 'string') this.refuse(number, found);
    else if (this.skipped.length > 0 && this.skipped.includes(number)) {
      const { isSecret, words } = found.setting;
      this.refuse(
        number,
        `Cannot apply ${isSecret === true ? words : line}: it has ended control, or the board`,
      );
    } else if (!this.isRestart || found.setting.inPlane !== true) {
      const why = this.set(found, number);
      if (why === undefined) return;
      this.refuse(number, why);
      if (found.setting.isDependent === true) this.again.push(number);
    }
  }

  /** A line of a section, which keeps it where it is not refused. */
  private section(index: number, line: string, number: number): void {
    const { begun, sections } = this;
    const section = sections.all[index] as Section;
    if (!begun.has(section)) {
      begun.set(section, 0);
      section.begin?.();
    }
    let why: string | undefined;
    if (this.skipped.includes(number)) why = `Cannot apply ${line}: it has ended control, or the board`;
    else {
      this.note(CRASH_AT_LINE, number);
      why = refusalOf(() => section.take(line));
    }
    const text = this.lineAt === 0 ? `${line}\n` : { at: this.lineAt, bytes: line.length + 1 };
    if (why === undefined && !sections.now.append(index, text))
      why = `Cannot keep ${line}: control's heap has no room for it`;
    if (why === undefined) return;
    this.refuse(number, why);
    begun.set(section, (begun.get(section) as number) + 1);
  }

  /** What a section has gathered takes effect. Of one that takes all or none, all its lines are refused if one was. */
  private *end(section: Section, refused: number): Generator<number, void, void> {
    const why = refusalOf(() => section.end?.(refused === 0));
    if (section.begin === undefined || (refused === 0 && why === undefined)) return;
    const index = this.sections.all.indexOf(section);
    const { now } = this.sections;
    now.replace(index, now.startOf(index), now.bytesOf(index), '');
    if (why !== undefined) this.tell(0, why);
    const reader = this.reader();
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      if (this.sections.of(line.trim()) === index && !isRefused(reader.number))
        this.refuse(reader.number, '');
      if (this.isSliceOver()) yield this.pause();
    }
  }

  /** Sets it; answers the refusal. */
  private set({ setting, args }: Exclude<Meaning, string>, number: number): string | undefined {
    if (number > 0) this.note(CRASH_AT_LINE, number);
    try {
      setting.set(args);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.message;
    }
    if (isSingle(setting)) this.places.set(setting, number);
    return undefined;
  }

  private refuse(number: number, why: string): void {
    this.count++;
    if (!this.isRestart) setRefused(number, true);
    if (why !== '') this.tell(number, why);
  }

  private tell(number: number, text: string): void {
    if (this.told.length < REFUSALS_TOLD) this.told.push({ number, text });
  }

  private *tryAgain(): Generator<number, void, void> {
    const { again } = this;
    this.again = [];
    const reader = this.reader();
    // They are in the order of the text.
    let next = 0;
    for (let line = reader.next(); line !== undefined && next < again.length; line = reader.next()) {
      const { number } = reader;
      const isNext = number === again[next];
      if (isNext) next++;
      const found = isNext ? this.meanings.of(line.trim(), false) : '';
      if (typeof found !== 'string' && (this.places.get(found.setting) ?? 0) <= number) {
        if (this.set(found, number) === undefined) this.accept(number);
        else this.again.push(number);
      }
      if (this.isSliceOver()) yield this.pause();
    }
    // Nothing has become possible that was not.
    if (this.again.length === again.length) this.again = [];
  }

  private accept(number: number): void {
    this.count--;
    setRefused(number, false);
    const place = this.told.findIndex(entry => entry.number === number);
    if (place >= 0) this.told.splice(place, 1);
  }

  /** Finds out what the last ones that were at these lines ended by. */
  private begin(key: number): void {
    const places = Array.from({ length: CRASH_SKIPPED_COUNT }, (_, i) => CRASH_AT_SKIPPED + 4 * i);
    const { page } = this;
    if (page[CRASH_AT_TEXT / 4] !== key) for (const place of [CRASH_AT_LINE, ...places]) this.note(place, 0);
    this.note(CRASH_AT_TEXT, key);
    const died = page[CRASH_AT_LINE / 4] as number;
    this.note(CRASH_AT_LINE, 0);
    if (died !== 0) {
      const free = places.find(place => page[place / 4] === 0);
      this.note(free ?? CRASH_AT_SKIPPED, free === undefined ? ALL : died);
    }
    this.skipped = places.map(place => page[place / 4] as number).filter(number => number !== 0);
  }

  /** Changes a word of the crash page's header, and keeps its sum. A call for each of both would be 3,000 instructions. */
  private note(at: number, value: number): void {
    const { page } = this;
    const word = at / 4;
    const sum = CRASH_AT_SUM / 4;
    page[sum] = (page[sum] as number) - value + (page[word] as number);
    page[word] = value;
  }

  private isSliceOver(): boolean {
    return ++this.sliceLines >= SLICE_LINES || ((i32at(NOW_AT) - this.sliceTick) | 0) >= SLICE_TICKS;
  }

  /** Between two slices nothing is being applied; answers what to yield. */
  private pause(): number {
    this.note(CRASH_AT_LINE, 0);
    this.sliceLines = 0;
    this.sliceTick = i32at(NOW_AT);
    return 0;
  }
}
