// The engine's library as the firmware finds it: before its modules are evaluated, what no word of theirs names is taken out of
// the objects of the library, so that the snapshot has neither the properties nor what hangs on them.
// Not here: the same for the engine's code (engine-board.ts), which says what the language finds by itself.

import { IMPLICIT } from './engine-board.ts';

/** Looks at each class of the library; names of objects such as Math are only looked at when they go, as the engine makes these late. */
const SCRIPT = `(kept => {
  const { getOwnPropertyNames, getOwnPropertyDescriptor, getPrototypeOf } = Object;
  const strip = object => {
    for (const key of getOwnPropertyNames(object)) if (!kept.includes(' ' + key + ' ')) delete object[key];
  };
  const classes = getOwnPropertyNames(globalThis).filter(name => /^(?!Math|JSON|Reflect|Atomics)[A-Z]/.test(name));
  for (const name of classes) {
    const { get, value } = getOwnPropertyDescriptor(globalThis, name);
    if (get !== undefined || typeof value !== 'function') continue;
    strip(value);
    if (typeof value.prototype === 'object') strip(value.prototype);
  }
  strip(getPrototypeOf(Int8Array));
  strip(getPrototypeOf(Int8Array).prototype);
  strip(globalThis);
})`;

/** The script that does it. The words are one string: the engine would keep places for as many. */
export function libraryScript(words: readonly string[]): string {
  return `${SCRIPT}(${JSON.stringify(` ${[...words, ...IMPLICIT, ...OWN].join(' ')} `)})`;
}

/** What the machine and the build put into the global object, and ask for. */
const OWN = [
  'globalThis',
  'Object',
  'Function',
  'create',
  'getPrototypeOf',
  '__memory',
  '__host',
  '__step',
  '__overlay',
];
