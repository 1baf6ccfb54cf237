// Names and domains that were set, in a table in which one is found by a search of the engine's own: however many there are,
// and however like to what is asked for. Names are texts here: wire form as characters, small letters for capital ones,
// where the engine compares in one call what would cost a thousand instructions a byte in a loop of ours.
// Not here: names as people write them, and as messages have them (message.ts).

import { NAME_BYTES } from './message.ts';

/** A name's bytes as a text, from one offset to another. */
export function textOf(data: Uint8Array, from: number, end: number): string {
  // To spread the bytes would cost ten times as much.
  return String.fromCharCode.apply(null, data.subarray(from, end) as unknown as number[]).toLowerCase();
}

/** The text of a name's labels, which are in lower case. */
export function keyOf(labels: readonly string[]): string {
  let text = '';
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as string;
    text += String.fromCharCode(label.length) + label;
  }
  return `${text}\0`;
}

/** Whether a name is a domain or below it. */
export function isBelow(text: string, domain: string): boolean {
  if (!text.endsWith(domain)) return false;
  // The same bytes may lie across labels: only a label's beginning counts.
  const start = text.length - domain.length;
  let at = 0;
  while (at < start) at += text.charCodeAt(at) + 1;
  return at === start;
}

export class Names<T> {
  private readonly entries = new Map<string, T>();
  /** How many have so many bytes. */
  private readonly lengths = new Uint8Array(NAME_BYTES + 1);

  get size(): number {
    return this.entries.size;
  }

  get(text: string): T | undefined {
    return this.entries.get(text);
  }

  /** The last that is set is the last that is listed. */
  set(text: string, entry: T): void {
    this.delete(text);
    this.entries.set(text, entry);
    this.lengths[text.length] = (this.lengths[text.length] as number) + 1;
  }

  /** False if there is none. */
  delete(text: string): boolean {
    if (!this.entries.delete(text)) return false;
    this.lengths[text.length] = (this.lengths[text.length] as number) - 1;
    return true;
  }

  values(): T[] {
    return [...this.entries.values()];
  }

  /** The entry of the name itself, or of the longest of the domains that it lies below. */
  above(text: string): T | undefined {
    if (this.entries.size === 0) return undefined;
    for (let at = 0; at < text.length; at += text.charCodeAt(at) + 1) {
      if (this.lengths[text.length - at] === 0) continue;
      const entry = this.entries.get(text.slice(at));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }
}
