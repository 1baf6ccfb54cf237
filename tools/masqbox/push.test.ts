import test from 'ava';
import { Failure, REFUSED, USAGE } from './failure.ts';
import { linesOf, push } from './push.ts';
import type { Answer, Session } from './session.ts';

/** A session that refuses lines with "bad" in them. */
function recorder(): { session: Session; typed: string[] } {
  const typed: string[] = [];
  const run = async (line: string): Promise<Answer> => {
    typed.push(line);
    const refusal = line.includes('bad') ? `Cannot run ${line}: it is bad` : undefined;
    return { rows: refusal === undefined ? [] : ['     ^', refusal], refusal };
  };
  return { session: { run } as unknown as Session, typed };
}

test('linesOf() counts every line and leaves out the empty ones and the comments', t => {
  const text = '# masqbox configuration 1\r\n\r\n  set a b\t\n\n\t# x\nset\tc\n';
  t.deepEqual(linesOf(text), [
    { number: 3, text: 'set a b' },
    { number: 6, text: 'set c' },
  ]);
  t.deepEqual(linesOf(''), []);
});

test('push() types what the editor takes as it is', async t => {
  const { session, typed } = recorder();
  t.is(await push(session, 'f', 'note a?b\nnote ü\n'), 2);
  t.deepEqual(typed, ['note a\x16?b', 'note \xc3\xbc']);
});

test('push() stops at the first line that is refused', async t => {
  const { session, typed } = recorder();
  const taken: number[] = [];
  const error = await t.throwsAsync(
    push(session, 'f', 'one\n\nbad two\nthree\n', line => taken.push(line.number)),
    { instanceOf: Failure },
  );
  t.is((error as Failure).status, REFUSED);
  t.is(
    error?.message,
    [
      'Line 3 of f is refused; those before it are in force, those after it were not sent:',
      '  masqbox> bad two',
      '       ^',
      '  Cannot run bad two: it is bad',
    ].join('\n'),
  );
  t.deepEqual(typed, ['one', 'bad two']);
  t.deepEqual(taken, [1]);
});

test('push() types nothing of a file that is no text', async t => {
  const { session, typed } = recorder();
  const error = await t.throwsAsync(push(session, 'f', 'one\ntwo\x03\n'), { instanceOf: Failure });
  t.is((error as Failure).status, USAGE);
  t.is(error?.message, 'Cannot push f: line 2 has a control character, so it is no text');
  t.deepEqual(typed, []);
});
