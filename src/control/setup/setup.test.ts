// `setup`, `import` and `reboot` on the sim board: what is asked, what is refused when, what is in force and saved then.

import { crc32 } from 'node:zlib';
import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';
import { simDisk } from '../../../board/sim/disk.ts';
import { memoryMedium } from '../../../hal/disk/ata-model.ts';
import { longSettings } from '../../../test/harness/long-configuration.ts';
import { ethernet, payload, udp } from '../../../test/packets.ts';
import { IF_MAC, interfaceAt } from '../../base/interface.ts';
import { CONFIG_TEXT_MAX, IMAGE_SECTORS, SECTOR_BYTES } from '../../base/layout.ts';
import { INTERFACE_LAN } from '../../base/limits.ts';

async function board(hasDisk = true) {
  let said = '';
  const disk = simDisk(memoryMedium(Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES)));
  const sim = await createSimBoard({
    onFrame: () => {},
    onOutput: text => (said += text),
    ...(hasDisk ? { disk } : {}),
  });
  /** Types, and lets so many ticks pass, or until the console asks again. */
  const type = (typed: string, ticks = 60): string => {
    said = '';
    sim.type(typed);
    for (let i = 0; i < ticks; i++) {
      sim.run();
      sim.advance(1);
    }
    return said;
  };
  const answers = (...texts: string[]): string => texts.map(text => type(`${text}\r`)).join('');
  type('');
  return { sim, disk, type, answers, settings: () => type('export secrets\r') };
}

