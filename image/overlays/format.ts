// Numbers of the overlays' packed form: encode.ts writes it, decode.ts reads it and says what it is. Portable subset: constants only.

/** Codes of symbols: a byte is of one context, that of the symbol behind it. */
export const CONTEXTS: i32 = 12;
/** Codes of distances: one for each of the shortest lengths, and one for all others. */
export const DISTANCE_KINDS: i32 = 4;
export const LITERALS: i32 = 256;
export const LENGTH_LEAST: i32 = 2;
/** Slots of lengths that are one length each; the others are 2, 4, 8 and so on. */
export const LENGTHS_PLAIN: i32 = 8;
export const LENGTH_SLOTS: i32 = 16;
/** Distances that are taken once more. */
export const REPEATS: i32 = 3;
/** Slots of distances that are one distance each; behind them there are two for each power of 2. */
export const DISTANCES_PLAIN: i32 = 4;
export const DISTANCE_SLOTS: i32 = 36;

/** The longest code of a symbol, and of a distance: that is read with a length's further bits, all of them 16 at most. */
export const SYMBOL_BITS: i32 = 14;
export const DISTANCE_BITS: i32 = 7;
/** How many codes have each length: two bytes, of which the highest bits are how many of these are for LITERALS and more. */
export const COUNT_BYTES: i32 = 2;
export const MANY_SHIFT: i32 = 10;
