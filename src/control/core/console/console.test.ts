import test from 'ava';
import { type Command, Refusal } from './command.ts';
import { Console, MORE, PROMPT } from './console.ts';
import type { LineHelp } from './line-help.ts';
import { OUTPUT_LIMIT } from './output.ts';
import type { Loss } from './terminal.ts';
import { TYPED_AHEAD_LIMIT } from './typed-ahead.ts';

/** A console on a line whose rings hold so many bytes, with commands that show what runs. */
function fixture(transmitBytes = 4096, tools?: () => LineHelp) {
  const received: number[] = [];
  let loss: Loss | undefined;
  let [lost, sent] = [0, ''];
  let room = transmitBytes;
  const ran: string[] = [];
  const transparent: boolean[] = [];
  const commands: Command[] = [
    {
      words: 'note',
      arguments: '[TEXT:text...99]',
      help: '',
      run: args => {
        ran.push(args.join(' '));
        return undefined;
      },
    },
    {
      words: 'count',
      arguments: 'N',
      help: '',
      *run([n]) {
        for (let i = 1; i <= Number(n); i++) {
          board.output.line(`row ${i}`);
          yield 0;
        }
      },
    },
    {
      words: 'wait',
      arguments: 'TICKS',
      help: '',
      *run([ticks]) {
        yield Number(ticks);
        board.output.line('waited');
      },
    },
    {
      words: 'question',
      help: '',
      *run() {
        ran.push(`${yield* board.ask('one: ')} ${yield* board.ask('two: ')}`);
      },
    },
    {
      words: 'transfer',
      help: '',
      *run() {
        const got: number[] = [];
        board.take(bytes => got.push(...bytes));
        try {
          while (got.length < 256) yield 1000;
        } finally {
          board.giveBack();
        }
        ran.push(got.join());
      },
    },
    {
      words: 'refuse',
      help: '',
      run: () => {
        throw new Refusal('Cannot refuse it: it is refused');
      },
    },
    {
      words: 'eat',
      help: '',
      run: () => {
        throw Object.assign(new Error('out of memory'), { name: 'InternalError' });
      },
    },
    {
      words: 'eat-late',
      help: '',
      *run() {
        yield 0;
        // Where the exception itself has no room, the engine throws this.
        throw null;
      },
    },
    {
      words: 'keep',
      help: '',
      *run() {
        try {
          for (;;) yield 0;
        } finally {
          ran.push('given up');
        }
      },
    },
    {
      words: 'refuse-late',
      help: '',
      *run() {
        yield 0;
        throw new Refusal('Cannot refuse it: it is late');
      },
    },
  ];
  const board = new Console(
    {
      read: (into, at) => {
        const bytes = received.splice(0, into.length - at);
        if (loss !== undefined) loss = { from: loss.from - bytes.length, to: loss.to - bytes.length };
        into.set(bytes, at);
        return bytes.length;
      },
      write: text => {
        const count = Math.min(room, text.length);
        sent += text.slice(0, count);
        room -= count;
        return count;
      },
      setTransparent: on => transparent.push(on),
      holds: byte => received.includes(byte),
      lost: () => lost,
      takeLoss: () => {
        const taken = loss;
        loss = undefined;
        return taken;
      },
    },
    commands,
    tools,
  );
  board.paged = false;
  board.open();
  const type = (text: string): void => {
    for (const character of text) received.push(character.charCodeAt(0));
  };
  /** Runs slices until nothing is to be done at this tick. */
  const settle = (now = 0, drain = true): number => {
    for (let i = 0; i < 1_000_000; i++) {
      const before = received.length;
      board.receive();
      if (drain) room = transmitBytes;
      const wait = board.work(now);
      if (wait !== 0 && received.length === before && (!board.output.busy || !drain)) return wait;
    }
    throw new Error('The console never rests');
  };
  const take = (): string => {
    const text = sent;
    sent = '';
    return text;
  };
  const waiting = () => received.length;
  const lose = (bytes: number, from?: number, to = from) => {
    lost += bytes;
    if (from !== undefined) loss = { from, to: to ?? from };
  };
  return { board, type, settle, take, ran, transparent, waiting, lose };
}

