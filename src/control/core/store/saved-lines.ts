// The lines of the saved text, which comes in pieces through the store's memory: settings' lines as they are written today, and
// whether those of sections are the ones in force, which is found by reading both side by side. So that of a text of 64 KB
// no more is ever in the heap than the settings of it, and a line.
// Not here: reading the pieces (config-store.ts).

import type { Machine } from '../machine.ts';
import type { Sections } from '../sections.ts';
import type { LineReader } from './line-reader.ts';
import type { Saved, Visit } from './store-types.ts';
import { crcOf, type Text, textFrom } from './text.ts';
import { type Migration, migrationOf } from './version.ts';

const LINE_FEED = 10;
/** Of a line that is longer than any can be, so much is kept. */
const LINE_BYTES = 1024;

export class SavedLines {
  private readonly lines: string[] = [];
  private readonly now: LineReader;
  private isSame = true;
  private number = 0;
  private key = 0;
  private steps: readonly Migration[] = [];
  /** What a piece ended with: the beginning of a line. */
  private left = '';

  constructor(
    private readonly machine: Pick<Machine, 'memory'> & { plane: Pick<Machine['plane'], 'crc32'> },
    private readonly sections: Sections,
    private readonly visit: Visit = () => {},
  ) {
    this.now = sections.reader(sections.now);
  }

  /** What there is of a text that cannot be read, or is not there. */
  none(): Omit<Saved, 'problems'> {
    return {
      bytes: undefined,
      key: 0,
      lines: undefined,
      isSameSections: this.sections.now.bytes === 0,
    };
  }

  take({ at, bytes }: Text): void {
    const { memory, plane } = this.machine;
    this.key = crcOf(plane, this.key, at, bytes);
    const end = at + bytes;
    for (let start = at; start < end; ) {
      const feed = memory.subarray(start, end).indexOf(LINE_FEED);
      const stop = feed < 0 ? end : start + feed;
      const most = Math.max(0, LINE_BYTES - this.left.length);
      const line = this.left + textFrom(memory, start, Math.min(stop - start, most));
      const at = line.length === stop - start ? start : 0;
      this.left = feed < 0 ? line : '';
      if (feed >= 0) this.line(line, at);
      start = stop + 1;
    }
  }

  end(bytes: number): Omit<Saved, 'problems'> {
    if (this.left !== '') this.line(this.left, 0);
    const isSameSections = this.isSame && this.now.next() === undefined;
    return { bytes, key: this.key, lines: this.lines, isSameSections };
  }

  private line(given: string, at: number): void {
    if (given === '') return;
    this.number++;
    const line = given.trim();
    if (this.number === 1) this.steps = migrationOf(line);
    const section = line.startsWith('set ') ? -1 : this.sections.of(line);
    this.visit(line, this.number, section, line === given ? at : 0);
    if (section >= 0) this.isSame &&= this.now.next() === line;
    else if (line !== '' && !line.startsWith('#'))
      this.lines.push(...this.steps.reduce<string[]>((lines, step) => lines.flatMap(step), [line]));
  }
}
