// The bundle: control as one module, and one for each overlay, of which one is the plane's JavaScript; as bytecode.
//
// esbuild runs twice. First it makes modules of the files, so that what is shared between control and the overlays is
// known; then it joins those of control, and those that an overlay has for itself. One module has no tables of imports,
// and a variable that two files share is no export of either; what two overlays share and control has not is in both.
// Not here: compiling (bytecode.ts), the engine (embed.ts), the snapshot of its heap (image/).

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { type MinifyOptions, minify } from 'terser';
import { planeNames } from '../firmware/host.ts';
import * as plane from '../firmware/plane.ts';
import { OVERLAY_NAMES, type OverlayName, overlayEntry } from '../src/control/core/overlays.ts';
import { placedArguments } from './argument-lists.ts';
import { buildDate } from './build-date.ts';
import { compile } from './bytecode.ts';
import { exportedConstants } from './constants.ts';
import type { Compiled, Firmware, Script } from './embed.ts';
import type { Place } from './function-places.ts';
import { type HelpTexts, helpTexts } from './help-texts.ts';
import { inline } from './inline/inline.ts';
import { numberedCalls } from './plane-calls.ts';
import { compilePortable } from './plane-wasm.ts';
import { shortened } from './private-names.ts';
import { zoneTable } from './zone-table.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The firmware's version: the package's. */
export function firmwareVersion(): string {
  const text = readFileSync(path.join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** When it was built, in Unix seconds. */
export function firmwareBuilt(): number {
  return buildDate(root);
}

/** Puts firmware/ports.ts in the place of hal/ports.ts. */
const portsBody: Plugin = {
  name: 'ports',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/ports\.ts$/ }, ({ resolveDir, path: asked }) =>
      path.resolve(resolveDir, asked) === path.join(root, 'hal/ports.ts')
        ? { path: path.join(root, 'firmware/ports.ts') }
        : undefined,
    );
  },
};

/** What inline/inline.ts is told of the firmware: the packet path starts at the interpreted engine's turn. */
const INLINED = {
  files: /^(src\/(base|wire|plane)|hal|firmware)\/(?!host\.ts|control\.ts)/,
  roots: ['servicePending'],
  hot: /(forward|ethernet|ipv4|source|route|masquerade|flow-table|neighbour|neighbour-table|transmit|service)\.ts$|hal\/nic/,
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
    MASQBOX_CRC32: String(planeNames(plane).indexOf('crc32')),
    MASQBOX_ZONES: JSON.stringify(zoneTable()),
  },
  logLevel: 'silent',
} as const;

/**
 * terser joins what esbuild leaves: a function costs 180 bytes of heap whatever is in it, and an eighth of them are
 * written into their only callers.
 */
const MINIFIED: MinifyOptions = { module: true, ecma: 2020, compress: { passes: 3 } };

let made: Promise<Firmware> | undefined;

/**
 * The firmware: control as one module, and one for each overlay. It is made once from the same sources, and kept in
 * build/cache/.
 */
export function bundle(): Promise<Firmware> {
  made ??= cachedFirmware();
  return made;
}

async function cachedFirmware(): Promise<Firmware> {
  const folder = path.join(root, 'build/cache');
  const file = path.join(folder, `firmware-${sourcesKey()}.json`);
  const lean = await compilePortable('image/lean/functions.ts');
  const { modules, overlays, words } = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as KeptFirmware)
    : await makeFirmware(lean).then(firmware => ({
        modules: firmware.modules.map(kept),
        overlays: firmware.overlays.map(kept),
        words: firmware.words,
      }));
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const part = `${file}.${process.pid}`;
    writeFileSync(part, JSON.stringify({ modules, overlays, words }));
    renameSync(part, file);
  }
  return { modules: modules.map(compiled), overlays: overlays.map(compiled), words, lean };
}

interface Kept {
  name: string;
  base64: string;
}

interface KeptFirmware {
  modules: Kept[];
  overlays: Kept[];
  words: readonly string[];
}

function kept({ name, bytecode }: Compiled): Kept {
  return { name, base64: Buffer.from(bytecode).toString('base64') };
}

function compiled({ name, base64 }: Kept): Compiled {
  return { name, bytecode: Uint8Array.from(Buffer.from(base64, 'base64')) };
}

