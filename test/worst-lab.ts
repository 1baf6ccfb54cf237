// The booted board on which worst inputs are weighed: what an input costs in instructions, control's work and the plane's
// from the frame on the wire to the last answer, less what an idle board does meanwhile.
// Not here: the inputs (worst-inputs.test.ts, worst-answers.test.ts).

import type { ExecutionContext } from 'ava';
import { HOST, ip, ROUTER } from './bench/addresses.ts';
import { type Bench, idleness, pause, type StartOptions, start, until } from './bench/lab.ts';
import { reading, spent } from './harness/icount.ts';
import * as packets from './packets.ts';

const DNS_PORT = 53;
const FENCE_PORT = 4000;
/** A reading is good to a tick of 312,500 instructions, so a row of so many inputs is good to 16,000. */
export const TIMES = 20;

export class WorstLab {
  /** DNS answers that hosts of the LAN got. */
  answers = 0;
  onLan: (read: packets.Read) => void = () => {};
  onWan: (read: packets.Read) => void = () => {};
  /** Rows whose cost is past their bound. */
  readonly failed: string[] = [];
  #quiet = { instructions: 0, seconds: 1 };
  #fence = 0;

  private constructor(readonly bench: Bench) {
    bench.lan.onFrame = frame => {
      const read = packets.read(frame.slice(14));
      if (read.protocol === packets.UDP && read.sourcePort === DNS_PORT) this.answers++;
      this.onLan(read);
    };
    bench.wan.onFrame = frame => this.onWan(packets.read(frame.slice(14)));
  }

  /** @param options of the board, such as its saved lines. */
  static async create(options: StartOptions = {}): Promise<WorstLab> {
    const lab = new WorstLab(await start('isapc', false, options));
    lab.#quiet = await idleness(lab.bench.machine, 2000);
    await lab.passed();
    lab.#fence = await lab.cost(2 * TIMES, async () => {});
    return lab;
  }

  /** Waits for control to have come by: an ordinary query is answered. */
  async passed(): Promise<boolean> {
    const before = this.answers;
    const query = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, ...Buffer.from('masqbox'), 0, 0, 1, 0, 1];
    this.bench.lan.send(packets.udp(ip(HOST, ROUTER), FENCE_PORT, DNS_PORT, Uint8Array.from(query)));
    return await until(() => this.answers > before);
  }

  /** Instructions of one of `count` inputs, each with a fence behind it. */
  async cost(count: number, input: (i: number) => Promise<void>): Promise<number> {
    const instructions = await this.instructions(async () => {
      for (let i = 0; i < count; i++) {
        await input(i);
        if (!(await this.passed())) throw new Error('The router answers no more');
      }
      await pause(200);
    });
    return Math.round(instructions / count - this.#fence);
  }

  /** Instructions of all that happens meanwhile. */
  async instructions(run: () => Promise<void>): Promise<number> {
    const before = await reading(this.bench.machine);
    await run();
    const { instructions, seconds } = spent(before, await reading(this.bench.machine));
    return instructions - (this.#quiet.instructions * seconds) / this.#quiet.seconds;
  }

  told(t: ExecutionContext, what: string, instructions: number, most: number): void {
    const text = Math.round(instructions).toLocaleString('en-US');
    t.log(`| ${what} | ${text} |`);
    if (!(instructions < most)) this.failed.push(`${what}: ${text}, of ${most.toLocaleString('en-US')}`);
  }

  /** A row of `count` inputs. */
  async row(
    t: ExecutionContext,
    what: string,
    most: number,
    input: (i: number) => Promise<void>,
    count = TIMES,
  ): Promise<void> {
    this.told(t, what, await this.cost(count, input), most);
  }
}
