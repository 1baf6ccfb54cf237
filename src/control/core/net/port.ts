// Random ports for what control sends: RFC 6056, section 3.3.1, over the whole range of section 3.2.

import { LINK_END_AT } from '../../../base/cells.ts';
import { IF_ADDRESS, IF_SIDE, INTERFACE_OUTSIDE, interfaceAt } from '../../../base/interface.ts';
import { i32at } from '../../../base/memory.ts';
import type { Plane } from '../machine.ts';

const FIRST = 1024;
const COUNT = 65536 - FIRST;
/** Ports tried. With 4,096 sessions of one protocol, that all are taken happens once in 10^19. */
const TRIES = 16;

/** A port that neither a socket of the router nor a masqueraded host uses, or 0. */
export function freePort(plane: Plane, protocol: number): number {
  for (let i = 0; i < TRIES; i++) {
    const port = FIRST + ((plane.random32() >>> 0) % COUNT);
    if (plane.socketUses(protocol, port) === 0 && !isMasqueraded(plane, protocol, port)) return port;
  }
  return 0;
}

function isMasqueraded(plane: Plane, protocol: number, port: number): boolean {
  for (let index = 0; index < i32at(LINK_END_AT); index++) {
    const at = interfaceAt(index);
    const address = i32at(at + IF_ADDRESS);
    if (address === 0 || i32at(at + IF_SIDE) !== INTERFACE_OUTSIDE) continue;
    if (plane.masqueradePortUsed(protocol, port, address) !== 0) return true;
  }
  return false;
}
