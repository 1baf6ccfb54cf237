// What rules of ipchains and ipfwadm ask and do beside (src/base/rule-record.ts, from OPERATION_DO_LOG on).
// As the firewalls of Linux 2.0 and 2.2 have them.

import { PROBE_AT } from '../../base/cells.ts';
import { IF_ADDRESS, interfaceAt } from '../../base/interface.ts';
import { get8, i32at, puti32, u16at } from '../../base/memory.ts';
import { PACKET_MARK } from '../../base/packet.ts';
import { PROBE_VIA } from '../../base/probe-record.ts';
import {
  BOTH_DESTINATION_RANGE,
  BOTH_SOURCE_RANGE,
  MARK_RELATIVE,
  OPERATION_BOTH,
  OPERATION_DO_LOG,
  OPERATION_DO_MARK,
  OPERATION_DO_TOS,
  OPERATION_ICMP_TYPES,
  OPERATION_VIA,
} from '../../base/rule-record.ts';
import {
  VIEW_DESTINATION,
  VIEW_IN_LINK,
  VIEW_KIND,
  VIEW_MARK,
  VIEW_OUT_LINK,
  VIEW_PACKET,
  VIEW_PORTS,
  VIEW_SOURCE,
} from '../../base/rule-state.ts';
import { logPacket } from './rule-log.ts';
import { setTos } from './tos.ts';
import { varies } from './varies.ts';

const PORTS_MOST: i32 = 10;

/** 1 if such an operation holds, or has been done. */
export function applyOld(at: i32, kind: i32): i32 {
  if (kind === OPERATION_BOTH) return applyBoth(at);
  if (kind === OPERATION_ICMP_TYPES) return applyTypes(at);
  if (kind === OPERATION_VIA) return linkAddress() === i32at(at + 4) ? 1 : 0;
  if (kind === OPERATION_DO_LOG) {
    varies();
    logPacket(at);
  } else if (kind === OPERATION_DO_TOS) {
    varies();
    setTos(~get8(at + 4) & 0xff, get8(at + 5));
  } else if (kind === OPERATION_DO_MARK) {
    const mark: i32 = i32at(at + 8);
    puti32(VIEW_MARK, get8(at + 4) === MARK_RELATIVE ? (i32at(VIEW_MARK) + mark) | 0 : mark);
    puti32(i32at(VIEW_PACKET) + PACKET_MARK, i32at(VIEW_MARK));
  }
  return 1;
}

/** The address of the link that the chain is about: by which the packet comes in, or leaves. */
function linkAddress(): i32 {
  const out: i32 = i32at(VIEW_OUT_LINK);
  if (i32at(PROBE_AT) !== 0 && i32at(PROBE_VIA) !== 0) return i32at(PROBE_VIA);
  return i32at(interfaceAt(out < 0 ? i32at(VIEW_IN_LINK) : out) + IF_ADDRESS);
}

function applyTypes(at: i32): i32 {
  const type: i32 = i32at(VIEW_KIND) >> 8;
  const types: i32 = get8(at + 5);
  for (let i: i32 = 0; i < types && i < PORTS_MOST; i++) if (get8(at + 8 + i) === type) return 1;
  return 0;
}

function applyBoth(at: i32): i32 {
  const source: i32 = i32at(VIEW_SOURCE);
  const destination: i32 = i32at(VIEW_DESTINATION);
  const ports: i32 = i32at(VIEW_PORTS);
  if (isFrom(at, source, destination, ports) !== 0) return 1;
  return isFrom(at, destination, source, (ports << 16) | (ports >>> 16));
}

function isFrom(at: i32, source: i32, destination: i32, ports: i32): i32 {
  if (((source ^ i32at(at + 8)) & i32at(at + 12)) !== 0) return 0;
  if (((destination ^ i32at(at + 16)) & i32at(at + 20)) !== 0) return 0;
  const sources: i32 = get8(at + 4);
  const ranges: i32 = get8(at + 6);
  if (isListed(at + 24, sources, ranges & BOTH_SOURCE_RANGE, ports >>> 16) === 0) return 0;
  return isListed(at + 24 + 2 * sources, get8(at + 5), ranges & BOTH_DESTINATION_RANGE, ports & 0xffff);
}

/** Whether a port is one of some, of which the first two may be a range. */
function isListed(list: i32, many: i32, isRange: i32, port: i32): i32 {
  if (many === 0) return 1;
  if (isRange !== 0 && port >= u16at(list) && port <= u16at(list + 2)) return 1;
  for (let i: i32 = isRange !== 0 ? 2 : 0; i < many && i < PORTS_MOST; i++)
    if (u16at(list + 2 * i) === port) return 1;
  return 0;
}
