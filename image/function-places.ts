// Where the functions of the firmware stand in the sources: an engine that compiles them for a look keeps the line and column at which
// each begins, and what joined the modules its maps. A function's number is its place among all (lean/functions.ts).
// Not here: who looks (tools/trace.ts, test/bench/heap.ts).

import { SourceMap } from 'node:module';

const GC_LIST = 80;
const GC_LINK = 8;
const TYPE_MASK = 15;
const TYPE_FUNCTION = 1;
const FUNCTION_NAME = 28;
/** Where a function begins, in one that keeps its places: a block that starts with line and column, in LEB128, from 0 on. */
const PLACES = 80;
const NUMBER = 1 << 31;

/** The name of its module, and where it begins there, from 0 on. */
export interface Place {
  module: string;
  line: number;
  column: number;
}

/** Addresses of all functions of an engine, in the order in which they were made. */
export function* functionsIn(memory: WebAssembly.Memory, runtime: number): Generator<number> {
  const words = new Uint32Array(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const head = runtime + GC_LIST;
  for (let link = words[(head + 4) >> 2] as number; link !== head; link = words[(link + 4) >> 2] as number) {
    const at = link - GC_LINK;
    if (((bytes[at + 4] as number) & TYPE_MASK) === TYPE_FUNCTION) yield at;
  }
}

/** The number of a function. */
export function numberOf(memory: WebAssembly.Memory, at: number): number {
  return ((new Uint32Array(memory.buffer)[(at + FUNCTION_NAME) >> 2] as number) & ~NUMBER) >>> 0;
}

/** The block that says where a function begins. */
export function placeBlock(memory: WebAssembly.Memory, at: number): number {
  return new Uint32Array(memory.buffer)[(at + PLACES) >> 2] as number;
}

/** Adds the places of the functions that have been compiled since the last call, by their numbers. */
export function addPlaces(
  places: Place[],
  memory: WebAssembly.Memory,
  runtime: number,
  module: string,
): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const at of functionsIn(memory, runtime)) {
    const number = numberOf(memory, at);
    if (number < places.length) continue;
    let from = placeBlock(memory, at);
    const next = (): number => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[from++] as number;
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    places[number] = { module, line: next(), column: next() };
  }
}

/** Answers where a function stands in the sources: its file and line, or its module where nothing more is known. */
export function sourcePlaces(
  places: readonly Place[],
  maps: Map<string, string>,
): (number: number) => { file: string; line: number } | undefined {
  const parsed = new Map([...maps].map(([name, map]) => [name, new SourceMap(JSON.parse(map))]));
  return number => {
    const place = places[number];
    if (place === undefined) return undefined;
    const entry = parsed.get(place.module)?.findEntry(place.line, place.column) as
      | { originalSource?: string; originalLine?: number }
      | undefined;
    const file = (entry?.originalSource ?? place.module).replace(/^.*?((src|hal|firmware|board)\/)/, '$1');
    return { file, line: (entry?.originalLine ?? 0) + 1 };
  };
}
