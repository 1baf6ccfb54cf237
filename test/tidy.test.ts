// What a machine can see of the house style (ARCHITECTURE.md, docs/development.md), part of npm run check: lengths,
// headers, the portable subset, files that nobody needs. The rules are in tidy/, each is shown a bad example here.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { acrossParts, circles, uphill, walks } from './tidy/layers.ts';
import * as rules from './tidy/rules.ts';
import { codeOf, functionsOf } from './tidy/source.ts';

const ROOT = join(import.meta.dirname, '..');
const SKIPPED = new Set(['node_modules', 'build', '.git']);
const TEXT = /\.(ts|cjs|c|h|S|ld|sh|md|json|yml)$|^run$/;

/** Longer than 500 lines, for a reason. */
const LONG_FILES = [
  'hal/nic/dp8390.test.ts', // one chip, one bench: every test needs the same model and helpers
  'image/inline/inline.ts', // one pass over one tree, whose rules share its bookkeeping
  'src/control/dhcp/client.test.ts', // one state machine, every timer of RFC 2131
];
/** Whose numbers are not of the wire, or are older than their names. */
const LITERALS = [
  'hal/disk/ata-model.ts',
  'src/control/tools/stream.ts', // base64
];
/** Factories that are one function with all in it, from before the rule: each may only become shorter. */
const LONG_FUNCTIONS = {
  'image/embed.ts': 126,
  'image/kernel.ts': 75,
  'src/control/access/access.ts': 72,
  'src/control/cards/cards.test.ts': 80,
  'src/control/control.ts': 184,
  'src/control/core/console/console.test.ts': 155,
  'src/control/core/log.ts': 111,
  'src/control/core/registry.ts': 190,
  'src/control/core/serial-line.ts': 89,
  'src/control/dhcp/alone-lab.ts': 109,
  'src/control/dhcp/client-sender.ts': 78,
  'src/control/dhcp/server-lab.ts': 139,
  'src/control/dns/dns.ts': 76,
  'src/control/lan/lan.ts': 124,
  'src/control/routes/routes.ts': 89,
  'src/control/update/update.test.ts': 74,
  'test/bench/hostile.ts': 85,
  'test/long-lab.ts': 76,
  'test/plane-router.ts': 95,
  'test/worst-inputs.test.ts': 83,
};
/** Named by no other file: started by hand, or by the build through a computed path. */
const BY_HAND = ['test/fuzz/record.ts', 'tools/trace.ts'];
/** Files of others that comments name: QuickJS's and wabt's, Linux's. */
const ELSEWHERE = ['quickjs.c', 'quickjs.h', 'quickjs-opcode.h', 'wasm-rt.h', 'ip_masq.c'];
/** Made by the build, and named in comments. */
const MADE = ['overlays.h', 'engine-constants.h'];
/** What AssemblyScript compiles. */
const PORTABLE = [
  'firmware/plane.ts',
  'test/line-plane.ts',
  'image/loader/loader.ts',
  'image/loader/unpack.ts',
  'image/overlays/decode.ts',
];

function read(directory: string): rules.File[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap(entry => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : read(path);
    return TEXT.test(entry.name) ? [{ path, text: readFileSync(join(ROOT, path), 'utf8') }] : [];
  });
}

const files = read('');

test('the tree was read', t => {
  t.true(files.length > 150);
  t.true(rules.closure(files, PORTABLE).length > 40);
});

test('no function is longer than 70 lines, with those in it', t =>
  t.deepEqual(rules.longFunctions(files, LONG_FUNCTIONS), []));
