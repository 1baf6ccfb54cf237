// What serial lines cost in the interrupt, in operations of the metered plane (test/metered.ts): a piece of work at worst, and a byte of a line at its
// full rate both ways, driver, framing and pieces together.

import test from 'ava';
import { BusModel, portsOf } from '../../../hal/bus-model.ts';
import { UartModel } from '../../../hal/serial/ns16550-model.ts';
import { meteredBuild } from '../../../test/metered.ts';
import { address, payload, udp } from '../../../test/packets.ts';
import { HOST, type Router, SERVER, startRouter } from '../../../test/plane-router.ts';
import { WORK_AT } from '../../base/cells.ts';
import { DEMAND_UDP } from '../../base/demand-record.ts';
import { INTERFACE_WAN } from '../../base/limits.ts';
import { DEMAND_PLACES, DEMAND_WORDS, LINE_PIECE_BYTES } from '../../base/line-limits.ts';
import { LINE_PPP, LINE_SLIP } from '../../base/line-record.ts';
import { i32at } from '../../base/memory.ts';
import { PPP_IP, PPP_LCP } from '../../wire/ppp.ts';
import { PortEnd, pppFrame, pppFrames, slipFrame } from './port-lab.ts';

const LINK = 4;
const PORT = 1;
const COM2 = 0x2f8;
const LINE = 3;
const OURS = '10.64.64.64';

let bus = new BusModel();
const metered = await meteredBuild(portsOf(() => bus));
const { plane } = metered;

function start(kind = LINE_PPP): Router {
  const router = startRouter(metered);
  plane.configureInterface(INTERFACE_WAN, 1, 0, 0, 1500);
  plane.routeRemove(0, 0);
  plane.lineBind(LINK, PORT, kind);
  plane.configureInterface(LINK, 1, address(OURS), -1, 1500);
  plane.interfacesChanged();
  plane.routeAdd(0, 0, 0, LINK);
  plane.lineOpen(PORT, 1);
  return router;
}

/** The dearest piece of what is to be done, and all together. */
function pieces(): { worst: number; all: number; count: number } {
  let [worst, all, count] = [0, 0, 0];
  plane.takeTick(0);
  while (i32at(WORK_AT) !== 0 && count < 1000) {
    const cost = metered.operations(() => void plane.work(0));
    worst = Math.max(worst, cost);
    all += cost;
    count++;
  }
  return { worst, all, count };
}

test.serial(
  'a packet that dials, with all places taken and all words looked at, and a tick with one that goes',
  t => {
    const router = startRouter(metered);
    plane.configureInterface(INTERFACE_WAN, 1, 0, 0, 1500);
    plane.routeRemove(0, 0);
    plane.configureInterface(LINK, 1, 0, 0, 1500);
    plane.interfacesChanged();
    plane.routeLearn(0, 0, 0, LINK);
    for (let n = 0; n < DEMAND_WORDS; n++) plane.demandWord(LINK, n, DEMAND_UDP, 1, 7, 7);
    plane.demandWord(LINK, DEMAND_WORDS - 1, DEMAND_UDP, 0, 0, 0xffff);
    const question = (host: number) =>
      udp({ source: `192.168.0.${host}`, destination: SERVER }, 1043, 53, payload(9));
    router.fromHost(question(2));
    const own = metered.operations(() => router.fromHost(question(2)));
    plane.demandSet(LINK, 1);
    let worst = 0;
    for (let n = 0; n < 2 * DEMAND_PLACES; n++) {
      router.fromHost(question(10 + n));
      // Before it is timed its host is known, and its way.
      worst = Math.max(
        worst,
        metered.operations(() => router.fromHost(question(10 + n))),
      );
    }
    router.ticks(1);
    const idle = metered.operations(() => router.ticks(1));
    plane.lineBind(LINK, PORT, LINE_PPP);
    plane.configureInterface(LINK, 1, address(OURS), -1, 1500);
    plane.interfacesChanged();
    plane.lineOpen(PORT, 1);
    const busy = metered.operations(() => router.ticks(1));
    t.log(
      `${worst} where a link that is down drops one for ${own}; a tick ${idle}, ${busy} with one that goes`,
    );
    t.true(worst - own < 4000, `${worst - own}`);
    t.true(busy - idle < 8000, `${busy - idle}`);
  },
);

