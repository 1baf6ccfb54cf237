import test from 'ava';
import { frame, udp } from '../../test/packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_MAC,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import {
  BOOT_FACTS_AT,
  ENGINE_AT,
  ENGINE_INTERPRETED,
  NOW_AT,
  PENDING_AT,
  PLANE_BUSY_AT,
  TICKED_AT,
  WAKE_AT,
  WORK_AGE,
  WORK_AT,
} from '../base/cells.ts';
import { COUNT_FORWARDED } from '../base/counters.ts';
import { IF_TX_PACKETS } from '../base/interface.ts';
import { BUFFER_COUNT, BUFFERS_AT, FRAGMENTS_AT, RECEIVE_TICK_COUNTS } from '../base/limits.ts';
import { i32at, puti32 } from '../base/memory.ts';
import { PACKET_FRAME, setFrame } from '../base/packet.ts';

const OUT = { source: HOST, destination: SERVER };
const IN = { source: SERVER, destination: WAN_ADDRESS };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;

  /** Puts a frame into a card's ring, without an interrupt. */
  const lay = (index: number, bytes: Uint8Array) => {
    build.use();
    const packet = plane.allocate();
    memory.set(bytes, packet + PACKET_FRAME);
    setFrame(packet, bytes.length);
    plane.ringPut(index, packet);
  };
  const fromHost = (port = 1043) => lay(LAN, frame(LAN_MAC, HOST_MAC, udp(OUT, port, 53)));
  const fromGateway = () => lay(WAN, frame(WAN_MAC, GATEWAY_MAC, udp(IN, 53, 1043)));

  test.serial(`interrupt() serves the card of its line alone (${name})`, t => {
    const router = startRouter(build);
    fromHost();
    fromGateway();
    plane.interrupt(3, 0);
    t.is(router.counter(COUNT_FORWARDED), 0);
    plane.interrupt(5, 0);
    t.is(router.counter(COUNT_FORWARDED), 1);
    plane.interrupt(10, 0);
    t.is(router.counter(COUNT_FORWARDED), 2);
    for (let i = 0; i < 20; i++) fromHost();
    plane.interrupt(5, 0);
    t.is(router.counter(COUNT_FORWARDED), 22);
    t.is(router.toLan().length, 1);
  });

  test.serial(`work() takes one frame, the cards in turn, and interrupts only note (${name})`, t => {
    const router = startRouter(build);
    router.ticks(1);
    for (let i = 0; i < 3; i++) fromHost();
    plane.takeInterrupt(5, 0);
    t.is(router.counter(COUNT_FORWARDED), 0);
    t.is(plane.work(0), 1);
    t.is(router.counter(COUNT_FORWARDED), 1);
    // The other card has something meanwhile, as between two pieces.
    for (let i = 0; i < 2; i++) fromGateway();
    plane.takeInterrupt(10, 0);
    const [lan, wan] = [LAN, WAN].map(index => router.interfaceField(index, IF_TX_PACKETS)) as [
      number,
      number,
    ];
    const sent: number[][] = [];
    for (let more = 1; more !== 0; ) {
      more = plane.work(0);
      sent.push([
        router.interfaceField(LAN, IF_TX_PACKETS) - lan,
        router.interfaceField(WAN, IF_TX_PACKETS) - wan,
      ]);
    }
    t.deepEqual(sent, [
      [1, 0],
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
    t.is(router.counter(COUNT_FORWARDED), 5);
  });

  test.serial(`the time for frames between two ticks is limited, and the next tick goes on (${name})`, t => {
    const router = startRouter(build);
    router.ticks(1);
    for (let i = 0; i < 20; i++) fromHost();
    plane.takeInterrupt(5, 0);
    const counts = Math.ceil(RECEIVE_TICK_COUNTS / 10);
    let pieces = 0;
    for (let passed = 0; plane.work(passed) !== 0; passed = counts) pieces++;
    t.is(pieces, 10);
    t.is(router.counter(COUNT_FORWARDED), 10);
    // What its line says now waits too; other lines' causes do not.
    fromGateway();
    plane.takeInterrupt(10, 0);
    t.is(plane.work(0), 0);
    t.is(i32at(PENDING_AT), 1 << 10);
    t.is(plane.wanted(), 1, 'for its timer');
    puti32(WAKE_AT, 1000);
    t.is(plane.wanted(), 0);
    plane.takeTick(0);
    t.is(i32at(PENDING_AT), 0);
    while (plane.work(0) !== 0);
    t.is(router.counter(COUNT_FORWARDED), 21);
    router.toWan();
    router.toLan();
    t.is(router.held(), 0);
  });

  test.serial(`a tick's ageing goes on however late it is (${name})`, t => {
    startRouter(build);
    plane.takeTick(0);
    let pieces = 0;
    for (; plane.work(RECEIVE_TICK_COUNTS) !== 0; pieces++);
    t.is(pieces, 0, 'no link has changed, no session ends, no fragment is due, and no packet has failed');
    t.is(i32at(WORK_AT) & WORK_AGE, 0);
  });

  test.serial(`the interpreted engine works when it is called, and loses no tick (${name})`, t => {
    const router = startRouter(build);
    puti32(WAKE_AT, 1000);
    puti32(ENGINE_AT, ENGINE_INTERPRETED);
    t.is(plane.wanted(), 0);
    fromHost();
    plane.interrupt(5, 0);
    t.is(router.counter(COUNT_FORWARDED), 0);
    t.is(i32at(PENDING_AT), 1 << 5);
    t.is(plane.wanted(), 1);
    plane.servicePending();
    t.is(router.counter(COUNT_FORWARDED), 1);
    t.is(plane.wanted(), 0);
    router.toWan();
    t.is(router.held(), 0);
  });

  test.serial(`a tick of the interpreted engine ages the tables, and leaves the frames (${name})`, t => {
    const router = startRouter(build);
    puti32(WAKE_AT, 1000);
    puti32(ENGINE_AT, ENGINE_INTERPRETED);
    router.ticks(3);
    t.is(i32at(TICKED_AT), 3);
    t.is(plane.wanted(), 0);
    fromHost(); // its interrupt is lost
    router.ticks(1);
    t.is(router.counter(COUNT_FORWARDED), 0);
    t.is(plane.wanted(), 1);
    plane.servicePending();
    t.is(router.counter(COUNT_FORWARDED), 1);
    t.is(plane.wanted(), 0);
    router.toWan();
    t.is(router.held(), 0);
  });

  test.serial(`a tick while JavaScript is in the plane only counts, and none is lost (${name})`, t => {
    const router = startRouter(build);
    puti32(ENGINE_AT, ENGINE_INTERPRETED);
    router.ticks(1);
    fromHost();
    puti32(PLANE_BUSY_AT, 1);
    const before = memory.slice(FRAGMENTS_AT, BUFFERS_AT);
    router.ticks(3);
    t.is(i32at(NOW_AT), 4);
    t.is(i32at(TICKED_AT), 1);
    t.is(i32at(PENDING_AT), 0);
    t.is(Buffer.compare(before, memory.slice(FRAGMENTS_AT, BUFFERS_AT)), 0);
    plane.servicePending();
    t.is(i32at(PLANE_BUSY_AT), 0);
    t.is(router.counter(COUNT_FORWARDED), 1);
    while (i32at(TICKED_AT) !== i32at(NOW_AT)) plane.catchUp();
    t.is(i32at(TICKED_AT), 4);
    router.toWan();
    t.is(router.held(), 0);
  });

  test.serial(`wanted() wakes control for its timer (${name})`, t => {
    const router = startRouter(build);
    puti32(WAKE_AT, 5);
    router.ticks(4);
    t.is(plane.wanted(), 0);
    router.ticks(1);
    t.is(plane.wanted(), 1);
  });

  test.serial(`planeReset() leaves the same memory whatever was there (${name})`, t => {
    build.use();
    memory.fill(0);
    plane.planeReset();
    const fresh = memory.slice();
    startRouter(build);
    fromHost();
    plane.interrupt(5, 0);
    plane.planeReset();
    // Buffers keep their frames, and nothing else does.
    t.is(plane.poolFree(), BUFFER_COUNT);
    for (let at = 0; at < BUFFERS_AT; at++) {
      if (memory[at] !== fresh[at] && (at < BOOT_FACTS_AT || at >= BOOT_FACTS_AT + 32)) t.fail(`byte ${at}`);
    }
  });
}
