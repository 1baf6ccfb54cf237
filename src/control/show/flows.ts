// `show flows`: every flow that passes, masqueraded or routed as it is, with what each side has sent.
// Not here: the rows (masquerade-view.ts), `show masq` and the period tools' listings (masquerade.ts).

import { formatAddress } from '../core/address.ts';
import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { filterOf, SCAN } from './masquerade.ts';
import {
  type Counts,
  countsAt,
  flowAt,
  highestEntry,
  protocolName,
  type Session,
} from './masquerade-view.ts';

const HEADER = 'proto from                  to                            sent        heard';

/** A number of at most six characters: from 100,000 on in thousands, millions, or thousands of millions, rounded down. */
export function short(value: number): string {
  let rest = value;
  for (const unit of ['', 'K', 'M']) {
    if (rest < 100000) return `${rest}${unit}`;
    rest = Math.floor(rest / 1000);
  }
  return `${rest}G`;
}

export function flowRow(flow: Session, sent: Counts, heard: Counts): string {
  const { protocol, inside, insidePort, remote, remotePort } = flow;
  const name = protocolName(protocol);
  const port = (number: number) => (name === 'tcp' || name === 'udp' ? `:${number}` : '');
  const counts = ({ packets, bytes }: Counts) => `${short(packets)}/${short(bytes)}`.padStart(12);
  return [
    name.padEnd(5),
    `${formatAddress(inside)}${port(insidePort)}`.padEnd(21),
    `${formatAddress(remote)}${port(remotePort)}`.padEnd(21),
    counts(sent),
    counts(heard),
  ].join(' ');
}

export function* showFlows(context: Context, words: string[]): Job {
  const { output } = context;
  const filters = words.map(word => filterOf('show flows', word));
  let rows = 0;
  for (let n = 1; n <= highestEntry(); n++) {
    const entry = flowAt(n);
    const flow = entry !== undefined && filters.every(filter => filter(entry)) ? entry : undefined;
    if (flow !== undefined) {
      if (rows++ === 0) output.line(HEADER);
      output.line(flowRow(flow, countsAt(n, 0), countsAt(n, 1)));
    }
    if (flow !== undefined || n % SCAN === 0) yield 0;
  }
  output.line(rows === 1 ? '1 flow; packets/bytes' : `${rows} flows; packets/bytes`);
}
