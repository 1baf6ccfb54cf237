// The plane's JavaScript with checked access to memory: bundled with checked-memory.ts in the place of src/base/memory.ts.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { Ports } from '../../hal/ports.ts';
import { PLANE_BYTES } from '../../src/base/limits.ts';
import { attach } from '../../src/base/memory.ts';
import { type Build, noPorts, type Plane } from '../../tools/builds.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const checkedMemory: Plugin = {
  name: 'checked-memory',
  setup: ({ onResolve }) => {
    onResolve({ filter: /memory\.ts$/ }, ({ resolveDir, path }) =>
      resolve(resolveDir, path) === join(ROOT, 'src/base/memory.ts')
        ? { path: join(ROOT, 'test/fuzz/checked-memory.ts') }
        : undefined,
    );
  },
};

type Lend = (parts: readonly (readonly [from: number, to: number])[]) => void;

export type CheckedBuild = Build & { lend: Lend };

interface Checked {
  plane: Plane;
  lend: Lend;
  attach(buffer: ArrayBuffer, offset: number, length: number): void;
  attachPorts(ports: Ports): void;
}

/** A plane of its own: several may be had at once. `ports` as for wasmBuild(). */
export async function checkedBuild(ports: Ports = noPorts): Promise<CheckedBuild> {
  const entry = `export * as plane from './firmware/plane.ts';
    export { attach, lend } from './test/fuzz/checked-memory.ts';
    export { attachPorts } from './hal/ports.ts';`;
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: ROOT, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    plugins: [checkedMemory],
  });
  const directory = join(ROOT, 'build/checked');
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `plane-${process.pid}.mjs`);
  writeFileSync(file, outputFiles[0]!.contents);
  checked++;
  const module = (await import(`${pathToFileURL(file).href}?${checked}`)) as Checked;
  rmSync(file);
  const memory = new Uint8Array(PLANE_BYTES);
  module.attach(memory.buffer, 0, PLANE_BYTES);
  module.attachPorts(ports);
  const use = () => attach(memory.buffer, 0, PLANE_BYTES);
  return { name: 'checked JavaScript', plane: module.plane, memory, use, lend: module.lend };
}

let checked = 0;
