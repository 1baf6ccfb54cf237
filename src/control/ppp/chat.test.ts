import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { Chat } from './chat.ts';
import { readScript, type Step } from './chat-script.ts';
import { PppTime } from './ppp-lab.ts';

const NUMBERS = { phone: '5551234', other: 'second' };

class Line {
  readonly time = new PppTime();
  readonly events: string[] = [];
  sent = '';
  readonly chat: Chat;

  constructor(script: string) {
    const steps = readScript(script, NUMBERS);
    if (typeof steps === 'string') throw new Error(steps);
    this.chat = new Chat(
      {
        clock: this.time.clock,
        send: bytes => (this.sent += String.fromCharCode(...bytes)),
        sendBreak: () => (this.sent += '<break>'),
        say: text => this.events.push(`say ${text}`),
        echo: text => this.events.push(`echo ${text}`),
        report: line => this.events.push(`report ${line}`),
        done: () => this.events.push('done'),
        failed: (reason, abort) => this.events.push(`failed ${reason}${abort === '' ? '' : ' (abort)'}`),
      },
      steps,
    );
    this.chat.start();
  }

  hear(text: string): this {
    this.chat.input([...text].map(c => c.charCodeAt(0)));
    return this;
  }

  /** What was sent since this was asked last. */
  said(): string {
    const { sent } = this;
    this.sent = '';
    return sent;
  }
}

test('dials and logs in, as pppd’s chat does', t => {
  const line = new Line(
    `TIMEOUT 6 ABORT BUSY ABORT 'NO CARRIER' REPORT CONNECT '' ATZ OK ATDT\\T CONNECT '' ogin: user word: \\qsecret`,
  );
  t.is(line.said(), 'ATZ\r');
  line.hear('ATZ\r\r\nOK\r\n');
  t.is(line.said(), 'ATDT5551234\r');
  line.hear('ATDT5551234\r\r\nCONN').hear('ECT 33600\r\n');
  t.is(line.said(), '\r');
  line.hear('\r\nWelcome\r\nlogin: ');
  t.is(line.said(), 'user\r');
  line.hear('user\r\nPassword: ');
  t.is(line.said(), 'secret\r');
  t.deepEqual(line.events, ['report CONNECT 33600', 'done']);
});

test('an ABORT text ends it wherever it comes within a wait, and a timeout too', t => {
  const busy = new Line("ABORT BUSY ABORT 'NO CARRIER' '' ATD OK '' CONNECT");
  busy.hear('ATD\r\r\nNO CAR').hear('RIER\r\n').hear('OK');
  t.deepEqual(busy.events, ['failed "NO CARRIER" (abort)']);
  const cleared = new Line("ABORT BUSY CLR_ABORT BUSY '' ATD OK");
  cleared.hear('BUSY OK');
  t.deepEqual(cleared.events, ['done']);
  const late = new Line("TIMEOUT 5 '' ATD CONNECT");
  late.time.seconds(4.9);
  t.deepEqual(late.events, []);
  late.time.seconds(0.2);
  t.deepEqual(late.events, ['failed No "CONNECT" has come']);
  const usual = new Line("'' ATD CONNECT");
  usual.time.seconds(44);
  t.deepEqual(usual.events, []);
  usual.time.seconds(2);
  t.is(usual.events.length, 1);
});

test('an expect with dashes sends something else and waits again', t => {
  const line = new Line('TIMEOUT 3 ogin:--ogin:-BREAK-ogin: user');
  line.time.seconds(3.1);
  t.is(line.said(), '\r');
  line.time.seconds(3.1);
  t.is(line.said(), '<break>');
  line.hear('login: ');
  t.is(line.said(), 'user\r');
  t.deepEqual(line.events, ['done']);
  const given = new Line('TIMEOUT 3 ogin:--ogin: user');
  given.time.seconds(6.1);
  t.deepEqual(given.events, ['failed No "ogin:" has come']);
  t.is(new Line('a\\-b x').hear('a-b').said(), 'x\r');
});

test('escapes are those of chat', t => {
  const sent = (word: string) => {
    const line = new Line(`'' ${word}`);
    line.time.seconds(10);
    return line.said();
  };
  for (const [word, text] of [
    ['AT', 'AT\r'],
    ['AT\\c', 'AT'],
    ["''", '\r'],
    ["'two words'", 'two words\r'],
    ['"it\'s"', "it's\r"],
    ["'don\\'t'", "don't\r"],
    ['a\\sb\\tc\\nd\\re\\bf\\Ng\\\\', 'a b\tc\nd\re\bf\0g\\\r'],
    ['\\101\\7\\0603', 'A\x0703\r'],
    ['^C^[x', '\x03\x1bx\r'],
    ['\\T,\\U', '5551234,second\r'],
    ['\\qhidden', 'hidden\r'],
    ['a\\Kb', 'a<break>b\r'],
    ['EOT', '\x04'],
    ['BREAK', '<break>'],
    ['\\z', 'z\r'],
    ['+++\\c', '+++'],
  ])
    t.is(sent(word as string), text as string, word);
});

test('pauses are waited for, and what comes in them is not lost', t => {
  const line = new Line("'' \\d\\d+++\\c\\d\\p OK ATH OK");
  line.time.seconds(1.9);
  t.is(line.said(), '');
  line.time.seconds(0.2);
  t.is(line.said(), '+++');
  line.hear('\r\nOK\r\n');
  t.is(line.said(), '');
  line.time.seconds(1.1);
  t.is(line.said(), 'ATH\r');
  line.hear('OK');
  t.deepEqual(line.events, ['done']);
});

