// The session that a link had, as the flash log keeps it over a power cut: its concentrator believes in it still, and may be mute to us until
// it is told otherwise. Not here: who tells it (discovery.ts).
//
//    | version 1 | link below | session 2 | station 6 |

import { get16, put16 } from '../../../wire/bytes.ts';
import type { SessionPlace } from '../discovery.ts';

const VERSION = 1;
const AT_BELOW = 1;
const AT_SESSION = 2;
const AT_STATION = 4;
const RECORD_BYTES = 10;

export function record({ station, session }: SessionPlace, below: number): Uint8Array {
  const payload = new Uint8Array(RECORD_BYTES);
  payload[0] = VERSION;
  payload[AT_BELOW] = below;
  put16(payload, AT_SESSION, session);
  payload.set(station, AT_STATION);
  return payload;
}

/** The session of a record that is of the same card; undefined for any other. */
export function remembered(payload: Uint8Array, below: number): SessionPlace | undefined {
  if (payload.length !== RECORD_BYTES || payload[0] !== VERSION || payload[AT_BELOW] !== below)
    return undefined;
  const session = get16(payload, AT_SESSION);
  return session === 0 ? undefined : { station: payload.slice(AT_STATION), session };
}
