// The loop is recognised by its shape, so a made-up one will do. What the short ways compute is the business of
// `debug selftest`, on the board (test/differential.test.ts).

import test from 'ava';
import { loopForSpeed } from './interpreter-loop.ts';
import { OPERATIONS } from './interpreter-operations.ts';

const PUSH = `
  w2c_i0 = w2c_l17;
  w2c_i1 = w2c_p6;
  w2c_j1 = i64_load32_u(instance->Z_aZ_a, (u64)(w2c_i1) + 1u);
  i64_store(instance->Z_aZ_a, (u64)(w2c_i0), w2c_j1);
  w2c_i0 += w2c_i1;
  w2c_l19 = w2c_i0;
  goto w2c_L27;`;
const ELEMENT = `
  w2c_i0 = i32_load16_u(instance->Z_aZ_a, (u64)(w2c_i0) + 6u);
  w2c_i1 = 2u;`;
const BODIES: Record<number, string> = {
  1: PUSH,
  67: ELEMENT,
  70: ELEMENT,
  152: '\n  w2c_j0 *= w2c_j1;',
  155: '\n  w2c_j1 += w2c_j2;',
  156: '\n  w2c_j0 -= w2c_j1;',
};

/** wasm2c's C of an engine with 210 operations, of which `bodies` do something. */
function engine(bodies = BODIES): string {
  const codes = Array.from({ length: 210 }, (_, i) => i + 1);
  const cases = codes.map(code => `case ${code - 1}: goto w2c_B${code + 1000};`).join('\n');
  const labels = codes.map(code => `w2c_B${code + 1000}:;${bodies[code] ?? ''}`).join('\n');
  return `static u32 w2c_f1(I* instance, u32 w2c_p0) {
  w2c_i1 = 10000u;
}
static u64 w2c_f2(I* instance, u32 w2c_p0) {
  w2c_i0 = w2c_f1(instance, w2c_i0);
w2c_L27:
  w2c_l22 = w2c_i0;
  w2c_i1 = 1u;
  w2c_i0 -= w2c_i1;
  switch (w2c_i0) {
${cases}
default: goto w2c_B0;
}
${labels}
}
`;
}

test('loopForSpeed() puts each short way behind its label, with the names that the loop has', t => {
  const text = loopForSpeed(engine());
  t.regex(text, /switch \(w2c_l22\) \{\ncase 1: goto w2c_B1001;/);
  t.false(text.includes('w2c_f1(instance, w2c_i0)'));
  const names = { stack: 'w2c_l17', nextStack: 'w2c_l19', loop: 'w2c_L27' };
  for (const { code, name, short } of OPERATIONS) {
    t.true(text.includes(`w2c_B${code + 1000}:;${short(names)}${BODIES[code]}`), name);
  }
});

test('loopForSpeed() says which operation is not what it was', t => {
  const message = /^Cannot shorten sub in the engine: operation 156 is another$/;
  t.throws(() => loopForSpeed(engine({ ...BODIES, 156: BODIES[155] as string })), { message });
  t.throws(() => loopForSpeed(engine({ ...BODIES, 1: '' })), { message: /^Cannot find the stack of the/ });
  t.throws(() => loopForSpeed(engine().replaceAll('case ', 'cases ')), {
    message: /no function with a switch/,
  });
});
