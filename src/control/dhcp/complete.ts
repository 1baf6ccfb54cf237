// Options that an ACK leaves out, from the offer that it is for or from the ACK before: some servers tell them once. The
// whole is a message again, so that a restarted control finds it in the plane's memory (kept-lease.ts).
// Not here: what a lease is read of (client-lease.ts).

import type { Reader } from './message.ts';
import * as option from './options.ts';

const END = 255;
const ROUTES = [option.OPTION_ROUTER, option.OPTION_CLASSLESS_ROUTES];
const TIMES = [option.OPTION_LEASE_TIME, option.OPTION_RENEWAL_TIME, option.OPTION_REBINDING_TIME];
const OTHERS = [
  // Against the RFC; the plane lets in what answers the last request alone.
  option.OPTION_SERVER_IDENTIFIER,
  option.OPTION_SUBNET_MASK,
  option.OPTION_DOMAIN_NAME_SERVER,
  option.OPTION_DOMAIN_NAME,
  option.OPTION_INTERFACE_MTU,
  option.OPTION_NTP_SERVERS,
];

/** @param reader has read `ack`; `other` is for `before`, of the same server and address or of no use. */
export function complete(
  ack: Uint8Array,
  reader: Reader,
  before: Uint8Array | undefined,
  other: Reader,
): Uint8Array {
  if (before === undefined || other.parse(before) !== undefined || other.yiaddr !== reader.yiaddr) return ack;
  const isTold = reader.has(option.OPTION_SERVER_IDENTIFIER);
  if (isTold && other.word(option.OPTION_SERVER_IDENTIFIER) !== reader.word(option.OPTION_SERVER_IDENTIFIER))
    return ack;
  const codes = OTHERS.filter(code => !reader.has(code));
  // Option 121 rules out option 3, and times belong together.
  if (!ROUTES.some(code => reader.has(code))) codes.push(...ROUTES);
  if (!reader.has(option.OPTION_LEASE_TIME)) codes.push(...TIMES.filter(code => !reader.has(code)));
  const added: number[] = [];
  for (const code of codes) {
    const value = other.bytes(code);
    if (other.has(code) && value.length < END) added.push(code, value.length, ...value);
  }
  if (added.length === 0) return ack;
  const whole = new Uint8Array(reader.end + added.length + 1);
  whole.set(ack.subarray(0, reader.end));
  whole.set(added, reader.end);
  whole[whole.length - 1] = END;
  return whole;
}
