// QuickJS embedded: the engine of quickjs-emscripten in a memory of our own, with the bundle evaluated in it.
// The sim board runs what this returns; the image build writes its memory out as the board's snapshot.
// Facts about the engine (export names, value layout) are read from or checked against the npm package, whose
// version is pinned. Not here: what the bundle does (firmware/control.ts), what stands behind `__host` (the boards).
//
//   0        static data      0x20000     0x40000 PLANE_BASE          5 MiB: stack's top    heap ...
//   | engine's globals        | free      | plane's memory | free ... <- stack            | objects, bundle
//
// A JSValue is 8 bytes, NaN-boxed: the value in the low word, the tag in the high one. Tag 0 is an i32.

import { readFileSync } from 'node:fs';
import { HOST_COLLECT, HOST_OVERLAY } from '../src/base/abi.ts';
import { HOST_RESULT_AT } from '../src/base/cells.ts';
import { PLANE_BASE, PLANE_BYTES } from '../src/base/limits.ts';
import { CALLED, type Engine, type Raw } from './engine.ts';
import { COMPILE, compilerWasm, engineFiles, engineWasm, VARIANT } from './engine-wasm.ts';
import {
  COLLECT_AT,
  collectInTime,
  compileLean,
  freeModules,
  type LeanFunctions,
  leanFunctions,
  type ModuleList,
  makeBareShape,
  makeLean,
  moduleList,
} from './lean/modules.ts';
import { libraryScript } from './library.ts';
import { endHeapAt } from './malloc.ts';
import { evaluateOverlay, TAG_EXCEPTION } from './overlay.ts';

/** 16 MiB of linear memory; how much of it has RAM behind it is each board's affair. */
export const MEMORY_PAGES = 256;
/**
 * JavaScript's stack in linear memory: deep recursion is an InternalError long before RAM runs out. Evaluating the
 * interpreted engine takes 17 KB of it (test/stack.test.ts). A byte of it goes with up to 6.2 of the machine's (board/i486/pages.c).
 */
export const STACK_LIMIT = 32 * 1024;
/** The same while the bundle is evaluated, under Node: the parser recurses deeper than the firmware does. */
const EVALUATION_STACK_LIMIT = 256 * 1024;
/** High word of a JSValue: an i32. */
export const TAG_INT = 0;

/** Export that runs the C library's constructors. */
const STATIC_CONSTRUCTORS = 'u';

/** What stands behind `__host`: the operation and up to seven i32 arguments, those left out being 0. */
export type Host = (op: number, ...args: number[]) => void;
/** The same, with what the call throws: a JSValue*, or none. */
type ThrowingHost = (op: number, ...args: number[]) => number;

export interface Embedded {
  memory: WebAssembly.Memory;
  /** Calls `__step()`; throws an Error with the exception's text and trace when one escapes. */
  call(): void;
  /** Evaluates a script in the same context, for tests; answers its value, parsed when it is JSON. */
  evaluate(source: string): unknown;
  engine: Engine;
  /** All that the wasm file exports. */
  exported: Record<string, unknown>;
  /** From the engine's names (QTS_*, malloc, stackRestore, ...) to the wasm file's short export names. */
  exportNames: Map<string, string>;
  /** JSRuntime* and JSContext*. */
  runtime: number;
  context: number;
  /** The engine's list of modules as it is without overlays; none of a bundle that is a script. */
  modules: ModuleList | undefined;
  /** JSValue* of `__step` and of undefined, to be handed to QTS_Call. */
  stepFunction: number;
  undefinedValue: number;
  /** 64 spare bytes of the heap for an argument block. */
  argv: number;
  /** The heap's blocks have been moved (compact.ts): all addresses from here on are what this answers. */
  moved(to: (address: number) => number): void;
  /** The wasm's stack pointer at rest: no function of the engine is running. */
  stackPointer: number;
}

/**
 * The map from the engine's function names to the wasm's export names. The package was minified, the
 * assignments `c._QTS_Call=b.ma` are what is left of the names; four at the end have lost even that: a
 * timer's callback, then the stack's restore, alloc and get.
 */
export function engineExportNames(): Map<string, string> {
  const script = readFileSync(engineFiles().script, 'utf8');
  const names = new Map<string, string>();
  for (const match of script.matchAll(/\b\w+\._(QTS_\w+|malloc|free)=\s*b\.\s*([\w$]+);/g)) {
    names.set(match[1] as string, match[2] as string);
  }
  const stack = /;\w+=b\.\w+;\w+=b\.(\w+);\w+=b\.(\w+);\w+=b\.(\w+);return Z/.exec(script);
  if (stack !== null) {
    names.set('stackRestore', stack[1] as string);
    names.set('stackAlloc', stack[2] as string);
    names.set('stackGetCurrent', stack[3] as string);
  }
  const missing = CALLED.filter(name => !names.has(name));
  if (missing.length > 0) throw new Error(`Cannot find ${missing.join(', ')} in ${VARIANT}: version changed`);
  return names;
}

