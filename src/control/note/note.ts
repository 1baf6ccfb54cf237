// Notes: `note TEXT` lines of the configuration, what the person who sets the router up wants whoever comes after to know. They are a
// section (../core/section.ts) that is nothing but its text: they are saved, exported, imported, shown and go back as the
// settings do, in the order in which they were written, and bring nothing about.
// Not here: what the commands do (overlay.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Section } from '../core/section.ts';

export const notes: Section = { words: ['note'], take() {}, clear() {}, inPlane: true };

/** The commands; the section is added to the registry. */
export function noteCommands(context: Context): Command[] {
  const { machine, registry } = context;
  registry.sections.add(notes);
  return [
    {
      words: 'note',
      isWhole: true,
      arguments: 'TEXT:text...63',
      help: 'keeps a remark with the settings | the modem hangs behind the door',
      run: words => machine.overlay('note').addNote(context, words),
    },
    {
      words: 'clear note',
      arguments: '[NUMBER:integer(1..9999)]',
      help: 'forgets all notes, or the one that has this number in show notes | 1',
      run: ([number]) => machine.overlay('note').removeNote(context, number),
    },
    {
      words: 'show notes',
      help: 'the notes with their numbers',
      run: () => machine.overlay('note').showNotes(context),
    },
  ];
}
