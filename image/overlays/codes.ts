// The codes of decode.ts: which context each byte is, how long each symbol's code is, and all that as the bytes that the decoder
// reads. Codes are Huffman's, and canonical: the lengths alone say what they are.
//
//    | the context of each byte, 256 | for each table:  how many codes of 1, 2, ... bits, 2 bytes each | their symbols |
//
// Not here: whose counts these are (encode.ts).

import {
  CONTEXTS,
  COUNT_BYTES,
  DISTANCE_BITS,
  DISTANCE_KINDS,
  DISTANCE_SLOTS,
  LENGTH_SLOTS,
  LITERALS,
  MANY_SHIFT,
  REPEATS,
  SYMBOL_BITS,
} from './format.ts';

export const SYMBOLS = LITERALS + LENGTH_SLOTS;
export const DISTANCES = REPEATS + DISTANCE_SLOTS;
/** What a symbol costs, in bits, that has had no code so far. */
const UNUSED_BITS = SYMBOL_BITS + 1;

/** How often each symbol comes: behind each byte, and each distance behind each kind of length. */
export interface Counts {
  symbols: Float64Array[];
  distances: Float64Array[];
}

/** The bits of each symbol's code, 0 if it has none. */
export interface Codes {
  context: Uint8Array;
  symbols: Uint8Array[];
  distances: Uint8Array[];
}

export function noCounts(): Counts {
  const rows = (count: number, length: number): Float64Array[] =>
    Array.from({ length: count }, () => new Float64Array(length));
  return { symbols: rows(LITERALS, SYMBOLS), distances: rows(DISTANCE_KINDS, DISTANCES) };
}

/** Codes for what was counted; the contexts are those of earlier codes, each byte where it is cheapest, or found. */
export function makeCodes(counts: Counts, earlier?: Codes): Codes {
  const context = earlier === undefined ? contexts(counts.symbols) : cheapest(counts.symbols, earlier);
  const sums = Array.from({ length: CONTEXTS }, () => new Float64Array(SYMBOLS));
  for (const [byte, row] of counts.symbols.entries()) add(sums[context[byte] as number] as Float64Array, row);
  return {
    context,
    symbols: sums.map(row => codeLengths(row, SYMBOL_BITS)),
    distances: counts.distances.map(row => codeLengths(row, DISTANCE_BITS)),
  };
}

function add(to: Float64Array, row: Float64Array): void {
  for (let i = 0; i < row.length; i++) to[i] = (to[i] as number) + (row[i] as number);
}

/** Bits that symbols take that come so often. */
function entropy(row: Float64Array): number {
  let total = 0;
  let bits = 0;
  for (let i = 0; i < row.length; i++) {
    const n = row[i] as number;
    if (n === 0) continue;
    total += n;
    bits -= n * Math.log2(n);
  }
  return total === 0 ? 0 : bits + total * Math.log2(total);
}

/** What is behind each byte becomes CONTEXTS contexts: again and again the two that cost least when they are one. */
function contexts(rows: readonly Float64Array[]): Uint8Array {
  interface Group {
    bytes: number[];
    row: Float64Array;
    bits: number;
    /** By the later groups' place, what both cost more as one. */
    more: number[];
  }
  const row = new Float64Array(SYMBOLS);
  const joint = (a: Group, b: Group): number => {
    for (let i = 0; i < SYMBOLS; i++) row[i] = (a.row[i] as number) + (b.row[i] as number);
    return entropy(row) - a.bits - b.bits;
  };
  const groups: Group[] = rows.map((own, byte) => ({
    bytes: [byte],
    row: own.slice(),
    bits: entropy(own),
    more: [],
  }));
  for (const [i, group] of groups.entries())
    group.more = groups.slice(0, i).map(other => joint(group, other));
  while (groups.length > CONTEXTS) {
    let best: [number, number] = [1, 0];
    let least = Number.POSITIVE_INFINITY;
    for (const [i, { more }] of groups.entries()) {
      for (let j = 0; j < i; j++) {
        if ((more[j] as number) >= least) continue;
        least = more[j] as number;
        best = [j, i];
      }
    }
    const [to, from] = [groups[best[0]], groups[best[1]]] as [Group, Group];
    to.bytes.push(...from.bytes);
    add(to.row, from.row);
    to.bits = entropy(to.row);
    groups.splice(best[1], 1);
    for (const group of groups) group.more.splice(best[1], 1);
    for (const [i, group] of groups.entries()) {
      if (i < best[0]) to.more[i] = joint(to, group);
      else if (i > best[0]) group.more[best[0]] = joint(group, to);
    }
  }
  const context = new Uint8Array(LITERALS);
  for (const [i, { bytes }] of groups.entries()) for (const byte of bytes) context[byte] = i;
  return context;
}

