// Compiles a file of the portable subset with AssemblyScript: the plane (firmware/plane.ts), the loader.
// A file with two bodies (src/base/memory.ts, ports.ts) is taken from its *.as.ts. Results are kept in build/ by
// the content of all sources.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** One page is 64 KiB; the plane's memory is imported and must span PLANE_BASE + PLANE_BYTES at least. */
const options = ['-O3', '--runtime', 'stub', '--importMemory', '--noAssert', '--noColors', '--debug'];

/** Compiles `entry` (a path from the repository's root) to WebAssembly. Throws with the compiler's words. */
export async function compilePortable(entry: string): Promise<Uint8Array> {
  const hash = createHash('sha256').update(JSON.stringify(options)).update(contentOf(entry, new Set()));
  const cached = `build/portable/${path.basename(entry, '.ts')}-${hash.digest('hex').slice(0, 16)}.wasm`;
  if (!existsSync(path.resolve(root, cached))) {
    // The compiler is large: only who needs it loads it.
    const { default: asc } = await import('assemblyscript/asc');
    const { error, stderr } = await asc.main([entry, ...options, '-o', cached], {
      readFile: (name, base) => readSource(path.resolve(root, base, name)),
      writeFile(name, contents) {
        mkdirSync(path.dirname(path.resolve(root, name)), { recursive: true });
        writeFileSync(path.resolve(root, name), contents);
      },
      listFiles: () => [],
    });
    if (error) throw new Error(`Cannot compile ${entry} with AssemblyScript: ${error.message}\n${stderr}`);
  }
  return readFileSync(path.resolve(root, cached));
}

/** The plane as WebAssembly: imports env.memory and the ports. */
export function compilePlane(): Promise<Uint8Array> {
  return compilePortable('firmware/plane.ts');
}

/** A source by AssemblyScript's file name, which adds `.ts` to what the import says; null if there is none. */
function readSource(file: string): string | null {
  const plain = file.replace(/\.ts\.ts$/, '.ts');
  for (const candidate of [plain.replace(/\.ts$/, '.as.ts'), plain]) {
    if (candidate.endsWith('.ts') && existsSync(candidate)) return oneName(readFileSync(candidate, 'utf8'));
  }
  return null;
}

/**
 * A source whose imports have no `.ts`. AssemblyScript takes that off behind `import`, but not behind `export`: a file that
 * both name would be two of them, with all its functions twice.
 */
function oneName(text: string): string {
  return text.replace(/(\bfrom\s+['"]\.[^'"]+)\.ts(['"])/g, '$1$2');
}

/** All the source text that `entry` reaches by its imports, in a fixed order. */
function contentOf(entry: string, seen: Set<string>): string {
  const file = path.resolve(root, entry);
  if (seen.has(file)) return '';
  seen.add(file);
  const text = readSource(file) ?? '';
  let all = text;
  for (const [, name] of text.matchAll(/from\s+['"](\.[^'"]+)['"]/g)) {
    const target = path.resolve(path.dirname(file), name as string);
    all += contentOf(target.endsWith('.ts') ? target : `${target}.ts`, seen);
  }
  return all;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wasm = await compilePlane();
  console.log(`plane: ${wasm.length} bytes of WebAssembly`);
}
