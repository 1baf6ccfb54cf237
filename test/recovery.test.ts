// What the board does when something in it dies: control in each of its ways while connections run, the plane, both
// halves at once. Checked from outside, on the booted image.
// Not here: what the records hold, byte for byte (src/control/crash.test.ts), what a restore costs (bench.ts).

import test from 'ava';
import { boardRouter } from './harness/board-router.ts';
import { eventually, PATIENCE_SECONDS, type Running } from './harness/processes.ts';
import { pciCards } from './harness/qemu.ts';
import { SERVER, type Town } from './harness/town.ts';
import { wholeTests } from './harness/whole.ts';

const board = boardRouter({ name: 'recovery' });
const whole = wholeTests(test, () => board);

/** Waits until a program has said so much more that matches. */
async function goesOn(running: Running, lines: string[], pattern: RegExp, more: number): Promise<void> {
  const matching = (): number => lines.filter(line => pattern.test(line)).length;
  const before = matching();
  await running.wait(() => matching() >= before + more || running.ended, PATIENCE_SECONDS);
  if (running.ended) throw new Error(`${running.command} has ended\n${running.report()}`);
  if (matching() < before + more) throw new Error(`${running.command} stands still: ${lines.at(-1)}`);
}

/** iperf3 through the router; each second it tells what came through. */
async function stream(town: Town): Promise<{ check(): Promise<void>; stop(): Promise<void> }> {
  const server = town.inet.start(['iperf3', '-s', '-B', SERVER, '--forceflush']);
  await server.until(/Server listening/);
  const lines: string[] = [];
  const words = ['iperf3', '-c', SERVER, '-t', '3600', '-b', '4M', '-i', '0.5', '--forceflush'];
  const client = town.laptop.start(words, { onLine: line => lines.push(line) });
  const check = () => goesOn(client, lines, /[1-9][\d.]* [KM]bits\/sec/, 3);
  await check();
  return {
    check,
    stop: async () => {
      await client.stop();
      await server.stop();
    },
  };
}

async function pings(town: Town): Promise<{ check(): Promise<void>; stop(): Promise<void> }> {
  const lines: string[] = [];
  const ping = town.desk.start(['ping', '-n', '-i', '0.2', SERVER], { onLine: line => lines.push(line) });
  const check = () => goesOn(ping, lines, /bytes from/, 3);
  await check();
  return { check, stop: () => ping.stop() };
}

async function dies(how: string, reason: string): Promise<void> {
  const { console } = board.machine();
  console.write(`debug crash control ${how}\r`);
  await console.expect(`Control was restarted (${reason}`, PATIENCE_SECONDS);
  await console.expect('masqbox> ', PATIENCE_SECONDS);
}

whole('control dies in every way, and nothing that runs through the board notices', async (t, town) => {
  const running = [await stream(town), await pings(town)];
  // A download that lasts as long as it is not stopped.
  const url = `http://${SERVER}/bytes/100000000`;
  const curl = town.shelf.start(['curl', '-sS', '--limit-rate', '20k', '-o', '/dev/null', url]);
  await board.console('set lan address 192.168.0.1/24');
  await board.console('set syslog 203.0.113.2');
  const syslog = await town.servers.inet.udp(514, SERVER);
  const summaries: [string, string, RegExp][] = [
    ['throw', 'exception', /control ended by an exception: Error: debug crash control throw/],
    ['oom', 'exception', /control ran out of memory/],
    ['stack', 'exception', /control ended by an exception: InternalError: stack overflow/],
    ['hang', 'hang', /control hung: no answer for 5 s at [0-9a-f]{8}/],
  ];
  for (const [how, reason, summary] of summaries) {
    await dies(how, reason);
    for (const { check } of running) await check();
    t.false(curl.ended, curl.report());
    const sent = await eventually(
      () => syslog.inbox.map(({ data }) => data.toString()).join('\n'),
      text => summary.test(text),
    );
    t.regex(sent, summary);
    const listed = await board.console('show crash');
    t.regex(listed, summary);
    // Its settings are there again.
    t.regex(await board.console('show config'), /^\+? ?set syslog 203\.0\.113\.2$/m);
  }
  t.regex(await board.console('show crash'), /\n {4}at throw\n/);
  for (const { stop } of running) await stop();
  await curl.stop();
  t.is(await board.console('unset syslog'), '');
});

whole('while control hangs, packets go on', async (t, town) => {
  const running = await pings(town);
  const { console } = board.machine();
  console.write('debug crash control hang\r');
  let hangs = true;
  const restarted = console.expect('Control was restarted (hang', PATIENCE_SECONDS).then(() => {
    hangs = false;
  });
  let rounds = 0;
  while (hangs) {
    await running.check();
    rounds++;
  }
  await restarted;
  await running.stop();
  // 5 s of hanging are 25 pings; a round is 3.
  t.true(rounds >= 3, `${rounds} rounds of pings while control hung`);
});

whole('the plane faults: the board comes back and tells', async t => {
  t.is(await board.console('set syslog 203.0.113.2'), '');
  board.machine().console.write('reboot\r'); // from here on a start is a start
  await board.comeUp();
  board.machine().console.write('debug crash plane\r');
  t.regex(await board.comeUp(), /Floor: page fault/);
  const listed = await board.console('show crash');
  t.regex(listed, /plane or floor, page fault at [0-9a-f]{8}: the board was reset/);
  t.regex(listed, /eip=[0-9a-f]{8}/);
  t.regex(listed, /trace [0-9a-f]{8}/);
  await eventually(
    () => board.console('show log'),
    text => /crash: plane or floor, page fault/.test(text),
  );
});

whole('after three starts that did not last, the next is with the defaults, and says so', async t => {
  const safe = /Started too often in a row: these are the default settings, the saved ones are kept/;
  board.machine().console.write('reboot\r');
  t.notRegex(await board.comeUp(), safe);
  for (const expected of [false, false, true]) {
    board.machine().console.write('debug crash plane\r');
    t.is(safe.test(await board.comeUp()), expected);
  }
  board.machine().console.write('reboot\r');
  t.notRegex(await board.comeUp(), safe);
});

whole('a control that dies five times in a minute takes the board with it', async t => {
  const { console } = board.machine();
  for (let i = 0; i < 4; i++) await dies('throw', 'exception');
  console.write('debug crash control throw\r');
  await console.expect('Masqbox loader', PATIENCE_SECONDS);
  await board.comeUp();
  t.regex(await board.console('show crash'), /control died 5 times in a minute: the board was reset/);
});

const watchdogs = [
  { device: 'i6300esb', machine: 'pc', cards: pciCards, setup: [] },
  { device: 'ib700', machine: 'isapc', setup: ['set watchdog ib700'] },
] as const;
for (const { device, setup, ...options } of watchdogs) {
  whole(`everything stops, and the ${device} resets the board`, async (t, town) => {
    await board.stop(); // its addresses are needed
    const other = boardRouter({ ...options, name: device, setup, extra: ['-device', device] });
    try {
      await other.start(town);
      t.regex(await other.console('show version'), /^watchdog: /m);
      other.machine().console.write('debug crash hang-all\r');
      await other.machine().console.expect('Masqbox loader', PATIENCE_SECONDS);
      await other.comeUp();
      t.regex(await other.console('show crash'), /reset from outside: by its watchdog/);
    } catch (error) {
      t.log(other.report());
      throw error;
    } finally {
      await other.stop();
    }
  });
}
