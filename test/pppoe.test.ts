// PPPoE with a real concentrator: pppoe-server and pppd, in a kernel of their own whose card is on the WAN's segment, and the sim board.
//
//    laptop 192.168.0.2 -- lan -- board -- wan -- guest: pppoe-server, 198.51.100.1
//
// Not here: odd concentrators and bad neighbours (src/control/ppp/pppoe/).

import test, { type ExecutionContext } from 'ava';
import { simDisk } from '../board/sim/disk.ts';
import { memoryMedium } from '../hal/disk/ata-model.ts';
import { SECTOR_BYTES } from '../hal/disk/disk.ts';
import { IMAGE_SECTORS } from '../src/base/layout.ts';
import { type Host, Network } from '../tools/harness/namespace.ts';
import { eventually } from '../tools/harness/processes.ts';
import { Guest } from '../tools/harness/user-mode-linux.ts';
import { type SimRouter, simRouter } from './harness/sim-router.ts';
import { LAN_ADDRESS, type Place } from './harness/town.ts';

const THEIRS = '198.51.100.1';
const isRoot = process.getuid?.() === 0;
const run = isRoot ? test.serial : test.serial.skip;

interface Street {
  guest: Guest;
  router: SimRouter;
  laptop: Host;
}

/** pppoe-server with these options of pppd's, until it is stopped; its log is /mnt/out/log. */
async function serve(guest: Guest, pppd: string, server = ''): Promise<void> {
  const options = `name isp noccp noipv6 ms-dns 198.51.100.53 lcp-echo-interval 5 lcp-echo-failure 3 debug logfile /mnt/out/pppd ${pppd}`;
  await guest.output(
    `printf '%s\\n' ${options
      .split(/ (?=[a-z])/)
      .map(line => `'${line}'`)
      .join(' ')} >/etc/ppp/po`,
  );
  await guest.output(
    `: >/mnt/out/pppd; pppoe-server -F -I vec0 -L ${THEIRS} -R 198.51.100.2 -N 4 -C isp-ac -O /etc/ppp/po ${server} >/mnt/out/log 2>&1 </dev/null & echo $! >/run/server`,
  );
}

async function street(t: ExecutionContext): Promise<Street> {
  t.timeout(600_000);
  const network = await Network.create();
  t.teardown(() => network.remove());
  const [lan, wan] = [await network.segment('lan'), await network.segment('wan')];
  const laptop = await network.host('laptop', lan, ['192.168.0.2/24'], LAN_ADDRESS);
  await wan.tap('guest');
  const guest = await Guest.start({ tap: 'guest', namespace: network.switch });
  t.teardown(() => guest.stop());
  await guest.output('ip link set vec0 up');
  for (const file of ['pap', 'chap'])
    await guest.output(
      `echo 'user * secret *' >/etc/ppp/${file}-secrets; chmod 600 /etc/ppp/${file}-secrets`,
    );
  const router = simRouter({
    setup: ['set wan none', 'set ppp0 user user', 'set ppp0 password secret', 'set ppp0 retry 1s 5s'],
    disk: simDisk(memoryMedium(new Uint8Array(IMAGE_SECTORS * SECTOR_BYTES))),
  });
  t.teardown(() => router.stop());
  await router.start({ network, lan, wan } as Place);
  return { guest, router, laptop };
}

const isUp = (router: SimRouter) =>
  eventually(
    () => router.console('show ppp'),
    text => /^ppp0 up .*\n.*session \d+ of isp-ac, 02:00:00:00:0a:0c/m.test(text),
  );

run(
  'pppoe-server: CHAP and PAP, a service by name, whole packets through it, ends of all kinds, and a reset',
  async t => {
    const { guest, router, laptop } = await street(t);
    await serve(guest, 'require-chap');
    await router.console('set ppp0 port wan');
    await isUp(router);
    t.log(await router.console('show ppp'));
    t.regex(
      await router.console('show ppp'),
      /address 198\.51\.100\.\d, peer 198\.51\.100\.1, MTU 1492, DNS servers 198\.51\.100\.53/,
    );
    const ping = (...words: string[]) =>
      laptop.output(['ping', '-n', '-i', '0.2', '-W', '5', ...words, THEIRS]);
    // What comes while pppd sets its link up is lost there.
    await eventually(
      () => ping('-c', '1').catch(() => ''),
      text => text.includes(' 0% packet loss'),
    );
    t.regex(await ping('-c', '3', '-s', '1464', '-M', 'do'), / 0% packet loss/);
    t.regex(await ping('-c', '3', '-s', '4000', '-M', 'dont'), / 0% packet loss/);
    const large = await laptop.run(['ping', '-n', '-c', '1', '-W', '2', '-s', '1465', '-M', 'do', THEIRS]);
    t.regex(large.stdout + large.stderr, /mtu ?= ?1492|Message too long|message too long/);

    // The server's pppd dies, and all of it.
    await guest.output('pkill -9 pppd');
    await eventually(
      () => router.console('show ppp'),
      text => /ended: |lost: |ends: /.test(text),
    );
    await isUp(router);
    await guest.output('kill $(cat /run/server)');
    await eventually(
      () => router.console('show ppp'),
      text => /ppp0 (asks|waits)/.test(text),
    );
    t.log(await router.console('show ppp'));

    // PAP, and a service by its name.
    await serve(guest, 'require-pap', '-S internet');
    await router.console('set ppp0 service internet');
    await isUp(router);
    await eventually(
      () => ping('-c', '1').catch(() => ''),
      text => text.includes(' 0% packet loss'),
    );
    t.regex(guest.read('pppd'), /rcvd \[PAP AuthReq.* user="user"/);
    t.regex(await ping('-c', '1'), / 0% packet loss/);

    // A reset in an open session: the concentrator hears of the end before it is asked.
    await router.console('save');
    const before = guest.read('pppd').length;
    await router.console('reboot', 120).catch(() => '');
    await isUp(router);
    await eventually(
      () => ping('-c', '1').catch(() => ''),
      text => text.includes(' 0% packet loss'),
    );
    t.regex(guest.read('pppd').slice(before), /Modem hangup|Terminating|Connection terminated/);
    t.regex(await ping('-c', '1'), / 0% packet loss/);
    await router.console('hangup ppp0');
    await eventually(
      () => router.console('show ppp'),
      text => /^ppp0 down/.test(text),
    );
  },
);
