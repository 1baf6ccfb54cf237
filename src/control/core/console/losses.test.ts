// Bytes that are lost while the console takes those around them, from an interrupt: between any two of its looks at the line.

import test from 'ava';
import type { Command } from './command.ts';
import { Console } from './console.ts';
import type { Loss } from './terminal.ts';

/** Types a text of which the byte before one is lost as soon as the console has looked at so many things of the line; answers what ran. */
function typed(text: string, place: number, looks: number): string[] {
  const received = [...text].map(letter => letter.charCodeAt(0));
  const ran: string[] = [];
  let taken = 0;
  let loss: Loss | undefined;
  let left = looks;
  const look = () => {
    if (left-- === 0) loss = { from: place, to: place };
  };
  const note: Command = {
    words: 'note',
    arguments: '[TEXT:text...99]',
    help: '',
    run: args => {
      ran.push(args.join(' '));
    },
  };
  const board = new Console(
    {
      read: (into, at) => {
        look();
        const bytes = received.splice(0, into.length - at);
        into.set(bytes, at);
        taken += bytes.length;
        look();
        return bytes.length;
      },
      write: out => out.length,
      takeLoss: () => {
        look();
        const said = loss;
        loss = undefined;
        return said === undefined ? undefined : { from: said.from - taken, to: said.to - taken };
      },
    },
    [note],
  );
  board.paged = false;
  board.open();
  for (let i = 0; i < 200; i++) {
    board.receive();
    board.work(i);
  }
  return ran;
}

test('a line of which a byte is lost is not run, whenever that becomes known; the one behind it is', t => {
  const text = 'note bc\rnote d\r';
  // Behind the third look the console has all of it, and the line was whole when it came.
  for (let looks = 0; looks < 3; looks++) t.deepEqual(typed(text, 6, looks), ['d'], `${looks} looks`);
});
