import test from 'ava';
import { javascriptBuild } from '../../../tools/builds.ts';
import { NOW_AT } from '../../base/cells.ts';
import { puti32 } from '../../base/memory.ts';
import { createClock, since } from './clock.ts';

test.beforeEach(() => {
  javascriptBuild();
});

test.serial('uptime() goes on where the tick counter begins anew; whole() knows the months around', t => {
  const { plane } = javascriptBuild();
  const clock = createClock();
  for (const start of [0x7ffffffe, 0xfffffffe]) {
    puti32(NOW_AT, start | 0);
    t.is(clock.uptime(), start);
    for (let i = 0; i < 4; i++) plane.tick(0);
    t.is(clock.uptime(), start + 4);
    t.is(clock.whole(start | 0), start);
    t.is(clock.whole((start + 10) | 0), start + 10);
    t.is(clock.whole((start - 0x7fff0000) | 0), start - 0x7fff0000);
  }
});

test.serial('run() runs timers at their tick, also when the ticks wrap', t => {
  const ran: string[] = [];
  puti32(NOW_AT, 0x7ffffff0);
  const clock = createClock();
  clock.after(100, () => ran.push('late'));
  clock.after(20, () => ran.push('soon'));
  const never = clock.after(20, () => ran.push('never'));
  clock.cancel(never);
  t.is(since(clock.next(), clock.now()), 20);
  puti32(NOW_AT, 0x7ffffff0 + 19);
  clock.run();
  t.deepEqual(ran, []);
  puti32(NOW_AT, (0x7ffffff0 + 20) | 0);
  clock.run();
  t.deepEqual(ran, ['soon']);
  puti32(NOW_AT, (0x7ffffff0 + 200) | 0);
  t.is(since(clock.next(), clock.now()), 0);
  clock.run();
  clock.run();
  t.deepEqual(ran, ['soon', 'late']);
});

test.serial('a timer may start and stop others', t => {
  const ran: string[] = [];
  puti32(NOW_AT, 0);
  const clock = createClock();
  clock.after(0, () => {
    ran.push('first');
    clock.cancel(second);
    clock.after(0, () => ran.push('third'));
  });
  const second = clock.after(0, () => ran.push('second'));
  clock.run();
  t.deepEqual(ran, ['first']);
  clock.run();
  t.deepEqual(ran, ['first', 'third']);
});

test.serial('next() and run() know the first timer, whatever was started, stopped and run before', t => {
  const clock = createClock();
  const timers = new Map<number, ReturnType<typeof clock.after>>();
  let at = 0x7fffff00;
  let seed = 1;
  const random = (most: number): number => {
    seed = (seed * 16807) % 2147483647;
    return seed % most;
  };
  puti32(NOW_AT, at | 0);
  for (let i = 0; i < 3000; i++) {
    const what = random(4);
    if (what < 2) {
      const ticks = random(what === 0 ? 20 : 9000);
      timers.set(
        i,
        clock.after(ticks, () => void timers.delete(i)),
      );
    } else if (what === 2) {
      const [key] = [...timers.keys()].slice(random(timers.size + 1));
      if (key !== undefined) clock.cancel(timers.get(key) as ReturnType<typeof clock.after>);
      if (key !== undefined) timers.delete(key);
    } else {
      at += random(30);
      puti32(NOW_AT, at | 0);
      clock.run();
    }
    const left = [...timers.values()].map(({ tick }) => Math.max(0, since(tick, at)));
    t.is(since(clock.next(), at), Math.min(6000, ...left));
    if (what === 3) t.true(left.every(ticks => ticks > 0));
  }
});

test.serial('next() is at most a minute away', t => {
  puti32(NOW_AT, 5);
  t.is(createClock().next(), 5 + 6000);
});
