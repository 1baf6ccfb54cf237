// The lines of all sections (section.ts), as text in memory that the heap lends by the page: what a board does not have
// costs it nothing, and what it has outlives control. There are two texts: the one in force, and a draft, which is the one
// to go back to (store/rollback.ts), one that is imported or read from the disk, or the saved one at a start. A draft that is
// brought about becomes the one in force, and the other the draft: nothing is copied, and the way back is the same.
//
//    SECTION_STATE_AT  0                        4                   8                      8 + 4 * SECTION_COUNT
//                      | which text is in force | it is being moved | bytes of each section | the same of the other text |
//    SECTION_TEXTS_AT  | lines of section 0, of section 1, ..., each ended by a line feed | the other text |
//
// Limits: all that is saved has room for CONFIG_TEXT_MAX characters, so a line for which there is none there is refused; so is
// one for which the heap has no page to lend. Both are said where the line is typed, and nothing else is lost.
// Not here: settings' lines (registry.ts), what is on the disk (store/).

import { CONFIG_TEXT_MAX } from '../../base/layout.ts';
import {
  CONFIGURATION_AT,
  SECTION_COUNT,
  SECTION_STATE_AT,
  SECTION_STATE_BYTES,
  SECTION_TEXT_BYTES,
  SECTION_TEXTS_AT,
} from '../../base/limits.ts';
import { copy, fill, i32at, puti32 } from '../../base/memory.ts';
import { Refusal } from './console/command.ts';
import { SECTION_SPARE_BYTES } from './limits.ts';
import type { Machine } from './machine.ts';
import type { Section } from './section.ts';
import { LineReader } from './store/line-reader.ts';
import { crcOf, putText, type Text, textFrom } from './store/text.ts';

const NOW_AT = SECTION_STATE_AT;
const MOVING_AT = SECTION_STATE_AT + 4;
const SIZES_AT = SECTION_STATE_AT + 8;
const PAGE = 4096;
/** The line of the version, and that of the cards, which are saved before. */
export const HEAD_BYTES = 96;
/** After so many lines others get a turn. */
const SLICE_LINES = 16;

const paged = (bytes: number): number => (bytes + PAGE - 1) & ~(PAGE - 1);

/** One of the two texts. */
export class SectionText {
  readonly at: number;
  private readonly sizes: number;

  constructor(
    private readonly machine: Machine,
    number: number,
  ) {
    this.at = SECTION_TEXTS_AT + number * SECTION_TEXT_BYTES;
    this.sizes = SIZES_AT + 4 * SECTION_COUNT * number;
  }

  bytesOf(section: number): number {
    return i32at(this.sizes + 4 * section);
  }

  startOf(section: number): number {
    let at = this.at;
    for (let i = 0; i < section; i++) at += this.bytesOf(i);
    return at;
  }

  get bytes(): number {
    return this.startOf(SECTION_COUNT) - this.at;
  }

  /** Sees to it that there is memory for so much; answers whether there is. */
  reach(bytes: number): boolean {
    const { at, machine } = this;
    const end = at + SECTION_TEXT_BYTES;
    if (bytes > SECTION_TEXT_BYTES) return false;
    if (bytes > this.bytes && machine.heapFree() < bytes - this.bytes + SECTION_SPARE_BYTES) return false;
    return machine.lend(at, at + paged(bytes), end);
  }

  /** Puts a text, or bytes from elsewhere, in the place of others of a section; answers whether there is room. */
  replace(section: number, place: number, removed: number, added: string | Text): boolean {
    const length = typeof added === 'string' ? added.length : added.bytes;
    const before = this.bytes;
    const after = before - removed + length;
    const isMore = paged(after) > paged(before);
    if (after > SECTION_TEXT_BYTES || (isMore && !this.reach(after))) return false;
    puti32(MOVING_AT, 1);
    if (length !== removed) copy(place + length, place + removed, this.at + before - place - removed);
    if (typeof added === 'string') putText(this.machine.memory, place, added);
    else copy(place, added.at, length);
    puti32(this.sizes + 4 * section, this.bytesOf(section) - removed + length);
    puti32(MOVING_AT, 0);
    if (paged(after) < paged(before)) this.reach(after);
    return true;
  }

