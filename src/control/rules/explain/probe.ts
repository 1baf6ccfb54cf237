// A made-up packet for the plane (src/base/probe-record.ts): what it is asked about, in words of JavaScript.
// Not here: what is said of the answer (overlay.ts), which packets the LAN needs (../warnings.ts).

import { IF_ADDRESS, interfaceAt } from '../../../base/interface.ts';
import { INTERFACE_COUNT } from '../../../base/limits.ts';
import { i32at, puti32 } from '../../../base/memory.ts';
import * as record from '../../../base/probe-record.ts';
import { IP_HEADER_BYTES, PROTOCOL_ICMP, PROTOCOL_TCP } from '../../../wire/ipv4.ts';
import { TCP_HEADER_BYTES } from '../../../wire/tcp.ts';
import { UDP_HEADER_BYTES } from '../../../wire/udp.ts';
import type { Machine } from '../../core/machine.ts';

export interface Made {
  protocol: number;
  source: number;
  destination: number;
  sourcePort: number;
  port: number;
  /** TCP's flags, or ICMP's type << 8 | code. */
  kind: number;
  /** The link that it comes in by, -1 of the router's own. */
  link: number;
  /** STATE_BIT_*, 0 as the flows say. */
  state: number;
}

/** Asks the plane; false where no buffer is free. There must be memory for rules. */
export function probe({ plane }: Machine, made: Made): boolean {
  const bytes = IP_HEADER_BYTES + (made.protocol === PROTOCOL_TCP ? TCP_HEADER_BYTES : UDP_HEADER_BYTES);
  puti32(record.PROBE_SOURCE, made.source);
  puti32(record.PROBE_DESTINATION, made.destination);
  // Of ICMP it is the identifier, which rules do not see.
  puti32(record.PROBE_PORTS, made.protocol === PROTOCOL_ICMP ? 0x10001 : (made.sourcePort << 16) | made.port);
  puti32(record.PROBE_PROTOCOL, made.protocol);
  puti32(record.PROBE_KIND, made.kind);
  puti32(record.PROBE_IN, made.link);
  puti32(record.PROBE_STATE, made.state);
  puti32(record.PROBE_BYTES, bytes);
  return plane.ruleProbe() !== 0;
}

/** The link that has an address itself, -1 if none has. */
export function linkOfOwn(address: number): number {
  for (let link = 0; link < INTERFACE_COUNT; link++)
    if (i32at(interfaceAt(link) + IF_ADDRESS) === address) return link;
  return -1;
}
