// DECLINE and RELEASE that are not of the client whose lease they would end.
// Not here: those that are (server.test.ts).

import test from 'ava';
import { ACK, DECLINE, RELEASE, REQUEST } from './message.ts';
import { compose, lab, type Said, station } from './server-lab.ts';

const ROUTER = '192.168.0.1';

test('DECLINE and RELEASE in another station’s frame, or with another’s identifier, change nothing', async t => {
  const { one, raw, join, command } = await lab();
  const [id, relay] = [[1, 9, 9, 9], '192.168.0.9'];
  t.is(command(`set dhcp reserve ${station(1)} 192.168.0.20`), '');
  const leases = [join(station(1)), join(station(2)), join(station(3), { id })];
  t.is(leases[0], '192.168.0.20');
  for (const [n, address] of leases.entries()) {
    const [own, more] = [station(n + 1), n === 2 ? { id } : {}];
    const decline = { ...more, requested: address, server: ROUTER };
    const release = { ...more, ciaddr: address, server: ROUTER };
    const forge = (chaddr: string, type: number, said: Said): void =>
      raw(station(66), compose(chaddr, type, said), said);
    for (const chaddr of [own, station(66)]) {
      for (const over of [{}, { giaddr: relay }]) {
        forge(chaddr, DECLINE, { ...decline, ...over });
        forge(chaddr, RELEASE, { ...release, ...over });
      }
    }
    const renewed = one(own, REQUEST, { ...more, ciaddr: address });
    t.deepEqual([renewed.type, renewed.yiaddr], [ACK, address]);
  }
  t.notRegex(command('show leases'), /conflict|ended/);
  t.notRegex(command('show log'), /declines|released/);
});

test('a relay passes on DECLINE and RELEASE of leases that began by it', async t => {
  const { raw, join, command, strangers } = await lab();
  const giaddr = '192.168.0.9';
  strangers.set(giaddr, station(99));
  const pass = (n: number, type: number, said: Said): void =>
    raw(station(99), compose(station(n), type, { ...said, giaddr }), { ...said, giaddr });
  const ciaddr = join(station(1), { giaddr });
  pass(1, RELEASE, { ciaddr, server: ROUTER });
  t.regex(command('show log'), new RegExp(`${ciaddr} was released`));
  const requested = join(station(2), { giaddr });
  pass(2, DECLINE, { requested, server: ROUTER });
  t.regex(command('show leases'), /conflict/);
});