/** Each byte's context anew, where what is behind it has the shortest codes. */
function cheapest(rows: readonly Float64Array[], { symbols }: Codes): Uint8Array {
  const context = new Uint8Array(LITERALS);
  for (const [byte, row] of rows.entries()) {
    let least = Number.POSITIVE_INFINITY;
    for (const [i, lengths] of symbols.entries()) {
      let bits = 0;
      for (let s = 0; s < SYMBOLS; s++) bits += (row[s] as number) * (lengths[s] || UNUSED_BITS);
      if (bits >= least) continue;
      least = bits;
      context[byte] = i;
    }
  }
  return context;
}

/** Huffman's lengths. While one is longer than the longest, counts are made more alike. */
export function codeLengths(row: Float64Array, most: number): Uint8Array {
  for (let counts = row; ; counts = counts.map(n => (n === 0 ? 0 : Math.ceil(n / 2) + 1))) {
    const lengths = huffman(counts);
    if (lengths.every(n => n <= most)) return lengths;
  }
}

function huffman(counts: Float64Array): Uint8Array {
  interface Node {
    count: number;
    symbols: number[];
  }
  const lengths = new Uint8Array(counts.length);
  const leaves: Node[] = [...counts.entries()]
    .filter(([, count]) => count > 0)
    .map(([symbol, count]) => ({ count, symbols: [symbol] }))
    .sort((a, b) => a.count - b.count);
  if (leaves.length === 1) lengths[(leaves[0] as Node).symbols[0] as number] = 1;
  const joined: Node[] = [];
  let leaf = 0;
  let inner = 0;
  const take = (): Node => {
    const [a, b] = [leaves[leaf], joined[inner]];
    if (b === undefined || (a !== undefined && a.count <= b.count)) leaf++;
    else inner++;
    return (b === undefined || (a !== undefined && a.count <= b.count) ? a : b) as Node;
  };
  for (let i = 1; i < leaves.length; i++) {
    const [a, b] = [take(), take()];
    const symbols = [...a.symbols, ...b.symbols];
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] as number) + 1;
    joined.push({ count: a.count + b.count, symbols });
  }
  return lengths;
}

/** The symbols in the order of their canonical codes. */
function inOrder(lengths: Uint8Array): number[] {
  return [...lengths.keys()]
    .filter(symbol => lengths[symbol] !== 0)
    .sort((a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b);
}

/** Each symbol's canonical code. */
export function canonical(lengths: Uint8Array): Int32Array {
  const codes = new Int32Array(lengths.length);
  let next = 0;
  let length = 0;
  for (const symbol of inOrder(lengths)) {
    next <<= (lengths[symbol] as number) - length;
    length = lengths[symbol] as number;
    codes[symbol] = next++;
  }
  return codes;
}

/** What a symbol costs by codes, in bits. */
export function bitsOf(lengths: Uint8Array): Float64Array {
  return Float64Array.from(lengths, n => n || UNUSED_BITS);
}

/** The bytes that the decoder reads. */
export function codeBytes({ context, symbols, distances }: Codes): Uint8Array {
  const parts = [Buffer.from(context)];
  const add = (lengths: Uint8Array, most: number): void => {
    const order = inOrder(lengths);
    const counts = Buffer.alloc(COUNT_BYTES * most);
    for (const symbol of order) {
      const at = COUNT_BYTES * ((lengths[symbol] as number) - 1);
      counts.writeUInt16BE(counts.readUInt16BE(at) + 1 + (symbol < LITERALS ? 0 : 1 << MANY_SHIFT), at);
    }
    parts.push(counts, Buffer.from(order));
  };
  for (const lengths of symbols) add(lengths, SYMBOL_BITS);
  for (const lengths of distances) add(lengths, DISTANCE_BITS);
  return new Uint8Array(Buffer.concat(parts));
}
