// `set wan rate`, `set queue fair` and `show queue`, on the sim board. What queues do: src/plane/link/queue.test.ts.

import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';

test('a rate is set, shown, saved and taken back, and its memory with it', async t => {
  let said = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text) });
  const type = (line: string, ticks = 150): string => {
    said = '';
    board.type(`${line}\r`);
    for (let i = 0; i < ticks; i++) {
      board.run();
      board.advance(1);
    }
    return said.replaceAll('\r', '');
  };
  type('');
  t.regex(type('show queue'), /No link has a rate: see set wan rate/);
  t.regex(
    type('set wan rate fast'),
    /Cannot set wan rate fast: a rate is bits a second, as 33600, 512k or 2M/,
  );
  t.regex(type('set wan rate 100'), /Cannot set wan rate 100: a rate is 300 to 30M bits a second/);
  t.regex(
    type('set wan rate 512k 20'),
    /Cannot set wan rate 512k: MSS 20 is not 68 to 1460, or 0 for what fits/,
  );
  t.notRegex(type('set wan rate 512k'), /Cannot/);
  t.regex(type('show queue'), /^wan held to 512k b\/s, fair by host$/m);
  t.regex(type('show config'), /^set wan rate 512k$/m);
  type('set wan rate 33600');
  t.regex(type('show queue'), /^wan held to 33600 b\/s, fair by host, MSS at most 536$/m);
  type('set wan rate 33600 1460');
  t.regex(type('show config'), /^set wan rate 33600 1460$/m);
  type('set queue fair flow');
  t.regex(type('show queue'), /fair by flow/);
  t.regex(type('show config'), /^set queue fair flow$/m);
  t.regex(type('set queue fair both'), /Cannot/);
  type('unset queue fair');
  type('unset wan rate');
  t.regex(type('show queue'), /No link has a rate/);
  t.notRegex(type('show config'), /rate|queue/);
});
