// The transcript of docs/scripts.md, typed at the console of the sim board.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';

const PAGE = join(import.meta.dirname, '../../../docs/scripts.md');
const PROMPT = 'masqbox> ';

test('what docs/scripts.md shows is what the board says', async t => {
  let said = '';
  const sim = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text) });
  const pass = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      sim.run();
      sim.advance(1);
    }
  };
  pass(300);
  const rows = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('    '))
    .map(line => line.slice(4));
  t.true(rows.length > 15);
  said = PROMPT;
  for (const row of rows) {
    const typed = row.startsWith(PROMPT)
      ? row.slice(PROMPT.length)
      : row.startsWith('> ')
        ? row.slice(2)
        : undefined;
    if (typed === undefined) continue;
    sim.type(typed);
    pass(4);
    sim.type('\r');
    pass(120);
  }
  // A line that is longer than the screen is shown through a window.
  const shown = said.replaceAll('\r', '').split('\n');
  t.deepEqual(
    shown.filter(line => !/^(masqbox)?> /.test(line)),
    rows.filter(line => !/^(masqbox)?> /.test(line)),
  );
});
