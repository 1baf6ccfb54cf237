// The host tool as a program, by npm's serialport on a real pty, against the booted board: what each command prints,
// where it writes, and its exit status; then lines on which no board answers.
// Not here: its parts (tools/masqbox/*.test.ts), updates that fail (update.test.ts).

import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PROMPT } from '../tools/harness/console.ts';
import { type Host, Network } from '../tools/harness/namespace.ts';
import { Processes, type Result, type Running, type StartOptions } from '../tools/harness/processes.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { IMAGE } from './harness/board-router.ts';
import { imageOf } from './harness/firmware.ts';
import { type Pty, serialPort, Pty as Terminal } from './harness/pty.ts';
import { isRoot, TEST_MILLISECONDS } from './harness/whole.ts';

const BOOT_SECONDS = 180;
/** A sixth of an image each second on an idle machine. */
const UPDATE_SECONDS = 1500;
const ROOT = join(import.meta.dirname, '..');
const TOOL = join(ROOT, 'tools/masqbox/masqbox.cjs');
/** What setup and password make of "secret" with 1 round: PBKDF2-HMAC-SHA-256 of a salt of eight zeros. */
const PASSWORD_LINE =
  'set password hash 1 0000000000000000 6289cb7371990d907feb80ab115c4832cfefad5f0d4429f7561e36de83a37e8c';

const folder = mkdtempSync(join(tmpdir(), 'masqbox-tool-'));
const processes = new Processes();
let network: Network | undefined;
let laptop: Host | undefined;
let machine: Machine;
let port: Pty;

/** The tool's command line on a port. The board may be slow on a machine with other work. */
function words(path: string, command: readonly string[], patience = 60): string[] {
  return [process.execPath, TOOL, '--port', path, '--timeout', String(patience), ...command];
}

async function tool(command: readonly string[], options: StartOptions = {}): Promise<Result> {
  return await processes.run(words(port.path, command), { seconds: 300, ...options });
}

