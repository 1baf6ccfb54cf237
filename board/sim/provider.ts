// The internet provider of the sim board's WAN: gives the router its address by DHCP, and answers every question for
// a name with one address. RFC 2131, section 4.3; RFC 1035, section 4.
// Not here: frames, and the rest of the internet (network.ts).

import { get16, put16, put32 } from '../../src/wire/bytes.ts';

export const GATEWAY = 0xcb007101 | 0;
/** What the router gets: 203.0.113.2/24 for an hour. */
export const ADDRESS = 0xcb007102 | 0;
const MASK = -256;
const LEASE_SECONDS = 3600;
/** Where every name leads: 198.51.100.7, at which a web page is. */
export const EVERY_NAME = 0xc6336407 | 0;
export const DHCP_PORT = 67;
export const DNS_PORT = 53;

const FIXED_BYTES = 240;
/** BOOTP's least (RFC 1542, section 2.1). */
const MESSAGE_BYTES = 300;
const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;
const TYPE_A = 1;
const HEADER_BYTES = 12;

/** The message's type (option 53), 0 if there is none. */
function typeOf(message: Uint8Array): number {
  for (let at = FIXED_BYTES; at + 2 < message.length && message[at] !== 255; ) {
    if (message[at] === 53) return message[at + 2] as number;
    at += message[at] === 0 ? 1 : 2 + (message[at + 1] as number);
  }
  return 0;
}

/** The answer to a DHCP message, if it asks for an address. */
export function leaseAnswer(message: Uint8Array): Uint8Array | undefined {
  const type = typeOf(message);
  if (message[0] !== 1 || (type !== DISCOVER && type !== REQUEST)) return undefined;
  const answer = new Uint8Array(MESSAGE_BYTES);
  answer.set(message.subarray(0, FIXED_BYTES));
  answer[0] = 2;
  answer.fill(0, 16, 28); // yiaddr to giaddr: ciaddr stays
  put32(answer, 16, ADDRESS);
  answer.fill(0, 44, 236);
  let at = FIXED_BYTES;
  const option = (code: number, ...values: number[]): void => {
    answer.set([code, 4 * values.length], at);
    for (const [i, value] of values.entries()) put32(answer, at + 2 + 4 * i, value);
    at += 2 + 4 * values.length;
  };
  answer.set([53, 1, type === DISCOVER ? OFFER : ACK], at);
  at += 3;
  option(54, GATEWAY);
  option(51, LEASE_SECONDS);
  option(1, MASK);
  option(3, GATEWAY);
  option(6, GATEWAY);
  answer[at] = 255;
  return answer;
}

/** The answer to a DNS query: one address for A, none for any other type. */
export function nameAnswer(query: Uint8Array): Uint8Array | undefined {
  if (query.length < HEADER_BYTES + 5 || ((query[2] as number) & 0x80) !== 0 || get16(query, 4) !== 1)
    return undefined;
  let end = HEADER_BYTES;
  while (end < query.length && query[end] !== 0) end += 1 + (query[end] as number);
  end += 5;
  if (end > query.length) return undefined;
  const isAddress = get16(query, end - 4) === TYPE_A;
  const answer = new Uint8Array(end + (isAddress ? 16 : 0));
  answer.set(query.subarray(0, end));
  put16(answer, 2, 0x8180 | (get16(query, 2) & 0x0100));
  put16(answer, 6, isAddress ? 1 : 0);
  put32(answer, 8, 0);
  if (isAddress) {
    put32(answer, end, 0xc00c0001 | 0);
    put32(answer, end + 4, 0x00010000);
    put32(answer, end + 8, 0x012c0004); // 300 s, 4 bytes
    put32(answer, end + 12, EVERY_NAME);
  }
  return answer;
}
