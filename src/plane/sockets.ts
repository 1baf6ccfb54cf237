// The ports and ICMP identifiers that the router itself uses: what is delivered to control, and what the
// masquerade must not hand out. The table is dense: entries in use come first.
//
//    0                            4           8
//    | protocol << 16 | port      | interfaces: a bit each |

import { SOCKETS_OPEN_AT } from './cells.ts';
import { SOCKET_BYTES, SOCKET_COUNT, SOCKETS_AT } from './limits.ts';
import { fill, i32at, puti32 } from './memory.ts';

const SOCKET_KEY: i32 = 0;
const SOCKET_MASK: i32 = 4;

export function resetSockets(): void {
  fill(SOCKETS_AT, 0, SOCKET_COUNT * SOCKET_BYTES);
  puti32(SOCKETS_OPEN_AT, 0);
}

/** Opens a port on the interfaces of the mask, or changes its mask. 0 if the table is full. */
export function socketOpen(protocol: i32, port: i32, interfaceMask: i32): i32 {
  const found: i32 = find(protocol, port);
  if (found !== 0) {
    puti32(found + SOCKET_MASK, interfaceMask);
    return 1;
  }
  const open: i32 = i32at(SOCKETS_OPEN_AT);
  if (open === SOCKET_COUNT) return 0;
  const at: i32 = SOCKETS_AT + open * SOCKET_BYTES;
  puti32(at + SOCKET_KEY, (protocol << 16) | port);
  puti32(at + SOCKET_MASK, interfaceMask);
  puti32(SOCKETS_OPEN_AT, open + 1);
  return 1;
}

/** Closes a port: the last entry moves into its place. */
export function socketClose(protocol: i32, port: i32): void {
  const found: i32 = find(protocol, port);
  if (found === 0) return;
  const open: i32 = i32at(SOCKETS_OPEN_AT) - 1;
  const last: i32 = SOCKETS_AT + open * SOCKET_BYTES;
  puti32(found + SOCKET_KEY, i32at(last + SOCKET_KEY));
  puti32(found + SOCKET_MASK, i32at(last + SOCKET_MASK));
  puti32(last + SOCKET_KEY, 0);
  puti32(last + SOCKET_MASK, 0);
  puti32(SOCKETS_OPEN_AT, open);
}

/** 1 if the router itself uses that port or ICMP identifier. */
export function socketUses(protocol: i32, port: i32): i32 {
  return find(protocol, port) !== 0 ? 1 : 0;
}

/** 1 if it is open on that interface. */
export function socketOpenOn(protocol: i32, port: i32, index: i32): i32 {
  const found: i32 = find(protocol, port);
  if (found === 0) return 0;
  return (i32at(found + SOCKET_MASK) >> index) & 1;
}

/** Address of the entry, or 0. */
function find(protocol: i32, port: i32): i32 {
  const key: i32 = (protocol << 16) | port;
  const end: i32 = SOCKETS_AT + i32at(SOCKETS_OPEN_AT) * SOCKET_BYTES;
  for (let at: i32 = SOCKETS_AT; at < end; at += SOCKET_BYTES) {
    if (i32at(at + SOCKET_KEY) === key) return at;
  }
  return 0;
}
