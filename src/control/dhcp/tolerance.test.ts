// The DHCP server and what RFC 2131 does not foresee: clients that say more than they should, settings that a LAN's
// move has overtaken. Not here: what the RFC foresees (server.test.ts).

import test from 'ava';
import { ACK, DISCOVER, NAK, REQUEST } from './message.ts';
import { lab, station } from './server-lab.ts';

const ROUTER = '192.168.0.1';

test('REQUEST, RENEWING by a client that names the server, against the RFC', async t => {
  const { one, join } = await lab();
  const ciaddr = join(station(1));
  t.is(one(station(1), REQUEST, { ciaddr, server: ROUTER }).type, ACK);
  t.is(one(station(2), REQUEST, { ciaddr, server: ROUTER }).type, NAK);
});

test('a reserved address that is the router’s or the broadcast address of a LAN that has moved is nobody’s', async t => {
  const { one, command } = await lab();
  t.is(command(`set dhcp reserve ${station(1)} 192.168.0.20`), '');
  t.is(command(`set dhcp reserve ${station(2)} 192.168.0.127`), '');
  t.is(command('set lan address 192.168.0.20/25'), '');
  for (const [n, ciaddr] of [
    [1, '192.168.0.20'],
    [2, '192.168.0.127'],
  ] as const) {
    t.is(one(station(n), REQUEST, { ciaddr, source: '0.0.0.0' }).type, NAK);
    t.regex(one(station(n), DISCOVER).yiaddr, /^192\.168\.0\.1(0\d|1\d|2[0-6])$/);
  }
});
