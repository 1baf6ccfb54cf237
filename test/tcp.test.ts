// Control's TCP against the kernel of this machine, over a wire that loses, doubles, reorders and corrupts: the
// plane and src/control/core/net/tcp.ts in this process, a host in a namespace with socat and curl.
// Not here: segments made by hand (src/control/core/net/tcp.test.ts).

import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { BUFFER_COUNT, INTERFACE_LAN, TICKS_PER_SECOND } from '../src/base/limits.ts';
import { frameAt, frameBytes, PACKET_FRAME, setFrame } from '../src/base/packet.ts';
import { parseAddress } from '../src/control/core/address.ts';
import { createClock } from '../src/control/core/clock.ts';
import { TCP_ACCEPTED } from '../src/control/core/limits.ts';
import type { Machine } from '../src/control/core/machine.ts';
import { type Connection, type End as TcpEnd, TcpSockets } from '../src/control/core/net/tcp.ts';
import { createSockets } from '../src/control/core/sockets.ts';
import * as overlay from '../src/control/tcp/overlay.ts';
import { isArp } from '../src/wire/read.ts';
import { javascriptBuild } from '../tools/builds.ts';
import { type Host, Network } from '../tools/harness/namespace.ts';
import { eventually } from '../tools/harness/processes.ts';
import { type End, type Faults, FaultyWire, NO_FAULTS } from '../tools/harness/wire.ts';
import { contents, sha256 } from './harness/contents.ts';
import { openTap } from './harness/tap.ts';
import { listening } from './harness/town.ts';
import { isRoot, TEST_MILLISECONDS } from './harness/whole.ts';

const OURS = '192.168.0.1';
const HOST = '192.168.0.2';
const LINE = 9;
const NIC_RING = 1;
const SINK_PORT = 9;
const SOURCE_PORT = 19;
const ECHO_PORT = 7;
const HTTP_PORT = 80;
const BAD_WIRE: Faults = { loss: 0.05, duplicate: 0.05, reorder: 0.1, corrupt: 0.02, reorderMilliseconds: 8 };
/** One on which an opening of three tries (7 s) fails once in some thousands. */
const POOR_WIRE: Faults = { ...BAD_WIRE, loss: 0.02, corrupt: 0.005 };
const LARGE_BYTES = 1_000_000;
/**
 * Seven segments, so that a connection has few faults: as the router speaks without timestamps, each doubles the kernel's time
 * until it sends again, and nothing halves it (RFC 6298, section 3: what was sent twice tells no time). After six it is 13 s and more.
 */
const SMALL_BYTES = 10_000;
const SMALL_COUNT = 6;
/** And the connections have time for that, and who waits for them. */
const IDLE_SECONDS = 600;
const WAIT_SECONDS = 500;

const { plane, memory } = javascriptBuild();
const clock = createClock();
const sockets = createSockets(plane);
const tcp = new TcpSockets({ plane, memory, overlay: () => overlay } as unknown as Machine, clock, sockets);
/** SHA-256 of what each connection to the sink brought, in the order of their ends. */
const sunk: string[] = [];

let network: Network | undefined;
let host: Host;
let wire: FaultyWire;
let timer: NodeJS.Timeout | undefined;

/** Our end of the wire: the plane's ring card. */
function ringEnd(): End {
  const end: End = {
    receive: () => {},
    close: async () => {},
    send: frame => {
      const packet = plane.allocate();
      if (packet === 0) return;
      memory.set(frame, packet + PACKET_FRAME);
      setFrame(packet, frame.length);
      if (plane.ringPut(INTERFACE_LAN, packet) === 1) plane.interrupt(LINE, 0);
      else plane.release(packet);
      work(end);
    },
  };
  return end;
}

/** What control's step does, and the frames that it sent. */
function work(end: End): void {
  sockets.receive();
  clock.run();
  for (let packet = plane.ringTake(INTERFACE_LAN); packet !== 0; packet = plane.ringTake(INTERFACE_LAN)) {
    const at = frameAt(packet);
    const frame = memory.slice(at, at + frameBytes(packet));
    plane.release(packet);
    plane.interrupt(LINE, 0);
    end.receive(frame);
  }
}

