// A time zone as people write it: by its name or as a POSIX string.

import type { Machine } from '../machine.ts';
import { parseZone, UTC, type Zone } from './timezone.ts';

/** A name, as far as its letters tell it from a POSIX string, which has an offset behind its own. */
export const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** Reads a zone; answers why it is refused. Names are looked up in the overlay's table. */
export function zoneOf(machine: Machine, text: string): Zone | string {
  const plain = text.replace(/^(["'])(.*)\1$/, '$2');
  if (/^UTC0?$/i.test(plain)) return UTC;
  const zone = parseZone(plain);
  if (typeof zone !== 'string' || !ZONE_NAME.test(plain)) return zone;
  const found = machine.overlay('time').findZone(plain);
  if (found === undefined) return 'there is no zone of that name, and no POSIX string is written so';
  const named = parseZone(found.text);
  return typeof named === 'string' ? named : { ...named, text: found.name };
}
