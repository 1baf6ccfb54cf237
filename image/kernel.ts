// The kernel: floor, engine and plane, linked to a flat binary that the loader puts at 1 MiB.
//
// The engine is the npm package's wasm by way of wasm2c; the plane is firmware/plane.ts by way of
// AssemblyScript and wasm2c. Both and the floor's own files are compiled by gcc for the 486 and cached in
// build/ by their content: QuickJS, 20 s of gcc, is compiled once.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as abi from '../src/base/abi.ts';
import * as cells from '../src/base/cells.ts';
import * as counters from '../src/base/counters.ts';
import * as crashPage from '../src/base/crash-page.ts';
import * as layout from '../src/base/layout.ts';
import * as limits from '../src/base/limits.ts';
import { bundle } from './bundle.ts';
import { engineExportNames, freshMemory } from './embed.ts';
import { boardWasm } from './engine-board.ts';
import { EVALUATE_MODULE, engineWasm, RESOLVE_MODULE } from './engine-wasm.ts';
import { firstChunk, HEAP_FOOT } from './heap.ts';
import { loopForSpeed } from './interpreter-loop.ts';
import { COLLECT_AT, MODULE_LINK } from './lean/modules.ts';
import { memoryMap } from './memory-map.ts';
import { type PackedOverlays, packOverlays } from './packed-overlays.ts';
import { planePath } from './plane-path.ts';
import { compilePlane, compilePortable } from './plane-wasm.ts';
import type { Snapshot } from './snapshot.ts';
import { translateWasm, wasmRuntimeHeader } from './wasm2c.ts';

const run = promisify(execFile);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const floor = path.join(root, 'board/i486');

const flags = [
  ...[
    '-m32',
    '-march=i486',
    '-mtune=i486',
    '-std=gnu11',
    '-ffreestanding',
    '-fno-pic',
    '-fno-stack-protector',
  ],
  ...['-fno-strict-aliasing', '-fomit-frame-pointer', '-fno-asynchronous-unwind-tables', '-fno-builtin'],
];
/** Files of the floor that call the engine. */
const FLOOR_CALLS = ['control.c', 'overlay.c', 'lean.c'];
/** What accesses to linear memory as wasm-address.ts writes them want: sums of addresses wrap, and an address may be 0. */
const access = ['-fwrapv-pointer', '-fno-delete-null-pointer-checks'];
const warnings = ['-Wall', '-Wextra', '-Werror'];

/** The imports of the engine by what they are; the wasm's names are minified (quickjs-emscripten 0.32.0). */
const engineImports: Record<string, string> = {
  a: 'memory',
  b: 'assert_fail',
  c: 'fd_write',
  d: 'fd_close',
  e: 'environ_get',
  f: 'environ_sizes',
  g: 'module_normalize',
  h: 'module_load',
  i: 'interrupt',
  j: 'set_timer',
  k: 'resize_heap',
  l: 'runtime_keepalive',
  m: 'localtime',
  n: 'tzset',
  o: 'fd_seek',
  p: 'date_now',
  q: 'abort',
  r: 'exit',
  s: 'host_call',
  t: 'free_host_ref',
};

export interface Kernel {
  /** The flat binary, for 1 MiB. */
  binary: Uint8Array;
  /** Of its last bytes, those that are to be read in the slot (packed-overlays.ts). */
  plainBytes: number;
  /** Bytes of each part, for the record. */
  sizes: Record<string, number>;
}