/** The engine's imports by the names that emscripten gave them in 0.32.0. Most are never called. */
function engineImports(memory: WebAssembly.Memory, host: ThrowingHost, interrupted: () => boolean): Imports {
  const words = new Int32Array(memory.buffer);
  const fatal = (what: string) => (): never => {
    throw new Error(`The engine called ${what}`);
  };
  const callHost = (_context: number, _self: number, count: number, argv: number): number => {
    const args: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < count && i < args.length; i++) {
      const at = (argv >> 2) + 2 * i;
      if (words[at + 1] !== TAG_INT) throw new Error(`Argument ${i} of a host call is not an i32`);
      args[i] = words[at] as number;
    }
    return host(...(args as [number, ...number[]])); // of a null JSValue* the call yields undefined
  };
  return {
    a: memory,
    b: fatal('assert'),
    q: fatal('abort'),
    r: fatal('exit'),
    d: () => 52, // fd_close: ENOSYS
    o: () => 70, // fd_seek: ESPIPE
    i: () => (interrupted() ? 1 : 0),
    s: callHost,
  };
}

type Imports = Record<string, WebAssembly.ImportValue>;

interface Started {
  engine: Engine;
  exported: Record<string, Raw>;
}

/**
 * Instantiates the engine. Its clock stands at 0 and its memory cannot grow, as on the board: a snapshot is
 * the same in every build, and the views of the plane's memory stay valid.
 */
function instantiate(
  imports: Imports,
  names: Map<string, string>,
  bytes = engineWasm(),
  begin: () => void = () => {},
): Started {
  const wasm = new WebAssembly.Module(bytes);
  for (const { name } of WebAssembly.Module.imports(wasm)) imports[name] ??= () => 0;
  const exported = new WebAssembly.Instance(wasm, { a: imports }).exports as Record<string, Raw>;
  begin();
  (exported[STATIC_CONSTRUCTORS] as Raw)();
  const engine: Partial<Engine> = {};
  for (const name of CALLED) engine[name] = exported[names.get(name) as string] as Raw;
  return { engine: engine as Engine, exported };
}

/** What the engine's C interface asks of its callers: strings as addresses, values freed, exceptions looked for. */
interface Speech {
  /** A string value, for names of properties. */
  string(text: string): number;
  /** Calls with the address of a copy of the text, which is freed again, and its length. */
  withText<T>(text: string, use: (at: number, bytes: number) => T): T;
  /** Frees a value and answers it as text; throws when it is an exception. */
  finish(value: number): string;
  /** Throws when a value is an exception. */
  check(value: number): void;
}

function speech(engine: Engine, memory: WebAssembly.Memory, contextOf: () => number): Speech {
  const withText = <T>(text: string, use: (at: number, bytes: number) => T): T => {
    const encoded = new TextEncoder().encode(text);
    const at = engine.malloc(encoded.length + 1);
    const bytes = new Uint8Array(memory.buffer, at, encoded.length + 1);
    bytes.set(encoded);
    bytes[encoded.length] = 0;
    const result = use(at, encoded.length);
    engine.free(at);
    return result;
  };
  const dump = (value: number): string => {
    const at = engine.QTS_Dump(contextOf(), value);
    const bytes = new Uint8Array(memory.buffer, at);
    const text = new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
    engine.QTS_FreeCString(contextOf(), at);
    return text;
  };
  const check = (value: number): void => {
    const failure = engine.QTS_ResolveException(contextOf(), value);
    if (failure === 0) return;
    const text = dump(failure);
    engine.QTS_FreeValuePointer(contextOf(), failure);
    throw new Error(exceptionText(text));
  };
  const finish = (value: number): string => {
    try {
      check(value);
      return dump(value);
    } finally {
      engine.QTS_FreeValuePointer(contextOf(), value);
    }
  };
  const string = (text: string): number => withText(text, at => engine.QTS_NewString(contextOf(), at));
  return { withText, finish, check, string };
}

/** A module of the firmware as text. */
export interface Script {
  name: string;
  text: string;
}

/**
 * A module as bytecode. Once it is read, the engine finds it by its name when another imports it, and needs no loader;
 * it is linked and evaluated by a line that imports it.
 */
export interface Compiled {
  name: string;
  bytecode: Uint8Array;
}

/** What bundle() makes. */
export interface Firmware {
  /** What is resident: of several, the last imports the others. */
  modules: readonly Compiled[];
  /** By number, what each overlay reads and evaluates when it is first wanted. */
  overlays: readonly Compiled[];
  /** All words in them, of code and of strings. */
  words: readonly string[];
  /** lean/functions.ts, compiled. */
  lean: Uint8Array;
}