/** Runs the tool, which must do what it is told. */
async function done(
  t: ExecutionContext,
  command: readonly string[],
  options: StartOptions = {},
): Promise<string> {
  const result = await tool(command, options);
  t.is(result.status, 0, `${command.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

function file(name: string, text = ''): string {
  const path = join(folder, name);
  if (text !== '') writeFileSync(path, text);
  return path;
}

test.before(async t => {
  t.timeout(TEST_MILLISECONDS);
  const disk = file('disk.img');
  copyFileSync(IMAGE, disk);
  truncateSync(disk, 4 << 20);
  let cards = isaCards({ user: true }, { user: true });
  if (isRoot) {
    network = await Network.create();
    const lan = await network.segment('lan');
    await lan.tap('tap0');
    laptop = await network.host('laptop', lan, ['192.168.0.2/24']);
    cards = isaCards({ tap: 'tap0' }, { user: true });
  }
  const place = network === undefined ? {} : { namespace: network.switch };
  machine = await Machine.start({ disk, writable: true, cards, ...place }, processes);
  port = await serialPort(machine);
  await machine.console.expect(PROMPT, BOOT_SECONDS);
});

test.after.always(async () => {
  port?.close();
  await machine?.stop();
  await processes.stopAll();
  await network?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A test with the board, whose console is shown when it fails. */
function withBoard(title: string, run: (t: ExecutionContext) => Promise<void>, needsRoot = false): void {
  const register = needsRoot && !isRoot ? test.serial.skip : test.serial;
  register(title, async t => {
    t.timeout(TEST_MILLISECONDS);
    try {
      await run(t);
    } catch (error) {
      t.log(machine.console.report());
      throw error;
    }
  });
}

withBoard('status prints what show status does, and JSON for programs', async t => {
  t.regex(await done(t, ['status']), /^masqbox {4}\d+\.\d+\.\d+, up (.*\n)+load +\d+ %\n(.*\n)+warnings/);
  const status = JSON.parse(await done(t, ['status', '--json']));
  t.regex(status.version, /^\d+\.\d+\.\d+$/);
  t.true(status.uptimeSeconds > 0);
  t.is(status.restarts, 0);
  t.deepEqual(status.sessions, { used: 0, of: 4096 });
  t.is(status.memory.kib, 8192);
  t.is(status.interfaces.lan.address, '192.168.0.1/24');
  t.is(typeof status.interfaces.wan.in.packetsPerSecond, 'number');
});

withBoard('push types a file, pull reads it back, and pushing that changes nothing', async t => {
  const lines = Array.from({ length: 30 }, (_, i) => `set dns host host-${i} 192.168.0.${i + 100}`);
  // Longer than a screen is wide: its echo is no simple one.
  const long = `set dns domain ${'label.'.repeat(30)}example`;
  const text = `# a comment\r\n\r\n\tset dns rebind off\r\n${lines.join('\n')}\n${long}`;
  await done(t, ['push', '--save', file('good.txt', text)]);
  const pulled = await done(t, ['pull']);
  t.regex(pulled, /^# masqbox configuration \d+\n(set .*\n)+$/);
  for (const line of [...lines, 'set dns rebind off', long]) t.true(pulled.includes(`${line}\n`), line);
  await done(t, ['push', '-'], { input: pulled });
  await done(t, ['pull', file('again.txt')]);
  t.is(readFileSync(file('again.txt'), 'utf8'), pulled);
  t.is(statSync(file('again.txt')).mode & 0o777, 0o600, 'the hash of a password is nobody else’s to read');
  t.notRegex(machine.console.transcript, /Cannot/);
});

withBoard('push --replace makes the settings equal to a file, or changes nothing', async t => {
  const before = await done(t, ['pull']);
  const lines = Array.from(
    { length: 150 },
    (_, i) => `set dhcp reserve 52:54:00:00:01:${(i + 16).toString(16)} 192.168.7.${i + 10} pc-${i}`,
  );
  const wanted = `# masqbox configuration 1\nset lan address 192.168.7.1/24\n${lines.slice(0, 60).join('\n')}\nset nat profile classic\n`;
  t.regex(
    await done(t, ['push', '--replace', file('all.txt', wanted)]),
    /^62 lines are in force, and not saved$/m,
  );
  const set = await done(t, ['pull']);
  t.is(set.split('set dhcp reserve').length - 1, 60);
  t.regex(set, /set nat profile classic/);
  const { status, stderr } = await tool([
    'push',
    '--replace',
    file('odd.txt', `${wanted}set nat timeout udp 60\n`),
  ]);
  t.is(status, 1);
  t.regex(stderr, /^odd\.txt was refused, and the board is as it was:$/m);
  t.regex(stderr, /^ {2}Cannot set NAT timeout udp 60/m);
  t.is(await done(t, ['pull']), set);
  const big = await tool(['push', '--replace', file('big.txt', `${lines.join('\n')}\n`.repeat(8))]);
  t.is(big.status, 2);
  t.regex(big.stderr, /^Cannot replace the settings by big\.txt: it has \d+ characters, and 65536 fit$/m);
  await done(t, ['push', '--replace', '-'], { input: before });
  t.is(await done(t, ['pull']), before);
});

withBoard('push stops at the first error, and says line, mark and reason', async t => {
  const text =
    'set dns host first 192.168.0.9\n\n# x\nset lan address 300.0.0.1/24\nset dns host last 192.168.0.8\n';
  const { status, stderr } = await tool(['push', file('bad.txt', text)]);
  t.is(status, 1);
  t.regex(stderr, /^Line 4 of bad\.txt is refused.*:\n {2}masqbox> set lan address 300\.0\.0\.1\/24\n +\^\n/);
  t.regex(stderr, /\n {2}Cannot set LAN address 300\.0\.0\.1\/24: .*\n$/);
  const pulled = await done(t, ['pull']);
  t.true(pulled.includes('set dns host first 192.168.0.9'));
  t.false(pulled.includes('host last'));
});

withBoard('console types the lines of a pipe, and shows what the board says', async t => {
  const shown = await done(t, ['console'], { input: 'show wan\nhelp reboot\n' });
  t.regex(shown, /show wan\r\n(.*\r\n)+masqbox> help reboot\r\n(.*\r\n)*masqbox> $/);
});

/** The tool on a terminal of its own, as a person has it. */
function onTerminal(command: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const line = `EXEC:${words(port.path, command).join(' ')},pty,ctty,setsid,stderr`;
  return processes.start(['socat', 'STDIO', line], { interactive: true, env });
}

withBoard('console on a terminal passes every key but Ctrl-], which leaves', async t => {
  const terminal = onTerminal(['console']);
  // A terminal in raw mode still puts a CR before every LF.
  await terminal.until(/Ctrl-\] leaves/);
  terminal.send('show wx\x7fan\r');
  await terminal.until(/^address [\s\S]*\nmasqbox> $/m);
  terminal.send('forgotten');
  await terminal.until(/forgotten$/);
  terminal.send('\x03help reboot\r');
  await terminal.until(/\^C\s+masqbox> help reboot\s[\s\S]*\nmasqbox> $/);
  terminal.send('never\x1d');
  await terminal.wait(() => terminal.ended, BOOT_SECONDS);
  t.is(terminal.status, 0, terminal.report());
});

