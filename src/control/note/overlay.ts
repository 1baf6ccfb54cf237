// The overlay `note`: what the commands of notes do. Not here: the notes themselves, which are the registry's text (note.ts,
// ../core/sections.ts).

import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { visible } from '../core/log.ts';
import { notes } from './note.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    note: typeof import('./overlay.ts');
  }
}

const WORD = 'note ';

export function addNote({ registry }: Context, words: readonly string[]): undefined {
  registry.sections.append(notes, WORD + words.join(' '));
  registry.changed(notes);
}

export function removeNote({ registry }: Context, text: string | undefined): undefined {
  const { now } = registry.sections;
  const reader = registry.sections.reader(now, notes);
  let count = 0;
  while (reader.next() !== undefined) count++;
  const number = text === undefined ? 1 : Number(text);
  if (text !== undefined && !(/^\d{1,4}$/.test(text) && number >= 1 && number <= count))
    throw new Refusal(`Cannot clear note ${text}: there ${count === 1 ? 'is 1' : `are ${count}`}`);
  if (count === 0) throw new Refusal('Cannot clear notes: there are none');
  registry.sections.splice(notes, number - 1, text === undefined ? count : 1, []);
  registry.changed(notes);
}

export function* showNotes({ output, registry }: Context): Job {
  const reader = registry.sections.reader(registry.sections.now, notes);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    output.line(`${String(reader.number).padStart(4)}  ${visible(line.slice(WORD.length))}`);
    yield 0;
  }
  if (reader.number === 0) output.line('There are no notes');
}
