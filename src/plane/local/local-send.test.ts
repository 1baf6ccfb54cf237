import test from 'ava';
import {
  BROADCAST,
  echo,
  faults,
  macText,
  payload,
  put16,
  put32,
  read,
  reassemble,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_INTERFACE_DOWN, DROP_IP_LENGTH, DROP_NO_ROUTE, DROP_TOO_BIG } from '../../base/counters.ts';
import { puti32 } from '../../base/memory.ts';
import { PACKET_FRAME, PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;

  /** A packet as control fills it: no source, no TTL, no id, wrong checksums. */
  const filled = (datagram: Uint8Array, length = datagram.length) => {
    build.use();
    const packet = plane.allocateForControl();
    memory.set(datagram, packet + PACKET_IP);
    const ip = memory.subarray(packet + PACKET_IP);
    ip[8] = 0;
    put16(ip, 4, 0);
    put16(ip, 10, 0xdead);
    put32(ip, 12, 0);
    puti32(packet + PACKET_LENGTH, length);
    return packet;
  };
  const alone = (router: Router, index: number) => {
    const frames = router.taken(index);
    if (frames.length !== 1) throw new Error(`${frames.length} frames`);
    return frames[0] as Uint8Array;
  };

  test.serial(`localSend() fills in what control left out, and routes (${name})`, t => {
    const router = startRouter(build);
    const any = { source: '1.1.1.1', destination: SERVER };
    for (const datagram of [
      udp(any, 5353, 53, payload(33)),
      tcp(any, { sourcePort: 7, destinationPort: 8 }, payload(5)),
      echo(any, 8, 9),
    ]) {
      t.is(plane.localSend(filled(datagram)), 0);
      const out = alone(router, WAN);
      t.is(macText(out), GATEWAY_MAC);
      t.is(macText(out, 6), WAN_MAC);
      t.is(faults(out.slice(14)), '');
      t.like(read(out.slice(14)), {
        source: WAN_ADDRESS,
        destination: SERVER,
        ttl: 64,
        protocol: datagram[9] as number,
      });
      t.not(read(out.slice(14)).id, 0);
    }
    t.is(plane.localSend(filled(udp({ source: '1.1.1.1', destination: HOST }, 53, 99))), 0);
    t.like(read(alone(router, LAN).slice(14)), { source: LAN_ADDRESS, destination: HOST });
    t.is(router.held(), 0);
  });

  test.serial(`localSend() refuses what has no way or a wrong length, and frees it (${name})`, t => {
    const router = startRouter(build);
    const any = { source: '1.1.1.1', destination: SERVER };
    for (const destination of ['255.255.255.255', '127.0.0.1', '0.0.0.0', LAN_ADDRESS, '224.0.0.1']) {
      t.is(plane.localSend(filled(udp({ ...any, destination }, 1, 2))), DROP_NO_ROUTE);
    }
    t.is(plane.localSend(filled(udp(any, 1, 2), 40)), DROP_IP_LENGTH);
    t.is(plane.localSend(filled(udp({ ...any, totalLength: 20 }, 1, 2), 34)), DROP_IP_LENGTH);
    t.is(plane.localSend(filled(udp({ ...any, headerWords: 4 }, 1, 2))), DROP_IP_LENGTH);
    plane.configureInterface(WAN, 1, 0, 0, 1500);
    plane.interfacesChanged();
    t.is(plane.localSend(filled(udp(any, 1, 2))), DROP_NO_ROUTE);
    t.is(router.held(), 0);
  });

  test.serial(`localSend() cuts to the MTU unless DF is set (${name})`, t => {
    const router = startRouter(build, { wanMtu: 576 });
    const any = { source: '1.1.1.1', destination: SERVER };
    t.is(plane.localSend(filled(udp(any, 1, 2, payload(1400)))), 0);
    // The pieces are the next work's.
    router.ticks(1);
    const whole = reassemble(router.toWan());
    t.is(faults(whole), '');
    t.deepEqual(read(whole).data, payload(1400));
    t.is(plane.localSend(filled(udp({ ...any, dontFragment: true }, 1, 2, payload(1400)))), DROP_TOO_BIG);
    t.is(router.held(), 0);
  });

  test.serial(
    `localSendTo() sends by a frame's address, with a source of 0, on a link without one (${name})`,
    t => {
      const router = startRouter(build);
      build.use();
      plane.configureInterface(WAN, 1, 0, 0, 1500);
      for (const to of [BROADCAST, HOST_MAC]) {
        const packet = filled(
          udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67, payload(300)),
        );
        memory.set(
          to.split(':').map(part => Number.parseInt(part, 16)),
          packet + PACKET_FRAME,
        );
        t.is(plane.localSendTo(packet, WAN), 0);
        const out = alone(router, WAN);
        t.is(macText(out), to);
        t.is(macText(out, 6), WAN_MAC);
        t.is(faults(out.slice(14)), '');
        t.like(read(out.slice(14)), { source: '0.0.0.0', destination: '255.255.255.255', sourcePort: 68 });
      }
      t.is(
        plane.localSendTo(filled(udp({ source: '0.0.0.0', destination: SERVER }, 1, 2)), 2),
        DROP_INTERFACE_DOWN,
      );
      t.is(router.held(), 0);
    },
  );
}
