// What the WAN makes of a lease: address, MTU, routes, servers, and the LAN that moves out of the way.

import test from 'ava';
import { address, addressText, udp } from '../../../test/packets.ts';
import {
  ACK,
  addressOption,
  DISCOVER,
  NAK,
  OFFER,
  obliging,
  SERVER_MAC,
  WanLab,
} from '../../../test/wan-lab.ts';
import { IF_MTU, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_LAN, INTERFACE_WAN, ROUTE_BYTES, ROUTE_COUNT, ROUTES_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  ROUTE_DESTINATION,
  ROUTE_GATEWAY,
  ROUTE_LINK,
  ROUTE_MASK,
  ROUTE_USED,
  TO_NEXT_HOP,
  TO_ROUTE,
} from '../../base/route-record.ts';
import { formatPrefix, lengthOf } from '../core/address.ts';
import { createOutput } from '../core/console/output.ts';
import {
  LEASE_LEAST_SECONDS,
  LEASE_MOST_SECONDS,
  LEASE_ROUTES,
  LEASE_SERVERS,
  STATIC_ROUTES,
} from '../core/limits.ts';
import { createRoutes } from '../routes/routes.ts';
import { setRare } from './overlay.ts';

const START = 2;

function leased(yiaddr: string, options: number[][], prepare: (lab: WanLab) => void = () => {}): WanLab {
  const lab = new WanLab();
  lab.server = obliging(yiaddr, 3600, options);
  prepare(lab);
  lab.wan.start(false);
  lab.run(START);
  return lab;
}

function routes(): string[] {
  const list: string[] = [];
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(at + ROUTE_USED) === 0) continue;
    const prefix = formatPrefix(i32at(at + ROUTE_DESTINATION), lengthOf(i32at(at + ROUTE_MASK)));
    list.push(`${prefix} ${addressText(i32at(at + ROUTE_GATEWAY))}`);
  }
  return list.sort();
}

const mtu = () => i32at(interfaceAt(INTERFACE_WAN) + IF_MTU);
const mtuOption = (bytes: number) => [26, 2, bytes >> 8, bytes & 255];
const mask = (text: string) => addressOption(1, text);

test.serial('gateway, servers and domain of a lease are used, and told of', t => {
  const lab = leased('203.0.113.10', [
    addressOption(6, '9.9.9.9', '0.0.0.0', '9.9.9.9', '224.1.1.1', '8.8.8.8'),
    addressOption(42, '192.0.2.123'),
    [15, 11, ...Buffer.from('Example.NET')],
  ]);
  t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.1']);
  t.deepEqual(lab.wan.dnsServers().map(addressText), ['9.9.9.9', '8.8.8.8']);
  t.deepEqual(lab.wan.ntpServers().map(addressText), ['192.0.2.123']);
  t.is(lab.wan.domain(), 'example.net');
  t.is(lab.changes, 2);
  lab.server = obliging('203.0.113.10', 3600, [addressOption(6, '1.1.1.1')]);
  lab.wan.renew();
  lab.run(1);
  t.is(lab.changes, 3, 'a renewal that brings other servers is told of');
  t.deepEqual(lab.wan.dnsServers().map(addressText), ['1.1.1.1']);
  t.is(lab.wan.domain(), 'example.net', 'what is left out stays');
});

test.serial('of a lease four servers of a kind are taken, the first, and the others are not asked', t => {
  const many = (code: number) =>
    addressOption(code, ...Array.from({ length: LEASE_SERVERS + 2 }, (_, i) => `9.9.9.${i + 1}`));
  const { wan } = leased('203.0.113.10', [many(6), many(42)]);
  const wanted = ['9.9.9.1', '9.9.9.2', '9.9.9.3', '9.9.9.4'];
  t.deepEqual(wan.dnsServers().map(addressText), wanted);
  t.deepEqual(wan.ntpServers().map(addressText), wanted);
});

test.serial(
  'a lease that is too short is refused, and the log says why; one that is too long is renewed earlier',
  t => {
    const of = (seconds: number): WanLab => {
      const lab = new WanLab();
      lab.server = obliging('203.0.113.10', seconds, []);
      lab.wan.start(false);
      lab.run(START);
      return lab;
    };
    const short = of(LEASE_LEAST_SECONDS - 1);
    t.is(short.address(), '');
    t.true(short.logged.includes('wan: cannot use the offer of 203.0.113.1: its lease time is 9 s'));
    t.is(of(LEASE_LEAST_SECONDS).address(), '203.0.113.10/24');
    t.is(of(LEASE_MOST_SECONDS).client.lease?.seconds, LEASE_MOST_SECONDS);
    const { lease } = of(LEASE_MOST_SECONDS + 1).client;
    t.deepEqual([lease?.seconds, lease?.isForever], [LEASE_MOST_SECONDS, false]);
    t.is(lease?.renewalSeconds, LEASE_MOST_SECONDS / 2);
  },
);

