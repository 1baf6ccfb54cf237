import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { BUFFERS_LESS_AT } from './cells.ts';
import { BUFFER_BYTES, BUFFER_COUNT, BUFFER_COUNT_SMALL, BUFFERS_AT } from './limits.ts';
import { i32at, puti32 } from './memory.ts';
import { PACKET_CONTEXT, PACKET_FLAGS, PACKET_IN, PACKET_KNOWN, PACKET_NEXT } from './packet.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  test.serial(`allocate() gives each buffer once and then 0 (${name})`, t => {
    build.use();
    plane.resetPool();
    const seen = new Set<number>();
    for (let i = 0; i < BUFFER_COUNT; i++) seen.add(plane.allocate());
    t.is(seen.size, BUFFER_COUNT);
    t.false(seen.has(0));
    t.is(plane.allocate(), 0);
    t.is(plane.poolFree(), 0);
    for (const packet of seen) plane.release(packet);
    t.is(plane.poolFree(), BUFFER_COUNT);
    t.not(plane.allocate(), 0);
  });

  test.serial(`allocate() clears the metadata that its last holder left (${name})`, t => {
    build.use();
    plane.resetPool();
    const packet = plane.allocate();
    const fields = [PACKET_KNOWN];
    for (let at = PACKET_NEXT; at <= PACKET_CONTEXT; at += 4) fields.push(at);
    for (const at of fields) puti32(packet + at, -123);
    plane.release(packet);
    t.is(plane.allocate(), packet);
    for (const at of fields) {
      t.is(i32at(packet + at), at === PACKET_IN ? -1 : 0, `field at ${at}`);
    }
  });

  test.serial(`reclaim() frees what control held, and only that, and only once (${name})`, t => {
    build.use();
    plane.resetPool();
    const ours = plane.allocate();
    plane.allocateForControl();
    plane.allocateForControl();
    const sent = plane.allocateForControl();
    plane.release(sent);
    t.is(plane.reclaim(), 2);
    t.is(plane.reclaim(), 0);
    t.is(plane.poolFree(), BUFFER_COUNT - 1);
    t.is(i32at(ours + PACKET_FLAGS), 0);
    t.true(ours >= BUFFERS_AT);
  });

  test.serial(`a small board has less buffers, and touches nothing before them (${name})`, t => {
    build.use();
    const less = BUFFER_COUNT - BUFFER_COUNT_SMALL;
    const absent = build.memory.subarray(BUFFERS_AT, BUFFERS_AT + less * BUFFER_BYTES);
    absent.fill(0xa5);
    puti32(BUFFERS_LESS_AT, less);
    plane.resetPool();
    t.is(plane.poolFree(), BUFFER_COUNT_SMALL);
    const seen = new Set<number>();
    for (let i = 0; i < BUFFER_COUNT_SMALL; i++) seen.add(plane.allocateForControl());
    t.is(seen.size, BUFFER_COUNT_SMALL);
    t.is(plane.allocate(), 0);
    t.is(Math.min(...seen), BUFFERS_AT + less * BUFFER_BYTES);
    t.is(plane.reclaim(), BUFFER_COUNT_SMALL);
    t.is(plane.poolFree(), BUFFER_COUNT_SMALL);
    t.true(absent.every(byte => byte === 0xa5));
    puti32(BUFFERS_LESS_AT, 0);
    plane.resetPool();
  });
}
