// The ports and ICMP identifiers that the router itself uses: what is delivered to control, and what the
// masquerade must not hand out. The table is dense: entries in use come first. Ports are noted in src/plane/flow/port-map.ts as well.
//
//    0                            4                        8                12
//    | protocol << 16 | port      | interfaces: a bit each | remote address | remote port |
//
// A server's socket hears everybody on its interfaces, or on all that are inside at the time (SOCKET_INSIDE). A client's (SOCKET_CLIENT) hears nobody until it has sent,
// then only the address, the port and the interface to which it sent last: what else comes is no answer, and the
// port looks closed to whoever tries to find it.

import { SOCKETS_OPEN_AT } from '../../base/cells.ts';
import { IF_SIDE, IF_STATE, INTERFACE_INSIDE, INTERFACE_UP, interfaceAt } from '../../base/interface.ts';
import { SOCKET_BYTES, SOCKET_COUNT, SOCKETS_AT } from '../../base/limits.ts';
import { fill, i32at, puti32 } from '../../base/memory.ts';
import { SOCKET_CLIENT, SOCKET_INSIDE } from '../../base/socket-record.ts';
import { forwardKeeps } from '../flow/forwards.ts';
import { notePort, PORT_OPEN, portNoted } from '../flow/port-map.ts';
import { dhcpExpectNothing } from './dhcp-reply.ts';

const SOCKET_KEY: i32 = 0;
const SOCKET_MASK: i32 = 4;
const SOCKET_REMOTE: i32 = 8;
const SOCKET_REMOTE_PORT: i32 = 12;

export function resetSockets(): void {
  const end: i32 = SOCKETS_AT + i32at(SOCKETS_OPEN_AT) * SOCKET_BYTES;
  for (let at: i32 = SOCKETS_AT; at < end; at += SOCKET_BYTES) note(i32at(at + SOCKET_KEY), 0);
  fill(SOCKETS_AT, 0, SOCKET_COUNT * SOCKET_BYTES);
  puti32(SOCKETS_OPEN_AT, 0);
  dhcpExpectNothing();
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
  puti32(at + SOCKET_REMOTE, 0);
  puti32(at + SOCKET_REMOTE_PORT, 0);
  puti32(SOCKETS_OPEN_AT, open + 1);
  note(i32at(at + SOCKET_KEY), 1);
  return 1;
}

/** Closes a port: the last entry moves into its place. */
export function socketClose(protocol: i32, port: i32): void {
  const found: i32 = find(protocol, port);
  if (found === 0) return;
  note(i32at(found + SOCKET_KEY), 0);
  const open: i32 = i32at(SOCKETS_OPEN_AT) - 1;
  const last: i32 = SOCKETS_AT + open * SOCKET_BYTES;
  puti32(found + SOCKET_KEY, i32at(last + SOCKET_KEY));
  puti32(found + SOCKET_MASK, i32at(last + SOCKET_MASK));
  puti32(found + SOCKET_REMOTE, i32at(last + SOCKET_REMOTE));
  puti32(found + SOCKET_REMOTE_PORT, i32at(last + SOCKET_REMOTE_PORT));
  puti32(last + SOCKET_KEY, 0);
  puti32(last + SOCKET_MASK, 0);
  puti32(SOCKETS_OPEN_AT, open);
}

/** 1 if the router itself uses that port or ICMP identifier. */
export function socketUses(protocol: i32, port: i32): i32 {
  return portNoted(protocol, port, PORT_OPEN);
}

function note(key: i32, taken: i32): void {
  // A kept forward may have the same port.
  if (taken === 0 && forwardKeeps(key >>> 16, key & 0xffff) !== 0) return;
  notePort(key >>> 16, key & 0xffff, PORT_OPEN, taken);
}

/** Notes all ports that are open: a forward of some has gone. */
export function notePorts(): void {
  const end: i32 = SOCKETS_AT + i32at(SOCKETS_OPEN_AT) * SOCKET_BYTES;
  for (let at: i32 = SOCKETS_AT; at < end; at += SOCKET_BYTES) note(i32at(at + SOCKET_KEY), 1);
}

/** A datagram leaves from that port by an interface: a client's socket hears that remote end from now on. */
export function socketSent(protocol: i32, port: i32, index: i32, remote: i32, remotePort: i32): void {
  const found: i32 = find(protocol, port);
  if (found === 0 || (i32at(found + SOCKET_MASK) & SOCKET_CLIENT) === 0) return;
  puti32(found + SOCKET_MASK, SOCKET_CLIENT | (1 << index));
  puti32(found + SOCKET_REMOTE, remote);
  puti32(found + SOCKET_REMOTE_PORT, remotePort);
}

/** 1 if what leaves from that port is a server's, and so an answer. */
export function socketAnswers(protocol: i32, port: i32): i32 {
  const found: i32 = find(protocol, port);
  return found !== 0 && (i32at(found + SOCKET_MASK) & SOCKET_CLIENT) === 0 ? 1 : 0;
}

/** 1 if what comes from the remote end by that interface is for the socket. Of ICMP queries both ports are the identifier. */
export function socketHears(protocol: i32, port: i32, index: i32, remote: i32, remotePort: i32): i32 {
  const found: i32 = find(protocol, port);
  if (found === 0) return 0;
  const mask: i32 = i32at(found + SOCKET_MASK);
  if ((mask & SOCKET_INSIDE) !== 0) {
    const at: i32 = interfaceAt(index);
    return i32at(at + IF_STATE) === INTERFACE_UP && i32at(at + IF_SIDE) === INTERFACE_INSIDE ? 1 : 0;
  }
  if (((mask >> index) & 1) === 0) return 0;
  if ((mask & SOCKET_CLIENT) === 0) return 1;
  return i32at(found + SOCKET_REMOTE) === remote && i32at(found + SOCKET_REMOTE_PORT) === remotePort ? 1 : 0;
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
