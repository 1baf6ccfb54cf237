// The key of a DHCP client: the client identifier (RFC 2131, 4.2), or htype and chaddr, which RFC 2132, 9.14 would make an
// identifier of. A long one is kept as its first bytes and a hash.
// Not here: where two clients have one identifier, or one has several (asker.ts).

/** Bytes of a key: its place in a lease's record (lease-table.ts). */
export const KEY_BYTES = 28;

/** Who a client is: its key's bytes, how many, and their hash. Written by keyFrom(), reused. */
export interface Key {
  bytes: Uint8Array;
  length: number;
  /** The same at each start: where in the pool its address is looked for (pool.ts). */
  hash: number;
  /** What it is found by, which nobody outside can foresee (lease-table.ts); undefined until it is wanted. */
  keyed: number | undefined;
}

export function createKey(): Key {
  return { bytes: new Uint8Array(KEY_BYTES), length: 0, hash: 0, keyed: undefined };
}

/** Makes the key of a client identifier, or of a hardware type and address. */
export function keyFrom(key: Key, id: Uint8Array, htype: number, chaddr: Uint8Array): void {
  const { bytes } = key;
  let length = id.length;
  if (length >= 2) {
    // RFC 2132, 9.14: the least
    if (length > KEY_BYTES) {
      bytes.set(id.subarray(0, KEY_BYTES - 4));
      for (let i = KEY_BYTES - 4, rest = hashOf(id, length); i < KEY_BYTES; i++, rest >>= 8) bytes[i] = rest;
      length = KEY_BYTES;
    } else {
      bytes.set(id);
    }
  } else {
    bytes[0] = htype;
    bytes.set(chaddr, 1);
    length = 1 + chaddr.length;
  }
  key.length = length;
  key.hash = hashOf(bytes, length);
  key.keyed = undefined;
}

function hashOf(bytes: Uint8Array, length: number): number {
  let hash = 5381;
  for (let i = 0; i < length; i++) hash = ((hash << 5) + hash) ^ (bytes[i] as number);
  return hash;
}

/** Bytes as a text, which the engine finds and compares in one call; to spread them would cost ten times as much. */
export function characters(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

/** A station as the plane knows it: stationWord() of bytes that are not in its memory. */
export function wordOf(mac: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
  const word = ((c << 24) | (d << 16) | (e << 8) | f) ^ (((a << 8) | b) << 8);
  return word === 0 ? 1 : word;
}
