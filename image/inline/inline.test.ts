import { runInNewContext } from 'node:vm';
import test from 'ava';
import { PLANE_BYTES } from '../../src/base/limits.ts';
import { attach } from '../../src/base/memory.ts';
import { runTraffic } from '../../src/control/debug/differential.ts';
import { type Build, javascriptBuild, type Plane } from '../../tools/builds.ts';
import { planeScript } from '../bundle.ts';
import { inline } from './inline.ts';

const HELPERS = `
  var words = new Int32Array(16), log = [];
  var eight = 4 + 4, big = eight * 1000;
  function setUp(w) { words = w; }
  function at(p) { return words[p >> 2]; }
  function put(p, value) { words[p >> 2] = value; }
  function add(p, n) { put(p, at(p) + n | 0); }
  function say(n) { log.push(n); return n; }
`;

/** The result of `main()`, the words and what was said, without inlining and with it; and the new text of main. */
function both(functions: string, call = 'main()') {
  const wrap = `(() => {\n// plane/x.ts\n${HELPERS}\n${functions}\nglobalThis.result = () => JSON.stringify([${call}, [...words], log]);\n})();`;
  const inlined = inline(wrap, { files: /^plane/, hot: /^$/, roots: ['main'], setUp: ['setUp'] });
  const run = (source: string): unknown => {
    const sandbox: { result?: () => string } = {};
    runInNewContext(source, sandbox);
    return JSON.parse((sandbox.result as () => string)());
  };
  const main = inlined.slice(inlined.indexOf('function main('), inlined.indexOf('globalThis'));
  return { plain: run(wrap), inlined: run(inlined), main };
}

function same(name: string, functions: string, check?: (main: string) => boolean): void {
  test(`inline() ${name}`, t => {
    const { plain, inlined, main } = both(functions);
    t.deepEqual(inlined, plain);
    if (check !== undefined) t.true(check(main), main);
  });
}

const without =
  (...names: string[]) =>
  (main: string) =>
    names.every(name => !main.includes(`${name}(`));

