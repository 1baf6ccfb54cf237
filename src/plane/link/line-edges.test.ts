// Where two things of links meet, each of which is right alone: a line that is taken away while bytes of it are noted or a datagram is on its way,
// an acknowledgment that is to be cut, a mark beside frames of a link's own. Both builds.

import test from 'ava';
import { ACK, address, frame, payload, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  SERVER,
  startRouter,
  WAN,
} from '../../../test/plane-router.ts';
import { addRule, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_INTERFACE_DOWN } from '../../base/counters.ts';
import { BUFFER_COUNT } from '../../base/limits.ts';
import { LINE_PPP } from '../../base/line-record.ts';
import { i32at, put8, puti32 } from '../../base/memory.ts';
import { FLAG_FRAME, PACKET_FLAGS } from '../../base/packet.ts';
import { queueRecordAt } from '../../base/queue-limits.ts';
import { QUEUE_PACKETS } from '../../base/queue-record.ts';
import {
  CHAIN_MANGLE_PREROUTING,
  MARK_SET,
  OPERATION_MARK_SET,
  TARGET_CONNMARK,
} from '../../base/rule-record.ts';
import { PPP_LCP } from '../../wire/ppp.ts';
import { PortEnd, pppFrame } from './port-lab.ts';

const LINK = 4;
const OUT = { source: HOST, destination: SERVER };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  test.serial(`a line that goes while its bytes are noted takes no buffer along (${name})`, t => {
    startRouter(build);
    for (let n = 0; n < 5; n++) {
      plane.lineBind(LINK, 1, LINE_PPP);
      new PortEnd(build, 1).put(pppFrame(PPP_LCP, [1, 1, 0, 4]));
      plane.takeTick(0);
      plane.lineUnbind(1);
      for (let pieces = 0; pieces < 50 && plane.work(0) !== 0; pieces++);
      t.is(plane.poolFree(), BUFFER_COUNT);
    }
  });

  test.serial(`what is on its way to a link whose port was taken leaves by no card (${name})`, t => {
    for (const port of [1, 0]) {
      const router = startRouter(build);
      plane.configureInterface(WAN, 1, 0, 0, 1500);
      plane.routeRemove(0, 0);
      plane.lineBind(LINK, port, LINE_PPP);
      plane.configureInterface(LINK, 1, address('10.64.64.64'), -1, 1500);
      plane.interfacesChanged();
      plane.routeAdd(0, 0, 0, LINK);
      plane.lineOpen(port, 1);
      const end = new PortEnd(build, port);
      for (let n = 0; n < 4; n++) {
        router.fromHost(udp(OUT, 2000, 9, payload(1400)));
        for (let ticks = 0; ticks < 60; ticks++) {
          router.ticks(1);
          end.take();
        }
      }
      plane.lineUnbind(port);
      const before = router.counter(DROP_INTERFACE_DOWN);
      router.put(LAN, frame(LAN_MAC, HOST_MAC, udp(OUT, 2000, 9, payload(1400))));
      const left = [LAN, WAN].flatMap(card => router.taken(card));
      t.deepEqual(
        left.filter(bytes => bytes.length > 500),
        [],
        `port ${port}`,
      );
      t.true(router.counter(DROP_INTERFACE_DOWN) > before);
      t.is(router.held(), 0);
    }
  });

  test.serial(`an acknowledgment longer than the MTU is cut like any other datagram (${name})`, t => {
    const router = startRouter(build, { wanMtu: 68 });
    plane.queueSet(WAN, 9600, 0, 1);
    const ports = { sourcePort: 1025, destinationPort: 80 };
    router.fromHost(tcp(OUT, { ...ports, sequence: 1, flags: SYN }));
    const options = [...new Uint8Array(36).fill(1)];
    for (let n = 0; n < 6; n++) router.fromHost(udp(OUT, 2000 + n, 9, payload(30)));
    router.fromHost(tcp(OUT, { ...ports, sequence: 2, acknowledgment: 5, flags: ACK, options }));
    const sent: number[] = [];
    for (let ticks = 0; ticks < 400; ticks++) {
      router.ticks(1);
      for (const datagram of router.toWan()) sent.push(read(datagram).protocol);
    }
    t.is(sent.filter(protocol => protocol === 6).length, 3, 'the SYN, and two parts');
    t.is(i32at(queueRecordAt(WAN) + QUEUE_PACKETS), 0);
    t.is(router.held(), 0);
  });

  test.serial(`a packet with its flow's mark is no frame of a link's own (${name})`, t => {
    const router = startRouter(build);
    startRules(plane);
    plane.socketOpen(17, 53, 1 << LAN);
    const write = (at: number): void => {
      put8(at + 4, MARK_SET);
      puti32(at + 8, 7);
      puti32(at + 12, -1);
    };
    const operations = [{ kind: OPERATION_MARK_SET, write }];
    addRule(plane, CHAIN_MANGLE_PREROUTING, { protocol: 17, target: TARGET_CONNMARK, operations });
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 3000, 53, payload(9)));
    const packet = plane.puntTake();
    t.not(packet, 0);
    t.is(i32at(packet + PACKET_FLAGS) & FLAG_FRAME, 0);
    plane.release(packet);
    t.is(router.held(), 0);
  });
}
