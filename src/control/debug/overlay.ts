// The overlay `debug`: what the debug commands do. The engine's check of itself; the native against the interpreted
// plane with seeded or captured traffic, which takes the plane over and resets the board at its end.
// Numbers are CRC-32s as 8 hex digits, to be compared with those of the same code in Node.
// Not here: the commands (commands.ts).

import { FRAME_MAX, NIC_COUNT } from '../../base/limits.ts';
import { hex, parseAddress } from '../core/address.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Plane } from '../core/machine.ts';
import { runCapture, runTraffic } from './differential.ts';
import { crcOfText } from './random.ts';
import { selftest } from './selftest.ts';
import { SEED_RULES, someRulesMemory } from './some-rules.ts';
import type { Arrival } from './traffic.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    debug: typeof import('./overlay.ts');
  }
}

const COUNT_LIMIT = 1_000_000;
/** Captured frames live in the heap. */
const REPLAY_BYTES = 64 * 1024;

export function* debugSelftest(context: Context): Job {
  let cases = 0;
  let all = '';
  for (const result of selftest()) {
    if (result !== undefined) {
      const { name, crc } = result;
      context.output.line(`selftest ${name} ${result.cases} ${hex(crc, 8)}`);
      cases += result.cases;
      all += hex(crc, 8);
    }
    yield 0;
  }
  context.output.line(`selftest total ${cases} ${hex(crcOfText(all), 8)}`);
}

/** What a differential is run with: the traffic's numbers for the plane that it is given. */
type Run = (plane: Plane, native: Plane) => Iterable<number>;

function* compareEngines(context: Context, run: Run, what: string): Job {
  const { machine, output } = context;
  const interpreted = machine.overlay('interpreted');
  const plane = machine.named(interpreted);
  output.line(`Feeding ${what} to both engines, then the board is reset`);
  while (output.busy) yield 0;
  yield 50; // the transmit ring drains; from here on lines are put out by polling
  const say = (text: string) => {
    for (const character of `${text}\r\n`) machine.put(character.charCodeAt(0));
  };
  for (let card = 0; card < NIC_COUNT; card++) plane.nicStop(card);
  plane.watchdogStop(); // nobody feeds it meanwhile
  machine.lock();
  const native = [...run(plane, plane)];
  for (const crc of native) say(`differential native ${hex(crc, 8)}`);
  let place = 0;
  let same = true;
  for (const crc of run(interpreted, plane)) {
    say(`differential interpreted ${hex(crc, 8)}`);
    same &&= crc === native[place++];
  }
  say(same ? 'differential equal' : 'differential DIFFERENT');
  // With interrupts off: the plane's clock has gone wild, and its cards are no cards any more.
  machine.reset();
}

/** Captured frames, typed in as hex digits by one debug command after the other. */
export class Replay {
  private readonly arrivals: Arrival[] = [];
  private bytes = 0;

  constructor(private readonly context: Context) {}

  add(card: string, ticks: string, sample: string, digits: string): void {
    this.arrivals.push({
      card: numberOf(card, 1, 'card'),
      ticks: numberOf(ticks, COUNT_LIMIT, 'ticks'),
      sample: numberOf(sample, 0xffff, 'sample'),
      frame: new Uint8Array(0),
    });
    this.more(digits);
  }

  more(digits: string): void {
    const last = this.arrivals.at(-1);
    const isHex = digits.length % 2 === 0 && /^[0-9a-f]+$/i.test(digits);
    if (last === undefined || !isHex) {
      throw new Refusal('Cannot take the frame: it is not pairs of hex digits, or debug frame was not given');
    }
    const bytes = last.frame.length + digits.length / 2;
    this.bytes += digits.length / 2;
    if (bytes > FRAME_MAX || this.bytes > REPLAY_BYTES) {
      throw new Refusal(
        `Cannot take the frame: ${bytes} bytes, or ${this.bytes} in all frames, are too many`,
      );
    }
    const frame = new Uint8Array(bytes);
    frame.set(last.frame);
    for (let i = 0; i < digits.length; i += 2) {
      frame[last.frame.length + i / 2] = Number.parseInt(digits.slice(i, i + 2), 16);
    }
    last.frame = frame;
  }

  run(address: string): Job {
    const wanAddress = parseAddress(address);
    if (typeof wanAddress === 'string') throw new Refusal(`Cannot replay behind ${address}: ${wanAddress}`);
    const { machine } = this.context;
    const run: Run = (plane, native) => runCapture(plane, native, machine.memory, wanAddress, this.arrivals);
    return compareEngines(this.context, run, `${this.arrivals.length} captured frames`);
  }
}

function numberOf(text: string, most: number, what: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > most) {
    throw new Refusal(`Cannot run the differential: ${what} ${text} is not a number up to ${most}`);
  }
  return Number(text);
}

/** The native against the interpreted plane with made-up traffic. */
export function debugDifferential(context: Context, first: string, second: string): Job {
  const { machine } = context;
  const seed = numberOf(first, 0x7fffffff, 'seed');
  const count = numberOf(second, COUNT_LIMIT, 'count');
  if ((seed & SEED_RULES) !== 0 && !someRulesMemory().every(part => machine.lend(...part)))
    throw new Refusal("Cannot run the differential: control's heap has no room for rules");
  const run: Run = (plane, native) => runTraffic(plane, native, machine.memory, seed, count);
  return compareEngines(context, run, `${count} frames of seed ${seed}`);
}
