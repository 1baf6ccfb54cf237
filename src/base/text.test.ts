import test from 'ava';
import fc from 'fast-check';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { BUFFERS_AT, FIND_BYTES } from './limits.ts';

const AT = BUFFERS_AT;
const [S, P] = [115, 112];

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;
  const found = (text: string): number[] => {
    build.use();
    for (let i = 0; i < text.length; i++) memory[AT + i] = text.charCodeAt(i);
    const end = AT + text.length;
    const all: number[] = [];
    let at = AT;
    for (let calls = 0; ; calls++) {
      if (calls > text.length + 10) throw new Error('no end');
      at = plane.findLine(at, end, S, P);
      if (at < 0) continue;
      if (at >= end) return all;
      all.push(at - AT);
      const next = text.indexOf('\n', at - AT);
      if (next < 0) return all;
      at = AT + next + 1;
    }
  };
  const expected = (text: string): number[] => {
    const all: number[] = [];
    let start = 0;
    for (const line of text.split('\n')) {
      if (/^[ \t]*s[^ \t]*[ \t]+p/.test(line) && !/^[ \t]*s[^ \t]*[ \t]+$/.test(line)) all.push(start);
      start += line.length + 1;
    }
    return all;
  };

  test.serial(`lines are found by their words' first letters, in texts of many pieces (${name})`, t => {
    const line = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          'set password x',
          ' s\tp',
          'set dhcp off',
          'save',
          's',
          '',
          '  ',
          'xs p',
          's x p',
        ),
      },
      fc.integer({ min: 1, max: FIND_BYTES - 1 }).map(count => `set ${'x'.repeat(count)}`),
      fc.integer({ min: 1, max: 200 }).map(count => `${' '.repeat(count)}s${' '.repeat(count)}p`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), lines => {
        const text = lines.join('\n');
        t.deepEqual(found(text), expected(text));
      }),
      { numRuns: 150 },
    );
  });

  test.serial(
    `a line that is longer than a piece is passed over, and what follows it is found (${name})`,
    t => {
      const long = 'x'.repeat(3 * FIND_BYTES);
      t.deepEqual(found(`${long} s p\nset password\n`), [long.length + 5]);
      const blank = ' '.repeat(2 * FIND_BYTES);
      t.deepEqual(found(`${blank}s p\nset password\n`), [blank.length + 4], 'nobody writes so');
    },
  );
}
