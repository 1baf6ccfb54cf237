// What control's heap holds at the start: by kind of block, and by the source file whose functions hold it. A function is told by
// its place in the text that was compiled, which an engine of its own keeps for this; what else lies in the heap counts for the
// file whose function or object is the first that holds it, and what nobody's does is the engine's library, or the engine's own. Atoms
// and shapes are shared; some 400 atoms of two letters, 11 KB, are there for this look alone.
//
// The offsets are those of QuickJS's structures, see image/lean/functions.ts. Not here: the whole, and overlays (parts.ts).

import { createSimBoard } from '../../board/sim/board.ts';
import { mappedFirmware } from '../../image/bundle.ts';
import { type Embedded, embed } from '../../image/embed.ts';
import { numberOf, placeBlock, sourcePlaces } from '../../image/function-places.ts';
import { heapChunks } from '../../image/heap.ts';

const GC_LIST = 80;
const ATOM_COUNT = 48;
const ATOMS = 56;
const TYPE_MASK = 15;
const KINDS = ['object', 'function', 'shape', 'captured variable', 'generator', 'context', 'module'];
const [TYPE_OBJECT, TYPE_FUNCTION, TYPE_SHAPE] = [0, 1, 2];
const OBJECT_CLASS = 6;
const OBJECT_PROPERTIES = 24;
const OBJECT_FUNCTION = 32;
const OBJECT_CAPTURED = 36;
const CLASS_NAMES: Readonly<Record<number, string>> = {
  1: 'plain',
  2: 'array',
  12: 'of C',
  13: 'closure',
  16: 'generator function',
};
const CLASS_CLOSURES = [13, 16];
/** What a function has of its text beside the block that says where it begins. */
const FUNCTION_PLACE_BYTES = 20;

interface Block {
  at: number;
  bytes: number;
  kind: string;
  file?: string;
  holds: number[];
}

/** Names what the garbage collector knows, and what hangs on it. */
function nameCollected(
  { memory, runtime }: Embedded,
  blocks: Map<number, Block>,
  name: (at: number, kind: string) => void,
): void {
  const words = new Uint32Array(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const head = runtime + GC_LIST;
  for (let link = words[(head + 4) >> 2] as number; link !== head; link = words[(link + 4) >> 2] as number) {
    const at = link - 8;
    const type = (bytes[at + 4] as number) & TYPE_MASK;
    if (type === TYPE_SHAPE) {
      // Its block begins with the table of its properties' places.
      const block = [...Array(64).keys()]
        .map(n => blocks.get(at - 8 * n) ?? blocks.get(at - 4 * n))
        .find(b => b);
      if (block !== undefined) block.kind = 'shape';
      continue;
    }
    if (type === TYPE_OBJECT) {
      const kind = new Uint16Array(memory.buffer)[(at + OBJECT_CLASS) >> 1] as number;
      name(at, `object: ${CLASS_NAMES[kind] ?? `class ${kind}`}`);
      name(words[(at + OBJECT_PROPERTIES) >> 2] as number, 'properties');
      if (CLASS_CLOSURES.includes(kind))
        name(words[(at + OBJECT_CAPTURED) >> 2] as number, 'list of captured variables');
      else if (kind === 2) name(words[(at + OBJECT_CAPTURED) >> 2] as number, 'elements');
    } else name(at, KINDS[type] ?? `type ${type}`);
    if (type === TYPE_FUNCTION) {
      name(placeBlock(memory, at), 'of this look');
      const block = blocks.get(at);
      if (block !== undefined) block.bytes -= FUNCTION_PLACE_BYTES;
    }
  }
}

/** All blocks by their addresses, with their kinds, and what each points to. */
function blocksOf(engine: Embedded): Map<number, Block> {
  const { memory, runtime, stackPointer } = engine;
  const words = new Uint32Array(memory.buffer);
  const blocks = new Map<number, Block>();
  for (const chunk of heapChunks(memory, stackPointer))
    if (chunk.used)
      blocks.set(chunk.at + 8, { at: chunk.at + 8, bytes: chunk.size, kind: 'other', holds: [] });
  const name = (at: number, kind: string): void => {
    const block = blocks.get(at);
    if (block !== undefined && block.kind === 'other') block.kind = kind;
  };
  nameCollected(engine, blocks, name);
  const atoms = words[(runtime + ATOMS) >> 2] as number;
  name(atoms, 'table of atoms');
  for (let n = 0; n < (words[(runtime + ATOM_COUNT) >> 2] as number) + 4096; n++) {
    const at = words[(atoms >> 2) + n] as number;
    if ((at & 1) === 0 && blocks.has(at)) name(at, 'atom');
  }
  for (const block of blocks.values()) {
    for (let at = block.at; at < block.at + block.bytes - 4; at += 4) {
      const target = words[at >> 2] as number;
      if (blocks.has(target) && target !== block.at) {
        block.holds.push(target);
        if (words[(at >> 2) + 1] === 0xfffffff9) name(target, 'string');
      }
    }
  }
  return blocks;
}

/** Says for each block whose file holds it. */
function own(engine: Embedded, blocks: Map<number, Block>, placeOf: PlaceOf): void {
  const words = new Uint32Array(engine.memory.buffer);
  const shared = ['shape', 'atom', 'table of atoms', 'context', 'module', 'of this look'];
  for (const block of blocks.values()) {
    if (block.kind !== 'function') continue;
    const place = placeOf(numberOf(engine.memory, block.at));
    if (place !== undefined) block.file = place.file;
  }
  for (const block of blocks.values()) {
    if (!/closure|generator function/.test(block.kind) || block.kind.startsWith('list')) continue;
    const made = blocks.get(words[(block.at + OBJECT_FUNCTION) >> 2] as number);
    if (made?.file === undefined) continue;
    block.file = made.file;
    const captured = blocks.get(words[(block.at + OBJECT_CAPTURED) >> 2] as number);
    if (captured !== undefined) captured.file = made.file;
  }
  // An object is of the file of the first function in it; objects in objects then take it.
  for (let turn = 0; turn < 2; turn++) {
    for (const block of blocks.values()) {
      if (block.file !== undefined || !/^object: (plain|class)/.test(block.kind)) continue;
      const properties = blocks.get(words[(block.at + OBJECT_PROPERTIES) >> 2] as number);
      for (const target of properties?.holds ?? []) {
        const file = blocks.get(target)?.file;
        if (file === undefined) continue;
        block.file = file;
        break;
      }
    }
  }
  const queue = [...blocks.values()].filter(({ file }) => file !== undefined);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const target of next.holds) {
      const block = blocks.get(target) as Block;
      if (block.file !== undefined || shared.includes(block.kind)) continue;
      block.file = next.file as string;
      queue.push(block);
    }
  }
}

