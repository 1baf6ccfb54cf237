// An overlay under Node: read from its bytecode, linked and evaluated, as board/i486/overlay.c does.
// Not here: what is freed of it then (lean/), which there are (src/control/core/overlays.ts).

import type { Engine } from './engine.ts';
import { EVALUATE_MODULE, RESOLVE_MODULE } from './engine-wasm.ts';

/** High words of a JSValue: an exception that waits in the context, and a module. */
export const TAG_EXCEPTION = 6;
const TAG_MODULE = -3;
/** The state of a promise that was rejected. */
const PROMISE_REJECTED = 2;

/** Reads an overlay's module and evaluates it, as board/i486/overlay.c does; answers what that throws, a JSValue*, or 0. */
export function evaluateOverlay(
  engine: Engine,
  exported: Record<string, unknown>,
  memory: WebAssembly.Memory,
  context: number,
  bytecode: Uint8Array,
): number {
  /** Frees a value, an exception being thrown again. */
  const finish = (value: number): number => {
    const failure = engine.QTS_ResolveException(context, value);
    const thrown = failure === 0 ? 0 : engine.QTS_Throw(context, failure);
    if (failure !== 0) engine.QTS_FreeValuePointer(context, failure);
    engine.QTS_FreeValuePointer(context, value);
    return thrown;
  };
  const at = engine.malloc(bytecode.length);
  new Uint8Array(memory.buffer).set(bytecode, at);
  const buffer = engine.QTS_NewArrayBuffer(context, at, bytecode.length);
  const value = engine.QTS_bjson_decode(context, buffer);
  engine.QTS_FreeValuePointer(context, buffer);
  const words = new Int32Array(memory.buffer, value, 2);
  if (words[1] !== TAG_MODULE) return finish(value);
  const [resolve, evaluate] = [exported[RESOLVE_MODULE], exported[EVALUATE_MODULE]] as [
    (context: number, module: number) => number,
    (context: number, value: bigint) => bigint,
  ];
  const promise = new BigInt64Array(memory.buffer, value, 1);
  if (resolve(context, words[0] as number) < 0) words[1] = TAG_EXCEPTION;
  else promise[0] = evaluate(context, promise[0] as bigint);
  if (words[1] === TAG_EXCEPTION || engine.QTS_PromiseState(context, value) !== PROMISE_REJECTED)
    return finish(value);
  const reason = engine.QTS_PromiseResult(context, value);
  const thrown = engine.QTS_Throw(context, reason);
  engine.QTS_FreeValuePointer(context, reason);
  engine.QTS_FreeValuePointer(context, value);
  return thrown;
}