/** A sum over all that the firmware is made of, this file and the packages' versions among it. */
function sourcesKey(): string {
  const sum = createHash('sha256').update(JSON.stringify(options.define));
  for (const folder of ['src', 'hal', 'firmware', 'image']) {
    for (const file of sourceFiles(path.join(root, folder)))
      sum.update(path.relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return sum
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16);
}

/** The same with where each function stands (function-places.ts). */
export async function mappedFirmware(): Promise<Firmware & Mapped> {
  const lean = await compilePortable('image/lean/functions.ts');
  const mapped: Mapped = { maps: new Map(), places: [] };
  return { ...(await makeFirmware(lean, mapped)), ...mapped };
}

/** By module, the map to the sources; and the place of each function in its module. */
interface Mapped {
  maps: Map<string, string>;
  places: Place[];
}

/** @param mapped is filled, if it is given */
async function makeFirmware(lean: Uint8Array, mapped?: Mapped): Promise<Firmware> {
  const files = await controlFiles(mapped !== undefined);
  const resident = files.reached('firmware/control.js');
  const overlays = await Promise.all(
    OVERLAY_NAMES.map(name =>
      name === 'interpreted' ? planeScript() : overlayModule(name, files, resident, mapped),
    ),
  );
  const control = await joined(
    'control.js',
    `import"./firmware/control.js";${wantedOf(overlays, resident)}`,
    files,
    new Set(),
    mapped,
  );
  const [first, ...others] = compile([control, ...overlays], lean, mapped?.places) as [
    Compiled,
    ...Compiled[],
  ];
  const asking = [control, ...overlays].find(({ text }) => /\bimport\(/.test(text));
  if (asking !== undefined)
    throw new Error(`Cannot build ${asking.name}: boards have no import() (engine-board.ts)`);
  const words = [
    ...new Set([control, ...overlays].flatMap(({ text }) => text.match(/[\w$]+/g) ?? [])),
  ].sort();
  return { modules: [first], overlays: others, words, lean };
}

/** An overlay's module: control gets at what its entry file exports by `__overlay`. */
function overlayModule(
  name: OverlayName,
  files: Files,
  resident: Set<string>,
  mapped?: Mapped,
): Promise<Script> {
  const entry = overlayEntry(name).replace(/ts$/, 'js');
  const names = files.exports(entry).join();
  return joined(
    // Of a part with two of them the second is in a folder of its own; a module's name has none.
    `${name.replaceAll('/', '-')}.js`,
    `import{${names}}from"./${entry}";globalThis.__overlay={${names}}`,
    files,
    resident,
    mapped,
  );
}

/** Under what name the resident module exports what one of its files does: that file's place, and its own name. */
function exportName(resident: Set<string>, file: string, name: string): string {
  return `${name}_${[...resident].indexOf(file)}`;
}

/** The exports that overlays import. */
function wantedOf(overlays: readonly Script[], resident: Set<string>): string {
  const wanted = overlays.flatMap(({ text }) =>
    [...text.matchAll(/import\{([^}]*)\}from"control\.js"/g)].flatMap(([, list]) =>
      (list as string).split(',').map(item => (item.split(' as ')[0] as string).trim()),
    ),
  );
  const files = [...resident];
  return [...new Set(wanted)]
    .filter(wantedName => wantedName !== '')
    .sort()
    .map(wantedName => {
      const at = wantedName.lastIndexOf('_');
      return `export{${wantedName.slice(0, at)} as ${wantedName}}from"./${files[Number(wantedName.slice(at + 1))]}"`;
    })
    .join(';');
}

/** Joins files to one module, behind `entry`; what is resident is imported from there. */
async function joined(
  name: string,
  entry: string,
  files: Files,
  resident: Set<string>,
  mapped?: Mapped,
): Promise<Script> {
  const fromFiles: Plugin = {
    name: 'files',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^control\.js$/ }, ({ path: file }) => ({
        path: file,
        external: true,
        sideEffects: false,
      }));
      onResolve({ filter: /^\./ }, ({ path: asked, importer }) => {
        const file = path.posix.join(path.posix.dirname(importer), asked);
        return { path: file, namespace: resident.has(file) ? 'resident' : 'files' };
      });
      onLoad({ filter: /./, namespace: 'files' }, ({ path: file }) => ({ contents: files.text(file) }));
      onLoad({ filter: /./, namespace: 'resident' }, ({ path: file }) => ({
        // Each by itself, so that what is not used is left out here, and need not be exported there.
        contents: files
          .exports(file)
          .map(it => {
            const constant = files.constants(file).get(it);
            return constant === undefined
              ? `export{${exportName(resident, file, it)} as ${it}}from"control.js";`
              : `export const ${it}=${constant};`;
          })
          .join(''),
      }));
    },
  };
  const { outputFiles } = await build({
    ...options,
    stdin: { contents: entry, sourcefile: name },
    format: 'esm',
    minify: true,
    sourcemap: mapped === undefined ? false : 'inline',
    plugins: [fromFiles],
  });
  const { code, map } = await minify((outputFiles[0] as { text: string }).text, {
    ...MINIFIED,
    ...(mapped === undefined ? {} : { sourceMap: { content: 'inline' } }),
  });
  mapped?.maps.set(name, String(map));
  return { name, text: oneImport(code as string) };
}

