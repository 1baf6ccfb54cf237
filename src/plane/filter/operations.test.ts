// Operations that remember, count or look at the clock: recent, connlimit, time.

import test from 'ava';
import { payload, SYN, tcp, udp } from '../../../test/packets.ts';
import { HOST, OTHER, type Router, SERVER, startRouter } from '../../../test/plane-router.ts';
import { addRule, countsOf, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { NOW_AT } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import * as R from '../../base/rule-record.ts';
import { WALL_SECONDS_AT, WALL_TICK_AT, WALL_ZONE_AT } from '../../base/rule-state.ts';

const out = { source: HOST, destination: SERVER };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = (): Router => {
    const router = startRouter(build);
    startRules(plane);
    return router;
  };
  const packets = (rule: number) => countsOf(plane, { rule })[0];
  const recent = (flags: number, hits = 0, seconds = 0) => ({
    kind: R.OPERATION_RECENT,
    write: (at: number) => {
      put8(at + 4, flags);
      putu16(at + 6, hits);
      puti32(at + 8, seconds);
      puti32(at + 12, -1);
    },
  });

  test.serial(
    `recent: the fourth packet in a minute is refused, by whoever, and later ones are not (${name})`,
    t => {
      const router = start();
      const drop = addRule(plane, R.CHAIN_FORWARD, {
        target: R.TARGET_DROP,
        operations: [recent(R.RECENT_UPDATE, 3, 60)],
      });
      addRule(plane, R.CHAIN_FORWARD, { operations: [recent(R.RECENT_SET)] });
      for (let i = 0; i < 5; i++) router.fromHost(udp(out, 1, 2, payload(4)));
      t.is(router.toWan().length, 3);
      t.is(packets(drop), 2);
      router.fromHost(udp({ source: OTHER, destination: SERVER }, 1, 2));
      t.is(router.toWan().length, 1);
      puti32(NOW_AT, (i32at(NOW_AT) + 61 * TICKS_PER_SECOND) | 0);
      router.fromHost(udp(out, 1, 2));
      t.is(router.toWan().length, 1);
    },
  );

  test.serial(`recent: who has been seen is known until it is taken away (${name})`, t => {
    const router = start();
    addRule(plane, R.CHAIN_FORWARD, {
      ports: [1, 1],
      target: R.TARGET_ACCEPT,
      operations: [recent(R.RECENT_SET)],
    });
    addRule(plane, R.CHAIN_FORWARD, {
      ports: [2, 2],
      target: R.TARGET_DROP,
      operations: [recent(R.RECENT_REMOVE)],
    });
    addRule(plane, R.CHAIN_FORWARD, { target: R.TARGET_ACCEPT, operations: [recent(R.RECENT_CHECK)] });
    addRule(plane, R.CHAIN_FORWARD, { target: R.TARGET_DROP });
    const passes = (port: number): boolean => {
      router.fromHost(udp(out, 9, port));
      return router.toWan().length === 1;
    };
    t.deepEqual([3, 1, 3, 2, 3].map(passes), [false, true, true, false, false]);
  });

  test.serial(
    `connlimit: a host's connections beyond a number are refused, those under way go on (${name})`,
    t => {
      const router = start();
      addRule(plane, R.CHAIN_FORWARD, {
        protocol: 6,
        target: R.TARGET_DROP,
        operations: [
          {
            kind: R.OPERATION_CONNLIMIT,
            write: at => {
              put8(at + 4, R.CONNLIMIT_ABOVE);
              puti32(at + 8, 2);
              puti32(at + 12, -1);
            },
          },
        ],
      });
      const opens = (port: number, source = HOST): boolean => {
        router.fromHost(
          tcp({ source, destination: SERVER }, { sourcePort: port, destinationPort: 80, flags: SYN }),
        );
        return router.toWan().length === 1;
      };
      t.deepEqual([opens(1), opens(2), opens(3), opens(1), opens(9, OTHER)], [true, true, false, true, true]);
    },
  );

  test.serial(
    `time: by the hour, over midnight, the weekday and the day of the month, and never as long as nobody knows it (${name})`,
    t => {
      const router = start();
      const day = 86400;
      let at = 0;
      const rule = addRule(plane, R.CHAIN_FORWARD, {
        target: R.TARGET_DROP,
        operations: [
          {
            kind: R.OPERATION_TIME,
            write: operation => {
              at = operation;
            },
          },
        ],
      });
      const says = (first: number, last: number, weekdays = 0xfe, monthdays = ~1, flags = 0): void => {
        put8(at + 4, weekdays);
        put8(at + 5, flags);
        puti32(at + 8, 0);
        puti32(at + 12, -1);
        puti32(at + 16, first);
        puti32(at + 20, last);
        puti32(at + 24, monthdays);
      };
      const isRefusedAt = (text: string): boolean => {
        const seconds = text === '' ? 0 : Date.parse(`${text}Z`) / 1000;
        puti32(WALL_SECONDS_AT, seconds | 0);
        puti32(WALL_TICK_AT, i32at(NOW_AT));
        const before = packets(rule);
        router.fromHost(udp(out, 1, 2));
        return packets(rule) > before;
      };
      says(9 * 3600, 17 * 3600);
      t.is(isRefusedAt(''), false);
      t.deepEqual(['2026-11-30T08:59:59', '2026-11-30T09:00:00', '2026-11-30T17:00:01'].map(isRefusedAt), [
        false,
        true,
        false,
      ]);
      says(22 * 3600, 6 * 3600, 1 << 1);
      // 2026-11-30 is a Monday; what begins on it goes on into Tuesday only if it is said so.
      t.deepEqual(['2026-11-30T23:00', '2026-12-01T05:00'].map(isRefusedAt), [true, false]);
      says(22 * 3600, 6 * 3600, 1 << 1, ~1, R.TIME_CONTIGUOUS);
      t.deepEqual(['2026-12-01T05:00', '2026-11-30T05:00'].map(isRefusedAt), [true, false]);
      says(0, day - 1, 0xfe, 1 << 29);
      t.deepEqual(
        ['2028-02-29T12:00', '2028-03-01T00:00', '2028-02-28T23:59:59', '2100-12-29T12:00'].map(isRefusedAt),
        [true, false, false, true],
      );
      says(0, 3599, 0xfe, ~1, R.TIME_LOCAL);
      puti32(WALL_ZONE_AT, 3600);
      t.deepEqual(['2026-11-30T23:30', '2026-11-30T00:30'].map(isRefusedAt), [true, false]);
    },
  );

  test.serial(`marks: of packets, kept by flows by their masks, and given back (${name})`, t => {
    const router = start();
    const mark = (mode: number, value: number, mask: number) => ({
      kind: R.OPERATION_MARK_SET,
      write: (at: number) => {
        put8(at + 4, mode);
        puti32(at + 8, value);
        puti32(at + 12, mask);
      },
    });
    const marked = (kind: number, value: number) => ({
      kind,
      write: (at: number) => {
        puti32(at + 4, value);
        puti32(at + 8, -1);
      },
    });
    const chain = R.CHAIN_MANGLE_PREROUTING;
    addRule(plane, chain, { target: R.TARGET_CONNMARK, operations: [mark(R.MARK_RESTORE, -1, -1)] });
    const back = addRule(plane, chain, { operations: [marked(R.OPERATION_MARK, 0x305)] });
    addRule(plane, chain, { target: R.TARGET_MARK, operations: [mark(R.MARK_SET, 5, 0xf)] });
    addRule(plane, chain, { target: R.TARGET_MARK, operations: [mark(R.MARK_SET, 0x300, 0)] });
    const seen = addRule(plane, R.CHAIN_FORWARD, { operations: [marked(R.OPERATION_MARK, 0x305)] });
    addRule(plane, R.CHAIN_FORWARD, { target: R.TARGET_CONNMARK, operations: [mark(R.MARK_SAVE, -1, -1)] });
    for (let i = 0; i < 3; i++) router.fromHost(udp(out, 1, 2));
    // The first packet has no flow yet to keep it. What is set twice is turned back.
    t.deepEqual([packets(seen), packets(back)], [2, 1]);
  });
}
