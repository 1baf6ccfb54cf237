import test from 'ava';
import { controlLab } from '../../../../test/control-lab.ts';
import { contents } from '../../../../test/harness/contents.ts';
import {
  BROADCAST,
  concat,
  ethernet,
  faults,
  icmpError,
  macText,
  payload,
  put16,
  read,
  reassemble,
  udp,
} from '../../../../test/packets.ts';
import {
  GATEWAY,
  HOST,
  HOST_MAC,
  LAN_ADDRESS,
  LAN_MAC,
  SERVER,
  WAN_ADDRESS,
} from '../../../../test/plane-router.ts';
import { BUFFER_COUNT, INTERFACE_LAN, INTERFACE_WAN } from '../../../base/limits.ts';
import { PROTOCOL_UDP as UDP } from '../../../wire/ipv4.ts';
import { formatAddress, parseAddress } from '../address.ts';
import { UDP_SEND_BYTES } from '../limits.ts';
import { ANY_INTERFACE } from '../sockets.ts';
import { freePort } from './port.ts';

const address = (text: string) => parseAddress(text) as number;
const LAN_ONLY = 1 << INTERFACE_LAN;

test.serial('open() delivers a datagram with its ends, interface, bytes and station', t => {
  const { context, router, settle, memory } = controlLab();
  let heard = '';
  const receive = (d: Parameters<Parameters<typeof context.udp.open>[2]>[0]) => {
    const ends = `${formatAddress(d.source)}:${d.sourcePort} ${formatAddress(d.destination)}:${d.destinationPort}`;
    heard = `${ends} ${d.index} ${d.broadcast} ${Buffer.from(d.data)} ${macText(memory.slice(d.mac, d.mac + 6))}`;
  };
  t.true(context.udp.open(53, LAN_ONLY, receive));
  t.false(context.udp.open(53, LAN_ONLY, receive), 'a port is opened once');
  router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 4000, 53, Buffer.from('hello')));
  settle();
  t.is(heard, `${HOST}:4000 ${LAN_ADDRESS}:53 0 false hello ${HOST_MAC}`);
  const all = udp({ source: HOST, destination: '255.255.255.255' }, 68, 53, Buffer.from('all'));
  router.put(INTERFACE_LAN, ethernet(BROADCAST, HOST_MAC, 0x0800, all));
  settle();
  t.is(heard, `${HOST}:68 255.255.255.255:53 0 true all ${HOST_MAC}`);
  heard = '';
  router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 4000, 53, Buffer.from('no')));
  context.udp.close(53);
  router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 4000, 53, Buffer.from('late')));
  settle();
  t.is(heard, '', 'not from the WAN, and not once it is closed');
  t.is(router.toLan().length, 1, 'port unreachable');
  t.is(router.held(), 0);
});

test.serial('a datagram whose length field lies is not delivered, and one with padding without it', t => {
  const { context, router, settle } = controlLab();
  const lengths: number[] = [];
  context.udp.open(53, LAN_ONLY, ({ data }) => void lengths.push(data.length));
  for (let length = 0; length <= 60; length++) {
    const datagram = udp({ source: HOST, destination: LAN_ADDRESS }, 4000, 53, payload(32), 0);
    put16(datagram, 24, length);
    router.fromHost(datagram);
    settle();
  }
  t.deepEqual(
    lengths,
    Array.from({ length: 33 }, (_, n) => n),
  );
  t.is(router.held(), 0);
});

test.serial('send() fills in header, source and checksum', t => {
  const { context, router } = controlLab();
  t.true(context.udp.send(address(HOST), 68, 53, Buffer.from('answer')));
  const [datagram] = router.toLan();
  t.is(faults(datagram as Uint8Array), '');
  const { source, destination, sourcePort, destinationPort, data } = read(datagram as Uint8Array);
  t.is(`${source}:${sourcePort} ${destination}:${destinationPort}`, `${LAN_ADDRESS}:53 ${HOST}:68`);
  t.is(Buffer.from(data).toString(), 'answer');
  t.true(context.udp.send(address(SERVER), 53, 53, payload(1), address(LAN_ADDRESS)));
  t.is(read(router.toWan()[0] as Uint8Array).source, LAN_ADDRESS, 'a source that is given stays');
  t.false(context.udp.send(address('224.0.0.1'), 53, 53, payload(1)), 'there is no way');
});

test.serial('send() sends every size up to the limit, in fragments past a frame', t => {
  const { context, router } = controlLab();
  for (const bytes of [0, 1, 1471, 1472, 1473, 1479, 1480, 2952, 2953, 4095, UDP_SEND_BYTES]) {
    const data = contents(bytes);
    t.true(context.udp.send(address(HOST), 4000, 53, data), `${bytes} bytes`);
    const parts = router.toLan();
    t.is(parts.length, Math.ceil((bytes + 8) / 1480));
    for (const part of parts) t.is(faults(part), '', `${bytes} bytes`);
    const whole = read(parts.length === 1 ? (parts[0] as Uint8Array) : reassemble(parts));
    t.is(whole.sourcePort, 53);
    t.deepEqual(Buffer.from(whole.data), Buffer.from(data));
  }
  t.false(context.udp.send(address(HOST), 4000, 53, contents(UDP_SEND_BYTES + 1)));
  t.is(router.held(), 0);
});