/** Writes what gcc compiles beside the floor's own files: the translated modules and the numbers they share. */
async function emitSources(work: string, snapshot: Snapshot, overlays: PackedOverlays) {
  await mkdir(path.join(root, 'build/cache'), { recursive: true });
  await mkdir(work, { recursive: true });
  const emit = (name: string, text: string) => writeIfChanged(path.join(work, name), text);

  const engine = await cachedTranslation(await boardEngine(), 'engine', memoryMap.LINEAR_AT);
  const plane = await translateWasm(await compilePlane(), 'plane', memoryMap.LINEAR_AT, {
    offsets: true,
    attributes: planePath,
  });
  const unpack = await translateWasm(
    await compilePortable('image/overlays/decode.ts'),
    'unpack',
    -limits.PLANE_BASE,
  );
  const lean = await translateWasm(
    await compilePortable('image/lean/functions.ts'),
    'lean',
    memoryMap.LINEAR_AT,
  );
  await emit('wasm-rt.h', wasmRuntimeHeader);
  await emit('engine.h', engine.header);
  await emit('engine-module.h', '#include "wasm-rt.h"\n#include "engine.h"\n');
  await emit('engine-names.h', engineNames());
  await emit('plane.h', plane.header);
  await emit('plane-module.h', `#include "wasm-rt.h"\n#include "plane.h"\n${planeImports(plane.header)}`);
  await emit('plane-module.c', plane.source);
  await emit('plane-calls.h', planeCalls(plane.header));
  await emit('unpack.h', unpack.header);
  await emit('unpack-module.c', unpack.source);
  await emit('lean.h', lean.header);
  await emit('lean-module.c', lean.source);
  await emit('config.h', configuration(snapshot, engine.source));
  await emit('overlays.h', overlays.header);
  await emit('engine-constants.h', engineConstants(snapshot));
  return engine;
}

/** The engine with what the firmware needs of it, and the floor calls. */
async function boardEngine(): Promise<Uint8Array<ArrayBuffer>> {
  const { words } = await bundle();
  const texts = await Promise.all(FLOOR_CALLS.map(name => readFile(path.join(floor, name), 'utf8')));
  const called = new Set(texts.join().match(/\w+/g));
  const exported = [...exportsByName()].filter(([name]) => called.has(name)).map(([, short]) => short);
  return boardWasm(engineWasm(), freshMemory(), new Set(words), new Set(exported));
}

export async function buildKernel(snapshot: Snapshot): Promise<Kernel> {
  const work = path.join(root, 'build/kernel');
  const overlays = packOverlays(snapshot.overlays);
  const engine = await emitSources(work, snapshot, overlays);
  const integer = ['-mgeneral-regs-only', '-O2'];
  const headers =
    (
      await Promise.all(
        [
          'config.h',
          'plane.h',
          'plane-module.c',
          'plane-calls.h',
          'engine.h',
          'engine-names.h',
          'unpack-module.c',
          'lean-module.c',
        ].map(name => readFile(path.join(work, name), 'utf8')),
      )
    ).join('') + (await readFile(path.join(floor, 'floor.h'), 'utf8'));
  const compile = async (name: string, extra: string[], header = ''): Promise<string> => {
    const file = path.join(floor, name);
    return cachedObject(name, await readFile(file, 'utf8'), headers + header, file, [
      ...flags,
      ...warnings,
      ...['-I', work, '-I', floor],
      ...extra,
    ]);
  };
  const quiet = ['-w', '-Werror=implicit-function-declaration'];
  const objects = [
    await compile('start.S', []),
    await compile('main.c', integer),
    await compile('pages.c', integer, engineConstants(snapshot)),
    await compile('traps.c', integer),
    await compile('pic.c', integer),
    await compile('clock.c', integer),
    await compile('console.c', integer),
    await compile('crash.c', integer),
    await compile('control.c', ['-O2']),
    await compile('overlay.c', ['-O2'], overlays.header),
    await compile('plane.c', [...integer, ...access, '-fno-tree-pre', ...quiet]),
    // Reassociation keeps one more value on the stack, which costs the unpacker 3 of its 40 instructions.
    await compile('snapshot.c', [...integer, '-mtune=generic', '-fno-tree-reassoc', ...quiet]),
    await compile('lean.c', [...integer, ...quiet]),
    await compile('integer.c', integer),
    await compile('math.c', ['-O2', '-fno-tree-loop-distribute-patterns']),
    await engineObject(engine.source, engine.header),
  ];
  const elf = path.join(root, 'build/kernel.elf');
  const binary = path.join(root, 'build/kernel.bin');
  await tool(
    'gcc',
    [
      '-m32',
      '-nostdlib',
      '-static',
      '-Wl,-T,' + path.join(floor, 'link.ld'),
      '-Wl,--build-id=none',
      `-Wl,--defsym=CRASH_PAGE=${memoryMap.CRASH_PAGE}`,
      '-Wl,-z,noexecstack',
      '-Wl,--no-warn-rwx-segments',
      '-Wl,-Map,' + path.join(root, 'build/kernel.map'),
      ...objects,
      '-o',
      elf,
    ],
    'gcc-multilib',
  );
  await tool('objcopy', ['-O', 'binary', elf, binary], 'binutils');
  const sizes: Record<string, number> = {};
  for (const object of objects)
    sizes[path.basename(object).replace(/-[0-9a-f]+\.o$/, '')] = await codeSize(object);
  return { binary: await endingWith(binary, overlays.section), plainBytes: overlays.section.length, sizes };
}

