import xterm from '@xterm/headless';
import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../../tools/harness/random.ts';
import { HISTORY_LIMIT, LINE_LIMIT, LineEditor, type LineEvent } from './line-editor.ts';
import { createScreen } from './screen.ts';

const PROMPT = 'masqbox> ';
const LEFT = '\x1b[D';
const RIGHT = '\x1b[C';
const UP = '\x1b[A';
const DOWN = '\x1b[B';

function terminal() {
  const screen = createScreen();
  const editor = new LineEditor(PROMPT, screen.write);
  editor.open();
  const type = (text: string): LineEvent[] => {
    const bytes = Uint8Array.from(text, character => character.charCodeAt(0));
    const events: LineEvent[] = [];
    for (let at = 0; at < bytes.length; ) {
      const { used, event } = editor.feed(bytes, at, bytes.length);
      at += used;
      if (event.kind === 'more') break;
      events.push(event);
      editor.open();
    }
    return events;
  };
  /** The one line that Enter gives for what was typed. */
  const line = (text: string): string => {
    const events = type(`${text}\r`);
    const last = events[events.length - 1];
    return last?.kind === 'line' ? last.text : `(${last?.kind})`;
  };
  return { screen, editor, type, line };
}

test('feed() echoes and gives the line at CR, LF and CR LF', t => {
  const { screen, type } = terminal();
  const events = type('one\rtwo\nthree\r\nfour\n\r');
  t.deepEqual(
    events.map(event => (event.kind === 'line' ? event.text : event.kind)),
    ['one', 'two', 'three', 'four', ''],
  );
  t.is(
    screen.raw(),
    `${PROMPT}one\r\n${PROMPT}two\r\n${PROMPT}three\r\n${PROMPT}four\r\n${PROMPT}\r\n${PROMPT}`,
  );
});

test('feed() takes CR and LF that come in different slices as one line end', t => {
  const { type } = terminal();
  t.is(type('one\r').length, 1);
  t.is(type('\n').length, 0);
  t.is(type('\n').length, 1);
});

test('feed() edits in the middle of a line', t => {
  t.is(terminal().line(`ab${LEFT}${LEFT}X`), 'Xab');
  t.is(terminal().line(`abc${LEFT}\x7f`), 'ac');
  t.is(terminal().line(`abc${LEFT}\b`), 'ac');
  t.is(terminal().line(`abc\x1b[HX\x1b[FY`), 'XabcY');
  t.is(terminal().line(`abc\x1b[1~X\x1b[4~Y`), 'XabcY');
  t.is(terminal().line(`abc\x1b[7~X\x1b[8~Y`), 'XabcY');
  t.is(terminal().line(`abc\x1bOHX\x1bOFY`), 'XabcY');
  t.is(terminal().line(`abc\x01X\x05Y`), 'XabcY');
  t.is(terminal().line(`abc${LEFT}${LEFT}\x1b[3~`), 'ac');
  t.is(terminal().line(`abc\x01\x04`), 'bc');
  t.is(terminal().line(`abc\x02\x02\x06X`), 'abXc');
});

test('feed() kills and yanks', t => {
  t.is(terminal().line('one two\x17three'), 'one three');
  t.is(terminal().line('one two  \x17three'), 'one three');
  t.is(terminal().line('one two\x15three'), 'three');
  t.is(terminal().line(`one two${LEFT}${LEFT}${LEFT}\x15`), 'two');
  t.is(terminal().line(`one two${LEFT}${LEFT}${LEFT}\x0b`), 'one ');
  t.is(terminal().line('one two\x17\x19\x19'), 'one twotwo');
});

test('feed() ignores keys and bytes it does not know, and rings', t => {
  t.is(terminal().line('a\x1b[15~b\x1b[1;5Qc\x1b[200~d\x1bxe'), 'abcde');
  t.is(terminal().line('a\x00b\xffc\x1d'), 'abc');
  const { screen, type } = terminal();
  type('\x7f');
  t.is(screen.raw(), `${PROMPT}\x07`);
});

