import test from 'ava';
import { addressText, echo, fragments, payload, read, reassemble, udp } from '../../../test/packets.ts';
import {
  HOST,
  LAN_ADDRESS,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { put32 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  /** Identification that a fragmented datagram to a server gets. */
  const sendFragments = (router: Router, destination: string) => {
    for (const part of fragments(udp({ source: HOST, destination, id: 7 }, 4000, 9, payload(3000)), 1480))
      router.fromHost(part);
    const parts = router.toWan();
    const ids = new Set(parts.map(part => read(part).id));
    reassemble(parts);
    return ids.size === 1 ? ([...ids][0] as number) : -1;
  };

  test.serial(`each pair of addresses has a sequence of its own (${name})`, t => {
    const router = startRouter(build);
    for (let i = 0; i < 600; i++) router.plane.stirEntropy(i * 7919);
    const first = sendFragments(router, SERVER);
    const others = Array.from({ length: 100 }, (_, i) => sendFragments(router, addressText((203 << 24) + i)));
    // What others were sent does not show: the next number is the next.
    const second = sendFragments(router, SERVER);
    t.is((second - first) & 0xffff, 1);
    t.false(others.includes(-1));
    // And where the others' sequences start has nothing to do with one another.
    const steps = others.slice(1).map((id, i) => (id - (others[i] as number)) & 0xffff);
    t.true(new Set(others).size > 95);
    t.true(steps.filter(step => step < 256 || step > 0xff00).length < 8);
    for (let i = 0; i < 300; i++) t.is((sendFragments(router, SERVER) - second) & 0xffff, i + 1);
  });

  test.serial(`datagrams that are cut here, errors and control's own take from the same (${name})`, t => {
    const router = startRouter(build, { wanMtu: 600 });
    const cut = () => {
      router.fromHost(udp({ source: HOST, destination: SERVER, id: 7 }, 4000, 9, payload(1400)));
      return read(router.toWan()[0] as Uint8Array).id;
    };
    const error = () => {
      router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS, ttl: 1 }, 9, 4000));
      const [message] = router.toWan();
      t.is(read(message as Uint8Array).type, 11);
      return read(message as Uint8Array).id;
    };
    const own = () => {
      build.use();
      const datagram = echo({ source: '0.0.0.0', destination: SERVER, id: 0 }, 8, 99);
      const packet = router.plane.allocateForControl();
      build.memory.set(datagram, packet + PACKET_IP);
      put32(packet + PACKET_IP + 12, 0);
      new Int32Array(build.memory.buffer, build.memory.byteOffset + packet + PACKET_LENGTH, 1)[0] =
        datagram.length;
      t.is(router.plane.localSend(packet), 0);
      return read(router.toWan()[0] as Uint8Array).id;
    };
    const ids = [cut(), error(), own(), cut(), own(), error()];
    t.deepEqual(
      ids.map(id => (id - (ids[0] as number)) & 0xffff),
      [0, 1, 2, 3, 4, 5],
    );
    // To the inside there is another.
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1, 9));
    const [refused] = router.toLan();
    t.not((read(refused as Uint8Array).id - (ids[0] as number)) & 0xffff, 6);
    t.deepEqual(router.taken(WAN), []);
  });

  test.serial(`the sequences are others after a reset with other chance (${name})`, t => {
    const ids = [0, 1, 2].map(sample => {
      const router = startRouter(build);
      build.use();
      for (let i = 0; i < 20; i++) router.plane.stirEntropy(sample * 7919 + i);
      return sendFragments(router, SERVER);
    });
    t.is(new Set(ids).size, 3);
    // And once more when the first numbers went out before there was enough of it.
    const router = startRouter(build);
    const early = sendFragments(router, SERVER);
    for (let i = 0; i < 600; i++) router.plane.stirEntropy(i * 7919);
    t.not((sendFragments(router, SERVER) - early) & 0xffff, 1);
    const settled = sendFragments(router, SERVER);
    for (let i = 0; i < 600; i++) router.plane.stirEntropy(i * 104729);
    t.is((sendFragments(router, SERVER) - settled) & 0xffff, 1);
  });
}
