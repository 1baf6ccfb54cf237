// The roles of the cards on the booted board: its disk remembers them, a card that is missing is said to be, the other
// one serves nobody in its place, and `set card` settles it.
// Not here: every other case, on models (src/control/cards/).

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually } from '../tools/harness/processes.ts';
import { type Card, isaCards, Machine } from '../tools/harness/qemu.ts';
import { dgramEnd } from '../tools/harness/wire.ts';
import { IMAGE } from './harness/board-router.ts';
import { datagramIn, frame, isIpv4, read, UDP, udp } from './packets.ts';

const BOOT_SECONDS = 180;
const HOST_MAC = '02:00:00:00:00:09';

/** BOOTP's fixed fields and a DISCOVER's options (RFC 2131). */
function discover(): Uint8Array {
  const message = new Uint8Array(300);
  message.set([1, 1, 6, 0, 1, 2, 3, 4]);
  message.set([2, 0, 0, 0, 0, 9], 28);
  message.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255], 236);
  const ip = { source: '0.0.0.0', destination: '255.255.255.255' };
  return frame('ff:ff:ff:ff:ff:ff', HOST_MAC, udp(ip, 68, 67, message));
}

test('a board whose LAN card dies does not make the WAN the LAN; set card does', async t => {
  t.timeout(1_800_000);
  const directory = mkdtempSync(join(tmpdir(), 'masqbox-cards-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const disk = join(directory, 'card.img');
  copyFileSync(IMAGE, disk);
  const wan = await dgramEnd();
  t.teardown(async () => await wan.end.close());
  let offers = 0;
  wan.end.receive = bytes => {
    const { protocol, sourcePort } = read(datagramIn(bytes));
    if (isIpv4(bytes) && protocol === UDP && sourcePort === 67) offers++;
  };
  const both = isaCards({ user: true }, wan.wire);
  const start = async (cards: readonly Card[]): Promise<Machine> => {
    const machine = await Machine.start({ disk, writable: true, cards });
    t.teardown(async () => await machine.stop());
    await machine.console.expect(PROMPT, BOOT_SECONDS);
    return machine;
  };

  const first = await start(both);
  t.regex(await first.console.command('show interfaces'), /^lan up, NE2000 ISA at port 0x300, line 9$/m);
  await eventually(
    () => first.console.command('show disk'),
    text => /^flash log: [1-9]\d* sectors written/m.test(text),
  );
  await first.stop();

  const alone = await start(both.slice(1));
  t.regex(alone.console.transcript, /lan: its card 52:54:00:12:34:01 at port 0x300 does not answer/);
  const shown = await alone.console.command('show interfaces');
  t.regex(shown, /^lan missing: its card 52:54:00:12:34:01 at port 0x300 does not answer$/m);
  t.regex(shown, /^wan down, NE2000 ISA at port 0x320, line 10$/m);
  for (let i = 0; i < 5; i++) {
    wan.end.send(discover());
    await alone.console.command('show version');
  }
  t.is(offers, 0, 'no DHCP towards the provider');
  t.is(await alone.console.command('set card lan 0x320'), 'It becomes lan at the next start, if it is saved');
  t.is(await alone.console.command('save'), 'Saved');
  alone.console.write('reboot\r');
  await alone.console.expect('Masqbox loader', BOOT_SECONDS);
  await alone.console.expect(PROMPT, BOOT_SECONDS);
  const set = await alone.console.command('show interfaces');
  t.regex(set, /^lan up, NE2000 ISA at port 0x320, line 10$/m);
  t.regex(set, /^wan missing: its card 52:54:00:12:34:01 at port 0x300 does not answer$/m);
  await eventually(
    () => {
      wan.end.send(discover());
      return offers;
    },
    count => count > 0,
  );
});
