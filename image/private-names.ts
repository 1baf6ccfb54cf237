// Short names for what is private in a class, in each file the same few: a name that nothing else has costs 30 bytes of heap in
// every boot, and who uses a class cannot say it. That is done to names of which the text shows that nothing else in the file
// has them: whatever is behind a dot is this.NAME, and no interface, object or parameter is called so.
// Not here: names of variables, which are gone from bytecode.

import { transform } from 'esbuild';

const DECLARED = /\bprivate\s+(?:readonly\s+)?(?:async\s+)?\*?\s*(\w+)/g;
/** A class that another one extends, or that does, shares an object with a file that chose its names by itself. */
const EXTENDS = /\bclass\s+\w+(<.*>)?\s+extends\s+(?!Error\b)/;

/** The private names of a file that may be shortened. */
export function privateNames(text: string): string[] {
  const code = text
    .split('\n')
    .filter(line => !/^\s*(\/\/|\/\*|\*)/.test(line))
    .join('\n');
  if (EXTENDS.test(code)) return [];
  const names = new Set([...code.matchAll(DECLARED)].map(([, name]) => name as string));
  return [...names].filter(name => {
    const another = `(?<!\\bthis)\\.${name}\\b|[{,]\\s*${name}\\s*[:,}]|^\\s*(readonly\\s+)?${name}[?!]?\\s*[:(]`;
    return !new RegExp(another, 'm').test(code);
  });
}

/** A TypeScript source with those names shortened. */
export async function shortened(text: string): Promise<string> {
  const names = privateNames(text);
  if (names.length === 0) return text;
  const mangleProps = new RegExp(`^(${names.join('|')})$`);
  return (await transform(text, { loader: 'ts', target: 'es2023', mangleProps })).code;
}
