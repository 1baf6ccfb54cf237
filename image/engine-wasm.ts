// The engine's wasm as we use it: the npm package's, with what it can do with bytecode opened. QuickJS writes and reads
// compiled modules, which load ten times faster than their source; the package's functions for that pass flags that
// keep to plain values, so the flags are changed in place. What evaluates a module that has been read is exported, as the
// package's own calls for that want its source; for the build alone JS_Eval() too, which compiles without evaluating.
// Functions and places are those of the version that package.json pins, and are checked; the reader believes what it
// reads, so only what is in the image may reach it.
// Not here: who compiles (bytecode.ts), who loads (embed.ts, board/i486/overlay.c), what boards do without (engine-board.ts).

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const VARIANT = '@jitl/quickjs-wasmfile-release-sync';

/** Names under which functions of the engine's own are exported; the package's have one or two letters. */
export const COMPILE = 'compile';
export const RESOLVE_MODULE = 'resolveModule';
export const EVALUATE_MODULE = 'evaluateModule';

/** WebAssembly core specification, section 5.5: numbers of sections, kinds of what is imported or exported. */
const SECTION_IMPORT = 2;
export const SECTION_EXPORT = 7;
const SECTION_CODE = 10;
const KIND_FUNCTION = 0;
const KIND_MEMORY = 2;

/** JS_ReadObjectRec() asks twice whether bytecode is allowed (i32.load8_u offset=33): it is asked for a field never 0. */
const READER = { index: 182, bytes: 4173, from: '2d0021', to: '2d0010', count: 2 };
/** QTS_bjson_encode() gives JS_WriteObject() its flags: the bit for bytecode alone. */
const WRITER = { index: 1132, bytes: 675, from: '428080848010', to: '428180808010', count: 1 };
/** JS_Eval(); js_resolve_module(), which finds what a module imports; JS_EvalFunction(), which links and evaluates one. */
/**
 * get_func_name(), for traces, and JS_ToCString(). Functions have nothing of their own (lean/functions.ts): of one of JavaScript that has
 * not, the name is what its code has, which the code put before get_func_name()'s own reads. An atom below 0 is a number:
 *
 *     if (value is an object && class is 13 && shape has no properties)
 *       return JS_ToCString(context, (name = value.function.name) < 0 ? name & 0x7fffffff
 *         : context.runtime.atoms[name] as a string)
 */
const NAMES = {
  index: 769,
  bytes: 255,
  at: 3,
  code:
    '02402001428080808070540d002001a722042f0106410d470d0020042802142802200d00' +
    '200020042802202802' +
    '1c2204410048047e200441ffffffff0771ad05' +
    '20002802102802382004' +
    '4102746a280200ad4280808080907f840b10ce010f0b',
};
const TO_STRING = { index: 206, bytes: 13 };
const EVAL = { index: 556, bytes: 49, name: COMPILE };
const RESOLVE = { index: 527, bytes: 179, name: RESOLVE_MODULE };
const EVALUATE = { index: 777, bytes: 19, name: EVALUATE_MODULE };

/** Path of the package's wasm file, and of the JavaScript beside it that knows what its names mean. */
export function engineFiles(): { wasm: string; script: string } {
  const wasm = createRequire(import.meta.url).resolve(`${VARIANT}/wasm`);
  return { wasm, script: wasm.replace(/\.wasm$/, '.cjs') };
}

/** The engine that boards run. */
export function engineWasm(): Uint8Array<ArrayBuffer> {
  const wasm = new Uint8Array(readFileSync(engineFiles().wasm));
  const bodies = functionBodies(wasm);
  for (const patch of [READER, WRITER]) replaceIn(bodyOf(bodies, patch), patch);
  bodyOf(bodies, TO_STRING);
  return withExports(withCode(wasm, NAMES), [RESOLVE, EVALUATE]);
}

/** The same for the build: it compiles, too. */
export function compilerWasm(): Uint8Array<ArrayBuffer> {
  return withExports(engineWasm(), [EVAL]);
}

