// Updates on a disk in memory: what is refused, what each boot is told, and that a power cut at any sector leaves a
// disk that the loader boots. On the board: test/update.test.ts. Keys: signature.test.ts.
import test from 'ava';
import { encodeSlotHeader } from '../../../image/records.ts';
import { signerOf } from '../../../image/signing.ts';
import { writeSlot } from '../../../image/writer.ts';
import { boot } from '../../../test/harness/loader.ts';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import * as layout from '../../base/layout.ts';
import { TRIES } from '../core/slots/writer.ts';
import { createKeeper } from './keeper.ts';
import { TRIAL_LEAST_TICKS, TRIAL_MOST_TICKS } from './trial.ts';
import {
  boardWith,
  bootSector,
  bootsWell,
  diskOf,
  type Fate,
  IMAGE,
  install,
  key,
  MEDIUM,
  memoryDisk,
  newFirmware,
  noise,
  oldFirmware,
  once,
  otherKey,
  otherPayload,
  run,
  runToEnd,
  SECTOR_BYTES,
  SLOT,
  SLOT_AT,
  signedWith,
  signer,
  type Write,
  ymodem,
} from './update-lab.ts';

test.serial('an image, or a slot alone, goes to the other slot, whatever the sizes of its pieces', t => {
  for (const [file, step] of [
    [IMAGE, 1024],
    [IMAGE, 1000],
    [SLOT, 128],
    [SLOT, 100_000],
    [Buffer.concat([SLOT, Buffer.alloc(900, 0x1a)]), 1024],
  ] as const) {
    const { disk, bytes } = memoryDisk(diskOf({}, null));
    t.is(runToEnd(install(boardWith(disk), disk, file, step)), undefined);
    const slot = Buffer.from(bytes.subarray(SLOT_AT[1]));
    const expected = Buffer.from(writeSlot(newFirmware, { sequence: 2, tries: TRIES, medium: MEDIUM }));
    t.true(slot.subarray(0, expected.length).equals(expected));
    const { slot: booted, disk: after } = boot(bytes);
    t.is(booted, 1);
    t.is(Buffer.from(after).readInt32LE((SLOT_AT[1] as number) + layout.SLOT_AT_TRIES), TRIES - 1);
  }
});

test.serial('a power cut at every sector, torn sectors and lost ones leave a disk that boots', t => {
  const seed = runSeed();
  const random = seeded(seed);
  for (const before of [
    diskOf({}, null),
    diskOf({}, { sequence: -3 }),
    diskOf({}, { sequence: 0, tries: 0 }),
  ]) {
    const { disk, writes } = memoryDisk(before.slice());
    t.is(runToEnd(install(boardWith(disk), disk, SLOT)), undefined);
    t.true(writes.length > 30);
    const last = writes.findLastIndex(write => write !== 'flush');
    const now = before.slice();
    let flushed = before.slice();
    const put = (to: Uint8Array, write: Write, count = SECTOR_BYTES): Uint8Array => {
      if (write !== 'flush') to.set(write.bytes.subarray(0, count), write.sector * SECTOR_BYTES);
      return to;
    };
    let epoch: Write[] = [];
    for (const [index, write] of writes.entries()) {
      const what = `seed ${seed}, operation ${index} of ${writes.length}`;
      const torn = put(now.slice(), write, 1 + random.below(SECTOR_BYTES - 1));
      t.is(bootsWell(t, torn, `${what}, torn`), index <= last ? 0 : 1);
      put(now, write);
      t.is(bootsWell(t, now, what), index < last ? 0 : 1);
      if (write === 'flush') {
        flushed = now.slice();
        epoch = [];
      } else {
        epoch.push(write);
        const some = flushed.slice();
        for (const each of epoch) if (random.chance(0.5)) put(some, each);
        // The header is the only sector of its epoch: it is there or not.
        const isNew = index === last && headerOf(some).equals(headerOf(now));
        t.is(bootsWell(t, some, `${what}, some of what was not flushed`), isNew ? 1 : 0);
      }
    }
  }
});

function headerOf(disk: Uint8Array): Buffer {
  return Buffer.from(disk.subarray(SLOT_AT[1], (SLOT_AT[1] as number) + SECTOR_BYTES));
}

/** What an update of this disk is made of, when all goes well. */
function operationsOf(before: Uint8Array): Write[] {
  const { disk, writes } = memoryDisk(before.slice());
  runToEnd(install(boardWith(disk), disk, SLOT));
  return writes;
}

