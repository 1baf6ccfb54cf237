import test from 'ava';
import { withOffsets } from './wasm-address.ts';

const LOAD = '  w2c_i0 = i32_load(instance->Z_envZ_memory, (u64)(w2c_i0) + 262144u);';

function translated(...lines: string[]): string[] {
  return withOffsets(lines.join('\n')).split('\n');
}

test('a number that is added to an address goes into the access', t => {
  t.deepEqual(translated('  w2c_i0 = w2c_p0;', '  w2c_i1 = 50u;', '  w2c_i0 += w2c_i1;', LOAD), [
    '  w2c_i0 = w2c_p0;',
    '  w2c_i0 = i32_load(instance->Z_envZ_memory, w2c_i0, 50u + 262144u);',
  ]);
  t.deepEqual(
    translated(
      '  w2c_i1 = 8u;',
      '  w2c_i0 += w2c_i1;',
      '  w2c_i1 = w2c_l3;',
      '  i32_store16(instance->Z_envZ_memory, (u64)(w2c_i0), w2c_i1);',
    ),
    ['  w2c_i1 = w2c_l3;', '  i32_store16(instance->Z_envZ_memory, w2c_i0, 8u + 0u, w2c_i1);'],
  );
});

for (const [what, ...between] of [
  ['the sum is used again', '  w2c_l5 = w2c_i0;'],
  ['the access is reached from elsewhere, too', '  w2c_B3:;'],
  ['the sum is one of two branches', '  }', '    w2c_i0 += w2c_i1;'],
]) {
  test(`it stays where ${what}`, t => {
    const before = ['  w2c_i1 = 50u;', '  w2c_i0 += w2c_i1;', ...between];
    t.deepEqual(translated(...before, LOAD), [
      ...before,
      '  w2c_i0 = i32_load(instance->Z_envZ_memory, w2c_i0, 262144u);',
    ]);
  });
}
