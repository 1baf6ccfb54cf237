// What the queues of a slow line cost at worst, and a packet, in operations (test/metered.ts): the rows of docs/performance.md.

import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import { payload, udp } from '../../../test/packets.ts';
import { HOST, LAN, type Router, SERVER, startRouter, WAN, WAN_ADDRESS } from '../../../test/plane-router.ts';

import { i32at, puti32 } from '../../base/memory.ts';
import { QUEUE_COUNT, QUEUE_QUANTUM, queueRecordAt } from '../../base/queue-limits.ts';
import {
  flowQueueAt,
  Q_DEFICIT,
  QUEUE_CREDIT,
  QUEUE_HELD_BYTES,
  QUEUE_LIMIT_BYTES,
  QUEUE_TURN_BYTES,
} from '../../base/queue-record.ts';

const OUT = { source: HOST, destination: SERVER };
const metered = await meteredBuild();

/** Opens so many flows that both sides have spoken in, so that their packets go the short way. */
function open(router: Router, flows: number): void {
  for (let i = 0; i < flows; i++) {
    router.fromHost(udp(OUT, 2000 + i, 53));
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 2000 + i));
    router.fromHost(udp(OUT, 2000 + i, 53));
  }
  router.taken(WAN);
  router.taken(LAN);
}

function perPacket(flows: number, bytes: number, isByFlow: number | undefined, rounds = 40): number {
  const router = startRouter(metered);
  open(router, flows);
  if (isByFlow !== undefined) {
    router.plane.queueFair(isByFlow);
    router.plane.queueSet(WAN, 2000000, 0, 1);
  }
  const send = () => {
    for (let i = 0; i < flows; i++) router.fromHost(udp(OUT, 2000 + i, 53, payload(bytes)));
  };
  // A tick costs what it costs whether something waits or not.
  router.ticks(100);
  const idle = metered.operations(() => router.ticks(100)) / 100;
  let sent = 0;
  let spent = 0;
  for (let round = 0; round < rounds; round++) {
    spent += metered.operations(send);
    sent += flows;
    spent += metered.operations(() => router.ticks(1)) - idle;
    router.taken(WAN);
  }
  return spent / sent;
}

test.serial('a packet costs about 300 more by queues at most, whether one flow waits or sixteen', t => {
  const all: number[] = [];
  for (const [flows, bytes] of [
    [1, 32],
    [1, 1472],
    [2, 1472],
    [16, 100],
    [16, 548],
    [16, 1472],
    [32, 1472],
  ] as const) {
    const without = perPacket(flows, bytes, undefined);
    const by = perPacket(flows, bytes, 1) - without;
    const hosts = perPacket(flows, bytes, 0) - without;
    t.log(
      `${flows} flows of ${bytes}: ${without.toFixed(0)} without, ${by.toFixed(0)} more by flow, ${hosts.toFixed(0)} by host`,
    );
    all.push(by, hosts);
  }
  // The dearest are long ones whose queues begin and end with each of them.
  t.true(Math.max(...all) <= 380);
});

/** A link whose queues are as full as they can be with packets of so many bytes, and owe a full frame each. */
function full(isByFlow: number, bytes: number): Router {
  const router = startRouter(metered);
  router.plane.queueFair(isByFlow);
  router.plane.queueSet(WAN, 64000, 0, 1);
  for (let i = 0; i < 200; i++) router.fromHost(udp(OUT, 2000 + (i & 31), 53, payload(bytes)));
  router.taken(WAN);
  return router;
}

test.serial('the worst choice: all queues owe a full frame, and have waited too long', t => {
  for (const isByFlow of [1, 0]) {
    const router = full(isByFlow, 12);
    for (let n = 0; n < QUEUE_COUNT; n++) puti32(flowQueueAt(queueRecordAt(WAN), n) + Q_DEFICIT, -1499);
    puti32(queueRecordAt(WAN) + QUEUE_TURN_BYTES, QUEUE_QUANTUM);
    puti32(queueRecordAt(WAN) + QUEUE_CREDIT, 1);
    const worst = metered.operations(() => router.plane.tick(0));
    t.log(`${isByFlow === 1 ? 'by flow' : 'by host'} ${worst}`);
    t.true(worst < 9000, `${worst}`);
  }
});

test.serial('the worst packet put in: 50 of the shortest make room for one of 1,500 bytes; and a tick', t => {
  for (const isByFlow of [1, 0]) {
    const router = full(isByFlow, 0);
    router.fromHost(udp(OUT, 2000, 53, payload(1472)));
    const record = queueRecordAt(WAN);
    puti32(record + QUEUE_LIMIT_BYTES, i32at(record + QUEUE_HELD_BYTES));
    const put = metered.operations(() => router.fromHost(udp(OUT, 2001, 53, payload(1472))));
    const idle = startRouter(metered);
    idle.ticks(100);
    const without = metered.operations(() => idle.ticks(100)) / 100;
    for (let link = 0; link < 8; link++) idle.plane.queueSet(link, 64000, 0, 1);
    idle.ticks(100);
    const tick = Math.round(metered.operations(() => idle.ticks(100)) / 100 - without);
    t.log(`${isByFlow === 1 ? 'by flow' : 'by host'} ${put}, a tick of queues ${tick}`);
    t.true(put < 9000, `${put}`);
    t.true(tick < 600, `${tick}`);
  }
});