test('feed() ends an escape sequence that a line end cuts', t => {
  t.is(terminal().line('ab\x1b['), 'ab');
  t.is(terminal().line('ab\x1b'), 'ab');
});

test('feed() tells of TAB and ? with what stands before the cursor, and ^V takes a ? as it is', t => {
  const { type, line } = terminal();
  t.deepEqual(type(`show x${LEFT}\t`), [{ kind: 'tab', before: 'show ' }]);
  t.deepEqual(type('?'), [{ kind: 'help', before: 'show ' }]);
  t.is(line('\x05\x16?'), 'show x?');
});

test('feed() cancels a line at ^C', t => {
  const { type, line, screen } = terminal();
  t.deepEqual(type('reboot\x03'), [{ kind: 'cancelled' }]);
  t.is(line('help'), 'help');
  t.true(screen.raw().includes('reboot^C\r\n'));
});

test('feed() recalls history, each line once, and keeps the draft', t => {
  const { line, type } = terminal();
  line('one');
  line('two');
  line('two');
  line('   ');
  t.is(line(`${UP}${UP}`), 'one');
  t.is(line(`${UP}${UP}${UP}${UP}${UP}`), 'one');
  t.is(line(`draft${UP}${DOWN}`), 'draft');
  t.is(line(`draft${UP}${UP}${DOWN}${DOWN}${DOWN}!`), 'draft!');
  for (let i = 0; i < HISTORY_LIMIT + 5; i++) line(`line ${i}`);
  t.is(line(UP.repeat(HISTORY_LIMIT)), 'line 5');
  t.deepEqual(type(`\x10\x0e`), []);
});

test('feed() refuses a line that is longer than LINE_LIMIT and takes the next', t => {
  const { type, line } = terminal();
  t.is(line('x'.repeat(LINE_LIMIT)), 'x'.repeat(LINE_LIMIT));
  t.deepEqual(type(`${'y'.repeat(LINE_LIMIT + 1)}\r`), [{ kind: 'too-long' }]);
  t.deepEqual(type(`${'y'.repeat(3 * LINE_LIMIT)}\x7f\x7f\r`), [{ kind: 'too-long' }]);
  t.is(line('help'), 'help');
  t.is(line(UP), 'help');
});

test('feed() shows a long line through a window that ends before the last column', t => {
  const { screen, type, line } = terminal();
  const text = 'iptables -t nat -A PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination 192.168.0.2';
  type(text);
  const { text: shown, column } = screen.current();
  t.true(shown.length <= 79);
  t.true(shown.endsWith('192.168.0.2'));
  t.is(column, shown.length);
  type('\x01');
  t.is(screen.current().text, (PROMPT + text).slice(0, 79));
  t.is(screen.current().column, PROMPT.length);
  t.is(line('#'), `#${text}`);
});

/** The row that an xterm shows after keys that came a byte at a time, and the cursor's column. */
async function shownFor(keys: string): Promise<{ row: string; column: number; text: string }> {
  const screen = new xterm.Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  const write = (text: string): void => screen.write(Buffer.from(text, 'latin1'));
  const editor = new LineEditor(PROMPT, write);
  editor.open();
  for (const byte of Buffer.from(keys)) editor.feed(Uint8Array.of(byte), 0, 1);
  await new Promise<void>(resolve => screen.write('', resolve));
  const { active } = screen.buffer;
  const row = active.getLine(active.cursorY)?.translateToString(true).trimEnd() ?? '';
  const { event } = editor.feed(Uint8Array.of(13), 0, 1);
  const text = event.kind === 'line' ? Buffer.from(event.text, 'latin1').toString() : event.kind;
  return { row, column: active.cursorX, text };
}

