// The bundle: control as modules, a file each; and the overlays, of which one is the plane's JavaScript.
//
// Why not one script: QuickJS keeps all it knows of a script's functions until the whole is parsed, five times
// the heap that stays in the end, and what is freed then lies scattered below. Parsed file by file, the heap
// ends a third earlier, which is what a board of 4 MB has.
// Not here: the engine (embed.ts), the snapshot of its heap (image/).

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, transform } from 'esbuild';
import { OVERLAY_NAMES, type OverlayName, overlayEntry } from '../src/control/overlays.ts';
import { buildDate } from './build-date.ts';
import type { Firmware, Script } from './embed.ts';
import { planeNames } from './host.ts';
import { inline } from './inline.ts';
import * as plane from './plane.ts';
import { zoneTable } from './zone-table.ts';

const here = path.dirname(fileURLToPath(import.meta.url));

/** The firmware's version: the package's. */
export function firmwareVersion(): string {
  const text = readFileSync(path.join(here, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** When it was built, in Unix seconds. */
export function firmwareBuilt(): number {
  return buildDate(path.join(here, '..'));
}

/** Puts firmware/ports.ts in the place of hal/ports.ts. */
const portsBody: Plugin = {
  name: 'ports',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/ports\.ts$/ }, ({ resolveDir, path: asked }) =>
      path.resolve(resolveDir, asked) === path.join(here, '../hal/ports.ts')
        ? { path: path.join(here, 'ports.ts') }
        : undefined,
    );
  },
};

/** What inline.ts is told of the firmware: the packet path starts at the interpreted engine's turn. */
const INLINED = {
  files: /^(src\/plane|hal|firmware)\/(?!host\.ts|control\.ts)/,
  roots: ['servicePending'],
  hot: /(forward|ethernet|ipv4|source|route|masquerade|masquerade-table|neighbour|neighbour-table|transmit|service)\.ts$|hal\/nic/,
  setUp: ['attach'],
};

const options = {
  bundle: true,
  write: false,
  target: 'es2023',
  legalComments: 'none',
  // Nothing of Node or a browser exists under the engine: an import of such a module must fail the build.
  platform: 'neutral',
  define: {
    MASQBOX_VERSION: JSON.stringify(firmwareVersion()),
    MASQBOX_BUILT: String(firmwareBuilt()),
    MASQBOX_PLANE_NAMES: JSON.stringify(planeNames(plane)),
    MASQBOX_ZONES: JSON.stringify(zoneTable()),
  },
  logLevel: 'silent',
} as const;

/** The firmware: control's modules, each behind those that it imports, and the overlays. */
export async function bundle(): Promise<Firmware> {
  const modules = await controlModules();
  const interpreted = [await planeScript()];
  const scripts = modules.take('firmware/control.ts');
  const overlays = OVERLAY_NAMES.map(name =>
    name === 'interpreted'
      ? interpreted
      : [...modules.take(overlayEntry(name), scripts), overlayScript(name)],
  );
  return { scripts, overlays };
}

/** An overlay's last script, by which control gets at what its entry file exports. */
function overlayScript(name: OverlayName): Script {
  const from = overlayEntry(name).replace(/ts$/, 'js');
  return { name: `${name}.js`, text: `import*as o from"./${from}";globalThis.__overlay=o` };
}

/** interpreted.ts as one classic script; `plain` without inlining, for comparison. */
export async function planeScript(plain = false): Promise<Script> {
  const result = await build({
    ...options,
    // esbuild's comments name files from here, and inline.ts knows the plane's by that.
    absWorkingDir: path.join(here, '..'),
    entryPoints: [path.join(here, 'interpreted.ts')],
    format: 'iife',
    minify: false,
    plugins: [portsBody],
  });
  const output = result.outputFiles[0] as { text: string };
  const text = plain ? output.text : inline(output.text, INLINED);
  return {
    name: 'plane.js',
    text: (await transform(text, { minify: true, target: options.target, legalComments: 'none' })).code,
  };
}

interface Modules {
  /**
   * A source file's module and what it needs, the needed first, without what is among `resident`. What two overlays
   * share is in both: either may be the first, and the engine takes the module that it has already.
   */
  take(file: string, resident?: readonly Script[]): Script[];
}

/** Control's files and what else they need: esbuild makes a module of each, or of what only one of them needs. */
async function controlModules(): Promise<Modules> {
  const root = path.join(here, '..');
  const files = sourceFiles(path.join(root, 'src/control'));
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints: [path.join(here, 'control.ts'), ...files],
    absWorkingDir: root,
    outbase: root,
    outdir: root,
    entryNames: '[dir]/[name]',
    chunkNames: '[hash]',
    format: 'esm',
    splitting: true,
    plugins: [portsBody],
    metafile: true,
    minify: true,
  });
  const texts = new Map(outputFiles.map(file => [path.relative(root, file.path), file.text]));
  const take = (name: string, taken: Set<string>): Script[] => {
    if (taken.has(name)) return [];
    taken.add(name);
    const imported = (metafile.outputs[name]?.imports ?? []).flatMap(({ path }) => take(path, taken));
    return [...imported, { name, text: texts.get(name) as string }];
  };
  return {
    take: (file, resident = []) => take(file.replace(/ts$/, 'js'), new Set(resident.map(({ name }) => name))),
  };
}

/** The TypeScript files below a folder that are no tests. */
function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !/\.test\.ts$|-lab\.ts$/.test(name))
    .sort()
    .map(name => path.join(folder, name));
}
