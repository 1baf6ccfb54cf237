// Echo-Requests of LCP answered in the plane (RFC 1661, section 5.8), so that a peer which asks whether we are there is answered while control
// starts anew. Not here: our own echoes, and all else that LCP says (src/control/ppp/).

import { LINE_ECHOED, LINE_ECHOES, LINE_MAGIC, lineCount } from '../../base/line-record.ts';
import { get8, get16, get32, i32at, put8, put32 } from '../../base/memory.ts';
import {
  CP_CODE,
  CP_HEADER_BYTES,
  CP_LENGTH,
  ECHO_MAGIC_BYTES,
  ECHO_REPLY,
  ECHO_REQUEST,
} from '../../wire/ppp.ts';

/**
 * Makes the reply of a packet of LCP's, `bytes` at `at`, if it is an Echo-Request to us: the bytes to send back from there, or 0, and nothing is
 * changed. One with our own magic number is our own, which the line brings back.
 */
export function echoReply(line: i32, at: i32, bytes: i32): i32 {
  if (bytes < CP_HEADER_BYTES + ECHO_MAGIC_BYTES || get8(at + CP_CODE) !== ECHO_REQUEST) return 0;
  const length: i32 = get16(at + CP_LENGTH);
  if (length < CP_HEADER_BYTES + ECHO_MAGIC_BYTES || length > bytes || i32at(line + LINE_ECHOES) === 0)
    return 0;
  const magic: i32 = i32at(line + LINE_MAGIC);
  if (magic !== 0 && get32(at + CP_HEADER_BYTES) === magic) return 0;
  put8(at + CP_CODE, ECHO_REPLY);
  put32(at + CP_HEADER_BYTES, magic);
  lineCount(line + LINE_ECHOED);
  return length;
}
