// Ed25519 and SHA-512 against the RFC's vectors and against Node's, and what a lenient verifier would let pass.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  verify as nodeVerify,
  sign,
} from 'node:crypto';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { build } from 'esbuild';
import { embed } from '../../../image/embed.ts';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import { verify } from './ed25519.ts';
import { sha512 } from './sha512.ts';

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const little = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();

/** Runs the job; it must give way often. */
function isGood(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const job = verify(key, message, signature);
  // The loops have constant bounds, whatever the bytes.
  for (let pauses = 0; pauses < 140; pauses++) {
    const result = job.next();
    if (result.done === true) return result.value;
  }
  throw new Error('The job never ends');
}

/** RFC 8032, section 7.1: secret key, public key, message, signature. */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

/** A private key of Node from RFC 8032's 32 bytes (RFC 8410, section 7). */
function privateKey(secret: Buffer) {
  const der = Buffer.concat([hex('302e020100300506032b657004220420'), secret]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

test('sha512() of every length about the blocks agrees with Node', t => {
  for (let length = 0; length < 300; length++) {
    const bytes = Buffer.alloc(length, length);
    t.true(
      Buffer.from(sha512(bytes.subarray(0, length >> 1), bytes.subarray(length >> 1))).equals(
        createHash('sha512').update(bytes).digest(),
      ),
      `${length}`,
    );
  }
});

test("verify() takes the RFC's signatures, and none with a bit changed anywhere", t => {
  for (const [secret, key, message, signature] of VECTORS) {
    t.true(isGood(hex(key), hex(message), hex(signature)));
    t.true(sign(null, hex(message), privateKey(hex(secret))).equals(hex(signature)));
    for (let bit = 0; bit < 8 * 64; bit += 17) {
      const changed = hex(signature);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      t.false(isGood(hex(key), hex(message), changed), `bit ${bit} of the signature`);
    }
    for (let bit = 0; bit < 8 * 32; bit += 23) {
      const changed = hex(key);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      t.false(isGood(changed, hex(message), hex(signature)), `bit ${bit} of the key`);
    }
    t.false(isGood(hex(key), Buffer.concat([hex(message), Buffer.alloc(1)]), hex(signature)));
  }
});

test("verify() and Node's agree on random keys, messages and damage", t => {
  const seed = runSeed();
  const random = seeded(seed);
  for (let i = 0; i < 60; i++) {
    const secret = Buffer.from(Array.from({ length: 32 }, () => random.below(256)));
    const privateSide = privateKey(secret);
    const publicSide = createPublicKey(privateSide);
    const key = Buffer.from(publicSide.export({ format: 'jwk' }).x as string, 'base64url');
    const message = Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
    const signature = sign(null, message, privateSide);
    t.true(isGood(key, message, signature), `seed ${seed}, key ${i}`);
    signature[random.below(64)]! ^= 1 << random.below(8);
    t.is(
      isGood(key, message, signature),
      nodeVerify(null, message, publicSide, signature),
      `seed ${seed}, damage ${i}`,
    );
  }
});

test('verify() refuses S that is not below the order, though the equation holds', t => {
  for (const [, key, message, signature] of VECTORS) {
    const good = hex(signature);
    let s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`);
    for (s += L; s < 2n ** 256n; s += L) {
      const other = Buffer.concat([good.subarray(0, 32), little(s)]);
      t.false(isGood(hex(key), hex(message), other));
    }
  }
});

test('verify() refuses keys of small order, which a signature of zeros would satisfy', t => {
  // The eight points of the torsion group, and their encodings that are not canonical.
  const y8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n;
  const ys = [0n, 1n, P - 1n, P, P + 1n, y8, P - y8];
  const zero = Buffer.alloc(32);
  let tried = 0;
  for (const y of ys) {
    for (const sign of [0n, 1n]) {
      const key = little(y | (sign << 255n));
      for (const r of [little(1n), key, zero]) {
        for (let n = 0; n < 8; n++) {
          t.false(isGood(key, Buffer.from([n]), Buffer.concat([r, zero])), key.toString('hex'));
          tried++;
        }
      }
    }
  }
  t.true(tried > 300);
});

test('verify() refuses keys that are no point, and wrong lengths', t => {
  const [, key, message, signature] = VECTORS[1];
  let none = 0;
  for (let y = 2n; y < 40n; y++) if (!isGood(little(y), hex(message), hex(signature))) none++;
  t.is(none, 38);
  t.false(isGood(little(P + 3n), hex(message), hex(signature)));
  t.false(isGood(hex(key).subarray(1), hex(message), hex(signature)));
  t.false(isGood(hex(key), hex(message), hex(signature).subarray(1)));
  t.false(isGood(hex(key), hex(message), Buffer.alloc(64)));
  const { publicKey } = generateKeyPairSync('ed25519');
  const other = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  t.false(isGood(other, hex(message), hex(signature)));
});

test("verify() in the board's engine answers the same", async t => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('ed25519.ts', import.meta.url))],
    ...{ bundle: true, write: false, format: 'iife', globalName: 'ours', target: 'es2023' },
  });
  const engine = embed('globalThis.__step = () => {};');
  engine.evaluate(`${outputFiles[0]!.text}
    globalThis.isGood = (...parts) => {
      const job = ours.verify(...parts.map(part => Uint8Array.from(part)));
      for (;;) { const { done, value } = job.next(); if (done) return value; }
    }; 0`);
  const call = (...parts: Uint8Array[]) =>
    engine.evaluate(`isGood(${parts.map(part => `[${[...part]}]`).join()})`);
  const random = seeded(runSeed());
  for (const [, key, message, signature] of VECTORS) {
    t.is(call(hex(key), hex(message), hex(signature)), true);
    for (let i = 0; i < 10; i++) {
      const parts = [hex(key), hex(message), hex(signature)] as const;
      const part = parts[i % 3 === 1 ? 2 : i % 3] as Buffer;
      if (part.length === 0) continue;
      part[random.below(part.length)]! ^= 1 << random.below(8);
      t.is(call(...parts), isGood(...parts));
    }
  }
});
