// Fuzzing of frame input: damaged frames of made-up traffic into a plane whose every memory access is checked,
// and into its WebAssembly; after them the tables must be whole, nothing lost, and both memories the same.
// A run is repeated by its seed; a failure is cut down to the frames that it needs.

import { ARP_STATE_AT, COUNTER_COUNT, COUNTERS_AT, FRAGMENT_STATE_AT } from '../../src/base/limits.ts';
import { i32at } from '../../src/base/memory.ts';
import { compared, Disturbance, feed, fingerprint, setUp } from '../../src/control/debug/differential.ts';
import { createRandom } from '../../src/control/debug/random.ts';
import { SEED_RULES, someRulesMemory } from '../../src/control/debug/some-rules.ts';
import { type Arrival, createTraffic, type Traffic } from '../../src/control/debug/traffic.ts';
import { type Build, wasmBuild } from '../../tools/builds.ts';
import { audit, frameWaits } from './audit.ts';
import { type CheckedBuild, checkedBuild } from './checked-plane.ts';
import { mutate, noise } from './mutate.ts';

/** Frames between two audits. */
const AUDIT_EVERY = 8;

export interface Case {
  /** Chooses the router's settings and what disturbs it. */
  seed: number;
  arrivals: readonly Arrival[];
}

export interface Failure extends Case {
  fault: string;
}

export interface Fuzzer {
  /** Feeds frames of a seed; answers the failure, cut down, or nothing. */
  run(seed: number, count: number): Failure | undefined;
  /** Feeds given frames; answers what went wrong, or nothing. */
  replay(given: Case): string | undefined;
}

/** Damaged traffic, which is written down as it comes. */
function damaged(seed: number, record: Arrival[]): Traffic {
  const traffic = createTraffic(seed);
  const random = createRandom(seed ^ 0x0f0f0f0f);
  // Where most frames are whole, queues and tables fill up; where few are, the parsers are at work.
  const rate = [1, 4, 9, 14][random.below(4)] as number;
  return {
    sent: (card, frame) => traffic.sent(card, frame),
    next: () => {
      const arrival = traffic.next();
      const kind = random.below(16);
      if (kind < rate) arrival.frame = mutate(random, arrival.frame);
      else if (kind === 15) arrival.frame = noise(random, arrival.frame);
      record.push({ ...arrival, frame: arrival.frame.slice() });
      return arrival;
    },
  };
}

function given(arrivals: readonly Arrival[]): Traffic {
  let place = 0;
  return { sent: () => {}, next: () => arrivals[place++] as Arrival };
}

/** Everything that counts, added up; it moves whenever a frame has come to an end or waits. */
function activity(): number {
  let total = i32at(FRAGMENT_STATE_AT) * 1e6 + i32at(FRAGMENT_STATE_AT + 4) * 1e8;
  // A later fragment of a ping is answered uncounted, and the answer may wait for its neighbour.
  total += i32at(ARP_STATE_AT) * 1e10;
  for (let i = 0; i < COUNTER_COUNT; i++) total += i32at(COUNTERS_AT + 4 * i);
  return total;
}

class FrameFuzzer implements Fuzzer {
  constructor(
    private readonly checked: CheckedBuild,
    private readonly wasm: Build,
  ) {}

  run(seed: number, count: number): Failure | undefined {
    const arrivals: Arrival[] = [];
    let fault = this.feedChecked(seed, damaged(seed, arrivals), count);
    fault ??= this.feedWasm(seed, arrivals);
    if (fault === undefined) return undefined;
    const smallest = this.minimise({ seed, arrivals });
    return { ...smallest, fault: this.replay(smallest) ?? fault };
  }

  replay({ seed, arrivals }: Case): string | undefined {
    return this.feedChecked(seed, given(arrivals), arrivals.length) ?? this.feedWasm(seed, arrivals);
  }

  /** Removes ever smaller parts as long as it still fails (Zeller's ddmin, without complements). */
  private minimise(failing: Case): Case {
    let arrivals = [...failing.arrivals];
    for (let size = arrivals.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at < arrivals.length; ) {
        const fewer = [...arrivals.slice(0, at), ...arrivals.slice(at + size)];
        if (this.replay({ seed: failing.seed, arrivals: fewer }) !== undefined) arrivals = fewer;
        else at += size;
      }
    }
    return { seed: failing.seed, arrivals };
  }

  private feedChecked(seed: number, traffic: Traffic, count: number): string | undefined {
    const { plane, memory } = this.checked;
    this.checked.use();
    this.checked.lend((seed & SEED_RULES) !== 0 ? someRulesMemory().map(([from, to]) => [from, to]) : []);
    let sent = 0;
    const counting: Traffic = {
      next: () => traffic.next(),
      sent: (card, frame) => {
        sent++;
        traffic.sent(card, frame);
      },
    };
    try {
      setUp(plane, memory, seed);
      const disturbance = new Disturbance(seed);
      for (let i = 1; i <= count; i++) {
        disturbance.next(plane, memory);
        const before = activity();
        sent = 0;
        feed(plane, memory, counting, disturbance.stalled);
        const isQuiet = sent === 0 && disturbance.stalled === 0 && plane.poolFree() > 0;
        if (isQuiet && activity() === before && !frameWaits())
          return `frame ${i} is gone, and nothing was counted`;
        const faults = i % AUDIT_EVERY === 0 || i === count ? audit() : [];
        if (faults.length > 0) return `after frame ${i}: ${faults.join('; ')}`;
      }
    } catch (error) {
      return String((error as Error).stack);
    }
    this.copyToWasm(seed);
    this.wasm.use();
    const code = this.wasm.plane.masqueradeCheck();
    return code === 0 ? undefined : `the masquerade table is inconsistent: ${code}`;
  }

  private copyToWasm(seed: number): void {
    for (const [from, to] of compared(seed))
      this.wasm.memory.set(this.checked.memory.subarray(from, to), from);
  }

  /** The same frames into the WebAssembly; expects the memory that the checked plane was left with. */
  private feedWasm(seed: number, arrivals: readonly Arrival[]): string | undefined {
    const { plane, memory } = this.wasm;
    this.copyToWasm(seed);
    const expected = fingerprint(plane, seed);
    this.wasm.use();
    setUp(plane, memory, seed);
    const disturbance = new Disturbance(seed);
    const traffic = given(arrivals);
    try {
      for (let i = 0; i < arrivals.length; i++) {
        disturbance.next(plane, memory);
        feed(plane, memory, traffic, disturbance.stalled);
      }
    } catch (error) {
      return `WebAssembly: ${String(error)}`;
    }
    return fingerprint(plane, seed) === expected
      ? undefined
      : 'WebAssembly leaves another memory than JavaScript';
  }
}

export async function frameFuzzer(): Promise<Fuzzer> {
  return new FrameFuzzer(await checkedBuild(), await wasmBuild());
}

/** A failure as a file: the seed, then a line for each frame. */
export function formatCase({ seed, arrivals }: Case): string {
  const lines = arrivals.map(
    ({ card, ticks, sample, frame }) => `${card} ${ticks} ${sample} ${Buffer.from(frame).toString('hex')}`,
  );
  return `seed ${seed}\n${lines.join('\n')}\n`;
}

export function parseCase(text: string): Case {
  const [first, ...lines] = text.trim().split('\n');
  const arrivals = lines.map(line => {
    const [card, ticks, sample, digits = ''] = line.split(' ');
    const frame = new Uint8Array(Buffer.from(digits, 'hex'));
    return { card: Number(card), ticks: Number(ticks), sample: Number(sample), frame };
  });
  return { seed: Number(first?.split(' ')[1]), arrivals };
}
