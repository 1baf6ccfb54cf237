// The plane's entry: everything that floor, control and tests may call. AssemblyScript makes plane.wasm from
// it, esbuild puts it into the bundle. Control calls an export by its place in the sorted list of names.

export { probeSerialPorts } from '../board/isapc.ts';
export { probeCards } from '../board/pc.ts';
export {
  nicBind,
  nicIrq,
  nicMac,
  nicProbe,
  nicReaddress,
  nicReceive,
  nicSend,
  nicService,
  nicStart,
  nicStop,
  nicTick,
  nicWaiting,
  resetNics,
} from '../hal/nic/nic.ts';
export { ringPut, ringTake } from '../hal/nic/ring.ts';
export {
  resetSerial,
  serialInterrupt,
  serialModem,
  serialProbe,
  serialRead,
  serialSetDtr,
  serialSetMode,
  serialSetRate,
  serialStart,
  serialTick,
} from '../hal/serial/ns16550.ts';
export { watchdogAlive, watchdogStart, watchdogStop } from '../hal/watchdog/watchdog.ts';
export { resetCounters } from '../src/base/counters.ts';
export { crc32 } from '../src/base/crc32.ts';
export { entropyBits, freshenEntropy, random32, resetEntropy, stirEntropy } from '../src/base/entropy.ts';
export { configureInterface, resetInterfaces } from '../src/base/interface.ts';
export { keyedHash, resetKeyedHash } from '../src/base/keyed-hash.ts';
export { resetParameters, setParameter } from '../src/base/parameters.ts';
export { allocate, allocateForControl, poolFree, reclaim, release, resetPool } from '../src/base/pool.ts';
export { pbkdf2Rounds, sha256Block } from '../src/base/sha256.ts';
export { findLine } from '../src/base/text.ts';
export { rulesFold } from '../src/plane/filter/paths.ts';
export { ruleProbe } from '../src/plane/filter/probe.ts';
export { ruleRead } from '../src/plane/filter/rule-reader.ts';
export {
  cellGive,
  cellsAdd,
  cellTake,
  chainDelete,
  chainFlush,
  chainNew,
  chainPolicy,
  chainZero,
  draftAppend,
  draftBegin,
  draftCommit,
  draftDrop,
  ruleDelete,
  ruleInsert,
  ruleReplace,
  rulesEnd,
  rulesReset,
} from '../src/plane/filter/rule-table.ts';
export { ruleWrite } from '../src/plane/filter/rule-writer.ts';
export { masqueradeCheck } from '../src/plane/flow/flow-check.ts';
export {
  aliasEnd,
  masqueradeFlush,
  masqueradeForgetAddress,
  masqueradeTick,
} from '../src/plane/flow/flow-timeout.ts';
export {
  forwardLimit,
  forwardNote,
  forwardPass,
  forwardRemove,
  forwardSet,
} from '../src/plane/flow/forward-set.ts';
export { masqueradeHairpin } from '../src/plane/flow/hairpin.ts';
export {
  masqueradeCount,
  masqueradeInbound,
  masqueradeOutbound,
  masqueradePortUsed,
  masqueradeReset,
} from '../src/plane/flow/masquerade.ts';
export { forwardLogRead, serverState } from '../src/plane/flow/servers.ts';
export { triggerOpen, triggerRemove, triggerSet } from '../src/plane/flow/triggers.ts';
export { interfacesChanged } from '../src/plane/interface-change.ts';
export { aliasRemove, aliasSet } from '../src/plane/ip/alias-set.ts';
export { receive } from '../src/plane/ip/forward.ts';
export { fragmentTick, resetFragments } from '../src/plane/ip/fragment.ts';
export { resetIcmp } from '../src/plane/ip/icmp.ts';
export { nextIdentification } from '../src/plane/ip/identification.ts';
export {
  flushRoutes,
  resetRoutes,
  routeAdd,
  routeForget,
  routeGateway,
  routeLearn,
  routeRemove,
  routeTo,
} from '../src/plane/ip/route.ts';
export { anySource } from '../src/plane/ip/source.ts';
export { addressAsk, addressHeld } from '../src/plane/link/address-probe.ts';
export { arpAnnounceAs, arpProbe, arpProbed, arpProbeEnd } from '../src/plane/link/arp.ts';
export {
  captureDone,
  captureHeader,
  captureNext,
  captureStart,
  captureStop,
  captureTerm,
} from '../src/plane/link/capture.ts';
export { demandAnswer, demandSet } from '../src/plane/link/demand.ts';
export { demandWord } from '../src/plane/link/demand-words.ts';
export {
  lineBind,
  lineCompress,
  lineEchoes,
  lineFraming,
  lineOpen,
  lineSendFrame,
  lineUnbind,
} from '../src/plane/link/line.ts';
export {
  forgetNeighbours,
  neighbourHeard,
  neighbourTick,
  resetNeighbours,
} from '../src/plane/link/neighbour.ts';
export { pppoeBind, pppoeDiscover, pppoeSession } from '../src/plane/link/pppoe.ts';
export { linkMss, queueFair } from '../src/plane/link/queue-set.ts';
export { queueRemove, queueSet } from '../src/plane/link/transmit.ts';
export { dhcpExpect, dhcpExpectNothing } from '../src/plane/local/dhcp-reply.ts';
export { localSend, localSendTo } from '../src/plane/local/local-send.ts';
export { puntTake, puntWaiting, resetPunt } from '../src/plane/local/punt.ts';
export { resetSockets, socketClose, socketOpen, socketSent, socketUses } from '../src/plane/local/sockets.ts';
export { resetTcp, tcpAccepts, tcpClose, tcpCookie, tcpOpen } from '../src/plane/local/tcp-local.ts';
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
export { adjust16, adjust32, checksum, sum } from '../src/wire/checksum.ts';
export { ipv4Check } from '../src/wire/ipv4.ts';
