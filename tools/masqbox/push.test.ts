import { crc32 } from 'node:zlib';
import test from 'ava';
import { Failure, REFUSED, USAGE } from './failure.ts';
import { linesOf, push, replace } from './push.ts';
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

/** A session with a board that takes an import, or says something else. */
function importer(answer: string): { session: Session; typed: string[] } {
  const typed: string[] = [];
  const session = {
    type: async (text: string) => void typed.push(text),
    expect: async (pattern: RegExp) => {
      const match = pattern.exec(answer);
      return match === null ? undefined : { match, before: '' };
    },
    run: async (text: string): Promise<Answer> => {
      typed.push(text);
      // As the board does, which echoes nothing of the lines.
      return { rows: ['', '', '2 lines are in force, and not saved'], refusal: undefined };
    },
  };
  return { session: session as unknown as Session, typed };
}

const BEGUN = 'The lines may come, and then end; ^C leaves everything as it is\r\n';

test('replace() sends every line under its number, with the sum of all', async t => {
  const { session, typed } = importer(BEGUN);
  const rows = await replace(session, 'f', '# masqbox configuration 1\r\n# mine\n\nset a\tb?\nset ü');
  t.deepEqual(rows, ['2 lines are in force, and not saved']);
  const sent = ['# masqbox configuration 1', '', '', 'set a b?', 'set \xc3\xbc'];
  const sum = crc32(Buffer.from(sent.map(line => `${line}\n`).join(''), 'latin1'));
  t.deepEqual(typed, [`import 5 ${sum.toString(16).padStart(8, '0')}\r`, [...sent, 'end'].join('\r')]);
});

test('replace() sends no line to a board that does not take them, nor what no board takes', async t => {
  const old = importer('Cannot run import 1 0: there is no such command, see help\r\n');
  const refused = await t.throwsAsync(replace(old.session, 'f', 'set a b'), { instanceOf: Failure });
  t.regex(refused?.message ?? '', /^Cannot replace the settings by f: the board says: Cannot run import/);
  t.is(old.typed.length, 1);
  const { session, typed } = importer(BEGUN);
  for (const [text, why] of [
    ['set dns host a 192.168.0.1\n'.repeat(2428), 'it has 65556 characters, and 65536 fit'],
    [`set ${'x'.repeat(1000)}`, 'line 1 is longer than 1000 bytes'],
    ['set a\nend\n', 'end is no setting'],
    ['\r\n \n', 'it is empty'],
  ] as const) {
    const error = await t.throwsAsync(replace(session, 'f', text), { instanceOf: Failure });
    t.is((error as Failure).status, USAGE);
    t.is(error?.message, `Cannot replace the settings by f: ${why}`);
  }
  t.deepEqual(typed, []);
});
