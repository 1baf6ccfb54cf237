import test from 'ava';
import { javascriptBuild } from '../../../../tools/builds.ts';
import { BUFFERS_AT, FIND_BYTES } from '../../../base/limits.ts';
import { crcOf } from './text.ts';

test('crcOf() sums any length in pieces, as one sum', t => {
  const { plane, memory, use } = javascriptBuild();
  use();
  const most = 3 * FIND_BYTES + 7;
  for (let i = 0; i < most; i++) memory[BUFFERS_AT + i] = (i * 31) & 0xff;
  let longest = 0;
  const summer = {
    crc32: (before: number, at: number, bytes: number): number => {
      longest = Math.max(longest, bytes);
      return plane.crc32(before, at, bytes);
    },
  };
  for (const bytes of [0, 1, FIND_BYTES - 1, FIND_BYTES, FIND_BYTES + 1, most])
    t.is(crcOf(summer, 5, BUFFERS_AT, bytes), plane.crc32(5, BUFFERS_AT, bytes), `${bytes}`);
  t.is(longest, FIND_BYTES);
});
