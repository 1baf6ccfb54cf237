// A router for tests: the plane of one build with two ring cards, and hosts on both links that answer ARP.
// What a test puts in is a frame, what it gets is the frames that left, so it sees what a wire would.
//
//    192.168.0.0/24 -- .1 [LAN 0] plane [WAN 1] 10.1.2.3 -- 10.1.2.0/24 -- gateway .1 -- everybody else

import { interfaceAt } from '../src/base/interface.ts';
import { BUFFER_COUNT, COUNTERS_AT, INTERFACE_LAN, INTERFACE_WAN } from '../src/base/limits.ts';
import { i32at } from '../src/base/memory.ts';
import {
  frameAt,
  frameBytes,
  PACKET_FRAME,
  PACKET_IP,
  PACKET_LENGTH,
  PACKET_SCRATCH,
  setFrame,
} from '../src/base/packet.ts';
import type { Build, Plane } from '../tools/builds.ts';
import {
  ARP_REQUEST,
  address,
  arpFrame,
  arpIn,
  datagramIn,
  frame,
  isArp,
  isIpv4,
  macText,
} from './packets.ts';

export const LAN = INTERFACE_LAN;
export const WAN = INTERFACE_WAN;
export const LAN_ADDRESS = '192.168.0.1';
export const WAN_ADDRESS = '10.1.2.3';
export const GATEWAY = '10.1.2.1';
export const HOST = '192.168.0.2';
export const OTHER = '192.168.0.3';
export const SERVER = '204.152.184.112';
/** Station addresses: of our cards (ring numbers 1 and 2), and of hosts. */
/** UDP ports by which the router itself asks, where a test has it ask: one for whomever it asks, as a socket hears whom it has asked last. */
export const OWN_PORTS = Array.from({ length: 12 }, (_, i) => 5100 + i);

export const LAN_MAC = '02:4d:42:00:00:01';
export const WAN_MAC = '02:4d:42:00:00:02';
export const HOST_MAC = '02:00:00:00:00:02';
export const OTHER_MAC = '02:00:00:00:00:03';
export const GATEWAY_MAC = '02:00:00:00:01:01';
const NIC_RING = 1;
const LINES = [5, 10];

export interface Router {
  plane: Plane;
  /** A frame comes in by the wire. */
  put(index: number, bytes: Uint8Array): void;
  /** Frames that have left since the last call. */
  taken(index: number): Uint8Array[];
  /** An IPv4 datagram from the inside host, or from the gateway. */
  fromHost(datagram: Uint8Array): void;
  fromGateway(datagram: Uint8Array): void;
  /** Datagrams that have left, without their frames; ARP is left out. */
  toLan(): Uint8Array[];
  toWan(): Uint8Array[];
  /** Ticks of the clock. */
  ticks(count: number): void;
  counter(index: number): number;
  interfaceField(index: number, field: number): number;
  /** Buffers that somebody holds. */
  held(): number;
  /** The next punted datagram, released; undefined if there is none. */
  punted(): Uint8Array | undefined;
}

export interface Options {
  lanMtu?: number;
  wanMtu?: number;
  /** The links of the two sides, whose cards are LAN and WAN all the same: those of these numbers if it is not said. */
  links?: [number, number];
  /** Leave ARP to the test: nobody is known yet. */
  strangers?: boolean;
}