test('SAY, ECHO, REPORT, and a line that hangs up', t => {
  const line = new Line("SAY 'Dialling\\n' ECHO ON REPORT CONNECT '' ATD CONNECT '' a b");
  line.hear('CONNECT 9600/ARQ\r\n');
  t.deepEqual(line.events, ['say Dialling\n', 'echo CONNECT 9600/ARQ\r\n', 'report CONNECT 9600/ARQ']);
  line.chat.hungUp();
  t.is(line.events.at(-1), 'failed The line was hung up');
  const stays = new Line("HANGUP OFF '' ATH OK");
  stays.chat.hungUp();
  stays.hear('OK');
  t.deepEqual(stays.events, ['done']);
});

test('texts with parity are read, and a long banner is no harm', t => {
  const line = new Line('ogin: user');
  line.chat.input([...'login: '].map(c => c.charCodeAt(0) | 128));
  t.is(line.said(), 'user\r');
  const banner = new Line('ogin: user');
  for (let i = 0; i < 100; i++) banner.hear('*'.repeat(1000));
  banner.hear('login:');
  t.is(banner.said(), 'user\r');
});

test('a file of several lines with comments is the same as one line', t => {
  const steps = readScript(
    "# a comment\nABORT BUSY\r\n\n'' ATZ\n  OK ATDT\\T # no comment\n",
    NUMBERS,
  ) as Step[];
  t.deepEqual(
    steps.map(({ kind }) => kind),
    ['abort', 'expect', 'send', 'expect', 'send', 'expect', 'send', 'expect'],
  );
});

test('what is no script is refused with the reason', t => {
  for (const [script, reason] of [
    ["'' 'AT", "A quote is not closed: 'AT"],
    ['ABORT', 'ABORT is followed by nothing'],
    ["ABORT ''", 'ABORT wants a text'],
    ['TIMEOUT soon', 'TIMEOUT wants 0 to 3600 seconds, not soon'],
    ['ECHO loud', 'ECHO wants ON or OFF, not loud'],
    ['x'.repeat(256), `A word has more than 255 characters: ${'x'.repeat(20)}`],
  ] as const)
    t.is(readScript(script, NUMBERS), reason);
});

test('any text is a script or is refused, and any script with any answers ends', t => {
  const piece = fc.oneof(
    fc.constantFrom(
      'ABORT',
      'REPORT',
      'TIMEOUT',
      '5',
      'SAY',
      "'",
      '"',
      '\\',
      '-',
      ' ',
      '\n',
      '#',
      '^',
      '\\d',
      'OK',
      'a',
    ),
    fc.string({ maxLength: 5 }),
  );
  const property = fc.property(
    fc.array(piece, { maxLength: 30 }),
    fc.string({ maxLength: 300 }),
    (pieces, answers) => {
      const steps = readScript(pieces.join(''), NUMBERS);
      if (typeof steps === 'string') return;
      const line = new Line(pieces.join(''));
      line.hear(answers);
      line.time.seconds(45 * 70, () =>
        line.events.some(event => event === 'done' || event.startsWith('failed')),
      );
      t.true(
        line.events.some(event => event === 'done' || event.startsWith('failed')),
        pieces.join(''),
      );
    },
  );
  fc.assert(property, { seed: runSeed(), numRuns: 200 });
});

test('a script of 1,000 pairs whose answers are all there is carried out without going deeper, in time that grows with its length', t => {
  const script = Array.from({ length: 1000 }, (_, n) => `q${n}: a${n}`).join(' ');
  const steps = readScript(script, NUMBERS) as Step[];
  t.is(steps.length, 2000);
  // All alternatives sent at once by a host that answers while it is spoken to: as deep as the script is long, were it not a loop.
  let deepest = 0;
  let sent = 0;
  let isDone = false;
  const time = new PppTime();
  const chat: Chat = new Chat(
    {
      clock: time.clock,
      send: () => {
        deepest = Math.max(deepest, (new Error().stack ?? '').split('\n').length);
        sent++;
        chat.input([...`q${sent}: `].map(c => c.charCodeAt(0)));
      },
      sendBreak: () => {},
      say: () => {},
      echo: () => {},
      report: () => {},
      done: () => (isDone = true),
      failed: reason => t.fail(reason),
    },
    steps,
  );
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 200;
  chat.start();
  chat.input([...'q0: '].map(c => c.charCodeAt(0)));
  Error.stackTraceLimit = stackTraceLimit;
  t.true(isDone);
  t.is(sent, 1000);
  t.true(deepest < 60, `${deepest} calls deep`);
});

test('an empty expect many times over, and a modem that never ends a line, cost what they are long', t => {
  const line = new Line(`${"'' \\c ".repeat(1000)} REPORT x never never`);
  const text = 'no '.repeat(20000);
  const from = performance.now();
  for (let at = 0; at < text.length; at += 500) line.hear(text.slice(at, at + 500));
  const whole = performance.now() - from;
  t.deepEqual(line.events, []);
  t.true(whole < 2000, `${whole} ms`);
  line.hear('never ');
  t.deepEqual(line.events, ['done']);
  t.is(line.said(), 'never\r');
});
