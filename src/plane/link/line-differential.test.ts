// Serial lines on both builds of the plane, the same at each step: any bytes, frames good and damaged, datagrams, settings that change. What leaves
// and all of the plane's memory are the same behind each round, and behind all no buffer is missing.

import test from 'ava';
import { address, payload, SYN, tcp, udp } from '../../../test/packets.ts';
import { HOST, type Router, SERVER, startRouter } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { type Random, runSeed, seeded } from '../../../tools/harness/random.ts';
import { IF_RX_PACKETS, IF_TX_PACKETS } from '../../base/interface.ts';
import { BUFFER_COUNT } from '../../base/limits.ts';
import { LINE_PPP, LINE_SLIP } from '../../base/line-record.ts';
import { PACKET_IP } from '../../base/packet.ts';
import { PPP_IP, PPP_LCP } from '../../wire/ppp.ts';
import { PortEnd, pppFrame, slipFrame } from './port-lab.ts';

const builds = [javascriptBuild(), await wasmBuild()];
const ROUNDS = 1500;
const PORTS = [1, 3];
const OURS = ['10.64.64.64', '10.64.64.65'];
const linkOf = (line: number): number => 4 + line;

interface Side {
  router: Router;
  ends: PortEnd[];
  /** All that has left by the lines in the round. */
  sent: number[];
}

type Step = (side: Side, index: number) => void;

function segment(random: Random, source: string, destination: string): Uint8Array {
  const [from, to] = source === HOST ? [1060 + random.below(3), 80] : [80, 1060 + random.below(3)];
  return tcp(
    { source, destination, id: random.below(65536) },
    {
      sourcePort: from,
      destinationPort: to,
      flags: random.chance(0.2) ? SYN : 0x10 | (random.below(2) << 3),
      sequence: random.below(1000),
      acknowledgment: random.below(1000),
    },
    payload(random.below(60)),
  );
}

/** What a peer's line brings. */
function arrival(random: Random, line: number): number[] {
  const ours = OURS[line] as string;
  const datagram = random.chance(0.5)
    ? segment(random, SERVER, ours)
    : udp({ source: SERVER, destination: ours }, 53, 1043, payload(random.below(1480), random.below(256)));
  const some = Array.from({ length: random.below(300) }, () => random.below(256));
  const bytes =
    random.below(6) < 3
      ? pppFrame([PPP_IP, 0x2d, 0x2f][random.below(3)] as number, datagram)
      : random.chance(0.3)
        ? slipFrame(datagram)
        : random.chance(0.5)
          ? pppFrame(PPP_LCP, [9, 1, 0, 8, 1, 2, 3, 4])
          : some;
  if (random.chance(0.15)) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

/** Something that happens, the same to both. */
function happens(random: Random): Step {
  const line = random.below(2);
  const port = PORTS[line] as number;
  const [a, b, c] = [random.below(18) - 1, random.below(18) - 1, random.below(2)];
  const kind = random.below(20);
  if (kind < 7) {
    const bytes = arrival(random, line);
    return ({ ends }) => void ends[line]?.put(bytes);
  }
  if (kind < 11) {
    const datagram = random.chance(0.5)
      ? segment(random, HOST, SERVER)
      : udp({ source: HOST, destination: SERVER }, 1043, 53, payload(random.below(1470), a));
    return ({ router }) => router.fromHost(datagram);
  }
  if (kind < 15) {
    const most = random.below(2000);
    return ({ ends, sent }) => void sent.push(-line, ...(ends[line]?.take(most) ?? []));
  }
  if (kind === 15) return ({ router: { plane } }) => plane.lineCompress(port, a, b, c);
  if (kind === 16) {
    const accm = random.chance(0.5) ? 0 : -1;
    const bare = random.chance(0.5) ? 0 : -1;
    return ({ router: { plane } }) => plane.lineFraming(port, accm, bare, a & 3);
  }
  if (kind === 17) return ({ router: { plane } }) => plane.lineOpen(port, Number(a > 2));
  if (kind === 18)
    return ({ router: { plane } }, index) => {
      const build = builds[index]!;
      build.use();
      const packet = plane.allocateForControl();
      if (packet === 0) return;
      build.memory.set(payload(40 + a), packet + PACKET_IP);
      plane.lineSendFrame(port, PPP_LCP, packet, 40 + a);
    };
  return ({ router: { plane } }) => {
    if (c === 0) plane.lineUnbind(port);
    else if (plane.lineBind(linkOf(line), port, a > 3 ? LINE_PPP : LINE_SLIP) === 1) {
      plane.configureInterface(linkOf(line), 1, address(OURS[line] as string), -1, 576 + 50 * a);
      plane.interfacesChanged();
      plane.routeAdd(0, 0, 0, linkOf(line));
      plane.lineEchoes(port, 1, 0x1234);
      plane.lineOpen(port, 1);
    }
  };
}

function start(index: number): Side {
  const build = builds[index]!;
  const router = startRouter(build);
  const { plane } = router;
  for (const [line, port] of PORTS.entries()) {
    plane.lineBind(linkOf(line), port, line === 0 ? LINE_PPP : LINE_SLIP);
    plane.configureInterface(linkOf(line), 1, address(OURS[line] as string), -1, 1500);
    plane.lineOpen(port, 1);
    plane.lineCompress(port, 15, 16, 0);
    plane.lineEchoes(port, 1, 0x5555);
  }
  plane.interfacesChanged();
  plane.routeAdd(0, 0, 0, linkOf(0));
  return { router, ends: PORTS.map(port => new PortEnd(build, port)), sent: [] };
}

test('lines do the same on both builds, whatever comes and is set', t => {
  const random = seeded(runSeed());
  for (const build of builds) build.memory.fill(0);
  const sides = builds.map((_, index) => start(index));
  let [bytes, framesIn, framesOut] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const steps = Array.from({ length: 1 + random.below(4) }, () => happens(random));
    const ticks = 1 + random.below(3);
    for (const [index, side] of sides.entries()) {
      builds[index]?.use();
      side.sent = [];
      for (const step of steps) {
        builds[index]?.use();
        step(side, index);
      }
      side.router.ticks(ticks);
      side.sent.push(...side.router.taken(0).flatMap(bytes => [...bytes]));
      for (let packet = side.router.punted(); packet !== undefined; packet = side.router.punted())
        side.sent.push(...packet);
    }
    if (Buffer.compare(Buffer.from(sides[0]!.sent), Buffer.from(sides[1]!.sent)) !== 0)
      return t.fail(`round ${round}: what left differs`);
    bytes += sides[0]!.sent.length;
    for (const [line] of PORTS.entries()) {
      framesIn = Math.max(framesIn, sides[0]!.router.interfaceField(linkOf(line), IF_RX_PACKETS));
      framesOut = Math.max(framesOut, sides[0]!.router.interfaceField(linkOf(line), IF_TX_PACKETS));
    }
    const [one, other] = builds.map(({ memory }) => memory) as [Uint8Array, Uint8Array];
    if (Buffer.compare(one, other) !== 0)
      return t.fail(`round ${round}: memory differs at ${one.findIndex((byte, at) => byte !== other[at])}`);
  }
  t.log(`${bytes} bytes left; by a line came ${framesIn} frames, and went ${framesOut}`);
  t.true(framesIn > 200 && framesOut > 50);
  for (const [index, { router, ends }] of sides.entries()) {
    builds[index]?.use();
    for (const port of PORTS) router.plane.lineUnbind(port);
    for (const end of ends) end.take();
    router.ticks(3000);
    router.taken(0);
    router.taken(1);
    t.is(router.plane.poolFree(), BUFFER_COUNT);
  }
});
