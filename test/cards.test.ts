// The roles of the cards on the booted board: its disk remembers them, a card that is missing is said to be, the other
// one serves nobody in its place, and `set card` settles it.
// Not here: every other case, on models (src/control/cards/).

import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually } from '../tools/harness/processes.ts';
import { type Card, isaCards, Machine } from '../tools/harness/qemu.ts';
import { dgramEnd, type End } from '../tools/harness/wire.ts';
import { IMAGE } from './harness/board-router.ts';
import {
  addressText,
  arpFrame,
  datagramIn,
  echo,
  frame,
  get16,
  get32,
  isArp,
  isIpv4,
  macText,
  read,
  UDP,
  udp,
} from './packets.ts';

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

/** Whoever is asked for on a wire is the one station there; datagrams that it hears are noted. */
function answering(end: End, mac: string, found: Uint8Array[]) {
  return (bytes: Uint8Array): void => {
    if (isIpv4(bytes)) found.push(datagramIn(bytes));
    else if (isArp(bytes) && get16(bytes, 20) === 1 && get32(bytes, 28) !== get32(bytes, 38))
      end.send(
        arpFrame(macText(bytes, 6), {
          operation: 2,
          senderMac: mac,
          senderAddress: addressText(get32(bytes, 38)),
          targetMac: macText(bytes, 6),
          targetAddress: addressText(get32(bytes, 28)),
        }),
      );
  };
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

const OURS = '52:54:00:12:34:03';
const THIRD_HOST = { source: '10.7.0.2', destination: '10.7.0.1' };

/** A board with three cards, the third one's link inside, and both ends of its wires but the LAN's. */
async function threeCards(t: ExecutionContext) {
  const [wan, third] = [await dgramEnd(), await dgramEnd()];
  t.teardown(async () => await Promise.all([wan.end.close(), third.end.close()]));
  const heard: Uint8Array[] = [];
  const out: Uint8Array[] = [];
  wan.end.receive = answering(wan.end, '02:00:00:00:01:01', out);
  third.end.receive = answering(third.end, HOST_MAC, heard);
  const cards = [
    ...isaCards({ user: true }, wan.wire),
    { model: 'ne2k_isa', port: 0x340, irq: 11, mac: OURS, wire: third.wire } as const,
  ];
  const machine = await Machine.start({ disk: IMAGE, cards });
  t.teardown(async () => await machine.stop());
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  const type = async (line: string) => await machine.console.command(line);
  t.regex(
    await type('show interfaces'),
    /^if2 down, NE2000 ISA at port 0x340, line 11\n.*\n {4}it has no role/m,
  );
  for (const line of [
    'wan static 203.0.113.5/24 203.0.113.1',
    'link if2 inside 10.7.0.1/24',
    'dns host printer 10.7.0.9',
  ])
    t.is(await type(`set ${line}`), '');
  const { source, destination } = THIRD_HOST;
  const asks = { operation: 1, senderMac: HOST_MAC, senderAddress: source, targetAddress: destination };
  third.end.send(arpFrame('ff:ff:ff:ff:ff:ff', asks));
  return {
    type,
    heard,
    out,
    send: (datagram: Uint8Array) => third.end.send(frame(OURS, HOST_MAC, datagram)),
  };
}

test("a third card's link is a second inside: its host pings us, asks names, and goes out by the WAN", async t => {
  t.timeout(1_800_000);
  const { type, heard, out, send } = await threeCards(t);
  const host = THIRD_HOST;
  const far = { ...host, destination: '198.51.100.1' };
  const query = new Uint8Array([
    0,
    7,
    1,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0,
    7,
    ...Buffer.from('printer'),
    0,
    0,
    1,
    0,
    1,
  ]);
  await eventually(
    () => {
      for (const datagram of [echo(host, 8, 5), udp(host, 4000, 53, query), udp(far, 4001, 9)])
        send(datagram);
      return [heard.map(read), out.map(read)] as const;
    },
    ([inside, outside]) =>
      inside.some(({ type }) => type === 0) &&
      inside.some(({ sourcePort }) => sourcePort === 53) &&
      outside.some(({ destination }) => destination === far.destination),
  );
  const answer = heard.find(bytes => read(bytes).sourcePort === 53) as Uint8Array;
  t.deepEqual([...answer.slice(-4)], [10, 7, 0, 9]);
  const gone = out.find(bytes => read(bytes).destination === far.destination) as Uint8Array;
  t.like(read(gone), { source: '203.0.113.5', sourcePort: 4001 });
  t.regex(await type('show masq'), /10\.7\.0\.2:4001/);
  t.regex(await type('export'), /^set link if2 inside 10\.7\.0\.1\/24$/m);
  let captured = '';
  const capturing = type('capture eth2 count 1 icmp').then(text => {
    captured = text;
  });
  await eventually(
    () => {
      send(echo(host, 8, 5));
      return captured;
    },
    text => text !== '',
  );
  await capturing;
  t.regex(captured, / if2 in +10\.7\.0\.2 > 10\.7\.0\.1: ICMP/);
});
