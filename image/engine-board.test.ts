// What boards go without of the engine, tried under Node. Not here: that boards run on the rest (test/).

import test from 'ava';
import { embed, freshMemory } from './embed.ts';
import { boardWasm, withoutUnnamed } from './engine-board.ts';
import { engineWasm } from './engine-wasm.ts';

const TRAP = { name: 'RuntimeError' };
/** What the language does by itself, without a word for it; each row is a script, and what it answers. */
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: they are scripts
const BY_ITSELF: readonly [string, unknown][] = [
  ['const [a, ...b] = new Set([1, 2, 3]); [a, b].length', 2],
  ['`${[1, [2, 3]]}${{}}${1n}${null}`', '1,2,3[object Object]1null'],
  ['[..."a1b"].length + [...new Map([[1, 2]])].length', 4],
  ['function* f() { try { yield* [1, 2]; } finally { yield 3; } } [...f()].length', 3],
  [
    'for (const x of (function* () { try { yield 1; } finally { globalThis.z = x1; } })()) { var x1 = 7; break; } z',
    7,
  ],
  ['class A { #p = 1; static s = 2; get p() { return this.#p; } } new (class extends A {})().p + A.s', 3],
  ['const { x, ...y } = { x: 1, z: 2 }; ({ ...y }).z + ({ a: 1 }?.b ?? 3)', 5],
  ['+{ [Symbol.toPrimitive]: () => 5 } + +[6]', 11],
  ['String.raw`a${1}b`', 'a1b'],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: they are scripts
/** The words of a row's own that are names of the library's. */
const NAMED = 'Set Map Symbol String raw toPrimitive length';

test('a function of the library that nobody names is empty, the others and the language itself are as they were', t => {
  const names = (text: string): Set<string> => new Set(text.split(' '));
  const engine = embed('', undefined, undefined, withoutUnnamed(engineWasm(), freshMemory(), names(NAMED)));
  for (const [script, answer] of BY_ITSELF) {
    t.notThrows(() => engine.evaluate(`{ ${script} }`), script);
    t.is(engine.evaluate(`{ ${script} }`), answer, script);
  }
  t.throws(() => engine.evaluate('[2, 1].toSorted()'), TRAP);
  const other = embed(
    '',
    undefined,
    undefined,
    withoutUnnamed(engineWasm(), freshMemory(), names('toSorted replace split')),
  );
  t.is(other.evaluate('[2, 1].toSorted()[0]'), 1);
  t.is(other.evaluate('"a-b-c".replace(/-(.)/g, (_, c) => c + c).split(/c+/)[0]'), 'abb');
  t.throws(() => other.evaluate('Math.sumPrecise([1])'), TRAP);
});

test('on boards nothing is compiled, and only what the floor calls is exported', t => {
  const wasm = boardWasm(engineWasm(), freshMemory(), new Set(['sort']), new Set(['u']));
  t.deepEqual(
    WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name),
    ['u'],
  );
  const all = new Set(
    WebAssembly.Module.exports(new WebAssembly.Module(engineWasm())).map(({ name }) => name),
  );
  t.throws(
    () => embed('1', undefined, undefined, boardWasm(engineWasm(), freshMemory(), new Set(), all)),
    TRAP,
  );
});
