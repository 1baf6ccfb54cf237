// The plane's entry: everything that floor, control and tests may call. AssemblyScript makes plane.wasm from
// it, esbuild puts it into the bundle. Control calls an export by its place in the sorted list of names.

export { probeSerialPorts } from '../board/isapc.ts';
export { probeCards } from '../board/pc.ts';
export {
  nicIrq,
  nicMac,
  nicProbe,
  nicReaddress,
  nicReceive,
  nicSend,
  nicService,
  nicStart,
  nicStop,
  nicSwap,
  nicTick,
  nicWaiting,
  resetNics,
} from '../hal/nic/nic.ts';
export { ringPut, ringTake } from '../hal/nic/ring.ts';
export {
  resetSerial,
  serialInterrupt,
  serialProbe,
  serialSetMode,
  serialStart,
  serialTick,
} from '../hal/serial/ns16550.ts';
export { watchdogAlive, watchdogStart, watchdogStop } from '../hal/watchdog/watchdog.ts';
export { addressAsk, addressHeld } from '../src/plane/address-probe.ts';
export { arpProbe, arpProbed, arpProbeEnd } from '../src/plane/arp.ts';
export { captureDone, captureNext, captureStart, captureStop, captureTerm } from '../src/plane/capture.ts';
export { adjust16, adjust32, checksum, sum } from '../src/plane/checksum.ts';
export { resetCounters } from '../src/plane/counters.ts';
export { crc32 } from '../src/plane/crc32.ts';
export { dhcpExpect, dhcpExpectNothing } from '../src/plane/dhcp-reply.ts';
export { entropyBits, freshenEntropy, random32, resetEntropy, stirEntropy } from '../src/plane/entropy.ts';
export { receive } from '../src/plane/forward.ts';
export { fragmentTick, resetFragments } from '../src/plane/fragment.ts';
export { resetIcmp } from '../src/plane/icmp.ts';
export { nextIdentification } from '../src/plane/identification.ts';
export { bindInterface, configureInterface, resetInterfaces } from '../src/plane/interface.ts';
export { interfacesChanged } from '../src/plane/interface-change.ts';
export { ipv4Check } from '../src/plane/ipv4.ts';
export { keyedHash, resetKeyedHash } from '../src/plane/keyed-hash.ts';
export { localSend, localSendTo } from '../src/plane/local-send.ts';
export {
  masqueradeCount,
  masqueradeHairpin,
  masqueradeInbound,
  masqueradeOutbound,
  masqueradePortUsed,
  masqueradeReset,
} from '../src/plane/masquerade.ts';
export { masqueradeCheck } from '../src/plane/masquerade-check.ts';
export { masqueradeFlush, masqueradeForgetAddress, masqueradeTick } from '../src/plane/masquerade-timeout.ts';
export { forgetNeighbours, neighbourHeard, neighbourTick, resetNeighbours } from '../src/plane/neighbour.ts';
export { resetParameters, setParameter } from '../src/plane/parameters.ts';
export { allocate, allocateForControl, poolFree, reclaim, release, resetPool } from '../src/plane/pool.ts';
export { puntTake, puntWaiting, resetPunt } from '../src/plane/punt.ts';
export {
  flushRoutes,
  resetRoutes,
  routeAdd,
  routeForget,
  routeGateway,
  routeLearn,
  routeRemove,
  routeTo,
} from '../src/plane/route.ts';
export {
  catchUp,
  engineChanged,
  interrupt,
  planeReset,
  servicePending,
  takeInterrupt,
  takeTick,
  tick,
  wanted,
  work,
} from '../src/plane/service.ts';
export { pbkdf2Rounds, sha256Block } from '../src/plane/sha256.ts';
export { resetSockets, socketClose, socketOpen, socketSent, socketUses } from '../src/plane/sockets.ts';
export { resetTcp, tcpAccepts, tcpClose, tcpCookie, tcpOpen } from '../src/plane/tcp-local.ts';
export { findLine } from '../src/plane/text.ts';