/** Waits until the board captures. */
async function captures(): Promise<void> {
  await machine.console.expect(/!0000 /, BOOT_SECONDS);
}

withBoard(
  'capture writes a file that tcpdump reads, and ends by its count, by Ctrl-C and with its reader',
  async t => {
    const packets = file('ping.pcap');
    const counted = processes.start(words(port.path, ['capture', '-w', packets, '-c', '6', 'lan', 'icmp']));
    await captures();
    await laptop!.output(['ping', '-c', '3', '-W', '30', '-s', '1200', '192.168.0.1']);
    await counted.wait(() => counted.ended, BOOT_SECONDS);
    t.is(counted.status, 0, counted.report());
    t.regex(counted.stderr, /^Capturing on lan; Ctrl-C ends it$/m);
    t.regex(counted.stderr, /^6 packets captured, 0 lost on the line, 0 dropped by the board$/m);
    const read = await processes.output(['tcpdump', '-n', '-r', packets]);
    const seen = read.match(/192\.168\.0\.2 > 192\.168\.0\.1: ICMP echo request, .* length 1208/g);
    t.is(seen?.length, 3, read);
    t.is(read.match(/ICMP echo reply/g)?.length, 3);

    const piped = [
      'sh',
      '-c',
      '"$@" | tcpdump -n -c 2 -r -',
      'sh',
      ...words(port.path, ['capture', 'lan', 'arp']),
    ];
    const pipe = processes.start(piped);
    await captures();
    for (let i = 0; i < 20 && !pipe.ended; i++) {
      await laptop!.run(['ip', 'neighbour', 'flush', 'all']);
      await laptop!.run(['ping', '-c', '1', '-W', '30', '192.168.0.1']);
    }
    await pipe.wait(() => pipe.ended, BOOT_SECONDS);
    t.regex(pipe.stdout, /ARP, Request who-has 192\.168\.0\.1 .*\n.*ARP/);

    const interrupted = processes.start(words(port.path, ['capture', 'lan', '-w', file('none.pcap')]));
    await captures();
    const busy = await tool(['status']);
    t.is(busy.status, 3);
    t.is(busy.stderr, `Cannot open ${port.path}: another program uses it\n`);
    interrupted.child.kill('SIGINT');
    await interrupted.wait(() => interrupted.ended, BOOT_SECONDS);
    t.is(interrupted.status, 0, interrupted.report());
    t.is(await processes.output(['tcpdump', '-n', '-r', file('none.pcap'), 'icmp']), '');
  },
  true,
);