test.serial('a domain that is no name is not taken', t => {
  for (const bytes of [[27, 91, 50, 74], [45, 97], [97, 32, 98], [0], Buffer.from('x'.repeat(254))]) {
    t.is(leased('203.0.113.10', [[15, bytes.length, ...bytes]]).wan.domain(), '');
  }
});

test.serial('option 121 replaces option 3 (RFC 3442)', t => {
  const both = addressOption(3, '203.0.113.9');
  leased('203.0.113.10', [
    both,
    [121, 20, 0, 203, 0, 113, 5, 24, 10, 9, 8, 203, 0, 113, 6, 12, 172, 31, 0, 0, 0, 0],
  ]);
  t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.5', '10.9.8.0/24 203.0.113.6', '172.16.0.0/12 0.0.0.0']);
  leased('203.0.113.10', [both, [121, 8, 24, 10, 9, 8, 203, 0, 113, 6]]);
  t.deepEqual(routes(), ['10.9.8.0/24 203.0.113.6'], 'no default route is brought, so there is none');
});

test.serial('option 33 changes no route', t => {
  const both = addressOption(3, '203.0.113.9');
  leased('203.0.113.10', [both, [33, 8, 10, 9, 8, 7, 203, 0, 113, 6]]);
  t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.9']);
});

test.serial('absurd routes are left out; where option 121 is malformed, option 3 counts', t => {
  const gateway = [203, 0, 113, 6];
  const absurd = [
    [8, 127, ...gateway],
    [4, 224, ...gateway],
    [8, 0, ...gateway],
    [24, 10, 9, 8, 224, 0, 0, 1],
    [24, 10, 9, 8, 203, 0, 113, 10], // by ourselves
    [0, 0, 0, 0, 0], // the whole internet by ARP
  ].flat();
  leased('203.0.113.10', [[121, absurd.length + 8, ...absurd, 24, 10, 7, 7, ...gateway]]);
  t.deepEqual(routes(), ['10.7.7.0/24 203.0.113.6']);
  const right = [24, 10, 7, 7, ...gateway, 16, 10, 1, ...gateway];
  for (let n = 1; n < right.length; n++) {
    if (n === 8) continue; // one whole route
    leased('203.0.113.10', [addressOption(3, '203.0.113.1'), [121, n, ...right.slice(0, n)]]);
    t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.1'], `cut at ${n}`);
  }
  leased('203.0.113.10', [addressOption(3, '203.0.113.1'), [121, 9, 33, 10, 7, 7, 7, ...gateway]]);
  t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.1']);
});

test.serial('no more routes than fit are taken, and all go with the lease', t => {
  const many = Array.from({ length: 30 }, (_, i) => [24, 10, 7, i, 203, 0, 113, 6]).flat();
  const lab = leased('203.0.113.10', [[121, many.length, ...many]]);
  t.is(routes().length, LEASE_ROUTES);
  lab.wan.client.stop();
  t.deepEqual(routes(), []);
});

test.serial('static routes, those of a lease, its gateway and the modem’s all have room', t => {
  const many = Array.from({ length: 30 }, (_, i) => [24, 10, 7, i, 203, 0, 113, 6]).flat();
  const lab = leased('203.0.113.10', [[121, many.length + 5, 0, 203, 0, 113, 1, ...many]], ({ context }) => {
    for (let i = 0; i < STATIC_ROUTES; i++)
      createRoutes(context, { onChange() {} }).set([`10.${100 + i}.0.0/16`, '192.168.0.2']);
  });
  setRare(lab.context, lab.wan, 'modem', '192.168.100.1');
  const all = routes();
  t.is(all.length, STATIC_ROUTES + LEASE_ROUTES + 1);
  t.is(all.length, ROUTE_COUNT);
  t.is(all.filter(route => route.endsWith('192.168.0.2')).length, STATIC_ROUTES);
  for (const route of ['0.0.0.0/0 203.0.113.1', '192.168.100.1/32 0.0.0.0'])
    t.true(all.includes(route), route);
  t.deepEqual(
    lab.logged.filter(line => line.includes('full')),
    [],
  );
});

