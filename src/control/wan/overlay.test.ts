// What few set of the WAN, on the wire: who we say that we are, another station address, a VLAN, a modem.

import test from 'ava';
import { address, macText, udp } from '../../../test/packets.ts';
import { DISCOVER, obliging, RELEASE, SERVER_MAC, WAN_MAC, WanLab } from '../../../test/wan-lab.ts';
import { IF_VLAN, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_WAN } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { TO_NEXT_HOP } from '../../base/route-record.ts';
import type { Refusal } from '../core/console/command.ts';
import { createRoutes } from '../routes/routes.ts';
import { setRare } from './overlay.ts';

const START = 2;
const OTHER = '02:00:00:00:00:99';

function leased(): WanLab & { rare(words: string, text: string): string } {
  const lab = new WanLab();
  lab.server = obliging('203.0.113.10', 3600, []);
  lab.wan.start(false);
  lab.run(START);
  return Object.assign(lab, {
    rare: (words: string, text: string): string => {
      try {
        setRare(lab.context, lab.wan, words, text);
        return '';
      } catch (error) {
        return (error as Refusal).message;
      }
    },
  });
}

test.serial('client identifier and vendor class: the old lease is given back, the new one asked for', t => {
  const lab = leased();
  const id = (): number[] | undefined => {
    const value = lab.sent.at(-1)?.options.get(61);
    return value === undefined ? undefined : [...value];
  };
  const own = id();
  t.is(own?.length, 7);
  for (const [text, bytes] of [
    ['none', undefined],
    ['me@isp|secret', [...Buffer.from('me@isp|secret')]],
    ['01:02:0a', [1, 2, 10]],
    ['who is\\x3f', [...Buffer.from('who is?')]],
    ['\\x20a\\x20\\x20b', [...Buffer.from(' a  b')]],
    ['mac', own],
    ['', own],
  ] as const) {
    const before = id();
    const count = lab.sent.length;
    t.is(lab.rare('client-id', text), '');
    lab.run(START);
    const [release, discover] = lab.sent.slice(count);
    t.deepEqual([release?.type, discover?.type], [RELEASE, DISCOVER]);
    t.deepEqual(release?.options.get(61) && [...release.options.get(61)!], before, 'as who we were');
    t.deepEqual(id(), bytes && [...bytes]);
    t.is(lab.wan.rare.get('client-id'), text === 'mac' || text === '' ? undefined : text);
  }
  t.is(lab.rare('vendor-class', 'docsis3.0'), '');
  lab.run(START);
  t.is(Buffer.from(lab.sent.at(-1)!.options.get(60)!).toString(), 'docsis3.0');
  t.is(lab.rare('vendor-class', ''), '');
  lab.run(START);
  t.is(lab.sent.at(-1)!.options.get(60), undefined);
});

test.serial('another station address: in frames, ARP and DHCP, and back to the card’s own', t => {
  const lab = leased();
  const chaddr = (): string => macText(lab.sent.at(-1)!.bytes, 28);
  t.is(chaddr(), WAN_MAC);
  for (const mac of ['01:00:00:00:00:01', '00:00:00:00:00:00', '1:2', 'ff:ff:ff:ff:ff:ff'])
    t.regex(lab.rare('mac', mac), /^Cannot set WAN mac /);
  for (const [text, mac] of [
    [OTHER, OTHER],
    ['', WAN_MAC],
  ] as const) {
    t.is(lab.rare('mac', text), '');
    lab.run(START);
    t.is(chaddr(), mac);
    t.is(lab.address(), '203.0.113.10/24');
    lab.toWan.length = 0;
    lab.fromHost(udp({ source: '192.168.0.50', destination: '9.9.9.9' }, 4000, 53));
    lab.run(1);
    t.is(macText(lab.toWan[0]!, 6), mac);
  }
});

test.serial('set wan vlan: its range, the plane, and none again', t => {
  const lab = leased();
  const vlan = (): number => i32at(interfaceAt(INTERFACE_WAN) + IF_VLAN);
  for (const text of ['0', '4095', 'x', '12345'])
    t.regex(lab.rare('vlan', text), /^Cannot set WAN vlan .*1 to 4094$/);
  t.is(vlan(), 0);
  t.is(lab.rare('vlan', '7'), '');
  t.is(vlan(), 7);
  t.is(lab.rare('vlan', ''), '');
  t.is(vlan(), 0);
  lab.run(START);
  t.is(lab.address(), '203.0.113.10/24');
});

test.serial('set wan modem: one address on the link, with the WAN’s address as source', t => {
  const lab = leased();
  const modem = '192.168.100.1';
  t.regex(lab.rare('modem', '192.168.0.7'), /it is in the LAN's network/);
  t.regex(lab.rare('modem', '224.0.0.1'), /multicast/);
  t.regex(lab.rare('modem', '203.0.113.10'), /it is the WAN's own address/);
  t.is(lab.rare('modem', modem), '');
  lab.stations.set(modem, '02:00:00:00:00:77');
  lab.toWan.length = 0;
  lab.fromHost(udp({ source: '192.168.0.50', destination: modem }, 4000, 80));
  lab.run(1);
  t.is(macText(lab.toWan[0]!), '02:00:00:00:00:77');
  t.is(lab.toWan[0]!.slice(26, 30).join('.'), '203.0.113.10');
  lab.wan.renew();
  lab.run(1);
  t.is(lab.rare('modem', '192.168.100.2'), '');
  t.is(lab.rare('modem', ''), '');
  lab.toWan.length = 0;
  for (const host of [modem, '192.168.100.2'])
    lab.fromHost(udp({ source: '192.168.0.50', destination: host }, 4000, 80));
  lab.run(1);
  t.deepEqual(
    lab.toWan.map(frame => macText(frame)),
    [SERVER_MAC, SERVER_MAC],
    'by the gateway again',
  );
});

test.serial(
  'the modem’s route and one that is set for the same host: the second is refused, the first stays',
  t => {
    const lab = leased();
    const modem = '192.168.100.1';
    const routes = createRoutes(lab.context, { onChange() {} });
    lab.context.registry.add(routes, {
      words: 'wan modem',
      arguments: '',
      help: '',
      set: () => {},
      lines: () => (lab.wan.rare.has('modem') ? [`set wan modem ${lab.wan.rare.get('modem')}`] : []),
    });
    routes.set([`${modem}/32`, '192.168.0.2']);
    t.is(
      lab.rare('modem', modem),
      `Cannot set WAN modem ${modem}: there is a set route ${modem}/32, see unset route`,
    );
    const hop = (): number => i32at(lab.plane.routeTo(address(modem)) + TO_NEXT_HOP);
    t.is(hop(), address('192.168.0.2'));
    routes.unset?.([`${modem}/32`]);
    t.is(lab.rare('modem', modem), '');
    t.is(
      t.throws(() => routes.set([`${modem}/32`, '192.168.0.2'])).message,
      `Cannot set route ${modem}/32: it is that of set wan modem, or of who has called in`,
    );
    t.is(hop(), address(modem));
    t.is(lab.rare('modem', ''), '');
    routes.set([`${modem}/32`, '192.168.0.2']);
    t.is(hop(), address('192.168.0.2'));
  },
);