withBoard('capture refuses what the board refuses', async t => {
  const wrong = await tool(['capture', 'lan', '-w', file('x.pcap'), 'porto', '80']);
  t.is(wrong.status, 1);
  t.regex(wrong.stderr, /^Cannot capture porto 80: /);
});

withBoard('a password is taken from the environment, and a wrong one or none is told', async t => {
  await done(t, ['push', '-'], { input: PASSWORD_LINE });
  machine.console.write('logout\r');
  await machine.console.expect(/Password: $/, BOOT_SECONDS);
  const none = await tool(['pull']);
  t.is(none.status, 2);
  t.regex(none.stderr, /^Cannot ask for the password: there is no terminal; put it into MASQBOX_PASSWORD$/m);
  const wrong = await tool(['pull'], { env: { MASQBOX_PASSWORD: 'other' } });
  t.is(wrong.status, 4);
  t.is(wrong.stderr, 'Cannot log in: the password is another\n');
  await machine.console.expect(/Password: $/, BOOT_SECONDS);
  const right = await done(t, ['pull'], { env: { MASQBOX_PASSWORD: 'secret' } });
  t.true(right.includes(PASSWORD_LINE));
  machine.console.write('logout\r');
  await machine.console.expect(/Password: $/, BOOT_SECONDS);
  const asked = onTerminal(['pull']);
  await asked.until(/Password of the board: $/);
  asked.send('secres\x7ft\r');
  await asked.wait(() => asked.ended, BOOT_SECONDS);
  t.regex(asked.stdout, /board: \s*# masqbox configuration/);
  t.notRegex(asked.stdout, /secre/, 'without echo');
  await done(t, ['push', '-'], { input: 'unset password hash\n' });
});

withBoard('update sends an image, and follows the board to the new version', async t => {
  const image = file('new.img');
  writeFileSync(image, imageOf(IMAGE, '9.9.9'));
  await done(t, ['push', '--save', '-'], { input: PASSWORD_LINE });
  const broken = processes.start(words(port.path, ['update', image]));
  await machine.console.expect('^C cancels', BOOT_SECONDS);
  await machine.console.expect('\x06'.repeat(5), BOOT_SECONDS);
  broken.child.kill('SIGINT');
  await broken.wait(() => broken.ended, BOOT_SECONDS);
  t.is(broken.status, 1, broken.report());
  t.regex(broken.stderr, /^Cannot update: the sender cancelled; slot A stays in force$/m);

  const whole = onTerminal(['update', '--wait', image], { MASQBOX_PASSWORD: 'secret' });
  await whole.wait(() => whole.ended, UPDATE_SECONDS);
  t.is(whole.status, 0, whole.report());
  const said = whole.stdout.replaceAll('\r', '');
  t.regex(said, /The board runs Masqbox \S+, permanent, .* in slot A\n/);
  t.regex(said, /The board runs Masqbox 9\.9\.9, on trial, tries left: 2, .* in slot B\n/);
  t.regex(said, /The board runs Masqbox 9\.9\.9, permanent, .* in slot B\n$/);
  // The bar moves from one block to the next, up to the end.
  const bar = [...said.matchAll(/Sending [-=]+ (\d+) of (\d+) KiB/g)].map(([, sent, all]) => [
    Number(sent),
    Number(all),
  ]);
  t.true(bar.length > 10);
  t.true(bar.every(([sent = 0], i) => i === 0 || sent >= (bar[i - 1]?.[0] ?? 0)));
  t.is(bar.at(-1)?.[0], bar.at(-1)?.[1]);
  t.true((await done(t, ['pull'])).includes('set dns rebind off'), 'what was saved is in force');
  await done(t, ['push', '--save', '-'], { input: 'unset password hash\n' });
});

withBoard('a wrong image is told before it is sent', async t => {
  const cut = file('cut.img');
  writeFileSync(cut, readFileSync(IMAGE).subarray(0, 300_000));
  const { status, stderr } = await tool(['update', cut]);
  t.is(status, 2);
  t.regex(stderr, /^Cannot update with .*cut\.img: it is cut: \d+ of \d+ bytes are there\n$/);
});

withBoard('a board that does not answer is told', async t => {
  await machine.monitor('stop');
  const silent = await processes.run(words(port.path, ['status'], 3));
  t.is(silent.status, 4);
  t.regex(silent.stderr, /^Cannot talk to the board on .*: nothing came in 3 s; is the board on, .*\n$/);
  await machine.monitor('cont');
  t.regex(await done(t, ['pull']), /^# masqbox configuration/);
});

test('a port that goes away is told', async t => {
  t.timeout(TEST_MILLISECONDS);
  const line = await Terminal.open();
  const heard = new Promise<void>(resolve => {
    line.onBytes = () => resolve();
  });
  const running = processes.start(words(line.path, ['pull']));
  await heard;
  line.close();
  await running.wait(() => running.ended, BOOT_SECONDS);
  t.is(running.status, 3, running.report());
  t.regex(running.stderr, /^Cannot (go on with|write to) .*\n$/);
});

test('Ctrl-C ends an update at once where the board is silent', async t => {
  t.timeout(TEST_MILLISECONDS);
  const line = await Terminal.open();
  t.teardown(() => line.close());
  const heard = new Promise<void>(resolve => {
    line.onBytes = () => resolve();
  });
  // Longer than a test may take: only the signal ends it.
  const running = processes.start(words(line.path, ['update', IMAGE], 100_000));
  await heard;
  running.child.kill('SIGINT');
  await running.wait(() => running.ended, BOOT_SECONDS);
  t.is(running.status, 130, running.report());
  t.is(running.stderr, 'Interrupted\n');
});

test('a line at another speed, a port that is none, and no port are told', async t => {
  t.timeout(TEST_MILLISECONDS);
  const line = await Terminal.open();
  t.teardown(() => line.close());
  line.onBytes = () => line.write(Uint8Array.of(0xf8, 0, 0x80, 0x78, 0xe6, 0x98, 0, 0x86, 0xfe, 0x18));
  const garbage = await processes.run(words(line.path, ['--baud', '9600', 'pull'], 15));
  t.is(garbage.status, 4);
  t.regex(garbage.stderr, /: what comes is no text, so its speed is not 9600; the board's is 115200 unless/);
  const cases: [string, RegExp][] = [
    ['/dev/no-such-port', /^Cannot open \/dev\/no-such-port: there is no such port; see masqbox ports\n$/],
    ['/dev/null', /^Cannot open \/dev\/null: it is no serial port\n$/],
    [TOOL, /: it is no serial port\n$/],
  ];
  for (const [path, message] of cases) {
    const result = await processes.run(words(path, ['status']));
    t.is(result.status, 3);
    t.regex(result.stderr, message);
  }
});

test('npx masqbox runs it, and wrong usage has a status of its own', async t => {
  t.timeout(TEST_MILLISECONDS);
  // A cache of its own: npx keeps there where a bin was when it ran first.
  const cache = mkdtempSync(join(tmpdir(), 'masqbox-npx-'));
  t.teardown(() => rmSync(cache, { recursive: true, force: true }));
  const env = {
    ...{ PATH: process.env['PATH'], npm_config_cache: cache },
    ...{ npm_config_offline: 'true', npm_config_update_notifier: 'false' },
  };
  const npx = (...line: string[]): Promise<Result> =>
    processes.run(['npx', 'masqbox', ...line], { cwd: ROOT, env });
  const help = await npx('--help');
  t.is(help.status, 0, help.stderr);
  for (const name of ['console', 'pull', 'push', 'update', 'capture', 'status', 'ports']) {
    t.regex(help.stdout, new RegExp(`^ +${name} `, 'm'));
  }
  for (const line of [[], ['nonsense'], ['push'], ['--baud', 'fast', 'pull']])
    t.is((await npx(...line)).status, 2);
  t.is((await npx('ports')).status, 0);
});
