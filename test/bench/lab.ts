// What the benchmarks stand on: the emulated 486 with a station on each card's wire, and frames sent at a rate of the
// machine's own time. Not here: what is measured (../bench.ts, services.ts).

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeConfig, putConfig } from '../../image/records.ts';
import { NOW_AT } from '../../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { PROMPT } from '../../tools/harness/console.ts';
import { type Card, isaCards, Machine, pciCards, type Wire } from '../../tools/harness/qemu.ts';
import { dgramEnd, type End } from '../../tools/harness/wire.ts';
import { IMAGE } from '../harness/board-router.ts';
import { ICOUNT_SHIFT, planeWord, reading, type Spent, spent } from '../harness/icount.ts';
import * as packets from '../packets.ts';
import { GATEWAY, HOST, OUTSIDE, SERVER } from './addresses.ts';

const HOST_MAC = '02:00:00:00:00:02';
const GATEWAY_MAC = '02:00:00:00:00:01';
/** Real time for what takes milliseconds on a quiet host. */
const PATIENCE_MILLISECONDS = 20_000;
/** Bytes that the longest frame takes of the wire: preamble, frame, checksum and gap (IEEE 802.3, 4.2.3.2). */
export const FRAME_ON_WIRE = 1538;
export const T1_BITS_PER_SECOND = 1_544_000;

export const CARDS: Record<'isapc' | 'pc', (lan: Wire, wan: Wire) => Card[]> = {
  isapc: isaCards,
  pc: pciCards,
};

/** One end of a card's wire, as a host that answers ARP for its addresses and counts the rest. */
export class Station {
  received = 0;
  last: Uint8Array = new Uint8Array();
  router = packets.BROADCAST;
  /** Told of each frame but ARP's. */
  onFrame: (frame: Uint8Array) => void = () => {};
  /** Other hosts of the wire that answer ARP: station addresses by address. */
  readonly others = new Map<string, string>();
  readonly #end: End;
  readonly #addresses: readonly string[];

  constructor(
    end: End,
    readonly mac: string,
    addresses: readonly string[],
  ) {
    this.#end = end;
    this.#addresses = addresses;
    end.receive = frame => this.#take(frame);
  }

  #take(frame: Uint8Array): void {
    if (!packets.isArp(frame)) {
      this.received++;
      this.last = frame;
      this.onFrame(frame);
      return;
    }
    this.router = packets.stationOf(frame);
    const { isRequest, target } = packets.arpIn(frame);
    const mac = this.others.get(target) ?? this.mac;
    if (!isRequest || (mac === this.mac && !this.#addresses.includes(target))) return;
    this.#end.send(packets.arpAnswer(frame, mac));
  }

  /** Waits until so many frames have come; false if they do not. */
  async reaches(count: number): Promise<boolean> {
    return await until(() => this.received >= count);
  }

  send(datagram: Uint8Array): void {
    this.sendFrame(packets.frame(this.router, this.mac, datagram));
  }

  sendFrame(frame: Uint8Array): void {
    this.#end.send(frame);
  }

  async close(): Promise<void> {
    await this.#end.close();
  }
}

export interface Bench {
  machine: Machine;
  lan: Station;
  wan: Station;
  engine: string;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Addresses of the LAN's hosts, all on one station. */
  readonly hosts?: readonly string[];
  /** More words for QEMU. */
  readonly extra?: readonly string[];
  /** MiB. */
  readonly memory?: number;
  /** It boots from a floppy. */
  readonly isFloppy?: boolean;
  /** Saved lines that it starts with. */
  readonly configuration?: string;
}

/** @param leap the machine's time leaps while it sleeps; else it keeps to the host's, which rates need. */
export async function start(
  machineName: 'isapc' | 'pc',
  leap: boolean,
  { hosts = [HOST], extra = [], memory = 8, isFloppy = false, configuration }: StartOptions = {},
): Promise<Bench> {
  const [lanEnd, wanEnd] = [await dgramEnd(), await dgramEnd()];
  const folder = mkdtempSync(join(tmpdir(), 'masqbox-bench-'));
  const disk = configuration === undefined ? IMAGE : join(folder, 'disk.img');
  if (configuration !== undefined) {
    const image = Buffer.from(readFileSync(IMAGE));
    putConfig(image, 0, encodeConfig(1, configuration));
    writeFileSync(disk, image);
  }
  const machine = await Machine.start({
    machine: machineName,
    ...(isFloppy ? { floppy: disk } : { disk }),
    memory,
    cards: CARDS[machineName](lanEnd.wire, wanEnd.wire),
    icount: ICOUNT_SHIFT,
    sleep: !leap,
    align: !leap,
    extra,
  });
  const lan = new Station(lanEnd.end, HOST_MAC, hosts);
  const wan = new Station(wanEnd.end, GATEWAY_MAC, [GATEWAY, SERVER]);
  await machine.console.expect(PROMPT, 60);
  for (const line of [`set wan address ${OUTSIDE}/24`, `set wan gateway ${GATEWAY}`])
    await machine.console.command(line);
  await pause(300);
  const stop = async (): Promise<void> => {
    await machine.stop();
    await lan.close();
    await wan.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { machine, lan, wan, engine: 'native', stop };
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Waits until it is so; false if it does not become so. */
export async function until(isSo: () => boolean): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  while (!isSo() && performance.now() < deadline) await new Promise(setImmediate);
  return isSo();
}

/** What the machine does when there is nothing to do. */
export async function idleness(machine: Machine, milliseconds = 400): Promise<Spent> {
  const from = await reading(machine);
  await pause(milliseconds);
  return spent(from, await reading(machine));
}

/** Ticks of the machine that pass at most between two looks; in what is more, the wire was silent. */
const LATE_TICKS = 2;

/**
 * What happens at a rate, by the machine's own ticks: its time keeps to the host's where that is quiet, and falls
 * behind it where it is not. Where the sender was late, the wire was silent, so that a busy host makes the rate
 * lower and no bursts.
 */
export class Pace {
  #due = 0;
  #seen: number | undefined;
  readonly #perTick: number;
  readonly #lateTicks: number;

  constructor(perSecond: number, lateTicks: number = LATE_TICKS) {
    this.#perTick = perSecond / TICKS_PER_SECOND;
    this.#lateTicks = lateTicks;
  }

  /** Answers how many are due, of `most` at once: the wire could not bring more between two looks at the clock. */
  take(tick: number, most: number): number {
    const passed = Math.min(tick - (this.#seen ?? tick), this.#lateTicks);
    this.#seen = tick;
    this.#due = Math.min(this.#due + passed * this.#perTick, this.#lateTicks * this.#perTick);
    const taken = Math.min(most, Math.floor(this.#due));
    this.#due -= taken;
    return taken;
  }
}

/** Calls back once a millisecond with the machine's tick, until that says that it is done. */
export async function eachLook(machine: Machine, look: (tick: number) => boolean): Promise<void> {
  while (look(await planeWord(machine, NOW_AT))) await pause(1);
}
