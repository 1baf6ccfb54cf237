// The session against the board's own console, whose log speaks at any moment, over a line that brings bytes in
// pieces of any size. The password is asked for on the booted board: test/masqbox.test.ts.
import test from 'ava';
import { type Command, Refusal } from '../../src/control/core/console/command.ts';
import { Console, MORE, PROMPT } from '../../src/control/core/console/console.ts';
import { runSeed, seeded } from '../harness/random.ts';
import { Failure, NO_ANSWER } from './failure.ts';
import { Session } from './session.ts';

const PATIENCE = 10_000;
const TICK_MILLISECONDS = 10;
const NOTICE = 'wan: lease of 192.0.2.7/24 for 3600 s from 192.0.2.1';

interface LineOptions {
  /** Most bytes that pass in a tick, each way. */
  readonly bytes?: number;
  /** How often the log has something to say, a share of the ticks. */
  readonly notices?: number;
  readonly seed?: number;
}

/** A console with commands, and the port that leads to it; time passes while somebody waits at the port. */
function boardWith({ bytes = 100, notices = 0, seed = 1 }: LineOptions = {}) {
  const random = seeded(seed);
  const [toBoard, ring, fromBoard]: number[][] = [[], [], []];
  const ran: string[] = [];
  const table: Command[] = [
    {
      words: 'count',
      arguments: 'N',
      help: '',
      *run([n]) {
        for (let i = 1; i <= Number(n); i++) {
          board.output.line(`row ${i}`);
          yield i % 5;
        }
        ran.push(`count ${n}`);
      },
    },
    { words: 'note', arguments: 'TEXT...99', help: '', run: args => void ran.push(args.join(' ')) },
    {
      words: 'refuse',
      help: '',
      run: () => {
        throw new Refusal('Cannot refuse it: it is refused');
      },
    },
    {
      words: 'ask',
      help: '',
      *run() {
        ran.push(`asked ${yield* board.ask('New password: ', true)}, ${yield* board.ask('Once more: ')}`);
      },
    },
    {
      words: 'forever',
      help: '',
      *run() {
        for (;;) yield 1000;
      },
    },
  ];
  const line = {
    read: (into: Uint8Array, at: number) => {
      const part = ring!.splice(0, into.length - at);
      into.set(part, at);
      return part.length;
    },
    write: (text: string) => fromBoard!.push(...Buffer.from(text, 'latin1')) && text.length,
  };
  const board = new Console(line, table);
  let now = 0;
  const some = async (milliseconds: number): Promise<Uint8Array> => {
    for (const until = now + milliseconds; now < until; ) {
      now += TICK_MILLISECONDS;
      ring!.push(...toBoard!.splice(0, 1 + random.below(bytes)));
      board.receive();
      if (random.chance(notices)) board.notice(NOTICE);
      for (let i = 0; i < 20; i++) board.work(now / TICK_MILLISECONDS);
      const come = fromBoard!.splice(0, 1 + random.below(bytes));
      if (come.length > 0) return Uint8Array.from(come);
    }
    return new Uint8Array(0);
  };
  const port = {
    ...{ path: '/dev/ttyUSB0', baud: 115200, some },
    write: async (part: Uint8Array) => void toBoard!.push(...part),
    now: () => now,
  };
  const session = new Session(port, { patience: PATIENCE, password: async () => 'secret' });
  return { board, session, ran, port };
}

const rowsTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `row ${i + 1}`);

test('run() answers what the command printed, whatever the log says and however the bytes come', async t => {
  const seed = runSeed();
  for (let run = 0; run < 60; run++) {
    const bytes = 4 + (run % 12) ** 2;
    // The log takes a fifth of the line at most, or nothing else would ever be said.
    const line = { seed: seed + run, bytes, notices: Math.min(0.3, bytes / 600) };
    const { board, session, ran } = boardWith(line);
    board.open();
    await session.open();
    const long = Array.from({ length: 40 }, (_, i) => `word-${i}`).join(' ');
    const answers = [];
    for (const command of ['count 3', `note ${long}`, 'count 60', 'count 0', 'refuse', 'note x']) {
      answers.push(await session.run(command));
    }
    const rows = answers.map(answer => answer.rows.filter(row => row !== NOTICE && row !== ''));
    const name = `seed ${seed + run}`;
    const expected = [rowsTo(3), [], rowsTo(60), [], ['Cannot refuse it: it is refused'], []];
    t.deepEqual(rows, expected, name);
    t.deepEqual(ran, ['count 3', long, 'count 60', 'count 0', 'x'], name);
    t.deepEqual(
      answers.map(({ refusal }) => refusal),
      [undefined, undefined, undefined, undefined, 'Cannot refuse it: it is refused', undefined],
    );
  }
});