test.serial('a disk that fails at any operation leaves the old firmware in force, and that is said', t => {
  const count = operationsOf(diskOf({}, null)).length;
  for (let fails = 0; fails < count; fails++) {
    const { disk, bytes } = memoryDisk(diskOf({}, null), fails);
    const why = runToEnd(install(boardWith(disk), disk, SLOT));
    // In the middle of a chunk of sectors no operation begins.
    if (why === undefined) continue;
    t.is(why, 'the disk does not answer');
    t.is(bootsWell(t, bytes, `operation ${fails}`), 0);
  }
});

test.serial('the last header: an error, torn and lost writes leave a disk that boots what is said', t => {
  for (const before of [
    diskOf({}, null),
    diskOf({}, { sequence: 0 }),
    diskOf({}, { sequence: 0, tries: 0 }),
  ]) {
    const operations = operationsOf(before);
    const last = operations.findLastIndex(write => write !== 'flush');
    t.is(operations[last + 1], 'flush');
    // The write is answered with an error, or the flush behind it; of the header nothing, a part or all is on the disk;
    // and the disk recovers, or does not any more.
    for (const fails of [last, last + 1]) {
      for (const fate of ['nothing', 'all', 1, 4, 20, 100, 256, 507, 508, 511] as Fate[]) {
        for (const forGood of [false, true]) {
          const what = `operation ${fails} of ${operations.length}, on the disk: ${fate}, ${forGood}`;
          const { disk, bytes } = memoryDisk(before.slice(), fails, fate, forGood);
          const said = run(boardWith(disk), 'update', ymodem(SLOT));
          const isWhole = Buffer.from(bytes.subarray(SLOT_AT[1], SLOT_AT[1]! + SECTOR_BYTES)).equals(
            Buffer.from(
              writeSlot(newFirmware, { sequence: 2, tries: TRIES, medium: MEDIUM }).subarray(0, SECTOR_BYTES),
            ),
          );
          const slot = bootsWell(t, bytes, what);
          t.is(slot, isWhole ? 1 : 0, what);
          if (forGood)
            t.is(
              said,
              'Cannot update: the disk does not answer; the next start may find either slot in force',
              what,
            );
          else {
            t.is(said, 'Cannot update: the disk does not answer; slot A stays in force', what);
            t.is(slot, 0, what);
          }
        }
      }
    }
    // A disk that breaks its promise: the header is there, some of what was flushed before it is not.
    const random = seeded(runSeed());
    const payload = operations.slice(0, last).filter(write => write !== 'flush');
    for (let i = 0; i < 20; i++) {
      const bytes = before.slice();
      const lost = random.below(payload.length);
      for (const [index, write] of [...payload, operations[last] as Write].entries()) {
        // The first is the header's zeros.
        if (write !== 'flush' && (index === 0 || index !== Math.max(1, lost)))
          bytes.set(write.bytes, write.sector * SECTOR_BYTES);
      }
      t.is(bootsWell(t, bytes, `seed ${runSeed()}, write ${lost} lost`), 0);
    }
  }
});

test.serial('confirming: an error, torn and lost writes leave a disk that boots', t => {
  const before = diskOf({}, { sequence: 2, tries: 2 });
  for (const fate of ['nothing', 'all', 1, 13, 16, 256, 508, 511] as Fate[]) {
    for (const fails of [0, 1]) {
      const { disk, bytes } = memoryDisk(before.slice(), fails, fate);
      const said = run(boardWith(disk, 1), 'update confirm');
      t.is(said, 'Cannot confirm slot B: the disk does not answer');
      const { slot } = boot(bytes);
      const isTorn = fails === 0 && typeof fate === 'number' && fate > layout.SLOT_AT_TRIES;
      t.is(slot, isTorn ? 0 : 1, `${fate}`);
    }
  }
});

test.serial('going back on the last boot: an error, torn and lost writes leave a disk that boots', t => {
  const before = diskOf({}, { sequence: 2, tries: 0 });
  for (const fate of ['nothing', 'all', 1, 13, 16, 256, 508, 511] as Fate[]) {
    for (const fails of [0, 1, 2, 3]) {
      const { disk, bytes } = memoryDisk(before.slice(), fails, fate);
      const said = run(boardWith(disk, 1), 'update back');
      t.is(said, 'Cannot go back to slot A: the disk does not answer');
      const { slot } = boot(bytes);
      t.true(slot >= 0, `${fate} ${fails}`);
    }
  }
});

