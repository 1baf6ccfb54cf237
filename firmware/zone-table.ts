// The table of time zones' names, made from this machine's zoneinfo (Debian's tzdata): each name with the POSIX string
// that its file ends with (RFC 9636, section 3.3), which holds for all times from now on.
// Not here: looking a name up (src/control/time/zone-names.ts).

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ZONEINFO = '/usr/share/zoneinfo';
/** Other copies of all zones, and files that tell of this machine alone. */
const LEFT_OUT = /^(posix|right)\/|^(localtime|posixrules|Factory)$/;

/**
 * A line for each POSIX string: the string, then areas with their names, as in
 * "CET-1CEST,M3.5.0,M10.5.0/3 Europe:Berlin,Paris :Poland".
 */
export function zoneTable(directory = ZONEINFO): string {
  const lines = new Map<string, Map<string, string[]>>();
  for (const name of zoneFiles(directory)) {
    const text = footerOf(readFileSync(path.join(directory, name)));
    if (text === '') continue;
    const [area, city] = [path.dirname(name).replace(/^\.$/, ''), path.basename(name)];
    const areas = lines.get(text) ?? new Map<string, string[]>();
    areas.set(area, [...(areas.get(area) ?? []), city]);
    lines.set(text, areas);
  }
  const rows = [...lines].map(([text, areas]) =>
    [text, ...[...areas].map(([area, cities]) => `${area}:${cities.join(',')}`)].join(' '),
  );
  return rows.sort().join('\n');
}

function zoneFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter(entry => !entry.isDirectory())
      .map(entry => path.relative(directory, path.join(entry.parentPath, entry.name)))
      .filter(name => !LEFT_OUT.test(name) && isZone(path.join(directory, name)))
      .sort();
  } catch {
    throw new Error(`Cannot read the time zones in ${directory}: install tzdata`);
  }
}

function isZone(file: string): boolean {
  try {
    return readFileSync(file).subarray(0, 4).toString('latin1') === 'TZif';
  } catch {
    return false; // a link to a directory
  }
}

/** What stands between the last two line feeds of a TZif file of version 2 or later. */
function footerOf(file: Buffer): string {
  return /\n([^\n]*)\n$/.exec(file.toString('latin1'))?.[1] ?? '';
}