/** Puts code into a function's body. */
function withCode(wasm: Uint8Array, patch: typeof NAMES): Uint8Array<ArrayBuffer> {
  const bodies = functionBodies(wasm);
  const body = bodyOf(bodies, patch);
  const longer = [
    ...body.subarray(0, patch.at),
    ...Buffer.from(patch.code, 'hex'),
    ...body.subarray(patch.at),
  ];
  const content = [...bodies.values()].map(it => (it === body ? longer : it));
  return withSection(wasm, SECTION_CODE, [
    ...leb(bodies.size),
    ...content.flatMap(it => [...leb(it.length), ...it]),
  ]);
}

/** Exports functions under names of ours. */
function withExports(wasm: Uint8Array, functions: readonly (typeof EVAL)[]): Uint8Array<ArrayBuffer> {
  const bodies = functionBodies(wasm);
  for (const one of functions) bodyOf(bodies, one);
  const { from, to } = section(wasm, SECTION_EXPORT);
  const [count, first] = unsigned(wasm, from);
  const entries = functions.flatMap(({ name, index }) => {
    const text = new TextEncoder().encode(name);
    return [...leb(text.length), ...text, KIND_FUNCTION, ...leb(index)];
  });
  const content = [...leb(count + functions.length), ...wasm.subarray(first, to), ...entries];
  return withSection(wasm, SECTION_EXPORT, content);
}

/** The same with another content of a section. */
export function withSection(
  wasm: Uint8Array,
  number: number,
  content: readonly number[],
): Uint8Array<ArrayBuffer> {
  const { at, to } = section(wasm, number);
  return Uint8Array.from([
    ...wasm.subarray(0, at),
    ...[number, ...leb(content.length), ...content],
    ...wasm.subarray(to),
  ]);
}

export function bodyOf(
  bodies: Map<number, Uint8Array>,
  { index, bytes }: { index: number; bytes: number },
): Uint8Array {
  const body = bodies.get(index);
  if (body?.length !== bytes) throw new Error(`Cannot find function ${index} in ${VARIANT}: version changed`);
  return body;
}

function replaceIn(body: Uint8Array, { from, to, count, index }: typeof READER): void {
  const hex = Buffer.from(body).toString('hex');
  const places = [...hex.matchAll(new RegExp(from, 'g'))]
    .map(({ index }) => index)
    .filter(at => at % 2 === 0);
  if (places.length !== count)
    throw new Error(`Cannot change function ${index} in ${VARIANT}: ${places.length} places, not ${count}`);
  for (const place of places) body.set(Buffer.from(to, 'hex'), place / 2);
}

/** An unsigned LEB128 number (section 5.2.2), and the address behind it. */
export function unsigned(bytes: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    value |= (byte & 127) << shift;
    if (byte < 128) return [value >>> 0, at];
  }
}

export function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

/** Where a section stands, and its content. */
export function section(wasm: Uint8Array, wanted: number): { at: number; from: number; to: number } {
  for (let at = 8; at < wasm.length; ) {
    const [bytes, from] = unsigned(wasm, at + 1);
    if (wasm[at] === wanted) return { at, from, to: from + bytes };
    at = from + bytes;
  }
  throw new Error(`Cannot find section ${wanted} of ${VARIANT}`);
}

/** Each function's body by the function's number: those that are imported come first. */
export function functionBodies(wasm: Uint8Array): Map<number, Uint8Array> {
  const bodies = new Map<number, Uint8Array>();
  let index = importedFunctions(wasm);
  let [count, at] = unsigned(wasm, section(wasm, SECTION_CODE).from);
  for (; count > 0; count--) {
    const [bytes, from] = unsigned(wasm, at);
    at = from + bytes;
    bodies.set(index++, wasm.subarray(from, at));
  }
  return bodies;
}

function importedFunctions(wasm: Uint8Array): number {
  let functions = 0;
  let [count, at] = unsigned(wasm, section(wasm, SECTION_IMPORT).from);
  const skipped = (from: number): number => unsigned(wasm, from)[1];
  for (; count > 0; count--) {
    for (let name = 0; name < 2; name++) {
      const [bytes, from] = unsigned(wasm, at);
      at = from + bytes;
    }
    const kind = wasm[at++];
    if (kind === KIND_FUNCTION) {
      functions++;
      at = skipped(at);
    } else if (kind === KIND_MEMORY) {
      const [limits, from] = unsigned(wasm, at);
      at = skipped(from);
      if ((limits & 1) !== 0) at = skipped(at);
    } else throw new Error(`Cannot read the imports of ${VARIANT}: kind ${kind}`);
  }
  return functions;
}
