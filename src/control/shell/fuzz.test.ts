// Whatever is typed: the shell answers within bounds, and never by an error of its own. And scripts that are made by chance, which
// dash runs alike.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: scripts have them

import test from 'ava';
import fc from 'fast-check';
import { dash, Lab, ours } from './shell-lab.ts';
import { MEMORY_MOST } from './state.ts';

const SEED = Number(process.env['MASQBOX_SEED'] ?? 1);
const RUNS = Number(process.env['MASQBOX_RUNS'] ?? 10_000);

const PIECES =
  'if then elif else fi for in do done while until case esac { } ( ) ! && || ; ;; & | < > >> << 2>&1 $ ` " \' \\ # = [ ] * ? \n \t A x 1 0 -1 $A ${A} ${A:-b} ${A%x} ${A=c} $(( )) $(( $( $1 $# $@ $* $? echo test eval set shift read printf export unset local return exit break continue trap A=1 A=$A$A f() f . : true false cd <<E E -e -n %s + - / "$@" \'x\' \\\n'.split(
    ' ',
  );

test('any line is taken, refused or waited for, in bounded time and memory', t => {
  let most = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })), { maxLength: 30 }),
      pieces => {
        const lab = new Lab();
        lab.run(pieces.join(' ').replaceAll(' \n', '\n'), ['a', 'b c']);
        most = Math.max(most, lab.slices);
        let bytes = 0;
        for (const value of lab.state.variables.values()) bytes += value.length;
        return bytes <= MEMORY_MOST + 1000;
      },
    ),
    { numRuns: RUNS, seed: SEED },
  );
  t.log(`at most ${most} slices`);
  t.true(most < 20_000);
});

const word = fc.constantFrom(
  'a',
  '$A',
  '"$A b"',
  "'c  d'",
  '${B:-e f}',
  '$(echo g h)',
  '$((1+2))',
  '"$@"',
  '$1',
  '\\?',
  '`echo i`',
  '${A%x*}',
  '$?',
  'j"k"l',
);
const words = fc.array(word, { minLength: 1, maxLength: 3 }).map(list => list.join(' '));
const simple = fc.oneof(
  words.map(list => `echo ${list}`),
  words.map(list => `printf '<%s>' ${list}`),
  word.map(value => `A=${value}`),
  fc.tuple(word, word).map(([a, b]) => `B=${a} eval 'echo "$B"' ${b}`),
  fc.constantFrom(
    'true',
    'false',
    ': x',
    'f p "q r"',
    'shift 0',
    'set -- 1 "2 3"',
    '[ "$A" = a ]',
    'test -n "$B"',
    'return 2>/dev/null || :',
  ),
);
const { command } = fc.letrec<{ command: string }>(tie => ({
  command: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    simple,
    fc
      .tuple(tie('command'), fc.constantFrom(';', '&&', '||', '\n', '|'), tie('command'))
      .map(([a, by, b]) => `${a} ${by} ${b}`),
    tie('command').map(body => `{ ${body}\n}`),
    tie('command').map(body => `( ${body} )`),
    tie('command').map(body => `! { ${body}; }`),
    fc
      .tuple(tie('command'), tie('command'), tie('command'))
      .map(([a, b, c]) => `if ${a}; then ${b}; else ${c}; fi`),
    fc.tuple(words, tie('command')).map(([list, body]) => `for x in ${list}; do ${body}; echo "$x"; done`),
    fc
      .tuple(word, word, tie('command'))
      .map(([subject, pattern, body]) => `case ${subject} in ${pattern}) ${body};; *) echo other;; esac`),
    tie('command').map(body => `echo "$(${body})"`),
    // Who reads what he writes does not end.
    fc
      .tuple(tie('command'), fc.integer({ min: 1, max: 1e9 }))
      .map(([body, n]) => `{ ${body}; } >f${n}; while read -r l; do echo "l:$l"; done <f${n}`),
    tie('command').map(body => `{ ${body}; } | while read -r l; do echo "p:$l"; done`),
  ),
}));

test('scripts that are made by chance end as under dash', t => {
  fc.assert(
    fc.property(command, body => {
      const script = `A=ax\nf() { echo "f:$1:$2"; }\nset -- one "two  three"\n${body}\necho "end $? $A"\n`;
      const found = ours(script);
      const expected = dash(script);
      t.deepEqual([found.out, found.status], [expected.out, expected.status], script);
    }),
    { numRuns: Math.min(RUNS / 20, 500), seed: SEED },
  );
});
