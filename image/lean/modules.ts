// What QuickJS keeps of scripts and modules, and nobody asks for once they have been evaluated: sources, tables of line
// numbers, a module's own function, its namespace, the promise of its evaluation, the list of its imports, and what it keeps
// of functions (functions.ts). Left to itself that is a third of control's heap. After a module is linked, the engine finds exported variables in its list of
// exports alone, so that modules which are loaded later can still import them.
// The engine has no calls for this: the offsets are those of its structures in the version that package.json pins,
// read from its source, and are checked where that can be done.
// Not here: freeing the rest, zeroed and written out as the snapshot (image/snapshot.ts).

import type { Engine } from '../engine.ts';
import { SHAPE_PLACES } from './functions.ts';

/** In JSRuntime: the head of the list of what the garbage collector knows, and what is left out when compiling. */
const GC_LIST = 80;
const STRIP_FLAGS = 228;
const STRIP_SOURCE = 1;
const STRIP_DEBUG = 2;

/** In JSRuntime: what is allocated, and at how much the collector runs; in units of this build's, see below. */
const ALLOCATED = 20;
export const COLLECT_AT = 108;
const COLLECT_AT_FIRST = 256 * 1024;

/** In JSGCObjectHeader: a byte with the type, and the links to previous and next. */
const GC_TYPE = 4;
const GC_LINK = 8;
const TYPE_MASK = 15;
const TYPE_MODULE = 6;

/** In JSModuleDef: the links to previous and next, and tables with their numbers behind them. */
export const MODULE_LINK = 20;
const IMPORTED = 28;
const EXPORTS = 40;
const EXPORT_STARS_COUNT = 56;
const IMPORTS = 64;
/** Namespace, function, promise, and the two functions that settle it. */
const VALUES = [80, 88, 152, 160, 168];
const FLAGS = 100;
/** A byte each: whether it awaits, resolved, function made; and the status: evaluated. */
const FLAGS_EVALUATED = 0x05010100;
/** In JSExportEntry: whether the variable is the module's own, which 0 says. */
const EXPORT_BYTES = 20;
const EXPORT_TYPE = 8;

/** High words of a JSValue. */
const TAG_OBJECT = 0xffffffff;
const TAG_MODULE = 0xfffffffd;
const TAG_UNDEFINED = 3;

/**
 * Lets the engine compile without sources and line numbers from now on; of a minified line they tell nothing.
 * @param places line numbers stay
 */
export function compileLean(memory: WebAssembly.Memory, runtime: number, places = false): void {
  new Uint8Array(memory.buffer)[runtime + STRIP_FLAGS] = places ? STRIP_SOURCE : STRIP_SOURCE | STRIP_DEBUG;
}

/**
 * Lets the collector of cycles run when there is half as much again as now, which is what the engine does from its
 * first run on. Left to itself it would wait for that until there are 32,768 blocks, three times ours, which a board
 * of 4 MB never holds: malloc tells this build no sizes, so that each block counts as 8 bytes.
 */
export function collectInTime(memory: WebAssembly.Memory, runtime: number): void {
  const words = new Uint32Array(memory.buffer);
  const allocated = words[(runtime + ALLOCATED) >> 2] as number;
  if (words[(runtime + COLLECT_AT) >> 2] !== COLLECT_AT_FIRST || allocated > COLLECT_AT_FIRST)
    throw new Error('Cannot set when the engine collects: its version changed, or the bundle is much larger');
  words[(runtime + COLLECT_AT) >> 2] = allocated + (allocated >> 1);
}

/** What functions.ts exports; those that drop answer how many functions they do not know. */
export interface LeanFunctions {
  leanCompiled(runtime: number): number;
  leanBefore(runtime: number): void;
  leanEvaluated(runtime: number): number;
}

/** functions.ts, compiled, over an engine's memory. */
export function leanFunctions(
  wasm: Uint8Array,
  engine: Engine,
  memory: WebAssembly.Memory,
  contextOf: () => number,
): LeanFunctions {
  const freeValue = (at: number) => engine.QTS_FreeValuePointer(contextOf(), at);
  const imports = { env: { memory }, heap: { free: engine.free, freeValue } };
  const module = new WebAssembly.Module(Uint8Array.from(wasm));
  const functions = new WebAssembly.Instance(module, imports).exports as unknown as LeanFunctions;
  const known =
    (lean: (runtime: number) => number) =>
    (runtime: number): number => {
      if (lean(runtime) !== 0) throw new Error('Cannot make functions lean: the engine has another version');
      return 0;
    };
  return {
    leanCompiled: known(functions.leanCompiled),
    leanBefore: functions.leanBefore,
    leanEvaluated: known(functions.leanEvaluated),
  };
}

/** In JSObject and JSShape, and in JSRuntime the table of shapes by their hash: see functions.ts and ../compact.ts. */
const OBJECT_SHAPE = 20;
const SHAPE_COUNT = 32;
const SHAPE_NEXT = 40;
const SHAPE_TABLE_BYTES = 236;
const SHAPE_TABLE_COUNT = 240;
const SHAPE_TABLE = 244;

/**
 * Makes the shape of functions that have nothing of their own, of one that is like it but for its place for two properties.
 * @param object a JSValue* of an object without properties whose prototype is that of functions; it is given up
 */
