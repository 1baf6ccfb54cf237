// Both pictures of the masquerading HOWTO, by real pppds in guests of user-mode-linux; the telephone between them is ours. The first has no
// Ethernet: a modem to the provider on one side, and one with a machine that has dialled in on the other. The second has the Ethernet, and a modem. And
// CSLIP by a cable, against Linux's.
// Not here: what a line that is slow does to who waits (src/control/ppp/slow-line.test.ts), calls that fail (src/control/ppp/caller.test.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PROMPT } from '../tools/harness/console.ts';
import { Network } from '../tools/harness/namespace.ts';
import { Machine } from '../tools/harness/qemu.ts';
import { Exchange } from '../tools/harness/telephone.ts';
import { Guest } from '../tools/harness/user-mode-linux.ts';
import { pause } from './bench/lab.ts';
import { boardRouter, IMAGE } from './harness/board-router.ts';
import { LAN_ADDRESS, type Place } from './harness/town.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const BOOT_SECONDS = 180;
const CALL_SECONDS = 60;
const SERVER = '203.0.113.80';
const PROVIDER = '198.51.100.1';
const PAGE_BYTES = 20_000;
const SPEED = 38_400;
/** Of a script of `chat`; the guest's modem answers it. */
const CHAT = '/usr/sbin/chat -t 60';
const isRoot = process.getuid?.() === 0;

const SERVICES = [
  `ip address add ${SERVER}/32 dev lo`,
  `mkdir /mnt/www /mnt/empty; head -c ${PAGE_BYTES} /dev/urandom >/mnt/www/page; sha256sum </mnt/www/page >/mnt/out/sum`,
  `busybox httpd -p ${SERVER}:80 -h /mnt/www`,
  `(socat TCP-LISTEN:23,bind=${SERVER},fork,reuseaddr EXEC:/bin/cat >/mnt/out/telnet 2>&1 &)`,
  `printf '%s\\n' listen=YES anonymous_enable=YES anon_root=/mnt/www secure_chroot_dir=/mnt/empty >/mnt/vsftpd.conf`,
  '(vsftpd /mnt/vsftpd.conf >/mnt/out/ftp 2>&1 &)',
  `dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= --address=/www.example.net/${SERVER}`,
];

/** A provider: who calls shows by CHAP who he is, gets an address and a name server, and there is a server in the world behind. */
async function provider(guest: Guest): Promise<void> {
  const answer =
    `pppd /dev/ttyS1 ${SPEED} local nodetach name provider require-chap ms-dns ${PROVIDER} ${PROVIDER}:198.51.100.2 ` +
    `lcp-echo-interval 2 lcp-echo-failure 2 connect "${CHAT} RING ATA CONNECT \\\\c" nodefaultroute noproxyarp`;
  await guest.output("printf 'me provider secret *\\n' >/etc/ppp/chap-secrets");
  for (const line of SERVICES) await guest.output(line);
  await guest.output(`(while :; do ${answer} >>/mnt/out/pppd 2>&1; done &)`);
}

/** What sets a board up that calls him. */
const CALLS = [
  'set log console error',
  'set wan none',
  'set ppp0 number 5551111',
  'set ppp0 user me',
  'set ppp0 password secret',
  `set ppp0 speed ${SPEED}`,
  'set ppp0 carrier off',
  'set ppp0 echo 2 3',
  'set ppp0 retry 1s 2s',
  'set ppp0 dial demand',
  'set ppp0 port com2',
];