test('work() echoes, runs a line and prompts again', t => {
  const { type, settle, take, ran } = fixture();
  type('note hello world\r');
  t.is(settle(), -1);
  t.deepEqual(ran, ['hello world']);
  t.is(take(), `${PROMPT}note hello world\r\n${PROMPT}`);
});

test('work() ends a command that runs out of memory, or leaves others too little, and takes the next', t => {
  const { board, type, settle, take, ran } = fixture();
  const said = 'Cannot go on with that: out of memory\r\n';
  for (const command of ['eat', 'eat-late', 'keep']) {
    let slices = 0;
    board.keepsRoom = () => command !== 'keep' || ++slices !== 3;
    type(`${command}\rnote on\r`);
    settle();
    t.is(take(), `${command === 'eat' ? PROMPT : ''}${command}\r\n${said}${PROMPT}note on\r\n${PROMPT}`);
  }
  t.deepEqual(ran, ['on', 'on', 'given up', 'on']);
});

test('work() prints refusals, early and late, and unknown commands', t => {
  const { type, settle, take } = fixture();
  type('refuse\rrefuse-late\rnonsense\r\r');
  settle();
  t.is(
    take(),
    `${PROMPT}refuse\r\nCannot refuse it: it is refused\r\n` +
      `${PROMPT}refuse-late\r\nCannot refuse it: it is late\r\n` +
      `${PROMPT}nonsense\r\nCannot run nonsense: there is no such command, see help\r\n` +
      `${PROMPT}\r\n${PROMPT}`,
  );
});

test('work() loses no line of a paste of 600 lines through small rings', t => {
  const { type, settle, take, ran } = fixture(64);
  const lines = Array.from({ length: 600 }, (_, i) => `note line ${i} ${'x'.repeat(50)}`);
  type(lines.join('\r'));
  type('\r');
  settle();
  t.deepEqual(
    ran,
    lines.map(line => line.slice('note '.length)),
  );
  t.is(take(), PROMPT + lines.map(line => `${line}\r\n${PROMPT}`).join(''));
});

test('lines that come whole do, show and leave behind what they do byte by byte', t => {
  const lines = [
    'note a',
    '',
    '  note  b\tc ',
    'note caf\xc3\xa9',
    'note d\x1b[De',
    'nonsense',
    'refuse',
    'note f',
  ];
  for (const end of ['\r', '\n', '\r\n', '\n\n']) {
    const text = `${[...lines, 'question', 'one', 'two?', '\x10\x10', `note ${'x'.repeat(60)}`].join(end)}${end}`;
    const [whole, single] = [fixture(), fixture()];
    whole.type(text);
    whole.settle();
    for (const character of text) {
      single.type(character);
      single.settle();
    }
    t.true(whole.ran.includes('a') && whole.ran.length > 5, `${whole.ran}`);
    t.deepEqual(whole.ran, single.ran);
    t.is(whole.take().replaceAll('\x07', ''), single.take().replaceAll('\x07', ''));
  }
});

test('work() leaves in the ring what typed ahead has no room for, and loses nothing', t => {
  const { type, settle, ran, waiting } = fixture();
  type('wait 5\r');
  settle(0);
  const line = `note ${'x'.repeat(795)}`;
  const lines = Math.ceil(TYPED_AHEAD_LIMIT / line.length) + 3;
  for (let i = 0; i < lines; i++) type(`${line}\r`);
  t.is(settle(0), 5);
  t.true(waiting() > 3 * line.length - TYPED_AHEAD_LIMIT);
  t.true(waiting() > 0);
  settle(5);
  t.is(ran.length, lines);
  t.is(waiting(), 0);
});

test('^C is seen in a ring that is not read, and what the line lost is told', t => {
  const { type, settle, take, ran, lose } = fixture();
  type('wait 5\r');
  settle(0);
  type(`${'x'.repeat(TYPED_AHEAD_LIMIT + 5000)}\x03note after\r`);
  lose(12);
  settle(1);
  t.deepEqual(ran, ['after']);
  t.true(take().includes('12 bytes were lost on the line: turn on its flow control\r\n'));
});

