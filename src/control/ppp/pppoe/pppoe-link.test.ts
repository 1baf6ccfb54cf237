// A link by PPPoE on the sim board: three lines and it is up; what odd concentrators do, and what is said of it.
// Not here: frames (src/plane/link/pppoe.test.ts), discovery alone (src/control/ppp/discovery.test.ts).

import test from 'ava';
import { PPPOE_PADI, PPPOE_PADR, TAG_GENERIC_ERROR, TAG_SERVICE_ERROR } from '../../../wire/pppoe.ts';
import { bytesOf } from '../packet.ts';
import { address, PROVIDER } from '../ppp-lab.ts';
import { DslBoard } from './concentrator-lab.ts';

const UP = 'ppp0: up: 198.51.100.2, peer 198.51.100.1, MTU 1492';
const AUTH = { ...PROVIDER, lcp: { demanded: ['chap-md5' as const] } };

test.serial(
  'three lines, and the house is on the net: address, name servers, a way; hung up and called again',
  async t => {
    t.timeout(300_000);
    const dsl = await DslBoard.start();
    const isp = dsl.concentrator('isp-ac', { ...AUTH, lcp: { ...AUTH.lcp, mru: 1492, mtu: 1492 } });
    t.regex(dsl.type('show ppp'), /No link has a port, see set ppp0/);
    t.is(dsl.type('set ppp0 user user'), '');
    t.is(dsl.type('set ppp0 password secret'), '');
    t.regex(dsl.type('set ppp0 port wan'), /The WAN asks for no address by DHCP any more: set wan none/);
    t.true(dsl.until(UP));
    t.regex(dsl.type('ping 198.51.100.1 count 2'), /2 sent, 2 received/);
    t.regex(dsl.type('show routes'), /^0\.0\.0\.0\/0 +198\.51\.100\.1 +ppp0$/m);
    t.regex(dsl.type('show interfaces'), /^ppp0 up, PPPoE by wan, see show ppp$/m);
    t.regex(dsl.type('show dns'), /198\.51\.100\.53/);
    t.regex(
      dsl.type('show ppp'),
      /^ppp0 up 0:\d\d, PPPoE by wan, dial always\n {4}session 1 of isp-ac, 02:00:00:00:0a:0a\n {4}address 198\.51\.100\.2, peer 198\.51\.100\.1, MTU 1492, DNS servers 198\.51\.100\.53 198\.51\.100\.54\n {4}received \d+ packets, \d+ bytes, 0 errors; sent \d+ packets/,
    );
    const config = dsl.type('show config');
    for (const line of ['wan none', 'ppp0 user user', 'ppp0 password \\(not shown\\)', 'ppp0 port wan'])
      t.regex(config, new RegExp(`^set ${line}$`, 'm'));
    // LCP says nothing that Ethernet does not have (RFC 2516, section 7).
    t.deepEqual(isp.ends.get(1)!.session.states, 'open, LCP opened, IPCP opened');
    t.is(dsl.type('hangup ppp0'), '');
    t.true(dsl.until('ppp0: ends: hung up by hand'));
    t.deepEqual(isp.codes().slice(-1), ['PADT 1']);
    t.notRegex(dsl.type('show routes'), /ppp0/);
    dsl.seconds(600);
    t.is(isp.heard.filter(({ code }) => code === PPPOE_PADI).length, 1, 'nothing begins by itself');
    t.regex(dsl.type('show ppp'), /^ppp0 down, PPPoE by wan/m);
    dsl.type('dial ppp0');
    t.true(dsl.until(UP));
    t.is(dsl.type('unset ppp0 port'), '');
    dsl.seconds(1);
    t.deepEqual(isp.codes().slice(-1), ['PADT 2']);
    t.regex(dsl.type('show ppp'), /No link has a port/);
  },
);

test.serial('a control that dies leaves the session as it is', async t => {
  t.timeout(300_000);
  const dsl = await DslBoard.start();
  const isp = dsl.concentrator('isp-ac');
  dsl.set();
  t.true(dsl.until(UP));
  const before = isp.heard.length;
  const frames = isp.ends.get(1)!.frames;
  dsl.board.type('debug crash control throw\r');
  t.true(dsl.until('ppp0: goes on, as control was started again'));
  t.regex(dsl.type('ping 198.51.100.1 count 1'), /1 sent, 1 received/);
  t.regex(dsl.type('show ppp'), /^ppp0 up[^\n]*\n {4}session 1 of 02:00:00:00:0a:0a$/m);
  t.regex(dsl.type('show dns'), /198\.51\.100\.53/);
  t.is(isp.heard.length, before);
  t.is(isp.ends.get(1)!.frames, frames + 1, 'no more frames than the ping');
  isp.terminate(1, [[TAG_GENERIC_ERROR, bytesOf('maintenance')]]);
  t.true(dsl.until('ppp0: ended: The provider says: maintenance'));
});