test('no function has more than six parameters', t => t.deepEqual(rules.longParameters(files), []));
test('no file is longer than 500 lines', t => t.deepEqual(rules.longFiles(files, LONG_FILES), []));
test('every file says first what it is', t => t.deepEqual(rules.headers(files), []));
test('portable code keeps to the portable subset', t => t.deepEqual(rules.portable(files, PORTABLE), []));
test('every file is needed', t => t.deepEqual(rules.orphans(files, BY_HAND), []));
test('the floor is small', t => t.deepEqual(rules.floorSize(files), []));
test('relative imports carry the extension', t => t.deepEqual(rules.importPaths(files), []));
test('files that are named are there', t =>
  t.deepEqual(rules.namedFiles(files, [...MADE, ...ELSEWHERE]), []));
test('no import goes up, against the table of layers', t => t.deepEqual(uphill(files), []));
test('no part of control imports from another', t => t.deepEqual(acrossParts(files), []));
test('the walks are as the files import each other', t => {
  const text = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
  t.true(text.split('\n- `').length > 7);
  t.deepEqual(walks(text, files), []);
});
test('no files import each other', t => t.deepEqual(circles(files), []));
test('formats are told in src/wire/ alone', t => t.deepEqual(rules.wireLiterals(files, LITERALS), []));
test('nothing is left over', t => t.deepEqual(rules.leftOvers(files), []));

// --- the rules themselves ------------------------------------------------------------------------------

const file = (path: string, text: string): rules.File[] => [{ path, text }];
const many = (count: number): string => '  x();\n'.repeat(count);

test('codeOf() blanks comments and literals, and keeps lines', t => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: source text is the input
  const text = "a = 'b\\'c'; // d\n/* e\n f */ g = /[/'\"]h/; i = `j ${'k' + `l`} m`; n = o / p / q;\n";
  const code = codeOf(text);
  t.is(code.split('\n').length, text.split('\n').length);
  t.is(code.replace(/\s+/g, ' '), "a = ' '; g = / /; i = ` `; n = o / p / q; ");
  t.regex(codeOf(text, true), /'b\\'c'/);
});

test('functionsOf() finds functions, methods and closures, not other braces', t => {
  const heads = [
    'function f(a: i32): i32 {',
    'export async function* g() {',
    'const h = (x: number): number => {',
    '  async #method(a: string): Promise<void> {',
    '  constructor(readonly a: number) {',
    ')' + ': void {',
  ];
  for (const head of heads) t.deepEqual(functionsOf(`${head}\n${many(3)}}\n`), [{ line: 1, lines: 5 }], head);
  for (const head of ['if (a) {', 'const a = {', 'class A {', '} else {', 'for (;;) {', 'interface B {']) {
    t.deepEqual(functionsOf(`${head}\n${many(3)}}\n`), [], head);
  }
  const nested = `function f() {\n  const g = () => {\n${many(3)}  };\n  if (a) {\n${many(2)}  }\n}\n`;
  t.deepEqual(functionsOf(nested), [
    { line: 2, lines: 5 },
    { line: 1, lines: 11 },
  ]);
});

test('longFunctions() and longFiles() allow the limit and no line more', t => {
  const body = (lines: number) => file('a.ts', `function f() {\n${many(lines - 2)}}\n`);
  t.is(rules.longFunctions(body(70)).length, 0);
  t.deepEqual(rules.longFunctions(body(71)), ['a.ts:1: a function of 71 lines']);
  t.is(rules.longFunctions(body(80), { 'a.ts': 80 }).length, 0);
  t.deepEqual(rules.longFunctions(body(81), { 'a.ts': 80 }), ['a.ts:1: a function of 81 lines']);
  t.is(rules.longFunctions(body(71), { 'a.ts': 80 }).length, 0);
  t.is(rules.longFunctions(body(70), { 'a.ts': 80 }).length, 1);
  t.is(rules.longFiles(file('a.ts', many(500))).length, 0);
  t.deepEqual(rules.longFiles(file('a.ts', many(501))), ['a.ts: 501 lines']);
  t.is(rules.longFiles(file('a.ts', many(501)), ['a.ts']).length, 0);
});

