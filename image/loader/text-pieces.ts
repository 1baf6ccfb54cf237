// Texts at random for those who try packers: noise, runs, words, and copies from near and far, in pieces of many lengths.
// Not here: what is packed and unpacked of them (unpack.test.ts, image/overlays/decode.test.ts).

import fc from 'fast-check';

/** A text of so many pieces at most, none longer than `longest`. */
export const textOfPieces = (count: number, longest: number): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc
    .array(
      fc.record({
        kind: fc.constantFrom('noise', 'run', 'words', 'copy'),
        length: fc.oneof(fc.nat(40), fc.nat(600), fc.nat(longest)),
        from: fc.oneof(fc.nat(12), fc.nat(70000)),
        seed: fc.nat(255),
      }),
      { maxLength: count },
    )
    .map(list => {
      const out: number[] = [];
      for (const { kind, length, from, seed } of list) {
        let state = seed;
        for (let i = 0; i < length; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          if (kind === 'noise') out.push(state >>> 24);
          else if (kind === 'run') out.push(seed);
          else if (kind === 'words') out.push(97 + ((state >>> 24) % 5));
          else out.push(out[out.length - 1 - from] ?? 0);
        }
      }
      return Uint8Array.from(out);
    });