/** What is in a file that ends so. */
async function endingWith(file: string, section: Uint8Array): Promise<Uint8Array> {
  const bytes = await readFile(file);
  if (bytes.subarray(bytes.length - section.length).equals(section)) return bytes;
  throw new Error('Cannot build the kernel: its image does not end with the overlays (link.ld)');
}

/** QuickJS: large, and the same until the package changes. -O2 for its speed; see docs/performance.md. */
async function engineObject(translated: string, header: string): Promise<string> {
  const source = loopForSpeed(translated);
  const file = path.join(root, 'build/kernel/engine.c');
  await writeIfChanged(file, source);
  return cachedObject('engine', source, header, file, [
    ...flags,
    '-Os',
    '-w',
    '-I',
    path.join(root, 'build/kernel'),
  ]);
}

async function cachedTranslation(wasm: Uint8Array, name: string, base: number) {
  const tools = await readFile(path.join(root, 'image/wasm2c.ts'));
  const key = createHash('sha256').update(wasm).update(tools).update(String(base)).digest('hex').slice(0, 16);
  const file = path.join(root, `build/cache/${name}-${key}.json`);
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as { source: string; header: string };
  const translation = await translateWasm(wasm, name, base, { withoutData: true });
  await writeIfChanged(file, JSON.stringify(translation));
  return translation;
}

/** Compiles a source unless the same bytes were compiled the same way before; answers the object's path. */
async function cachedObject(
  name: string,
  source: string,
  context: string,
  file: string,
  options: string[],
): Promise<string> {
  const key = createHash('sha256')
    .update(source)
    .update(context)
    .update(options.join(' '))
    .digest('hex')
    .slice(0, 16);
  const object = path.join(root, `build/cache/${name}-${key}.o`);
  if (!existsSync(object)) {
    await tool('gcc', [...options, '-c', file, '-o', `${object}.part`], 'gcc-multilib');
    await rename(`${object}.part`, object);
  }
  return object;
}

