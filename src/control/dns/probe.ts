// A question that the router asks a server on its own account, to learn whether it is there: one that drops some
// queries, as some drop types which they do not know, or is slow with them, is not silent.
// It is one that the server has answered before, or who serves the root.
// Not here: what follows from it (upstream.ts).

import type { Timer } from '../core/clock.ts';
import { since } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { DNS_PROBE_TICKS } from '../core/limits.ts';
import { ANY_INTERFACE } from '../core/sockets.ts';
import {
  CLASS_IN,
  FLAG_QR,
  FLAG_RD,
  HEADER_BYTES,
  read16,
  sameQuestion,
  TYPE_NS,
  write16,
} from './message.ts';
import { DNS_PORT } from './pipe.ts';
import type { Server } from './upstream.ts';

const ROOT = Uint8Array.from([0, 0, TYPE_NS, 0, CLASS_IN]);

/** What `done` is told instead of ticks: no answer came; or the question could not go, and nothing is learnt. */
export const SILENT = -1;
export const UNASKED = -2;

/** Asks the server; `done` is told once of the ticks until its answer, or of SILENT or UNASKED. */
export function probe({ clock, udp, random }: Context, server: Server, done: (ticks: number) => void): void {
  const question = server.known ?? ROOT;
  const query = new Uint8Array(HEADER_BYTES + question.length);
  const id = random() & 0xffff;
  write16(query, 0, id);
  write16(query, 2, FLAG_RD);
  write16(query, 4, 1);
  query.set(question, HEADER_BYTES);
  const startedAt = clock.now();
  let timer: Timer | undefined;
  const end = (ticks: number): void => {
    if (timer !== undefined) clock.cancel(timer);
    if (port !== 0) udp.close(port);
    done(ticks);
  };
  const port = udp.openRandom(ANY_INTERFACE, ({ source, sourcePort, data }) => {
    if (source !== server.address || sourcePort !== DNS_PORT || data.length < query.length) return;
    if (read16(data, 0) !== id || (read16(data, 2) & FLAG_QR) === 0) return;
    if (sameQuestion(data, HEADER_BYTES, query, question.length) !== 0) end(since(clock.now(), startedAt));
  });
  const isSent = port !== 0 && udp.send(server.address, DNS_PORT, port, query) && !udp.isShort();
  if (isSent) timer = clock.after(DNS_PROBE_TICKS, () => end(SILENT));
  else end(UNASKED);
}
