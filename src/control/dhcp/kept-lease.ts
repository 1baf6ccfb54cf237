// The WAN's lease in the plane's memory, where it outlives control: the very ACK that gave it, and when.
//
//    WAN_LEASE_AT  0                      4                        8
//                  | bytes, 0: no lease   | tick of its request    | the ACK ...

import { WAN_LEASE_AT, WAN_LEASE_BYTES } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';

const BYTES = WAN_LEASE_AT;
const TICK = WAN_LEASE_AT + 4;
const MESSAGE = WAN_LEASE_AT + 8;
const MESSAGE_MOST = WAN_LEASE_BYTES - 8;

/** Writes an ACK. It is no lease yet: see confirmLease(). One that is too long is not kept. */
export function writeLease(memory: Uint8Array, ack: Uint8Array): void {
  puti32(BYTES, 0);
  puti32(TICK, 0);
  if (ack.length > MESSAGE_MOST) return;
  memory.set(ack, MESSAGE);
  puti32(TICK, ack.length);
}

/** The ACK written last is the lease in use, its time counts from `tick`. */
export function confirmLease(tick: number): void {
  puti32(BYTES, i32at(TICK));
  puti32(TICK, tick);
}

export function forgetLease(): void {
  puti32(BYTES, 0);
}

/** The ACK of the lease in use, or undefined. */
export function keptLease(memory: Uint8Array): { ack: Uint8Array; tick: number } | undefined {
  const bytes = i32at(BYTES);
  if (bytes <= 0 || bytes > MESSAGE_MOST) return undefined;
  return { ack: memory.subarray(MESSAGE, MESSAGE + bytes), tick: i32at(TICK) };
}
