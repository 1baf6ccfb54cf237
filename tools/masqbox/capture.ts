// `masqbox capture IF [FILTER]`: packets of the board as a pcap file, as they come, until ^C, a count or a reader that
// leaves. Not here: the lines on the console (pcap.ts), what a filter is (docs/capture.md).

import { HEADER_LINE } from '../../src/control/tools/stream.ts';
import { Failure, NO_ANSWER, REFUSED } from './failure.ts';
import { PcapReader, pcapHeader } from './pcap.ts';
import type { Session } from './session.ts';

/** How often it is looked whether to stop, in milliseconds. */
const LOOK = 200;
/** A console with a password logs out who types nothing; a NUL is a key that does nothing. */
const ALIVE = 60_000;

export interface Captured {
  readonly received: number;
  /** On the line, and on the board for want of time. */
  readonly lost: number;
  readonly dropped: number;
}

/** Where the file goes; `write` answers false when nobody reads it any more. */
export interface Sink {
  write(bytes: Uint8Array): Promise<boolean>;
}

/**
 * Captures until `stop` is set, or the board ends it.
 * @param words interface, `count N`, filter
 * @param patience of a board that was told to stop
 * @param listening called once the board captures
 */
export async function capture(
  session: Session,
  words: readonly string[],
  sink: Sink,
  stop: { wanted: boolean },
  patience: number,
  listening: () => void = () => {},
): Promise<Captured> {
  const [name = '', ...filter] = words;
  const reader = new PcapReader();
  let isRead = await sink.write(pcapHeader(name));
  await session.type(`${['capture', name, 'pcap', ...filter].join(' ')}\r`);
  let alive = session.now();
  let stoppedAt: number | undefined;
  while (reader.end === undefined) {
    if (stoppedAt === undefined && (stop.wanted || !isRead)) {
      stoppedAt = session.now();
      await session.type('\x03');
    }
    if (stoppedAt !== undefined && session.now() - stoppedAt > patience) {
      throw new Failure('Cannot end the capture: the board does not answer', NO_ANSWER);
    }
    if (session.now() - alive > ALIVE) {
      alive = session.now();
      await session.type('\0');
    }
    const row = await session.row(LOOK);
    if (row === undefined) continue;
    if (row.startsWith('Cannot ')) throw new Failure(row, REFUSED);
    if (/^Control was restarted|^Logged out/.test(row))
      throw new Failure(`Cannot go on capturing: ${row}`, NO_ANSWER);
    // The header's line is printed when the filter is in force.
    if (row === HEADER_LINE) listening();
    const bytes = reader.take(row);
    if (bytes !== undefined && isRead) isRead = await sink.write(bytes);
  }
  const { received, lost, end } = reader;
  return { received, lost, dropped: end.dropped };
}
