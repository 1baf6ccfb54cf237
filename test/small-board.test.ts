// The least board, 4 MB: with a configuration of some 130 lines and what its operator uses one behind the other, none of
// which is ever unloaded; and with all that is used once in its life. What has no room is refused.
// Not here: an update on such a board (update.test.ts), its death and return (recovery.test.ts).

import test, { type ExecutionContext } from 'ava';
import { DHCP_OPTIONS, DHCP_RESERVATIONS, DNS_HOSTS, STATIC_ROUTES } from '../src/control/limits.ts';
import type { OverlayName } from '../src/control/overlays.ts';
import { IMAGE } from './harness/board-router.ts';
import { PROMPT } from './harness/console.ts';
import { ICOUNT_SHIFT } from './harness/icount.ts';
import { isaCards, Machine } from './harness/qemu.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const BOOT_SECONDS = 180;
const COMMAND_SECONDS = 60;
/** What is left behind the last of them for what comes at the same time: connections, captured packets. */
const SPARE_KIB = 24;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function longConfiguration(): string[] {
  const two = (n: number): string => n.toString(16).padStart(2, '0');
  return [
    ...numbers(DHCP_RESERVATIONS).map(
      n => `set dhcp reserve 00:11:22:33:44:${two(n)} 192.168.0.${10 + n} a-host-with-a-name-${n}`,
    ),
    ...numbers(DHCP_OPTIONS).map(n => `set dhcp option ${224 + n} 1 2 3 4 5 6 7 8`),
    ...numbers(DNS_HOSTS).map(n => `set dns host a-server-with-a-name-${n} 192.168.0.${100 + n}`),
    ...numbers(STATIC_ROUTES).map(n => `set route 10.${n}.0.0/16 192.168.0.2`),
  ];
}

/** What loads each overlay, and what it says: first what an operator uses. */
const USES: Record<Exclude<OverlayName, 'interpreted'>, [string, RegExp]> = {
  schema: ['help show memory', /memory, packet buffers and tables/],
  tools: ['ping 192.168.0.2 count 1', /^PING 192\.168\.0\.2/m],
  status: ['show status', /^sessions +0 of 4096$/m],
  update: ['show update', /Cannot show the slots|slot A/],
  setup: ['setup', /LAN: the router's address/],
  access: ['password', /New password/],
  time: ['show time', /^time zone UTC$/m],
  crash: ['show crash', /Nothing has gone wrong/],
  lan: ['set lan address 10.9.0.1/24', /with move behind it they go along/],
  wan: ['set wan client-id none', /^$/],
  cards: ['set card lan 0x999', /^No card 0x999 answered/m],
  resolve: ['resolve masqbox', /1 record, answered here$/],
  debug: ['debug frame 0 0 0 00', /^$/],
};
/** What is wanted once in a board's life: all of them together on a board that has just started. */
const SELDOM = ['time', 'crash', 'lan', 'wan', 'cards', 'resolve', 'debug'];
/** They ask, and ^C is the answer. */
const ASK = ['setup', 'password'];

async function start(t: ExecutionContext): Promise<Machine> {
  t.timeout(TEST_MILLISECONDS);
  const cards = isaCards({ user: true }, { user: true });
  const machine = await Machine.start({ disk: IMAGE, memory: 4, cards, icount: ICOUNT_SHIFT, sleep: true });
  t.teardown(() => machine.stop());
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

async function freeKib({ console }: Machine): Promise<number> {
  const text = await console.command('show memory', COMMAND_SECONDS);
  return Number(/control's heap +\d+ KiB, (\d+) KiB free/.exec(text)?.[1]);
}

/** Uses parts one behind the other; answers how much each has left. */
async function use(
  t: ExecutionContext,
  machine: Machine,
  isUsed: (name: string) => boolean,
): Promise<string> {
  const { console } = machine;
  const told: string[] = [];
  for (const [name, [line, pattern]] of Object.entries(USES)) {
    if (!isUsed(name)) continue;
    if (ASK.includes(line)) {
      console.write(`${line}\r`);
      await console.expect(pattern, COMMAND_SECONDS);
      console.write('\x03');
      await console.expect(PROMPT, COMMAND_SECONDS);
    } else t.regex(await console.command(line, COMMAND_SECONDS), pattern);
    const left = await freeKib(machine);
    told.push(`${left} with ${name}`);
    t.true(left >= SPARE_KIB, told.join(', '));
  }
  return told.join(', ');
}

test.serial('4 MB are enough for a long configuration and what its operator uses', async t => {
  const machine = await start(t);
  const { console } = machine;
  const told = [`${await freeKib(machine)} KiB of the heap are free at first`];
  await console.command('set log console error');
  for (const line of longConfiguration()) await console.command(line, COMMAND_SECONDS);
  const config = await console.command('export', COMMAND_SECONDS);
  for (const line of longConfiguration()) t.true(config.includes(line), line);
  told.push(`${await freeKib(machine)} with the configuration`);
  told.push(await use(t, machine, name => !SELDOM.includes(name)));
  t.log(told.join(', '));
  t.is(
    await console.command('set engine interpreted', COMMAND_SECONDS),
    "Cannot load the part interpreted: control's heap has no room for it",
  );
  // What that took for a while is there again.
  t.regex(await console.command('show status', COMMAND_SECONDS), /^sessions +0 of 4096$/m);
  t.is((await console.command('export', COMMAND_SECONDS)).split('\n').length, config.split('\n').length);
  t.regex(await console.command('show version', COMMAND_SECONDS), /control restarted 0 times/);
});

test.serial('and for all that is used once in its life', async t => {
  const machine = await start(t);
  await machine.console.command('set dhcp range 192.168.0.50 192.168.0.99');
  t.log(await use(t, machine, name => SELDOM.includes(name)));
  t.regex(await machine.console.command('show version', COMMAND_SECONDS), /control restarted 0 times/);
});