test.serial('what is no image, is damaged, foreign or cut is refused, and slot A is untouched', t => {
  const header = (change: object): Uint8Array => {
    const slot = Buffer.from(SLOT);
    const view = (at: number): number => slot.readUInt32LE(at);
    const facts = {
      sequence: 1,
      tries: -1,
      kernelPacked: view(layout.SLOT_AT_KERNEL_PACKED),
      kernelBytes: view(layout.SLOT_AT_KERNEL_BYTES),
      snapshotPacked: view(layout.SLOT_AT_SNAPSHOT_PACKED),
      snapshotBytes: view(layout.SLOT_AT_SNAPSHOT_BYTES),
      payloadCrc: view(layout.SLOT_AT_PAYLOAD_CRC),
      medium: 1,
      version: '0.2.0',
    };
    slot.set(encodeSlotHeader({ ...facts, ...change }));
    return slot;
  };
  const changed = (at: number): Uint8Array => {
    const slot = Buffer.from(SLOT);
    slot[at]! ^= 1;
    return slot;
  };
  const cases: [Uint8Array, RegExp, boolean][] = [
    [new Uint8Array(0), /^it is no Masqbox image$/, true],
    [noise(5000, 9), /^it is no Masqbox image$/, true],
    [Buffer.concat([bootSector, Buffer.alloc(200_000)]), /^it is no Masqbox image$/, true],
    [changed(100), /^its header is damaged$/, true],
    [header({ kernelPacked: 0 }), /^its lengths are impossible$/, true],
    [header({ kernelBytes: 0 }), /^its lengths are impossible$/, true],
    [header({ snapshotPacked: 0 }), /^its lengths are impossible$/, true],
    [header({ snapshotPacked: 0xffffffff }), /^its lengths are impossible$/, true],
    [header({ snapshotBytes: 0 }), /^its lengths are impossible$/, true],
    [header({ snapshotBytes: 0x80000000 }), /^its lengths are impossible$/, true],
    [header({ snapshotBytes: 8 << 20 }), /^the board has too little RAM for it$/, true],
    [header({ snapshotBytes: 0x7fffffff }), /^the board has too little RAM for it$/, true],
    [header({ kernelBytes: 0x7fffffff }), /^the board has too little RAM for it$/, true],
    [header({ tries: -2 }), /^its tries are impossible$/, true],
    [header({ tries: layout.SLOT_TRIES_MOST + 1 }), /^its tries are impossible$/, true],
    [header({ version: '' }), /^its version is no text$/, true],
    [header({ version: '0.2 0' }), /^its version is no text$/, true],
    [header({}), /^it is not signed$/, true],
    [
      writeSlot({ ...newFirmware, signer: signerOf(otherKey) }),
      /^it comes with key [0-9a-f]{16}, and this board knows key [0-9a-f]{16}$/,
      true,
    ],
    [
      writeSlot({ ...newFirmware, signer: signerOf(otherKey, key) }),
      /^its signature is not that of key [0-9a-f]{16}$/,
      true,
    ],
    [signedWith(layout.SLOT_AT_VERSION, 0x09), /^its signature is not that of key/, true],
    [signedWith(layout.SLOT_AT_BUILT, 0x09), /^its signature is not that of key/, true],
    [signedWith(layout.SLOT_AT_PAYLOAD_HASH, 0x09), /^its signature is not that of key/, true],
    [signedWith(layout.SLOT_AT_SIGNATURE, 0x09), /^its signature is not that of key/, true],
    [otherPayload(), /^its contents are not those that were signed$/, false],
    [header({ snapshotPacked: layout.SLOT_SECTORS * SECTOR_BYTES }), /^its lengths are impossible$/, true],
    [header({ kernelBytes: 8 << 20 }), /^the board has too little RAM for it$/, true],
    [changed(2000), /^its contents are damaged$/, false],
    [changed(SLOT.length - 1), /^its contents are damaged$/, false],
    [SLOT.subarray(0, SLOT.length - 1), /^\d+ of \d+ bytes came$/, false],
    [SLOT.subarray(0, 512), /^0 of \d+ bytes came$/, false],
  ];
  for (const [file, message, keepsOther] of cases) {
    const before = diskOf({}, { sequence: 0 });
    const { disk, bytes, writes } = memoryDisk(before.slice());
    t.regex(String(runToEnd(install(boardWith(disk), disk, file))), message);
    t.is(writes.length === 0, keepsOther, String(message));
    const a = SLOT_AT[0] as number;
    t.true(Buffer.from(bytes.subarray(0, SLOT_AT[1])).equals(before.subarray(0, SLOT_AT[1])), `${a}`);
    t.is(bootsWell(t, bytes, String(message)), 0);
  }
});

// --- the commands -----------------------------------------------------------------------------------------------