test('a line of which bytes were lost is told and not run; those around it are', t => {
  const { type, settle, take, ran, lose } = fixture();
  const lines = Array.from({ length: 40 }, (_, i) => `note line ${i}\r`);
  const text = lines.join('');
  for (const [cut, bytes] of [
    [text.indexOf('line 7'), 4],
    [text.indexOf('note line 20') - 1, 1], // the line's end: two are glued
    [text.indexOf('note line 30'), 13],
  ] as const) {
    ran.length = 0;
    // XOFF and XON stand in the ring, and not in what is typed.
    type(`\x13\x11${text.slice(0, cut)}${text.slice(cut + bytes)}`);
    lose(bytes, cut + 2);
    settle();
    t.true(ran.length >= 37, `${ran.length} lines ran`);
    t.true(ran.every(line => /^line \d+$/.test(line)));
    t.true(take().includes('Cannot take the line: bytes of it were lost\r\n'));
  }
  ran.length = 0;
  // Somewhere among the bytes from here to there: all lines that have one of them.
  type(text);
  lose(1, text.indexOf('line 3\r') + 2, text.indexOf('line 6\r') + 2);
  settle();
  t.deepEqual(
    ran,
    [0, 1, 2, ...Array.from({ length: 33 }, (_, i) => i + 7)].map(i => `line ${i}`),
  );
});

test('bytes that were lost where nothing has come yet spoil the line that comes, and ^C forgets them', t => {
  const { type, settle, ran, lose } = fixture();
  lose(5, 0);
  type('note first\rnote second\r');
  settle();
  t.deepEqual(ran, ['second']);
  type('note half');
  settle();
  lose(1, 0);
  type('\x03');
  settle();
  type('note whole\r');
  settle();
  t.deepEqual(ran, ['second', 'whole']);
  // What is lost behind what was typed ahead of a job goes with it.
  type('wait 5\r');
  settle();
  lose(1, 4);
  type('note half\x03');
  settle();
  type('note good\r');
  settle(5);
  t.deepEqual(ran, ['second', 'whole', 'good']);
});

test('an answer of which bytes were lost is asked for again', t => {
  const { type, settle, take, ran, lose } = fixture();
  type('question\r');
  settle();
  take();
  lose(2, 1);
  type('12\r');
  settle();
  t.is(
    take(),
    '12\r\n2 bytes were lost on the line: turn on its flow control\r\nCannot take the line: bytes of it were lost\r\none: ',
  );
  type('34\r5\r');
  settle();
  t.deepEqual(ran, ['34 5']);
});

test('long output waits for a key at each page, but never for a paste', t => {
  const { board, type, settle, take, ran } = fixture();
  board.paged = true;
  type('count 100\r');
  settle();
  t.true(take().endsWith(`row 23\r\n${MORE}`));
  type(' ');
  settle();
  t.true(take().endsWith(`row 46\r\n${MORE}`));
  type('\r');
  settle();
  t.is(take(), `\r${' '.repeat(MORE.length)}\rrow 47\r\n${MORE}`);
  type('q');
  settle();
  t.true(take().endsWith(PROMPT));
  type('count 50\r');
  settle();
  type('a');
  settle();
  t.true(take().endsWith(`row 50\r\n${PROMPT}`));
  type('count 100\rnote last\r');
  settle();
  t.true(take().includes(`row 100\r\n`));
  t.deepEqual(ran, ['last']);
});

test('an answer to ? waits at each page too, and the line goes on behind it', t => {
  const rows = Array.from({ length: 40 }, (_, i) => `row ${i + 1}`);
  const tools = (): LineHelp => ({
    complete: () => ({ add: '', rows }),
    hints: () => rows,
    mark: () => undefined,
    *help() {},
  });
  for (const [ask, page, left] of [
    ['?', '?\r\n', ' '],
    ['\t', '\r\n', 'a'],
    ['?', '?\r\n', 'q'],
  ] as const) {
    const { board, type, settle, take, ran } = fixture(4096, tools);
    board.paged = true;
    type(`note half${ask}`);
    settle();
    t.is(take(), `${PROMPT}note half${page}${rows.slice(0, 23).join('\r\n')}\r\n${MORE}`);
    type(left);
    t.is(settle(), -1);
    const rest = left === 'q' ? [] : rows.slice(23);
    t.is(take().split('\r').at(-1), `${rest.length > 0 ? '\n' : ''}${PROMPT}note half`);
    type(' more\r');
    settle();
    t.deepEqual(ran, ['half more']);
  }
});

