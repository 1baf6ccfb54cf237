import test from 'ava';
import { placedArguments } from './argument-lists.ts';

test('placedArguments() takes words by their places, with the same defaults', t => {
  const source = "(([text = '', at = '', named = '']) => [text, at, named].join())";
  const changed = placedArguments(source);
  t.false(changed.includes('(['));
  const [before, after] = [source, changed].map(text => new Function(`return ${text}`)()) as [
    (words: string[]) => string,
    (words: string[]) => string,
  ];
  for (const words of [[], ['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd'], ['', 'b']])
    t.is(after(words), before(words));
});

test('placedArguments() leaves other patterns alone', t => {
  for (const source of ["([text = '', ...rest]) => text", '([a, b]) => a', "([text = 'x']) => text"])
    t.is(placedArguments(source), source);
});