  append(section: number, added: string | Text): boolean {
    return this.replace(section, this.startOf(section) + this.bytesOf(section), 0, added);
  }

  /** Makes it equal to another, with room for so much behind it: a multiple of 4, where that is; 0 if there is none. */
  copyFrom({ at, bytes, sizes }: SectionText, more: number): number {
    this.clear();
    const behind = (bytes + 3) & ~3;
    if (!this.reach(behind + more)) return 0;
    copy(this.at, at, bytes);
    copy(this.sizes, sizes, 4 * SECTION_COUNT);
    return this.at + behind;
  }

  clear(): void {
    fill(this.sizes, 0, 4 * SECTION_COUNT);
    this.machine.lend(this.at, this.at, this.at + SECTION_TEXT_BYTES);
  }

  /** Whether a section's lines are the same in both. */
  isLike(other: SectionText, section: number): boolean {
    const { plane } = this.machine;
    const bytes = this.bytesOf(section);
    const sum = (text: SectionText): number => crcOf(plane, 0, text.startOf(section), bytes);
    return other.bytesOf(section) === bytes && (bytes === 0 || sum(this) === sum(other));
  }
}

export class Sections {
  readonly all: Section[] = [];
  /** The draft is being read from the disk, even if nobody waits for it any more. */
  isDrafting = false;
  private readonly words = new Map<string, number>();
  private readonly texts: readonly [SectionText, SectionText];

  constructor(private readonly machine: Machine) {
    this.texts = [new SectionText(machine, 0), new SectionText(machine, 1)];
  }

  add(section: Section): void {
    if (this.all.length === SECTION_COUNT) throw new Error('There are too many sections');
    for (const word of section.words) this.words.set(word, this.all.length);
    this.all.push(section);
  }

  /** Which section a line is of, by number; -1 if it is of none. */
  of(line: string): number {
    const blank = line.indexOf(' ');
    return this.words.get(blank < 0 ? line : line.slice(0, blank)) ?? -1;
  }

  /** The text in force, and the draft. */
  get now(): SectionText {
    return this.texts[i32at(NOW_AT) as 0 | 1];
  }

  get draft(): SectionText {
    return this.texts[(1 - i32at(NOW_AT)) as 0 | 1];
  }

  /** Control ended while a text was moved: what it says is not known. */
  get isBroken(): boolean {
    return i32at(MOVING_AT) !== 0;
  }

  /** At the start of the board: there are none, and the draft is what the store has put there. */
  reset(): void {
    for (const [number, section] of this.all.entries()) if (this.now.bytesOf(number) > 0) section.clear();
    this.now.clear();
    fill(SECTION_STATE_AT, 0, SECTION_STATE_BYTES);
  }

  /** Adds a line, which a part has brought about, behind its others; throws a Refusal. */
  append(section: Section, line: string): void {
    this.splice(section, Number.POSITIVE_INFINITY, 0, [line]);
  }

  /**
   * Puts lines, or those that stand somewhere with their line feeds, in the place of `removed` from number `first` on, counted from 0. Throws
   * a Refusal where there is no room.
   */
  splice(section: Section, first: number, removed: number, lines: readonly string[] | Text): void {
    const number = this.all.indexOf(section);
    const { now } = this;
    const start = now.startOf(number);
    const end = start + now.bytesOf(number);
    const place = this.skip(start, end, first);
    const until = this.skip(place, end, removed);
    const added = 'bytes' in lines ? lines : lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    this.refuse((typeof added === 'string' ? added.length : added.bytes) - until + place);
    if (now.replace(number, place, until - place, added)) return;
    const line = 'bytes' in lines ? textFrom(this.machine.memory, lines.at, lines.bytes).trimEnd() : lines[0];
    throw new Refusal(`Cannot keep ${line}: control's heap has no room for it`);
  }

