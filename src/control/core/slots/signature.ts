// Who has made firmware: the signature in a slot's header, and what a board takes by it. The key that counts is the one in
// the header of the firmware that runs. So trust goes from firmware to firmware, an update brings the key for the next,
// `update back` brings back the old one, and a card that flash.sh writes has the key of its image.
// What it does not stop is whoever can write sectors of the card: such a one could change loader and key alike.
// Not here: the arithmetic (../signature/), making and signing (image/signing.ts).

import * as layout from '../../../base/layout.ts';
import { same, versionOf } from './header.ts';
import { isEmpty, keyOf, keyText } from './key.ts';
import { wordOf } from './slots.ts';

/** Whether a key has signed a message (../signature/). */
export type Verify = (
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Generator<number, boolean, void>;

export function payloadHashOf(header: Uint8Array): Uint8Array {
  return part(header, layout.SLOT_AT_PAYLOAD_HASH, layout.SLOT_HASH_BYTES);
}

function part(header: Uint8Array, at: number, bytes: number): Uint8Array {
  return header.subarray(at, at + bytes);
}

/** What the signature is of (image/records.ts): what the medium changes is zeros. */
function signedBytes(header: Uint8Array): Uint8Array {
  const bytes = header.slice(0, layout.SLOT_AT_SIGNATURE);
  for (const at of [layout.SLOT_AT_SEQUENCE, layout.SLOT_AT_TRIES, layout.SLOT_AT_MEDIUM])
    bytes.fill(0, at, at + 4);
  return bytes;
}

/** Why a header is not signed by the key of the firmware that runs, or undefined. */
export function* refuseSignature(
  verify: Verify,
  own: Uint8Array,
  header: Uint8Array,
): Generator<number, string | undefined, void> {
  const signature = part(header, layout.SLOT_AT_SIGNATURE, layout.SLOT_SIGNATURE_BYTES);
  if (isEmpty(keyOf(own))) return 'the firmware that runs has no key to check it by';
  if (isEmpty(signature)) return 'it is not signed';
  if (yield* verify(keyOf(own), signedBytes(header), signature)) return undefined;
  return same(keyOf(own), keyOf(header))
    ? `its signature is not that of ${keyText(own)}`
    : `it comes with ${keyText(header)}, and this board knows ${keyText(own)}`;
}

/** "older than ..." when a header's firmware goes before ours: by its version's numbers, then by when it was built. */
export function olderThan(own: Uint8Array, header: Uint8Array): string | undefined {
  const running = `Masqbox ${versionOf(own)}, which runs`;
  const order = compareNumbers(versionOf(header), versionOf(own));
  if (order < 0) return `older than ${running}`;
  const [built = 0, builtOwn = 0] = [header, own].map(each => wordOf(each, layout.SLOT_AT_BUILT) >>> 0);
  return order === 0 && built < builtOwn ? `built before ${running}` : undefined;
}

/** The sign of a - b of two versions' numbers from left to right; what is missing is 0. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map(text => (/^\d+(\.\d+)*/.exec(text)?.[0] ?? '').split('.').map(Number));
  for (let i = 0; i < layout.SLOT_VERSION_BYTES; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
