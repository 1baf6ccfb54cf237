// What ping and traceroute share: the host that is meant, by address or name, and how a datagram goes there.

import { DROP_ARP_QUEUE_FULL } from '../../base/counters.ts';
import { INTERFACE_COUNT } from '../../base/limits.ts';
import { PASS } from '../../base/packet.ts';
import { formatAddress, parseAddress, refuseUnicast } from '../core/address.ts';
import { prefixOf } from '../core/addresses.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { counterList } from '../core/counter-names.ts';

/** How often a job looks for answers. */
export const LOOK_TICKS = 5;

/** Who knows names. */
export interface Names {
  /** Finds the addresses of a name; `done` is called once, later, with none if there are none. */
  resolve(name: string, done: (addresses: number[]) => void): void;
  /** Why a text cannot be a name, or undefined. */
  refuse(text: string): string | undefined;
}

/** A host as it was typed: an address, or a name that is still to be resolved. */
export interface Host {
  readonly text: string;
  readonly address: number | undefined;
}

/** Reads what was typed; refused if it is neither, or nothing can be sent there. `verb` as in "Cannot ping". */
export function hostOf(verb: string, names: Names, text: string): Host {
  const isNumber = /^[0-9.]+$/.test(text);
  const read = isNumber ? parseAddress(text) : names.refuse(text);
  const why = typeof read === 'number' ? refuse(read) : read;
  if (typeof why === 'string') throw new Refusal(`Cannot ${verb} ${text}: ${why}`);
  return { text, address: typeof read === 'number' ? read : undefined };
}

/** Finds the address of a host; refused if none is known or nothing can be sent there. */
export function* addressOf(
  names: Names,
  verb: string,
  { text, address }: Host,
): Generator<number, number, void> {
  if (address !== undefined) return address;
  let found: number[] | undefined;
  names.resolve(text, addresses => {
    found = addresses;
  });
  while (found === undefined) yield LOOK_TICKS;
  const first = found?.[0];
  const why = first === undefined ? 'no address is known for that name' : refuse(first);
  if (first === undefined || why !== undefined) throw new Refusal(`Cannot ${verb} ${text}: ${why}`);
  return first;
}

function refuse(address: number): string | undefined {
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (prefixOf(index)?.address === address) return 'it is an address of the router';
  }
  return refuseUnicast(address);
}

/** Sends a datagram of the router itself; `build` fills a packet buffer. Refused if it cannot go. */
export function sendTo(context: Context, what: string, build: (packet: number) => void): void {
  const { plane } = context.machine;
  const packet = plane.allocateForControl();
  let why = 'no packet buffer is free';
  if (packet !== 0) {
    build(packet);
    const verdict = plane.localSend(packet);
    // Where too much waits for the station's address, it is as if it were lost on the way.
    if (verdict === PASS || verdict === DROP_ARP_QUEUE_FULL) return;
    why = counterList().find(({ index }) => index === verdict)?.meaning ?? `reason ${verdict}`;
  }
  throw new Refusal(`Cannot ${what}: ${why}`);
}

/** "far.example (198.51.100.2)", or the address alone if that was typed. */
export function hostText(text: string, address: number): string {
  const number = formatAddress(address);
  return text === number ? number : `${text} (${number})`;
}
