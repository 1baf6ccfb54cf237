// The overlay `update`: what the commands `update`, `update confirm`, `update back` and `show update` do, and what
// becomes of firmware on trial. Old firmware stays in force until the new one's last sector is written, and again
// when the new one does not prove itself.
// Not here: the commands (commands.ts), noticing at the boot that there is a trial (keeper.ts), the bytes
// on the line and what is said of them (../transfer/), the order of the sectors (../core/slots/writer.ts).

import type { Disk, DiskJob } from '../../../hal/disk/disk.ts';
import * as layout from '../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import {
  payloadBytes,
  refuseHeader,
  setTries,
  setWord,
  slotName,
  versionOf,
  writeHeader,
} from '../core/slots/header.ts';
import { keyText } from '../core/slots/key.ts';
import { checkPayload } from '../core/slots/payload.ts';
import {
  idleSlot,
  isOurs,
  readHeader,
  refuseSector,
  runningSlot,
  SECTOR_BYTES,
  wordOf,
} from '../core/slots/slots.ts';
import type { Trust } from '../core/slots/writer.ts';
import { askToLose } from '../core/store/unsaved.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    update: typeof import('./overlay.ts');
  }
}

export { watchTrial } from './trial.ts';

/** Time to read what happened, and to stay with the old firmware by ^C. */
const LAST_WORDS_TICKS = 3 * TICKS_PER_SECOND;

function diskOf({ disk, noDisk }: Context, what: string): Disk {
  if (disk === undefined) throw new Refusal(`Cannot ${what}: ${noDisk ?? 'there is no disk'}`);
  if (disk.sectorCount < layout.MEDIUM_SECTORS) {
    throw new Refusal(
      `Cannot ${what}: the disk has ${disk.sectorCount} sectors, and two slots need ${layout.MEDIUM_SECTORS}`,
    );
  }
  return disk;
}

/** The header of the firmware that runs. */
function* ownHeader({ machine }: Context, disk: Disk, what: string): Generator<number, Uint8Array, void> {
  const header = new Uint8Array(SECTOR_BYTES);
  const why = (yield* readHeader(disk, runningSlot(), header)) ?? refuseHeader(machine, header);
  if (why !== undefined) throw new Refusal(`Cannot ${what}: ${slotName(runningSlot())} runs, but ${why}`);
  return header;
}

function isConfirmed(header: Uint8Array): boolean {
  return wordOf(header, layout.SLOT_AT_TRIES) < 0;
}

/** `update` and `update unsigned`: receives an image and starts it. */
export function* update(context: Context, trust: Trust): Job {
  const { machine } = context;
  const disk = diskOf(context, 'update');
  const own = yield* ownHeader(context, disk, 'update');
  if (!isConfirmed(own)) {
    throw new Refusal(
      `Cannot update: ${slotName(runningSlot())} is itself on trial, and ${slotName(idleSlot())} is the way back; see update confirm`,
    );
  }
  yield* askToLose(context, 'update');
  yield* machine.overlay('transfer').transfer(context, disk, own, trust);
  yield LAST_WORDS_TICKS;
  machine.reset();
}

/** `update confirm`: makes the firmware that runs permanent now. */
export function* confirm(context: Context): Job {
  const disk = diskOf(context, 'confirm the firmware');
  const own = yield* ownHeader(context, disk, 'confirm the firmware');
  if (isConfirmed(own)) {
    context.output.line(`${slotName(runningSlot())} is permanent already`);
    return;
  }
  const why = yield* setTries(context, disk, layout.SLOT_CONFIRMED);
  if (why !== undefined) throw new Refusal(`Cannot confirm ${slotName(runningSlot())}: ${why}`);
  context.output.line(`Masqbox ${versionOf(own)} in ${slotName(runningSlot())} is permanent now`);
}

/**
 * `update back`: the other slot's firmware from now on, which becomes the newer one by its sequence. Nothing is said against
 * the one that runs: it keeps its state, and `update back` there leads here again.
 */
export function* back(context: Context): Job {
  const { machine, output } = context;
  const name = slotName(idleSlot());
  const disk = diskOf(context, `go back to ${name}`);
  const header = new Uint8Array(SECTOR_BYTES);
  let why = (yield* readHeader(disk, idleSlot(), header)) ?? refuseHeader(machine, header);
  if (why === undefined && !isOurs(header)) why = 'there is no firmware';
  if (why === undefined && wordOf(header, layout.SLOT_AT_TRIES) === 0) why = 'it has failed its trial';
  why ??= yield* checkPayload(machine, disk, idleSlot(), header);
  if (why !== undefined) throw new Refusal(`Cannot go back to ${name}: ${why}`);
  yield* askToLose(context, `go back to ${name}`);
  why = yield* putInForce(context, disk, header);
  if (why !== undefined) throw new Refusal(`Cannot go back to ${name}: ${why}`);
  const trial = isConfirmed(header) ? '' : ', on trial';
  output.line(`Starting Masqbox ${versionOf(header)} in ${name}${trial}`);
  yield LAST_WORDS_TICKS;
  machine.reset();
}

/** Makes the idle slot the newer one; where the header of the one that runs is damaged the loader takes it anyway. */
function* putInForce(context: Context, disk: Disk, header: Uint8Array): DiskJob {
  const { machine } = context;
  const own = new Uint8Array(SECTOR_BYTES);
  const isDamaged = (yield* readHeader(disk, runningSlot(), own)) ?? refuseSector(machine, own);
  if (isDamaged !== undefined) return undefined;
  // The loader has taken the last try for the boot under way, which has not failed.
  if (wordOf(own, layout.SLOT_AT_TRIES) === 0) {
    const why = yield* setTries(context, disk, 1);
    if (why !== undefined) return why;
  }
  setWord(header, layout.SLOT_AT_SEQUENCE, (wordOf(own, layout.SLOT_AT_SEQUENCE) + 1) | 0);
  return yield* writeHeader(machine, disk, idleSlot(), header);
}

/** `show update`: a line for each slot, and the key by which an update is known. */
export function* show(context: Context): Job {
  const { machine, output } = context;
  const disk = diskOf(context, 'show the slots');
  let key = 'a key that cannot be read';
  for (let slot = 0; slot < layout.SLOT_COUNT; slot++) {
    const header = new Uint8Array(SECTOR_BYTES);
    let why = (yield* readHeader(disk, slot, header)) ?? refuseHeader(machine, header);
    if (why === undefined && !isOurs(header)) why = 'there is no firmware';
    const running = slot === runningSlot() ? ', running' : '';
    if (why !== undefined) output.line(`${slotName(slot)}: ${why}${running}`);
    else output.line(`${slotName(slot)}: Masqbox ${versionOf(header)}, ${facts(header)}${running}`);
    if (slot === runningSlot()) key = keyText(header);
  }
  output.line(`An update must be signed by ${key}`);
}

function facts(header: Uint8Array): string {
  const tries = wordOf(header, layout.SLOT_AT_TRIES);
  const state =
    tries < 0 ? 'permanent' : `on trial, ${tries === 0 ? 'no tries left' : `tries left: ${tries}`}`;
  const sequence = wordOf(header, layout.SLOT_AT_SEQUENCE);
  return `${state}, sequence ${sequence}, ${payloadBytes(header)} bytes`;
}
