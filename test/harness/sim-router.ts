// The sim board as the router under test: the same bundle and plane as on the 486, under Node, in this process, its
// cards on TAPs of the town. Its time is the machine's: a tick every 10 ms.

import { Duplex } from 'node:stream';
import { createSimBoard, type SimBoard } from '../../board/sim/board.ts';
import type { SimDisk } from '../../board/sim/disk.ts';
import { TICKS_PER_SECOND } from '../../src/base/limits.ts';
import { isArp } from '../../src/wire/read.ts';
import { Console, PROMPT } from '../../tools/harness/console.ts';
import type { Segment } from '../../tools/harness/namespace.ts';
import { type End, type Faults, FaultyWire } from '../../tools/harness/wire.ts';
import { openTap } from './tap.ts';
import { hasLease, type Place, type Router } from './town.ts';

const BOOT_SECONDS = 180;
const TICK_MILLISECONDS = 1000 / TICKS_PER_SECOND;
/** After a pause of the process, ticks that are made up for at once; a longer pause is time that did not pass. */
const CATCH_UP_TICKS = 100;

export interface SimRouter extends Router {
  start(town: Place): Promise<void>;
  console(line: string, seconds?: number): Promise<string>;
}

export interface SimOptions {
  /** What is typed at the prompt. If left out nothing is, and the WAN's lease is waited for. */
  readonly setup?: readonly string[];
  /** If settings and sessions are to be kept. */
  readonly disk?: SimDisk;
  /** Leads the WAN card's frames over a wire with these faults, both ways. */
  readonly wanFaults?: { readonly seed: number; readonly faults: Faults };
}

/** Two ends joined in this process: what is sent into one comes out of the other. */
function pair(): [End, End] {
  const make = (other: () => End): End => ({
    send: frame => other().receive(frame),
    receive: () => {},
    close: async () => {},
  });
  const ends: [End, End] = [make(() => ends[1]), make(() => ends[0])];
  return ends;
}

export function simRouter(options: SimOptions = {}): SimRouter {
  const { setup, wanFaults } = options;
  let board: SimBoard;
  let terminal: Console | undefined;
  let timer: NodeJS.Timeout | undefined;
  let wire: FaultyWire | undefined;
  const ends: End[] = [];
  const type = async (line: string, seconds?: number): Promise<string> =>
    await terminal!.command(line, seconds);
  const configure = async (line: string): Promise<void> => {
    const answer = await type(line);
    if (answer !== '') throw new Error(`Cannot ${line}: ${answer}`);
  };
  return {
    name: 'sim',
    start: async town => {
      const plug = async (segment: Segment): Promise<End> => {
        await segment.tap(`sim-${segment.name}`);
        return openTap(`sim-${segment.name}`, town.network.switch);
      };
      ends.push(await plug(town.lan));
      const wan = await plug(town.wan);
      if (wanFaults === undefined) ends.push(wan);
      else {
        const [outer, inner] = pair();
        const { seed, faults } = wanFaults;
        wire = new FaultyWire(wan, outer, { seed, there: faults, back: faults, spare: isArp });
        ends.push(inner);
      }
      const stream = new Duplex({
        read: () => {},
        write: (bytes: Buffer, _encoding, done) => {
          board.type(bytes.toString('latin1'));
          board.run();
          done();
        },
      });
      terminal = new Console(stream);
      board = await createSimBoard({
        onFrame: (card, frame) => ends[card]!.send(frame),
        onOutput: text => void stream.push(Buffer.from(text, 'latin1')),
        ...(options.disk === undefined ? {} : { disk: options.disk }),
      });
      for (const [card, end] of ends.entries()) {
        end.receive = frame => {
          board.receive(card, frame);
          board.run();
        };
      }
      timer = keepTime(ticks => {
        board.advance(ticks);
        board.run();
      });
      await terminal.expect(PROMPT, BOOT_SECONDS);
      if (setup === undefined) await hasLease({ console: type });
      for (const line of setup ?? []) await configure(line);
    },
    console: type,
    setWanMtu: async bytes => await configure(`set wan mtu ${bytes}`),
    stop: async () => {
      clearInterval(timer);
      await wire?.close();
      await Promise.all(ends.splice(0).map(end => end.close()));
      terminal?.close();
    },
    report: () => [terminal?.report() ?? '', wire?.describe() ?? ''].join('\n'),
  };
}

/** Calls back with the ticks that have passed, as long as the timer is not cleared. */
function keepTime(pass: (ticks: number) => void): NodeJS.Timeout {
  let at = performance.now();
  return setInterval(() => {
    const ticks = Math.floor((performance.now() - at) / TICK_MILLISECONDS);
    if (ticks <= 0) return;
    at += ticks * TICK_MILLISECONDS;
    pass(Math.min(ticks, CATCH_UP_TICKS));
  }, TICK_MILLISECONDS);
}
