// The least board, 4 MB: with a configuration of some 130 lines and all that its operator uses one behind the other; what
// was not used for a minute is given up. And a board with less still: what has no room is refused in words.
// Not here: an update on such a board (update.test.ts), its death and return (recovery.test.ts).

import test, { type ExecutionContext } from 'ava';
import { decode, encode } from 'dns-packet';
import { NOW_AT } from '../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import {
  DHCP_OPTIONS,
  DHCP_RESERVATIONS,
  DNS_HOSTS,
  OVERLAY_COLLECT_TICKS,
  OVERLAY_IDLE_TICKS,
  STATIC_ROUTES,
} from '../src/control/core/limits.ts';
import type { OverlayName } from '../src/control/core/overlays.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { HOST, ip, ROUTER, SERVER } from './bench/addresses.ts';
import { pause, start as startBench } from './bench/lab.ts';
import { IMAGE } from './harness/board-router.ts';
import { ICOUNT_SHIFT, planeWord } from './harness/icount.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';

const BOOT_SECONDS = 180;
const COMMAND_SECONDS = 60;
/**
 * What is free at the prompt of a board as it comes: 757 with links by modem, sessions and queues, and stacks as deep as the engine
 * needs; it was 567 while all packed overlays lay in RAM.
 * Who needs more than is between the two should know that he takes it from all boards.
 */
const FREE_KIB = 750;
/** What is left behind the last of them for what comes at the same time: connections, captured packets. */
const SPARE_KIB = 24;
/** What using all of them may leave, in the log and in what `debug frame` is for. */
const KEPT_KIB = 80;
/**
 * Of all parts that are used one after the other so many may be refused: now and then the shell's three are, though 600 KiB are free, as they find no
 * piece of the 50 to 80 KB that each is read into.
 */
const REFUSED_MOST = 4;
/** What the interpreted engine leaves on 4 MB. */
const INTERPRETED_KIB = 128;
/** Captured frames are kept until they are replayed; as many are typed between two looks at what is free. */
const FRAMES_AT_ONCE = 4;
const FRAME = `debug frame 0 0 0 ${'5a'.repeat(400)}`;
/** What is free when all parts are tried: less than the larger ones need, and than any. */
const SHORT_KIB = [90, 60];
const OUT_OF_MEMORY = 'Cannot go on with that: out of memory';
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

/**
 * What loads each overlay, and what it says: first what an operator uses. This board has a disk; one that was booted from a
 * floppy has `floppy` in the place of `update`, and there is less of it (configuration.test.ts). Not here: an update's
 * (update.test.ts), TCP's, those of links on serial ports and by PPPoE, that of what rules log and that which asks the hosts of forwards.
 */
const USES: Record<
  Exclude<
    OverlayName,
    | 'interpreted'
    | 'floppy'
    | 'transfer'
    | 'signature'
    | 'tcp'
    | 'rules/log'
    | 'forward/health'
    | 'ppp/link'
    | 'ppp/pppoe'
    | 'ppp/answer'
  >,
  [string, RegExp]