test.serial(
  'no route of a lease captures the LAN or what was set by hand, and both are there when it ends',
  t => {
    const gateway = [203, 0, 113, 1];
    const captures = [
      [25, 192, 168, 0, 128, ...gateway], // half of our LAN
      [16, 10, 20, ...gateway], // what is set by hand
      [24, 10, 20, 3, ...gateway], // a part of it
      [24, 10, 99, 1, ...gateway], // nobody's
      [0, ...gateway],
    ].flat();
    const lab = leased('203.0.113.10', [[121, captures.length, ...captures]], ({ context }) => {
      createRoutes(context, { onChange() {} }).set(['10.20.0.0/16', '192.168.0.2']);
    });
    const { plane } = lab;
    const way = (text: string): string => {
      const to = plane.routeTo(address(text));
      return `${i32at(to + TO_ROUTE) & ROUTE_LINK} ${addressText(i32at(to + TO_NEXT_HOP))}`;
    };
    const byHand = () => {
      for (const host of ['10.20.1.1', '10.20.3.1', '10.20.255.9'])
        t.is(way(host), `${INTERFACE_LAN} 192.168.0.2`);
      t.is(way('192.168.0.200'), `${INTERFACE_LAN} 192.168.0.200`);
    };
    byHand();
    t.is(way('10.99.1.1'), `${INTERFACE_WAN} 203.0.113.1`);
    lab.server = obliging('203.0.113.10', 3600, [[121, 14, 16, 10, 20, ...gateway, 16, 10, 99, ...gateway]]);
    lab.wan.renew();
    lab.run(1);
    byHand();
    lab.wan.client.stop();
    byHand();
    t.deepEqual(routes(), ['10.20.0.0/16 192.168.0.2']);
  },
);

test.serial('a set route whose gateway is not there yet lets no route of a lease have its destination', t => {
  const wide = [16, 10, 99, 203, 0, 113, 77];
  const part = [24, 10, 99, 3, 203, 0, 113, 77];
  const all = [0, 203, 0, 113, 1];
  let unset = (): void => {};
  const lab = leased('203.0.113.10', [[121, 20, ...wide, ...part, ...all]], ({ context }) => {
    const setting = createRoutes(
      { ...context, output: createOutput({ write: text => text.length }) },
      { onChange() {} },
    );
    setting.set(['10.99.0.0/16', '192.168.7.2']);
    unset = () => setting.unset?.(['10.99.0.0/16']);
  });
  const hop = (text: string): string => addressText(i32at(lab.plane.routeTo(address(text)) + TO_NEXT_HOP));
  for (const host of ['10.99.1.1', '10.99.3.1']) t.is(hop(host), '203.0.113.1', host);
  unset();
  for (const host of ['10.99.1.1', '10.99.3.1']) t.is(hop(host), '203.0.113.77', host);
});

test.serial(
  'an MTU of 576 to 1500 is taken, a smaller one is ignored, a larger one cut, ours goes first',
  t => {
    const rows = [
      [575, 1500],
      [68, 1500],
      [0, 1500],
      [576, 576],
      [1492, 1492],
      [1500, 1500],
      [9000, 1500],
    ] as const;
    for (const [given, used] of rows) {
      leased('203.0.113.10', [mtuOption(given)]);
      t.is(mtu(), used, `given ${given}`);
    }
    const lab = leased('203.0.113.10', [mtuOption(1400)], lab => lab.wan.setMtu(1300));
    t.is(mtu(), 1300);
    lab.wan.setMtu(undefined);
    t.is(mtu(), 1400);
  },
);

test.serial("a mask that is none is the class's; a mask of one address works with a gateway elsewhere", t => {
  t.is(leased('203.0.113.10', [mask('255.0.255.0')]).address(), '203.0.113.10/24');
  t.is(leased('10.1.2.3', [mask('0.0.0.0')]).address(), '10.1.2.3/8');
  t.is(leased('172.20.2.3', [mask('128.0.0.0')]).address(), '172.20.2.3/16');
  const lab = leased('198.51.100.9', [mask('255.255.255.255')]);
  t.is(lab.address(), '198.51.100.9/32');
  t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.1']);
  lab.wan.renew();
  lab.run(1);
  t.is(lab.took().at(-1), 'REQUEST', 'the server is reached by the gateway');
  t.is(lab.wan.client.state, 'bound');
});