/** Writes all of it as there is room, then closes. */
function pour(connection: Connection, data: Uint8Array): void {
  let at = 0;
  const more = (): void => {
    while (at < data.length && connection.write(data.subarray(at, at + 1000))) at += 1000;
    if (at >= data.length) connection.close();
    else if (connection.state !== 'CLOSED') clock.after(1, more);
  };
  more();
}

function serve(): void {
  const all = 1 << INTERFACE_LAN;
  tcp.listen(
    SINK_PORT,
    all,
    connection => {
      const hash = createHash('sha256');
      connection.onData = data => void hash.update(data);
      connection.onEnd = () => {
        sunk.push(hash.digest('hex'));
        connection.close();
      };
    },
    IDLE_SECONDS,
  );
  tcp.listen(
    SOURCE_PORT,
    all,
    connection => {
      connection.onData = data => pour(connection, contents(Number(Buffer.from(data).toString())));
      connection.onEnd = () => {};
    },
    IDLE_SECONDS,
  );
  tcp.listen(ECHO_PORT, all, connection => {
    connection.onData = data => void connection.write(data.slice());
  });
  tcp.listen(HTTP_PORT, all, connection => {
    connection.onData = () => {
      connection.write(
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhere\n'),
      );
      connection.close();
    };
  });
}

test.serial.before(async () => {
  if (!isRoot) return;
  network = await Network.create();
  const lan = await network.segment('lan');
  host = await network.host('laptop', lan, [`${HOST}/24`], OURS);
  await lan.tap('tcp-lan');
  plane.planeReset();
  plane.nicProbe(INTERFACE_LAN, NIC_RING, 1, LINE);
  plane.nicStart(INTERFACE_LAN);
  plane.configureInterface(INTERFACE_LAN, 0, parseAddress(OURS) as number, -256, 1500);
  plane.interfacesChanged();
  const ours = ringEnd();
  wire = new FaultyWire(openTap('tcp-lan', network.switch), ours, { seed: 1, spare: isArp });
  serve();
  let at = performance.now();
  timer = setInterval(() => {
    for (; performance.now() - at > 1000 / TICKS_PER_SECOND; at += 1000 / TICKS_PER_SECOND) plane.tick(0);
    work(ours);
  }, 1000 / TICKS_PER_SECOND);
});

test.after.always(async () => {
  clearInterval(timer);
  await wire?.close();
  await network?.remove();
});

function setFaults(faults: Faults): void {
  wire.there.faults = { ...NO_FAULTS, ...faults };
  wire.back.faults = { ...NO_FAULTS, ...faults };
}

/** A test on a wire with such faults; afterwards all connections and buffers must be back. */
function check(title: string, faults: Faults, run: (t: ExecutionContext) => Promise<void>): void {
  const register = isRoot ? test.serial : test.serial.skip;
  register(title, async t => {
    t.timeout(TEST_MILLISECONDS);
    setFaults(faults);
    try {
      await run(t);
    } catch (error) {
      t.log(wire.describe());
      throw error;
    }
    setFaults({});
    // Half-open connections last 7 s; what waits for a station that is not there, 3 s.
    const isBusy = () => tcp.connections().length > 0 || plane.poolFree() < BUFFER_COUNT;
    await eventually(isBusy, busy => !busy, WAIT_SECONDS);
    t.is(
      tcp.connections().length,
      0,
      tcp
        .connections()
        .map(({ state }) => state)
        .join(),
    );
    t.is(plane.poolFree(), BUFFER_COUNT);
  });
}

async function upload(t: ExecutionContext, bytes: number): Promise<void> {
  const data = contents(bytes);
  sunk.length = 0;
  await host.output(['socat', '-u', '-', `TCP:${OURS}:${SINK_PORT}`], { input: data, seconds: WAIT_SECONDS });
  await eventually(
    () => sunk.length,
    count => count > 0,
    WAIT_SECONDS,
  );
  t.deepEqual(sunk, [sha256(data)]);
}

async function download(t: ExecutionContext, bytes: number): Promise<void> {
  const line = `printf ${bytes} | socat -t ${WAIT_SECONDS} - TCP:${OURS}:${SOURCE_PORT} | sha256sum`;
  const sum = await host.output(['bash', '-o', 'pipefail', '-c', line], { seconds: WAIT_SECONDS });
  t.is(sum.slice(0, 64), sha256(contents(bytes)));
}

