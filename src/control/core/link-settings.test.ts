// The settings that links have in common: MTU of the LAN, all of a further card's link, and a WAN that is another link than
// the second.

import test from 'ava';
import { addressText, payload, read, tcp, udp } from '../../../test/packets.ts';
import { SERVER as FAR, HOST, OTHER, startRouter } from '../../../test/plane-router.ts';
import { addressOption, obliging, SERVER, WanLab } from '../../../test/wan-lab.ts';
import { javascriptBuild } from '../../../tools/builds.ts';
import { IF_MTU, IF_SIDE, INTERFACE_INSIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_LAN, INTERFACE_WAN, MTU_DEFAULT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { absentText, isMissed } from './absent.ts';
import { gatewayOf, outsideLink, prefixOf, setMtu } from './addresses.ts';
import { interfaceName } from './facts.ts';
import { linkNamed } from './link-names.ts';

const mtu = (link: number) => i32at(interfaceAt(link) + IF_MTU);
const side = (link: number) => i32at(interfaceAt(link) + IF_SIDE);
const THIRD = 2;

test.serial("the LAN's MTU is set, listed, kept when the LAN moves, and taken back", t => {
  const lab = new WanLab();
  const lines = () => lab.context.registry.lines();
  t.deepEqual(lines(), []);
  lab.set('set lan mtu 1400');
  t.is(mtu(INTERFACE_LAN), 1400);
  t.deepEqual(lines(), ['set lan mtu 1400']);
  lab.set('set lan address 10.0.0.1/24');
  t.is(mtu(INTERFACE_LAN), 1400);
  t.is(lab.address(INTERFACE_LAN), '10.0.0.1/24');
  lab.set('unset lan address');
  // It makes room for the WAN, and keeps it.
  lab.server = obliging('192.168.0.7', 3600, []);
  lab.wan.start(false);
  lab.run(3);
  t.is(lab.address(INTERFACE_LAN), '192.168.1.1/24');
  t.is(mtu(INTERFACE_LAN), 1400);
  for (const wrong of ['67', '1501', 'x', '123456'])
    t.throws(() => lab.set(`set lan mtu ${wrong}`), {
      message: new RegExp(`^Cannot set LAN MTU ${wrong}: `),
    });
  lab.set('unset lan mtu');
  t.is(mtu(INTERFACE_LAN), MTU_DEFAULT);
  t.deepEqual(lines(), []);
});

test.serial('what is too long for the LAN is cut for it, and TCP is told before', t => {
  const build = javascriptBuild();
  const router = startRouter(build);
  t.is(setMtu(build.plane, INTERFACE_LAN, INTERFACE_INSIDE, 576), undefined);
  router.fromHost(udp({ source: HOST, destination: FAR }, 1043, 53));
  const out = read(router.toWan()[0] as Uint8Array);
  router.fromGateway(udp({ source: FAR, destination: out.source }, 53, 1043, payload(1000)));
  const parts = router.toLan();
  t.is(parts.length, 2);
  t.true(parts.every(part => part.length <= 576));
  const syn = { sourcePort: 7, destinationPort: 80, flags: 2, options: [2, 4, 1460 >> 8, 1460 & 255] };
  router.fromHost(tcp({ source: OTHER, destination: FAR }, syn));
  const [sent] = router.toWan();
  t.is(((sent?.[42] ?? 0) << 8) | (sent?.[43] ?? 0), 536);
});

test.serial(
  "a further card's link has role, address and MTU by a setting, and shares nothing with others",
  t => {
    const lab = new WanLab();
    const lines = () => lab.context.registry.lines();
    lab.set('set link if2 inside 10.7.0.1/24');
    t.is(side(THIRD), INTERFACE_INSIDE);
    t.deepEqual(lines(), ['set link if2 inside 10.7.0.1/24']);
    lab.set('set link if2 outside 10.7.0.1/24 1300');
    t.is(side(THIRD), INTERFACE_OUTSIDE);
    t.is(mtu(THIRD), 1300);
    t.is(lab.address(THIRD), '10.7.0.1/24');
    t.deepEqual(lines(), ['set link if2 outside 10.7.0.1/24 1300']);
    // Each refuses what another has, in whichever order; what is refused changes nothing.
    for (const [line, message] of [
      [
        'lan address 10.7.0.9/16',
        /^Cannot set LAN address 10.7.0.9\/16: it shares addresses with the if2's network 10.7.0.0\/24$/,
      ],
      ['link if3 inside 192.168.0.9/24', /^Cannot set if3 address .*the LAN's network 192.168.0.0\/24$/],
      ['link if3 inside 10.8.0.255/24', /^Cannot set if3 address 10.8.0.255\/24: /],
      ['link if2 perhaps 10.8.0.1/24', /^Cannot set if2 role perhaps: /],
      ['link if2 inside 10.7.0.1/32', /^Cannot set if2 address 10.7.0.1\/32: /],
      ['link if2 inside 10.7.0.1/24 67', /^Cannot set if2 MTU 67: /],
      ['link if2 inside 10.7.0.1/24 x', /^Cannot set if2 MTU x: /],
      ['link wan inside 10.8.0.1/24', /^Cannot set link wan: it is not if2 or if3$/],
    ] as const) {
      t.throws(() => lab.set(`set ${line}`), { message });
      t.deepEqual(lines(), ['set link if2 outside 10.7.0.1/24 1300'], line);
    }
    lab.set('set link if2 outside 10.7.0.1/32');
    t.deepEqual(lines(), ['set link if2 outside 10.7.0.1/32']);
    lab.set('unset link if2');
    t.deepEqual(lines(), []);
    t.is(side(THIRD), INTERFACE_INSIDE);
  },
);

test.serial(
  'a lease that takes addresses of a further link is refused, and the LAN moves to none of them',
  t => {
    const lab = new WanLab();
    lab.set('set link if2 inside 203.0.113.65/26');
    lab.server = obliging('203.0.113.10', 3600, []);
    lab.wan.start(false);
    lab.run(3);
    t.is(lab.address(), '');
    t.true(
      lab.logged.some(text => text.includes('if2')),
      lab.logged.join('\n'),
    );
    lab.set('set link if2 inside 192.168.1.1/24');
    lab.server = obliging('192.168.0.7', 3600, []);
    lab.run(120);
    t.is(lab.address(), '192.168.0.7/24');
    t.is(lab.address(INTERFACE_LAN), '10.77.0.1/24');
  },
);

for (const link of [THIRD, 7]) {
  test.serial(`the WAN may be link ${link}: the client's address, gateway and routes are that link's`, t => {
    const lab = new WanLab(1, link);
    lab.server = obliging('203.0.113.10', 3600, [addressOption(3, SERVER)]);
    lab.wan.start(false);
    lab.run(3);
    t.is(lab.address(), '203.0.113.10/24');
    t.is(prefixOf(INTERFACE_WAN), undefined);
    t.is(side(link), INTERFACE_OUTSIDE);
    t.is(addressText(gatewayOf(link) ?? 0), SERVER);
    t.is(gatewayOf(INTERFACE_WAN), undefined);
    t.is(outsideLink(), link);
    t.deepEqual(lab.probes.length > 0, true, 'the address was probed for, there');
    lab.wan.renew();
    lab.run(2);
    t.is(lab.wan.client.state, 'bound');
    lab.wan.client.stop();
    t.is(lab.address(), '');
    t.is(outsideLink(), INTERFACE_WAN);
  });
}

test('links have names, and those that scripts of the time use', t => {
  t.deepEqual([0, 1, 2, 4, 5, 6].map(interfaceName), ['lan', 'wan', 'if2', 'ppp0', 'ppp1', 'sl0']);
  t.deepEqual(['lan', 'wan', 'eth0', 'eth1', 'if3', 'ppp0', 'eth9', '', 'LAN'].map(linkNamed), [
    ...[0, 1, 0, 1, 3, 4, -1, -1, -1],
  ]);
});

test.serial('a link that is set, and has no card, is told of; one that is not set is not', t => {
  const lab = new WanLab();
  t.false(isMissed(THIRD));
  lab.set('set link if2 outside 10.7.0.1/24');
  t.true(isMissed(THIRD));
  t.is(absentText(THIRD), 'no network card was found');
  lab.set('unset link if2');
  t.false(isMissed(THIRD));
  t.false(isMissed(INTERFACE_LAN));
});
