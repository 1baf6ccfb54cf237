// Lengths of time as people read them.

import { TICKS_PER_SECOND } from '../../base/limits.ts';

/** Ticks as hours, minutes and seconds, rounded up: an entry with time left never shows 0:00. */
export function formatTicks(ticks: number): string {
  const seconds = Math.ceil(ticks / TICKS_PER_SECOND);
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
