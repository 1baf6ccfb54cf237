// Rates: so many at once, then one more each so many ticks, for one or for each of several. What is kept of each is the tick
// at which its bucket is full again, so that who takes nothing takes no memory after a while, and what was paid for more
// than there was is owed. Ticks are the uptime's, which do not wrap.
// Not here: what is limited (rates.ts, lease-table.ts).

export class Buckets {
  private readonly full = new Map<number, number>();
  /** None is full before this tick. */
  private soonest = 0;

  /** @param places how many there may be that are not full. */
  constructor(
    private readonly burst: number,
    private readonly ticks: number,
    private readonly places = 1,
  ) {}

  /** Those that are not full. */
  get size(): number {
    return this.full.size;
  }

  /** Whether there is a place for this one. */
  has(now: number, of: number): boolean {
    this.forget(now);
    return this.full.size < this.places || this.full.has(of);
  }

  /** Takes one, that counts as `weight`: false if none is left, or no place for it. */
  take(now: number, of = 0, weight = 1): boolean {
    if (!this.has(now, of)) return false;
    const full = this.full.get(of) ?? now;
    if (full - now > (this.burst - weight) * this.ticks) return false;
    this.full.set(of, full + weight * this.ticks);
    this.soonest = Math.min(this.soonest, full + weight * this.ticks);
    return true;
  }

  /** Takes so many more of one that was taken of, though there be fewer: the rest is owed. */
  owe(count: number, of = 0): void {
    this.full.set(of, (this.full.get(of) as number) + count * this.ticks);
  }

  private forget(now: number): void {
    if (now < this.soonest) return;
    this.soonest = Number.POSITIVE_INFINITY;
    for (const [of, full] of this.full) {
      if (full <= now) this.full.delete(of);
      else this.soonest = Math.min(this.soonest, full);
    }
  }
}
