// The booted board where its tick counter changes sign, after 248 days, and where it wraps, after 497: packets, services,
// timers and what people read go on, and nothing that was said at power-on is believed anew. The counter is moved on in RAM,
// as far at a time as a board may sleep.
// Not here: each timer of its own (beside its file).

import test, { type ExecutionContext } from 'ava';
import { NOW_AT } from '../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { HOST, ip, ROUTER, SERVER } from './bench/addresses.ts';
import { type Bench, start } from './bench/lab.ts';
import { planeWord } from './harness/icount.ts';
import { Ram } from './harness/ram.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';

const SECONDS = 60;
const MEMORY_MIB = 8;
/** The farthest that two times may lie apart and still be compared. */
const LEAP = 2 ** 30;
const POWER_ON = '2026-12-24';
/** Before each of the two moments. */
const AHEAD = 3 * TICKS_PER_SECOND;

/** Lets the machine come to a tick, by leaps of which each is followed by some seconds of its own. */
async function moveTo(bench: Bench, ram: Ram, tick: number): Promise<void> {
  const { machine } = bench;
  for (let now = await planeWord(machine, NOW_AT); now < tick; now = Math.min(tick, now + LEAP)) {
    await ram.setPlaneWord(machine, NOW_AT, Math.min(tick, now + LEAP) | 0);
    if (now + LEAP < tick) await talks(bench, 3);
  }
}

/** Datagrams to a server outside, pings of the router, and names asked for a while: how many were not answered. */
async function talks({ machine, lan, wan }: Bench, seconds: number): Promise<number> {
  const from = await planeWord(machine, NOW_AT);
  let lost = 0;
  for (let n = 0; ((await planeWord(machine, NOW_AT)) - from) >>> 0 < seconds * TICKS_PER_SECOND; n++) {
    const [atWan, atLan] = [wan.received, lan.received];
    lan.send(packets.udp(ip(HOST, SERVER), 5000 + (n % 7), 7, packets.payload(40)));
    lan.send(packets.echo(ip(HOST, ROUTER), 8, 1, n & 0xffff));
    if (!(await wan.reaches(atWan + 1))) lost++;
    if (!(await lan.reaches(atLan + 1))) lost++;
  }
  return lost;
}

/** The days that `show version` says. */
async function days(bench: Bench): Promise<number> {
  const version = await bench.machine.console.command('show version', SECONDS);
  return Math.floor(Number(/up (\d+):\d\d:\d\d/.exec(version)?.[1]) / 24);
}

/** Passes the moment, then looks at what people read. `unlock` comes before. */
async function goesOn(
  t: ExecutionContext,
  bench: Bench,
  dayCount: number,
  unlock: () => Promise<unknown>,
): Promise<void> {
  t.is(await talks(bench, 3 * (AHEAD / TICKS_PER_SECOND)), 0);
  const { console } = bench.machine;
  await unlock();
  t.is(await days(bench), dayCount);
  t.regex(await console.command('resolve localhost', SECONDS), /127\.0\.0\.1/);
  const log = await console.command('show log', SECONDS);
  t.regex(
    log,
    new RegExp(`^${POWER_ON} .*DHCP: stopped -> init`, 'm'),
    'what was logged at power-on was then',
  );
}

test('a board goes on where its counter changes sign and where it wraps', async t => {
  t.timeout(TEST_MILLISECONDS);
  const ram = new Ram(MEMORY_MIB);
  const bench = await start('isapc', true, {
    extra: [...ram.extra, '-rtc', `base=${POWER_ON}T12:00:00,clock=vm`],
  });
  t.teardown(async () => {
    await bench.stop();
    ram.remove();
  });
  const { console } = bench.machine;
  await moveTo(bench, ram, 2 ** 31 - AHEAD);
  await goesOn(t, bench, 248, () => console.command('', SECONDS));
  console.write('password\r');
  for (const question of [/New password/, /Once more/]) {
    await console.expect(question, SECONDS);
    console.write('correct horse\r');
  }
  await console.expect(PROMPT, SECONDS);
  // Nobody types for months, so the console locks itself.
  await moveTo(bench, ram, 2 ** 32 - AHEAD);
  await console.expect('Password: ', SECONDS);
  await goesOn(t, bench, 497, async () => {
    // The time in which a lost password may be given up begins with the power, not with the counter's 0.
    t.true((await planeWord(bench.machine, NOW_AT)) < 60 * TICKS_PER_SECOND);
    console.write('reset factory\r');
    t.regex(await console.expect('Password: ', SECONDS), /Wrong/);
    console.write('correct horse\r');
    await console.expect(PROMPT, SECONDS);
  });
});