test.serial('send() takes the identification of the pair, for fragments as for whole datagrams', t => {
  const { context, router } = controlLab();
  const seen: number[] = [];
  for (const bytes of [100, 4000, 100, 4000, 4000, 100]) {
    context.udp.send(address(HOST), 4000, 53, contents(bytes));
    const all = new Set(router.toLan().map(part => ((part[4] as number) << 8) | (part[5] as number)));
    t.is(all.size, 1, 'the fragments of one datagram');
    seen.push(...all);
  }
  // One further on each time; a 0 is left out, which stands for none.
  for (const [i, number] of seen.entries())
    if (i > 0) t.true([1, 2].includes((number - (seen[i - 1] as number)) & 0xffff), `${seen}`);
});

test.serial('sendTo() speaks to a station or to all, with the addresses that it is given', t => {
  const { context, router } = controlLab();
  const { udp: socket } = context;
  const station = Uint8Array.of(2, 0, 0, 0, 0, 9);
  t.true(socket.sendTo(INTERFACE_LAN, station, address(LAN_ADDRESS), address(HOST), [67, 68], payload(300)));
  t.true(socket.sendTo(INTERFACE_WAN, undefined, 0, -1, [68, 67], payload(300)));
  const [toHost] = router.taken(INTERFACE_LAN);
  t.is(macText(toHost as Uint8Array), '02:00:00:00:00:09');
  t.is(macText(toHost as Uint8Array, 6), LAN_MAC);
  const [toAll] = router.taken(INTERFACE_WAN);
  t.is(macText(toAll as Uint8Array), BROADCAST);
  const { source, destination } = read((toAll as Uint8Array).subarray(14));
  t.is(`${source} ${destination}`, '0.0.0.0 255.255.255.255');
  t.is(faults((toAll as Uint8Array).subarray(14)), '');
  t.false(socket.sendTo(INTERFACE_LAN, undefined, 0, -1, [68, 67], payload(1473)));
  t.is(router.held(), 0);
});

test.serial('openRandom() takes ports that nobody uses, and tells of refusals', t => {
  const { context, router, settle } = controlLab();
  const ports = new Set<number>();
  let refused = 0;
  for (let i = 0; i < 40; i++) {
    const port = context.udp.openRandom(
      ANY_INTERFACE,
      () => {},
      () => refused++,
    );
    t.true(port >= 1024 && port < 65536);
    ports.add(port);
  }
  t.is(ports.size, 40);
  const [port] = [...ports] as [number];
  context.udp.send(address(SERVER), 53, port, payload(40));
  const [sent] = router.toWan();
  const quote = (sent as Uint8Array).slice(0, 28);
  router.fromGateway(icmpError({ source: GATEWAY, destination: WAN_ADDRESS }, 11, 0, quote));
  settle();
  t.is(refused, 0, 'time exceeded refuses nothing');
  router.fromGateway(icmpError({ source: GATEWAY, destination: WAN_ADDRESS }, 3, 3, quote));
  settle();
  t.is(refused, 1);
  for (const each of ports) context.udp.close(each);
  t.is(context.machine.plane.socketUses(UDP, port), 0);
});

test.serial('openRandom() leaves ports alone that a masqueraded host uses', t => {
  const { context, router } = controlLab();
  const { plane } = context.machine;
  router.fromHost(udp({ source: HOST, destination: SERVER }, 5000, 53));
  const outside = read(router.toWan()[0] as Uint8Array).sourcePort;
  let asked = 0;
  const fixed = { ...plane, random32: () => (asked++ === 0 ? outside - 1024 : 7) };
  const machine = { ...context.machine, plane: fixed };
  t.is(freePort(machine.plane, UDP), 1031);
  t.is(asked, 2);
});

test.serial('a pool that is empty makes send() fail and nothing else', t => {
  const { context, router } = controlLab();
  const { plane } = context.machine;
  const all = Array.from({ length: BUFFER_COUNT }, () => plane.allocate());
  t.false(context.udp.send(address(HOST), 1, 2, concat()));
  t.false(context.udp.send(address(HOST), 1, 2, contents(3000)));
  for (const packet of all) plane.release(packet);
  t.is(router.held(), 0);
  t.is(router.toLan().length, 0);
});

test.serial('isShort() tells want of ours from want of a way', t => {
  const { context, router } = controlLab();
  const { machine } = context;
  const { udp: sockets } = context;
  for (const bytes of [10, 2000]) {
    t.false(sockets.send(address('224.0.0.1'), 53, 53, payload(bytes)));
    t.false(sockets.isShort(), 'there is no way');
    const held: number[] = [];
    for (let packet = machine.plane.allocateForControl(); packet !== 0; )
      packet = held.push(packet) > 0 ? machine.plane.allocateForControl() : 0;
    t.false(sockets.send(address(HOST), 53, 53, payload(bytes)));
    t.true(sockets.isShort(), 'there is no buffer');
    for (const packet of held) machine.plane.release(packet);
    t.true(sockets.send(address(HOST), 53, 53, payload(bytes)));
    t.false(sockets.isShort());
    // Nobody has this address, so all wait for its station until no more may.
    let sent = 0;
    do t.true(sockets.send(address('192.168.0.77'), 53, 53, payload(bytes)));
    while (!sockets.isShort() && ++sent < BUFFER_COUNT);
    t.true(sockets.isShort(), 'too much waits for the station');
    router.toLan();
  }
});