same(
  'writes accessors and constants into their callers, and folds',
  `function main() { put(eight, 5); const p = 4; add(p + 4 + eight - 8, big); return at(8); }`,
  main => without('put', 'add', 'at')(main) && main.includes('8000') && !main.includes('eight'),
);
same(
  'keeps names apart that caller and callee share',
  `function twice(p) { const n = p + 1; return n * 2; }
   function main() { const n = 10; const p = 3; let words2 = twice(n) + p; { const n = twice(p); words2 += n; } return words2 + n; }`,
  without('twice'),
);
same(
  'evaluates an impure argument once, and arguments in their order',
  `function square(x) { return x * x; }
   function swapped(a, b) { return b - a; }
   function main() { return square(say(7)) + swapped(say(1), say(2)) * 100 + swapped(at(4), say(3)); }`,
  without('square', 'swapped'),
);
same(
  'evaluates an argument that the body does not use or uses in one branch only',
  `function first(a, b) { return a; }
   function choose(c, a, b) { return c !== 0 ? a : b; }
   function main() { return first(say(1), say(2)) + choose(0, say(3), say(4)) + choose(at(0), say(5), at(4)); }`,
  without('first', 'choose'),
);
same(
  'reads an argument before the body changes it',
  `function exchange(p, value) { put(p, 9); return value; }
   function main() { put(0, 4); return exchange(0, at(0)) * 10 + at(0); }`,
  without('exchange'),
);
same(
  'reads an argument before another argument changes it',
  `function join(a, b) { return a * 10 + b; }
   function main() { let i = 1; const n = join(i, i++); const m = join(i++, i); const k = join(i, i = 7); return ((n * 1000 + m) * 100 + i) * 100 + k; }`,
);
same(
  'assigns to a copy of a parameter',
  `function half(n) { n = n >> 1; return n; }
   function main() { let n = 12; const m = half(n); return n * 100 + m; }`,
  without('half'),
);
same(
  'leaves recursion alone',
  `function down(n) { if (n === 0) return 0; return down(n - 1) + 1; }
   function even(n) { if (n === 0) return 1; return odd(n - 1); }
   function odd(n) { if (n === 0) return 0; return even(n - 1); }
   function main() { return down(5) + even(4) * 10; }`,
);
same(
  'makes expressions of branches with returns, and of functions that return nothing',
  `function classify(n) { if (n < 0) { say(-1); return 1; } if (n === 0) return 2; else say(5); return n > 9 ? 3 : 4; }
   function perhaps(n) { if (n === 0) return; put(n, n); if (n > 4) { put(1, n); } else say(2); }
   function main() { for (let n = -1; n < 12; n += 4) { say(classify(n)); perhaps(n); perhaps(0); } return 0; }`,
  without('classify', 'perhaps'),
);
same(
  'joins the test of a branch whose last statement returns, and what comes before it',
  `function check(n) { let m = n; if (n > 2) { put(1, n); m = say(n * 2); if (m > 8) { say(0); return m; } } if (m === 1) { if (n === 1) return 9; } return m + 50; }
   function main() { let all = 0; for (let n = 0; n < 7; n++) all = all * 3 + check(n); return all; }`,
  without('check'),
);
same(
  'puts a constant in the place of a variable that is set to it once',
  `function bump(n) { const p = 4 * n + 8; put(p, at(p) + 1); }
   function main() { bump(1); bump(1); let q = 3; q = 4; bump(q - 4); return at(12); }`,
  without('bump'),
);
same(
  'reaches words by their number where a variable is set once',
  `function total(p) { let all = 0; for (let i = 0; i < 3; i++) { const q = p + 4 * i; all += at(q) + at(q + 4) * 10 + at(q + 8) * 100; put(q + 4, all); } return all; }
   function main() { for (let i = 0; i < 40; i += 4) put(i, i); let r = 0; r = 8; const s = total(r) + total(0); r += 4; return s + at(r) + at(r + 4) + at(r + 8) + at(r - 4); }`,
);
same(
  'gives each turn of a loop its own variables',
  `function main() { let all = 0; for (let i = 0; i < 3; i++) { let n = 0; n += i; for (let i = 5; i < 7; i++) n += i; all = all * 100 + n; } return all; }`,
);
same(
  'calls a function with a loop or of another file as before',
  `function search(n) { for (let i = 0; i < 9; i++) { if (i === n) return i; } return -1; }
   // control/y.ts
   function far(n) { return at(n) + 1; }
   // plane/z.ts
   function main() { return search(4) + far(0) + search(10); }`,
  main => main.includes('search(') && main.includes('far('),
);
same(
  'takes a property for no variable',
  `var length = 3;
   function main() { words.fill(length, 0, 2); return words.length + length; }`,
  main => main.includes('.length'),
);

test('inline() refuses a bundle without its root', t => {
  const source = '(() => {\n// plane/x.ts\nfunction f() { return 1; }\n})();';
  t.throws(() => inline(source, { files: /^plane/, hot: /^$/, roots: ['main'], setUp: [] }), {
    message: /no such function/,
  });
});

test('the inlined plane leaves the same memory as the plain one', async t => {
  const native = javascriptBuild();
  const build = async (plain: boolean): Promise<Build> => {
    const buffer = new ArrayBuffer(PLANE_BYTES);
    const sandbox: { __memory: ArrayBuffer; __host: () => void; __overlay?: Plane } = {
      __memory: buffer,
      __host: () => {},
    };
    runInNewContext((await planeScript(plain)).text, sandbox);
    const memory = new Uint8Array(buffer);
    return {
      name: plain ? 'plain' : 'inlined',
      plane: sandbox.__overlay as Plane,
      memory,
      use: () => attach(buffer, 0, PLANE_BYTES),
    };
  };
  const [plain, inlined] = [await build(true), await build(false)];
  const crcs = ({ plane, memory, use }: Build, seed: number): number[] => {
    use();
    return [...runTraffic(plane, plane, memory, seed, 2000)];
  };
  for (let seed = 1; seed <= 8; seed++) {
    const expected = crcs(native, seed);
    t.deepEqual(crcs(plain, seed), expected);
    t.deepEqual(crcs(inlined, seed), expected);
    t.is(Buffer.compare(plain.memory, inlined.memory), 0);
  }
});