test.serial("the LAN moves out of the WAN's way, and says so", t => {
  const rows: [string, string, string][] = [
    ['192.168.0.33', '255.255.255.0', '192.168.1.1/24'],
    ['192.168.0.33', '255.255.0.0', '10.77.0.1/24'],
    ['192.168.0.33', '255.255.255.252', '192.168.1.1/24'],
    ['192.168.1.33', '255.255.255.0', '192.168.0.1/24'],
    ['10.0.2.15', '255.0.0.0', '192.168.0.1/24'],
  ];
  for (const [given, netmask, lan] of rows) {
    const lab = leased(given, [mask(netmask), addressOption(3)]);
    t.is(lab.address(INTERFACE_LAN), lan, given);
    t.true(lab.address().startsWith(given));
    const said = lab.logged.some(line =>
      line.startsWith(`lan: moved from 192.168.0.1 to ${lan}, as the WAN has`),
    );
    t.is(said, lan !== '192.168.0.1/24');
  }
});

test.serial('a gateway inside the LAN is as bad as a network that is', t => {
  const lab = leased('203.0.113.10', [mask('255.255.255.255'), addressOption(3, '192.168.0.254')]);
  t.is(lab.address(INTERFACE_LAN), '192.168.1.1/24');
  t.deepEqual(routes(), ['0.0.0.0/0 192.168.0.254']);
});

test.serial('a LAN that was set by hand stays, and the WAN gets no address: the log says why, once', t => {
  const lab = leased('192.168.0.33', [], lab => lab.set('set lan address 192.168.0.1/24'));
  lab.run(600);
  t.is(lab.address(INTERFACE_LAN), '192.168.0.1/24');
  t.is(lab.address(), '');
  const why =
    "wan: cannot use the offer of 203.0.113.1: 192.168.0.0/24 shares addresses with the LAN's 192.168.0.0/24, " +
    'which was set by hand';
  t.is(lab.logged.filter(line => line === why).length, 1);
  lab.set('unset lan address');
  lab.run(66);
  t.is(lab.address(), '192.168.0.33/24');
  t.is(lab.address(INTERFACE_LAN), '192.168.1.1/24');
});

test.serial(
  'a lease whose network is in a route that was set by hand is not used: the log says why, once',
  t => {
    const by = (route: string) => (lab: WanLab) =>
      createRoutes(lab.context, { onChange() {} }).set([route, '192.168.0.2']);
    const network = [mask('255.255.255.0')];
    const lab = leased('10.20.3.10', network, by('10.20.0.0/16'));
    lab.run(600);
    t.is(lab.address(), '');
    const why =
      'wan: cannot use the offer of 203.0.113.1: 10.20.3.0/24 is in 10.20.0.0/16, to which a route was set by hand';
    t.deepEqual(
      lab.logged.filter(line => line.includes('10.20.0.0/16')),
      [why],
    );
    t.is(leased('10.20.3.10', network, by('10.20.3.0/25')).address(), '10.20.3.10/24', 'the longer one wins');
    t.is(leased('10.21.3.10', network, by('10.20.0.0/16')).address(), '10.21.3.10/24');
  },
);

test.serial('the WAN that moves into the LAN in mid-life moves the LAN too', t => {
  const lab = leased('203.0.113.10', []);
  lab.server = message =>
    message.ciaddr === '203.0.113.10' ? { type: NAK } : obliging('192.168.0.50')(message);
  lab.wan.renew();
  lab.run(START + 1);
  t.is(lab.address(), '192.168.0.50/24');
  t.is(lab.address(INTERFACE_LAN), '192.168.1.1/24');
});

test.serial('set wan address gives the lease back; set wan dhcp and none take the address away', t => {
  const lab = leased('203.0.113.10', [[121, 13, 24, 10, 7, 7, 203, 0, 113, 6, 0, 203, 0, 113, 1]]);
  lab.took();
  t.is(lab.wan.setAddress({ address: address('192.168.0.9'), length: 24 })?.startsWith('it shares'), true);
  t.is(lab.address(), '203.0.113.10/24', 'a refused address changes nothing');
  t.is(lab.wan.setGateway(address('203.0.113.1')), 'it comes by DHCP, see set wan address');
  t.is(lab.wan.setAddress({ address: address('203.0.113.77'), length: 24 }), undefined);
  lab.settle();
  t.deepEqual(lab.took(), ['RELEASE']);
  t.is(lab.address(), '203.0.113.77/24');
  t.deepEqual(routes(), []);
  const changes = lab.changes;
  t.is(lab.wan.setGateway(address('203.0.113.1')), undefined);
  t.is(lab.changes, changes + 1, 'now there is a way for who waits for one');
  lab.run(100);
  t.deepEqual(lab.took(), []);
  lab.wan.setNone();
  t.is(lab.address(), '');
  t.deepEqual(routes(), []);
  lab.wan.setDhcp();
  lab.run(START);
  t.is(lab.address(), '203.0.113.10/24');
});