test('setup checks each answer when it is typed, and sets all at the end', async t => {
  const { type, answers, settings } = await board();
  const before = settings();
  t.regex(type('setup\r'), /LAN: the router's address \[192\.168\.0\.1\/24\]: $/);
  t.regex(type('10.0.0.300/24\r'), /That will not do: 300 is not 0 to 255\r\nLAN: /);
  t.regex(type('10.9.0.1/24\r'), /WAN: dhcp, static or none \[dhcp\]: $/);
  t.regex(answers('static', ''), /That will not do: there is no answer to take for it\r\nWAN address/);
  t.regex(
    type('10.9.0.77/16\r'),
    /That will not do: it shares addresses with the LAN's network 10\.9\.0\.0\/24\r\n/,
  );
  t.regex(type('203.0.113.5/24\r'), /WAN gateway, as in 203\.0\.113\.1: $/);
  for (const [text, why] of [
    ['203.0.114.1', "it is not in the WAN's network 203.0.113.0/24"],
    ['203.0.113.5', "it is the WAN's own address"],
    ['203.0.113.255', "it is the network's broadcast address"],
  ] as const)
    t.true(type(`${text}\r`).includes(`That will not do: ${why}\r\nWAN gateway`), text);
  t.regex(type('203.0.113.1\r'), /DNS server \[9\.9\.9\.9\]: $/);
  t.regex(type('9.9.9.9 10.9.0.1\r'), /That will not do: it is an address of the router/);
  t.regex(type('9.9.9.9 1.1.1.1\r'), /Time zone, as in Europe\/Berlin \[UTC\]: $/);
  t.regex(type('Europe/Nowhere\r'), /That will not do: there is no zone of that name/);
  t.regex(type('Europe/Berlin\r', 120), /Time servers \(NTP\), .* \[none\]: $/);
  t.regex(type('a b c d e\r'), /That will not do: there is room for 4/);
  t.regex(type('0.pool.ntp.org 192.0.2.5\r'), /A password for this console: yes or no \[no\]: $/);
  t.regex(type('maybe\r'), /That will not do: it is yes or no\r\nA password/);
  t.regex(answers('Y', 'one', 'other'), /That will not do: the two are not the same\r\nNew password/);
  t.regex(type('one\r'), /Once more: $/);
  const shown = type('one\r', 150);
  t.regex(shown, /\+ set wan gateway 203\.0\.113\.1\r\n.*\+ the password\r\nSet this: yes or no \[yes\]: $/s);
  t.notRegex(shown, /one\r/);
  t.regex(type('no\r'), /Nothing was changed; the settings in force are saved\r\nmasqbox> $/);
  t.is(settings(), before);
});

test('setup takes what is in force where nothing is typed, replaces what is, and saves', async t => {
  const { answers, settings, type } = await board();
  const first = [
    '10.9.0.1/24',
    'static',
    '203.0.113.5/24',
    '203.0.113.1',
    '1.1.1.1',
    'Europe/Berlin',
    'a.example',
  ];
  t.regex(
    answers('setup', ...first, 'no', 'yes'),
    /In force, and saved; show config lists the settings\r\nmasqbox> $/,
  );
  const set = settings();
  const again = answers('setup', '', '', '', '', '', '', '', '');
  for (const text of [
    '[10.9.0.1/24]',
    '[static]',
    '[203.0.113.5/24]',
    '[203.0.113.1]',
    '[1.1.1.1]',
    '[Europe/Berlin]',
    '[a.example]',
  ])
    t.true(again.includes(text), text);
  t.regex(again, /Nothing of this is other than what is in force/);
  t.regex(type('yes\r'), /In force, and saved/);
  t.is(settings(), set);
  answers('setup', '', 'dhcp', 'UTC', 'b.example', 'no', 'yes');
  const changed = settings();
  t.notRegex(changed, /set wan address|gateway|timezone|a\.example/);
  t.regex(changed, /set ntp server b\.example/);
  answers('setup', '', 'none', '', 'none', 'no', 'yes');
  t.regex(settings(), /set wan none/);
  t.notRegex(settings(), /ntp/);
});

test('^C leaves setup with nothing changed; without a disk it says how long the settings last', async t => {
  const { answers, settings, type } = await board(false);
  const before = settings();
  answers('setup', '10.8.0.1/24', 'none');
  t.regex(
    type('\x03'),
    /\^C\r\nNothing was changed; the settings in force are saved\r\nmasqbox> $/,
    'nothing is set',
  );
  t.is(settings(), before);
  const said = answers('setup', '10.8.0.1/24', 'none', '', '', 'no', 'yes');
  t.regex(said, /In force until the next reset, as nothing can be saved: no disk answers/);
  t.regex(
    answers('setup', '', '', '', '', 'no', 'no'),
    /the settings in force are not saved, as there is no disk/,
  );
});

test('^C says whether the settings are saved, and what becomes of those that are being set', async t => {
  const { answers, settings, type } = await board();
  type('set dns host a 192.168.0.7\r');
  const before = settings();
  for (const given of [[], ['10.8.0.1/24', 'static'], ['', 'none', '', '', 'yes', 'one']]) {
    answers('setup', ...given);
    t.regex(
      type('\x03'),
      /\^C\r\nNothing was changed; the settings in force are not saved\r\nmasqbox> $/,
      given.join(' '),
    );
    t.is(settings(), before);
  }
  answers('setup', '10.8.0.1/24', 'none', '', '', 'no');
  type('yes\r', 1);
  t.regex(type('\x03', 1), /In force, and perhaps not saved; show config .*\r\n\^C\r\nmasqbox> $/);
  type('');
  t.regex(settings(), /set lan address 10\.8\.0\.1\/24/);
});

test('setup takes a WAN of one address or two, with a gateway outside, and as it is in force', async t => {
  const { answers, settings, type } = await board();
  answers('setup', '', 'static');
  t.regex(type('192.168.0.9/32\r'), /That will not do: it shares addresses with the LAN's network/);
  t.regex(type('203.0.113.5/33\r'), /That will not do: prefix length 33/);
  t.regex(type('203.0.113.5/32\r'), /WAN gateway, as in/);
  t.regex(answers('10.0.0.1', '9.9.9.9', 'UTC', 'none', 'no', 'yes'), /In force, and saved/);
  const set = settings();
  t.regex(set, /set wan address 203\.0\.113\.5\/32[\s\S]*set wan gateway 10\.0\.0\.1/);
  t.regex(answers('setup', '', '', '', '', '', '', '', '', ''), /In force, and saved/);
  t.is(settings(), set);
  t.regex(answers('setup', '192.168.0.1/32'), /That will not do: prefix length 32 is not 8 to 31/);
  type('\x03');
});

test('setup reads none, no and dhcp in any case, and takes none of them for a host', async t => {
  const { answers, settings } = await board();
  t.regex(
    answers('setup', '', 'NONE', '', 'a.example', 'n'),
    /\+ set wan none\r\n\+ set ntp server a\.example\r\n/,
  );
  answers('y');
  t.regex(
    answers('setup', '', 'Dhcp', '', 'None', 'n'),
    /- set wan none\r\n- set ntp server a\.example\r\nSet this/,
  );
  answers('no');
  t.regex(answers('setup', '', 'dhcp', '', 'no', 'n'), /- set ntp server a\.example\r\nSet this/);
  answers('y');
  t.notRegex(settings(), /set ntp server|set wan none/);
});

test('setup shows a password as it will be: none stays none, and one that goes is told', async t => {
  const { answers, type, settings } = await board();
  const asked = ['setup', '', 'none', '', ''];
  const nothing = answers(...asked, 'yes', '', '');
  t.regex(nothing, /Once more: [\s\S]*\+ set wan none\r\nSet this: yes or no \[yes\]: $/);
  answers('yes');
  answers(...asked, 'yes', 'one');
  t.regex(type('one\r', 150), /\+ the password\r\nSet this: /);
  answers('yes');
  t.regex(settings(), /set password hash/);
  answers(...asked, 'yes');
  t.regex(type('one\r', 150), /New password, nothing for none: $/);
  t.regex(answers('', ''), /- the password\r\nSet this: /);
  answers('yes');
  t.notRegex(settings(), /set password hash/);
});

test('setup tells at once of a LAN that range and reservations do not fit', async t => {
  const { answers, type } = await board();
  type('set dhcp range 192.168.0.50 192.168.0.60\r');
  type('set dhcp reserve 02:00:00:00:00:01 192.168.0.20\r');
  t.regex(
    answers('setup', '10.8.0.1/24'),
    /That will not do: the DHCP range 192\.168\.0\.50 to 192\.168\.0\.60 and the reservation of 192\.168\.0\.20 would not fit; set lan address 10\.8\.0\.1\/24 move takes them along\r\nLAN: /,
  );
  t.regex(type('192.168.0.2/24\r'), /WAN: dhcp, static or none/);
  type('\x03');
});

test('setup pasted whole is answered line by line', async t => {
  const { type, settings } = await board();
  t.regex(
    type('setup\r10.9.0.1/24\rdhcp\rUTC\rnone\rno\ryes\rset dns host a 10.9.0.7\r', 200),
    /In force, and saved/,
  );
  t.regex(settings(), /set dns host a/);
});

/** A session of the masquerade: a datagram of a host goes out. */
function openSession({ sim }: Awaited<ReturnType<typeof board>>): void {
  const mac = [
    ...sim.memory.subarray(interfaceAt(INTERFACE_LAN) + IF_MAC, interfaceAt(INTERFACE_LAN) + IF_MAC + 6),
  ];
  const to = mac.map(byte => byte.toString(16).padStart(2, '0')).join(':');
  const datagram = udp({ source: '192.168.0.9', destination: '198.51.100.7' }, 4000, 53, payload(20));
  sim.receive(0, ethernet(to, '02:00:00:00:00:09', 0x0800, datagram));
}

function importOf(text: string): string {
  const lines = text.split('\n');
  const sum = crc32(Buffer.from(text === '' ? '' : `${text}\n`, 'latin1'));
  return `import ${lines.length} ${sum.toString(16).padStart(8, '0')}\r${lines.map(line => `${line}\r`).join('')}end\r`;
}

test('import makes the settings equal to the lines, and sessions that need not die live', async t => {
  const one = await board();
  const { type, settings } = one;
  for (const line of [
    'set wan static 203.0.113.5/24 203.0.113.1',
    'set dns host old 192.168.0.7',
    'set dhcp off',
  ])
    type(`${line}\r`);
  openSession(one);
  t.regex(type('show masq\r'), /1 sessions?\r/);
  const wanted =
    '# masqbox configuration 1\nset wan address 203.0.113.5/24\nset wan gateway 203.0.113.1\n\n# x\nset dns host new 192.168.0.8';
  t.regex(type(importOf(wanted), 200), /3 lines are in force, and not saved\r\nmasqbox> $/);
  t.deepEqual(
    settings().split('\r\n').slice(1, -1),
    [
      '# masqbox configuration 1',
      'set wan address 203.0.113.5/24',
      'set nat profile rfc',
      'set nat filter address',
      'set engine native',
      'set wan gateway 203.0.113.1',
      'set dns host new 192.168.0.8',
    ].sort((a, b) => settings().indexOf(a) - settings().indexOf(b)),
  );
  t.regex(type('show masq\r'), /1 sessions?\r/);
});

test('import changes nothing where a line is none, is refused, is missing, or all are too long', async t => {
  const one = await board();
  const { type, settings } = one;
  type('set wan static 203.0.113.5/24 203.0.113.1\r');
  openSession(one);
  const before = settings();
  const tried = (typed: string, ticks = 200): string => {
    const said = type(typed, ticks);
    t.is(settings(), before, said);
    t.regex(type('show masq\r'), /1 sessions?\r/);
    return said;
  };
  const bad = 'set dns host a 192.168.0.7\nset no such thing\nset lan address\nset wan mtu 1400';
  t.regex(
    tried(importOf(bad)),
    /Line 2: Cannot run set no such thing: .*\r\nLine 3: Cannot run set lan address: the form is .*\r\nCannot import: 2 lines are no settings; nothing was changed\r\n/,
  );
  t.regex(
    tried(
      importOf('set dhcp reserve 52:54:00:00:00:07 192.168.0.33 confirm\nset dhcp option 67 f confirm 5'),
    ),
    /Line 1: Cannot run .* confirm: confirm is no value\r\nLine 2: Cannot run .*: confirm is no value\r\nCannot import: 2 lines/,
  );
  const odd =
    'set wan address 203.0.114.5/24\nset wan gateway 203.0.114.1\nset nat timeout udp 60\nset lan address 10.0.0.1/24';
  t.regex(
    tried(importOf(odd)),
    /Cannot set NAT timeout udp 60: .*\r\nCannot import: 1 lines were refused; nothing was changed\r\n/,
  );
  t.regex(
    tried(importOf('set dhcp off\nset wan mtu 1400').replace('set dhcp off\r', '')),
    /Cannot import: 1 lines have come that are not the 2 that were sent; nothing was changed/,
  );
  t.regex(tried(importOf('set dhcp off').replace('off', 'of')), /1 lines have come that are not the 1/);
  const long = Array.from({ length: 1800 }, (_, i) => `set dns host host-number-${i} 192.168.0.7`).join('\n');
  t.true(long.length > CONFIG_TEXT_MAX);
  t.regex(
    tried(importOf(long), 3000),
    new RegExp(
      `Cannot import: the settings have ${long.length + 1} characters, and \\d+ fit; nothing was changed`,
    ),
  );
  t.regex(type('import\rset dhcp off\r', 10), /> set dhcp off\r\n> $/);
  t.regex(tried('\x03'), /^\^C\r\nmasqbox> $/);
});

test('import takes the longest configuration back, and keeps the password where export leaves it out', async t => {
  const one = await board();
  const { type, settings, answers } = one;
  type(importOf(longSettings.join('\n')), 800);
  t.deepEqual(settings().split('\r\n').slice(2, -1), [...longSettings]);
  answers('password', 'secret', 'secret');
  type('', 100);
  const secrets = settings();
  const shown = type('export\r').split('\r\n').slice(1, -1).join('\n');
  t.regex(type(importOf(shown), 800), /lines are in force/);
  t.is(settings(), secrets);
  t.regex(
    type(importOf('set nat profile rfc'), 800),
    /The password is gone, as there is none among the lines\r\n1 lines are in force/,
  );
});

test('reboot asks where settings would be lost', async t => {
  const { type, answers } = await board();
  t.regex(type('reboot\r', 200), /Rebooting[\s\S]*Masqbox /, 'nothing was set');
  type('set dns host a 192.168.0.7\r');
  t.regex(type('reboot\r'), /The settings are not saved\r\nReboot all the same: yes or no \[no\]: $/);
  t.regex(type('\r'), /Cannot reboot: it was not confirmed\r\nmasqbox> $/);
  t.regex(answers('save', 'reboot') + type('', 200), /Saved[\s\S]*Rebooting/);
  type('unset dns host a\r');
  t.regex(answers('reboot', 'yes') + type('', 200), /Rebooting/);
  t.regex(type('show config\r'), / set dns host a/);
  const other = await board(false);
  other.type('set dhcp off\r');
  t.regex(other.type('reboot\r'), /The settings are not saved, as there is no disk\r\nReboot/);
});