async function tool(command: string, args: string[], debianPackage: string): Promise<string> {
  try {
    return (await run(command, args, { maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') {
      throw new Error(
        `Cannot run ${command}: it is not installed (Debian: apt-get install ${debianPackage})`,
      );
    }
    throw new Error(`Cannot build the kernel: ${command} says\n${stderr ?? String(error)}`);
  }
}

async function codeSize(object: string): Promise<number> {
  const line = (await tool('size', [object], 'binutils')).split('\n')[1] as string;
  return Number(line.trim().split(/\s+/)[3]);
}

async function writeIfChanged(file: string, text: string): Promise<void> {
  if (existsSync(file) && (await readFile(file, 'utf8')) === text) return;
  await writeFile(file, text);
}

/** Every number that C and TypeScript share, as macros. */
function configuration(snapshot: Snapshot, engineSource: string): string {
  const { engine } = snapshot;
  const table = /wasm_rt_allocate_funcref_table\([^,]*, (\d+)/.exec(engineSource)?.[1];
  if (table === undefined) throw new Error('Cannot find the size of the function table in the engine');
  const numbers: Record<string, unknown> = {
    ...limits,
    ...cells,
    ...counters,
    ...abi,
    ...crashPage,
    ...layout,
    ...memoryMap,
    ENGINE_TABLE_SIZE: Number(table),
    ENGINE_RUNTIME: engine.runtime,
    ENGINE_CONTEXT: engine.context,
    ENGINE_STEP: engine.stepFunction,
    ENGINE_UNDEFINED: engine.undefinedValue,
    ENGINE_ARGV: engine.argv,
    ENGINE_COLLECT_AT: engine.runtime + COLLECT_AT,
    ENGINE_MODULES: engine.modules?.list,
    ENGINE_LAST_MODULE: engine.modules?.last,
    MODULE_LINK,
    ENGINE_HEAP_AT: firstChunk(engine.memory, engine.stackPointer),
    ENGINE_HEAP_FOOT: HEAP_FOOT,
    ENGINE_BREAK_AT: snapshot.breakAt,
    ENGINE_CONSTANT_BYTES: snapshot.constants.length,
    SNAPSHOT_STATIC_BYTES: snapshot.staticBytes,
    SNAPSHOT_HEAP_AT: snapshot.heapAt,
    SNAPSHOT_HEAP_BYTES: snapshot.heapBytes,
  };
  const lines = Object.entries(numbers)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `#define ${name} ${cNumber(value as number)}`);
  return `/* Made by image/kernel.ts. */\n${lines.join('\n')}\n`;
}

function cNumber(value: number): string {
  return value < 0 ? `(${value})` : `${value}u`;
}

/** What the wasm exports, by the names that the floor has for it. */
function exportsByName(): Map<string, string> {
  return engineExportNames().set('MODULE_RESOLVE', RESOLVE_MODULE).set('MODULE_EVALUATE', EVALUATE_MODULE);
}

function engineNames(): string {
  const lines = [...exportsByName()].map(([name, short]) => `#define ${name} Z_engineZ_${mangled(short)}`);
  for (const [short, name] of Object.entries(engineImports))
    lines.push(`#define IMPORT_${name} Z_aZ_${mangled(short)}`);
  return `/* Made by image/kernel.ts. */\n${lines.join('\n')}\n`;
}

/** wasm2c writes a character of a name that C does not allow, and Z, as Z and two hex digits. */
function mangled(name: string): string {
  return name.replace(
    /[^A-Za-z0-9_]|Z/g,
    c => `Z${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Which of its import modules the plane really has: AssemblyScript drops what is not used. */
function planeImports(header: string): string {
  const modules = ['env', 'port'].filter(name => header.includes(`struct Z_${name}_instance_t;`));
  const prototype = /void Z_plane_instantiate\(([^)]*)\);/.exec(header)?.[1] ?? '';
  const inOrder = modules.sort((a, b) => prototype.indexOf(`Z_${a}_`) - prototype.indexOf(`Z_${b}_`));
  return `#define PLANE_IMPORTS ${inOrder.map(name => `(struct Z_${name}_instance_t *)0`).join(', ')}\n`;
}

/** The engine's constants, which are mapped from where they lie in the kernel (board/i486/pages.c). */
function engineConstants({ constants }: Snapshot): string {
  return `static const u8 engine_constants[] __attribute__((aligned(4096))) = {${constants.join(',')}};\n`;
}

/** The dispatch by number: a case for each exported function, in the sorted order of the names. */
function planeCalls(header: string): string {
  const functions = [...header.matchAll(/^(u32|void) Z_planeZ_(\w+)\(Z_plane_instance_t\*((?:, u32)*)\);/gm)]
    .map(([, result, name, parameters]) => ({
      result,
      name: name as string,
      count: (parameters as string).split('u32').length - 1,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const cases = functions.map(({ result, name, count }, index) => {
    const call = `Z_planeZ_${name}(${['instance', ...Array.from({ length: count }, (_, i) => `a[${i}]`)].join(', ')})`;
    return `    case ${index}: ${result === 'void' ? `${call}; return 0;` : `return ${call};`}`;
  });
  return `static u32 plane_dispatch(Z_plane_instance_t *instance, u32 index, const u32 *a) {\n  switch (index) {\n${cases.join('\n')}\n    default: return 0;\n  }\n}\n`;
}
