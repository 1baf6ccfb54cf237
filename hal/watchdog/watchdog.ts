// The hardware watchdog: which there is, and when it is fed. Both halves must be alive for that: the plane's tick
// feeds it, once a second, as long as control has said within WATCHDOG_SILENT_TICKS that its timers run. A control
// that hangs is started anew within 6 s, so what the watchdog ends is a board that does neither.
// Not here: the chips (ib700.ts, i6300esb.ts), the setting (src/control/watchdog/watchdog.ts).

import { TICKS_PER_SECOND, WATCHDOG_AT, WATCHDOG_SILENT_TICKS } from '../../src/base/limits.ts';
import { i32at, puti32 } from '../../src/base/memory.ts';
import { I6300ESB_PIECES, i6300esbFeed, i6300esbFind, i6300esbStart, i6300esbStop } from './i6300esb.ts';
import { ib700Feed, ib700Stop } from './ib700.ts';

export const WATCHDOG_NONE: i32 = 0;
export const WATCHDOG_IB700: i32 = 1;
export const WATCHDOG_I6300ESB: i32 = 2;

/** Which is running. */
export const WATCHDOG_KIND_AT: i32 = WATCHDOG_AT;
/** i6300esb: its place on the bus and its registers. */
const PLACE_AT: i32 = WATCHDOG_AT + 4;
const BASE_AT: i32 = WATCHDOG_AT + 8;
/** The ticks at which control was last alive, and the watchdog last fed. */
const ALIVE_AT: i32 = WATCHDOG_AT + 12;
const FED_AT: i32 = WATCHDOG_AT + 16;

/** Pieces in which the PCI bus is looked through, as the caller keeps interrupts off: at most 420 accesses each. */
export const WATCHDOG_PIECES: i32 = I6300ESB_PIECES;

/** Starts the watchdog of that kind, if it is there (on PCI: in that piece), and stops another. Answers what runs. */
export function watchdogStart(kind: i32, piece: i32, now: i32): i32 {
  if (i32at(WATCHDOG_KIND_AT) !== kind) watchdogStop();
  puti32(ALIVE_AT, now);
  puti32(FED_AT, now);
  if (kind === WATCHDOG_IB700) ib700Feed();
  if (kind === WATCHDOG_I6300ESB) {
    const place: i32 = i6300esbFind(piece);
    const base: i32 = place < 0 ? 0 : i6300esbStart(place);
    if (base === 0) return WATCHDOG_NONE;
    puti32(PLACE_AT, place);
    puti32(BASE_AT, base);
  }
  puti32(WATCHDOG_KIND_AT, kind);
  return kind;
}

export function watchdogStop(): void {
  const kind: i32 = i32at(WATCHDOG_KIND_AT);
  if (kind === WATCHDOG_IB700) ib700Stop();
  if (kind === WATCHDOG_I6300ESB) i6300esbStop(i32at(PLACE_AT));
  puti32(WATCHDOG_KIND_AT, WATCHDOG_NONE);
}

/** Control's word that it is alive. */
export function watchdogAlive(now: i32): void {
  puti32(ALIVE_AT, now);
}

/** Each tick. */
export function watchdogTick(now: i32): void {
  const kind: i32 = i32at(WATCHDOG_KIND_AT);
  if (kind === WATCHDOG_NONE || ((now - i32at(FED_AT)) | 0) < TICKS_PER_SECOND) return;
  if (((now - i32at(ALIVE_AT)) | 0) > WATCHDOG_SILENT_TICKS) return;
  puti32(FED_AT, now);
  if (kind === WATCHDOG_IB700) ib700Feed();
  else i6300esbFeed(i32at(BASE_AT));
}
