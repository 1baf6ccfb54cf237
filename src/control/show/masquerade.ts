// Listings of the masquerade table: `show masq`, and `ipfwadm -M -l` and `ipchains -M -L` byte for byte.
// Their formats are those of the tools' sources, and of /proc/net/ip_masquerade behind them: expiry in
// minutes, seconds and hundredths, `inside port (outside port) -> remote port`, no header without rows.
// A departure: ipfwadm dies on a table with ICMP entries ("unexpected input data"), where ours lists them as ipchains does, in its own
// lower case. Hosts are never looked up.
// Not here: the rows and their order (src/control/show/masquerade-view.ts), the tools' words and names of ports (src/control/rules/).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress, parseAddress } from '../core/address.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import { highestEntry, periodOrder, protocolName, type Session, sessionAt } from './masquerade-view.ts';

/** Entries looked at between two pauses while none of them gives output. */
export const SCAN = 32;

const TABLE_HEADER = 'proto inside                outside remote                state       expires';

export function tableRow(session: Session): string {
  const { insidePort, outsidePort, remotePort, protocol } = session;
  const remote = protocolName(protocol) === 'icmp' ? '' : `:${remotePort}`;
  return [
    protocolName(protocol).padEnd(5),
    `${formatAddress(session.inside)}:${insidePort}`.padEnd(21),
    String(outsidePort).padStart(7),
    `${formatAddress(session.remote)}${remote}`.padEnd(21),
    session.state.padEnd(11),
    formatTicks(session.ticks).padStart(7),
  ].join(' ');
}

/** The header of both tools; `wide` is ipfwadm's -e and ipchains's -v. */
export function periodHeader(wide: boolean): string {
  const sequence = wide ? '   initseq delta prevd ' : '';
  return `prot expire   ${sequence}${'source'.padEnd(20)} ${'destination'.padEnd(20)} ports`;
}

/** A row of both tools; ports have their names if `serviceOf` has. */
export function periodRow(
  session: Session,
  wide: boolean,
  upper: boolean,
  serviceOf: (port: number) => string = String,
): string {
  const name = protocolName(session.protocol);
  const two = (n: number) => String(n).padStart(2, '0');
  const seconds = Math.floor(session.ticks / TICKS_PER_SECOND);
  const expire = `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}.${two(session.ticks % TICKS_PER_SECOND)}`;
  const sequence = wide
    ? `${String(session.initialSequence).padStart(10)} ${String(session.delta).padStart(5)} ${String(session.previousDelta).padStart(5)} `
    : '';
  const source = formatAddress(session.inside).padEnd(20);
  const destination = formatAddress(session.remote).padEnd(20);
  // Of a query these are no ports.
  const port = name === 'icmp' ? String : serviceOf;
  const ports = `${port(session.insidePort)} (${session.outsidePort}) -> ${port(session.remotePort)}`;
  return `${(upper ? name.toUpperCase() : name).padEnd(5)}${expire} ${sequence}${source} ${destination} ${ports}`;
}

/** What a word of `show masq` and `show flows` lets through: a protocol, an address on either side, or a port. */
export function filterOf(command: string, text: string): (session: Session) => boolean {
  if (['tcp', 'udp', 'icmp'].includes(text)) return ({ protocol }) => protocolName(protocol) === text;
  if (/^\d{1,5}$/.test(text)) {
    const port = Number(text);
    return session => [session.insidePort, session.outsidePort, session.remotePort].includes(port);
  }
  const address = parseAddress(text);
  if (typeof address === 'string') throw new Refusal(`Cannot ${command} ${text}: ${address}`);
  return ({ inside, remote }) => inside === address || remote === address;
}

export function* showMasq(context: Context, words: string[]): Job {
  const { output } = context;
  const filters = words.map(word => filterOf('show masq', word));
  let rows = 0;
  for (let n = 1; n <= highestEntry(); n++) {
    const entry = sessionAt(n);
    const session = entry !== undefined && filters.every(filter => filter(entry)) ? entry : undefined;
    if (session !== undefined) {
      if (rows++ === 0) output.line(TABLE_HEADER);
      output.line(tableRow(session));
    }
    if (session !== undefined || n % SCAN === 0) yield 0;
  }
  output.line(rows === 1 ? '1 session' : `${rows} sessions`);
}

/** `ipfwadm -M -l` and `ipchains -M -L`; `serviceOf` has the names of ports, where they are wanted. */
export function* periodListing(
  context: Context,
  tool: 'ipfwadm' | 'ipchains',
  wide: boolean,
  serviceOf?: (port: number) => string,
): Job {
  const { output } = context;
  output.line('IP masquerading entries');
  const order = yield* periodOrder();
  let rows = 0;
  for (const n of order) {
    // It may have gone since the order was made.
    const session = sessionAt(n);
    if (session === undefined) continue;
    if (rows++ === 0) output.line(periodHeader(wide));
    output.line(periodRow(session, wide, tool === 'ipchains', serviceOf));
    yield 0;
  }
}
