import test from 'ava';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from './clock.ts';
import {
  LOG_BURST,
  LOG_FACILITIES,
  LOG_FOLD_SECONDS,
  LOG_LINES,
  LOG_REFILL_SECONDS,
  LOG_TEXT,
} from './limits.ts';
import { createLog, DEBUG, type Entry, ERROR, INFO, NOTICE, WARNING } from './log.ts';

function fixture() {
  const time = { now: 0 };
  const timers: Timer[] = [];
  const shown: string[] = [];
  const clock: Clock = {
    now: () => time.now | 0,
    uptime: () => time.now,
    whole: tick => tick,
    after: (ticks, run) => {
      const timer = { tick: time.now + ticks, run };
      timers.push(timer);
      return timer;
    },
    cancel: timer => void timers.splice(timers.indexOf(timer), 1),
    run: () => {},
    next: () => 0,
  };
  const wait = (seconds: number): void => {
    time.now += seconds * TICKS_PER_SECOND;
    const due = timers.filter(({ tick }) => tick <= time.now);
    for (const timer of due) {
      timers.splice(timers.indexOf(timer), 1);
      timer.run();
    }
  };
  return { time, wait, shown, log: createLog(clock, text => shown.push(text)) };
}

const texts = (entries: Entry[]) => entries.map(({ facility, text }) => `${facility}: ${text}`);

test('log() keeps lines in order and shows notices and worse', t => {
  const { log, shown, time } = fixture();
  log(INFO, 'wan', 'one');
  time.now = 7;
  log(NOTICE, 'lan', 'two');
  log(ERROR, 'dns', 'three');
  log(DEBUG, 'dns', 'four');
  t.deepEqual(texts(log.entries()), ['wan: one', 'lan: two', 'dns: three', 'dns: four']);
  t.deepEqual(shown, ['lan: two', 'dns: three']);
  t.is(log.entries()[1]?.tick, 7);
});

test('log() with more facilities than it watches forgets the one that has been silent longest, and no other', t => {
  const { log, time } = fixture();
  const say = (facility: string): void => {
    time.now++;
    log(INFO, facility, String(time.now));
  };
  for (let n = 0; n < LOG_BURST + 3; n++) say('noisy');
  say('old');
  for (let n = 0; n < LOG_FACILITIES - 2; n++) say(`f${n}`);
  say('noisy');
  time.now++;
  log(INFO, 'old', 'again');
  const before = log.entries().length;
  // Among the first: it has been silent longest, and repeats itself.
  log(INFO, 'old', 'again');
  for (let n = 0; n < 3; n++) say(`more${n}`);
  say('noisy');
  const lines = texts(log.entries().slice(before));
  t.deepEqual(
    lines.filter(line => line.startsWith('noisy')),
    [],
    'it is held back still',
  );
  t.is(lines.filter(line => line.startsWith('more')).length, 3);
  t.true(lines.includes('old: last message repeated once'));
});

test('log() tells how many lines were left out of a facility that it forgets', t => {
  const { log, time } = fixture();
  for (let n = 0; n < LOG_BURST + 3; n++) log(INFO, 'noisy', String(n));
  for (let n = 0; n < LOG_FACILITIES; n++) {
    time.now++;
    log(INFO, `f${n}`, 'x');
  }
  t.true(texts(log.entries()).includes('noisy: 3 lines were left out'));
});

test('log() keeps the last lines only, whatever comes', t => {
  const { log, time } = fixture();
  for (let i = 0; i < 3 * LOG_LINES; i++) {
    time.now += LOG_REFILL_SECONDS * TICKS_PER_SECOND;
    log(INFO, 'wan', String(i));
  }
  const entries = log.entries();
  t.is(entries.length, LOG_LINES);
  t.is(entries[0]?.text, String(2 * LOG_LINES));
  t.is(entries.at(-1)?.text, String(3 * LOG_LINES - 1));
});

