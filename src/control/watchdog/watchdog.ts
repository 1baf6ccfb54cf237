// `set watchdog`: which hardware watchdog guards the board, and control's share in feeding it. One on the PCI bus is
// found; an IB700 cannot be, for it answers nothing.
// Not here: the chips and the feeding (hal/watchdog/).

import {
  WATCHDOG_I6300ESB,
  WATCHDOG_IB700,
  WATCHDOG_NONE,
  WATCHDOG_PIECES,
} from '../../../hal/watchdog/watchdog.ts';
import { BOARD_AT, BOARD_SIM } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import type { Timer } from '../core/clock.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Service } from '../core/service.ts';

const ALIVE_TICKS = 5 * TICKS_PER_SECOND;
const KINDS = new Map([
  ['auto', WATCHDOG_I6300ESB],
  ['ib700', WATCHDOG_IB700],
  ['off', WATCHDOG_NONE],
]);

export function createWatchdog(context: Context): Service {
  const { clock, machine } = context;
  let mode = 'auto';
  let timer: Timer | undefined;

  function alive(): void {
    machine.plane.watchdogAlive(clock.now());
    timer = clock.after(ALIVE_TICKS, alive);
  }

  function apply(): void {
    if (timer !== undefined) clock.cancel(timer);
    timer = undefined;
    if (i32at(BOARD_AT) === BOARD_SIM) return;
    const kind = KINDS.get(mode) ?? WATCHDOG_NONE;
    const pieces = kind === WATCHDOG_I6300ESB ? WATCHDOG_PIECES : 1;
    for (let piece = 0; piece < pieces; piece++) {
      if (machine.plane.watchdogStart(kind, piece, clock.now()) === WATCHDOG_NONE) continue;
      alive();
      return;
    }
  }

  context.registry.add({
    words: 'watchdog',
    arguments: 'auto|ib700|off=auto',
    help: 'hardware that resets the board when it stops: one on the PCI bus, an IB700, or none',
    set: ([text = '']) => {
      if (!KINDS.has(text))
        throw new Refusal(`Cannot set watchdog ${text}: it is one of ${[...KINDS.keys()].join(', ')}`);
      mode = text;
      apply();
    },
    unset: () => {
      mode = 'auto';
      apply();
    },
    unsetHelp: 'looks for one on the PCI bus',
    lines: () => (mode === 'auto' ? [] : [`set watchdog ${mode}`]),
  });
  return { start: apply };
}