type PlaceOf = ReturnType<typeof sourcePlaces>;
type Sums = Map<string, [number, number]>;

/** Counts and bytes of an engine's blocks, by kind and by file. */
function summed(engine: Embedded, placeOf: PlaceOf): { kinds: Sums; files: Sums } {
  const blocks = blocksOf(engine);
  own(engine, blocks, placeOf);
  const [kinds, files]: [Sums, Sums] = [new Map(), new Map()];
  const add = (sums: Sums, name: string, bytes: number): void => {
    const [count, sum] = sums.get(name) ?? [0, 0];
    sums.set(name, [count + 1, sum + bytes]);
  };
  for (const { kind, bytes, file } of blocks.values()) {
    if (kind === 'of this look') continue;
    add(kinds, kind, bytes);
    add(files, file ?? (/atom|shape/.test(kind) ? kind : 'the engine'), bytes);
  }
  return { kinds, files };
}

function table(title: string, before: Sums, after: Sums): void {
  const text = (n: number): string => n.toLocaleString('en-US');
  console.log(
    `\n| ${title} | blocks | bytes | booted: blocks | bytes |\n| --- | ---: | ---: | ---: | ---: |`,
  );
  const rows = [...after].sort((a, b) => b[1][1] - a[1][1]);
  rows.push(['all', [...after.values()].reduce((a, b) => [a[0] + b[0], a[1] + b[1]])]);
  before.set(
    'all',
    [...before.values()].reduce((a, b) => [a[0] + b[0], a[1] + b[1]]),
  );
  for (const [name, [count, bytes]] of rows) {
    const [first, firstBytes] = before.get(name) ?? [0, 0];
    console.log(`| ${name} | ${text(first)} | ${text(firstBytes)} | ${text(count)} | ${text(bytes)} |`);
  }
}

export async function heapTable(): Promise<void> {
  const firmware = await mappedFirmware();
  const placeOf = sourcePlaces(firmware.places, firmware.maps);
  const before = summed(embed(firmware), placeOf);
  const board = await createSimBoard({ firmware, onFrame() {}, onOutput() {} });
  for (let i = 0; i < 300; i++) board.advance(1);
  const after = summed(board.engine, placeOf);
  table('kind of block', before.kinds, after.kinds);
  table('file', before.files, after.files);
}
