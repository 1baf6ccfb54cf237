// Zones that nobody outside has: their names are answered here, as not existing, but for localhost.
//
//   localhost (127.0.0.1, ::1), invalid, test   RFC 6761      alt                                RFC 9476
//   local                                       RFC 6762      resolver.arpa, service.arpa        RFC 9462, 9665
//   onion                                       RFC 7686      private addresses backwards        RFC 6303, 7793
//
// Not here: the LAN's own names and addresses (local.ts), which go before these.

import { nameBytes } from './message.ts';
import { isBelow, textOf } from './names.ts';

const wire = (name: string): string => {
  const bytes = nameBytes(name) as Uint8Array;
  return textOf(bytes, 0, bytes.length);
};
const ZEROS = '0.'.repeat(31);

export const LOCALHOST = wire('localhost');
const ARPA = wire('arpa');
const NAMES = ['invalid', 'test', 'local', 'onion', 'alt'].map(wire);
/**
 * 10/8, 172.16/12 and others are told apart by number (local.ts). Of IPv6: the unspecified and the loopback address, fd00::/8,
 * link-local addresses, and those of documentation (RFC 6303, sections 4.3 to 4.6).
 */
const ARPA_NAMES = [
  ...['resolver.arpa', 'service.arpa', `0.${ZEROS}ip6.arpa`, `1.${ZEROS}ip6.arpa`, 'd.f.ip6.arpa'],
  ...['8.e.f.ip6.arpa', '9.e.f.ip6.arpa', 'a.e.f.ip6.arpa', 'b.e.f.ip6.arpa', '8.b.d.0.1.0.0.2.ip6.arpa'],
].map(wire);

/** The last letters of all these: most names are told by theirs to be none of them. */
const LAST_LETTERS = ['invalid', 'test', 'local', 'onion', 'arpa'].map(name =>
  name.charCodeAt(name.length - 1),
);

/** The zone of these that a name lies in, as names.ts has both, or undefined. */
export function specialZone(text: string): string | undefined {
  if (!LAST_LETTERS.includes(text.charCodeAt(text.length - 2))) return undefined;
  const zones = isBelow(text, ARPA) ? ARPA_NAMES : NAMES;
  for (const zone of zones) if (isBelow(text, zone)) return zone;
  return isBelow(text, LOCALHOST) ? LOCALHOST : undefined;
}
