// A time zone as people write it: by its name or as a POSIX string.

import type { Machine } from './machine.ts';
import { parseZone, UTC, type Zone } from './timezone.ts';

/** A name, as far as its letters tell it from a POSIX string, which has an offset behind its own. */
export const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

const LETTERS = /^[A-Za-z][A-Za-z_/-]+$/;
/** Longer than any name, and than any POSIX string with all its parts. */
const ZONE_MOST = 100;

/** Reads a zone; answers why it is refused. Names are looked up in the overlay's table. */
export function zoneOf(machine: Machine, text: string): Zone | string {
  // What a pattern takes for a long word is a second of a slow board.
  if (text.length > ZONE_MOST) return `it is longer than ${ZONE_MOST} characters`;
  const isQuoted = text.length > 1 && (text[0] === '"' || text[0] === "'") && text.endsWith(text[0]);
  const plain = isQuoted ? text.slice(1, -1) : text;
  if (plain.length <= 4 && /^UTC0?$/i.test(plain)) return UTC;
  // A POSIX string has an offset, and so a digit.
  const zone = LETTERS.test(plain) ? undefined : parseZone(plain);
  if (zone !== undefined && (typeof zone !== 'string' || !ZONE_NAME.test(plain))) return zone;
  const found = machine.overlay('time').findZone(plain);
  if (found === undefined) return 'there is no zone of that name, and no POSIX string is written so';
  const named = parseZone(found.text);
  return typeof named === 'string' ? named : { ...named, text: found.name };
}
