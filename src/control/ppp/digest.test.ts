import { createCipheriv, createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { desBlocks } from './des.ts';
import { joined, md4, md5, sha1 } from './digest.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const text = (value: string) => new Uint8Array(Buffer.from(value));

test('MD5 and SHA-1 are those of Node, at any length', t => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
    t.is(hex(md5(bytes)), createHash('md5').update(bytes).digest('hex'));
    t.is(hex(sha1(bytes)), createHash('sha1').update(bytes).digest('hex'));
  });
  fc.assert(property, { seed: runSeed(), numRuns: 100 });
  for (const length of [0, 55, 56, 63, 64, 119, 120])
    t.is(hex(md5(new Uint8Array(length))), createHash('md5').update(new Uint8Array(length)).digest('hex'));
});

test('MD4 is that of RFC 1320, section A.5', t => {
  for (const [value, hash] of [
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
    ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
    ['abc', 'a448017aaf21d8525fc10ae87aa6729d'],
    ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'],
    ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['1234567890'.repeat(8), 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ] as const)
    t.is(hex(md4(text(value))), hash);
});

/** A key of 7 bytes as one of 8, whose parity nobody looks at. */
function widened(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(8);
  for (let i = 0; i < 8; i++)
    for (let bit = 0; bit < 7; bit++) {
      const n = 7 * i + bit;
      out[i] = (out[i] as number) | ((((key[n >> 3] as number) >> (7 - (n & 7))) & 1) << (7 - bit));
    }
  return out;
}

test('DES is that of Node, which has it three times over', t => {
  const some = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const property = fc.property(some(14), some(8), (keys, block) => {
    const expected = [keys.slice(0, 7), keys.slice(7)].map(key => {
      const wide = widened(key);
      const cipher = createCipheriv('des-ede3-ecb', joined(wide, wide, wide), null).setAutoPadding(false);
      return Buffer.concat([cipher.update(block), cipher.final()]);
    });
    t.is(hex(desBlocks(keys, block)), Buffer.concat(expected).toString('hex'));
  });
  fc.assert(property, { seed: runSeed(), numRuns: 50 });
});
