// `npm run image`: builds build/masqbox.img from the sources. Bundle, snapshot, kernel, loader, image.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { firmwareBuilt, firmwareVersion } from './bundle.ts';
import { noteSources, sourcesSum } from './freshness.ts';
import { buildKernel } from './kernel.ts';
import { buildLoader } from './loader-build.ts';
import { loadSigner } from './signing.ts';
import { takeSnapshot } from './snapshot.ts';
import { writeImage } from './writer.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export interface Built {
  path: string;
  /** Bytes of each part. */
  sizes: Record<string, number>;
}

/** Builds the image and answers its path. Errors name the tool that is missing and how to get it. */
export async function buildImage(): Promise<string> {
  return (await build()).path;
}

export async function build(): Promise<Built> {
  const file = path.join(root, 'build/masqbox.img');
  await mkdir(path.dirname(file), { recursive: true });
  const sum = sourcesSum();
  const signer = loadSigner(line => console.log(line));
  const snapshot = await takeSnapshot();
  const kernel = await buildKernel(snapshot);
  const { bootSector, loader } = await buildLoader();
  const image = writeImage({
    kernel: kernel.binary,
    kernelPlain: kernel.plainBytes,
    snapshot: snapshot.bytes,
    bootSector,
    loader,
    version: firmwareVersion(),
    built: firmwareBuilt(),
    signer,
  });
  await writeFile(file, image);
  noteSources(file, sum);
  const sizes = {
    ...kernel.sizes,
    loader: loader.length,
    kernel: kernel.binary.length,
    snapshot: snapshot.bytes.length,
    image: image.length,
  };
  return { path: file, sizes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { path: file, sizes } = await build();
    for (const [name, bytes] of Object.entries(sizes))
      console.log(`${name.padEnd(12)} ${String(bytes).padStart(9)}`);
    console.log(path.relative(process.cwd(), file));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
