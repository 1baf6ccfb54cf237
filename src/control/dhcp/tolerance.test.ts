// The DHCP server and what RFC 2131 does not foresee: clients that say more than they should, settings that a LAN's
// move has overtaken. Not here: what the RFC foresees (server.test.ts).

import test from 'ava';
import { addressText } from '../../../test/packets.ts';
import { INTERFACE_INSIDE } from '../../base/interface.ts';
import { INTERFACE_LAN, MTU_DEFAULT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { fixture } from './alone-lab.ts';
import { ACK, DISCOVER, NAK, REQUEST } from './message.ts';
import { lab, station } from './server-lab.ts';

const ROUTER = '192.168.0.1';

test('REQUEST, RENEWING by a client that names the server, against the RFC', async t => {
  const { one, join } = await lab();
  const ciaddr = join(station(1));
  t.is(one(station(1), REQUEST, { ciaddr, server: ROUTER }).type, ACK);
  t.is(one(station(2), REQUEST, { ciaddr, server: ROUTER }).type, NAK);
});

test('a reserved address that is the router’s or the broadcast address of a LAN that has moved is nobody’s', t => {
  const { plane, server, say, renew, clock } = fixture();
  for (const [n, host] of [
    [1, 20],
    [2, 127],
  ] as const) {
    const bytes = Uint8Array.of(2, 0, 0, 0, 0, n);
    server.config.reservations.push({
      ...{ client: station(n), bytes, isId: false, address: 0xc0a80000 | host, name: '' },
    });
  }
  plane.configureInterface(INTERFACE_LAN, INTERFACE_INSIDE, 0xc0a80014 | 0, -128, MTU_DEFAULT);
  clock.go(clock.passed + 20 * TICKS_PER_SECOND);
  for (const [n, ciaddr] of [
    [1, '192.168.0.20'],
    [2, '192.168.0.127'],
  ] as const) {
    t.is(renew(n, ciaddr), NAK);
    t.regex(addressText(say(n, DISCOVER)?.yiaddr ?? 0), /^192\.168\.0\.1(0\d|1\d|2[0-6])$/);
  }
});

test('set lan address: what would not fit is told of, and moves along when that is wanted', async t => {
  const { command, join } = await lab();
  t.is(command('set dhcp range 192.168.0.50 192.168.0.60'), '');
  t.is(command(`set dhcp reserve ${station(1)} 192.168.0.20 pc`), '');
  t.is(command(`set dhcp reserve ${station(2)} 192.168.0.200`), '');
  const why = 'Cannot set LAN address 10.20.0.1/24: the DHCP range 192.168.0.50 to 192.168.0.60 and';
  const what = 'the reservation of 192.168.0.20 and 1 more would not fit';
  t.is(command('set lan address 10.20.0.1/24'), `${why} ${what}; with move behind it they go along`);
  t.notRegex(command('show config'), /lan address/);
  t.is(
    command('set lan address 10.20.0.1/26 move'),
    'Cannot set LAN address 10.20.0.1/26: the reservation of 10.20.0.200 would not fit 10.20.0.0/26 either',
  );
  t.regex(command('show config'), /reserve \S+ 192\.168\.0\.20 pc/);
  t.regex(
    command('set lan address 10.20.0.1/24 away'),
    /Cannot set LAN address 10.20.0.1\/24: away is not move|expected/,
  );
  for (const [text, left] of [
    ['192.168.0.20/24', 'the reservation of 192.168.0.20'],
    [
      '10.20.0.1/26',
      'the DHCP range 192.168.0.50 to 192.168.0.60 and the reservation of 192.168.0.20 and 1 more',
    ],
  ])
    t.is(
      command(`set lan address ${text}`),
      `Cannot set LAN address ${text}: ${left} would not fit`,
      'nor by move',
    );
  t.is(command('set lan address 192.168.0.2/24'), '', 'all fits');
  t.is(command('set lan address 10.20.0.1/24 move'), '');
  t.deepEqual(
    command('show config')
      .split('\n')
      .filter(line => / 10\.20/.test(line)),
    [
      'set lan address 10.20.0.1/24',
      'set dhcp range 10.20.0.50 10.20.0.60',
      `set dhcp reserve ${station(1)} 10.20.0.20 pc`,
      `set dhcp reserve ${station(2)} 10.20.0.200`,
    ],
  );
  t.is(join(station(1), { server: '10.20.0.1' }), '10.20.0.20');
  t.is(
    command('unset lan address'),
    'Cannot unset LAN address: the DHCP range 10.20.0.50 to 10.20.0.60 and the reservation of 10.20.0.20 and 1 more would not fit; with move behind it they go along',
  );
  t.regex(command('unset lan address away'), /away is not move|expected/);
  t.regex(command('show config'), /lan address 10\.20/);
  t.is(command('unset lan address move'), '');
  t.regex(command('show config'), /reserve \S+ 192\.168\.0\.20 pc/);
  t.notRegex(command('show config'), /lan address/);
});

test('set and unset lan address tell which other settings are of the old network still', async t => {
  const { command } = await lab();
  const old = [
    'set dhcp dns 192.168.0.3',
    'set dhcp boot pxe.0 192.168.0.4',
    'set dns host tv 192.168.0.5',
    'set route 10.5.0.0/16 192.168.0.6',
  ];
  t.is(command('set dns host far 10.20.0.5'), '');
  for (const line of old) t.is(command(line), '');
  const told = (answer: string, network: string, lines: string[]) => {
    const [first, ...rest] = answer.split('\n');
    t.is(first, `Still of ${network} are ${lines.length} settings:`);
    t.deepEqual(rest.sort(), [...lines].sort());
  };
  t.is(command('set lan address 192.168.0.9/16'), '', 'they are in it');
  t.is(command('set lan address 192.168.0.1/24'), '');
  told(command('set lan address 10.20.0.1/24'), '192.168.0.0/24', old);
  for (const line of ['dhcp dns', 'dhcp boot', 'dns host tv', 'route 10.5.0.0/16']) command(`unset ${line}`);
  t.is(command('unset lan address'), 'Still of 10.20.0.0/24: set dns host far 10.20.0.5');
});

test('a LAN that moved by itself is saved with its range, and takes settings along', async t => {
  const one = await lab();
  const { command, command: type } = one;
  t.is(type('set dhcp range 192.168.0.50 192.168.0.60'), '');
  t.is(type('set dns host tv 192.168.0.5'), '');
  // The WAN has the LAN's network.
  one.serveWan('192.168.0.77');
  one.seconds(20);
  const config = command('show config');
  t.regex(config, /set lan address 192\.168\.1\.1\/24/);
  t.regex(config, /set dhcp range 192\.168\.1\.50 192\.168\.1\.60/);
  t.regex(command('show log'), /Still of 192\.168\.0\.0\/24: set dns host tv 192\.168\.0\.5/);
  t.is(type('unset dhcp range'), '');
  t.notRegex(command('show config'), /lan address/, 'it goes where it is needed');
});
