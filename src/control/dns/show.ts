// `show dns`: servers, cache and counters.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress } from '../core/address.ts';
import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Counts } from './counts.ts';
import type { Dns } from './dns.ts';
import type { Server } from './upstream.ts';

const MEANINGS: Record<keyof Counts, string> = {
  queries: 'queries of all kinds',
  tcp: 'of them by TCP',
  local: 'answered here: names and addresses of the LAN',
  cached: 'answered from the cache',
  joined: 'joined with the same question under way',
  waited: 'waited for a place among those under way',
  forwarded: 'sent to a server',
  repeated: 'sent again, or to another server',
  malformed: 'messages that could not be read',
  failed: 'answered SERVFAIL, as no server answered',
  refused: 'answered SERVFAIL, as too many were under way',
  spoofed: 'answers that were not to the query',
  rebound: 'private addresses for public names',
  truncated: 'longer than the client takes by UDP',
};

function serverLine({ address, state, sent, answered, timeouts, time }: Server): string {
  const milliseconds = Math.round((time / 8) * (1000 / TICKS_PER_SECOND));
  return (
    `${formatAddress(address).padEnd(15)} ${state.padEnd(7)} ${sent} sent, ${answered} answered, ` +
    `${timeouts} timed out${answered === 0 ? '' : `, ${milliseconds} ms`}`
  );
}

export function* showDns(context: Context, dns: Dns): Job {
  const { output } = context;
  const forwarder = dns.forwarder();
  if (forwarder === undefined) return;
  const { cache, counts } = forwarder;
  const { servers } = dns.upstream;
  if (servers.length === 0) output.line('No servers: none is set, and the WAN has told none');
  for (const [i, server] of servers.entries()) output.line(`${i + 1}. ${serverLine(server)}`);
  for (const { name, upstream } of dns.policy.forwards.values()) {
    output.line(`${name}:`);
    for (const [i, server] of upstream.servers.entries()) output.line(`${i + 1}. ${serverLine(server)}`);
    yield 0;
  }
  yield 0;
  const asked = counts.cached + counts.joined + counts.forwarded;
  const rate = asked === 0 ? 0 : Math.round((100 * counts.cached) / asked);
  output.line(
    `cache: ${cache.count} of ${cache.entries} answers, ${cache.bytes} of ${cache.capacity} bytes, ` +
      `${rate} % of the names asked for were in it`,
  );
  output.line(
    `domain ${dns.local.domain}, rebinding protection ${dns.policy.guard ? 'on' : 'off'}, ` +
      `${forwarder.underWay} queries under way`,
  );
  yield 0;
  for (const [name, meaning] of Object.entries(MEANINGS)) {
    output.line(`${name.padEnd(10)} ${String(counts[name as keyof Counts] >>> 0).padStart(10)}  ${meaning}`);
    yield 0;
  }
}