test('longParameters() counts names with types, and no arguments', t => {
  const list = (count: number) => Array.from({ length: count }, (_, i) => `a${i}: f(b, c)`).join(', ');
  t.is(rules.longParameters(file('a.ts', `function f(${list(6)}): void {}`)).length, 0);
  for (const head of ['function f', '  private f', 'const f = '])
    t.deepEqual(rules.longParameters(file('a.ts', `\n${head}(${list(7)}): void {}`)), [
      'a.ts:2: 7 parameters',
    ]);
  t.is(rules.longParameters(file('a.ts', `function f(${list(7)}): void {}`), ['a.ts']).length, 0);
  t.is(rules.longParameters(file('a.ts', 'f(1, 2, 3, 4, 5, 6, 7);\nx ? g(1) : 2;\n')).length, 0);
});

test('headers() wants a comment first, but not of tests beside their concept', t => {
  t.is(rules.headers(file('a.ts', '// A.\n')).length, 0);
  t.is(rules.headers(file('a.sh', '#!/bin/sh\n# A.\n')).length, 0);
  t.deepEqual(rules.headers(file('a.ts', "import 'b';\n// A.\n")), ['a.ts: no header comment']);
  t.is(rules.headers(file('src/a.test.ts', "import 'b';\n")).length, 0);
  t.is(rules.headers(file('test/a.test.ts', "import 'b';\n")).length, 1);
});

test('portable() finds what the two compilers do not read alike, behind imports too', t => {
  const bad = [
    'const a: i32 = new B();',
    'let b: i32 = 0;',
    'function f(): void { throw 1; }',
    'const c: i32 = d >>> 0;',
    'const e: i32 = Math.imul(1, 2);',
    'if (a == b) f();',
    'if (a != b) f();',
    "const s: i32 = 'text';",
    'const g: i32 = h(x => x);',
    'class C {}',
  ];
  for (const line of bad) {
    const both = [...file('a.ts', "import { b } from './b.ts';\n"), ...file('b.ts', `// b\n${line}\n`)];
    t.true(rules.portable(both, ['a.ts']).length > 0, line);
    t.is(rules.portable(both, ['c.ts']).length, 0, line);
    const twoBodies = file('b.as.ts', '');
    t.deepEqual(
      rules.portable([...both, ...twoBodies], ['a.ts']).filter(text => text.startsWith('b')),
      [],
    );
  }
  const good =
    "import { a } from './x.ts';\n// new class => 'x'\nif (a === b || a !== c || a <= d) e = f >>> 1;\n";
  t.deepEqual(rules.portable(file('a.ts', good), ['a.ts']), []);
});

test('orphans() finds what nobody names, and comments do not count', t => {
  const user = (text: string) => [
    ...file('a/b.ts', ''),
    ...file('c.ts', text),
    ...file('package.json', 'c.ts'),
  ];
  t.deepEqual(rules.orphans(user("import './a/b.ts';")), []);
  t.deepEqual(rules.orphans(user('// see b.ts')), ['a/b.ts: nobody imports it']);
  t.deepEqual(rules.orphans(user("import './a/notb.ts';")), ['a/b.ts: nobody imports it']);
});

test('floorSize(), importPaths() and leftOvers() complain', t => {
  t.is(rules.floorSize(file('board/i486/a.c', many(1500))).length, 0);
  t.is(rules.floorSize(file('board/i486/a.c', many(1501))).length, 1);
  const without = "import b from './b.ts';\n".replace('.ts', '');
  t.deepEqual(rules.importPaths(file('a.ts', without)), ['a.ts: imports ./b without .ts']);
  t.is(rules.importPaths(file('a.ts', "import b from 'b';\nimport c from './c.ts';\n")).length, 0);
  t.deepEqual(rules.leftOvers(file('a.md', `see /${'home'}/me/x\n// ${'TO'}${'DO'}: y\n`)), [
    'a.md:1: a path of one machine',
    'a.md:2: something left to do',
  ]);
});

