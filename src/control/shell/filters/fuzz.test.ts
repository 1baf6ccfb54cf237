// Whatever words a filter is given: it answers within bounds, and is at fault by no error of its own.

import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../streams.ts';
import { filters } from './overlay.ts';
import { Regex } from './regex.ts';

const SEED = Number(process.env['MASQBOX_SEED'] ?? 1);
const RUNS = Number(process.env['MASQBOX_RUNS'] ?? 10_000);

const PIECES =
  '-n -e -v -F: -f1 -d: -k2 -c -1 +2 s/a/b/ s/\\(.\\)x*/\\1/g /re/p $!d 2,3p y/ab/cd/ {p;p} {print $1} {print$NF} BEGIN{ } END{x[1]++} /a/ NR==1 printf("%s",$1) gsub(/a/,"b") for(;;) while(1)x++ if(1)print;else a-z [:alpha:] [a- [^] \\ ( ) * .* ^$ a* (a|b)+ x{2,3} \\{1\\} 1 + : a.b inet -- - "a" $1'.split(
    ' ',
  );
const TEXT = 'inet addr:192.168.0.1  Bcast:192.168.0.255\n\naaaa bbbb\nlo 127.0.0.1\n';

test('filters take any words', t => {
  let most = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(filters)),
      fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 5 })), { maxLength: 5 }),
      (name, words) => {
        let steps = 0;
        let size = 0;
        try {
          const outcome = filters[name]?.([name, ...words], {
            read: () => TEXT,
            file: () => TEXT,
            write: text => (size += text.length),
            complain: () => {},
          });
          if (typeof outcome === 'object') while (outcome.next().done !== true) steps++;
        } catch (error) {
          if (!isFault(error)) throw error;
        }
        most = Math.max(most, steps);
        return size < 200_000;
      },
    ),
    { numRuns: RUNS, seed: SEED },
  );
  t.true(most < 1000, `${most} steps`);
});

test('any pattern is read or refused, and tried within bounds', t => {
  const piece = fc.constantFrom(
    ...'a b . * + ? ( ) | [ ] ^ $ \\( \\) \\{ \\} { } , 1 2 \\1 [ab] [^a] \\+ \\| \\< \\b x'.split(' '),
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 10 }),
      fc.boolean(),
      fc.boolean(),
      (pieces, isExtended, isCaseless) => {
        try {
          new Regex(pieces.join(''), isExtended, isCaseless).exec('aabbab aab12x'.repeat(4));
        } catch (error) {
          if (!isFault(error)) throw error;
        }
        return true;
      },
    ),
    { numRuns: RUNS, seed: SEED },
  );
  t.pass();
});
