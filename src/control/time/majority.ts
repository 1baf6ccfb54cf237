// Which of several answers to believe: the intersection of RFC 5905, section 11.2.1, for a handful of servers. Each answer
// is an interval, the time it tells and what it may be off; the instant that lies in most of them is right if that is more
// than half of the answers. One answer is believed alone. Of two that differ none is: which one lies cannot be told.

export interface Opinion {
  /** Our clock's reading that it asks for, milliseconds, all at the same tick. */
  readonly time: number;
  /** What it may be off, milliseconds. */
  readonly error: number;
}

/** The opinions that the majority shares, the surest first; none when there is no majority. */
export function majority<T extends Opinion>(opinions: readonly T[]): T[] {
  let best: T[] = [];
  for (const { time, error } of opinions) {
    // Where most intervals meet, one of them begins.
    const instant = time - error;
    // Ends are compared with ends, each computed alike: an interval holds its own ends, however they are rounded.
    const there = opinions.filter(
      each => each.time - each.error <= instant && instant <= each.time + each.error,
    );
    if (there.length > best.length) best = there;
  }
  return 2 * best.length > opinions.length ? [...best].sort((a, b) => a.error - b.error) : [];
}
