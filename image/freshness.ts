// Whether an image is of the sources as they are: the build writes a sum of all that it may have read beside the image,
// and tests that boot compare it, so that nobody looks for a fault in what was mended already.
// Not here: what the build reads of a file (esbuild drops what nothing imports; the sum takes it all the same).

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const SOURCES = ['board', 'firmware', 'hal', 'image', 'src', 'tools/dhcp-options.ts', 'package-lock.json'];
const NOT_BUILT = /(\.test|-lab|-model)\.ts$/;

/** The sources of an image, from the repository's root, in an order that is always the same. */
export function sourcesOf(directory = root): string[] {
  const files = SOURCES.flatMap(name => {
    if (name.includes('.')) return [name];
    const entries = readdirSync(path.join(directory, name), { recursive: true, withFileTypes: true });
    return entries
      .filter(entry => entry.isFile())
      .map(entry => path.relative(directory, path.join(entry.parentPath, entry.name)));
  });
  return files.filter(file => !NOT_BUILT.test(file)).sort();
}

/** The sum of the sources. A build takes it before it reads them: what changes meanwhile makes the image stale. */
export function sourcesSum(directory = root): string {
  const hash = createHash('sha256');
  for (const file of sourcesOf(directory)) {
    const bytes = readFileSync(path.join(directory, file));
    hash.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

const sumFile = (image: string): string => `${image}.sources`;

/** Notes of what sources an image is. */
export function noteSources(image: string, sum: string): void {
  writeFileSync(sumFile(image), `${sum}\n`);
}

/** Answers the path of an image that is of the sources as they are; throws why it is not. */
export function freshImage(image: string, directory = root): string {
  const what = path.relative(directory, image);
  if (!existsSync(image)) throw new Error(`There is no ${what}: npm run image`);
  const noted = existsSync(sumFile(image)) ? readFileSync(sumFile(image), 'utf8').trim() : '';
  if (noted !== sourcesSum(directory))
    throw new Error(`${what} is not of the sources as they are: npm run image`);
  return image;
}
