import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import * as packets from '../../../test/packets.ts';
import { HOST, LAN, OTHER, SERVER, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { formatTicks } from '../core/duration.ts';
import { masqueradeCommands } from '../masquerade/commands.ts';
import { flowRow, short } from './flows.ts';
import { periodHeader, periodRow, tableRow } from './masquerade.ts';
import type { Session } from './masquerade-view.ts';

const session: Session = {
  protocol: 6,
  inside: 0xc0a80102 | 0,
  insidePort: 1043,
  outside: 0x0a010203,
  outsidePort: 61013,
  remote: 0xcc98b870 | 0,
  remotePort: 80,
  state: 'ESTABLISHED',
  ticks: 89997,
  initialSequence: 0,
  delta: 0,
  previousDelta: 0,
};
const query = {
  ...session,
  protocol: 1,
  insidePort: 512,
  outsidePort: 61015,
  remotePort: 8,
  state: 'answered',
};

test('periodRow() and periodHeader() are the bytes of the tools', t => {
  t.is(periodHeader(false), 'prot expire   source               destination          ports');
  t.is(
    periodHeader(true),
    'prot expire      initseq delta prevd source               destination          ports',
  );
  t.is(
    periodRow(session, false, false),
    'tcp  14:59.97 192.168.1.2          204.152.184.112      1043 (61013) -> 80',
  );
  t.is(
    periodRow(session, true, false),
    'tcp  14:59.97          0     0     0 192.168.1.2          204.152.184.112      1043 (61013) -> 80',
  );
  t.is(
    periodRow({ ...session, protocol: 17, ticks: 29950 }, false, true),
    'UDP  04:59.50 192.168.1.2          204.152.184.112      1043 (61013) -> 80',
  );
});

test('periodRow() lists a query under ipfwadm too', t => {
  t.is(
    periodRow(query, false, false),
    'icmp 14:59.97 192.168.1.2          204.152.184.112      512 (61015) -> 8',
  );
  t.is(periodRow(query, false, true).slice(0, 5), 'ICMP ');
});

test('periodRow() lets wide numbers push the columns, as printf does', t => {
  const wide = {
    ...session,
    ticks: 744000,
    initialSequence: 4294967295,
    delta: -32768,
    previousDelta: 32767,
  };
  t.is(
    periodRow(wide, true, false),
    'tcp  124:00.00 4294967295 -32768 32767 192.168.1.2          204.152.184.112      1043 (61013) -> 80',
  );
  t.is(periodRow({ ...session, ticks: 0 }, false, false).slice(5, 13), '00:00.00');
});

test('tableRow() stays within a terminal for the widest session', t => {
  const widest = {
    ...session,
    inside: -1,
    remote: -1,
    insidePort: 65535,
    outsidePort: 65535,
    remotePort: 65535,
    ticks: 744000,
  };
  t.is(tableRow(widest), 'tcp   255.255.255.255:65535   65535 255.255.255.255:65535 ESTABLISHED 2:04:00');
  t.true(tableRow(widest).length < 80);
  t.false(tableRow(query).includes(':8'));
});

test('formatTicks() rounds up to the second', t => {
  t.is(formatTicks(0), '0:00');
  t.is(formatTicks(1), '0:01');
  t.is(formatTicks(5900), '0:59');
  t.is(formatTicks(5901), '1:00');
  t.is(formatTicks(360000), '1:00:00');
});

test('show masq lists the sessions that all filters fit: protocol, an address of either side, a port', t => {
  const { router, context, output, refusal } = controlLab();
  const FAR = '203.0.113.9';
  const flows: [from: string, to: string, sourcePort: number, destinationPort: number][] = [
    [HOST, SERVER, 5001, 80],
    [HOST, FAR, 5002, 53],
    [OTHER, SERVER, 5003, 53],
  ];
  for (const [source, destination, sourcePort, destinationPort] of flows) {
    const ip = { source, destination };
    router.fromHost(
      destinationPort === 80
        ? packets.tcp(ip, { sourcePort, destinationPort, flags: packets.SYN })
        : packets.udp(ip, sourcePort, destinationPort, new Uint8Array(4)),
    );
  }
  const show = masqueradeCommands(context, new Map()).find(({ words }) => words === 'show masq');
  const ports = (...filters: string[]): string => {
    output.length = 0;
    for (const _ of show?.run(filters) ?? []);
    const found = output.map(row => /:(500\d) /.exec(row)?.[1]).filter(port => port !== undefined);
    t.is(output.at(-1), found.length === 1 ? '1 session' : `${found.length} sessions`);
    return found.sort().join(' ');
  };
  t.is(ports(), '5001 5002 5003');
  t.is(ports('tcp'), '5001');
  t.is(ports('udp'), '5002 5003');
  t.is(ports('53'), '5002 5003');
  t.is(ports('5003'), '5003');
  t.is(ports(HOST), '5001 5002');
  t.is(ports(SERVER, 'udp'), '5003');
  t.is(ports(FAR, 'tcp'), '');
  t.regex(
    refusal(() => void show?.run(['nobody'])?.next()),
    /^Cannot show masq nobody: /,
  );
});

test('show flows counts what each side of a session and of a routed flow has sent', t => {
  const { router, context, output } = controlLab();
  const ports = [1043, 53] as const;
  router.fromHost(packets.udp({ source: HOST, destination: SERVER }, ...ports, new Uint8Array(72)));
  router.fromGateway(
    packets.udp({ source: SERVER, destination: WAN_ADDRESS }, ports[1], ports[0], new Uint8Array(472)),
  );
  router.fromHost(packets.udp({ source: HOST, destination: SERVER }, ...ports, new Uint8Array(72)));
  // What a static route leads to comes in and leaves by one link.
  const far = packets.address('10.9.0.5');
  router.plane.routeAdd(far, -1, packets.address(OTHER), LAN);
  router.fromHost(packets.echo({ source: HOST, destination: '10.9.0.5' }, 8, 7));
  const list = (words: string): string[] => {
    output.length = 0;
    for (const _ of masqueradeCommands(context, new Map())
      .find(command => command.words === words)
      ?.run([]) ?? []);
    return [...output];
  };
  t.deepEqual(list('show flows'), [
    'proto from                  to                            sent        heard',
    'udp   192.168.0.2:1043      204.152.184.112:53           2/200        1/500',
    'icmp  192.168.0.2           10.9.0.5                      1/84          0/0',
    '2 flows; packets/bytes',
  ]);
  t.is(list('show masq').at(-1), '1 session');
  const most = { packets: 4294967295, bytes: 4294967295 };
  const widest = { ...session, inside: -1, remote: -1, insidePort: 65535, remotePort: 65535 };
  t.true(flowRow(widest, most, most).length < 80);
  t.deepEqual([0, 99999, 100000, 99999999, 100000000, 4294967295].map(short), [
    '0',
    '99999',
    '100K',
    '99999K',
    '100M',
    '4294M',
  ]);
});