/** Starts a router anew in the build's memory. */
export function startRouter(build: Build, options: Options = {}): Router {
  const { plane, memory } = build;
  build.use();
  plane.planeReset();
  plane.nicProbe(LAN, NIC_RING, 1, LINES[LAN] as number);
  plane.nicProbe(WAN, NIC_RING, 2, LINES[WAN] as number);
  const [inside, outside] = options.links ?? [LAN, WAN];
  if (options.links !== undefined) {
    for (const card of [LAN, WAN]) plane.nicBind(card, -1);
    plane.nicBind(LAN, inside);
    plane.nicBind(WAN, outside);
  }
  plane.nicStart(LAN);
  plane.nicStart(WAN);
  plane.configureInterface(inside, 0, address(LAN_ADDRESS), address('255.255.255.0'), options.lanMtu ?? 1500);
  plane.configureInterface(
    outside,
    1,
    address(WAN_ADDRESS),
    address('255.255.255.0'),
    options.wanMtu ?? 1500,
  );
  plane.interfacesChanged();
  plane.routeAdd(0, 0, address(GATEWAY), outside);

  function put(index: number, bytes: Uint8Array): void {
    build.use();
    const packet = plane.allocate();
    if (packet === 0) throw new Error('Cannot put a frame: the pool is empty');
    memory.fill(0xaa, packet + PACKET_FRAME, packet + PACKET_SCRATCH);
    memory.set(bytes, packet + PACKET_FRAME);
    setFrame(packet, bytes.length);
    if (plane.ringPut(index, packet) !== 1) throw new Error('Cannot put a frame: the ring is full');
    plane.interrupt(LINES[index] as number, 0);
  }

  function taken(index: number): Uint8Array[] {
    build.use();
    const all: Uint8Array[] = [];
    for (;;) {
      const packet = plane.ringTake(index);
      if (packet === 0) break;
      const start = frameAt(packet);
      all.push(memory.slice(start, start + frameBytes(packet)));
      plane.release(packet);
      // There is room again: what waits in the interface's queue follows.
      plane.interrupt(LINES[index] as number, 0);
    }
    return all;
  }

  function datagrams(index: number): Uint8Array[] {
    return taken(index).filter(isIpv4).map(datagramIn);
  }

  const router: Router = {
    plane,
    put,
    taken,
    fromHost: datagram => put(LAN, frame(LAN_MAC, HOST_MAC, datagram)),
    fromGateway: datagram => put(WAN, frame(WAN_MAC, GATEWAY_MAC, datagram)),
    toLan: () => datagrams(LAN),
    toWan: () => datagrams(WAN),
    ticks(count) {
      build.use();
      for (let i = 0; i < count; i++) plane.tick(0);
    },
    counter(index) {
      build.use();
      return i32at(COUNTERS_AT + 4 * index);
    },
    interfaceField(index, field) {
      build.use();
      return i32at(interfaceAt(index) + field);
    },
    held: () => BUFFER_COUNT - plane.poolFree(),
    punted() {
      build.use();
      const packet = plane.puntTake();
      if (packet === 0) return undefined;
      const start = packet + PACKET_IP;
      const bytes = memory.slice(start, start + i32at(packet + PACKET_LENGTH));
      plane.release(packet);
      return bytes;
    },
  };
  taken(LAN);
  taken(WAN);
  if (!options.strangers) {
    introduce(router, LAN, HOST_MAC, HOST, LAN_ADDRESS);
    introduce(router, LAN, OTHER_MAC, OTHER, LAN_ADDRESS);
    introduce(router, WAN, GATEWAY_MAC, GATEWAY, WAN_ADDRESS);
  }
  return router;
}

/** A host asks for us, so that we know it. */
export function introduce(router: Router, index: number, mac: string, host: string, ours: string): void {
  router.put(
    index,
    arpFrame('ff:ff:ff:ff:ff:ff', {
      operation: ARP_REQUEST,
      senderMac: mac,
      senderAddress: host,
      targetAddress: ours,
    }),
  );
  router.taken(index);
}

/** The ARP packets among frames, in words: `request 10.1.2.1 from 10.1.2.3 to ff:ff:ff:ff:ff:ff`. */
export function arpTexts(frames: Uint8Array[]): string[] {
  return frames.filter(isArp).map(bytes => {
    const { isRequest, sender, target } = arpIn(bytes);
    return `${isRequest ? 'request' : 'reply'} ${target} from ${sender} to ${macText(bytes)}`;
  });
}
