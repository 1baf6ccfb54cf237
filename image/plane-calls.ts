// Calls of the plane by number: control's sources say plane.NAME(...), the firmware plane.call(NUMBER, ...), as HOST_PLANE numbers
// them. An object with a function for each name took 130 bytes of heap a name in every boot, beside the name.
// Whoever is handed the plane must call it so, too: plane-calls.test.ts looks.
// Not here: what is behind it (firmware/host.ts). The debug commands, which call either engine's plane, keep the names.

import { planeNames } from '../firmware/host.ts';
import * as plane from '../firmware/plane.ts';

const CALL = /\bplane\.(\w+)\((\s*\))?/g;
/** crc32() has a function of its own, which goes on in pieces. */
const NAMED = ['crc32'];

const names = planeNames(plane);

/** A source of control's with numbers in the names' places. */
export function numberedCalls(source: string): string {
  return source.replace(CALL, (text, name: string, end?: string) => {
    if (NAMED.includes(name)) return text;
    const index = names.indexOf(name);
    if (index < 0) throw new Error(`Cannot find the plane's function ${name}`);
    return end === undefined ? `plane.call(${index}, ` : `plane.call(${index})`;
  });
}
