// The board as the router under test: the image booted by its own loader on an emulated 486, its cards on TAPs of
// the town. Nothing is typed, as when it comes out of the box: the town's provider gives the WAN its address.

import { join } from 'node:path';
import { freshImage } from '../../image/freshness.ts';
import { isArp } from '../../src/wire/read.ts';
import { PROMPT } from '../../tools/harness/console.ts';
import type { Segment } from '../../tools/harness/namespace.ts';
import { Capture } from '../../tools/harness/pcap.ts';
import { type Card, isaCards, Machine, type MachineOptions, type Wire } from '../../tools/harness/qemu.ts';
import { dgramEnd, type Faults, FaultyWire } from '../../tools/harness/wire.ts';
import { openTap } from './tap.ts';
import { GATEWAY, hasLease, LAN_ADDRESS, type Place, type Router, WAN_ADDRESS, WAN_PREFIX } from './town.ts';

/** Whoever imports it wants to boot it, and it must be of the sources as they are. */
export const IMAGE = freshImage(join(import.meta.dirname, '../../build/masqbox.img'));
/** TCG on a busy machine of two cores: the boot takes about a second of virtual time. */
const BOOT_SECONDS = 180;

/** What every start says first. */
export const LOADER = 'Masqbox loader';

/** The same addresses as the board has out of the box in the town, by hand. */
export const BY_HAND = [
  `set lan address ${LAN_ADDRESS}/24`,
  `set wan address ${WAN_ADDRESS}/${WAN_PREFIX}`,
  `set wan gateway ${GATEWAY}`,
];

export interface BoardRouter extends Router {
  start(town: Place): Promise<void>;
  console(line: string, seconds?: number): Promise<string>;
  /** Waits for banner and prompt after a start or a reset, types the set-up or waits for the WAN's lease. */
  comeUp(): Promise<string>;
  machine(): Machine;
}

export interface BoardOptions extends Omit<MachineOptions, 'cards' | 'namespace'> {
  readonly name?: string;
  readonly cards?: (lan: Wire, wan: Wire) => Card[];
  /** What is typed at the prompt. If left out nothing is, and the WAN's lease is waited for. */
  readonly setup?: readonly string[];
  /** Leads both cards' frames over wires with these faults, both ways. */
  readonly faults?: { readonly seed: number; readonly lan: Faults; readonly wan: Faults };
}

/** A wire with faults from a new TAP on a segment to a card, and what QEMU must be told. */
async function faultyWire(
  town: Place,
  segment: Segment,
  tap: string,
  seed: number,
  faults: Faults,
): Promise<[FaultyWire, Wire, Capture]> {
  await segment.tap(tap);
  const capture = new Capture();
  const { end, wire } = await dgramEnd();
  const options = { seed, there: faults, back: faults, capture, spare: isArp };
  return [new FaultyWire(openTap(tap, town.network.switch), end, options), wire, capture];
}

export function boardRouter(options: BoardOptions = {}): BoardRouter {
  const { name = 'board', cards = isaCards, faults, setup, ...rest } = options;
  const drive = rest.disk === undefined && rest.floppy === undefined ? { disk: IMAGE } : {};
  let machine: Machine | undefined;
  let transcript = '';
  const wires: FaultyWire[] = [];
  const captures: Capture[] = [];
  const type = async (line: string, seconds?: number): Promise<string> =>
    await machine!.console.command(line, seconds);
  const router: BoardRouter = {
    name,
    machine: () => machine!,
    start: async town => {
      const [lan, wan] = [`${name}-lan`, `${name}-wan`];
      let place: Pick<MachineOptions, 'cards' | 'namespace'>;
      if (faults === undefined) {
        await town.lan.tap(lan);
        await town.wan.tap(wan);
        place = { cards: cards({ tap: lan }, { tap: wan }), namespace: town.network.switch };
      } else {
        const [wireL, endL, captureL] = await faultyWire(town, town.lan, lan, faults.seed, faults.lan);
        const [wireW, endW, captureW] = await faultyWire(town, town.wan, wan, faults.seed + 1, faults.wan);
        wires.push(wireL, wireW);
        captures.push(captureL, captureW);
        place = { cards: cards(endL, endW) };
      }
      machine = await Machine.start({ ...drive, ...rest, ...place }, town.network.processes);
      await router.comeUp();
    },
    comeUp: async () => {
      // A prompt behind a notice is not yet the next start's.
      const last = await machine!.console.expect(LOADER, BOOT_SECONDS);
      const banner = last + (await machine!.console.expect(PROMPT, BOOT_SECONDS));
      if (setup === undefined) await hasLease(router);
      for (const line of setup ?? []) {
        const answer = await type(line);
        if (answer !== '') throw new Error(`Cannot ${line}: ${answer}\n${machine!.console.report()}`);
      }
      return banner;
    },
    console: type,
    setWanMtu: async bytes => {
      const answer = await type(`set wan mtu ${bytes}`);
      if (answer !== '') throw new Error(`Cannot set wan mtu ${bytes}: ${answer}`);
    },
    stop: async () => {
      await Promise.all(wires.splice(0).map(wire => wire.close()));
      if (machine === undefined) return;
      transcript = machine.console.report();
      await machine.stop();
      machine = undefined;
    },
    report: () => {
      const paths = captures.map((capture, i) =>
        capture.keep(`${name}-${['lan', 'wan'][i]}-seed-${faults?.seed}`),
      );
      const lines = [
        machine?.console.report() ?? transcript,
        ...wires.map(wire => wire.describe()),
        ...paths,
      ];
      return lines.join('\n');
    },
  };
  return router;
}
