// What MS-CHAP says in place of a password: RFC 2433 (version 1, NT's response alone) and RFC 2759 (version 2).
// Not here: packets (chap.ts). LAN Manager's response of version 1 is not made: it gives the password away.

import { MS_2_CHALLENGE_BYTES, MS_FLAGS, MS_NT_RESPONSE, MS_RESPONSE_BYTES } from '../../wire/ppp.ts';
import { desBlocks } from './des.ts';
import { joined, md4, sha1 } from './digest.ts';
import { bytesOf } from './packet.ts';

/** Three keys of DES, which the hash fills with zeroes behind it. */
const KEYS_BYTES = 21;
const DIGITS = '0123456789ABCDEF';

/** MD4 of the password in Unicode. */
export function ntHash(password: string): Uint8Array {
  const text = new Uint8Array(2 * password.length);
  for (let i = 0; i < password.length; i++) {
    text[2 * i] = password.charCodeAt(i);
    text[2 * i + 1] = password.charCodeAt(i) >> 8;
  }
  return md4(text);
}

/** The answer to a challenge of 8 bytes. */
export function ntResponse(challenge: Uint8Array, hash: Uint8Array): Uint8Array {
  const keys = new Uint8Array(KEYS_BYTES);
  keys.set(hash);
  return desBlocks(keys, challenge.subarray(0, 8));
}

/** The name without the domain before it, as version 2 hashes it. */
function withoutDomain(name: string): string {
  return name.slice(name.indexOf('\\') + 1);
}

/** Version 2's challenge: of both sides' challenges and the name. */
export function challengeHash(peers: Uint8Array, ours: Uint8Array, name: string): Uint8Array {
  return sha1(joined(peers, ours, bytesOf(withoutDomain(name)))).slice(0, 8);
}

/** The value of a response of version 1. */
export function response1(challenge: Uint8Array, password: string): Uint8Array {
  const value = new Uint8Array(MS_RESPONSE_BYTES);
  value.set(ntResponse(challenge, ntHash(password)), MS_NT_RESPONSE);
  value[MS_FLAGS] = 1;
  return value;
}

/** The value of a response of version 2. @param own the challenge of who responds, 16 bytes */
export function response2(
  challenge: Uint8Array,
  own: Uint8Array,
  name: string,
  password: string,
): Uint8Array {
  const value = new Uint8Array(MS_RESPONSE_BYTES);
  value.set(own);
  value.set(ntResponse(challengeHash(own, challenge, name), ntHash(password)), MS_NT_RESPONSE);
  return value;
}

/** What who asked answers to a good response of version 2, to show that he knows the password as well: `S=` and 40 digits. */
export function proof2(challenge: Uint8Array, value: Uint8Array, name: string, password: string): string {
  const hash = challengeHash(value.subarray(0, MS_2_CHALLENGE_BYTES), challenge, name);
  const first = sha1(
    joined(
      md4(ntHash(password)),
      value.subarray(MS_NT_RESPONSE, MS_FLAGS),
      bytesOf('Magic server to client signing constant'),
    ),
  );
  let text = 'S=';
  for (const byte of sha1(joined(first, hash, bytesOf('Pad to make it do more than one iteration'))))
    text += (DIGITS[byte >> 4] as string) + (DIGITS[byte & 15] as string);
  return text;
}
