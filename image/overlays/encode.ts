// Packs overlays for decode.ts, all at once, as they have their codes in common. Which matches are taken depends on what they cost, that
// on the codes, and these on what is taken: so it is done again and again, the first time by costs that are guessed.
// Not here: finding matches (matches.ts), making codes (codes.ts).

import {
  bitsOf,
  type Codes,
  type Counts,
  canonical,
  codeBytes,
  DISTANCES,
  makeCodes,
  noCounts,
  SYMBOLS,
} from './codes.ts';
import {
  DISTANCE_KINDS,
  DISTANCES_PLAIN,
  LENGTH_LEAST,
  LENGTH_SLOTS,
  LENGTHS_PLAIN,
  LITERALS,
  REPEATS,
} from './format.ts';
import { findMatches, type Matches } from './matches.ts';

const ROUNDS = 4;
/** The longest match: that of the last slot with all its bits. */
const LENGTH_MOST = LENGTHS_PLAIN + (1 << (LENGTH_SLOTS - LENGTHS_PLAIN + 1)) - 1;
/** Of a match this long no beginning is taken alone. */
const LONG_MATCH = 64;
/** In bits, before there are codes. */
const GUESSED = { literal: 6.5, length: 5, distance: 5 };

export interface Packed {
  bytes: Uint8Array;
  /** By how much more is still to be read than to be written, when that is most: what unpacking in place wants behind the text. */
  lead: number;
}

export interface Encoded {
  /** What the decoder needs beside each of these. */
  codes: Uint8Array;
  packed: Packed[];
}

/** What is done at a place: a literal, of length 1 and distance 0, or a match; of one `again` says which of the last distances it has, or REPEATS. */
interface Steps {
  length: Int32Array;
  distance: Int32Array;
  again: Uint8Array;
}

/** What each symbol costs, in bits. */
interface Costs {
  context: Uint8Array;
  symbols: Float64Array[];
  distances: Float64Array[];
}

export function encode(texts: readonly Uint8Array[]): Encoded {
  const matches = texts.map(text => findMatches(text, LENGTH_MOST));
  let costs = guessed();
  let codes: Codes | undefined;
  for (let round = 1; ; round++) {
    const steps = texts.map((text, i) => parse(text, matches[i] as Matches, costs));
    const counts = noCounts();
    for (const [i, text] of texts.entries()) count(text, steps[i] as Steps, counts);
    codes = makeCodes(counts, codes);
    if (round === ROUNDS) {
      const last = codes;
      return { codes: codeBytes(last), packed: texts.map((text, i) => write(text, steps[i] as Steps, last)) };
    }
    const { context, symbols, distances } = codes;
    costs = { context, symbols: symbols.map(bitsOf), distances: distances.map(bitsOf) };
  }
}

function guessed(): Costs {
  const symbols = new Float64Array(SYMBOLS).fill(GUESSED.literal, 0, LITERALS).fill(GUESSED.length, LITERALS);
  const distances = new Float64Array(DISTANCES).fill(GUESSED.distance);
  return {
    context: new Uint8Array(LITERALS),
    symbols: [symbols],
    distances: Array.from({ length: DISTANCE_KINDS }, () => distances),
  };
}

const lengthSlots = Uint8Array.from({ length: LENGTH_MOST + 1 }, (_, length) => {
  const over = length - LENGTHS_PLAIN;
  return over < LENGTH_LEAST ? Math.max(0, length - LENGTH_LEAST) : LENGTHS_PLAIN - 1 + 31 - Math.clz32(over);
});

/** Bits that follow a slot of lengths. */
function lengthBits(slot: number): number {
  return slot < LENGTHS_PLAIN ? 0 : slot - LENGTHS_PLAIN + 1;
}

function distanceSlot(distance: number): number {
  const place = distance - 1;
  if (place < DISTANCES_PLAIN) return place;
  const bits = 31 - Math.clz32(place);
  return 2 * bits + ((place >> (bits - 1)) & 1);
}