/** One statement in the place of all that import from the resident module: the engine keeps a request for each. */
function oneImport(text: string): string {
  const names: string[] = [];
  const rest = text.replace(/import\{([^}]*)\}from"control\.js";?/g, (_, list: string) => {
    names.push(list);
    return '';
  });
  return names.length === 0 ? text : `import{${names.join()}}from"control.js";${rest}`;
}

/** firmware/interpreted.ts as one classic script; `plain` without inlining, for comparison. */
export async function planeScript(plain = false): Promise<Script> {
  const result = await build({
    ...options,
    // esbuild's comments name files from here, and inline/inline.ts knows the plane's by that.
    absWorkingDir: root,
    entryPoints: [path.join(root, 'firmware/interpreted.ts')],
    format: 'iife',
    minify: false,
    plugins: [portsBody],
  });
  const output = result.outputFiles[0] as { text: string };
  const text = plain ? output.text : inline(output.text, INLINED);
  // All of it is one function while it is loaded, and each constant has a place in its frame: terser writes most where they are used.
  const { code } = await minify(text, { ecma: 2020, compress: { passes: 2 } });
  return { name: 'plane.js', text: code as string };
}

/** Reads sources with numbers for their help texts and for the plane's functions, and short names for what is private. */
function adapted(help: HelpTexts): Plugin {
  return {
    name: 'adapted',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/(src\/control|hal)\/.*\.ts$/ }, async ({ path: file }) => {
        const source = placedArguments(help.numbered(readFileSync(file, 'utf8')));
        const isOfEither = file.startsWith(path.join(root, 'src/control/debug/'));
        return { contents: await shortened(isOfEither ? source : numberedCalls(source)), loader: 'ts' };
      });
    },
  };
}

/** Control's files as esbuild made them, by their names from the repository's root. */
interface Files {
  text(file: string): string;
  exports(file: string): string[];
  /** Those of them that are numbers. */
  constants(file: string): Map<string, string>;
  /** What a file needs, itself included, the needed first. */
  reached(file: string): Set<string>;
}

/** Control's files and what else they need: esbuild makes a module of each, or of what only one of them needs. */
async function controlFiles(mapped: boolean): Promise<Files> {
  const sources = sourceFiles(path.join(root, 'src/control'));
  const help = helpTexts(sources);
  const { outputFiles, metafile } = await build({
    ...options,
    define: { ...options.define, MASQBOX_HELP: JSON.stringify(help.text) },
    entryPoints: [path.join(root, 'firmware/control.ts'), ...sources],
    absWorkingDir: root,
    outbase: root,
    outdir: root,
    entryNames: '[dir]/[name]',
    chunkNames: '[hash]',
    format: 'esm',
    splitting: true,
    plugins: [portsBody, adapted(help)],
    metafile: true,
    minify: true,
    sourcemap: mapped ? 'inline' : false,
  });
  const texts = new Map(outputFiles.map(file => [path.relative(root, file.path), file.text]));
  const reached = (file: string, found = new Set<string>(), under = new Set<string>()): Set<string> => {
    if (under.has(file)) return found;
    under.add(file);
    for (const imported of metafile.outputs[file]?.imports ?? []) reached(imported.path, found, under);
    return found.add(file);
  };
  return {
    text: file => texts.get(file) as string,
    exports: file => metafile.outputs[file]?.exports ?? [],
    constants: file => exportedConstants(texts.get(file) as string),
    reached: file => reached(file),
  };
}

/** The TypeScript files below a folder that are no tests. */
function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !/\.test\.ts$|-lab\.ts$/.test(name))
    .sort()
    .map(name => path.join(folder, name));
}
