// Power cuts while firmware is written: what the booted 486 writes for an update is recorded write by write
// (harness/disk-log.ts); the loader's own code looks at every prefix of the record, at torn writes and at prefixes of
// which some is missing, and some are booted. Each must bring up the old firmware, or the new once it is whole.
// Not here: the same from other states of the slots (src/control/update/update.test.ts), settings (power-loss.test.ts).

import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as layout from '../src/base/layout.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually } from '../tools/harness/processes.ts';
import { isaCards, Machine } from '../tools/harness/qemu.ts';
import { type Random, runSeed, seeded } from '../tools/harness/random.ts';
import { IMAGE } from './harness/board-router.ts';
import { type DiskEvent, loggedDrive, parseDiskLog } from './harness/disk-log.ts';
import { send, slotOf } from './harness/firmware.ts';
import { boot } from './harness/loader.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';

const { SECTOR_BYTES } = layout;
const SLOT_B = layout.SLOT_SECTOR + layout.SLOT_SECTORS;
const DISK_BYTES = 4 << 20;
const BOARD_BYTES = 8 << 20;
const BOOT_SECONDS = 180;
/** Of how many prefixes one is also looked at torn, and with writes missing. */
const EACH = 8;

type Write = Extract<DiskEvent, { kind: 'write' }>;

interface State {
  readonly title: string;
  readonly disk: Buffer;
  /** The slot that must come up. */
  readonly slot: number;
}

let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'masqbox-update-power-'));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

