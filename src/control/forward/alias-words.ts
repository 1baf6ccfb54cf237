// What `set wan also` and `set nat one-to-one` do. Not here: their lines (aliases.ts).

import { ALIAS_ADDRESS, ALIAS_INSIDE, ALIAS_MASK, aliasAt } from '../../base/alias-record.ts';
import { ALIASES_SET_AT } from '../../base/cells.ts';
import { IF_ADDRESS, IF_MASK, IF_SIDE, INTERFACE_INSIDE, interfaceAt } from '../../base/interface.ts';
import { ALIAS_COUNT, INTERFACE_COUNT, INTERFACE_WAN } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  formatAddress,
  maskOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  refuseUnicast,
} from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';
import type { Machine } from '../core/machine.ts';
import { aliases } from './aliases.ts';

type Plane = Machine['plane'];

const LENGTH_LEAST = 16;
const ONE = -1;

/** Why addresses cannot be ours outside beside those that are, `spared` not counted. */
function refuse(what: string, address: number, mask: number, spared: readonly number[]): void {
  const why = refuseUnicast(address | (~mask === 0 ? 0 : 1));
  if (why !== undefined) throw new Refusal(`${what}: ${why}`);
  const meets = (other: number, otherMask: number): boolean => ((address ^ other) & mask & otherMask) === 0;
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    const at = interfaceAt(index);
    const own = i32at(at + IF_ADDRESS);
    if (own === 0) continue;
    if (i32at(at + IF_SIDE) === INTERFACE_INSIDE && meets(own, i32at(at + IF_MASK)))
      throw new Refusal(`${what}: it is in a network inside`);
    if (mask === ONE && address === own) throw new Refusal(`${what}: it is the link's own address`);
  }
  for (let n = 0; n < i32at(ALIASES_SET_AT); n++) {
    const at = aliasAt(n);
    if (!spared.includes(n) && meets(i32at(at + ALIAS_ADDRESS), i32at(at + ALIAS_MASK)))
      throw new Refusal(`${what}: ${formatAddress(i32at(at + ALIAS_ADDRESS))} is set already`);
  }
}

/** Takes an alias back, and ends its sessions. */
function remove(plane: Plane, n: number): void {
  const at = aliasAt(n);
  const [address, mask] = [i32at(at + ALIAS_ADDRESS), i32at(at + ALIAS_MASK)];
  plane.aliasRemove(n);
  for (let from = 1; from !== 0; ) from = plane.aliasEnd(address, mask, from);
}

/** Sets all further addresses, in the place of those before. Those that stay keep their sessions. */
export function setAlso(plane: Plane, words: string[]): void {
  const before = aliases(false);
  const wanted: number[] = [];
  for (const text of words) {
    const what = `Cannot set wan also ${text}`;
    const address = parseAddress(text);
    if (typeof address === 'string') throw new Refusal(`${what}: ${address}`);
    refuse(what, address, ONE, before);
    if (!wanted.includes(address)) wanted.push(address);
  }
  const room = ALIAS_COUNT - aliases(true).length;
  if (wanted.length > room)
    throw new Refusal(
      `Cannot set wan also: there are ${ALIAS_COUNT} places with those of one-to-one, and ${room} are free`,
    );
  for (const n of before.reverse()) if (!wanted.includes(i32at(aliasAt(n) + ALIAS_ADDRESS))) remove(plane, n);
  const there = aliases(false).map(n => i32at(aliasAt(n) + ALIAS_ADDRESS));
  for (const address of wanted) if (!there.includes(address)) plane.aliasSet(address, ONE, 0, INTERFACE_WAN);
}

function network(what: string, text: string): Prefix {
  const prefix = parsePrefix(text.includes('/') ? text : `${text}/32`);
  if (typeof prefix === 'string') throw new Refusal(`${what}: ${prefix}`);
  if ((prefix.address & ~maskOf(prefix.length)) !== 0)
    throw new Refusal(`${what}: ${text} is an address in a network, and not the network`);
  if (prefix.length < LENGTH_LEAST) throw new Refusal(`${what}: a network has ${LENGTH_LEAST} bits at least`);
  return prefix;
}

/** The alias of a network outside, or -1. */
const placeOf = ({ address, length }: Prefix): number =>
  aliases(true).find(
    n => i32at(aliasAt(n) + ALIAS_ADDRESS) === address && i32at(aliasAt(n) + ALIAS_MASK) === maskOf(length),
  ) ?? -1;

export function setOneToOne(plane: Plane, [outsideText = '', insideText = '']: string[]): void {
  const what = `Cannot set nat one-to-one ${outsideText} ${insideText}`;
  const outside = network(what, outsideText);
  const inside = network(what, insideText);
  if (outside.length !== inside.length) throw new Refusal(`${what}: both have as many addresses`);
  const mask = maskOf(outside.length);
  const before = placeOf(outside);
  refuse(what, outside.address, mask, before < 0 ? [] : [before]);
  for (const n of aliases(true)) {
    const at = aliasAt(n);
    const other = i32at(at + ALIAS_MASK);
    if (n !== before && ((i32at(at + ALIAS_INSIDE) ^ inside.address) & mask & other) === 0)
      throw new Refusal(`${what}: a host inside has one address outside`);
  }
  if (before < 0 && i32at(ALIASES_SET_AT) >= ALIAS_COUNT)
    throw new Refusal(`${what}: all ${ALIAS_COUNT} places are in use`);
  if (before >= 0) remove(plane, before);
  plane.aliasSet(outside.address, mask, inside.address, INTERFACE_WAN);
}

export function unsetOneToOne(plane: Plane, [text = '']: string[]): void {
  const n = placeOf(network(`Cannot unset nat one-to-one ${text}`, text));
  if (n < 0) throw new Refusal(`Cannot unset nat one-to-one ${text}: it is not set`);
  remove(plane, n);
}
