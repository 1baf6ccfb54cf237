// What is typed and waited for, against a console that the test plays: what the log says meanwhile is no answer.

import { Duplex } from 'node:stream';
import test from 'ava';
import { Console, PROMPT } from './console.ts';

const NOTICE = 'dns: server 203.0.113.99 is down';
const REDRAWN = `\r\n${NOTICE}\r\nmasqbox> `;

/** A console that says these texts, each as soon as a line has been typed; then the test says more. */
function played(...says: string[]): { console: Console; say(text: string): void } {
  const stream = new Duplex({
    read: () => {},
    write: (_bytes, _encoding, done) => {
      const text = says.shift();
      if (text !== undefined) stream.push(Buffer.from(text, 'latin1'));
      done();
    },
  });
  return { console: new Console(stream), say: text => void stream.push(Buffer.from(text, 'latin1')) };
}

test('command() answers what stands between its echo and the next prompt', async t => {
  const { console } = played('show x\r\none\r\ntwo\r\nmasqbox> ', 'set x 1\r\nmasqbox> ');
  t.is(await console.command('show x'), 'one\ntwo');
  t.is(await console.command('set x 1'), '');
});

test('command() takes no notice for its answer, before its echo, within it, or behind its prompt', async t => {
  const before = played(REDRAWN);
  const answer = before.console.command('set x 1');
  before.say('set x');
  before.say(`${REDRAWN}set x 1\r\n`);
  before.say('masqbox> ');
  t.is(await answer, '');
  const { console } = played(`set x 1\r\nmasqbox> ${REDRAWN}`);
  t.is(await console.command('set x 1'), '');
  t.true(
    (await console.expect(PROMPT, 1)).includes(NOTICE),
    'what came behind is there for who waits for it',
  );
});

test('command() has the pager go on, also when a notice stands behind its question', async t => {
  const question = '-- more: space, Enter, a(ll), q(uit) --';
  const { console } = played(`help\r\none\r\n${question}${NOTICE}\r\n`, 'two\r\nmasqbox> ');
  t.regex(await console.command('help'), /^one\n(.*\n)*two$/);
});

test('command() of a line that is echoed through a window ends at the prompt', async t => {
  const { console } = played(`masqbox> ${'x'.repeat(30)}\r\nCannot\r\nmasqbox> `);
  t.is(await console.command('x'.repeat(100)), 'Cannot');
});
