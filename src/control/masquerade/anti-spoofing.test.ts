// `set anti-spoofing`, on the sim board: by name, on trial, told by show status and /proc. What it does to packets: src/plane/ip/source.test.ts.

import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';

test('anti-spoofing is off by name and on trial alone, goes back by itself, and is told', async t => {
  let said = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text) });
  const type = (line: string, ticks = 150): string => {
    said = '';
    board.type(`${line}\r`);
    for (let i = 0; i < ticks; i++) {
      board.run();
      board.advance(1);
    }
    return said.replaceAll('\r', '');
  };
  const filter = (link: string): string =>
    /^[01]$/m.exec(type(`cat /proc/sys/net/ipv4/conf/${link}/rp_filter`))?.[0] ?? '';
  type('');
  t.is(filter('eth1'), '1');
  const refused =
    'Cannot set anti-spoofing wan off: anybody there can pass for a host inside. Who means it says set anti-spoofing wan off confirm 5, and then confirm';
  t.true(type('set anti-spoofing wan off').includes(refused));
  t.regex(
    type('echo 0 > /proc/sys/net/ipv4/conf/eth1/rp_filter'),
    /rp_filter: it is 1 here, not 0: .*set anti-spoofing turns that off/,
  );
  t.is(filter('eth1'), '1');
  t.regex(type('set anti-spoofing wan on confirm 5'), /Cannot|set anti-spoofing/);
  type('set anti-spoofing wan off confirm 1');
  t.deepEqual(['eth1', 'eth0', 'all', 'default'].map(filter), ['0', '1', '0', '0']);
  t.regex(type('show status'), /^wan .*, anti-spoofing off$/m);
  t.regex(type('show config'), /^set anti-spoofing wan off$/m);
  t.regex(type('', 7000), /the settings are those of before again/);
  t.is(filter('eth1'), '1');
  type('set anti-spoofing wan off confirm 1');
  type('confirm');
  type('', 7000);
  t.is(filter('eth1'), '0');
  // A script that wants it on gets it.
  type('echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter');
  t.is(filter('eth1'), '1');
  t.notRegex(type('show config'), /anti-spoofing/);
  t.notRegex(type('show status'), /, anti-spoofing off/);
});