test.serial('update receives by YMODEM, says what it does, and resets', t => {
  const { disk, bytes } = memoryDisk(diskOf({}, null));
  const board = boardWith(disk);
  t.is(run(board, 'update', ymodem(IMAGE)), '');
  t.is(board.resets(), 1);
  const lines = board.output.filter(text => text.length > 2);
  t.deepEqual(lines, [
    'Send the image by YMODEM, or by XMODEM with blocks of 1 KB; ^C cancels',
    'Masqbox 0.2.0 is in slot B and starts on trial; ^C leaves that to the next reboot',
  ]);
  t.is(boot(bytes).slot, 1);
});

test.serial('update says why not, and what stays', t => {
  const { disk } = memoryDisk(diskOf({}, null));
  const bad = IMAGE.slice();
  bad[layout.SLOT_SECTOR * SECTOR_BYTES + 700]! ^= 4;
  t.is(
    run(boardWith(disk), 'update', ymodem(bad)),
    'Cannot update: its contents are damaged; slot A stays in force',
  );
  t.is(
    run(boardWith(disk), 'update', once(Uint8Array.of(3))),
    'Cannot update: cancelled; slot A stays in force',
  );
  t.is(run(boardWith(disk), 'update'), 'Cannot update: nothing was sent; slot A stays in force');
  t.is(run(boardWith(undefined), 'update'), 'Cannot update: the board was booted from a floppy');
  const small = memoryDisk(new Uint8Array(4000 * SECTOR_BYTES)).disk;
  t.is(run(boardWith(small), 'update'), 'Cannot update: the disk has 4000 sectors, and two slots need 5568');
  const trial = memoryDisk(diskOf({}, { sequence: 2, tries: 2 })).disk;
  t.is(
    run(boardWith(trial, 1), 'update'),
    'Cannot update: slot B is itself on trial, and slot A is the way back; see update confirm',
  );
});

test.serial('show update, update confirm and update back', t => {
  const { disk, bytes } = memoryDisk(diskOf({}, { sequence: 2, tries: 2 }));
  const board = boardWith(disk, 1);
  t.is(run(board, 'show update'), '');
  t.deepEqual(board.output.splice(0), [
    `slot A: Masqbox 0.1.0, permanent, sequence 1, ${writeSlot(oldFirmware).length - 512} bytes`,
    `slot B: Masqbox 0.1.0, on trial, tries left: 2, sequence 2, ${writeSlot(oldFirmware).length - 512} bytes, running`,
    `An update must be signed by key ${Buffer.from(signer.boardKey.subarray(0, 8)).toString('hex')}`,
  ]);
  t.is(run(board, 'update confirm'), '');
  t.deepEqual(board.output.splice(0), ['Masqbox 0.1.0 in slot B is permanent now']);
  // Back and forth, as often as one likes, and each time with true words.
  for (let turn = 0; turn < 4; turn++) {
    const running = 1 - (turn % 2);
    const here = boardWith(disk, running);
    t.is(run(here, 'update back'), '');
    t.deepEqual(here.output.splice(0), [`Starting Masqbox 0.1.0 in slot ${'BA'[running]}`]);
    t.is(here.resets(), 1);
    const { slot, disk: after } = boot(bytes);
    t.is(slot, 1 - running);
    t.true(Buffer.from(after).equals(bytes), 'no slot is on trial');
    const next = boardWith(disk, slot);
    createKeeper(next.context, next.wan).start(false);
    next.ticks(200);
    t.deepEqual(next.shown, []);
    t.is(run(next, 'show update'), '');
    for (const row of next.output.slice(0, 2)) t.regex(row, /permanent, sequence/);
  }

  // What is given up while it is on trial keeps its tries, and can be tried again.
  const trying = memoryDisk(diskOf({}, { sequence: 2, tries: 2 }));
  t.is(run(boardWith(trying.disk, 1), 'update back'), '');
  t.is(boot(trying.bytes).slot, 0);
  const again = boardWith(trying.disk, 0);
  t.is(run(again, 'update back'), '');
  t.is(again.output.at(-1), 'Starting Masqbox 0.1.0 in slot B, on trial');
  t.is(boot(trying.bytes).slot, 1);
  // On its last boot there are none left, and nothing has failed yet.
  const last = memoryDisk(diskOf({}, { sequence: 2, tries: 0 }));
  t.is(run(boardWith(last.disk, 1), 'update back'), '');
  t.is(boot(last.bytes).slot, 0);
  const old = boardWith(last.disk, 0);
  createKeeper(old.context, old.wan).start(false);
  old.ticks(200);
  t.deepEqual(old.shown, []);
  t.is(run(old, 'update back'), '');
  t.is(old.output.at(-1), 'Starting Masqbox 0.1.0 in slot B, on trial');
  const { slot: booted, disk: lastBoot } = boot(last.bytes);
  t.is(booted, 1);
  t.is(boot(lastBoot).slot, 0, 'it was one boot');
  const failed = boardWith(memoryDisk(diskOf({}, { sequence: 2, tries: 0 })).disk);
  t.is(run(failed, 'update back'), 'Cannot go back to slot B: it has failed its trial');

  const lonely = boardWith(memoryDisk(diskOf({}, null)).disk);
  t.is(run(lonely, 'update back'), 'Cannot go back to slot B: there is no firmware');
  t.is(run(lonely, 'show update'), '');
  t.is(lonely.output.at(-2), 'slot B: there is no firmware');
});

