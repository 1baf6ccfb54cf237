// Builds the boot sector and the loader: AssemblyScript, wasm2c, gcc. Needs Debian's wabt and gcc.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as layout from '../src/base/layout.ts';
import { PLANE_BASE } from '../src/base/limits.ts';
import { SLOT_ON_TRIAL } from './loader/slots.ts';
import { compilePortable } from './plane-wasm.ts';
import { translateWasm, wasmRuntimeHeader } from './wasm2c.ts';

const run = promisify(execFile);
const sources = path.join(path.dirname(fileURLToPath(import.meta.url)), 'loader');
const { LOADER_SECTORS, SECTOR_BYTES } = layout;

// -mtune=generic: 486 instructions in fewer of them. -mgeneral-regs-only: no x87. Nothing is known about addresses near 0, where the BIOS's data are.
const flags = [
  '-m32 -march=i486 -mtune=generic -O2 -std=gnu11 -ffreestanding -nostdlib -fno-pic -fno-pie -mgeneral-regs-only',
  '-fno-stack-protector -fno-strict-aliasing -fno-delete-null-pointer-checks -fomit-frame-pointer',
  '-fno-asynchronous-unwind-tables -fcf-protection=none --param=min-pagesize=0 -Wall -Wextra -Werror',
]
  .join(' ')
  .split(' ');
const linking = ['-static', '-no-pie', '-Wl,--build-id=none', '-Wl,-z,noexecstack'];

/** The parts of an image that do not depend on the firmware. */
export interface Loader {
  bootSector: Uint8Array;
  loader: Uint8Array;
}

/** A module's numeric constants as C's preprocessor wants them; assembly and linker script read them too. */
export function constantsHeader(constants: object): string {
  return Object.entries(constants)
    .filter(([, value]) => typeof value === 'number')
    .map(([name, value]) => `#define ${name} ${value}\n`)
    .join('');
}

/** Builds both. Errors name the tool that is missing. */
export async function buildLoader(): Promise<Loader> {
  const wasm = await compilePortable('image/loader/loader.ts');
  const { source, header } = await translateWasm(wasm, 'loader', -PLANE_BASE);
  const folder = await mkdtemp(path.join(tmpdir(), 'masqbox-loader-'));
  const at = (name: string) => path.join(folder, name);
  try {
    await writeFile(at('layout.h'), constantsHeader({ ...layout, SLOT_ON_TRIAL }));
    await writeFile(at('wasm-rt.h'), wasmRuntimeHeader);
    await writeFile(at('loader-wasm.h'), header);
    await writeFile(at('loader-wasm.c'), source.replace('#include "loader.h"', '#include "loader-wasm.h"'));
    const include = ['-I', folder];
    await gcc([...include, '-w', '-c', at('loader-wasm.c'), '-o', at('loader-wasm.o')]);
    await gcc([...include, '-c', path.join(sources, 'loader.c'), '-o', at('loader.o')]);
    await gcc([...include, '-c', path.join(sources, 'start.S'), '-o', at('start.o')]);
    const script = ['-E', '-P', '-x', 'c', '-include', at('layout.h'), path.join(sources, 'loader.ld')];
    await gcc([...script, '-o', at('loader.ld')]);
    const objects = ['start.o', 'loader.o', 'loader-wasm.o'].map(at);
    const loader = await link([`-Wl,-T,${at('loader.ld')}`, ...objects], at('loader.bin'));
    await gcc([...include, '-c', path.join(sources, 'boot-sector.S'), '-o', at('boot-sector.o')]);
    const bootSector = await link(['-Wl,-Ttext,0x7c00', at('boot-sector.o')], at('boot-sector.bin'));
    if (bootSector.length !== SECTOR_BYTES) {
      throw new Error(`Cannot build the boot sector: it has ${bootSector.length} bytes`);
    }
    return { bootSector, loader: seal(loader) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Links to a flat binary. */
async function link(inputs: string[], output: string): Promise<Uint8Array> {
  await gcc([...linking, ...inputs, '-Wl,--oformat=binary', '-o', output]);
  return readFile(output);
}

/** Fills up the loader's sectors and sets its checksum, the second word, so that all words and LOADER_SUM add up to 0. */
export function seal(code: Uint8Array): Uint8Array {
  const loader = new Uint8Array(LOADER_SECTORS * SECTOR_BYTES);
  if (code.length > loader.length) {
    throw new Error(`Cannot build the loader: it has ${code.length} bytes, and ${loader.length} fit`);
  }
  loader.set(code);
  const words = new DataView(loader.buffer);
  words.setUint16(2, 0, true);
  let sum: number = layout.LOADER_SUM;
  for (let i = 0; i < loader.length; i += 2) sum += words.getUint16(i, true);
  words.setUint16(2, -sum & 0xffff, true);
  return loader;
}

async function gcc(options: string[]): Promise<void> {
  try {
    await run('gcc', [...flags, ...options]);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') {
      throw new Error('Cannot run gcc: it is not installed (Debian: apt-get install gcc)');
    }
    throw new Error(`Cannot build the loader: gcc says\n${String(stderr ?? error).trim()}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { loader } = await buildLoader();
  console.log(`loader: ${loader.findLastIndex(byte => byte !== 0) + 1} of ${loader.length} bytes`);
}
