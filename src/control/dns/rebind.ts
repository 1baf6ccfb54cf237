// Protection against DNS rebinding: a public name that is made to point into the LAN, so that a page from
// outside may talk to what is inside as if it were its own server.
//
// The whole answer is refused, not only the private address in it: the others belong to the same attacker, and
// what is left would not fit its signatures. The client is told NXDOMAIN: SERVFAIL or REFUSED would make it
// ask again, or ask somebody else. Names of domains in the allow list may point where they like.
// Not here: where answers are walked (message.ts).

/** Whether the 4 or 16 bytes of an address belong to a private network, a link or a host itself. */
export function isPrivate(data: Uint8Array, at: number, bytes: number): boolean {
  if (bytes === 4) return isPrivateIpv4(data[at] as number, data[at + 1] as number);
  return bytes === 16 && isPrivateIpv6(data, at);
}

/** RFC 1918, and of RFC 6890: this network, loopback, link-local. 100.64/10 is the provider's, not the LAN's. */
function isPrivateIpv4(first: number, second: number): boolean {
  if (first === 192) return second === 168;
  if (first === 172) return second >= 16 && second < 32;
  if (first === 169) return second === 254;
  return first === 10 || first === 127 || first === 0;
}

/** fc00::/7 (RFC 4193), fe80::/10, ::, ::1, and IPv4 addresses mapped into ::ffff:0:0/96. */
function isPrivateIpv6(data: Uint8Array, at: number): boolean {
  const first = data[at] as number;
  if ((first & 0xfe) === 0xfc) return true;
  if (first === 0xfe) return ((data[at + 1] as number) & 0xc0) === 0x80;
  if (first !== 0) return false;
  for (let i = 1; i < 10; i++) if (data[at + i] !== 0) return false;
  const mapped = data[at + 10] === 0xff && data[at + 11] === 0xff;
  if (!mapped && (data[at + 10] !== 0 || data[at + 11] !== 0)) return false;
  return isPrivateIpv4(data[at + 12] as number, data[at + 13] as number);
}

/** Keys of address hints, and how long each address is (RFC 9460, section 7.3). */
const IPV4_HINT = 4;
const IPV6_HINT = 6;

/** Whether an SVCB or HTTPS record, from its parameters on, hints at such an address. What is malformed hints at none. */
export function hintsAtPrivate(data: Uint8Array, parametersAt: number, end: number): boolean {
  for (let at = parametersAt; at + 4 <= end; ) {
    const key = ((data[at] as number) << 8) | (data[at + 1] as number);
    const next = at + 4 + (((data[at + 2] as number) << 8) | (data[at + 3] as number));
    if (next > end) return false;
    const bytes = key === IPV4_HINT ? 4 : key === IPV6_HINT ? 16 : 0;
    for (let i = at + 4; bytes > 0 && i + bytes <= next; i += bytes)
      if (isPrivate(data, i, bytes)) return true;
    at = next;
  }
  return false;
}

/** Whether the name at `from` of a message, `end` bytes on, is the domain (in wire form) or below it. */
export function isBelow(data: Uint8Array, from: number, end: number, domain: Uint8Array): boolean {
  const start = end - domain.length;
  if (start < from) return false;
  for (let i = domain.length - 1; i >= 0; i--) {
    const c = data[start + i] as number;
    const d = domain[i] as number;
    if (c !== d && !(c >= 65 && c <= 90 && (c | 32) === d)) return false;
  }
  // The same bytes may lie across labels: only a label's beginning counts.
  let at = from;
  while (at < start) at += (data[at] as number) + 1;
  return at === start;
}