/** A machine that calls the board, as bob, and has everything by way of it. */
async function caller(guest: Guest): Promise<void> {
  await guest.output("printf 'bob * word *\\n' >/etc/ppp/pap-secrets");
  await guest.output(
    `(pppd /dev/ttyS1 ${SPEED} local nodetach noauth user bob defaultroute usepeerdns ` +
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

/** The other end of a serial port of the board's. */
async function connected(t: ExecutionContext, path: string): Promise<Socket> {
  const socket = createConnection(path);
  t.teardown(() => void socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

/** Serial ports behind COM1: what QEMU is told of them, and where they are. */
function ports(t: ExecutionContext, count: number): { serial: string[]; paths: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-modems-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const paths = Array.from({ length: count }, (_, n) => join(folder, `com${n + 2}`));
  return { paths, serial: paths.map(path => `unix:${path},server=on,wait=off`) };
}

async function guest(t: ExecutionContext): Promise<Guest> {
  const one = await Guest.start();
  t.teardown(() => one.stop());
  return one;
}

function exchange(t: ExecutionContext): Exchange {
  const one = new Exchange({ rate: SPEED });
  t.teardown(() => one.close());
  return one;
}

type Shell = (line: string, seconds?: number) => Promise<string>;

/** All that the article does over its link, by a machine behind the board. */
async function everything(
  t: ExecutionContext,
  near: Shell,
  far: Guest,
  names: string,
  bytes = 4000,
): Promise<void> {
  const sum = far.read('sum').trim();
  t.is((await near(`curl -s -m 90 http://${SERVER}/page | sha256sum`, 100)).trim(), sum, 'the web');
  t.is((await near(`curl -s -m 90 ftp://${SERVER}/page | sha256sum`, 100)).trim(), sum, 'FTP');
  t.regex(await near(`dig +short +tries=3 @${names} www.example.net`, 30), /^203\.0\.113\.80$/m, 'names');
  t.regex(await near(`ping -c 3 -i 2 -s ${bytes} -W 10 ${SERVER}`, 40), / 0% packet loss/, 'long pings');
  const telnet = await near(`(sleep 1; echo over and out; sleep 3) | telnet ${SERVER} 2>&1`, 30);
  t.regex(telnet, /^over and out\r?$/m, 'telnet');
}

const run = isRoot ? test.serial : test.serial.skip;

run('a modem to the provider, and one to a machine that has dialled in', async t => {
  t.timeout(TEST_MILLISECONDS);
  const { serial, paths } = ports(t, 2);
  const machine = await Machine.start({ disk: IMAGE, memory: 4, serial });
  t.teardown(() => machine.stop());
  const { console } = machine;
  const [far, near] = await Promise.all([guest(t), guest(t)]);
  const [com2, com3] = await Promise.all(paths.map(path => connected(t, path)));
  const telephone = exchange(t);
  telephone.modem('5550002', com2!);
  telephone.modem('5550003', com3!);
  telephone.modem('5551111', far.serial);
  telephone.modem('5552222', near.serial);
  await console.expect(PROMPT, BOOT_SECONDS);
  await provider(far);
  const called = [
    'set dial-in user bob word',
    'set ppp1 answer modem',
    'set ppp1 address 10.9.0.1:10.9.0.2',
    'set ppp1 role lan',
    `set ppp1 speed ${SPEED}`,
    'set ppp1 carrier off',
    'set ppp1 port com3',
  ];
  for (const line of [...CALLS, ...called]) t.is((await console.command(line)).trim(), '', line);
  await caller(near);
  const isIn = async () => (await near.command('ip -4 address show ppp0')).output.includes('10.9.0.2');
  t.true(await until(isIn), `${near.read('pppd')}\n${await console.command('show ppp')}`);
  t.regex(await console.command('show ppp'), /^ppp0 down/m, 'nobody has wanted anything yet');
  // The first packet dials, waits, and is answered.
  await everything(t, async (line, seconds) => (await near.command(line, seconds)).output, far, '10.9.0.1');
  t.regex(
    await console.command('show ppp'),
    /^ppp0 up[\s\S]*for 10\.9\.0\.2, tcp to 203\.0\.113\.80 port 80/m,
  );
});

/** A board with the LAN's Ethernet and COM2, and a machine in the LAN. */
async function office(t: ExecutionContext, setup: readonly string[]) {
  t.timeout(TEST_MILLISECONDS);
  const network = await Network.create();
  t.teardown(() => network.remove());
  const [lan, wan] = [await network.segment('lan'), await network.segment('wan')];
  const laptop = await network.host('laptop', lan, ['192.168.0.2/24'], LAN_ADDRESS);
  const { serial, paths } = ports(t, 1);
  const router = boardRouter({ memory: 4, serial, setup });
  t.teardown(() => router.stop());
  const far = await guest(t);
  await router.start({ network, lan, wan } as Place);
  const near: Shell = async line => (await laptop.run(['sh', '-c', line])).stdout;
  return { router, near, far, com2: await connected(t, paths[0]!) };
}

run('an office with a modem: everything, and again after the carrier was lost in mid-transfer', async t => {
  const { router, near, far, com2 } = await office(t, CALLS);
  const telephone = exchange(t);
  telephone.modem('5550002', com2);
  telephone.modem('5551111', far.serial);
  await provider(far);
  await everything(t, near, far, LAN_ADDRESS);
  const cut = near(`curl -s -m 20 http://${SERVER}/page | wc -c`);
  await pause(2000);
  telephone.at('5550002')!.drop();
  t.true(Number(await cut) < PAGE_BYTES, 'it had not all come');
  const isDown = async () => !/^ppp0 up/m.test(await router.console('show ppp'));
  t.true(await until(isDown), await router.console('show ppp'));
  const isWhole = async () =>
    (await near(`curl -s -m 60 http://${SERVER}/page | sha256sum`)).trim() === far.read('sum').trim();
  t.true(await until(isWhole, 3 * CALL_SECONDS), `${await router.console('show ppp')}\n${far.read('pppd')}`);
});

run("CSLIP by a cable, with Linux's", async t => {
  const setup = [
    'set wan none',
    'set sl0 address 198.51.100.2:198.51.100.1',
    `set sl0 dns ${PROVIDER}`,
    `set sl0 speed ${SPEED}`,
    'set sl0 port com2',
  ];
  const { router, near, far, com2 } = await office(t, setup);
  com2.pipe(far.serial).pipe(com2);
  for (const line of SERVICES) await far.output(line);
  await far.output(`(slattach -L -p cslip -s ${SPEED} /dev/ttyS1 >/mnt/out/slip 2>&1 &)`);
  const attach = `ifconfig sl0 ${PROVIDER} pointopoint 198.51.100.2 mtu 1500 up`;
  t.true(await until(async () => (await far.command(attach)).status === 0), far.read('slip'));
  // What a guest's terminal has no room for at once its SLIP sends when something comes: of long pings the last one would wait for ever.
  await everything(t, near, far, LAN_ADDRESS, 1000);
  t.regex(await router.console('show ppp'), /^sl0 up[\s\S]*headers compressed: out and in/m);
});
