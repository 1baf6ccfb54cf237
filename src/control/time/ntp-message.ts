// SNTP messages: RFC 4330, sections 4 and 5; RFC 5905, section 7.3.
//
//    0    LI 2 | VN 3 | Mode 3, Stratum, Poll, Precision
//    4    Root Delay             8    Root Dispersion        12   Reference Identifier
//    16   Reference Timestamp    24   Originate Timestamp
//    32   Receive Timestamp      40   Transmit Timestamp     48   (MAC, not used)
//
// The request's Transmit Timestamp is a random number: the server hands it back as Originate Timestamp, which
// nobody who has not seen the request can guess, and it does not tell our time to strangers.

export const NTP_BYTES = 48;
const MODE_CLIENT = 3;
const MODE_SERVER = 4;
const VERSION = 4;
const UNSYNCHRONIZED = 3;
const STRATUM_MOST = 15;
/** Seconds of root delay and dispersion that are still a time (RFC 4330, section 5). */
const ROOT_MOST = 1;
/** From 1900-01-01 to 1970-01-01. */
const NTP_TO_UNIX = 2208988800;
/** Seconds of an era. Era 1 starts on 2036-02-07; a number below the middle belongs to it. */
const ERA = 4294967296;

export interface Answer {
  /** T2 and T3, Unix milliseconds: when the request came, when the answer left. */
  received: number;
  transmitted: number;
  stratum: number;
  /** Milliseconds that the server itself may be off: half the way to its source, and what it says of its own error. */
  rootError: number;
}

/** Writes a request. */
export function buildRequest(into: Uint8Array, nonceHigh: number, nonceLow: number): void {
  into.fill(0, 0, NTP_BYTES);
  into[0] = (VERSION << 3) | MODE_CLIENT;
  const view = new DataView(into.buffer, into.byteOffset);
  view.setInt32(40, nonceHigh);
  view.setInt32(44, nonceLow);
}

/** Reads an answer to that request: the time, a kiss of death's code of four letters, or why it is none. */
export function readAnswer(
  data: Uint8Array,
  nonceHigh: number,
  nonceLow: number,
): Answer | { kiss: string } | string {
  if (data.length < NTP_BYTES) return `it has ${data.length} bytes`;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const first = view.getUint8(0);
  if ((first & 7) !== MODE_SERVER) return `its mode is ${first & 7}`;
  if (view.getInt32(24) !== nonceHigh || view.getInt32(28) !== nonceLow) return 'it answers something else';
  const version = (first >> 3) & 7;
  if (version < 1 || version > VERSION) return `its version is ${version}`;
  const stratum = view.getUint8(1);
  if (stratum === 0) return { kiss: String.fromCharCode(...data.subarray(12, 16)).replace(/[^A-Z]/g, '?') };
  if (first >> 6 === UNSYNCHRONIZED) return 'the server does not know the time';
  if (stratum > STRATUM_MOST) return `its stratum is ${stratum}`;
  const rootDelay = view.getInt32(4) / 65536;
  const rootDispersion = view.getUint32(8) / 65536;
  if (Math.abs(rootDelay) >= ROOT_MOST || rootDispersion >= ROOT_MOST)
    return 'the server is too unsure of it';
  if (view.getInt32(40) === 0 && view.getInt32(44) === 0) return 'it has no time';
  const received = timestamp(view, 32);
  const transmitted = timestamp(view, 40);
  if (transmitted < received) return 'it left before the question came';
  const rootError = (Math.abs(rootDelay) / 2 + rootDispersion) * 1000;
  return { received, transmitted, stratum, rootError };
}

/** Unix milliseconds of a timestamp. */
function timestamp(view: DataView, at: number): number {
  const seconds = view.getUint32(at);
  const era = seconds < ERA / 2 ? ERA : 0;
  return (seconds + era - NTP_TO_UNIX) * 1000 + (view.getUint32(at + 4) * 1000) / ERA;
}