test('a job writes only as fast as the line takes it', t => {
  const { board, type, settle, take } = fixture(100);
  type('count 1000\r');
  t.is(settle(0, false), 1);
  t.true(board.output.busy);
  t.true(take().length <= 100);
  settle();
  t.true(take().endsWith(`row 1000\r\n${PROMPT}`));
});

test('a job that waits is resumed at its tick, also when the ticks wrap', t => {
  const { type, settle, take } = fixture();
  const start = 0x7ffffffe;
  type('wait 10\r');
  t.is(settle(start), 10);
  t.is(settle((start + 9) | 0), 1);
  t.false(take().includes('waited'));
  t.is(settle((start + 10) | 0), -1);
  t.true(take().endsWith(`waited\r\n${PROMPT}`));
});

test('^C ends a job at once, forgets its output and what was typed ahead', t => {
  const { type, settle, take, ran } = fixture(64);
  type('count 100000\rnote never\r');
  settle(0, false);
  type('\x03note after\r');
  settle();
  const text = take();
  t.true(text.length < 400);
  t.true(text.endsWith(`^C\r\n${PROMPT}note after\r\n${PROMPT}`));
  t.deepEqual(ran, ['after']);
});

test('^C cancels the line that is being typed', t => {
  const { type, settle, take, ran } = fixture();
  type('note no\x03note yes\r');
  settle();
  t.deepEqual(ran, ['yes']);
  t.is(take(), `${PROMPT}^C\r\n${PROMPT}note yes\r\n${PROMPT}`);
});

test('^S holds the output and ^Q lets it go', t => {
  const { type, settle, take } = fixture();
  type('\x13note hello\r');
  for (let i = 0; i < 10; i++) settle(i, false);
  take();
  settle(0, false);
  t.is(take(), '');
  type('\x11');
  settle();
  t.true(take().endsWith(`note hello\r\n${PROMPT}`));
});

test('answers that were typed ahead are taken at once', t => {
  const { type, settle, take, ran } = fixture();
  type('question\r1\r2\rnote 3\rquestion\r4\r');
  t.is(settle(), -1);
  t.deepEqual(ran, ['1 2', '3']);
  t.true(take().endsWith(`${PROMPT}question\r\none: 4\r\ntwo: `));
  type('5\r');
  t.is(settle(), -1);
  t.deepEqual(ran, ['1 2', '3', '4 5']);
});

test('notice() moves what is being typed below it', t => {
  const { board, type, settle, take } = fixture();
  type('note hal');
  settle();
  take();
  board.notice('lan: link is up');
  type('f\r');
  settle();
  t.is(take(), `\r\nlan: link is up\r\n${PROMPT}note half\r\n${PROMPT}`);
});

test('output past OUTPUT_LIMIT is lost and said so, not kept', t => {
  const { board, settle, take } = fixture(100);
  settle();
  take();
  board.output.write('x'.repeat(100));
  board.output.write('y'.repeat(OUTPUT_LIMIT));
  board.output.write('z'.repeat(5));
  board.output.write('z'.repeat(6));
  settle();
  t.is(take(), `${'x'.repeat(100)}${'y'.repeat(OUTPUT_LIMIT)}\r\n[11 characters of output lost]\r\n`);
});

test('work() refuses a line longer than the limit and runs the next', t => {
  const { type, settle, take, ran } = fixture();
  type(`note ${'x'.repeat(2000)}\rnote next\r`);
  settle();
  t.deepEqual(ran, ['next']);
  t.true(take().includes('Cannot run the line: it is longer than 1000 bytes\r\n'));
});

test('take() leads every byte to the job, at once, and prints no notice until it is given back', t => {
  const { board, type, settle, take, ran, transparent } = fixture();
  type('transfer\r');
  t.is(settle(0), 1000);
  take();
  board.notice('wan: a notice');
  const bytes = Array.from({ length: 256 }, (_, i) => i);
  type(String.fromCharCode(...bytes.slice(0, 100)));
  t.is(settle(1), 1000, 'the job was resumed before its time and waits again');
  type(String.fromCharCode(...bytes.slice(100)));
  t.is(settle(2), -1);
  t.deepEqual(ran, [bytes.join()]);
  t.deepEqual(transparent, [true, false]);
  board.notice('wan: a notice');
  t.is(take(), `${PROMPT}\r\nwan: a notice\r\n${PROMPT}`);
});