/** The line that evaluates a module. */
export function importLine(name: string): string {
  return `import"${name}"`;
}

/** QTS_Eval's flag for a module; without it the text is a classic script. */
const EVAL_MODULE = 1;

/** A value of a script: what it is as JSON, or the text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Frees what nobody needs of modules that have been evaluated, and of their functions. */
function leaveLean(
  engine: Engine,
  memory: WebAssembly.Memory,
  runtime: number,
  context: number,
  withText: Speech['withText'],
  functions: LeanFunctions,
): void {
  const bare = withText('Object.create(Function.prototype)', (at, bytes) =>
    withText('bare.js', name => engine.QTS_Eval(context, at, bytes, name, 0, 0)),
  );
  makeBareShape(engine, memory, runtime, context, bare);
  makeLean(engine, memory, runtime, context, functions);
}

/**
 * Starts the engine, defines `__memory` and `__host`, evaluates the bundle and finds `__step`.
 * @param wasm the engine; tests have one with a meter in it
 * @param shift bytes by which the heap lies higher, for a comparison
 */
export function embed(
  bundle: string | Firmware,
  host: Host = noHost,
  interrupted = never,
  wasm = engineWasm(),
  shift = 0,
): Embedded {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const exportNames = engineExportNames();
  const dispatch: ThrowingHost = (op, ...args) => {
    if (op === HOST_OVERLAY) return loadOverlay(args[0] as number);
    if (op === HOST_COLLECT) new Uint32Array(memory.buffer)[(runtime + COLLECT_AT) >> 2] = 0;
    else host(op, ...args);
    return 0;
  };
  // The C library's constructors take memory already.
  const begin = (): void => {
    const view = new DataView(memory.buffer);
    if (shift !== 0) view.setUint32(heapTopAt(), view.getUint32(heapTopAt(), true) + shift, true);
  };
  const { engine, exported } = instantiate(
    engineImports(memory, dispatch, interrupted),
    exportNames,
    wasm,
    begin,
  );
  const stackPointer = engine.stackGetCurrent();
  if (shift !== 0) endHeapAt(memory, stackPointer + shift, firstBreak() + shift, heapTopAt());
  let runtime = engine.QTS_NewRuntime();
  compileLean(memory, runtime);
  engine.QTS_RuntimeSetMaxStackSize(runtime, EVALUATION_STACK_LIMIT);
  engine.QTS_RuntimeEnableInterruptHandler(runtime);
  let context = engine.QTS_NewContext(runtime, 0);
  let undefinedValue = engine.QTS_GetUndefined();
  const global = engine.QTS_GetGlobalObject(context);
  const { withText, finish, check, string } = speech(engine, memory, () => context);
  const run = (source: string, file: string, flags = 0): string => {
    const evaluate = (at: number, bytes: number): number =>
      withText(file, name => engine.QTS_Eval(context, at, bytes, name, 0, flags));
    return finish(withText(source, evaluate));
  };
  const functions =
    typeof bundle === 'string' ? undefined : leanFunctions(bundle.lean, engine, memory, () => context);
  const evaluateModules = ({ modules, words }: Firmware, lean: LeanFunctions): void => {
    run(libraryScript(words), 'library.js');
    for (const { bytecode } of modules) {
      // Far above the heap, in which it would leave a hole. The buffer is not freed, as that frees its place, too.
      const place = new Uint8Array(memory.buffer, memory.buffer.byteLength - bytecode.length);
      place.set(bytecode);
      const buffer = engine.QTS_NewArrayBuffer(context, place.byteOffset, bytecode.length);
      const value = engine.QTS_bjson_decode(context, buffer);
      place.fill(0);
      check(value);
      engine.QTS_FreeValuePointer(context, value);
    }
    run(importLine((modules.at(-1) as Compiled).name), 'start.js', EVAL_MODULE);
    leaveLean(engine, memory, runtime, context, withText, lean);
  };
  let resident: ModuleList | undefined;
  const loadOverlay = (number: number): number => {
    const overlay = typeof bundle === 'string' ? undefined : bundle.overlays[number];
    if (overlay === undefined || resident === undefined) throw new Error(`There is no overlay ${number}`);
    functions?.leanBefore(runtime);
    const thrown = evaluateOverlay(engine, exported, memory, context, overlay.bytecode);
    freeModules(engine, memory, context, resident);
    functions?.leanEvaluated(runtime);
    new Int32Array(memory.buffer)[(PLANE_BASE + HOST_RESULT_AT) >> 2] = Number(thrown === 0);
    return thrown;
  };

  const planeBuffer = engine.QTS_NewArrayBuffer(context, PLANE_BASE, PLANE_BYTES);
  engine.QTS_SetProp(context, global, string('__memory'), planeBuffer);
  const hostFunction = withText('__host', name => engine.QTS_NewFunction(context, name, 8, 0, 1));
  engine.QTS_SetProp(context, global, string('__host'), hostFunction);
  if (typeof bundle === 'string' || functions === undefined) run(bundle as string, 'masqbox.js');
  else {
    evaluateModules(bundle, functions);
    resident = moduleList(memory, runtime);
  }
  collectInTime(memory, runtime);
  engine.QTS_RuntimeSetMaxStackSize(runtime, STACK_LIMIT);
  let stepFunction = engine.QTS_GetProp(context, global, string('__step'));
  let argv = engine.malloc(64);

  const call = (): void => {
    const value = engine.QTS_Call(context, stepFunction, undefinedValue, 0, argv);
    const tag = new Int32Array(memory.buffer)[(value >> 2) + 1];
    if (tag === TAG_EXCEPTION) finish(value);
    else engine.QTS_FreeValuePointer(context, value);
  };
  const evaluate = (source: string): unknown => parsed(run(source, 'test.js'));
  return {
    memory,
    call,
    evaluate,
    engine,
    exported,
    exportNames,
    stackPointer,
    get runtime() {
      return runtime;
    },
    get context() {
      return context;
    },
    get modules() {
      return resident;
    },
    get stepFunction() {
      return stepFunction;
    },
    get undefinedValue() {
      return undefinedValue;
    },
    get argv() {
      return argv;
    },
    moved: to => {
      runtime = to(runtime);
      context = to(context);
      stepFunction = to(stepFunction);
      undefinedValue = to(undefinedValue);
      argv = to(argv);
      if (resident !== undefined) resident = { list: to(resident.list), last: to(resident.last) };
    },
  };
}

