// The first picture of the masquerading HOWTO, without any Ethernet: a modem to the provider on one side, a modem with a machine that has dialled in on
// the other, both by real pppds, in guests of user-mode-linux; the telephone between them is ours.
// Not here: what a line that is slow does to who waits (src/plane/link/queue.test.ts), calls that fail (src/control/ppp/caller.test.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PROMPT } from '../tools/harness/console.ts';
import { Machine } from '../tools/harness/qemu.ts';
import { Exchange } from '../tools/harness/telephone.ts';
import { Guest } from '../tools/harness/user-mode-linux.ts';
import { pause } from './bench/lab.ts';
import { IMAGE } from './harness/board-router.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const BOOT_SECONDS = 180;
const CALL_SECONDS = 60;
const SERVER = '203.0.113.80';
const PROVIDER = '198.51.100.1';
const PAGE_BYTES = 20_000;
/** Of a script of `chat`; the guest's modem answers it. */
const CHAT = '/usr/sbin/chat -t 60';

/** A provider: who calls shows by CHAP who he is, gets an address and a name server, and there is a server in the world behind. */
async function provider(guest: Guest): Promise<void> {
  const lines = [
    "printf 'me provider secret *\\n' >/etc/ppp/chap-secrets",
    `ip address add ${SERVER}/32 dev lo`,
    `mkdir /mnt/www; head -c ${PAGE_BYTES} /dev/urandom >/mnt/www/page; sha256sum </mnt/www/page >/mnt/out/sum`,
    `busybox httpd -p ${SERVER}:80 -h /mnt/www`,
    `(socat TCP-LISTEN:23,bind=${SERVER},fork,reuseaddr EXEC:/bin/cat >/mnt/out/telnet 2>&1 &)`,
    `dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --address=/www.example.net/${SERVER}`,
    `(while :; do pppd /dev/ttyS1 38400 local nodetach name provider require-chap ms-dns ${PROVIDER} ${PROVIDER}:198.51.100.2 ` +
      `connect "${CHAT} RING ATA CONNECT \\\\c" nodefaultroute noproxyarp >>/mnt/out/pppd 2>&1; done &)`,
  ];
  for (const line of lines) await guest.output(line);
}

/** A machine that calls the board, as bob, and has everything by way of it. */
async function caller(guest: Guest): Promise<void> {
  await guest.output("printf 'bob * word *\\n' >/etc/ppp/pap-secrets");
  await guest.output(
    `(pppd /dev/ttyS1 38400 local nodetach noauth user bob defaultroute usepeerdns ` +
      `connect "${CHAT} '' ATZ OK ATDT5550003 CONNECT \\\\c" >/mnt/out/pppd 2>&1 &)`,
  );
}

async function until(what: () => Promise<boolean>, seconds = CALL_SECONDS): Promise<boolean> {
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end) {
    if (await what()) return true;
    await pause(500);
  }
  return false;
}

async function connected(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

interface Picture {
  machine: Machine;
  exchange: Exchange;
  provider: Guest;
  caller: Guest;
}

/** A board with modems at COM2 and COM3, a provider and a caller with one each; whatever was begun ends with the test. */
async function picture(t: ExecutionContext): Promise<Picture> {
  t.timeout(TEST_MILLISECONDS);
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-modems-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const paths = [join(folder, 'com2'), join(folder, 'com3')];
  const serial = paths.map(path => `unix:${path},server=on,wait=off`);
  const machine = await Machine.start({ disk: IMAGE, memory: 4, serial });
  t.teardown(() => machine.stop());
  const guests = await Promise.all([Guest.start(), Guest.start()]);
  for (const guest of guests) t.teardown(() => guest.stop());
  const exchange = new Exchange();
  t.teardown(() => exchange.close());
  const [com2, com3] = await Promise.all(paths.map(connected));
  for (const socket of [com2, com3]) t.teardown(() => void socket?.destroy());
  exchange.modem('5550002', com2 as Socket);
  exchange.modem('5550003', com3 as Socket);
  exchange.modem('5551111', guests[0].serial);
  exchange.modem('5552222', guests[1].serial);
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return { machine, exchange, provider: guests[0], caller: guests[1] };
}

test.serial(
  'a modem to the provider, and one to a machine that has dialled in: telnet, the web, names, long pings',
  async t => {
    const { machine, provider: far, caller: near } = await picture(t);
    const { console } = machine;
    await provider(far);
    for (const line of [
      'set log console error',
      'set ppp0 number 5551111',
      'set ppp0 user me',
      'set ppp0 password secret',
      'set ppp0 speed 38400',
      'set ppp0 carrier off',
      'set ppp0 dial demand',
      'set ppp0 port com2',
      'set dial-in user bob word',
      'set ppp1 answer modem',
      'set ppp1 address 10.9.0.1:10.9.0.2',
      'set ppp1 role lan',
      'set ppp1 speed 38400',
      'set ppp1 carrier off',
      'set ppp1 port com3',
    ]) {
      const said = await console.command(line);
      t.is(said.trim(), '', `${line}: ${said}`);
    }
    await caller(near);
    const up = await until(async () =>
      (await near.command('ip -4 address show ppp0')).output.includes('10.9.0.2'),
    );
    t.true(up, `${near.read('pppd')}\n${await console.command('show ppp')}`);
    t.regex(await console.command('show ppp'), /^ppp0 down/m, 'nobody has wanted anything yet');

    // The first packet dials, waits, and is answered.
    const page = await near.command(`curl -s -m 60 http://${SERVER}/page | sha256sum`, 70);
    t.is(
      page.output.trim(),
      far.read('sum').trim(),
      `${await console.command('show ppp')}\n${await console.command('show log')}`,
    );
    const shown = await console.command('show ppp');
    t.regex(shown, /^ppp0 up/m);
    t.regex(shown, /10\.9\.0\.2/, 'who dialled');
    t.regex(
      (await near.command(`dig +short +tries=3 @10.9.0.1 www.example.net`, 30)).output,
      /^203\.0\.113\.80$/m,
    );
    t.regex((await near.command(`ping -c 3 -i 2 -s 4000 -W 10 ${SERVER}`, 40)).output, / 0% packet loss/);
    const telnet = await near.command(`(sleep 1; echo over and out; sleep 3) | telnet ${SERVER} 2>&1`, 30);
    t.regex(telnet.output, /^over and out\r?$/m);
  },
);