check('tcp: a large upload arrives unchanged', {}, t => upload(t, LARGE_BYTES));
check('tcp: a large download arrives unchanged', {}, t => download(t, LARGE_BYTES));
check('tcp: uploads arrive unchanged over a bad wire', BAD_WIRE, async t => {
  for (let i = 0; i < SMALL_COUNT; i++) await upload(t, SMALL_BYTES + i);
});
check('tcp: downloads arrive unchanged over a bad wire', BAD_WIRE, async t => {
  await Promise.all([0, 1, 2].map(i => download(t, SMALL_BYTES + i)));
});

check('tcp: curl gets its page', { loss: 0.02 }, async t => {
  for (let i = 0; i < 5; i++)
    t.is(await host.output(['curl', '-sS', '--max-time', '80', `http://${OURS}/`]), 'here\n');
});

check('tcp: a half-closed connection still gets its answer', {}, async t => {
  const line = `printf question | socat -t 80 - TCP:${OURS}:${ECHO_PORT}`;
  t.is(await host.output(['sh', '-c', line]), 'question');
});

/** Connects from the router; answers what came and how it ended. */
async function ask(port: number, question: string, address = HOST): Promise<{ text: string; end: TcpEnd }> {
  return await new Promise((resolve, reject) => {
    const connection = tcp.connect(parseAddress(address) as number, port);
    if (connection === undefined) {
      reject(new Error('no connection'));
      return;
    }
    let text = '';
    connection.onOpen = () => void connection.write(Buffer.from(question));
    connection.onData = data => {
      text += Buffer.from(data).toString();
    };
    connection.onClose = end => resolve({ text, end });
  });
}

check('tcp: connections to the kernel are opened, used and closed', POOR_WIRE, async t => {
  const server = host.start(['socat', 'TCP-LISTEN:5300,fork,reuseaddr', 'SYSTEM:head -n1 | tr a-z A-Z']);
  await listening(host, ':5300', 'tcp');
  for (let i = 0; i < 3; i++)
    t.deepEqual(await ask(5300, `line ${i}\n`), { text: `LINE ${i}\n`, end: 'closed' });
  await server.stop();
});

check('tcp: a closed port resets, an absent host is given up', {}, async t => {
  t.is((await ask(5301, '')).end, 'reset');
  t.is((await ask(5301, '', '192.168.0.77')).end, 'timeout');
});

check('tcp: a filtered port is unreachable', {}, async t => {
  const rules =
    'table ip f { chain i { type filter hook input priority 0; tcp dport 5302 reject with icmp type port-unreachable; }; }';
  await host.output(['nft', rules]);
  t.is((await ask(5302, '')).end, 'unreachable');
});

check(
  'tcp: a flood of SYNs takes no more places than there are, and a true client still gets through',
  {},
  async t => {
    const flood = [
      'from scapy.all import *',
      `s = conf.L2socket(iface="eth0")`,
      `m = getmacbyip("${OURS}")`,
      `for i in range(300): s.send(Ether(dst=m)/IP(src="192.168.0.%d" % (100 + i % 100), dst="${OURS}")/TCP(sport=1000+i, dport=${ECHO_PORT}, flags="S"))`,
    ];
    await host.output(['/usr/bin/python3', '-c', flood.join('\n')]);
    t.true(tcp.connections().length <= TCP_ACCEPTED);
    const line = `printf question | socat -t 80 - TCP:${OURS}:${ECHO_PORT}`;
    t.is(await host.output(['sh', '-c', line], {}), 'question');
  },
);

check('tcp: segments that make no sense are reset or ignored, and harm no connection', {}, async t => {
  const random = 'RandShort(), seq=RandInt(), ack=RandInt(), flags=RandByte(), dataofs=RandNum(0, 15)';
  const lines = [
    'from scapy.all import *',
    `s = conf.L2socket(iface="eth0")`,
    `m = getmacbyip("${OURS}")`,
    `for i in range(400): s.send(Ether(dst=m)/IP(src="${HOST}", dst="${OURS}")/TCP(sport=${random}, dport=${ECHO_PORT})/Raw(b"x" * (i % 50)))`,
  ];
  const line = `(printf one; sleep 2; printf two) | socat -t 80 - TCP:${OURS}:${ECHO_PORT}`;
  const talk = host.output(['sh', '-c', line]);
  await host.output(['/usr/bin/python3', '-c', lines.join('\n')]);
  t.is(await talk, 'onetwo');
});
