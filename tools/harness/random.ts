// Randomness that can be repeated: a xorshift generator (Marsaglia, 2003) from a 32-bit seed. For tests only.

export interface Random {
  /** A number of 0 up to, not with, 1. */
  fraction(): number;
  /** A whole number of 0 up to, not with, `limit`. */
  below(limit: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

export function seeded(seed: number): Random {
  // The generator never leaves 0, so 0 becomes another seed; the multiplier spreads small seeds.
  let state = Math.imul(seed, 0x9e3779b1) | 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
  for (let i = 0; i < 8; i++) next();
  return {
    fraction: next,
    below: limit => Math.floor(next() * limit),
    chance: probability => next() < probability,
  };
}

/** Of the suite, whose outcome is to depend on the code alone: new seeds are for `npm run fuzz`. */
const SUITE_SEED = 486;

/** The seed of a run: MASQBOX_SEED from the environment, or the suite's. */
export function runSeed(): number {
  const given = Number(process.env['MASQBOX_SEED']);
  return Number.isInteger(given) && given > 0 ? given : SUITE_SEED;
}
