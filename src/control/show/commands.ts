// What the board tells of itself: `show interfaces`, `show arp`, `show routes`, `show counters`, `show memory`, `show version`,
// `show disk`. Memory and version are told here, wherever memory is short.
// Not here: the rest, which is an overlay (show/tables.ts).

import { WATCHDOG_KIND_AT } from '../../../hal/watchdog/watchdog.ts';
import {
  FACT_FLOOR_COUNTS,
  FACT_HEAP_BYTES,
  FACT_LOADER_COUNTS,
  FACT_MEMORY_KIB,
  FACT_RESTARTS,
} from '../../base/abi.ts';
import { ENGINE_AT, IDLE_COUNTS_AT } from '../../base/cells.ts';
import { entryAt, IN_USE_AT, sessionLimit } from '../../base/flow-record.ts';
import {
  BUFFER_BYTES,
  BUFFER_COUNT,
  HOST_COUNT,
  LENT_AT,
  MASQUERADE_COUNT,
  TICKS_PER_SECOND,
} from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { bufferCount } from '../../base/pool.ts';
import { ENGINES } from '../core/addresses.ts';
import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import { COUNTS_PER_SECOND, fact, restartReason } from '../core/facts.ts';

function showMemory(context: Context): undefined {
  const { output, machine } = context;
  const kib = (bytes: number) => `${Math.floor(bytes / 1024)} KiB`;
  output.line(`board            ${fact(FACT_MEMORY_KIB)} KiB`);
  output.line(`control's heap   ${kib(fact(FACT_HEAP_BYTES))}, ${kib(machine.heapFree())} free`);
  const less =
    entryAt(MASQUERADE_COUNT) - entryAt(sessionLimit()) + (BUFFER_COUNT - bufferCount()) * BUFFER_BYTES;
  output.line(`plane            ${kib(LENT_AT - less)}`);
  output.line(`packet buffers   ${bufferCount()}, ${machine.plane.poolFree()} free`);
  output.line(
    `sessions         ${sessionLimit()}, ${i32at(IN_USE_AT)} in use, of ${HOST_COUNT} hosts at most`,
  );
}

function showVersion(context: Context): undefined {
  const { output, machine, clock } = context;
  const milliseconds = (counts: number) => Math.round((counts * 1000) / COUNTS_PER_SECOND);
  const engine = [...ENGINES].find(([, value]) => value === i32at(ENGINE_AT))?.[0];
  output.line(`Masqbox ${machine.version}, ${engine} engine`);
  output.line(
    `up ${formatTicks(clock.uptime())}, control restarted ${fact(FACT_RESTARTS)} times (${restartReason()})`,
  );
  const watchdog = ['', 'IB700', 'i6300esb'][i32at(WATCHDOG_KIND_AT)];
  if (watchdog) output.line(`watchdog: ${watchdog}`);
  const loader = fact(FACT_LOADER_COUNTS);
  const floor = fact(FACT_FLOOR_COUNTS);
  if (loader + floor > 0) {
    output.line(`boot: loader ${milliseconds(loader)} ms, floor ${milliseconds(floor)} ms`);
  }
  // Both run freely and wrap; over a long time only their last wrap's worth is known, so it is per boot's first hour.
  const ticks = clock.now();
  if (ticks > 0 && ticks < 3600 * TICKS_PER_SECOND) {
    const idle = (i32at(IDLE_COUNTS_AT) >>> 0) / ((ticks * COUNTS_PER_SECOND) / TICKS_PER_SECOND);
    output.line(`load since boot: ${Math.max(0, Math.round(100 * (1 - idle)))} %`);
  }
}

export function showCommands(context: Context): Command[] {
  const show = () => context.machine.overlay('show');
  return [
    {
      words: 'show interfaces',
      help: 'cards, addresses, frames and errors',
      run: () => show().showInterfaces(context),
    },
    { words: 'show arp', help: 'stations on both networks', run: () => show().showArp(context) },
    { words: 'show routes', help: 'where packets go', run: () => show().showRoutes(context) },
    {
      words: 'show counters',
      help: 'drops and events, those that are not 0',
      run: () => show().showCounters(context),
    },
    {
      words: 'show memory',
      help: 'memory, packet buffers and tables',
      run: () => showMemory(context),
    },
    {
      words: 'show version',
      help: 'version, engine, time since power-on',
      run: () => showVersion(context),
    },
    {
      words: 'show disk',
      help: 'the disk that settings and leases are saved on',
      run: () => show().showDisk(context),
    },
  ];
}
