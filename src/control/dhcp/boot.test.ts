// Hosts that start by the network, BOOTP's hosts, options that are forced, and the option of a switch that is no relay.

import test from 'ava';
import { addressText } from '../../../test/packets.ts';
import { parseAddress } from '../core/address.ts';
import type { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { fixture } from './alone-lab.ts';
import { DISCOVER, FILE_BYTES, INFORM, OFFER, REQUEST } from './message.ts';
import { codes, compose, station } from './server-lab.ts';
import { dhcpSettings } from './settings.ts';

const FILE_AT = 108;
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const fileOf = (bytes: Uint8Array | undefined): string =>
  textOf(bytes?.subarray(FILE_AT, FILE_AT + FILE_BYTES) ?? new Uint8Array(0)).replace(/\0+$/, '');

/** A server, and its settings as commands. */
function lab() {
  const self = fixture();
  const context = { output: { line: () => {} }, registry: { isRestoring: false } } as unknown as Context;
  const settings = dhcpSettings(context, self.server);
  const run = (line: string): string => {
    const { words, set } = settings
      .filter(({ words }) => line.startsWith(`set ${words} `))
      .sort((a, b) => b.words.length - a.words.length)[0]!;
    try {
      set(line.slice(5 + words.length).split(' '));
    } catch (error) {
      return (error as Refusal).message;
    }
    return settings.flatMap(setting => setting.lines()).join();
  };
  return { ...self, set: run };
}

test('set dhcp boot: file and server stand in the fixed fields, and in options 66 and 67 if they are wanted', t => {
  const { set, say, raw } = lab();
  const line = 'set dhcp boot pxelinux.0 192.168.0.3';
  t.is(set(line), line);
  for (const [type, words] of [
    [
      DISCOVER,
      { wants: [1, 3, 66, 67], vendor: 'PXEClient:Arch:00000:UNDI:002001', requested: '192.168.0.150' },
    ],
    [REQUEST, { wants: [1, 3, 66, 67], requested: '192.168.0.150' }],
    [INFORM, { wants: [1, 3, 66, 67], ciaddr: '192.168.0.40' }],
  ] as const) {
    const answer = say(1, type, { ...words, wants: [...words.wants] });
    t.is(addressText(answer?.siaddr ?? 0), '192.168.0.3');
    t.is(fileOf(raw[0]), 'pxelinux.0');
    t.is(textOf(answer!.bytes(66)), '192.168.0.3');
    t.is(textOf(answer!.bytes(67)), 'pxelinux.0');
    t.false(answer!.has(60));
  }
  t.is(set('set dhcp boot x?y'), 'set dhcp boot x\\x3fy', 'without a server it is the router');
  t.is(addressText(say(2, DISCOVER, { wants: [1] })?.siaddr ?? 0), '192.168.0.1');
  t.is(fileOf(raw[0]), 'x?y');
  t.deepEqual(codes(raw[0]!).includes(67), false);
});

test('a file too long for its field is told by its option, to a UEFI that boots by HTTP with its class', t => {
  const { set, say, raw } = lab();
  const url = `http://192.168.0.3/${'x'.repeat(FILE_BYTES)}.efi`;
  set(`set dhcp boot ${url}`);
  const answer = say(1, DISCOVER, { wants: [1], vendor: 'HTTPClient:Arch:00016:UNDI:003001' });
  t.is(fileOf(raw[0]), '');
  t.is(textOf(answer!.bytes(67)), url);
  t.is(textOf(answer!.bytes(60)), 'HTTPClient');
});

test('options 66 and 67 that are set are in the fields too; another’s are not', t => {
  const { set, say, raw } = lab();
  set('set dhcp option 66 192.168.0.9');
  set('set dhcp option 67 boot/grub.0');
  t.is(addressText(say(1, DISCOVER)?.siaddr ?? 0), '192.168.0.9');
  t.is(fileOf(raw[0]), 'boot/grub.0');
  set('set dhcp option 66 tftp.lan');
  t.is(say(1, DISCOVER)?.siaddr, 0);
  t.is(fixture().say(1, DISCOVER)?.siaddr, 0);
});

test('an option that is set with always is told unasked, once', t => {
  const { set, say, raw } = lab();
  t.regex(
    set('set dhcp option 114 https://portal.example/ always'),
    /option 114 https:\/\/portal.example\/ always$/,
  );
  t.regex(set('set dhcp option 150 192.168.0.3'), /option 150 192.168.0.3$/);
  for (const wants of [
    [1, 3],
    [114, 1],
    [150, 114, 150],
  ]) {
    const answer = say(1, DISCOVER, { wants });
    t.is(textOf(answer!.bytes(114)), 'https://portal.example/');
    t.is(answer!.has(150), wants.includes(150));
    t.is(codes(raw[0]!).filter(code => code === 114).length, 1);
  }
  t.is(set('set dhcp option 150 here'), 'Cannot set DHCP option 150: an address is four numbers with dots');
});

test('option 82 comes back whether a relay or a switch has put it in, and has its room', t => {
  const { set, say } = lab();
  const relay = Array.from({ length: 200 }, (_, i) => i);
  for (let code = 224; code < 234; code++) set(`set dhcp option ${code} ${'x'.repeat(60)} always`);
  t.deepEqual([...say(1, DISCOVER, { relay })!.bytes(82)], relay);
});

test('BOOTP: who has a reservation gets its address, others nothing', t => {
  const { set, hear, raw, server } = lab();
  set('set dhcp boot kernel 192.168.0.3');
  set(`set dhcp reserve ${station(1)} 192.168.0.20 printer`);
  for (const isOld of [false, true]) {
    const request = compose(station(1), 0, {});
    if (isOld) request.fill(0, 236);
    const [answer] = hear(request, 5);
    t.is(addressText(answer?.yiaddr ?? 0), '192.168.0.20');
    t.deepEqual([answer?.type, answer?.has(51), answer?.has(54)], [0, false, false]);
    t.is(addressText(answer!.word(3)), '192.168.0.1');
    t.deepEqual(
      [addressText(answer!.siaddr), fileOf(raw[0]), raw[0]?.length],
      ['192.168.0.3', 'kernel', 300],
    );
  }
  t.deepEqual(hear(compose(station(2), 0, {}), 50), []);
  t.is(server.nameOf(parseAddress('192.168.0.20') as number), 'printer');
});

test('BOOTP does not give an address that another host still has', t => {
  const { set, hear, join, say } = lab();
  const address = join(2);
  set(`set dhcp reserve ${station(1)} ${address}`);
  t.deepEqual(hear(compose(station(1), 0, {}), 50), []);
  t.is(say(3, DISCOVER)?.type, OFFER);
});
