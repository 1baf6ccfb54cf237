// The engine as boards have it: the same wasm without what nobody there can reach, a quarter of its code, which a board of 4 MB
// has for control's heap instead.
//
// - Nothing is compiled there: firmware is bytecode. So the compiler is empty, and what it alone calls is left out by gcc.
// - Of the library's functions those stay whose name stands in the firmware, in code or in a string, or which the language calls
//   by itself. The others cannot be named there. Their tables in the engine's data say what is called how.
// - Of the exports those stay that the floor calls.
//
// In the table of those that are called by address the engine's abort() stands in their places: should one be reached all the
// same, control says so and starts anew, as with any trap. What the engine itself calls of them stays.
// Under Node the engine is whole, as tests evaluate sources. Not here: what else is changed in the engine (engine-wasm.ts).

import {
  bodyOf,
  functionBodies,
  leb,
  SECTION_EXPORT,
  section,
  unsigned,
  VARIANT,
  withSection,
} from './engine-wasm.ts';

/** __JS_EvalInternal(): the parser, and all that is behind it. */
const COMPILER = { index: 992, bytes: 1721 };

/** js_dynamic_import_job(), by its place in the table: nobody writes import(), which bundle.ts looks for. */
const DYNAMIC_IMPORT = { index: 1124, bytes: 484, place: 54 };

/** WebAssembly core specification, sections 5.4 and 5.5. */
const SECTION_ELEMENT = 9;
const FIRST_PLACE = 1;
const OP_UNREACHABLE = 0;
const OP_NOP = 1;
const OP_END = 0x0b;
const OP_I32_CONST = 0x41;

/** Import of abort(), as embed.ts and kernel.ts have it. */
const ABORT = 'q';

/** JSCFunctionListEntry: name, flags, type, then a function's address, or a getter's and a setter's. */
const ENTRY_BYTES = 16;
const ENTRY_FLAGS = 4;
const ENTRY_TYPE = 5;
const ENTRY_VALUE = 8;
const FLAGS_MOST = 0x7f;
const TYPE_FUNCTION = 0;
const TYPES_ACCESSOR = [1, 2];
/** Where the engine's data lie; and fewer entries than the tables of the version that package.json pins have. */
const DATA_AT = 1024;
const DATA_END = 0x20000;
const NAME_BYTES = 64;
const ENTRIES_LEAST = 400;
const NAME = /^([A-Za-z_$][\w$]*|\[Symbol\.\w+\])$/;

/**
 * What the language looks for by itself: iteration, templates (the engine joins them by concat), conversion, regular
 * expressions, promises, what makes collections.
 */
export const IMPLICIT: ReadonlySet<string> = new Set(
  (
    'next return throw then resolve concat toString valueOf toJSON toISOString join constructor add set get has keys size raw length ' +
    'exec flags source hasIndices global ignoreCase multiline dotAll unicode unicodeSets sticky __proto__ construct ' +
    'prototype name message stack'
  ).split(' '),
);

/**
 * The engine for boards, and the floor.
 * @param exported names of exports that somebody calls
 */
export function boardWasm(
  wasm: Uint8Array<ArrayBuffer>,
  memory: Uint8Array,
  words: ReadonlySet<string>,
  exported: ReadonlySet<string>,
): Uint8Array<ArrayBuffer> {
  const smaller = withoutUnnamed(wasm, memory, words);
  empty(bodyOf(functionBodies(smaller), COMPILER));
  return withoutExports(smaller, exported);
}

/**
 * The engine without those functions of its library that nobody can name.
 * @param memory as an engine finds it that has not done anything
 * @param words all that stand in the modules that it is to run
 */
