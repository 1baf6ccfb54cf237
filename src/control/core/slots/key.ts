// The key in a slot's header. Not here: what it is for (signature.ts).

import * as layout from '../../../base/layout.ts';
import { hex } from '../address.ts';

const BYTE_DIGITS = 2;
/** Of a key, what people compare. */
const SHOWN_BYTES = 8;

export function keyOf(header: Uint8Array): Uint8Array {
  return header.subarray(layout.SLOT_AT_KEY, layout.SLOT_AT_KEY + layout.SLOT_KEY_BYTES);
}

/** "key 0123456789abcdef", of the first bytes; "no key". */
export function keyText(header: Uint8Array): string {
  const key = keyOf(header);
  if (isEmpty(key)) return 'no key';
  return `key ${[...key.subarray(0, SHOWN_BYTES)].map(byte => hex(byte, BYTE_DIGITS)).join('')}`;
}

export function isEmpty(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte === 0);
}
