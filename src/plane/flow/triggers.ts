// Triggers, as the 2.0 kernel's autofw had them: a host inside that asks a control port, tcp 7070 for example, is sent what comes from there
// for some ports, udp 6970 to 7170. The kernel remembered one host; here each trigger has TRIGGER_OPENINGS, so that several hosts, and
// one with several servers, are served at a time. Two hosts that ask the same server cannot be told apart: the later one has it.
//
// What a stranger can do with it: an opening lets in whom the host has asked, for these ports alone, and makes a stranger's session
// (flow-admission.ts), which takes nothing from what the inside has begun. Only a host inside makes openings, by a session of its own, and
// a host that makes many loses its own.
// Cost: a load without triggers. A new session from inside: TRIGGER_COUNT compared, and of each that it triggers the openings, once. A packet
// that would else be refused: the same (flow-cost.test.ts).

import { NOW_AT, TRIGGERS_SET_AT } from '../../base/cells.ts';
import { E_INSIDE, E_OUT_PORTS, E_PROTOCOL, E_REMOTE, isLost } from '../../base/flow-record.ts';
import {
  TICKS_PER_SECOND,
  TRIGGER_BYTES,
  TRIGGER_COUNT,
  TRIGGER_OPENINGS,
  TRIGGER_SECONDS,
  TRIGGERS_AT,
} from '../../base/limits.ts';
import { copy, fill, get8, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import {
  OPENING_HOST,
  OPENING_REMOTE,
  OPENING_SESSION,
  OPENING_TICK,
  openingAt,
  TRIGGER_ALWAYS,
  TRIGGER_ANYBODY,
  TRIGGER_BY_PORT,
  TRIGGER_BY_PROTOCOL,
  TRIGGER_FIRST,
  TRIGGER_FLAGS,
  TRIGGER_LAST,
  TRIGGER_PROTOCOL,
  triggerAt,
} from '../../base/trigger-record.ts';
import { idleTicks } from './flow-admission.ts';

/** Openings that one host has before it loses its own. */
const HOST_OPENINGS: i32 = TRIGGER_OPENINGS / 4;

export function resetTriggers(): void {
  fill(TRIGGERS_AT, 0, TRIGGER_COUNT * TRIGGER_BYTES);
  puti32(TRIGGERS_SET_AT, 0);
}

/** Sets a trigger: `by` and `ports` are a protocol << 16 and a port, the control port and the first of the ports. 0 if all are in use. */
export function triggerSet(by: i32, ports: i32, last: i32, flags: i32): i32 {
  const n: i32 = i32at(TRIGGERS_SET_AT);
  if (n >= TRIGGER_COUNT) return 0;
  const trigger: i32 = triggerAt(n);
  fill(trigger, 0, TRIGGER_BYTES);
  putu16(trigger + TRIGGER_BY_PROTOCOL, by >>> 16);
  putu16(trigger + TRIGGER_BY_PORT, by);
  putu16(trigger + TRIGGER_PROTOCOL, ports >>> 16);
  putu16(trigger + TRIGGER_FIRST, ports);
  putu16(trigger + TRIGGER_LAST, last);
  putu16(trigger + TRIGGER_FLAGS, flags);
  puti32(TRIGGERS_SET_AT, n + 1);
  return 1;
}

/** Takes trigger number n back; the sessions that it has let in stay. */
export function triggerRemove(n: i32): void {
  const last: i32 = i32at(TRIGGERS_SET_AT) - 1;
  if (n > last) return;
  copy(triggerAt(n), triggerAt(n + 1), (last - n) * TRIGGER_BYTES);
  fill(triggerAt(last), 0, TRIGGER_BYTES);
  puti32(TRIGGERS_SET_AT, last);
}

/** A session from inside has begun: notes what it opens. */
export function pullTriggers(e: i32): void {
  const set: i32 = i32at(TRIGGERS_SET_AT);
  const port: i32 = i32at(e + E_OUT_PORTS) & 0xffff;
  const protocol: i32 = get8(e + E_PROTOCOL);
  for (let n: i32 = 0; n < TRIGGER_COUNT && n < set; n++) {
    const trigger: i32 = triggerAt(n);
    if (u16at(trigger + TRIGGER_BY_PORT) === port && u16at(trigger + TRIGGER_BY_PROTOCOL) === protocol)
      open(trigger, e);
  }
}

/** Takes a place for an opening: that of the same two, a free one, the host's oldest if it has its part, or the oldest. */
function open(trigger: i32, e: i32): void {
  const host: i32 = i32at(e + E_INSIDE);
  const remote: i32 = i32at(e + E_REMOTE);
  const now: i32 = i32at(NOW_AT);
  let place: i32 = 0;
  let own: i32 = 0;
  let owns: i32 = 0;
  for (let i: i32 = 0; i < TRIGGER_OPENINGS; i++) {
    const at: i32 = openingAt(trigger, i);
    if (i32at(at + OPENING_HOST) === host) {
      owns += 1;
      if (own === 0 || isOlder(at, own) !== 0) own = at;
      if (i32at(at + OPENING_REMOTE) === remote) {
        place = at;
        owns = 0;
        break;
      }
    }
    if (place === 0 || isOlder(at, place) !== 0) place = at;
  }
  if (owns >= HOST_OPENINGS && i32at(place + OPENING_HOST) !== 0) place = own;
  puti32(place + OPENING_SESSION, e);
  puti32(place + OPENING_HOST, host);
  puti32(place + OPENING_REMOTE, remote);
  puti32(place + OPENING_TICK, now);
}

/** 1 if a place is free and the other is not, or if its opening is older. */
function isOlder(at: i32, other: i32): i32 {
  if (i32at(other + OPENING_HOST) === 0) return 0;
  if (i32at(at + OPENING_HOST) === 0) return 1;
  return ((i32at(at + OPENING_TICK) - i32at(other + OPENING_TICK)) | 0) < 0 ? 1 : 0;
}

/** The host inside to which a packet goes that comes from a remote host for a port of ours, or 0: the one that asked last. */
export function triggeredHost(protocol: i32, port: i32, remote: i32): i32 {
  const set: i32 = i32at(TRIGGERS_SET_AT);
  let found: i32 = 0;
  for (let n: i32 = 0; n < TRIGGER_COUNT && n < set; n++) {
    const trigger: i32 = triggerAt(n);
    if (u16at(trigger + TRIGGER_PROTOCOL) !== protocol) continue;
    if (port < u16at(trigger + TRIGGER_FIRST) || port > u16at(trigger + TRIGGER_LAST)) continue;
    const flags: i32 = u16at(trigger + TRIGGER_FLAGS);
    for (let i: i32 = 0; i < TRIGGER_OPENINGS; i++) {
      const at: i32 = openingAt(trigger, i);
      if (i32at(at + OPENING_HOST) === 0) continue;
      if ((flags & TRIGGER_ANYBODY) === 0 && i32at(at + OPENING_REMOTE) !== remote) continue;
      if ((found === 0 || isOlder(found, at) !== 0) && triggerOpen(trigger, at) !== 0) found = at;
    }
  }
  return found === 0 ? 0 : i32at(found + OPENING_HOST);
}

/** 1 if an opening lets in now: its control session is there, and was used lately. */
export function triggerOpen(trigger: i32, at: i32): i32 {
  const e: i32 = i32at(at + OPENING_SESSION);
  const isThere: i32 =
    i32at(e + E_INSIDE) === i32at(at + OPENING_HOST) &&
    i32at(e + E_REMOTE) === i32at(at + OPENING_REMOTE) &&
    (i32at(e + E_OUT_PORTS) & 0xffff) === u16at(trigger + TRIGGER_BY_PORT) &&
    get8(e + E_PROTOCOL) === u16at(trigger + TRIGGER_BY_PROTOCOL) &&
    isLost(e) === 0
      ? 1
      : 0;
  if (isThere !== 0 && (u16at(trigger + TRIGGER_FLAGS) & TRIGGER_ALWAYS) !== 0) return 1;
  const idle: i32 = isThere !== 0 ? idleTicks(e) : (i32at(NOW_AT) - i32at(at + OPENING_TICK)) | 0;
  return idle >= 0 && idle < TRIGGER_SECONDS * TICKS_PER_SECOND ? 1 : 0;
}
