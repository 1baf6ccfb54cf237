import test from 'ava';
import { privateNames } from './private-names.ts';

test('privateNames() takes what nothing else in the file is called', t => {
  const names = (text: string) => privateNames(`class A {\n  private readonly alone = 1;\n${text}\n}\n`);
  t.deepEqual(names('  private *other(): void {\n    this.alone();\n  }'), ['alone', 'other']);
  t.deepEqual(names('  constructor(private beta: B, gamma: C) {}'), ['alone', 'beta']);
  for (const line of [
    '  b(): void { c.alone = 1; }',
    '  b(): void { c?.alone(); }',
    '  b(): void { c = { alone: 1 }; }',
    '  b(): void { c = { d, alone }; }',
    '  alone?: number;',
    '  readonly alone: number;',
    '  alone(): void {}',
  ])
    t.deepEqual(names(line), [], line);
  t.deepEqual(names('  // c.alone is nothing'), ['alone']);
  t.deepEqual(privateNames('class A extends B {\n  private alone = 1;\n}'), []);
  t.deepEqual(privateNames('class A extends Error {\n  private alone = 1;\n}'), ['alone']);
});