function distanceBits(slot: number): number {
  return slot < DISTANCES_PLAIN ? 0 : (slot >> 1) - 1;
}

const kindOf = (slot: number): number => Math.min(slot, DISTANCE_KINDS - 1);

/** The cheapest ways to each place, from the first on; of each is known what its last distances are. */
class Ways {
  readonly cost: Float64Array;
  readonly length: Int32Array;
  readonly distance: Int32Array;
  readonly again: Uint8Array;
  /** Of each place, REPEATS of them, the newest first. */
  readonly last: Int32Array;

  constructor(places: number) {
    this.cost = new Float64Array(places + 1).fill(Number.POSITIVE_INFINITY);
    this.length = new Int32Array(places + 1);
    this.distance = new Int32Array(places + 1);
    this.again = new Uint8Array(places + 1);
    this.last = new Int32Array(REPEATS * (places + 1)).fill(1);
    this.cost[0] = 0;
  }

  /** A way from a place to one that is `length` further. */
  offer(at: number, length: number, cost: number, distance: number, again: number): void {
    const to = at + length;
    if (cost >= (this.cost[to] as number)) return;
    this.cost[to] = cost;
    this.length[to] = length;
    this.distance[to] = distance;
    this.again[to] = again;
    const { last } = this;
    const [from, into] = [REPEATS * at, REPEATS * to];
    // What is in front of the one that is taken moves back by one; of a literal's and of the newest nothing does.
    const moved = distance === 0 ? 0 : Math.min(again, REPEATS - 1);
    for (let i = REPEATS - 1; i >= 0; i--)
      last[into + i] = last[from + (i > 0 && i <= moved ? i - 1 : i)] as number;
    if (distance !== 0) last[into] = distance;
  }

  /** The steps of the way to the last place, each where it begins. */
  steps(): Steps {
    const places = this.cost.length - 1;
    const steps: Steps = {
      length: new Int32Array(places),
      distance: new Int32Array(places),
      again: new Uint8Array(places),
    };
    for (let to = places; to > 0; ) {
      const at = to - (this.length[to] as number);
      steps.length[at] = this.length[to] as number;
      steps.distance[at] = this.distance[to] as number;
      steps.again[at] = this.again[to] as number;
      to = at;
    }
    return steps;
  }
}

function parse(text: Uint8Array, matches: Matches, costs: Costs): Steps {
  const ways = new Ways(text.length);
  for (let at = 0; at < text.length; at++) {
    const context = costs.context[at === 0 ? 0 : (text[at - 1] as number)] as number;
    const symbols = costs.symbols[context] as Float64Array;
    ways.offer(at, 1, (ways.cost[at] as number) + (symbols[text[at] as number] as number), 0, 0);
    for (let again = 0; again < REPEATS; again++) {
      const distance = ways.last[REPEATS * at + again] as number;
      let length = 0;
      const most = distance > at ? 0 : Math.min(LENGTH_MOST, text.length - at);
      while (length < most && text[at + length] === text[at + length - distance]) length++;
      offerMatch(ways, at, costs, symbols, { distance, again, first: LENGTH_LEAST, length });
    }
    let first = LENGTH_LEAST;
    for (let i = matches.begin[at] as number; i < (matches.begin[at + 1] as number); i++) {
      const length = matches.length[i] as number;
      const distance = matches.distance[i] as number;
      offerMatch(ways, at, costs, symbols, { distance, again: REPEATS, first, length });
      first = length + 1;
    }
  }
  return ways.steps();
}

/** A match with a distance and all lengths from the first on. */
interface Offered {
  distance: number;
  again: number;
  first: number;
  length: number;
}

function offerMatch(
  ways: Ways,
  at: number,
  { distances }: Costs,
  symbols: Float64Array,
  { distance, again, first, length }: Offered,
): void {
  const slot = again < REPEATS ? 0 : distanceSlot(distance);
  const symbol = again < REPEATS ? again : REPEATS + slot;
  const cost = (ways.cost[at] as number) + (again < REPEATS ? 0 : distanceBits(slot));
  for (let n = length > LONG_MATCH ? length : first; n <= length; n++) {
    const lengths = lengthSlots[n] as number;
    const row = distances[lengths < DISTANCE_KINDS ? lengths : DISTANCE_KINDS - 1] as Float64Array;
    const price = (symbols[LITERALS + lengths] as number) + lengthBits(lengths) + (row[symbol] as number);
    ways.offer(at, n, cost + price, distance, again);
  }
}