test.serial('what an ACK leaves out holds as the offer said it, and as the ACK before', t => {
  const told = [
    addressOption(3, '203.0.113.6'),
    addressOption(6, '9.9.9.9'),
    mtuOption(1400),
    mask('255.255.255.128'),
  ];
  const lab = new WanLab();
  lab.server = ({ type }) =>
    type === DISCOVER
      ? { type: OFFER, yiaddr: '203.0.113.10', seconds: 7200, options: told }
      : { type: ACK, yiaddr: '203.0.113.10', bare: true };
  lab.wan.start(false);
  lab.run(START);
  const whole = (): void => {
    t.is(lab.address(), '203.0.113.10/25');
    t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.6']);
    t.deepEqual(lab.wan.dnsServers().map(addressText), ['9.9.9.9']);
    t.is(mtu(), 1400);
    t.is(lab.wan.client.lease?.seconds, 7200);
  };
  whole();
  lab.wan.renew();
  lab.run(1);
  whole();
  lab.control();
  lab.wan.start(true);
  whole();
  lab.run(2);
  whole();
  // What it says counts: option 121 is not put beside an option 3 of now.
  lab.server = () => ({
    type: ACK,
    yiaddr: '203.0.113.10',
    bare: true,
    options: [addressOption(3, '203.0.113.1')],
  });
  lab.wan.renew();
  lab.run(1);
  t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.1']);
});

test.serial('an ACK that names no server is that of the offer, or of the lease; a NAK must name it', t => {
  const lab = new WanLab();
  const ack = { type: ACK, yiaddr: '203.0.113.10', server: '', bare: true };
  const told = [addressOption(3, '203.0.113.6'), addressOption(6, '9.9.9.9')];
  lab.server = ({ type }) =>
    type === DISCOVER ? { type: OFFER, yiaddr: '203.0.113.10', seconds: 7200, options: told } : ack;
  lab.wan.start(false);
  lab.run(START);
  const whole = (seconds: number): void => {
    t.is(lab.address(), '203.0.113.10/24');
    t.deepEqual(routes(), ['0.0.0.0/0 203.0.113.6']);
    const { lease } = lab.wan.client;
    t.deepEqual([addressText(lease?.server ?? 0), lease?.seconds], ['203.0.113.1', seconds]);
  };
  whole(7200);
  lab.server = () => ({ ...ack, seconds: 3600 });
  lab.wan.renew();
  lab.run(1);
  whole(3600);
  const other = new WanLab();
  other.server = ({ type }) =>
    type === DISCOVER ? { type: OFFER, yiaddr: '203.0.113.10', seconds: 7200 } : { type: NAK, server: '' };
  other.wan.start(false);
  other.run(START);
  t.is(other.wan.client.state, 'requesting');
});

test.serial('a lease without a time is for an hour, in the offer or not', t => {
  for (const inOffer of [true, false]) {
    const lab = new WanLab();
    lab.server = ({ type }) => {
      const times = inOffer && type === DISCOVER ? { seconds: 600 } : {};
      return { type: type === DISCOVER ? OFFER : ACK, yiaddr: '203.0.113.10', ...times };
    };
    lab.wan.start(false);
    lab.run(START);
    t.is(lab.wan.client.lease?.seconds, inOffer ? 600 : 3600);
  }
});

test.serial('an address of /31 or /32 is taken, with a gateway outside, but for one inside the LAN', t => {
  const lab = new WanLab();
  lab.wan.start(false);
  for (const length of [31, 32]) {
    t.is(lab.wan.setAddress({ address: address('203.0.113.9'), length }), undefined);
    t.is(lab.wan.setGateway(address('198.51.100.1')), undefined);
    t.deepEqual(routes(), ['0.0.0.0/0 198.51.100.1']);
    t.is(lab.address(), `203.0.113.9/${length}`);
    t.is(lab.wan.setAddress({ address: address('203.0.113.8'), length }), undefined);
    t.deepEqual(routes(), ['0.0.0.0/0 198.51.100.1'], 'it stays');
    t.regex(lab.wan.setGateway(address('192.168.0.77')) ?? '', /LAN's network/);
    t.is(lab.wan.setGateway(address('203.0.113.8')), "it is the WAN's own address");
  }
  lab.stations.set('198.51.100.1', SERVER_MAC);
  lab.fromHost(udp({ source: '192.168.0.50', destination: '9.9.9.9' }, 4000, 53));
  lab.run(1);
  t.is(lab.toWan.length, 1, 'it is found on the link');
  lab.wan.setAddress({ address: address('203.0.113.9'), length: 24 });
  t.deepEqual(routes(), []);
  t.regex(lab.wan.setGateway(address('198.51.100.1')) ?? '', /not in the WAN's network/);
});
