import { readFileSync } from 'node:fs';
import test from 'ava';
import { HOST_COLLECT, HOST_OVERLAY } from '../../src/base/abi.ts';
import { compile } from '../bytecode.ts';
import { type Compiled, embed, type Script } from '../embed.ts';
import { heapBytes } from '../heap.ts';
import { compilePortable } from '../plane-wasm.ts';

const FIRST: Script = {
  name: 'a/first.ts',
  text: `const SECRET = 40;
    let calls = 0;
    function plain(a, b) { const sum = a + b; return sum; }
    function captured(n) { let inner = n; return [() => inner++, () => inner]; }
    class Thing { #kept = 1; add(n) { for (const x of [n, n]) this.#kept += x; return this.#kept; } }
    export function total(n) { calls++; return plain(SECRET, n); }
    const broken = () => { try { null.x; } catch (e) { return e.stack; } };
    globalThis.broken = () => broken();
    export { captured, Thing as Other, calls };`,
};
const SECOND: Script = {
  name: 'b/second.ts',
  text: `import { total as t, calls } from './../a/first.ts';
    import * as all from '../a/first.ts';
    export { Other } from '../a/first.ts';
    export const look = () => [t(2), calls, Object.keys(all).join()];
    globalThis.look = look;
    globalThis.captured = all.captured;
    globalThis.__step = () => {};`,
};
const LATER: Script = {
  name: 'c/later.ts',
  text: `import { look, Other } from '../b/second.ts';
    import { total } from '../a/first.ts';
    globalThis.later = () => [look(), new Other().add(3), total(-40)];`,
};

/** An overlay whose functions need one another, and one that does not come to its end. */
const ROUND: Script = {
  name: 'd/round.ts',
  text: `import { total } from '../a/first.ts';
    const even = n => n === 0 || odd(n - 1);
    const odd = n => n !== 0 && even(n - 1);
    class Counter { static made = 0; constructor() { Counter.made++; } twin() { return new Counter(); } }
    function* slow(n) { yield total(n); yield new Counter().twin() && Counter.made; }
    globalThis.__overlay = { even, slow };`,
};
const THROWING: Script = {
  name: 'e/throwing.ts',
  text: `import { total } from '../a/first.ts';
    globalThis.__overlay = total;
    null.missing;`,
};

/** What the scripts here name, and what is evaluated here. */
const WORDS = readFileSync(new URL(import.meta.url), 'utf8').match(/[\w$]+/g) ?? [];
const LEAN = await compilePortable('image/lean/functions.ts');

function lean() {
  const [first, second, ...overlays] = compile([FIRST, SECOND, LATER, ROUND, THROWING], LEAN) as [
    Compiled,
    Compiled,
    ...Compiled[],
  ];
  const engine = embed({ modules: [first, second], overlays, words: WORDS, lean: LEAN });
  const { evaluate, memory, stackPointer } = engine;
  const used = (): number => {
    evaluate(`__host(${HOST_COLLECT}); ({}); 1`);
    return heapBytes(memory, stackPointer, true);
  };
  return { engine, evaluate, used };
}

test('modules do what they did, and those that are loaded later find them', t => {
  const { engine, evaluate } = lean();
  t.deepEqual(evaluate('look()'), [42, 1, 'Other,calls,captured,total']);
  t.deepEqual(
    evaluate(
      '(() => { const [up, now] = captured(5); up(); up(); const [, other] = captured(1); return [now(), other()]; })()',
    ),
    [7, 1],
  );
  engine.evaluate(`__host(${HOST_OVERLAY}, 0)`);
  t.deepEqual(evaluate('later()'), [[42, 2, 'Other,calls,captured,total'], 7, 0]);
  t.deepEqual(evaluate('later()'), [[42, 4, 'Other,calls,captured,total'], 7, 0]);
});

test('no source and no line is kept, and traces have the numbers of the functions', t => {
  const { engine, evaluate } = lean();
  t.regex(evaluate('String(look)') as string, /native code/);
  t.regex(t.throws(() => engine.evaluate('(function named() { null.x; })()')).message, /at named/);
  const trace = evaluate('broken()') as string;
  t.regex(trace, /^ +at \d+/m, trace);
  t.notRegex(trace, /broken/);
  const text = Buffer.from(engine.memory.buffer).toString('latin1');
  t.false(text.includes('this.#kept +='));
});

test('the garbage collector goes through what is left', t => {
  const { evaluate } = lean();
  // Cycles of 48 bytes and more: without being collected they would not fit.
  const cycles =
    '(() => { for (let i = 0; i < 200000; i++) { const a = [new Uint8Array(100)]; a.push(a); } return 1; })()';
  t.is(evaluate(cycles), 1);
  t.deepEqual(evaluate('look()'), [42, 1, 'Other,calls,captured,total']);
});

test('an overlay that nobody holds is garbage, and is loaded again; what is at work goes on to its end', t => {
  const { evaluate, used } = lean();
  const script = `(() => { __host(${HOST_OVERLAY}, 1); const all = [__overlay.even(6), [...__overlay.slow(2)]]; __overlay = 0; return all; })()`;
  t.deepEqual(evaluate(script), [true, [42, 2]]);
  const before = used();
  for (let i = 0; i < 20; i++) t.deepEqual(evaluate(script), [true, [42, 2]], `${i}`);
  t.is(used(), before);
  evaluate(`globalThis.job = (__host(${HOST_OVERLAY}, 1), __overlay.slow(3)); __overlay = 0; job.next(); 1`);
  t.true(used() > before + 500);
  t.is(evaluate('job.next().value'), 2);
  evaluate('delete globalThis.job; 1');
  t.true(used() <= before + 64);
});

test('what an overlay throws is for the caller to catch, and the next one loads', t => {
  const { evaluate, used } = lean();
  const script = `(() => { try { __host(${HOST_OVERLAY}, 2); return 'nothing'; } catch (e) { return e.message; } })()`;
  const message = evaluate(script);
  t.regex(message as string, /null/);
  const before = used();
  for (let i = 0; i < 20; i++) t.is(evaluate(script), message);
  t.is(used(), before);
  t.is(evaluate(`__host(${HOST_OVERLAY}, 1); __overlay.even(3)`), false);
});
