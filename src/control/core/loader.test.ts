import test from 'ava';
import { ENGINE_AT, ENGINE_INTERPRETED, ENGINE_NATIVE, NOW_AT } from '../../base/cells.ts';
import { PLANE_BYTES } from '../../base/limits.ts';
import { attach, i32at, puti32 } from '../../base/memory.ts';
import { Refusal } from './console/command.ts';
import {
  OVERLAY_COLLECT_TICKS,
  OVERLAY_IDLE_TICKS,
  OVERLAY_SPARE_BYTES,
  OVERLAY_WORK_TICKS,
} from './limits.ts';
import { createLoader } from './loader.ts';
import { OVERLAY_NAMES, type OverlayName } from './overlays.ts';

attach(new ArrayBuffer(PLANE_BYTES), 0, PLANE_BYTES);

/** A heap with room for so many overlays, of which those that nobody holds go when garbage is collected. */
function heap(rooms: number) {
  let there = 0;
  let held = 0;
  let collections = 0;
  const asked: string[] = [];
  let fails: Error | null | undefined;
  const none = (): number => 0;
  const loader = createLoader({
    ...{ result: none, read: none, run: none, give: none },
    evaluate: (number, spare) => {
      asked.push(`${OVERLAY_NAMES[number]} ${spare}`);
      if (fails !== undefined) throw fails;
      if (there === rooms) return 0;
      there++;
      (globalThis as { __overlay?: unknown }).__overlay = { name: OVERLAY_NAMES[number] };
      return 1;
    },
    collect: () => {
      collections++;
      there = held;
    },
  });
  return {
    loader,
    load: (name: OverlayName) => (loader.overlay(name) as unknown as { name: string }).name,
    asked: () => asked.splice(0).map(text => text.split(' ')[0] as string),
    spares: asked,
    hold: (count: number) => {
      held = count;
    },
    fail: (error: Error | null | undefined) => {
      fails = error;
    },
    collections: () => collections,
  };
}

function pass(ticks: number): void {
  puti32(NOW_AT, (i32at(NOW_AT) + ticks) | 0);
}

test.serial(
  'an overlay is loaded when it is wanted, and once while it is wanted again within a minute',
  t => {
    const { loader, load, asked, collections, spares } = heap(9);
    puti32(NOW_AT, 0x7fffff00 | 0);
    t.is(load('debug'), 'debug');
    t.deepEqual(spares, [`debug ${OVERLAY_SPARE_BYTES}`]);
    for (let i = 0; i < 5; i++) {
      pass(OVERLAY_IDLE_TICKS - 1);
      loader.tidy();
      t.is(load('debug'), 'debug');
    }
    t.deepEqual(asked(), ['debug']);
    t.is(collections(), 0);
    pass(OVERLAY_IDLE_TICKS);
    loader.tidy();
    t.is(collections(), 1);
    loader.tidy();
    t.is(collections(), 1);
    t.is(load('debug'), 'debug');
    t.deepEqual(asked(), ['debug']);
    t.is((globalThis as { __overlay?: unknown }).__overlay, undefined);
  },
);

test.serial(
  'where the heap is short the others are given up; is that not enough, it is refused in words',
  t => {
    const { load, asked, hold, collections } = heap(2);
    load('debug');
    load('crash');
    load('status');
    t.deepEqual(asked(), ['debug', 'crash', 'status', 'status']);
    load('crash');
    t.deepEqual(asked(), ['crash']);
    // Those that are at work stay.
    hold(2);
    pass(OVERLAY_COLLECT_TICKS);
    const error = t.throws(() => load('setup'), { instanceOf: Refusal });
    t.is(error.message, "Cannot load the part setup: control's heap has no room for it");
    // Whoever asks again at once costs no collection.
    const before = collections();
    hold(0);
    for (let i = 0; i < 5; i++) t.throws(() => load('setup'), { instanceOf: Refusal });
    t.is(collections(), before);
    pass(OVERLAY_COLLECT_TICKS);
    t.is(load('setup'), 'setup');
  },
);

test.serial('who is about to want much gets what was not wanted just now', t => {
  const { loader, load, asked, collections } = heap(2);
  load('debug');
  pass(OVERLAY_WORK_TICKS);
  load('crash');
  asked();
  const real = globalThis.ArrayBuffer;
  globalThis.ArrayBuffer = class {
    constructor() {
      throw new RangeError('out of memory');
    }
  } as unknown as ArrayBufferConstructor;
  try {
    t.false(loader.keepsRoom(1));
  } finally {
    globalThis.ArrayBuffer = real;
  }
  t.is(collections(), 1);
  load('crash');
  t.deepEqual(asked(), []);
  load('debug');
  t.deepEqual(asked(), ['debug']);
});

test.serial('an evaluation that runs out of memory found no room', t => {
  const { load, fail, asked, collections } = heap(2);
  for (const error of [new Error('out of memory'), null]) {
    pass(OVERLAY_COLLECT_TICKS);
    fail(error);
    const { message } = t.throws(() => load('setup'), { instanceOf: Refusal });
    t.is(message, "Cannot load the part setup: control's heap has no room for it");
    t.deepEqual(asked(), ['setup', 'setup']);
  }
  t.is(collections(), 2);
  fail(undefined);
  t.is(load('setup'), 'setup');
});

test.serial('what goes wrong at its evaluation is told', t => {
  const { load, fail } = heap(2);
  fail(new TypeError('not a function'));
  const error = t.throws(() => load('setup'), { instanceOf: Refusal });
  t.is(error.message, 'Cannot load the part setup: not a function');
  fail(undefined);
  t.is(load('setup'), 'setup');
});

test.serial('the interpreted engine stays while it forwards', t => {
  const { loader, load, asked } = heap(2);
  puti32(ENGINE_AT, ENGINE_INTERPRETED);
  load('interpreted');
  load('debug');
  load('crash');
  pass(OVERLAY_IDLE_TICKS);
  loader.tidy();
  asked();
  load('interpreted');
  t.deepEqual(asked(), []);
  puti32(ENGINE_AT, ENGINE_NATIVE);
  pass(OVERLAY_IDLE_TICKS);
  loader.tidy();
  load('interpreted');
  t.deepEqual(asked(), ['interpreted']);
});