export function withoutUnnamed(
  wasm: Uint8Array<ArrayBuffer>,
  memory: Uint8Array,
  words: ReadonlySet<string>,
): Uint8Array<ArrayBuffer> {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm));
  const abort = imports.filter(({ kind }) => kind === 'function').findIndex(({ name }) => name === ABORT);
  const table = elements(wasm);
  const unnamed = [...libraryNames(memory, table)].filter(
    ([, names]) => !names.some(name => words.has(name) || IMPLICIT.has(name) || name.startsWith('[')),
  );
  bodyOf(functionBodies(wasm), DYNAMIC_IMPORT);
  if (table.get(DYNAMIC_IMPORT.place) !== DYNAMIC_IMPORT.index)
    throw new Error(`Cannot find the job of import() in ${VARIANT}: version changed`);
  for (const place of [DYNAMIC_IMPORT.place, ...unnamed.map(([place]) => place)]) table.set(place, abort);
  return withSection(wasm, SECTION_ELEMENT, [
    ...[1, 0, OP_I32_CONST, FIRST_PLACE, OP_END, ...leb(table.size)],
    ...[...table.values()].flatMap(leb),
  ]);
}

/** Makes a body a trap, as long as it was. */
function empty(body: Uint8Array): void {
  body.fill(OP_NOP);
  body[0] = 0; // no variables
  body[1] = OP_UNREACHABLE;
  body[body.length - 1] = OP_END;
}

/** The functions in the table of those that are called by address, by their places in it. */
function elements(wasm: Uint8Array): Map<number, number> {
  const bytes = section(wasm, SECTION_ELEMENT).from;
  const [segments, at] = unsigned(wasm, bytes);
  const [kind, constant] = unsigned(wasm, at);
  if (segments !== 1 || kind !== 0 || wasm[constant] !== OP_I32_CONST || wasm[constant + 1] !== FIRST_PLACE)
    throw new Error(`Cannot read the table of ${VARIANT}: version changed`);
  const places = new Map<number, number>();
  let [count, next] = unsigned(wasm, constant + 3);
  for (let place = FIRST_PLACE; count > 0; count--, place++) {
    const [index, behind] = unsigned(wasm, next);
    places.set(place, index);
    next = behind;
  }
  return places;
}

/** By which names the library's functions are known, by their places in the table. */
function libraryNames(memory: Uint8Array, table: Map<number, number>): Map<number, string[]> {
  const view = new DataView(memory.buffer, memory.byteOffset);
  const names = new Map<number, string[]>();
  let entries = 0;
  for (let at = DATA_AT; at + ENTRY_BYTES <= DATA_END; at += 8) {
    const name = text(memory, view.getUint32(at, true));
    const places = placesOf(view, at).filter(place => place !== 0);
    if (!NAME.test(name) || places.length === 0 || !places.every(place => table.has(place))) continue;
    entries++;
    for (const place of places) names.set(place, [...(names.get(place) ?? []), name]);
  }
  if (entries < ENTRIES_LEAST)
    throw new Error(`Cannot find the tables of the library in ${VARIANT}: version changed`);
  return names;
}

/** Places in the table that an entry names, if it is one. */
function placesOf(view: DataView, at: number): number[] {
  if (view.getUint8(at + ENTRY_FLAGS) > FLAGS_MOST) return [];
  const type = view.getUint8(at + ENTRY_TYPE);
  const [first, second] = [
    view.getUint32(at + ENTRY_VALUE, true),
    view.getUint32(at + ENTRY_VALUE + 4, true),
  ];
  if (type === TYPE_FUNCTION) return (first & 0xff) <= 10 && ((first >>> 8) & 0xff) <= 12 ? [second] : [];
  return TYPES_ACCESSOR.includes(type) ? [first, second] : [];
}

function text(memory: Uint8Array, at: number): string {
  if (at < DATA_AT || at >= DATA_END) return '';
  return String.fromCharCode(...memory.subarray(at, Math.min(memory.indexOf(0, at), at + NAME_BYTES)));
}

function withoutExports(wasm: Uint8Array<ArrayBuffer>, kept: ReadonlySet<string>): Uint8Array<ArrayBuffer> {
  let [count, next] = unsigned(wasm, section(wasm, SECTION_EXPORT).from);
  const entries: number[][] = [];
  for (; count > 0; count--) {
    const [bytes, start] = unsigned(wasm, next);
    const name = new TextDecoder().decode(wasm.subarray(start, start + bytes));
    const [, behind] = unsigned(wasm, start + bytes + 1);
    if (kept.has(name)) entries.push([...wasm.subarray(next, behind)]);
    next = behind;
  }
  return withSection(wasm, SECTION_EXPORT, [...leb(entries.length), ...entries.flat()]);
}
