// Triggers, and forwards by marks, by frames in and frames out.

import test from 'ava';
import { address, frame, payload, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  LAN,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { addRule, countsOf, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { TRIGGER_COUNT, TRIGGER_OPENINGS } from '../../base/limits.ts';
import { put8, puti32 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';
import { TRIGGER_ALWAYS, TRIGGER_ANYBODY } from '../../base/trigger-record.ts';

const TCP = 6;
const UDP = 17;
const STRANGER = '198.51.100.7';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const packets = (rule: number) => countsOf(plane, { rule })[0];
  const asks = (router: Router, from: string, server: string, port = 7070, sourcePort = 1043) => {
    const datagram = tcp(
      { source: from, destination: server },
      { sourcePort, destinationPort: port, flags: SYN },
    );
    if (from === OTHER) router.put(LAN, frame(LAN_MAC, OTHER_MAC, datagram));
    else router.fromHost(datagram);
    router.toWan();
  };
  const comes = (router: Router, from: string, port: number, sourcePort = 5000) => {
    router.fromGateway(udp({ source: from, destination: WAN_ADDRESS }, sourcePort, port, payload(9)));
    return router.toLan().map(datagram => read(datagram).destination);
  };
  const real = () => {
    const router = startRouter(build);
    t0(plane.triggerSet((TCP << 16) | 7070, (UDP << 16) | 6970, 7170, 0));
    return router;
  };
  const t0 = (answer: number) => {
    if (answer !== 1) throw new Error('the trigger was not set');
  };

  test.serial(
    `several hosts are sent what their own servers send, for the ports alone, and no longer (${name})`,
    t => {
      const router = real();
      t.deepEqual(comes(router, SERVER, 6970), []);
      asks(router, HOST, SERVER);
      asks(router, OTHER, STRANGER);
      t.deepEqual(comes(router, SERVER, 6970), [HOST]);
      t.deepEqual(comes(router, STRANGER, 6970), [OTHER]);
      t.deepEqual(comes(router, SERVER, 7170), [HOST]);
      t.deepEqual(comes(router, SERVER, 7171), [], 'another port');
      t.deepEqual(comes(router, '198.51.100.8', 6971), [], 'another server');
      router.ticks(1);
      asks(router, OTHER, SERVER);
      t.deepEqual(comes(router, SERVER, 7000), [OTHER], 'of two that ask one server the later');
      router.ticks(1400);
      t.deepEqual(comes(router, SERVER, 7001), [OTHER]);
      router.ticks(200);
      t.deepEqual(comes(router, SERVER, 7002), [], 'fifteen seconds later');
      t.deepEqual(comes(router, SERVER, 7000), [OTHER], 'what has begun goes on');
      t.is(plane.masqueradeCheck(), 0);
      t.is(router.held(), 0);
    },
  );

  test.serial(`always: as long as the control session is there; anybody: from whomever (${name})`, t => {
    const router = startRouter(build);
    t0(plane.triggerSet((UDP << 16) | 7648, (UDP << 16) | 7649, 7652, TRIGGER_ALWAYS | TRIGGER_ANYBODY));
    const keep = () => {
      router.fromHost(udp({ source: HOST, destination: SERVER }, 7648, 7648));
      router.toWan();
    };
    keep();
    for (let i = 0; i < 3; i++) {
      router.ticks(2000);
      t.deepEqual(comes(router, STRANGER, 7649, 6000 + i), [HOST]);
      keep();
    }
    router.ticks(60_000);
    t.deepEqual(comes(router, STRANGER, 7649, 7000), []);
    plane.triggerRemove(0);
    keep();
    t.deepEqual(comes(router, STRANGER, 7650), []);
    t.is(plane.masqueradeCheck(), 0);
  });

  test.serial(
    `a host that asks many servers loses its own openings, and a mapping and a socket go before (${name})`,
    t => {
      const router = real();
      asks(router, OTHER, STRANGER);
      for (let i = 0; i < 4 * TRIGGER_OPENINGS; i++) {
        router.ticks(1);
        asks(router, HOST, `203.0.113.${i + 1}`, 7070, 2000 + i);
      }
      t.deepEqual(comes(router, STRANGER, 6970), [OTHER]);
      t.deepEqual(comes(router, `203.0.113.${4 * TRIGGER_OPENINGS}`, 6970), [HOST]);
      t.deepEqual(comes(router, '203.0.113.2', 6970), []);
      plane.socketOpen(UDP, 6980, 1 << WAN);
      t.deepEqual(comes(router, STRANGER, 6980), []);
      router.fromHost(udp({ source: HOST, destination: SERVER }, 6990, 53));
      t.deepEqual(comes(router, STRANGER, 6990), [], 'the filter of a mapping holds');
      for (let n = 1; n < TRIGGER_COUNT; n++) t0(plane.triggerSet((TCP << 16) | n, (UDP << 16) | n, n, 0));
      t.is(plane.triggerSet((TCP << 16) | 99, (UDP << 16) | 99, 99, 0), 0);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(`what a rule has marked goes to the mark's host, and is asked once (${name})`, t => {
    const router = startRouter(build);
    startRules(plane);
    const mark = (value: number) => ({
      kind: R.OPERATION_MARK_SET,
      write: (at: number) => {
        put8(at + 4, R.MARK_SET);
        puti32(at + 8, value);
        puti32(at + 12, -1);
      },
    });
    const chain = R.CHAIN_MANGLE_PREROUTING;
    const all = addRule(plane, chain, {});
    addRule(plane, chain, {
      in: NAME_WAN,
      protocol: UDP,
      ports: [53, 53],
      target: R.TARGET_MARK,
      operations: [mark(5)],
    });
    addRule(plane, chain, { protocol: UDP, ports: [54, 54], target: R.TARGET_MARK, operations: [mark(6)] });
    const seen = addRule(plane, R.CHAIN_FORWARD, {
      operations: [
        {
          kind: R.OPERATION_MARK,
          write: (at: number) => {
            puti32(at + 4, 5);
            puti32(at + 8, -1);
          },
        },
      ],
    });
    plane.forwardSet(0, 0, 0, address(HOST), 1, 5);
    plane.forwardSet(0, 0, 8054, address(OTHER), 1, 6);
    t.deepEqual(comes(router, STRANGER, 53), [HOST]);
    t.deepEqual([packets(all), packets(seen)], [1, 1], 'once each, and the mark goes on to the other chains');
    t.deepEqual(comes(router, STRANGER, 55), []);
    t.is(packets(all), 2, 'what has no mark is asked once too');
    router.fromGateway(udp({ source: STRANGER, destination: WAN_ADDRESS }, 1, 54));
    t.like(read(router.toLan()[0] as Uint8Array), { destination: OTHER, destinationPort: 8054 });
    // From inside too, by the outside address.
    router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 4000, 54));
    t.like(read(router.toLan()[0] as Uint8Array), {
      destination: OTHER,
      destinationPort: 8054,
      source: WAN_ADDRESS,
    });
    plane.forwardRemove(0);
    t.deepEqual(comes(router, STRANGER, 53, 6000), []);
    t.is(plane.masqueradeCheck(), 0);
    t.is(router.held(), 0);
  });
}