/** What one step has: its symbols, and the bits behind them. */
interface Step {
  at: number;
  before: number;
  length: number;
  slot: number;
  distance: number;
  /** The symbol of its distance, and that symbol's slot. */
  symbol: number;
  distanceSlot: number;
}

/** Visits each step of a text; what is handed over is the same object each time. */
function walk(text: Uint8Array, steps: Steps, visit: (step: Step) => void): void {
  const step: Step = { at: 0, before: 0, length: 0, slot: 0, distance: 0, symbol: 0, distanceSlot: 0 };
  for (let at = 0; at < text.length; at += step.length) {
    step.at = at;
    step.before = at === 0 ? 0 : (text[at - 1] as number);
    step.length = steps.length[at] as number;
    step.slot = lengthSlots[step.length] as number;
    step.distance = steps.distance[at] as number;
    step.distanceSlot = step.distance === 0 ? 0 : distanceSlot(step.distance);
    const again = steps.again[at] as number;
    step.symbol = again < REPEATS ? again : REPEATS + step.distanceSlot;
    visit(step);
  }
}

function count(text: Uint8Array, steps: Steps, { symbols, distances }: Counts): void {
  const raise = (row: Float64Array | undefined, i: number): void => {
    (row as Float64Array)[i] = ((row as Float64Array)[i] as number) + 1;
  };
  walk(text, steps, ({ at, before, slot, distance, symbol }) => {
    raise(symbols[before], distance === 0 ? (text[at] as number) : LITERALS + slot);
    if (distance !== 0) raise(distances[kindOf(slot)], symbol);
  });
}

/** Bits, the highest of each byte first. */
class Bits {
  private readonly bytes: number[] = [];
  private rest = 0;
  private have = 0;

  put(value: number, bits: number): void {
    for (let i = bits - 1; i >= 0; i--) {
      this.rest = (this.rest << 1) | ((value >> i) & 1);
      if (++this.have % 8 === 0) {
        this.bytes.push(this.rest & 255);
        this.rest = 0;
      }
    }
  }

  /** As many whole halves as the decoder reads at most: it looks 16 bits ahead, even where none are to come. */
  end(): Uint8Array {
    const halves = ((this.have + 15) >> 4) + 1;
    this.put(0, 16 * halves - this.have);
    return Uint8Array.from(this.bytes);
  }

  get length(): number {
    return this.bytes.length;
  }
}

function write(text: Uint8Array, steps: Steps, { context, symbols, distances }: Codes): Packed {
  const bits = new Bits();
  /** The furthest that the text has been behind what is packed. */
  let behind = 0;
  const [symbolCodes, distanceCodes] = [symbols.map(canonical), distances.map(canonical)];
  const put = (lengths: Uint8Array[], codes: Int32Array[], table: number, symbol: number): void =>
    bits.put(
      (codes[table] as Int32Array)[symbol] as number,
      (lengths[table] as Uint8Array)[symbol] as number,
    );
  walk(text, steps, ({ at, before, length, slot, distance, symbol, distanceSlot }) => {
    const table = context[before] as number;
    behind = Math.max(behind, at - bits.length);
    put(symbols, symbolCodes, table, distance === 0 ? (text[at] as number) : LITERALS + slot);
    if (distance === 0) return;
    bits.put(length - LENGTHS_PLAIN, lengthBits(slot));
    put(distances, distanceCodes, kindOf(slot), symbol);
    if (symbol >= REPEATS) bits.put(distance - 1, distanceBits(distanceSlot));
  });
  const bytes = bits.end();
  return { bytes, lead: bytes.length - text.length + Math.max(behind, text.length - bytes.length) };
}
