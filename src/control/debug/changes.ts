// What else happens to a router under traffic: settings change, addresses and routes come and go, control
// sends, takes buffers and forgets. Each change is undone some frames later, so that most frames meet a
// router that works.
// Not here: the frames (traffic.ts), when a change is made (differential.ts).

import { INTERFACE_INSIDE, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { INTERFACE_COUNT, INTERFACE_LAN, INTERFACE_WAN, MTU_DEFAULT } from '../../base/limits.ts';
import { puti32 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';
import {
  FILTER_ADDRESS,
  FILTER_ADDRESS_PORT,
  HAIRPIN,
  MSS_CLAMP,
  NAT_FILTER,
  NAT_PROFILE,
  PORT_FIRST,
  PORT_LAST,
  PROFILE_CLASSIC,
  PROFILE_RFC,
  WAN_PING,
} from '../../base/parameters.ts';
import { ETHERNET_HEADER_BYTES as ETHERNET, ETHERTYPE_IPV4 } from '../../wire/ethernet.ts';
import { PROTOCOL_TCP as TCP, PROTOCOL_UDP as UDP } from '../../wire/ipv4.ts';
import type { Plane } from '../core/machine.ts';
import {
  frameOf,
  LAN_ADDRESS,
  lanHost,
  OPEN_PORT,
  server,
  someEcho,
  someUdp,
  WAN_ADDRESS,
  WAN_GATEWAY,
} from './hosts.ts';
import type { Random } from './random.ts';

const MASK_24 = ~255;
/** A server's socket hears everybody by these. */
const ALL_INTERFACES = (1 << INTERFACE_COUNT) - 1;
/** The WAN's MTU under half of the seeds: full frames are cut or refused there. */
const SHORT_MTU = 1000;
const PORTS_CLASSIC = [61000, 65095] as const;

function setWan(plane: Plane, address: number, mtu: number): void {
  plane.configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, address, MASK_24, mtu);
}

function setLan(plane: Plane, address: number): void {
  plane.configureInterface(INTERFACE_LAN, INTERFACE_INSIDE, address, MASK_24, MTU_DEFAULT);
}

/** Every setting as the seed's bits say, whatever it was before. */
export function settle(plane: Plane, seed: number, wanAddress = WAN_ADDRESS): void {
  setLan(plane, LAN_ADDRESS);
  setWan(plane, wanAddress, (seed & 1) !== 0 ? SHORT_MTU : MTU_DEFAULT);
  plane.routeRemove(0, 0);
  plane.routeAdd(0, 0, WAN_GATEWAY, INTERFACE_WAN);
  plane.setParameter(NAT_PROFILE, (seed & 2) !== 0 ? PROFILE_CLASSIC : PROFILE_RFC);
  plane.setParameter(NAT_FILTER, (seed & 4) !== 0 ? FILTER_ADDRESS_PORT : FILTER_ADDRESS);
  plane.setParameter(WAN_PING, (seed >> 3) & 1);
  plane.setParameter(HAIRPIN, 1);
  plane.setParameter(MSS_CLAMP, 1);
  plane.setParameter(PORT_FIRST, PORTS_CLASSIC[0]);
  plane.setParameter(PORT_LAST, PORTS_CLASSIC[1]);
  plane.socketOpen(UDP, OPEN_PORT, ALL_INTERFACES);
  plane.reclaim();
  plane.captureStop();
}

type Change = (plane: Plane, memory: Uint8Array, random: Random) => void;

/** Control sends a datagram of its own, to either side, now and then one that cannot go. */
function sendOwn(plane: Plane, memory: Uint8Array, random: Random): void {
  const packet = plane.allocateForControl();
  if (packet === 0) return;
  const destination = [server(random), lanHost(random), LAN_ADDRESS, 0, -1][random.below(5)] as number;
  const datagram =
    random.below(2) === 0
      ? someEcho(random, 0, destination, 8)
      : someUdp(random, 0, destination, (OPEN_PORT << 16) | 53);
  datagram.ttl = 0;
  const frame = frameOf(1, datagram);
  memory.set(frame.subarray(ETHERNET), packet + PACKET_IP);
  puti32(packet + PACKET_LENGTH, frame.length - ETHERNET);
  plane.localSend(packet);
}

/** Few ports for masquerading: they are used up soon. */
function fewPorts(plane: Plane, _memory: Uint8Array, random: Random): void {
  plane.setParameter(NAT_PROFILE, PROFILE_CLASSIC);
  plane.setParameter(PORT_LAST, PORTS_CLASSIC[0] + random.below(4));
}

/** Control takes nearly all packet buffers, while much has to be cut. */
function takeBuffers(plane: Plane, _memory: Uint8Array, random: Random): void {
  setWan(plane, WAN_ADDRESS, 576);
  for (let left = plane.poolFree() - 1 - random.below(4); left > 0; left--) plane.allocateForControl();
}

/** Some frames are copied, by a filter that some of them pass; some copies are taken. */
function capture(plane: Plane, _memory: Uint8Array, random: Random): void {
  for (let i = random.below(3); i > 0; i--) {
    const kind = 1 + random.below(127);
    const value = [ETHERTYPE_IPV4, UDP, TCP, OPEN_PORT, lanHost(random), server(random), 1][
      random.below(7)
    ] as number;
    plane.captureTerm(kind, value, MASK_24);
  }
  plane.captureStart(1 + random.below(3), [0, 40, 61, 1514][random.below(4)] as number);
}

const CHANGES: readonly Change[] = [
  (plane, _, random) => plane.setParameter(NAT_FILTER, random.below(3)),
  (plane, _, random) => plane.setParameter(NAT_PROFILE, random.below(2)),
  (plane, _, random) => plane.setParameter(WAN_PING, random.below(2)),
  plane => plane.setParameter(HAIRPIN, 0),
  plane => plane.setParameter(MSS_CLAMP, 0),
  (plane, _, random) => setWan(plane, WAN_ADDRESS, [576, 1492, 68][random.below(3)] as number),
  (plane, _, random) => setWan(plane, WAN_ADDRESS + random.below(3), MTU_DEFAULT),
  plane => setWan(plane, 0, MTU_DEFAULT),
  plane => setLan(plane, 0),
  plane => plane.routeRemove(0, 0),
  plane => plane.socketClose(UDP, OPEN_PORT),
  plane => plane.masqueradeFlush(),
  (plane, _, random) => plane.forgetNeighbours(random.below(2)),
  plane => plane.masqueradeForgetAddress(WAN_ADDRESS),
  sendOwn,
  sendOwn,
  fewPorts,
  fewPorts,
  takeBuffers,
  capture,
  capture,
];

export function change(plane: Plane, memory: Uint8Array, random: Random): void {
  (CHANGES[random.below(CHANGES.length)] as Change)(plane, memory, random);
}