> = {
  schema: ['help show memory', /memory, packet buffers and tables/],
  show: ['show routes', /^destination /],
  tools: ['ping 192.168.0.2 count 1', /^PING 192\.168\.0\.2/m],
  status: ['show status', /^sessions +\d of 2048$/m],
  update: ['show update', /Cannot show the slots|slot A/],
  setup: ['setup', /LAN: the router's address/],
  access: ['password', /New password/],
  time: ['show time', /^time zone UTC$/m],
  crash: ['show crash', /Nothing has gone wrong/],
  lan: ['set lan address 10.9.0.1/24', /with move behind it they go along/],
  wan: ['set wan client-id none', /^$/],
  cards: ['set card lan 0x999', /^No card 0x999 answered/m],
  forward: ['set forward tcp 80 192.168.0.2', /^$/],
  'forward/old': ['ipmasqadm portfw -l', /^prot localaddr/],
  dns: ['resolve masqbox', /1 record, answered here$/],
  dhcp: ['show leases', /There are no leases|^address /m],
  note: ['note where the modem is', /^$/],
  ppp: ['show ppp', /^No link has a port/m],
  queue: ['show queue', /^No link has a rate/m],
  rules: ['iptables -V', /^iptables v1\.8\.9 \(legacy\)$/m],
  'rules/explain': ['explain x 1.2.3.4 1.2.3.5 1', /x is no protocol/],
  'rules/listing': ['iptables -S FORWARD', /^-P FORWARD ACCEPT$/m],
  'rules/ipchains': ['ipchains -L -n', /^Chain forward \(policy ACCEPT\):$/m],
  'rules/ipfwadm': ['ipfwadm -F -l', /^IP firewall forward rules, default policy: accept$/m],
  'rules/files': ['ipchains-save forward', /^:forward ACCEPT$/m],
  shell: ['A=1; echo is $A', /is 1$/],
  'shell/filters': ['echo x | sed s/x/yes/', /^yes$/m],
  'shell/programs': ['ifconfig eth0', /^eth0 +Link encap/m],
  debug: ['debug frame 0 0 0 00', /^$/],
};
/** They ask, and ^C is the answer. */
const ASK = ['setup', 'password'];

async function start(t: ExecutionContext): Promise<Machine> {
  t.timeout(TEST_MILLISECONDS);
  const cards = isaCards({ user: true }, { user: true });
  const machine = await Machine.start({ disk: IMAGE, memory: 4, cards, icount: ICOUNT_SHIFT });
  t.teardown(() => machine.stop());
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

/**
 * In MiB, little more than boots: the loader refuses a board on which the firmware has no room while it is unpacked. From a floppy, as
 * the packed overlays are in RAM then, and console commands alone can fill the rest.
 */
const LEAST_MIB = 3.875;
/** What the shell keeps: three texts of 32 KB. */
const SHELL_LINES = [`A=${'a'.repeat(64)}`, ...numbers(9).map(() => 'A=$A$A'), 'B=x$A', 'C=x$B'];

/** What takes the heap away on a board of so little: what a shell keeps, rules' memory, which is lent, and the longest configuration. */
async function burden({ console }: Machine): Promise<void> {
  await console.command('set log console error');
  for (const line of SHELL_LINES) await console.command(line, COMMAND_SECONDS);
  await console.command(FRAME, COMMAND_SECONDS);
  await console.command('iptables -P OUTPUT ACCEPT', COMMAND_SECONDS);
  for (const line of longConfiguration()) await console.command(line, COMMAND_SECONDS);
}

/** Lets captured frames take what is free down to so many KiB, or as long as there is a piece for one. */
async function fill(machine: Machine, kib: number): Promise<void> {
  while ((await freeKib(machine)) > kib) {
    for (let i = 0; i < FRAMES_AT_ONCE; i++) {
      const said = await machine.console.command(FRAME, COMMAND_SECONDS);
      // For one more there is no piece, or no room for the part that keeps them.
      if (said === OUT_OF_MEMORY || said.startsWith('Cannot load the part debug')) return;
      if (said !== '') throw new Error(`Cannot fill the heap: ${said}`);
    }
  }
}

async function freeKib({ console }: Machine): Promise<number> {
  const text = await console.command('show memory', COMMAND_SECONDS);
  return Number(/control's heap +\d+ KiB, (\d+) KiB free/.exec(text)?.[1]);
}

/** Does what loads a part; answers what the board says. */
async function use(
  { console }: Machine,
  [line, pattern]: [string, RegExp],
  refusal?: RegExp,
): Promise<string> {
  if (!ASK.includes(line)) return await console.command(line, COMMAND_SECONDS);
  console.write(`${line}\r`);
  const either = refusal === undefined ? pattern : new RegExp(`${pattern.source}|${refusal.source}`);
  const said = await console.expect(either, COMMAND_SECONDS);
  console.write('\x03');
  await console.expect(PROMPT, COMMAND_SECONDS);
  return said;
}

test.serial(
  '4 MB are enough for a long configuration and what its operator uses, which is given up again',
  async t => {
    const machine = await start(t);
    const { console } = machine;
    const first = await freeKib(machine);
    const told = [`${first} KiB of the heap are free at first`];
    t.true(first >= FREE_KIB, told[0] as string);
    await console.command('set log console error');
    for (const line of longConfiguration()) await console.command(line, COMMAND_SECONDS);
    const config = await console.command('export', COMMAND_SECONDS);
    for (const line of longConfiguration()) t.true(config.includes(line), line);
    const before = await freeKib(machine);
    told.push(`${before} with the configuration`);
    const refused: string[] = [];
    for (const [name, how] of Object.entries(USES)) {
      let said = await use(machine, how);
      // Room was made for another just now: loader.ts does that so often and no more. Or what is free lies in pieces between what the last ones
      // have left at work, which is given up after a minute.
      for (const ticks of [OVERLAY_COLLECT_TICKS, OVERLAY_IDLE_TICKS + OVERLAY_COLLECT_TICKS]) {
        if (!said.includes('has no room for it')) break;
        told.push(`${name} had to wait with ${await freeKib(machine)}`);
        const later = (await planeWord(machine, NOW_AT)) + ticks;
        while ((await planeWord(machine, NOW_AT)) <= later) await pause(50);
        said = await use(machine, how);
      }
      if (said.includes('has no room for it')) {
        // It wants a piece of 70 KB and more, and between those that are free lies what will be kept.
        refused.push(name);
        told.push(`${name} refused with ${await freeKib(machine)}`);
        continue;
      }
      t.regex(said, how[1], told.join(', '));
      const left = await freeKib(machine);
      told.push(`${left} with ${name}`);
      t.true(left >= SPARE_KIB, told.join(', '));
    }
    t.true(refused.length <= REFUSED_MOST, told.join(', '));
    const kept = await console.command('export', COMMAND_SECONDS);
    for (const line of longConfiguration()) t.true(kept.includes(line), line);
    const until = (await planeWord(machine, NOW_AT)) + 2 * OVERLAY_IDLE_TICKS + TICKS_PER_SECOND;
    while ((await planeWord(machine, NOW_AT)) < until) await pause(50);
    const after = await freeKib(machine);
    told.push(`${after} two minutes later`);
    t.log(told.join(', '));
    // What has been looked at stays known: names, leases, lines of the log; and `debug frame` keeps its frames.
    t.true(after >= before - KEPT_KIB, told.join(', '));
    t.regex(await console.command('show version', COMMAND_SECONDS), /control restarted 0 times/);
  },
);

test.serial('the interpreted engine forwards on 4 MB', async t => {
  t.timeout(TEST_MILLISECONDS);
  const bench = await startBench('isapc', true, { memory: 4 });
  t.teardown(() => bench.stop());
  const { machine, lan, wan } = bench;
  t.is(await machine.console.command('set engine interpreted', COMMAND_SECONDS), '');
  const before = wan.received;
  lan.send(packets.udp(ip(HOST, SERVER), 5000, 7, packets.payload(64)));
  t.true(await wan.reaches(before + 1));
  t.regex(await machine.console.command('show version', COMMAND_SECONDS), /interpreted/);
  const left = await freeKib(machine);
  t.true(left >= INTERPRETED_KIB, `${left} KiB`);
  t.log(`${left} KiB of the heap are free`);
});

test.serial('where the heap is short, a part is refused in words, and packets and names go on', async t => {
  t.timeout(TEST_MILLISECONDS);
  const bench = await startBench('isapc', false, { memory: LEAST_MIB, isFloppy: true });
  t.teardown(() => bench.stop());
  const { machine, lan, wan } = bench;
  const { console } = machine;
  await burden(machine);
  const served = async (): Promise<void> => {
    const [atLan, atWan] = [lan.received, wan.received];
    const query = encode({
      type: 'query',
      id: 1,
      questions: [{ type: 'A', name: 'a-server-with-a-name-0' }],
    });
    lan.send(packets.udp(ip(HOST, ROUTER), 5353, 53, query));
    t.true(await lan.reaches(atLan + 1));
    t.is(decode(Buffer.from(lan.last.subarray(42))).answers?.length, 1);
    lan.send(packets.udp(ip(HOST, SERVER), 5000, 7, packets.payload(64)));
    t.true(await wan.reaches(atWan + 1));
  };
  await served();
  const counts = { works: 0, refused: 0 };
  const told: string[] = [];
  for (const kib of SHORT_KIB) {
    await fill(machine, kib);
    told.push(`${await freeKib(machine)} KiB of the heap are free`);
    for (const [name, how] of Object.entries(USES).filter(([name]) => name !== 'debug')) {
      const refusal = new RegExp(
        `Cannot (load the part ${name}|load the part (rules|shell)|keep ${name} .*): control's heap has no room for it|control's heap has no room for (more )?rules|${OUT_OF_MEMORY}`,
      );
      const said = await use(machine, how, refusal);
      const isRefused = refusal.test(said);
      if (!isRefused) t.regex(said, how[1], name);
      counts[isRefused ? 'refused' : 'works']++;
      told.push(`${name} ${isRefused ? 'refused' : 'works'}`);
      await served();
    }
  }
  t.log(told.join(', '));
  t.true(counts.works > 0 && counts.refused > 0, JSON.stringify(counts));
  t.regex(await console.command('show version', COMMAND_SECONDS), /control restarted 0 times/);
});

test.serial('a command for which there is no memory ends with an error, and control goes on', async t => {
  t.timeout(TEST_MILLISECONDS);
  const bench = await startBench('isapc', false, { memory: LEAST_MIB, isFloppy: true });
  t.teardown(() => bench.stop());
  const { machine, lan } = bench;
  const { console } = machine;
  await burden(machine);
  await fill(machine, SHORT_KIB[0] as number);
  const told: string[] = [];
  const served = async (): Promise<void> => {
    const before = lan.received;
    const query = encode({
      type: 'query',
      id: 1,
      questions: [{ type: 'A', name: 'a-server-with-a-name-0' }],
    });
    lan.send(packets.udp(ip(HOST, ROUTER), 5353, 53, query));
    t.true(await lan.reaches(before + 1));
  };
  // Each keeps some of the heap; a line of 960 digits takes most for a moment.
  const lines = [
    FRAME,
    `debug frame 0 0 0 ${'5a'.repeat(480)}`,
    `debug more ${'5a'.repeat(480)}`,
    'help',
    'show config',
  ];
  let ended = 0;
  for (let i = 0; i < 40; i++) {
    for (const line of lines) {
      const said = await console.command(line, COMMAND_SECONDS);
      if (/out of memory|has no room/.test(said)) ended++;
      told.push(said.split('\n').at(-1)?.slice(0, 60) ?? '');
    }
    if (ended > 3) break;
    await served();
  }
  await served();
  told.push(`${await freeKib(machine)} KiB`);
  t.log([...new Set(told)].join(' | '));
  t.true(ended > 0);
  t.regex(await console.command('show version', COMMAND_SECONDS), /control restarted 0 times/);
});
