// What the board does when something in it dies: control in each of its ways while connections run, the plane, both
// halves at once. Checked from outside, on the booted image with 4 MB, whose time follows its instructions: a machine
// with other work makes it slower, not another board.
// Not here: what the records hold, byte for byte (src/control/crash/crash.test.ts).

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FACT_RESTART_COUNTS, FACT_RESTORE_COUNTS } from '../src/base/abi.ts';
import { BOOT_FACTS_AT } from '../src/base/cells.ts';
import { CRASH_DEATHS } from '../src/base/crash-page.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually, PATIENCE_SECONDS, type Running } from '../tools/harness/processes.ts';
import { isaCards, Machine, type MachineOptions, pciCards } from '../tools/harness/qemu.ts';
import { BY_HAND, boardRouter, IMAGE, LOADER } from './harness/board-router.ts';
import { ICOUNT_SHIFT, PIT_COUNTS_PER_SECOND, planeWord } from './harness/icount.ts';
import { SERVER, type Town } from './harness/town.ts';
import { TEST_MILLISECONDS, wholeTests } from './harness/whole.ts';

/** Of virtual time, for unpacking the snapshot. */
const RESTORE_MILLISECONDS = 100;
const BOOT_SECONDS = 180;

const folder = mkdtempSync(join(tmpdir(), 'masqbox-recovery-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const disk = join(folder, 'disk.img');
copyFileSync(IMAGE, disk);

const steady = { memory: 4, icount: ICOUNT_SHIFT, sleep: true, align: true } as const;
const board = boardRouter({ name: 'recovery', ...steady, disk, writable: true, setup: BY_HAND });
const whole = wholeTests(test, () => board);

/** Waits until a program has said so much more that matches. */
async function goesOn(running: Running, lines: string[], pattern: RegExp, more: number): Promise<void> {
  const matching = (): number => lines.filter(line => pattern.test(line)).length;
  const before = matching();
  await running.wait(() => matching() >= before + more || running.ended, PATIENCE_SECONDS);
  if (running.ended) throw new Error(`${running.command} has ended\n${running.report()}`);
  if (matching() < before + more) throw new Error(`${running.command} stands still: ${lines.at(-1)}`);
}

interface Traffic {
  check(): Promise<void>;
  stop(): Promise<void>;
}

/** iperf3 through the router; twice a second it tells what came through. */
async function stream(town: Town): Promise<Traffic> {
  const server = town.inet.start(['iperf3', '-s', '-B', SERVER, '--forceflush']);
  await server.until(/Server listening/);
  const lines: string[] = [];
  const words = ['iperf3', '-c', SERVER, '-t', '3600', '-b', '2M', '-i', '0.5', '--forceflush'];
  const client = town.laptop.start(words, { onLine: line => lines.push(line) });
  const check = () => goesOn(client, lines, /[1-9][\d.]* [KM]bits\/sec/, 2);
  await check();
  return {
    check,
    stop: async () => {
      await client.stop();
      await server.stop();
    },
  };
}

async function pings(town: Town): Promise<Traffic> {
  const lines: string[] = [];
  const ping = town.desk.start(['ping', '-n', '-i', '0.2', SERVER], { onLine: line => lines.push(line) });
  const check = () => goesOn(ping, lines, /bytes from/, 3);
  await check();
  return { check, stop: () => ping.stop() };
}

/** A download that lasts as long as it is not stopped. */
async function download(town: Town): Promise<Traffic> {
  const url = `http://${SERVER}/bytes/100000000`;
  const curl = town.shelf.start(['curl', '-sS', '--limit-rate', '20k', '-o', '/dev/null', url]);
  return {
    check: async () => {
      if (curl.ended) throw new Error(`curl has ended\n${curl.report()}`);
    },
    stop: () => curl.stop(),
  };
}

/** Control dies; answers the milliseconds that unpacking and the first step took, once all traffic has gone on. */
async function dies(how: string, reason: string, traffic: readonly Traffic[]): Promise<[number, number]> {
  const machine = board.machine();
  machine.console.write(`debug crash control ${how}\r`);
  // Traffic is looked at as long as control may be away, and no longer: also when it does not come back.
  let isOver = false;
  const back = machine.console.expect(`Control was restarted (${reason}`, PATIENCE_SECONDS).finally(() => {
    isOver = true;
  });
  back.catch(() => undefined);
  let rounds = 0;
  do {
    await Promise.all(traffic.map(({ check }) => check()));
    rounds++;
  } while (!isOver);
  await back;
  if (how === 'hang' && rounds < 2) throw new Error('Cannot see that packets went on while control hung');
  await machine.console.expect(PROMPT, PATIENCE_SECONDS);
  await Promise.all(traffic.map(({ check }) => check()));
  const milliseconds = async (fact: number): Promise<number> =>
    Math.round((await planeWord(machine, BOOT_FACTS_AT + 4 * fact)) / (PIT_COUNTS_PER_SECOND / 1000));
  return [await milliseconds(FACT_RESTORE_COUNTS), await milliseconds(FACT_RESTART_COUNTS)];
}

whole('control dies in every way, and nothing that runs through the board notices', async (t, town) => {
  t.is(await board.console('set syslog 203.0.113.2'), '');
  t.is(await board.console('save'), 'Saved');
  t.is(await board.console('set dns host not-saved 192.168.0.77'), '');
  const traffic = [await stream(town), await pings(town), await download(town)];
  const syslog = await town.servers.inet.udp(514, SERVER);
  const deaths: [string, string, RegExp][] = [
    ['throw', 'exception', /control ended by an exception: Error: debug crash control throw/],
    ['oom', 'exception', /control ran out of memory/],
    ['stack', 'exception', /control ended by an exception: InternalError: stack overflow/],
    ['hang', 'hang', /control hung: no answer for 5 s at [0-9a-f]{8}/],
  ];
  const restores: number[] = [];
  for (const [how, reason, summary] of deaths) {
    const [restored, stepped] = await dies(how, reason, traffic);
    t.log(`${how}: snapshot restored in ${restored} ms, settings applied after ${stepped} ms`);
    restores.push(restored);
    const sent = await eventually(
      () => syslog.inbox.map(({ data }) => data.toString()).join('\n'),
      text => summary.test(text),
    );
    t.regex(sent, summary);
    t.regex(await board.console('show crash'), summary);
    // Settings are there again, saved or not, and it is still known which are which.
    const config = await board.console('show config');
    t.regex(config, /^ {2}set syslog 203\.0\.113\.2$/m);
    t.regex(config, /^\+ set dns host not-saved 192\.168\.0\.77$/m);
  }
  // What packets' interrupts took meanwhile is in them, the more the slower this machine is: the least counts.
  t.true(Math.min(...restores) < RESTORE_MILLISECONDS, `${restores} ms`);
  // Functions have numbers for names (tools/trace.ts).
  t.regex(
    await board.console('show crash'),
    /debug crash control throw\n(?: {4}at \d+\n)+ {4}at next \(native\)\n/,
  );
  for (const { stop } of traffic) await stop();
});

whole('the plane faults: the board comes back with what is saved, and tells', async (t, town) => {
  const syslog = await town.servers.inet.udp(514, SERVER);
  board.machine().console.write('reboot\ryes\r'); // from here on a start is a start
  await board.comeUp();
  board.machine().console.write('debug crash plane\r');
  t.regex(await board.comeUp(), /Floor: page fault/);
  const listed = await board.console('show crash');
  t.regex(listed, /plane or floor, page fault at [0-9a-f]{8}: the board was reset/);
  t.regex(listed, /eip=[0-9a-f]{8}/);
  t.regex(listed, /trace [0-9a-f]{8}/);
  const sent = await eventually(
    () => syslog.inbox.map(({ data }) => data.toString()).join('\n'),
    text => /crash - - - plane or floor, page fault/.test(text),
  );
  t.regex(sent, /page fault at [0-9a-f]{8}: the board was reset/);
  const config = await board.console('show config');
  t.regex(config, /^ {2}set syslog 203\.0\.113\.2$/m);
  t.notRegex(config, /not-saved/);
  // The record goes to the disk seconds after the log.
  await eventually(
    () => board.console('show disk'),
    text => /, [1-9]\d* of them since control started/.test(text),
  );
});

/** A board by itself, with the disk of the tests before; it writes to a copy. */
async function alone(t: ExecutionContext, options: MachineOptions = {}): Promise<Machine> {
  t.timeout(TEST_MILLISECONDS);
  await board.stop();
  const machine = await Machine.start({
    ...{ disk, cards: isaCards({ user: true }, { user: true }) },
    ...steady,
    ...options,
  });
  t.teardown(() => machine.stop());
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

test.serial('after three starts that did not last, the next is with the defaults, and says so', async t => {
  const { console } = await alone(t);
  const SAVED = 'set wan address 203.0.113.10/24';
  const isSafe = async (): Promise<boolean> => {
    await console.expect(LOADER, BOOT_SECONDS);
    return /Started too often in a row: these are the default settings, the saved ones are kept/.test(
      await console.expect(PROMPT, BOOT_SECONDS),
    );
  };
  // The records of the tests before have outlived the power.
  t.regex(
    await console.command('show crash'),
    /page fault at .*\n(.*\n)*That was before power-on\nNothing has/,
  );
  for (const expected of [false, false, true]) {
    t.true((await console.command('show config')).includes(`\n  ${SAVED}`));
    console.write('debug crash plane\r');
    t.is(await isSafe(), expected);
  }
  const config = await console.command('show config');
  t.true(config.includes(`\n- ${SAVED}`), config);
  t.false(config.includes(`\n  ${SAVED}`), config);
  t.regex(await console.command('revert'), /Reverted: as saved/);
  t.true((await console.command('show config')).includes(`\n  ${SAVED}`));
  console.write('reboot\r');
  t.false(await isSafe());
  t.true((await console.command('show config')).includes(`\n  ${SAVED}`));
});

test.serial('a control that dies five times in a minute takes the board with it', async t => {
  const { console } = await alone(t);
  let deaths = 0;
  for (let isOver = false; !isOver && deaths < 4 * CRASH_DEATHS; deaths++) {
    console.write('debug crash control throw\r');
    isOver = /Masqbox loader/.test(await console.expect(PROMPT, BOOT_SECONDS));
  }
  t.log(`${deaths} deaths`);
  t.regex(await console.command('show crash'), /control died 5 times in a minute: the board was reset/);
});

const watchdogs = [
  {
    device: 'i6300esb',
    options: { machine: 'pc', cards: pciCards({ user: true }, { user: true }) },
    setup: '',
  },
  { device: 'ib700', options: {}, setup: 'set watchdog ib700' },
] as const;
for (const { device, setup, options } of watchdogs) {
  test.serial(`everything stops, and the ${device} resets the board`, async t => {
    const { console } = await alone(t, {
      ...options,
      sleep: false,
      align: false,
      extra: ['-device', device],
    });
    if (setup !== '') await console.command(setup);
    t.regex(await console.command('show version'), /^watchdog: /m);
    console.write('debug crash hang-all\r');
    await console.expect(LOADER, BOOT_SECONDS);
    await console.expect(PROMPT, BOOT_SECONDS);
    t.regex(await console.command('show crash'), /reset from outside: by its watchdog/);
  });
}
