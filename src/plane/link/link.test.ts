// The links' two doors: what is behind them is a datagram whatever the link, and a link without stations never hears of ARP.

import test from 'ava';
import { address, ethernet, frame, payload, read, udp } from '../../../test/packets.ts';
import {
  GATEWAY,
  HOST,
  HOST_MAC,
  LAN,
  LAN_MAC,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_ARP_MALFORMED, DROP_ETHERTYPE, DROP_IP_LENGTH } from '../../base/counters.ts';
import { IF_LINK, interfaceAt, LINK_POINT } from '../../base/interface.ts';
import { BUFFER_BYTES, FRAME_TAGGED_MAX } from '../../base/limits.ts';
import { get32, i32at, put32, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  PACKET_CONTEXT,
  PACKET_FRAME,
  PACKET_HEADER,
  PACKET_IP,
  PACKET_LENGTH,
  PACKET_SCRATCH,
} from '../../base/packet.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;

  /** A router whose WAN has one at its other end, and no stations. */
  const withPoint = () => {
    const router = startRouter(build);
    puti32(interfaceAt(WAN) + IF_LINK, LINK_POINT);
    router.taken(WAN);
    return router;
  };
  /** A bare datagram comes by the WAN. */
  const come = (datagram: Uint8Array) => {
    const packet = plane.allocate();
    memory.set(datagram, packet + PACKET_IP);
    puti32(packet + PACKET_LENGTH, datagram.length);
    putu16(packet + PACKET_HEADER, 0);
    plane.ringPut(WAN, packet);
    plane.interrupt(10, 0);
  };

  test.serial(
    `a datagram leaves by a point link as it is, at once, and its answer comes back (${name})`,
    t => {
      const router = withPoint();
      router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(9)));
      const [sent, ...others] = router.taken(WAN);
      t.deepEqual(others, []);
      t.like(read(sent as Uint8Array), { source: WAN_ADDRESS, destination: SERVER, sourcePort: 1043 });
      come(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043, payload(5)));
      const [answer] = router.toLan();
      t.like(read(answer as Uint8Array), { source: SERVER, destination: HOST, destinationPort: 1043 });
      // What the session has kept of the way leads there too.
      for (let i = 0; i < 3; i++) {
        router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(9 + i)));
        come(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043, payload(5 + i)));
      }
      const more = router.taken(WAN).map(bytes => [read(bytes).source, bytes.length]);
      t.deepEqual(more, [
        [WAN_ADDRESS, 37],
        [WAN_ADDRESS, 38],
        [WAN_ADDRESS, 39],
      ]);
      t.is(router.toLan().length, 3);
      t.is(router.held(), 0);
    },
  );

  test.serial(`what is no datagram is none on a point link either (${name})`, t => {
    const router = withPoint();
    come(new Uint8Array(19));
    come(new Uint8Array(0));
    t.is(router.counter(DROP_IP_LENGTH), 2);
    t.is(router.counter(DROP_ETHERTYPE) + router.counter(DROP_ARP_MALFORMED), 0);
    t.is(router.held(), 0);
  });

  test.serial(`ARP is never spoken on a point link, whoever asks for it (${name})`, t => {
    const router = withPoint();
    plane.arpProbe(WAN, address(WAN_ADDRESS));
    plane.addressAsk(WAN, address(GATEWAY));
    // A new address is announced, a neighbour that is known is asked again, a next hop looked for: none of it here.
    plane.configureInterface(WAN, 1, address('10.1.2.77'), address('255.255.255.0'), 1500);
    plane.interfacesChanged();
    router.fromHost(udp({ source: HOST, destination: GATEWAY }, 1044, 53, payload(1)));
    router.ticks(7000);
    t.deepEqual(
      router.taken(WAN).map(bytes => read(bytes).destination),
      [GATEWAY],
    );
    t.is(router.held(), 0);
  });

  test.serial(`a datagram to nobody's route goes to the other end of a point link (${name})`, t => {
    const router = withPoint();
    const datagram = udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67, payload(300));
    const packet = plane.allocateForControl();
    memory.set(datagram, packet + PACKET_IP);
    puti32(packet + PACKET_LENGTH, datagram.length);
    t.is(plane.localSendTo(packet, WAN), 0);
    t.is(read(router.taken(WAN)[0] as Uint8Array).destination, '255.255.255.255');
    t.is(router.held(), 0);
  });

  test.serial(
    `a frame that carries neither IPv4 nor ARP is dropped by its type, also an 802.3 length (${name})`,
    t => {
      const router = startRouter(build);
      const types = [0x0000, 0x0010, 0x0013, 0x002e, 0x05dc, 0x05ff, 0x0800 - 1, 0x86dd, 0x8863, 0xffff];
      for (const type of types) router.put(LAN, ethernet(LAN_MAC, HOST_MAC, type, payload(46)));
      t.is(router.counter(DROP_ETHERTYPE), types.length);
      router.put(LAN, frame(LAN_MAC, HOST_MAC, udp({ source: HOST, destination: SERVER }, 1043, 53)));
      t.is(router.toWan().length, 1);
    },
  );

  test.serial(`PACKET_LENGTH is the datagram's whatever padded its frame (${name})`, t => {
    build.use();
    const packet = plane.allocate();
    t.is(u16at(packet + PACKET_HEADER), 0);
    const datagram = udp({ source: HOST, destination: SERVER }, 1, 2, payload(1));
    memory.set(datagram, packet + PACKET_IP);
    put32(packet + PACKET_IP + datagram.length, 0x55aa55aa);
    puti32(packet + PACKET_LENGTH, 46);
    t.is(plane.ipv4Check(packet), 0);
    t.is(i32at(packet + PACKET_LENGTH), datagram.length);
    t.is(get32(packet + PACKET_IP + datagram.length), 0x55aa55aa);
    plane.release(packet);
  });
}

test('a packet has room for any header before its datagram, and for its scratch behind the longest frame', t => {
  // Ethernet, a VLAN's tag, PPPoE with PPP's protocol; the context's word is over by then.
  t.true(PACKET_IP - (14 + 4 + 8) >= PACKET_CONTEXT);
  t.is(PACKET_IP % 64, 0);
  t.true(PACKET_FRAME + FRAME_TAGGED_MAX <= PACKET_SCRATCH);
  t.true(PACKET_SCRATCH + 16 <= BUFFER_BYTES);
});