test('wireLiterals() finds what src/wire/ has a name for', t => {
  const bad = [
    'x = get16(ip + 2);',
    'put8(packet + PACKET_IP + 8, 1);',
    'put16(frame, 12, type);',
    'if (frame[23] === 17) y();',
    'if (get16(at) === 0x0806) y();',
    'const isUdp = protocol === 17;',
    'z = (word & 0x1fff) * 8;',
    'h = (get8(at) & 15) << 2;',
  ];
  for (const line of bad) {
    t.is(rules.wireLiterals(file('src/a.ts', `// a\n${line}\n`)).length > 0, true, line);
    for (const path of ['src/wire/a.ts', 'src/a.test.ts', 'src/b.ts'])
      t.deepEqual(rules.wireLiterals(file(path, line), ['src/b.ts']), []);
  }
  t.deepEqual(
    rules.wireLiterals(file('src/a.ts', 'x = get16(ip + IP_LENGTH) + get32(at + 8) + frame[0];')),
    [],
  );
});

test('namedFiles() finds names in comments and the manual, by their ends', t => {
  const tree = (comment: string) => [
    ...file('a/b.ts', `${comment}\nx('gone.ts');\n`),
    ...file('d.md', 'see `a/b.ts`\n'),
  ];
  t.deepEqual(rules.namedFiles(tree('// b.ts and a/b.ts, made.h too'), ['made.h']), []);
  t.deepEqual(rules.namedFiles(tree('// gone.ts')), ['a/b.ts:1: names gone.ts, which is not there']);
  t.deepEqual(rules.namedFiles(file('d.md', 'in `c/gone.c`.\n')), [
    'd.md:1: names c/gone.c, which is not there',
  ]);
});

test('uphill() and circles() find imports against the table, and files that import each other', t => {
  const layers = [
    ['low', []],
    ['high/near', ['low', 'high/type.ts']],
    ['high', ['low']],
  ] as const;
  const tree = [
    ...file('low/a.ts', "import { b } from '../high/b.ts';"),
    ...file('high/b.ts', "import type { C } from './near/c.ts';"),
    ...file('high/near/c.ts', "import { a } from '../../low/a.ts';\nimport type { T } from '../type.ts';"),
    ...file('high/type.ts', ''),
    ...file('high/d.test.ts', "import { c } from './near/c.ts';"),
  ];
  t.deepEqual(uphill(tree, layers), [
    'low/a.ts: imports high/b.ts, which is no folder below low',
    'high/b.ts: imports high/near/c.ts, which is no folder below high',
  ]);
  t.deepEqual(circles(tree), [['high/b.ts', 'high/near/c.ts', 'low/a.ts']]);
});

test('acrossParts() finds what a part or core imports of another part, and exceptions without a cause', t => {
  const tree = [
    ...file('src/control/control.ts', "import { a } from './a/a.ts';"),
    ...file('src/control/a/a.ts', "import type { B } from '../b/b.ts';\nimport { c } from '../core/c.ts';"),
    ...file('src/control/b/b.ts', "import { d } from './d.ts';"),
    ...file('src/control/b/d.ts', ''),
    ...file('src/control/core/c.ts', "import { d } from '../b/d.ts';"),
  ];
  t.deepEqual(acrossParts(tree, ['core -> b', 'b -> a']), [
    "src/control/a/a.ts: imports src/control/b/b.ts, which is another part's",
    'b -> a is no longer needed as an exception',
  ]);
});

test('walks() finds files that are not there, and steps that no import takes', t => {
  const tree = [...file('a.ts', "import { b } from './b.ts';"), ...file('b.ts', ''), ...file('c.ts', '')];
  t.deepEqual(walks('- `a.ts` and\n    - `b.ts`: then\n- `c.ts`\n', tree), []);
  t.deepEqual(walks('- `a.ts`\n    - `c.ts`\n    - `d.ts`\n', tree), [
    'a.ts does not import c.ts',
    'd.ts is not there',
  ]);
});