/** An engine that compiles, for bytecode.ts: JS_Eval() answers a JSValue of 64 bits. */
export function compileEngine(lean: Uint8Array, places = false) {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const imports = engineImports(memory, noHost, never);
  const { engine, exported } = instantiate(imports, engineExportNames(), compilerWasm());
  const runtime = engine.QTS_NewRuntime();
  compileLean(memory, runtime, places);
  engine.QTS_RuntimeSetMaxStackSize(runtime, EVALUATION_STACK_LIMIT);
  const context = engine.QTS_NewContext(runtime, 0);
  const evaluate = exported[COMPILE] as unknown as (...args: number[]) => bigint;
  const functions = leanFunctions(lean, engine, memory, () => context);
  return {
    engine,
    memory,
    runtime,
    context,
    evaluate,
    functions,
    speech: speech(engine, memory, () => context),
  };
}

/** Memory as an engine finds it that has not yet done anything. */
export function freshMemory(): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  instantiate(engineImports(memory, noHost, never), engineExportNames());
  return new Uint8Array(memory.buffer);
}

/** Where the heap of an engine that has not yet done anything ends. */
function firstBreak(): number {
  return new DataView(freshMemory().buffer).getUint32(heapTopAt(), true);
}

let heapTop = 0;

/**
 * Address of the word that holds the heap's upper end: what the C library's sbrk() has given out. The engine's
 * own count of bytes (JSMallocState) is of no use here, as it cannot ask for a block's size and counts 8 for
 * each. The word is found by an engine of its own that is made to take a large block: it is the highest
 * address that then moves by the block's size.
 */
export function heapTopAt(): number {
  if (heapTop !== 0) return heapTop;
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
  const { engine } = instantiate(engineImports(memory, noHost, never), engineExportNames());
  const block = 0x200000;
  engine.malloc(64);
  const before = new Int32Array(memory.buffer.slice(0, PLANE_BASE));
  const first = engine.malloc(block);
  const after = new Int32Array(memory.buffer, 0, PLANE_BASE >> 2);
  let found = -1;
  for (const [i, end] of after.entries()) {
    const start = before[i] as number;
    const moved = end - start;
    if (start < engine.stackGetCurrent() || Math.abs(moved - block) > 0x20000) continue;
    if (end >= first + block && (found < 0 || end > (after[found] as number))) found = i;
  }
  if (found < 0) throw new Error('Cannot find where the engine keeps the end of its heap');
  heapTop = 4 * found;
  return heapTop;
}

function noHost(op: number): never {
  throw new Error(`Host call ${op} while the bundle is evaluated: nothing may be remembered in the snapshot`);
}

function never(): boolean {
  return false;
}

/** An exception as QTS_Dump gives it, a JSON object with name, message and stack, as text. */
function exceptionText(dumped: string): string {
  try {
    const { name, message, stack } = JSON.parse(dumped) as Record<string, string>;
    return `${name}: ${message}\n${stack ?? ''}`.trimEnd();
  } catch {
    return dumped;
  }
}
