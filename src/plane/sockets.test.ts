import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../test/builds.ts';
import { SOCKET_COUNT } from './limits.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  test.serial(`socketOpen() takes ${SOCKET_COUNT} ports and refuses one more (${name})`, t => {
    build.use();
    plane.resetSockets();
    for (let i = 0; i < SOCKET_COUNT; i++) t.is(plane.socketOpen(17, i, 3), 1);
    t.is(plane.socketOpen(17, SOCKET_COUNT, 3), 0);
    t.is(plane.socketOpen(17, 0, 1), 1, 'one that is open only changes its mask');
    plane.socketClose(17, 5);
    plane.socketClose(17, 5);
    t.is(plane.socketUses(17, 5), 0);
    t.is(plane.socketOpen(6, 65535, 3), 1);
    t.is(plane.socketUses(6, 65535), 1);
    t.is(plane.socketUses(17, 65535), 0);
    t.is(plane.socketUses(17, SOCKET_COUNT - 1), 1);
  });

  test.serial(`socketClose() closes first, middle and last, and leaves the others (${name})`, t => {
    build.use();
    for (const closed of [0, 3, 6]) {
      plane.resetSockets();
      for (let i = 0; i < 7; i++) plane.socketOpen(6, 100 + i, 1);
      plane.socketClose(6, 100 + closed);
      for (let i = 0; i < 7; i++) t.is(plane.socketUses(6, 100 + i), i === closed ? 0 : 1);
    }
  });
}
