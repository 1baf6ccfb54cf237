import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import * as layout from '../src/base/layout.ts';
import { signedBytes } from './records.ts';
import { loadSigner, makeKey } from './signing.ts';
import { writeSlot } from './writer.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-key-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);

/** The signer that an environment names. */
function signerWith(key: string, next?: string) {
  process.env['MASQBOX_KEY'] = key;
  if (next === undefined) delete process.env['MASQBOX_NEXT_KEY'];
  else process.env['MASQBOX_NEXT_KEY'] = next;
  return loadSigner();
}

const rawOf = (file: string): Buffer =>
  Buffer.from(createPublicKey(readFileSync(file)).export({ format: 'jwk' }).x as string, 'base64url');

test.serial('makeKey() makes a key that only its owner may read, and never a second one in its place', t => {
  makeKey(at('new/key.pem'));
  t.is(statSync(at('new/key.pem')).mode & 0o777, 0o600);
  t.throws(() => makeKey(at('new/key.pem')), { code: 'EEXIST' });
  t.deepEqual(Buffer.from(signerWith(at('new/key.pem')).boardKey), rawOf(at('new/key.pem')));
});

test.serial('a slot is signed by the key and carries it, or the next one', t => {
  for (const name of ['a.pem', 'b.pem']) makeKey(at(name));
  const firmware = {
    kernel: Buffer.alloc(500, 1),
    snapshot: Buffer.alloc(500, 2),
    version: '0.1.0',
    built: 7,
  };
  for (const next of [undefined, at('b.pem')]) {
    const signer = signerWith(at('a.pem'), next);
    const slot = Buffer.from(writeSlot({ ...firmware, signer }, { sequence: 5, tries: 3, medium: 9 }));
    const signature = slot.subarray(
      layout.SLOT_AT_SIGNATURE,
      layout.SLOT_AT_SIGNATURE + layout.SLOT_SIGNATURE_BYTES,
    );
    t.true(verify(null, signedBytes(slot), createPublicKey(readFileSync(at('a.pem'))), signature));
    const key = slot.subarray(layout.SLOT_AT_KEY, layout.SLOT_AT_KEY + layout.SLOT_KEY_BYTES);
    t.true(key.equals(rawOf(next ?? at('a.pem'))));
    // The same key and sources make the same bytes, and what the medium changes is not signed.
    const other = Buffer.from(writeSlot({ ...firmware, signer }, { sequence: 6, tries: -1, medium: 8 }));
    t.true(Buffer.from(signedBytes(other)).equals(signedBytes(slot)));
    t.true(slot.equals(writeSlot({ ...firmware, signer }, { sequence: 5, tries: 3, medium: 9 })));
  }
});

test.serial('a key that is missing, open to others, of another kind or none is refused', t => {
  const refused = (file: string, message: RegExp): void => void t.throws(() => signerWith(file), { message });
  refused(at('none.pem'), /^Cannot sign with .*none.pem: no such file \(npm run key makes one\)$/);
  makeKey(at('open.pem'));
  chmodSync(at('open.pem'), 0o640);
  refused(at('open.pem'), /: others may read it \(chmod 600 /);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(at('ec.pem'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  refused(at('ec.pem'), /: it is a key of type ec, not ed25519$/);
  writeFileSync(at('text.pem'), 'x', { mode: 0o600 });
  refused(at('text.pem'), /^Cannot sign with .*text.pem: /);
});
