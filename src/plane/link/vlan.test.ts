// An interface in a VLAN: what it hears, and that all that it sends has the tag. On both builds.

import test from 'ava';
import {
  arp,
  BROADCAST,
  concat,
  ethernet,
  faults,
  get16,
  payload,
  read,
  udp,
} from '../../../test/packets.ts';
import {
  GATEWAY,
  GATEWAY_MAC,
  HOST,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { TERM_PORT } from '../../base/capture-record.ts';
import { DROP_VLAN } from '../../base/counters.ts';
import { IF_VLAN, interfaceAt } from '../../base/interface.ts';
import { FRAME_TAGGED_MAX } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { CAPTURE_MATCHED_AT } from './capture.ts';

const VLAN = 7;
const OUT = { source: HOST, destination: SERVER };
const IN = { source: SERVER, destination: WAN_ADDRESS };

const tagged = (to: string, tag: number, data: Uint8Array, type = 0x0800) =>
  ethernet(to, GATEWAY_MAC, 0x8100, concat([tag >> 8, tag & 255, type >> 8, type & 255], data));

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name, plane } = build;

  function inVlan() {
    const router = startRouter(build);
    puti32(interfaceAt(WAN) + IF_VLAN, VLAN);
    return router;
  }

  /** Frames that leave by the WAN: the tag, the type behind it, and what follows. */
  const sent = (router: ReturnType<typeof startRouter>) =>
    router.taken(WAN).map(bytes => {
      return {
        type: get16(bytes, 12),
        tag: get16(bytes, 14),
        inner: get16(bytes, 16),
        data: bytes.slice(18),
        bytes,
      };
    });

  test.serial(`all that is sent has the tag, the longest frame too (${name})`, t => {
    const router = inVlan();
    for (const bytes of [0, 5, 1472]) {
      router.fromHost(udp(OUT, 4000, 53, payload(bytes)));
      const [frame] = sent(router);
      t.deepEqual([frame?.type, frame?.tag, frame?.inner], [0x8100, VLAN, 0x0800]);
      t.is(faults(frame?.data ?? new Uint8Array(0)), '');
      t.is(read(frame?.data as Uint8Array).data.length, bytes);
      if (bytes === 1472) t.is(frame?.bytes.length, FRAME_TAGGED_MAX);
    }
    t.is(router.held(), 0);
  });

  test.serial(`ARP is asked and answered in the VLAN (${name})`, t => {
    const router = inVlan();
    plane.forgetNeighbours(WAN);
    router.fromHost(udp(OUT, 4000, 53));
    const [question] = sent(router);
    t.deepEqual([question?.type, question?.tag, question?.inner], [0x8100, VLAN, 0x0806]);
    const ends = { senderAddress: GATEWAY, targetAddress: WAN_ADDRESS, senderMac: GATEWAY_MAC };
    router.put(WAN, tagged(WAN_MAC, VLAN, arp({ operation: 2, targetMac: WAN_MAC, ...ends }), 0x0806));
    const [datagram] = sent(router);
    t.deepEqual([datagram?.tag, datagram?.inner], [VLAN, 0x0800]);
    router.put(WAN, tagged(BROADCAST, VLAN, arp({ operation: 1, ...ends }), 0x0806));
    const [answer] = sent(router);
    t.deepEqual([answer?.tag, answer?.inner], [VLAN, 0x0806]);
    t.is(router.held(), 0);
  });

  test.serial(`only our VLAN is heard, whatever the priority; all other frames are counted (${name})`, t => {
    const router = inVlan();
    router.fromHost(udp(OUT, 4000, 53));
    router.taken(WAN);
    const answer = udp(IN, 53, 4000, payload(1472));
    router.put(WAN, tagged(WAN_MAC, 0xe000 | VLAN, answer));
    t.deepEqual(read(router.toLan()[0] as Uint8Array).data, payload(1472));
    for (const bytes of [
      tagged(WAN_MAC, VLAN + 1, answer),
      tagged(WAN_MAC, 0, answer),
      tagged(WAN_MAC, 0xe000, answer),
      ethernet(WAN_MAC, GATEWAY_MAC, 0x0800, answer),
      tagged(
        BROADCAST,
        VLAN + 1,
        arp({ operation: 1, senderAddress: GATEWAY, targetAddress: WAN_ADDRESS, senderMac: GATEWAY_MAC }),
        0x0806,
      ),
      tagged(WAN_MAC, 4095, answer),
    ])
      router.put(WAN, bytes);
    t.deepEqual(router.toLan(), []);
    t.deepEqual(router.taken(WAN), []);
    t.is(router.counter(DROP_VLAN), 6);
    t.is(router.held(), 0);
  });

  test.serial(`a capture's filter looks behind the tag, both ways (${name})`, t => {
    const router = inVlan();
    plane.captureTerm(TERM_PORT, 53, -1);
    plane.captureStart(1 << WAN, FRAME_TAGGED_MAX);
    router.fromHost(udp(OUT, 4000, 53, payload(1472)));
    router.put(WAN, tagged(WAN_MAC, VLAN, udp(IN, 53, 4000)));
    router.fromHost(udp(OUT, 4000, 54));
    t.is(i32at(CAPTURE_MATCHED_AT), 2);
    plane.captureStop();
  });

  test.serial(`without a VLAN frames are as they were (${name})`, t => {
    const router = inVlan();
    puti32(interfaceAt(WAN) + IF_VLAN, 0);
    router.fromHost(udp(OUT, 4000, 53));
    t.is(sent(router)[0]?.type, 0x0800);
    t.is(router.counter(DROP_VLAN), 0);
  });
}
