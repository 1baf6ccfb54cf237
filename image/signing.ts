// The key that signs firmware: Ed25519 (RFC 8032), a PEM file that belongs to whoever builds. Its public half goes into
// each slot's header (src/base/layout.ts), and a board takes updates that are signed by the key of the firmware that it runs.
//
//   MASQBOX_KEY        the file; else build/firmware-key.pem, which the first build makes
//   MASQBOX_NEXT_KEY   firmware that hands its boards over to another key: signed by the first, it carries the second
//
// Not here: what is signed (records.ts), the check on the board (src/control/update/).

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const DEFAULT_FILE = path.join(root, 'build/firmware-key.pem');
/** Who else may read a key has it. */
const OWNER_ONLY = 0o600;

export interface Signer {
  /** The public key that boards shall know from now on, 32 bytes. */
  boardKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Makes a key in a file that must not be there yet. */
export function makeKey(file: string): void {
  const { privateKey } = generateKeyPairSync('ed25519');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: OWNER_ONLY, flag: 'wx' });
}

/** The 32 bytes of a public key. */
export function publicBytes(key: KeyObject): Uint8Array {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.from(x as string, 'base64url');
}

function readKey(file: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(file));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'no such file (npm run key makes one)' : (error as Error).message;
    throw new Error(`Cannot sign with ${file}: ${why}`);
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Error(`Cannot sign with ${file}: it is a key of type ${key.asymmetricKeyType}, not ed25519`);
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Error(`Cannot sign with ${file}: others may read it (chmod 600 ${file})`);
  }
  return key;
}

/** Signs with a key, for boards that shall know `next`, most often the same. */
export function signerOf(key: KeyObject, next: KeyObject = key): Signer {
  return { boardKey: publicBytes(next), sign: message => sign(null, message, key) };
}

/** The signer that the environment names. @param told gets a line when a key was made. */
export function loadSigner(told: (line: string) => void = () => {}): Signer {
  const named = process.env['MASQBOX_KEY'];
  if (named === undefined && !existsSync(DEFAULT_FILE)) {
    makeKey(DEFAULT_FILE);
    told(
      `Made a key that signs firmware: ${path.relative(process.cwd(), DEFAULT_FILE)}. Keep it: see docs/update.md`,
    );
  }
  const next = process.env['MASQBOX_NEXT_KEY'];
  const key = readKey(named ?? DEFAULT_FILE);
  return signerOf(key, next === undefined ? key : readKey(next));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? DEFAULT_FILE;
  try {
    makeKey(file);
    console.log(file);
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    process.stderr.write(
      `Cannot make a key in ${file}: ${exists ? 'there is a file already' : (error as Error).message}\n`,
    );
    process.exitCode = 1;
  }
}
