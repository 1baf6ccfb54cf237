// A file that holds the board's password, as its hash: for its owner alone.

import { chmodSync, statSync, writeFileSync } from 'node:fs';

/** Writes a file that nobody else may read, also where there was one that others could. */
export function writePrivate(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  // The mode counts for a new file alone.
  if (statSync(file).isFile()) chmodSync(file, 0o600);
}