test('log() holds back a facility that says too much, and counts', t => {
  const { log, time } = fixture();
  for (let i = 0; i < 1000; i++) log(INFO, 'dhcp', `line ${i}`);
  log(INFO, 'wan', 'heard all the same');
  t.is(log.entries().length, LOG_BURST + 1);
  time.now += LOG_REFILL_SECONDS * TICKS_PER_SECOND;
  log(INFO, 'dhcp', 'again');
  log(INFO, 'dhcp', 'too early');
  t.deepEqual(texts(log.entries()).slice(-2), [
    `dhcp: ${1000 - LOG_BURST} lines were left out`,
    'dhcp: again',
  ]);
});

test('log() folds what a facility repeats, tells how often, and starts anew after a pause', t => {
  const { log, wait, shown } = fixture();
  for (let i = 0; i < 30; i++) {
    log(NOTICE, 'dns', 'private');
    log(NOTICE, 'wan', `between ${i % 2}`);
    wait(3);
  }
  const dns = (): string[] => shown.filter(text => text.startsWith('dns:'));
  t.deepEqual(dns(), ['dns: private', 'dns: last message repeated 20 times']);
  log(NOTICE, 'dns', 'other');
  t.deepEqual(dns().slice(2), ['dns: last message repeated 9 times', 'dns: other']);
  wait(LOG_FOLD_SECONDS);
  log(NOTICE, 'dns', 'other');
  log(NOTICE, 'dns', 'other');
  log(ERROR, 'dns', 'other');
  t.deepEqual(dns().slice(4), ['dns: other', 'dns: last message repeated once', 'dns: other']);
  log(ERROR, 'dns', 'other');
  t.is(log.entries().at(-1)?.text, 'last message repeated once', 'who looks sees all');
});

test('log() tells of what goes on and on ever more seldom, at least once an hour', t => {
  const { log, wait, shown } = fixture();
  for (let i = 0; i < 3 * 3600; i++) {
    log(NOTICE, 'dns', 'again');
    wait(1);
  }
  t.true(shown.length >= 4 && shown.length <= 8, shown.join());
});

test('log() says on the console each time what a command is answered by, and counts it in the log', t => {
  const { log, shown } = fixture();
  for (let i = 0; i < 3; i++) log(WARNING, 'config', 'one place is bad', true);
  t.deepEqual(shown, Array(3).fill('config: one place is bad'));
  t.deepEqual(texts(log.entries()), ['config: one place is bad', 'config: last message repeated 2 times']);
  // Also where the console shows nothing of that level, or the facility says too much.
  log.shown = ERROR;
  log(WARNING, 'config', 'one place is bad', true);
  t.is(shown.at(-1), 'config: one place is bad');
  for (let i = 0; i < 2 * LOG_BURST; i++) log(WARNING, 'config', `line ${i}`);
  shown.length = 0;
  log(WARNING, 'config', 'left out of the log', true);
  t.deepEqual(shown, ['config: left out of the log']);
  t.not(log.entries().at(-1)?.text, 'left out of the log');
});

test('log() is full again after a silence longer than ticks can count', t => {
  const { log, time } = fixture();
  for (let i = 0; i < 2 * LOG_BURST; i++) log(INFO, 'dhcp', `x${i}`);
  time.now += 0x90000000;
  const before = log.entries().length;
  for (let i = 0; i < LOG_BURST; i++) log(INFO, 'dhcp', `y${i}`);
  t.is(log.entries().length, before + LOG_BURST + 1);
});

test("log() lets no stranger's bytes move the cursor, and cuts long lines", t => {
  const { log } = fixture();
  log(INFO, 'dhcp', 'name \x1b[2J\r\n\u00e9\x7f');
  t.is(log.entries()[0]?.text, 'name ?[2J????');
  log(INFO, 'dhcp', 'x'.repeat(5000));
  t.is(log.entries()[1]?.text.length, LOG_TEXT);
});

test('onEntry() is told of each line, and not of those that it logs itself', t => {
  const { log } = fixture();
  const told: string[] = [];
  log.onEntry(({ text }) => {
    told.push(text);
    log(INFO, 'syslog', 'cannot send');
  });
  log(INFO, 'wan', 'one');
  log(INFO, 'wan', 'two');
  t.deepEqual(told, ['one', 'two']);
  t.is(log.entries().length, 4);
});