test('open() ends what runs, what waits and what is half typed', async t => {
  for (const left of [
    '',
    'note half a li',
    'forever\r',
    'ask\r',
    'count 99\r',
    'count 10\rcount 5\rforever\rno',
  ]) {
    const { board, session, ran, port } = boardWith({ bytes: 20 });
    board.open();
    await port.write(Buffer.from(left));
    for (let i = 0; i < 100; i++) await port.some(10);
    await session.open();
    t.deepEqual((await session.run('count 2')).rows, rowsTo(2), left);
    t.is(ran.at(-1), 'count 2');
    t.false(ran.some(text => text.startsWith('asked')));
  }
});

test('run() gives up a command that asks, and the next one is understood', async t => {
  const { board, session, ran } = boardWith();
  board.open();
  await session.open();
  const error = await t.throwsAsync(session.run('ask'), { instanceOf: Failure });
  t.is(
    error?.message,
    'Cannot go on after "ask": the board\'s prompt did not come back in 10 s; it says: Once more:',
  );
  t.is((error as Failure).status, NO_ANSWER);
  await session.open();
  t.deepEqual((await session.run('count 2')).rows, rowsTo(2));
  t.deepEqual(ran, ['count 2']);
});

test('run() knows the pager, and bytes that were lost', async t => {
  const rows = [
    'a',
    `${MORE}\r${' '.repeat(MORE.length)}\rb`,
    `${MORE}${NOTICE}`,
    '12 bytes were lost on the line: x',
  ];
  let typed = '';
  const port = {
    ...{ path: 'p', baud: 9600, now: () => 0 },
    write: async (bytes: Uint8Array) => {
      typed += Buffer.from(bytes).toString();
    },
    some: async () => {
      const mark = /#\w+/.exec(typed)?.[0];
      return Buffer.from(`${PROMPT}x\r\n${rows.join('\r\n')}\r\n${PROMPT}   ${mark}\r\n${PROMPT}`);
    },
  };
  const answer = await new Session(port, { patience: 10, password: async () => '' }).run('x');
  t.deepEqual(answer.rows, ['a', 'b', NOTICE, '12 bytes were lost on the line: x']);
  t.is(answer.refusal, '12 bytes were lost on the line: x');
});

/** What open() says of a line on which this comes again and again. */
async function problem(bytes: Uint8Array): Promise<string> {
  let now = 0;
  const some = async (milliseconds: number): Promise<Uint8Array> => {
    now += bytes.length > 0 ? 5 : milliseconds;
    return bytes;
  };
  const port = { path: '/dev/ttyS0', baud: 9600, now: () => now, write: async () => {}, some };
  const session = new Session(port, { patience: PATIENCE, password: async () => '' });
  try {
    await session.open();
  } catch (error) {
    if (error instanceof Failure && error.status === NO_ANSWER) return error.message;
    throw error;
  }
  return '';
}

test('open() says that nothing comes, that the speed is another, and that something else answers', async t => {
  const what = 'Cannot talk to the board on /dev/ttyS0: ';
  t.is(
    await problem(new Uint8Array(0)),
    `${what}nothing came in 10 s; is the board on, the cable a null modem's, the speed 9600 (--baud)?`,
  );
  t.is(
    await problem(Uint8Array.of(0xf8, 0x80, 0, 0x78, 0xe6, 0x98, 0x86, 0x18, 0xfe)),
    `${what}what comes is no text, so its speed is not 9600; the board's is 115200 unless it was set (--baud)`,
  );
  t.is(
    await problem(Buffer.from('Memory test: 640K\r\nlogin: ')),
    `${what}it answers, but with no prompt of Masqbox in 10 s; it says: login:`,
  );
});