export function makeBareShape(
  engine: Engine,
  memory: WebAssembly.Memory,
  runtime: number,
  context: number,
  object: number,
): void {
  const words = new Uint32Array(memory.buffer);
  const shape = words[((words[object >> 2] as number) + OBJECT_SHAPE) >> 2] as number;
  words[shape >> 2] = (words[shape >> 2] as number) + 1;
  engine.QTS_FreeValuePointer(context, object);
  // Others that have it already find, as before, that it has no place for a property of theirs.
  if (words[(shape + SHAPE_COUNT) >> 2] !== 0)
    throw new Error('Cannot make the shape of bare functions: the engine has another version');
  const table = words[(runtime + SHAPE_TABLE) >> 2] as number;
  for (let at = table; at < table + 4 * (words[(runtime + SHAPE_TABLE_BYTES) >> 2] as number); at += 4) {
    let place = at;
    while (words[place >> 2] !== 0 && words[place >> 2] !== shape)
      place = (words[place >> 2] as number) + SHAPE_NEXT;
    if (words[place >> 2] === shape) words[place >> 2] = words[(shape + SHAPE_NEXT) >> 2] as number;
  }
  words[(shape + SHAPE_NEXT) >> 2] = 0;
  words[(runtime + SHAPE_TABLE_COUNT) >> 2] = (words[(runtime + SHAPE_TABLE_COUNT) >> 2] as number) - 1;
  words[(shape + SHAPE_PLACES) >> 2] = 0;
}

/** Frees what nobody needs of modules that have been evaluated. */
export function makeLean(
  engine: Engine,
  memory: WebAssembly.Memory,
  runtime: number,
  context: number,
  functions: LeanFunctions,
): void {
  dropOfModules(engine, memory, runtime, context);
  functions.leanEvaluated(runtime);
}

function dropOfModules(engine: Engine, memory: WebAssembly.Memory, runtime: number, context: number): void {
  const words = new Uint32Array(memory.buffer);
  for (const at of [...collected(memory, runtime, TYPE_MODULE)]) {
    const module = at >> 2;
    if (words[module + (FLAGS >> 2)] !== FLAGS_EVALUATED)
      throw new Error('Cannot find what the engine keeps of a module: its version changed');
    for (const offset of VALUES) {
      const place = module + (offset >> 2);
      if (words[place + 1] !== TAG_OBJECT) continue;
      const copy = engine.malloc(8);
      words[copy >> 2] = words[place] as number;
      words[(copy >> 2) + 1] = TAG_OBJECT;
      words[place] = 0;
      words[place + 1] = TAG_UNDEFINED;
      engine.QTS_FreeValuePointer(context, copy);
    }
    const dropped = exportsOwnOnly(words, module) ? [IMPORTS, IMPORTED] : [IMPORTS];
    for (const table of dropped) {
      engine.free(words[module + (table >> 2)] as number);
      words.fill(0, module + (table >> 2), module + (table >> 2) + 3);
    }
  }
}

/** The context's list of modules, and the link in it of the last one. */
export interface ModuleList {
  list: number;
  last: number;
}

export function moduleList(memory: WebAssembly.Memory, runtime: number): ModuleList {
  const words = new Uint32Array(memory.buffer);
  const links = [...collected(memory, runtime, TYPE_MODULE)].map(at => at + MODULE_LINK);
  const last = links.find(link => !links.includes(words[(link >> 2) + 1] as number));
  const list = last === undefined ? 0 : (words[(last >> 2) + 1] as number);
  if (last === undefined || words[list >> 2] !== last)
    throw new Error('Cannot find the list of modules: the engine has another version');
  return { list, last };
}

/**
 * Frees the modules behind the last one, evaluated or not: that is the list's own reference to each. Functions of theirs
 * that somebody holds live on, as what they use of one another they hold themselves, and not their module.
 */
export function freeModules(
  engine: Engine,
  memory: WebAssembly.Memory,
  context: number,
  { list, last }: ModuleList,
): void {
  const words = new Uint32Array(memory.buffer);
  for (let link = words[list >> 2] as number; link !== last; link = words[list >> 2] as number) {
    const copy = engine.malloc(8);
    words[copy >> 2] = link - MODULE_LINK;
    words[(copy >> 2) + 1] = TAG_MODULE;
    engine.QTS_FreeValuePointer(context, copy);
  }
}

/** Otherwise the imported modules are asked when somebody imports from this one. */
function exportsOwnOnly(words: Uint32Array, module: number): boolean {
  if (words[module + (EXPORT_STARS_COUNT >> 2)] !== 0) return false;
  const table = words[module + (EXPORTS >> 2)] as number;
  const count = words[module + (EXPORTS >> 2) + 1] as number;
  for (let i = 0; i < count; i++) {
    if (words[(table + i * EXPORT_BYTES + EXPORT_TYPE) >> 2] !== 0) return false;
  }
  return true;
}

/** The addresses of what the garbage collector knows, of one type. */
function* collected(memory: WebAssembly.Memory, runtime: number, type: number): Generator<number> {
  const words = new Uint32Array(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const head = runtime + GC_LIST;
  for (let link = words[(head >> 2) + 1] as number; link !== head; link = words[(link >> 2) + 1] as number) {
    const at = link - GC_LINK;
    if (((bytes[at + GC_TYPE] as number) & TYPE_MASK) === type) yield at;
  }
}
