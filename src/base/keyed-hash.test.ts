import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { KEYED_HASH_AT, KEYED_TEXT_AT, KEYED_TEXT_BYTES } from './limits.ts';
import { puti32 } from './memory.ts';

/** Of the reference code: the hash of the bytes 0, 1, 2... under the key 0, 1, ... 7, by their number. */
const KNOWN = [
  0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a, 0x89466e2a, 0x69b6fac5, 0x23fc6358, 0xc563cf8b,
];

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name, plane } = build;
  const hash = (text: number[] | Uint8Array, fold = 0): number => {
    build.memory.set(text, KEYED_TEXT_AT);
    return plane.keyedHash(KEYED_TEXT_AT, text.length, fold) >>> 0;
  };
  const known = (): void => {
    build.use();
    plane.planeReset();
    puti32(KEYED_HASH_AT, 0x03020100);
    puti32(KEYED_HASH_AT + 4, 0x07060504);
    puti32(KEYED_HASH_AT + 8, 1);
  };

  test.serial(`${name}: keyedHash() is HalfSipHash-2-4`, t => {
    known();
    for (const [bytes, value] of KNOWN.entries())
      t.is(hash(Array.from({ length: bytes }, (_, i) => i)), value, `${bytes} bytes`);
  });

  test.serial(
    `${name}: keyedHash() takes letters in either case alike when asked to, and nothing else`,
    t => {
      known();
      const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));
      t.is(hash(text('WWW.eXample-0'), 1), hash(text('www.example-0'), 1));
      t.not(hash(text('WWW')), hash(text('www')));
      for (const [a, b] of ['@`', '[{', '\x01!', '-\r'])
        t.not(hash(text(`a${a}b`), 1), hash(text(`a${b}b`), 1));
    },
  );

  test.serial(
    `${name}: the key is drawn once, another after each reset, and long texts end at their room`,
    t => {
      build.use();
      plane.planeReset();
      plane.stirEntropy(1);
      const first = hash([1, 2, 3]);
      t.is(hash([1, 2, 3]), first);
      plane.planeReset();
      plane.stirEntropy(2);
      t.not(hash([1, 2, 3]), first);
      const before = build.memory.slice();
      plane.keyedHash(KEYED_TEXT_AT, 100_000, 0);
      t.is(Buffer.compare(build.memory, before), 0);
      t.is(plane.keyedHash(KEYED_TEXT_AT, 100_000, 0), plane.keyedHash(KEYED_TEXT_AT, KEYED_TEXT_BYTES, 0));
    },
  );
}
