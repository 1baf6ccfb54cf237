// Protection against DNS rebinding: a public name that is made to point into the LAN, so that a page from
// outside may talk to what is inside as if it were its own server.
//
// The whole answer is refused, not only the private address in it: the others belong to the same attacker, and
// what is left would not fit its signatures. The client is told NXDOMAIN: SERVFAIL or REFUSED would make it
// ask again, or ask somebody else. Names of domains in the allow list may point where they like.
// Not here: where answers are walked (message.ts).

/**
 * Whether the 4 or 16 bytes of an address belong to a private network, a link, a host itself, or are `own`, the
 * address that we have outside: behind it is what listens for the LAN alone.
 */
export function isPrivate(data: Uint8Array, at: number, bytes: number, own: number): boolean {
  if (bytes === 4) return isPrivateIpv4(wordAt(data, at), own);
  return bytes === 16 && isPrivateIpv6(data, at, own);
}

function wordAt(data: Uint8Array, at: number): number {
  const high = ((data[at] as number) << 8) | (data[at + 1] as number);
  return (high << 16) | ((data[at + 2] as number) << 8) | (data[at + 3] as number);
}

/** RFC 1918, and of RFC 6890: this network, loopback, link-local. 100.64/10 is the provider's, not the LAN's. */
function isPrivateIpv4(address: number, own: number): boolean {
  const first = address >>> 24;
  if (first === 192) return address >>> 16 === 0xc0a8;
  if (first === 172) return ((address >> 20) & 15) === 1;
  if (first === 169) return ((address >> 16) & 255) === 254;
  return first === 10 || first === 127 || first === 0 || address === own;
}

/**
 * fc00::/7 (RFC 4193), fe80::/10, fec0::/10 (RFC 3879), 64:ff9b:1::/48 (RFC 8215), and the IPv4 addresses in what a
 * translator or a tunnel makes of them: ::/96 and ::ffff:0:0/96 (RFC 4291; with ::1), ::ffff:0:0:0/96 (RFC 2765),
 * 64:ff9b::/96 (RFC 6052), 2002::/16 (RFC 3056), 2001::/32, where the bits are turned over (RFC 4380).
 */
function isPrivateIpv6(data: Uint8Array, at: number, own: number): boolean {
  const first = wordAt(data, at);
  const second = wordAt(data, at + 4);
  const third = wordAt(data, at + 8);
  const last = wordAt(data, at + 12);
  if (first >>> 25 === 0x7e) return true;
  if (first >>> 23 === 0x1fd) return true;
  if (first >>> 16 === 0x2002) return isPrivateIpv4((first << 16) | (second >>> 16), own);
  if (first === 0x20010000) return isPrivateIpv4(~last, own);
  if (first === 0x64ff9b) {
    return second >>> 16 === 1 || (second === 0 && third === 0 && isPrivateIpv4(last, own));
  }
  if (first !== 0 || second !== 0) return false;
  const isForm = third === 0 || third === 0xffff || third >>> 0 === 0xffff0000;
  return isForm && isPrivateIpv4(last, own);
}

/** Keys of address hints, and how long each address is (RFC 9460, section 7.3). */
const IPV4_HINT = 4;
const IPV6_HINT = 6;

/**
 * Looks through an SVCB or HTTPS record, from its parameters on, for hints at such an address. Answers how many of the
 * `left` parameters and addresses are left for the records behind it, less than 0 if there is such an address or
 * too much to look through. What is malformed hints at none.
 */
export function hintsLeft(
  data: Uint8Array,
  parametersAt: number,
  end: number,
  own: number,
  left: number,
): number {
  let rest = left;
  for (let at = parametersAt; at + 4 <= end && rest >= 0; rest--) {
    const key = ((data[at] as number) << 8) | (data[at + 1] as number);
    const next = at + 4 + (((data[at + 2] as number) << 8) | (data[at + 3] as number));
    if (next > end) break;
    const bytes = key === IPV4_HINT ? 4 : key === IPV6_HINT ? 16 : 0;
    for (let i = at + 4; bytes > 0 && i + bytes <= next && rest >= 0; i += bytes, rest--)
      if (isPrivate(data, i, bytes, own)) return -1;
    at = next;
  }
  return rest;
}
