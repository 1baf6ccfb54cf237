// Compiles the firmware's modules to QuickJS's bytecode, in an engine of its own, which is thrown away: the one whose
// heap becomes the snapshot never sees a source. The same text makes the same bytes.
// Not here: what is a module (bundle.ts), what in the engine makes this possible (engine-wasm.ts).

import { type Compiled, compileEngine, type Script } from './embed.ts';
import { addPlaces, type Place } from './function-places.ts';

/** JS_Eval()'s flags: a module; only compiled. */
const MODULE = 1;
const COMPILE_ONLY = 32;

/**
 * Compiles modules, each behind those that it imports.
 * @param lean lean/functions.ts, compiled
 * @param places is given where each function stands, which the bytecode has then, too
 */
export function compile(scripts: readonly Script[], lean: Uint8Array, places?: Place[]): Compiled[] {
  const { engine, evaluate, functions, runtime, context, memory, speech } = compileEngine(
    lean,
    places !== undefined,
  );
  return scripts.map(({ name, text }) => {
    const value = speech.withText(text, (at, bytes) =>
      speech.withText(name, file => evaluate(context, at, bytes, file, MODULE | COMPILE_ONLY)),
    );
    const place = engine.malloc(8);
    new DataView(memory.buffer).setBigInt64(place, value, true);
    speech.check(place);
    functions.leanCompiled(runtime);
    if (places !== undefined) addPlaces(places, memory, runtime, name);
    const encoded = engine.QTS_bjson_encode(context, place);
    speech.check(encoded);
    const length = engine.QTS_GetArrayBufferLength(context, encoded);
    const at = engine.QTS_GetArrayBuffer(context, encoded);
    return { name, bytecode: new Uint8Array(memory.buffer, at, length).slice() };
  });
}