test('feed() shows letters of several bytes that come a byte at a time, in the middle of a line too', async t => {
  for (const [letter, columns] of [
    ['é', 1],
    ['€', 1],
    ['東', 2],
  ] as const) {
    const text = `ab${letter}cd`;
    t.deepEqual(await shownFor(`abcd${LEFT}${LEFT}${letter}`), {
      row: PROMPT + text,
      column: PROMPT.length + 2 + columns,
      text,
    });
    const long = 'x'.repeat(100);
    const { row, text: line } = await shownFor(`${long}${letter}${LEFT}${LEFT}${letter}`);
    t.is(line, `${long.slice(1)}${letter}x${letter}`);
    // The window may end before the line does.
    const seen = row.slice(PROMPT.length);
    t.true(line.includes(seen) && seen.includes(`xx${letter}`), row);
  }
});

test('feed() passes bytes that are no UTF-8, however they are cut', t => {
  for (const text of ['gr\xf4\xdfe', '\xe9', 'a\xe9\xe9', '\xa4\xa4b', '\xe6\x9d', 'a\xf0\x9f\x9a ']) {
    for (const slice of [1, 2, 100]) {
      const editor = new LineEditor(PROMPT, () => {});
      const bytes = Buffer.from(`${text}\r`, 'latin1');
      let last: LineEvent | undefined;
      for (let at = 0; at < bytes.length; at += slice)
        last = editor.feed(bytes, at, Math.min(at + slice, bytes.length)).event;
      t.deepEqual(last, { kind: 'line', text, hidden: 0 });
    }
  }
});

test('a secret is not what ^Y brings back', t => {
  const { editor, line } = terminal();
  editor.ask('Password: ', true);
  t.is(line('open sesame\x15other'), 'other');
  editor.ask(PROMPT);
  t.is(line('a\x19'), 'a');
});

test('open() shows again what has been typed', t => {
  const { screen, editor, type, line } = terminal();
  type(`abc${LEFT}`);
  screen.write('\r\nnotice\r\n');
  editor.open();
  t.deepEqual(screen.current(), { text: `${PROMPT}abc`, column: PROMPT.length + 2 });
  t.is(line('X'), 'abXc');
});

/** The same keys on a string: what the editor must arrive at. */
function model(keys: string[]): { text: string; position: number } {
  let text = '';
  let position = 0;
  for (const key of keys) {
    if (key === LEFT) position = Math.max(0, position - 1);
    else if (key === RIGHT) position = Math.min(text.length, position + 1);
    else if (key === '\x01') position = 0;
    else if (key === '\x05') position = text.length;
    else if (key === '\x7f') {
      if (position > 0) text = text.slice(0, position - 1) + text.slice(position);
      position = Math.max(0, position - 1);
    } else if (key === '\x04') text = text.slice(0, position) + text.slice(position + 1);
    else if (key === '\x0b') text = text.slice(0, position);
    else {
      text = text.slice(0, position) + key + text.slice(position);
      position += key.length;
    }
  }
  return { text, position };
}

/** But for the question mark, which is a key. */
const PRINTABLE = fc.constantFrom(
  ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(c => c !== '?'),
);

test('feed() keeps the screen true to the line for any keys in any slices', t => {
  const key = fc.oneof(
    { weight: 3, arbitrary: fc.string({ minLength: 1, maxLength: 30, unit: PRINTABLE }) },
    { weight: 4, arbitrary: fc.constantFrom(LEFT, RIGHT, '\x01', '\x05', '\x7f', '\x04', '\x0b') },
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 60 }), keys => {
      const { screen, type, line } = terminal();
      for (const each of keys) type(each);
      const { text, position } = model(keys);
      const { text: shown, column } = screen.current();
      // What is seen is a window of the text, and under the cursor is the text's position.
      const seen = shown.slice(PROMPT.length);
      const starts: number[] = [];
      for (let start = 0; start <= Math.max(0, text.length); start++) {
        if (text.slice(start, start + 70).trimEnd() === seen.trimEnd()) starts.push(start);
      }
      t.true(starts.includes(position - (column - PROMPT.length)), JSON.stringify({ keys, shown, column }));
      t.is(line(''), text);
    }),
    { numRuns: 300, seed: runSeed() },
  );
});