  /** Where a section's line of a number stands among its characters, for insert(). */
  offsetOf(section: Section, line: number): number {
    const number = this.all.indexOf(section);
    const start = this.now.startOf(number);
    return this.skip(start, start + this.now.bytesOf(number), line) - start;
  }

  /** Puts whole lines, each with its line feed, behind so many characters of a section. Throws a Refusal where there is no room. */
  insert(section: Section, offset: number, text: string | Text): void {
    const number = this.all.indexOf(section);
    const { now } = this;
    this.refuse(typeof text === 'string' ? text.length : text.bytes);
    if (!now.replace(number, now.startOf(number) + offset, 0, text))
      throw new Refusal("Cannot keep the lines: control's heap has no room for them");
  }

  /** Refuses so many more characters if what is then saved would be too long. */
  refuse(more: number): void {
    const all = this.now.bytes + i32at(CONFIGURATION_AT) + HEAD_BYTES + more;
    if (more > 0 && all > CONFIG_TEXT_MAX)
      throw new Refusal(
        `Cannot keep it: the configuration would have ${all} characters, and ${CONFIG_TEXT_MAX} fit`,
      );
  }

  private skip(from: number, end: number, lines: number): number {
    if (lines === Number.POSITIVE_INFINITY) return end;
    let at = from;
    for (let i = 0; i < lines && at < end; i++) at = this.machine.memory.indexOf(10, at) + 1;
    return at;
  }

  /** A section's lines, or those of all, in order. */
  reader(text: SectionText, section?: Section): LineReader {
    const number = section === undefined ? -1 : this.all.indexOf(section);
    const start = number < 0 ? text.at : text.startOf(number);
    return new LineReader(
      this.machine.memory,
      start,
      start + (number < 0 ? text.bytes : text.bytesOf(number)),
    );
  }

  /** Whether text in force and draft are the same. */
  isAsDraft(): boolean {
    return this.all.every((_, number) => this.now.isLike(this.draft, number));
  }

  /** Brings the draft about: all of it or nothing. Answers the refusals; then, too, the draft is as it was. */
  *bringAbout(): Generator<number, string[], void> {
    const { draft, now } = this;
    for (const [number, section] of this.all.entries()) {
      if (now.isLike(draft, number)) continue;
      const refusals = yield* this.take(section, draft);
      if (refusals.length === 0) continue;
      for (const changed of this.all.slice(0, number + 1)) {
        if (now.isLike(draft, this.all.indexOf(changed))) continue;
        if (changed !== section || section.begin === undefined) yield* this.take(changed, now);
      }
      return refusals;
    }
    this.flip();
    return [];
  }

  /** The draft is what is in force now. */
  flip(): void {
    puti32(NOW_AT, 1 - i32at(NOW_AT));
  }

  /** After a restart of control, where what the lines brought about may have been control's. Those that were being moved are lost. */
  *takeAgain(): Generator<number, string[], void> {
    if (this.isBroken) this.reset();
    const refusals: string[] = [];
    for (const section of this.all) {
      if (section.inPlane === true) continue;
      const more = yield* this.take(section, this.now);
      refusals.push(...more);
    }
    return refusals;
  }

  /** Lets a section have the lines of a text, and no others; answers what it refuses. */
  *take(section: Section, text: SectionText): Generator<number, string[], void> {
    const refusals: string[] = [];
    const run = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refusals.push(error.message);
      }
    };
    if (section.begin === undefined) section.clear();
    else section.begin();
    const reader = this.reader(text, section);
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      const given = line;
      run(() => section.take(given));
      if (reader.number % SLICE_LINES === 0) yield 0;
    }
    run(() => section.end?.(refusals.length === 0));
    return refusals;
  }
}
