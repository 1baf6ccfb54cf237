// The overlay `status`: `show status`, all that matters on one screen, and `watch`, which shows a command again and
// again. Load and rates are those of the second in which it looks.

import { FACT_HEAP_BYTES, FACT_MEMORY_KIB, FACT_RESTARTS } from '../../base/abi.ts';
import { IDLE_COUNTS_AT } from '../../base/cells.ts';
import { IN_USE_AT, sessionLimit } from '../../base/flow-record.ts';
import {
  IF_RX_BYTES,
  IF_RX_DROPPED,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  IF_STATE,
  IF_TX_BYTES,
  IF_TX_DROPPED,
  IF_TX_ERRORS,
  IF_TX_PACKETS,
  INTERFACE_ABSENT,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import {
  INTERFACE_COUNT,
  INTERFACE_WAN,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_COUNT,
  NEIGHBOURS_AT,
  PARAMETERS_AT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { NEIGHBOUR_FREE, neighbourState } from '../../base/neighbour-record.ts';
import { ANY_SOURCE } from '../../base/parameters.ts';
import { bufferCount } from '../../base/pool.ts';
import { absentText, isMissed } from '../core/absent.ts';
import { formatAddress, formatPrefix } from '../core/address.ts';
import { gatewayOf, prefixOf } from '../core/addresses.ts';
import { since } from '../core/clock.ts';
import { type Command, findCommand, type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import { COUNTS_PER_SECOND, fact, interfaceName } from '../core/facts.ts';
import { WARNING } from '../core/log.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    status: typeof import('./overlay.ts');
  }
}

export { refusedLines, showRefused } from './refused.ts';

const WATCH_TICKS = 2 * TICKS_PER_SECOND;
/** Home, and erase all that follows (ECMA-48: CUP, ED). */
const CLEAR = '\x1b[H\x1b[J';
const FIELDS = [IF_RX_PACKETS, IF_RX_BYTES, IF_TX_PACKETS, IF_TX_BYTES];

interface Sample {
  tick: number;
  idle: number;
  /** FIELDS of each interface. */
  traffic: number[];
}

function sample(context: Context): Sample {
  const traffic: number[] = [];
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    for (const field of FIELDS) traffic.push(i32at(interfaceAt(index) + field));
  }
  return { tick: context.clock.now(), idle: i32at(IDLE_COUNTS_AT), traffic };
}

/** Servers that are asked for names. */
type Servers = () => readonly { readonly address: number }[];

export function* showStatus(context: Context, servers: Servers): Job {
  const first = sample(context);
  yield TICKS_PER_SECOND;
  for (const [name, text] of rows(context, first, servers)) {
    context.output.line(`${name.padEnd(10)} ${text}`.trimEnd());
    yield 0;
  }
}

function* rows(context: Context, first: Sample, servers: Servers): Generator<[string, string]> {
  const { clock, machine, wallClock } = context;
  const second = sample(context);
  const ticks = Math.max(1, since(second.tick, first.tick));
  const idle = ((second.idle - first.idle) >>> 0) / ((ticks * COUNTS_PER_SECOND) / TICKS_PER_SECOND);
  const kib = (bytes: number) => `${Math.floor(bytes / 1024)} KiB`;
  yield [
    'masqbox',
    `${machine.version}, up ${formatTicks(clock.uptime())}, ${wallClock.text() ?? 'time unknown'}`,
  ];
  yield ['restarts', `${fact(FACT_RESTARTS)} of control since power-on`];
  yield ['load', `${Math.min(100, Math.max(0, Math.round(100 * (1 - idle))))} %`];
  const heap = `${kib(machine.heapFree())} of ${kib(fact(FACT_HEAP_BYTES))} free`;
  yield ['memory', `${fact(FACT_MEMORY_KIB)} KiB; control's heap ${heap}`];
  yield ['buffers', `${machine.plane.poolFree()} of ${bufferCount()} free`];
  yield ['sessions', `${i32at(IN_USE_AT)} of ${sessionLimit()}`];
  yield ['neighbours', `${neighbours()} of ${NEIGHBOUR_COUNT}`];
  const gateway = gatewayOf(INTERFACE_WAN);
  yield ['gateway', gateway === undefined ? 'none' : formatAddress(gateway)];
  // Those that are asked, which are the WAN's unless others are set.
  const asked = servers();
  yield ['dns', asked.map(({ address }) => formatAddress(address)).join(' ') || 'none'];
  for (let index = 0; index < INTERFACE_COUNT; index++) yield* interfaceRows(index, first, second, ticks);
  const worst = context.log.entries().filter(({ level }) => level <= WARNING);
  const last = worst[worst.length - 1];
  const text = last === undefined ? 'none' : `${worst.length}, the last: ${last.facility}: ${last.text}`;
  yield ['warnings', text.slice(0, 68)];
}