test.serial('update and update back ask where settings would be lost', t => {
  for (const [command, slots, question, cannot] of [
    ['update', null, 'Update', 'update'],
    ['update unsigned', null, 'Update', 'update'],
    ['update back', { sequence: 0 }, 'Go back to slot B', 'go back to slot B'],
  ] as const) {
    for (const answer of ['', 'no', 'yes']) {
      const { disk, bytes } = memoryDisk(diskOf({}, slots));
      const before = Buffer.from(bytes);
      const board = boardWith(disk);
      const { context, output } = board;
      const setting = { words: 'a', arguments: 'N', help: '', set: () => {}, lines: () => ['set a 1'] };
      context.registry.add(setting);
      const asked: string[] = [];
      // biome-ignore lint/correctness/useYield: it is answered at once
      context.ask = function* (prompt: string) {
        asked.push(prompt);
        return answer;
      };
      const refusal = run(board, command, ymodem(IMAGE));
      t.deepEqual(asked, [`${question} all the same: yes or no [no]: `]);
      t.regex(output[0] ?? '', /^The settings are not saved/);
      t.is(refusal, answer === 'yes' ? '' : `Cannot ${cannot}: it was not confirmed`);
      t.is(board.resets(), answer === 'yes' ? 1 : 0);
      if (answer !== 'yes') t.true(before.equals(bytes), 'nothing was written');
    }
  }
});

test.serial('a trial is confirmed after a minute in which the WAN was tried', t => {
  const { disk, bytes } = memoryDisk(diskOf({}, { sequence: 2, tries: 2 }));
  const board = boardWith(disk, 1);
  createKeeper(board.context, board.wan).start(false);
  board.ticks(TRIAL_LEAST_TICKS + 200);
  t.deepEqual(board.shown, ['update: Masqbox 0.1.0 in slot B is on trial, tries left: 2']);
  board.tryWan();
  board.ticks(200);
  t.is(board.shown.at(-1), 'update: Masqbox 0.1.0 in slot B is permanent now');
  board.ticks(TRIAL_MOST_TICKS);
  t.is(board.resets(), 0);
  const { slot, disk: after } = boot(bytes);
  t.is(slot, 1);
  t.true(Buffer.from(after).equals(bytes), 'no try was taken');
});

test.serial('a trial without the WAN ends by resets, and then the old firmware says so', t => {
  const { disk, bytes } = memoryDisk(diskOf({}, { sequence: 2, tries: 1 }));
  const trial = boardWith(disk, 1);
  createKeeper(trial.context, trial.wan).start(false);
  trial.ticks(TRIAL_MOST_TICKS - 100);
  t.is(trial.resets(), 0);
  trial.ticks(400);
  t.is(trial.resets(), 1);
  t.regex(trial.shown.at(-1) ?? '', /has not tried the WAN in 300 s: resetting/);
  const first = boot(bytes);
  t.is(first.slot, 1, 'its last try');
  const second = boot(first.disk);
  t.is(second.slot, 0);
  const old = boardWith(memoryDisk(second.disk).disk);
  createKeeper(old.context, old.wan).start(false);
  old.ticks(100);
  t.deepEqual(old.shown, ['update: Masqbox 0.1.0 in slot B has failed its trial']);
});

test.serial('permanent firmware starts no trial, and needs no overlay', t => {
  for (const image of [
    diskOf({}, null),
    diskOf({}, { sequence: 0 }),
    new Uint8Array(layout.MEDIUM_SECTORS * 512),
  ]) {
    const board = boardWith(memoryDisk(image).disk);
    Object.assign(board.context.machine, { overlay: () => t.fail('the overlay is loaded') });
    createKeeper(board.context, board.wan).start(false);
    board.ticks(TRIAL_MOST_TICKS + 500);
    t.deepEqual(board.shown, []);
    t.is(board.resets(), 0);
  }
});