const zeroes = new Uint8Array(1400);
const ones = new Uint8Array(1400).fill(0x7e);

for (const [what, kind] of [
  ['PPP', LINE_PPP],
  ['SLIP', LINE_SLIP],
] as const) {
  test.serial(`a piece of ${what} is bounded, whatever the bytes are`, t => {
    for (const data of [payload(1400), zeroes, ones]) {
      const router = start(kind);
      const end = new PortEnd(metered, PORT);
      const datagram = udp({ source: SERVER, destination: OURS }, 53, 1043, data);
      const bytes = kind === LINE_PPP ? pppFrame(PPP_IP, datagram) : slipFrame(datagram);
      end.put(bytes);
      const came = pieces();
      t.is(end.take().length, 0);
      // The second waits until the first has left the ring.
      for (let n = 0; n < 2; n++) router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, data));
      end.take();
      const went = pieces();
      const sent = end.take().length;
      t.log(
        `received: ${came.worst} operations at most, ${(came.all / bytes.length).toFixed(1)} a byte; sent: ${went.worst} at most, ${(went.all / sent).toFixed(1)} a byte`,
      );
      // The last piece has what becomes of the datagram beside.
      t.true(came.worst < 40 * LINE_PIECE_BYTES + 2500, `${came.worst}`);
      t.true(went.worst < 50 * LINE_PIECE_BYTES + 600, `${went.worst}`);
    }
  });
}

test.serial('noise, frames without an end and floods of short ones cost no more a piece', t => {
  const end = () => new PortEnd(metered, PORT);
  const noise = Array.from({ length: 3000 }, (_, n) => (n * 7919 + (n >> 3) * 31) & 0xff);
  const echoes = Array.from({ length: 150 }, () => pppFrame(PPP_LCP, [9, 1, 0, 8, 1, 2, 3, 4])).flat();
  const flags = new Array<number>(4000).fill(0x7e);
  for (const bytes of [noise, echoes, flags, new Array<number>(4000).fill(0x41)]) {
    start();
    plane.lineEchoes(PORT, 1, 77);
    end().put(bytes);
    const { worst, all } = pieces();
    t.log(`${worst} operations at most, ${(all / bytes.length).toFixed(1)} a byte`);
    t.true(worst < 105 * LINE_PIECE_BYTES + 2500, `${worst}`);
  }
});

test.serial(
  '115200 b/s both ways at once: what a byte costs from the chip to the datagram, and nothing is lost',
  t => {
    bus = new BusModel();
    const router = start();
    plane.lineUnbind(PORT);
    const uart = new UartModel(bus, COM2, LINE);
    plane.serialProbe(PORT, COM2, LINE, 1);
    plane.lineBind(LINK, PORT, LINE_PPP);
    plane.configureInterface(LINK, 1, address(OURS), -1, 1500);
    plane.interfacesChanged();
    plane.routeAdd(0, 0, 0, LINK);
    plane.lineFraming(PORT, 0, 0, 3);
    plane.lineOpen(PORT, 1);
    const input = Array.from({ length: 20 }, () =>
      pppFrame(PPP_IP, udp({ source: SERVER, destination: OURS }, 53, 1043, payload(1472))),
    ).flat();
    for (let n = 0; n < 20; n++)
      router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(1472)));
    const work = () => {
      while (bus.pic.take(LINE)) plane.takeInterrupt(LINE, 0);
      for (let n = 0; n < 100 && plane.work(0) !== 0; n++);
    };
    let operations = 0;
    let at = 0;
    let ticks = 0;
    // 8 bytes each way between two interrupts.
    for (; at < input.length; at += 8) {
      operations += metered.operations(() => {
        for (const byte of input.slice(at, at + 8)) uart.receive(byte);
        uart.transmit(8);
        work();
        if (at / 115 >= ticks) {
          ticks++;
          plane.takeTick(0);
          work();
        }
      });
    }
    const bytes = at + uart.sent.length;
    t.is(router.toLan().length, 20);
    t.is(pppFrames(uart.sent).length, 20);
    const each = operations / bytes;
    const load = (each * 2 * 11520) / 31.25e6;
    t.log(`${each.toFixed(1)} operations a byte, ${(100 * load).toFixed(1)} % of 31.25 MIPS for both ways`);
    t.true(load < 0.15, `${load}`);
  },
);
