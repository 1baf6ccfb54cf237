// When the firmware was built, in Unix seconds, so that whoever builds the same sources gets the same bytes:
// SOURCE_DATE_EPOCH (reproducible-builds.org) where it is set, else the commit's date, else, where the sources are no
// clone, the time of package.json, which an archive of a commit has from it.

import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';

export function buildDate(root: string): number {
  const told = process.env['SOURCE_DATE_EPOCH'];
  if (told !== undefined && told !== '') {
    if (!/^\d{1,10}$/.test(told))
      throw new Error(`Cannot build for SOURCE_DATE_EPOCH=${told}: it is no number of seconds`);
    return Number(told);
  }
  return commitDate(root) ?? Math.floor(statSync(path.join(root, 'package.json')).mtimeMs / 1000);
}

function commitDate(root: string): number | undefined {
  try {
    const options: ExecFileSyncOptionsWithStringEncoding = {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    };
    // A copy of the sources inside of another repository must not take that one's date.
    const top = execFileSync('git', ['rev-parse', '--show-toplevel'], options).trim();
    if (path.resolve(top) !== realpathSync(root)) return undefined;
    const text = execFileSync('git', ['log', '-1', '--format=%ct'], options).trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}
