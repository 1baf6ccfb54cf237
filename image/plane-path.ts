// How gcc is to compile what the plane does for a frame of a known session, from the card to the card: all into the two functions that
// the floor's loop and its interrupt call, and what happens seldom on that way out of it, so that no register is saved for it.
// Calls alone, and what they save, are a tenth of such a frame's instructions.
//
// A name is the source file's, without `.ts`, and the function's. One that AssemblyScript has put into its callers already is
// passed over: it is part of them.
// Not here: the way itself (src/plane/service.ts, src/plane/ip/forward.ts).

/** With all that they call put into them. */
export const WAYS = ['src/plane/service/takeFrame', 'src/plane/service/takeInterrupt'];

/** What a way may call. */
export const CALLED = [
  'src/plane/flow/flow-table/findTuple',
  'src/plane/flow/tcp-window/follow',
  'src/plane/ip/forward/deliver',
  'src/plane/ip/sender/isSender',
  'src/plane/ip/route/routeTo',
  'src/plane/link/line-input/lineReceive',
  'src/plane/link/pppoe-output/give',
  'src/plane/link/transmit/drainQueues',
  'src/plane/link/transmit/transmitLater',
  'src/plane/link/transmit/transmitQueued',
  'src/plane/service/drainNoted',
  'src/plane/service/takeWaiting',
];

/** The same of what is seldom, or costs so much itself that it does not matter. */
export const SELDOM = [
  'hal/nic/dp8390-dma/remoteWait',
  'hal/nic/dp8390-frame/skipFrame',
  'hal/nic/dp8390-receive/isReceiving',
  'hal/nic/dp8390-receive/receivedRecovering',
  'hal/nic/dp8390-receive/refuse',
  'hal/nic/dp8390-receive/skipFrames',
  'hal/nic/dp8390/beginRecovery',
  'hal/nic/dp8390/dp8390Restart',
  'hal/nic/dp8390/goOnRestart',
  'hal/nic/dp8390/readTallies',
  'hal/nic/dp8390/ringBad',
  'hal/nic/dp8390/stopToRecover',
  'hal/nic/ring/ringReceive',
  'hal/nic/ring/ringSend',
  'hal/pic/maskLine',
  'hal/serial/ns16550/serialInterrupt',
  'src/plane/ip/forward/dispose',
  'src/plane/ip/forward/receiveFragment',
  'src/plane/ip/fragment/fragmentInput',
  'src/plane/link/arp-input/arpInput',
  'src/plane/link/capture/capture',
  'src/plane/link/hdlc/outside',
  'src/plane/link/line-input/lineInput',
  'src/plane/link/line-input/whole',
  'src/plane/link/line-output/begin',
  'src/plane/link/line-output/lineQueue',
  'src/plane/link/line/lineBind',
  'src/plane/link/line/lineCompress',
  'src/plane/link/line/lineUnbind',
  'src/plane/link/pppoe-input/pppoeInput',
  'src/plane/link/transmit/complete',
  'src/plane/link/transmit/cutFragment',
  'src/plane/link/transmit/enqueue',
  'src/plane/link/vj/differences',
  'src/plane/link/vj/vjCompress',
  'src/plane/link/vj/vjUncompress',
  'src/plane/local/local/broadcastInput',
  'src/plane/service/leaveForLater',
  'src/plane/service/linesWork',
  'src/wire/ipv4/checkUnusual',
];

/** Attributes for gcc by wasm2c's name of a function. */
export const planePath: ReadonlyMap<string, string> = new Map([
  ...WAYS.map(name => [translated(name), 'flatten'] as const),
  ...CALLED.map(name => [translated(name), 'noinline'] as const),
  ...SELDOM.map(name => [translated(name), 'noinline, cold'] as const),
]);

/** The name that wasm2c gives a function. */
function translated(name: string): string {
  return `w2c_${name.replace(/[^A-Za-z0-9]/g, '_')}`;
}
