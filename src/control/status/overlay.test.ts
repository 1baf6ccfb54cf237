// What `show status` says of the services, on the sim board. Not here: that it is one screen (access/access.test.ts), and as
// JSON (test/masqbox.test.ts).

import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';

test('show status names the DNS servers that are asked, also those that were set by hand', async t => {
  let said = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text) });
  const type = (line: string): string => {
    said = '';
    board.type(`${line}\r`);
    // It counts for a second what comes and goes.
    for (let i = 0; i < 120; i++) {
      board.run();
      board.advance(1);
    }
    return said;
  };
  type('');
  t.regex(type('show status'), /^dns {8}none\r$/m);
  type('set dns server 203.0.113.54 203.0.113.53');
  t.regex(type('show status'), /^dns {8}203\.0\.113\.54 203\.0\.113\.53\r$/m);
  type('unset dns server');
  t.regex(type('show status'), /^dns {8}none\r$/m);
});
