// The settings' lines in the plane's memory, from which a restarted control applies them:
//
//    0        4
//    | bytes  | lines, each ended by a line feed, ASCII
//
// Of each setting it is kept what its lines were, so that a change looks again at those alone that it may have changed, and of
// the text that is written alone which differs: a character is a thousand instructions.
// Not here: when (registry.ts), sections' lines (sections.ts).

import { CONFIGURATION_AT, CONFIGURATION_BYTES } from '../../base/limits.ts';
import { copy, puti32 } from '../../base/memory.ts';
import type { Setting } from './setting.ts';
import { putText } from './store/text.ts';

export const TEXT_AT = CONFIGURATION_AT + 4;
export const TEXT_BYTES = CONFIGURATION_BYTES - 4;

export class SettingsText {
  readonly settings: Setting[] = [];
  /** The lines of each as they were last looked at, and who is to be looked at again: undefined is all. */
  private listed: string[][] = [];
  private dirty: Set<Setting> | undefined;
  /** The lines that lie in memory, and their bytes. */
  private written: string[] = [];
  private bytes = 0;
  /** They are those of a text that was applied, as they were written there. */
  isRaw = false;

  constructor(private readonly memory: Uint8Array) {}

  lines(): string[] {
    return this.settings.flatMap(setting => setting.lines());
  }

  /** These are to be looked at again; all, if none are named. */
  mark(changed?: readonly Setting[]): void {
    if (changed === undefined) this.dirty = undefined;
    else if (this.dirty !== undefined) for (const setting of changed) this.dirty.add(setting);
  }

  isAsWritten(): boolean {
    const { written } = this;
    const all = this.lines();
    return all.length === written.length && all.every((line, i) => line === written[i]);
  }

  /** Another text lies where these did. */
  forget(): void {
    this.dirty = undefined;
    this.written = [];
    this.bytes = 0;
  }

  /** Lines that were applied lie somewhere, and may stay as they are, even if they are not as lines() has them. */
  adopt(lines: string[], from: number): boolean {
    const bytes = bytesOf(lines);
    if (bytes > TEXT_BYTES) return false;
    this.written = lines;
    this.bytes = bytes;
    copy(TEXT_AT, from, bytes);
    puti32(CONFIGURATION_AT, bytes);
    this.isRaw = true;
    this.dirty = new Set();
    return true;
  }

  /** Writes what has changed; answers whether there is room. */
  write(): boolean {
    const { settings } = this;
    if (this.isRaw && this.dirty !== undefined) return true;
    this.isRaw = false;
    if (this.dirty === undefined) this.listed = settings.map(setting => setting.lines());
    else for (const setting of this.dirty) this.listed[settings.indexOf(setting)] = setting.lines();
    this.dirty = new Set();
    const all = this.listed.flat();
    const bytes = bytesOf(all);
    if (bytes <= TEXT_BYTES) this.put(all, bytes);
    return bytes <= TEXT_BYTES;
  }

  /** Writes the lines between those that have not changed. */
  private put(all: string[], bytes: number): void {
    const { memory, written } = this;
    let at = TEXT_AT;
    let first = 0;
    while (first < all.length && all[first] === written[first]) at += (all[first++] as string).length + 1;
    let [end, before, tail] = [all.length, written.length, 0];
    while (end > first && before > first && all[end - 1] === written[before - 1]) {
      tail += (all[--end] as string).length + 1;
      before--;
    }
    puti32(CONFIGURATION_AT, 0);
    copy(TEXT_AT + bytes - tail, TEXT_AT + this.bytes - tail, tail);
    for (const line of all.slice(first, end)) at += putText(memory, at, `${line}\n`);
    puti32(CONFIGURATION_AT, bytes);
    this.written = all;
    this.bytes = bytes;
  }
}

function bytesOf(lines: readonly string[]): number {
  let sum = lines.length;
  for (const line of lines) sum += line.length;
  return sum;
}
