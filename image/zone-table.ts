// The table of time zones' names, made from this machine's zoneinfo (Debian's tzdata): each name with the POSIX string
// that its file ends with (RFC 9636, section 3.3), which holds for all times from now on.
// Not here: looking a name up (src/control/time/zone-names.ts).

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PLACE_DIGITS } from '../src/control/time/zone-names.ts';

export interface Zone {
  /** '' where the name has none. */
  area: string;
  city: string;
  text: string;
}

const ZONEINFO = '/usr/share/zoneinfo';
/** Other copies of all zones, and files that tell of this machine alone. */
const LEFT_OUT = /^(posix|right)\/|^(localtime|posixrules|Factory)$/;

/** The table, as src/control/time/zone-names.ts has it. */
export function zoneTable(directory = ZONEINFO): string {
  const zones: Zone[] = [];
  for (const name of zoneFiles(directory)) {
    const text = footerOf(readFileSync(path.join(directory, name)));
    if (text === '') continue;
    const area = path.dirname(name).replace(/^\.$/, '');
    zones.push({ area, city: path.basename(name), text });
  }
  return pack(zones);
}

/** Of cities of one name the first is meant where no area is given. */
export function pack(zones: readonly Zone[]): string {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz');
  const places = new Map<string, number>();
  let head = '';
  for (const word of zones.flatMap(({ area, text }) => [area, text])) {
    if (places.has(word)) continue;
    places.set(word, (letters.length + 1) * PLACE_DIGITS + head.length);
    head += `${word} `;
  }
  const order = ({ city, text, area }: Zone): string => [city.toLowerCase(), text, area].join('\n');
  const sorted = [...zones].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  const starts: number[] = [];
  let rows = '';
  const here = (): number => (letters.length + 1) * PLACE_DIGITS + head.length + 1 + rows.length;
  for (const letter of letters) {
    starts.push(here());
    for (const { city, area, text } of sorted.filter(({ city }) => city.toLowerCase().startsWith(letter)))
      rows += `${city.toLowerCase()} ${city} ${places.get(area)} ${places.get(text)}\n`;
  }
  starts.push(here());
  return `${starts.map(at => String(at).padStart(PLACE_DIGITS, '0')).join('')}${head}\n${rows}`;
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