async function start(extra: readonly string[]): Promise<Machine> {
  const machine = await Machine.start({ cards: isaCards({ user: true }, { user: true }), extra });
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

/** An update on the booted board, as the disk saw it. */
async function record(): Promise<{ before: Buffer; events: DiskEvent[] }> {
  const [disk, log] = [join(folder, 'disk.img'), join(folder, 'log')];
  await copyFile(IMAGE, disk);
  await truncate(disk, DISK_BYTES);
  const before = await readFile(disk);
  await writeFile(log, '');
  const machine = await start(loggedDrive(disk, log));
  try {
    await send(machine, slotOf(IMAGE, '9.9.9'));
    await machine.console.expect('starts on trial', BOOT_SECONDS);
  } finally {
    await machine.stop();
  }
  const ofUpdate = (event: DiskEvent): boolean =>
    event.kind === 'flush' || event.sector >= layout.SLOT_SECTOR;
  return { before, events: parseDiskLog(await readFile(log)).filter(ofUpdate) };
}

function put(disk: Buffer, { sector, bytes }: Write, count = bytes.length): void {
  disk.set(bytes.subarray(0, count), sector * SECTOR_BYTES);
}

/** Of them, the one that is booted. */
const BOOTED_TORN = 256;
/** Bytes of the last header that are on the disk when the power goes in its middle: in its fields, and at its checksum. */
const TORN_BYTES = [1, 4, 12, 16, 44, 128, 160, 256, 507, 508, 511];

/** The states that a cut may leave, each with what must come up. A state's disk is used before the next is made. */
function* cuts(before: Buffer, events: readonly DiskEvent[], random: Random): Generator<State> {
  const last = events.findLastIndex(({ kind }) => kind === 'write');
  let [now, flushed, loose]: [Buffer, Buffer, Write[]] = [Buffer.from(before), Buffer.from(before), []];
  for (const [index, event] of events.entries()) {
    const slot = index >= last ? 1 : 0;
    if (event.kind === 'flush') {
      flushed = Buffer.from(now);
      loose = [];
      continue;
    }
    if (index === last) yield* headerCuts(before, now, events.slice(0, index + 1), random);
    const isClose = loose.length < EACH || index > last - EACH || index % EACH === 0;
    if (isClose && index !== last) {
      const torn = Buffer.from(now);
      put(torn, event, 1 + random.below(event.bytes.length - 1));
      yield { title: `torn in write ${index}`, disk: torn, slot: 0 };
    }
    put(now, event);
    loose.push(event);
    yield { title: `after write ${index}`, disk: now, slot };
    // The header stands alone behind its flush: without it the state is one of those above.
    if (!isClose || index === last) continue;
    const some = Buffer.from(flushed);
    for (const write of loose) if (random.chance(0.5)) put(some, write);
    yield { title: `some of what was not flushed at write ${index}`, disk: some, slot };
  }
}

/**
 * Cuts in the last write, the header: torn, over the zeros that were there and over noise; and on a disk that says of what
 * is in its memory that it was flushed, so that the header is there and some of the payload is not.
 */
function* headerCuts(
  before: Buffer,
  now: Buffer,
  events: readonly DiskEvent[],
  random: Random,
): Generator<State> {
  const writes = events.filter(event => event.kind === 'write');
  const header = writes.at(-1) as Write;
  for (const count of TORN_BYTES) {
    const torn = Buffer.from(now);
    put(torn, header, count);
    // Its checksum may end with zeros.
    if (header.bytes.subarray(count).every(byte => byte === 0)) continue;
    yield { title: `torn in the header at ${count}`, disk: torn, slot: 0 };
    const noise = Buffer.from(torn);
    for (let at = count; at < SECTOR_BYTES; at++) noise[SLOT_B * SECTOR_BYTES + at] = random.below(256);
    yield { title: `torn in the header at ${count}, noise behind`, disk: noise, slot: 0 };
  }
  for (let i = 0; i < EACH; i++) {
    const lost = 1 + random.below(writes.length - 2);
    const some = Buffer.from(before);
    // The last writes of the payload are lost, or one of them; the header's zeros come first.
    for (const [at, write] of writes.entries()) {
      const isLost = i % 2 === 0 ? at === lost : at >= lost && at < writes.length - 1;
      if (!isLost) put(some, write);
    }
    yield { title: `the header before payload ${lost}, ${i}`, disk: some, slot: 0 };
  }
}

/** Boots a disk, which must come up with this slot and take commands. */
async function boots(t: ExecutionContext, { title, disk, slot }: State): Promise<void> {
  const path = join(folder, 'cut.img');
  await writeFile(path, disk);
  const machine = await start(['-drive', `file=${path},format=raw,if=ide,index=0,snapshot=on`]);
  try {
    const running =
      slot === 0
        ? /^slot A: .*running\nslot B: (there is no|its header is|Masqbox 9\.9\.9, on trial)/m
        : /^slot B: Masqbox 9\.9\.9, .*running/m;
    await eventually(
      () => machine.console.command('show update', BOOT_SECONDS),
      answer => running.test(answer),
    );
    t.notRegex(machine.console.transcript, /restarted|panic/, title);
  } finally {
    await machine.stop();
  }
}

test('a power cut at any write of an update leaves the old firmware, or the new one on trial', async t => {
  t.timeout(TEST_MILLISECONDS);
  const { before, events } = await record();
  const writes = events.filter(event => event.kind === 'write');
  t.true(writes.length > 100);
  for (const { sector, bytes } of writes) {
    const end = sector + bytes.length / SECTOR_BYTES;
    t.true(sector >= SLOT_B && end <= SLOT_B + layout.SLOT_SECTORS, `sectors ${sector} to ${end}`);
  }
  t.deepEqual(
    [writes[0]?.sector, writes.at(-1)?.sector],
    [SLOT_B, SLOT_B],
    'the header is taken away first and comes last',
  );
  const seed = runSeed();
  const wanted = new Set([0, 1, 2, 3, 5].map(i => Math.round((i * (writes.length - 2)) / 5)));
  let [states, headers] = [0, 0];
  const kept: State[] = [];
  for (const state of cuts(before, events, seeded(seed))) {
    t.is(boot(state.disk, BOARD_BYTES).slot, state.slot, `seed ${seed}: ${state.title}`);
    states++;
    if (state.slot === 1 || [...wanted].some(index => state.title === `after write ${index}`)) {
      kept.push({ ...state, disk: Buffer.from(state.disk) });
    }
    if (state.title === `torn in the header at ${BOOTED_TORN}` || state.title.endsWith(', 1')) {
      kept.push({ ...state, disk: Buffer.from(state.disk) });
      headers++;
    }
  }
  t.is(kept.at(-1)?.slot, 1);
  t.is(headers, 2, 'one torn in its middle, one before its payload');
  t.log(`${writes.length} writes, ${states} states of the disk, ${kept.length} booted`);
  for (const state of kept) await boots(t, state);
});
