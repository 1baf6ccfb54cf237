// By which port a new flow leaves of which a rule has said the ports: MASQUERADE --to-ports, SNAT --to-source with ports, --random.
//
// A mapping that the inside endpoint has already keeps its port where that is in the range (RFC 4787, REQ-1): `--random` draws the port of a
// mapping, not of each flow. A new one keeps the inside port where that is in the range and free, and takes a free one of the range else, from a drawn
// one on (port-map.ts). Where no mapping has a free one left flows of several share a port, each with another remote endpoint: PORT_TRIES of
// them are tried, so that a range of no more than so many is used up to the last one; then the flow is refused, and counted.
//
// Without a range, Linux draws from 1 to 511, 600 to 1023, or the rest, by the inside port; so it is here.
// Not here: ports that no rule has said (masquerade-ports.ts), destinations (src/plane/filter/nat.ts).

import { random32 } from '../../base/entropy.ts';
import { E_IN_PORTS } from '../../base/flow-record.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import { PORT_TRIES } from '../../base/rule-limits.ts';
import { ADDRESSES_FULLY_RANDOM, ADDRESSES_PORTS, ADDRESSES_RANDOM } from '../../base/rule-record.ts';
import { NAT_SOURCE_AT } from '../../base/rule-state.ts';
import { PROTOCOL_ICMP as ICMP } from '../../wire/ipv4.ts';
import { findTuple } from './flow-table.ts';
import { portFree } from './masquerade-ports.ts';
import { freePort, NO_PORT, PARITY_ANY, PORT_OPEN, portNoted } from './port-map.ts';

/** Beside a port: no mapping is to have it, as one has it already. */
export const SHARED_PORT: i32 = 0x10000;

/**
 * The port of a flow with a remote endpoint by the rule at NAT_SOURCE_AT, with SHARED_PORT or without, or NO_PORT. `ports` are those of what the inside
 * sends, `mapping` is its endpoint's, or 0.
 */
export function portByRule(protocol: i32, ports: i32, remote: i32, outside: i32, mapping: i32): i32 {
  const rule: i32 = i32at(NAT_SOURCE_AT);
  const said: i32 = get8(rule + 4);
  const own: i32 = ports >>> 16;
  const isRange: i32 = said & ADDRESSES_PORTS;
  const first: i32 = isRange !== 0 ? u16at(rule + 16) : leastFor(protocol, own);
  const last: i32 = isRange !== 0 ? u16at(rule + 18) : mostFor(protocol, own);
  const count: i32 = last - first + 1;
  if (count < 1) return NO_PORT;
  const kept: i32 = mapping === 0 ? NO_PORT : i32at(mapping + E_IN_PORTS) & 0xffff;
  const isDrawn: i32 = (said & (ADDRESSES_RANDOM | ADDRESSES_FULLY_RANDOM)) !== 0 ? 1 : 0;
  const isIn: i32 = own >= first && own <= last ? 1 : 0;
  let port: i32 = kept >= first && kept <= last ? kept : NO_PORT;
  if (port === NO_PORT && isDrawn === 0 && isIn !== 0 && portFree(protocol, own, outside) !== 0) port = own;
  const drawn: i32 = (random32() >>> 1) % count;
  if (port === NO_PORT && protocol !== ICMP)
    port = freePort(protocol, first, last, PARITY_ANY, first + drawn);
  if (port !== NO_PORT && isUsed(protocol, ports, remote, outside, port) === 0) return port;
  let next: i32 = isDrawn === 0 && isIn !== 0 ? own - first : drawn;
  for (let left: i32 = PORT_TRIES < count ? PORT_TRIES : count; left > 0; left--) {
    port = first + next;
    if (portNoted(protocol, port, PORT_OPEN) === 0 && isUsed(protocol, ports, remote, outside, port) === 0) {
      if (portFree(protocol, port, outside) !== 0) return port;
      // By an identifier that is another's, a host outside could ask this one.
      if (protocol !== ICMP) return port | SHARED_PORT;
    }
    next = next + 1 >= count ? 0 : next + 1;
  }
  return NO_PORT;
}

function leastFor(protocol: i32, own: i32): i32 {
  if (protocol === ICMP) return 0;
  if (own < 512) return 1;
  return own < 1024 ? 600 : 1024;
}

function mostFor(protocol: i32, own: i32): i32 {
  if (protocol === ICMP || own >= 1024) return 65535;
  return own < 512 ? 511 : 1023;
}

/** 1 if what answers by that port would be another flow's. */
function isUsed(protocol: i32, ports: i32, remote: i32, outside: i32, port: i32): i32 {
  const far: i32 = protocol === ICMP ? port : ports & 0xffff;
  return findTuple(remote, outside, (far << 16) | port, protocol) !== 0 ? 1 : 0;
}
