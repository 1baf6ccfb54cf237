import test from 'ava';
import { planeNames } from '../firmware/host.ts';
import * as plane from '../firmware/plane.ts';
import { PLANE_BASE, PLANE_BYTES } from '../src/base/limits.ts';
import { bundle } from './bundle.ts';
import { embed, heapTopAt, MEMORY_PAGES } from './embed.ts';
import { compilePlane } from './plane-wasm.ts';

const STEP = 'globalThis.__step = () => {};';

test('embed() gives the plane’s memory and the host to the script', t => {
  const calls: number[][] = [];
  const source = `globalThis.__step = () => {
    const words = new Int32Array(__memory);
    words[3] = -7;
    __host(3, -1, 0x7fffffff, 1 << 31);
  };`;
  const engine = embed(source, (...args) => void calls.push(args));
  engine.call();
  t.deepEqual(calls, [[3, -1, 0x7fffffff, -0x80000000, 0, 0, 0, 0]]);
  t.is(new Int32Array(engine.memory.buffer, PLANE_BASE, 4)[3], -7);
  t.is(engine.evaluate('__memory.byteLength'), PLANE_BYTES);
  t.is(engine.memory.buffer.byteLength, MEMORY_PAGES * 65536);
});

test('call() throws what escapes, and the engine goes on', t => {
  const engine = embed(
    'let n = 0; globalThis.__step = () => { if (++n === 1) throw new RangeError("oops"); };',
  );
  const error = t.throws(() => engine.call());
  t.true(error.message.startsWith('RangeError: oops\n'));
  t.notThrows(() => engine.call());
});

test('call() survives endless recursion and a full heap as exceptions', t => {
  const engine = embed(`let n = 0;
    const deep = () => deep() + 1;
    globalThis.__step = () => {
      if (++n === 1) deep();
      if (n === 2) { const all = []; for (;;) all.push(new Array(100000).fill(n)); }
    };`);
  t.regex(t.throws(() => engine.call()).message, /stack overflow/);
  t.throws(() => engine.call());
  t.notThrows(() => engine.call());
});

test('a script that calls the host while it is evaluated is refused', t => {
  t.throws(() => embed(`__host(1); ${STEP}`), { message: /nothing may be remembered/ });
});

test('a script’s syntax error is told', t => {
  t.throws(() => embed('let ='), { message: /SyntaxError/ });
});

test('embed() makes the same memory each time, and leaves the hole of the plane empty', async t => {
  const source = await bundle();
  const [first, second] = [embed(source), embed(source)];
  t.is(Buffer.compare(new Uint8Array(first.memory.buffer), new Uint8Array(second.memory.buffer)), 0);
  t.true(new Uint8Array(first.memory.buffer, PLANE_BASE, PLANE_BYTES).every(byte => byte === 0));
  t.is(first.engine.stackGetCurrent(), first.stackPointer);
});

test('call() leaves nothing behind on the heap', t => {
  const engine = embed(STEP);
  const top = () => new Int32Array(engine.memory.buffer)[heapTopAt() >> 2];
  engine.call();
  const before = top();
  for (let i = 0; i < 20000; i++) engine.call();
  t.is(top(), before);
});

test('heapTopAt() is the end of what the heap has taken', t => {
  const engine = embed(`${STEP} globalThis.keep = [];`);
  const top = () => new Int32Array(engine.memory.buffer)[heapTopAt() >> 2] as number;
  const before = top();
  t.true(before > engine.stackPointer && before < engine.memory.buffer.byteLength);
  engine.evaluate('keep.push(new ArrayBuffer(1000000)); 0');
  t.true(top() - before > 900000);
  const bytes = new Uint8Array(engine.memory.buffer, top());
  t.true(bytes.every(byte => byte === 0));
});

test('planeNames() of the module are the functions of the plane’s WebAssembly in their sorted order', async t => {
  const module = await WebAssembly.compile(await compilePlane());
  const functions = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  const exports = Object.fromEntries(functions.map(({ name }) => [name, () => {}]));
  t.deepEqual(planeNames(exports), planeNames(plane));
});