test.serial('the provider’s night: each way in which it may fail is a word in show ppp', async t => {
  t.timeout(300_000);
  const dsl = await DslBoard.start();
  dsl.set('service internet');
  dsl.seconds(20);
  t.regex(dsl.type('show ppp'), /^ppp0 asks for a session for 0:2\d: no concentrator answers, PPPoE by wan/m);
  const isp = dsl.concentrator('isp-ac', AUTH);
  isp.offers = [[TAG_SERVICE_ERROR, bytesOf('no such\nservice')]];
  t.true(dsl.until('ppp0: isp-ac offers nothing: no such?service'));
  t.regex(dsl.type('show ppp'), /isp-ac offers nothing: no such\?service/);
  isp.offers = [];
  isp.confirms = [[TAG_GENERIC_ERROR, bytesOf(`too many sessions ${'x'.repeat(500)}`)]];
  t.true(dsl.until(/ppp0: isp-ac refuses a session: too many sessions x{62}\r\n/, 120));
  isp.confirms = [];
  dsl.type('set ppp0 password wrong');
  t.true(dsl.until('ppp0: refused: Authentication failed'));
  t.regex(dsl.type('show ppp'), /^ppp0 waits [45]:\d\d, PPPoE by wan/m);
  const asked = isp.heard.length;
  dsl.seconds(240);
  t.is(isp.heard.length, asked, 'who is refused asks again after five minutes at the soonest');
  dsl.type('set ppp0 password secret');
  t.true(dsl.until(UP, 10), 'but another password is tried at once');
  dsl.seconds(70);
  isp.isMute = true;
  t.true(dsl.until('ppp0: ends: The peer does not answer 4 echoes', 200));
  isp.isMute = false;
  t.true(dsl.until(UP, 20));
});

test.serial('a concentrator that ends each session at once is asked less and less often', async t => {
  t.timeout(300_000);
  const dsl = await DslBoard.start();
  const isp = dsl.concentrator('isp-ac');
  isp.given = session => isp.terminate(session);
  const from = dsl.time.now();
  dsl.set();
  const times: number[] = [];
  let seen = 0;
  dsl.seconds(3600, () => {
    const count = isp.heard.filter(({ code }) => code === PPPOE_PADI).length;
    if (count > seen) times.push(dsl.time.now() - from);
    seen = count;
    return false;
  });
  // Of each time there are two, as others are waited for a second.
  const gaps = times.slice(1).map((time, i) => Math.floor((time - times[i]!) / 100));
  const waits = gaps.filter(gap => gap > 2);
  t.deepEqual(
    waits.slice(0, 6).map(gap => Math.floor(gap / 10)),
    [1, 2, 4, 8, 16, 30],
  );
  t.true(waits.slice(5).every(gap => gap >= 300 && gap <= 303));
  t.regex(dsl.type('show ppp'), /ended: The provider has ended it/);
});

test.serial(
  'one that answers the third question alone is answered; of two the one that lies is left',
  async t => {
    t.timeout(300_000);
    const dsl = await DslBoard.start();
    const slow = dsl.concentrator('slow');
    let questions = 0;
    slow.isDeaf = ({ code }) => code === PPPOE_PADI && ++questions < 3;
    dsl.set();
    t.true(dsl.until(UP));
    t.is(questions, 3);

    const two = await DslBoard.start();
    const liar = two.concentrator('liar', {
      ...PROVIDER,
      ipcp: { ...PROVIDER.ipcp, local: address('192.0.2.1') },
    });
    const honest = two.concentrator('honest');
    liar.isDeaf = ({ code }) => code === PPPOE_PADR;
    two.set();
    t.true(two.until(UP));
    t.is(honest.ends.size, 1);

    // One that gives sessions in which nobody speaks.
    const silent = await DslBoard.start();
    const grave = silent.concentrator('grave');
    const alive = silent.concentrator('alive');
    grave.given = session => grave.ends.delete(session);
    silent.set();
    t.true(silent.until('ppp0: no ppp: ', 120));
    t.true(silent.until(UP, 60));
    t.is(alive.ends.size, 1);
    t.true(grave.codes().includes('PADT 1'), 'the session of no use is ended');
  },
);

test.serial('by name of service and concentrator, in a VLAN', async t => {
  t.timeout(300_000);
  const dsl = await DslBoard.start();
  dsl.vlan = 7;
  dsl.type('set wan vlan 7');
  const wrong = dsl.concentrator('wrong');
  const right = dsl.concentrator('right');
  t.regex(dsl.type('set sl0 port wan'), /Cannot set sl0 port wan: SLIP goes by serial ports/);
  dsl.set('ac right', 'service internet');
  t.true(dsl.until(UP));
  t.is(wrong.ends.size, 0);
  t.is(right.ends.size, 1);
  t.is(Buffer.from(right.heard.at(-1)!.tags.get(0x0101)!).toString(), 'internet');
  t.regex(dsl.type('ping 198.51.100.1 count 1'), /1 sent, 1 received/);
});
