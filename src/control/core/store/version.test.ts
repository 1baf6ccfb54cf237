import test from 'ava';
import { CONFIG_VERSION, type Migration, migrate, versionLine } from './version.ts';

/** From 1 to 2 a setting gets another name; from 2 to 3 one becomes two, and one is dropped. */
const STEPS: Migration[] = [
  line => [line.replace('set lan ip ', 'set lan address ')],
  line => {
    if (line === 'set beep on') return [];
    return line === 'set time auto' ? ['set ntp on', 'set timezone UTC0'] : [line];
  },
];
const OLD = ['set lan ip 10.0.0.1/24', 'set beep on', 'set time auto', 'set nat profile rfc'];

const text = (version: number | undefined, lines: readonly string[]): string =>
  [...(version === undefined ? [] : [`# masqbox configuration ${version}`]), ...lines, ''].join('\n');

test('migrate() takes each version through all steps that are missing, in order', t => {
  const three = ['set lan address 10.0.0.1/24', 'set ntp on', 'set timezone UTC0', 'set nat profile rfc'];
  t.deepEqual(migrate(text(1, OLD), STEPS, 3), { lines: three, version: 1 });
  t.deepEqual(migrate(text(2, OLD), STEPS, 3), { lines: [OLD[0]!, ...three.slice(1)], version: 2 });
  t.deepEqual(migrate(text(3, OLD), STEPS, 3), { lines: OLD, version: 3 });
  // As they stood in version 1, read by version 2.
  t.deepEqual(migrate(text(1, OLD), STEPS, 2).lines, ['set lan address 10.0.0.1/24', ...OLD.slice(1)]);
});

test('migrate() leaves the lines of a newer version, and takes a text without one as of today', t => {
  t.deepEqual(migrate(text(7, OLD), STEPS, 3), { lines: OLD, version: 7 });
  t.deepEqual(migrate(text(undefined, OLD), STEPS, 3), { lines: OLD, version: 3 });
  t.deepEqual(migrate(text(0, OLD), STEPS, 3).lines, migrate(text(1, OLD), STEPS, 3).lines);
  // Only the first line says it.
  t.is(migrate(`\n${text(1, OLD)}`, STEPS, 3).version, 3);
});

test('migrate() leaves out comments and empty lines, whatever ends a line', t => {
  const lines = '# masqbox configuration 2\r\n\r\n  set a b \r\n# set c d\r\n\tset e f';
  t.deepEqual(migrate(lines, [], 2), { lines: ['set a b', 'set e f'], version: 2 });
  t.deepEqual(migrate('', [], 2), { lines: [], version: 2 });
});

test("versionLine() is what migrate() reads, and the steps lead to today's version", t => {
  t.is(migrate(`${versionLine()}\nset a b\n`).version, CONFIG_VERSION);
  t.deepEqual(migrate(`# masqbox configuration 1\nset a b\n`).lines, ['set a b']);
});
