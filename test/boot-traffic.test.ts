// The board that starts on a busy network: frames for its cards, and for all, come from power-on, at the loader, at the
// search for cards, at their start. After each start both cards are there, with their lines, and packets go both ways.
// A reset by the monitor leaves QEMU's cards as they run, as a warm reset of many boards does.
// Not here: the same by the model of the chip, at each access to the bus (hal/nic/ne2000.test.ts).

import test from 'ava';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually } from '../tools/harness/processes.ts';
import { isaCards, Machine, pciCards } from '../tools/harness/qemu.ts';
import { dgramEnd, type End } from '../tools/harness/wire.ts';
import { IMAGE } from './harness/board-router.ts';
import {
  arpAnswer,
  arpIn,
  BROADCAST,
  datagramIn,
  ethernet,
  frame,
  isArp,
  isIpv4,
  mac,
  macText,
  payload,
  read,
  UDP,
  udp,
} from './packets.ts';

const CARDS = ['52:54:00:12:34:01', '52:54:00:12:34:02'] as const;
const HOST_MAC = '02:00:00:00:00:02';
const GATEWAY_MAC = '02:00:00:00:00:01';
const HOST = '192.168.0.2';
const WAN = '198.51.100.2';
const GATEWAY = '198.51.100.1';
const SERVER = '203.0.113.9';
/** For experiments (IEEE 802): the router drops it. */
const NOBODY = 0x88b5;
const FRAMES_PER_SECOND = 1000;
const BOOT_SECONDS = 180;
const RESETS = 3;

/** Both networks: what the router sent to each, and who answers for the addresses there. */
class Networks {
  readonly seen: [Uint8Array[], Uint8Array[]] = [[], []];
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly ends: readonly [End, End]) {
    for (const side of [0, 1] as const) {
      ends[side].receive = bytes => {
        if (isArp(bytes)) this.#answer(side, bytes);
        else this.seen[side].push(new Uint8Array(bytes));
      };
    }
  }

  /** Neighbours that know their address: the host on the LAN, the gateway on the WAN. */
  #answer(side: 0 | 1, request: Uint8Array): void {
    const { isRequest, target } = arpIn(request);
    if (!isRequest || target !== [HOST, GATEWAY][side]) return;
    this.ends[side].send(arpAnswer(request, [HOST_MAC, GATEWAY_MAC][side] as string));
  }

  /** Frames of 60 bytes to each card, one of eight to all, as many a second as the clock says. */
  flood(): void {
    const start = performance.now();
    const busy = [0, 1].map(side => [
      ethernet(CARDS[side] as string, HOST_MAC, NOBODY, payload(46)),
      ethernet(BROADCAST, HOST_MAC, NOBODY, payload(46)),
    ]);
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = Math.min(sent + 100, ((performance.now() - start) * FRAMES_PER_SECOND) / 1000);
      for (; sent < due; sent++) {
        for (const side of [0, 1] as const)
          this.ends[side].send(busy[side]![sent % 8 === 0 ? 1 : 0] as Uint8Array);
      }
    }, 1);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.ends.map(end => end.close()));
  }
}

for (const [machine, cards] of [
  ['isapc', isaCards],
  ['pc', pciCards],
] as const) {
  test.serial(`${machine}: both cards come up and forward, whatever comes from power-on`, async t => {
    t.timeout(1_800_000);
    const [lan, wan] = [await dgramEnd(), await dgramEnd()];
    const networks = new Networks([lan.end, wan.end]);
    t.teardown(async () => await networks.close());
    networks.flood();
    const board = await Machine.start({ machine, disk: IMAGE, cards: cards(lan.wire, wan.wire) });
    t.teardown(async () => await board.stop());
    for (let start = 0; start <= RESETS; start++) {
      if (start > 0) await board.monitor('system_reset');
      await board.console.expect('Masqbox loader', BOOT_SECONDS);
      await board.console.expect(PROMPT, BOOT_SECONDS);
      const shown = await board.console.command('show interfaces');
      for (const line of [/^lan up, NE2000 .* line \d+$/m, /^wan (up|down), NE2000 .* line \d+$/m])
        t.regex(shown, line, `start ${start}`);
      for (const station of CARDS) t.true(shown.includes(`station ${station}`), shown);
      for (const line of [`set wan address ${WAN}/24`, `set wan gateway ${GATEWAY}`])
        t.is(await board.console.command(line), '');
      await passes(networks, start);
      const counted = await board.console.command('show counters');
      t.notRegex(counted, /^(card-reset|ring-overrun) /m, counted);
    }
  });
}

/** A datagram out and its answer back. */
async function passes(networks: Networks, start: number): Promise<void> {
  // Ports of this start alone: frames of the last one may still be under way.
  const toServer = { source: HOST, destination: SERVER };
  const [port, service] = [5000 + start, 100 + start];
  const isTo = (bytes: Uint8Array, asked: number): boolean => {
    const { protocol, destinationPort } = read(datagramIn(bytes));
    return isIpv4(bytes) && protocol === UDP && destinationPort === asked;
  };
  await eventually(
    async () => {
      networks.ends[0].send(frame(CARDS[0], HOST_MAC, udp(toServer, port, service)));
      const out = networks.seen[1].find(bytes => isTo(bytes, service));
      if (out === undefined) return '';
      const back = udp({ source: SERVER, destination: WAN }, service, read(datagramIn(out)).sourcePort);
      networks.ends[1].send(frame(CARDS[1], GATEWAY_MAC, back));
      const came = networks.seen[0].some(
        bytes => isTo(bytes, port) && macText(bytes) === macText(mac(HOST_MAC)),
      );
      return came ? 'both ways' : 'out';
    },
    text => text === 'both ways',
  );
  for (const seen of networks.seen) seen.length = 0;
}
