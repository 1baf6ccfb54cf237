// Control's share of the packets: which part of it gets what the plane punts. Each has opened a port or an
// ICMP identifier; the plane delivers only what is for an open one (src/plane/local/sockets.ts).

import { INTERFACE_COUNT } from '../../base/limits.ts';
import { get8, get16, get32, i32at } from '../../base/memory.ts';
import {
  FLAG_FRAME,
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IP,
  PACKET_L4,
  PACKET_PORTS,
} from '../../base/packet.ts';
import { SOCKET_CLIENT } from '../../base/socket-record.ts';
import { ICMP_HEADER_BYTES, ICMP_IDENTIFIER } from '../../wire/icmp.ts';
import {
  headerBytesOf,
  PROTOCOL_ICMP as ICMP,
  IP_PROTOCOL,
  IP_SOURCE,
  SOURCE_PORT,
} from '../../wire/ipv4.ts';
import type { Plane } from './machine.ts';

/** Packets handled in one step; the rest waits for the next. */
const BATCH = 8;
/** All interfaces. */
export const ANY_INTERFACE: number = (1 << INTERFACE_COUNT) - 1;
/** A socket that asks: it hears only the remote end to which it sent last, by the interface of the way there. */
export const ASKING: number = ANY_INTERFACE | SOCKET_CLIENT;

/**
 * Gets a packet in place, released when the handler returns: one for the open port, or an ICMP error
 * (FLAG_ICMP_ERROR) about one that was sent from it. The plane has checked lengths and checksums.
 */
export type Handler = (packet: number) => void;

export interface Sockets {
  /** Opens a port or identifier; false if the table is full. */
  open(protocol: number, port: number, interfaces: number, handler: Handler): boolean;
  close(protocol: number, port: number): void;
  /** An ICMP identifier that neither the router nor a masqueraded host uses. */
  freeIdentifier(): number;
  /** Who gets links' own frames (FLAG_FRAME): PACKET_IN is the link, PACKET_PORTS the protocol, and the information lies where a datagram does. */
  frames(handler: Handler): void;
  /** Takes a batch of punted packets. */
  receive(): void;
}

export function createSockets(plane: Plane): Sockets {
  const handlers = new Map<number, Handler>();
  let framesTo: Handler | undefined;
  const key = (protocol: number, port: number): number => (protocol << 16) | port;

  function deliver(packet: number): void {
    if (i32at(packet + PACKET_L4) === 0) return; // a fragment; nothing here is large
    const isError = (i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0;
    handlers.get(isError ? quotedKey(packet) : ownKey(packet))?.(packet);
  }

  function ownKey(packet: number): number {
    return key(get8(packet + PACKET_IP + IP_PROTOCOL), i32at(packet + PACKET_PORTS) & 0xffff);
  }

  /** Of the packet of ours that an ICMP error quotes: its source port, or a query's identifier. */
  function quotedKey(packet: number): number {
    const quoted = i32at(packet + PACKET_L4) + ICMP_HEADER_BYTES;
    const protocol = get8(quoted + IP_PROTOCOL);
    const l4 = quoted + headerBytesOf(quoted);
    return key(protocol, protocol === ICMP ? get16(l4 + ICMP_IDENTIFIER) : get16(l4 + SOURCE_PORT));
  }

  return {
    open: (protocol, port, interfaces, handler) => {
      if (plane.socketOpen(protocol, port, interfaces) === 0) return false;
      handlers.set(key(protocol, port), handler);
      return true;
    },
    close: (protocol, port) => {
      handlers.delete(key(protocol, port));
      plane.socketClose(protocol, port);
    },
    frames: handler => {
      framesTo = handler;
    },
    freeIdentifier: () => {
      let identifier = plane.random32() & 0xffff;
      while (plane.socketUses(ICMP, identifier) !== 0) identifier = (identifier + 1) & 0xffff;
      return identifier;
    },
    receive: () => {
      for (let i = 0; i < BATCH; i++) {
        const packet = plane.puntTake();
        if (packet === 0) return;
        if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) === 0) deliver(packet);
        else framesTo?.(packet);
        plane.release(packet);
      }
    },
  };
}

/** Source address of a packet. */
export function sourceOf(packet: number): number {
  return get32(packet + PACKET_IP + IP_SOURCE);
}