function* interfaceRows(
  index: number,
  first: Sample,
  second: Sample,
  ticks: number,
): Generator<[string, string]> {
  const at = interfaceAt(index);
  const state = i32at(at + IF_STATE);
  const name = interfaceName(index);
  if (state === INTERFACE_ABSENT) {
    if (isMissed(index)) yield [name, `absent, ${absentText(index)}`];
    return;
  }
  const prefix = prefixOf(index);
  const address = prefix === undefined ? 'no address' : formatPrefix(prefix.address, prefix.length);
  const isAny = ((i32at(PARAMETERS_AT + 4 * ANY_SOURCE) >> index) & 1) !== 0;
  yield [name, `${state === INTERFACE_UP ? 'up' : 'down'}, ${address}${isAny ? ', anti-spoofing off' : ''}`];
  const [rxPackets, rxBytes, txPackets, txBytes] = FIELDS.map((_, i) => {
    const place = index * FIELDS.length + i;
    const difference = (second.traffic[place] as number) - (first.traffic[place] as number);
    return Math.round(((difference >>> 0) * TICKS_PER_SECOND) / ticks);
  }) as [number, number, number, number];
  const kbit = (bytes: number) => `${Math.round((bytes * 8) / 1000)} kbit/s`;
  yield ['', `in ${rxPackets} packets/s, ${kbit(rxBytes)}; out ${txPackets} packets/s, ${kbit(txBytes)}`];
  const count = (field: number) => i32at(at + field) >>> 0;
  yield [
    '',
    `errors in ${count(IF_RX_ERRORS)}, out ${count(IF_TX_ERRORS)}; dropped in ${count(IF_RX_DROPPED)}, out ${count(IF_TX_DROPPED)}`,
  ];
}

function neighbours(): number {
  let count = 0;
  for (let i = 0; i < NEIGHBOUR_COUNT; i++) {
    if (neighbourState(NEIGHBOURS_AT + i * NEIGHBOUR_BYTES) !== NEIGHBOUR_FREE) count++;
  }
  return count;
}

/** Shows a command until ^C. On a terminal without a cursor (`dumb`), one below the other. */
export function* watch(context: Context, table: readonly Command[], words: string[], dumb: boolean): Job {
  const { clock, output } = context;
  const line = words.length === 0 ? 'show status' : words.join(' ');
  const found = findCommand(table, line);
  if ('refusal' in found) throw new Refusal(found.refusal);
  if (!found.command.words.startsWith('show '))
    throw new Refusal(`Cannot watch ${line}: it is no show command`);
  for (;;) {
    const start = clock.now();
    output.write(dumb ? '\r\n' : CLEAR);
    output.line(`${found.command.words}, every 2 s, ^C ends it`);
    // A watched table is not read by pages.
    output.rows = -0x7fffffff;
    const job = found.command.run(found.args);
    if (job !== undefined) yield* job;
    yield Math.max(1, WATCH_TICKS - since(clock.now(), start));
  }
}
