// A made-up packet for the plane (src/base/probe-record.ts): what it is asked about, in words of JavaScript.
// Not here: what is said of the answer (overlay.ts, ../ipchains/, ../ipfwadm/), which packets the LAN needs (../warnings.ts).

import { i32at, puti32 } from '../../../base/memory.ts';
import * as record from '../../../base/probe-record.ts';
import { IP_HEADER_BYTES, PROTOCOL_TCP } from '../../../wire/ipv4.ts';
import { TCP_HEADER_BYTES } from '../../../wire/tcp.ts';
import { UDP_HEADER_BYTES } from '../../../wire/udp.ts';
import type { Machine } from '../../core/machine.ts';

/** What an error quotes: a header and 8 bytes. */
const QUOTED_BYTES = IP_HEADER_BYTES + UDP_HEADER_BYTES;

export interface Made {
  protocol: number;
  source: number;
  destination: number;
  /** Of ICMP the identifier. */
  sourcePort: number;
  port: number;
  /** TCP's flags, or ICMP's type << 8 | code. */
  kind: number;
  /** The link that it comes in by, -1 of the router's own. */
  link: number;
  /** STATE_BIT_*, 0 as the flows say. */
  state: number;
  /** Of an ICMP error: the packet that it is about, as its receiver has sent it. */
  about?: About;
}

export interface About {
  protocol: number;
  source: number;
  /** Of ICMP the identifier. */
  sourcePort: number;
  destination: number;
  port: number;
}

/** One chain alone, what it is asked about an interface: which names mean it (bits), and its address, 0 where that does not matter. */
export interface Alone {
  chain: number;
  names: number;
  via: number;
}

function ask({ plane }: Machine, made: Made, isHeard: boolean, alone?: Alone): boolean {
  puti32(record.PROBE_SOURCE, made.source);
  puti32(record.PROBE_DESTINATION, made.destination);
  puti32(record.PROBE_PORTS, (made.sourcePort << 16) | made.port);
  puti32(record.PROBE_PROTOCOL, made.protocol);
  puti32(record.PROBE_KIND, made.kind);
  puti32(record.PROBE_IN, made.link);
  puti32(record.PROBE_STATE, made.state);
  const header = made.protocol === PROTOCOL_TCP ? TCP_HEADER_BYTES : UDP_HEADER_BYTES;
  const { about } = made;
  puti32(record.PROBE_ABOUT, about?.protocol ?? 0);
  if (about !== undefined) {
    puti32(record.PROBE_ABOUT_SOURCE, about.source);
    puti32(record.PROBE_ABOUT_DESTINATION, about.destination);
    puti32(record.PROBE_ABOUT_PORTS, (about.sourcePort << 16) | about.port);
  }
  puti32(record.PROBE_BYTES, IP_HEADER_BYTES + header + (about === undefined ? 0 : QUOTED_BYTES));
  puti32(record.PROBE_HEARD, isHeard ? 1 : 0);
  puti32(record.PROBE_CHAIN, alone?.chain ?? 0);
  puti32(record.PROBE_NAMES, alone?.names ?? 0);
  puti32(record.PROBE_VIA, alone?.via ?? 0);
  return plane.ruleProbe() !== 0;
}

/** Asks what becomes of a packet; false where no buffer is free. `isHeard`: as if all ports were served. There must be memory for rules. */
export function probe(machine: Machine, made: Made, isHeard = false): boolean {
  return ask(machine, made, isHeard);
}

/** What one chain says of a packet: the TARGET_* of the rule that decides, or WALK_*; undefined where no buffer is free. The same. */
export function askAlone(machine: Machine, made: Made, alone: Alone): number | undefined {
  return ask(machine, made, false, alone) ? i32at(record.PROBE_VERDICT) : undefined;
}
