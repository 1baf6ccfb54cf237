// Who has made firmware: what each of `update` and `update unsigned` takes, and what is said of the key and of the age.
// What of a header is signed: update.test.ts. The arithmetic: ../signature/ed25519.test.ts.
import { crc32 } from 'node:zlib';
import test from 'ava';
import { signerOf } from '../../../image/signing.ts';
import { writeSlot } from '../../../image/writer.ts';
import { boot } from '../../../test/harness/loader.ts';
import * as layout from '../../base/layout.ts';
import { SlotWriter } from '../core/slots/writer.ts';
import {
  boardWith,
  bootsWell,
  diskOf,
  install,
  key,
  MEDIUM,
  memoryDisk,
  newFirmware,
  OWN,
  oldFirmware,
  otherKey,
  run,
  runToEnd,
  SLOT,
  SLOT_AT,
  signedWith,
  ymodem,
} from './update-lab.ts';

test.serial('update unsigned takes what nobody or somebody else has signed', t => {
  for (const file of [
    writeSlot({ ...newFirmware, signer: undefined }),
    writeSlot({ ...newFirmware, signer: signerOf(otherKey) }),
    signedWith(layout.SLOT_AT_BUILT, 0x39),
  ]) {
    const { disk, bytes } = memoryDisk(diskOf({}, null));
    t.is(runToEnd(install(boardWith(disk), disk, file, 1024, 'unsigned')), undefined);
    t.is(bootsWell(t, bytes, 'unsigned'), 1);
  }
  // What is damaged is refused all the same.
  const { disk } = memoryDisk(diskOf({}, null));
  const damaged = Buffer.from(SLOT);
  damaged[SLOT.length - 1]! ^= 1;
  t.is(runToEnd(install(boardWith(disk), disk, damaged, 1024, 'unsigned')), 'its contents are damaged');
});

test.serial('who is refused once is not believed a second time', t => {
  const { disk, writes } = memoryDisk(diskOf({}, null));
  const writer = new SlotWriter(boardWith(disk).context.machine, disk, 1, OWN, 'signed');
  const unsigned = writeSlot({ ...newFirmware, signer: undefined });
  t.not(runToEnd(writer.take(unsigned.subarray(0, layout.SECTOR_BYTES))), undefined);
  t.is(runToEnd(writer.take(unsigned)), 'one of its headers was refused already');
  t.deepEqual(writes, []);
});

test.serial('firmware without a key takes nothing by update, and everything by update unsigned', t => {
  const own = writeSlot({ ...oldFirmware, signer: undefined }, { medium: MEDIUM });
  const image = diskOf(null, null);
  image.set(own, SLOT_AT[0]);
  const { disk } = memoryDisk(image.slice());
  t.is(
    run(boardWith(disk), 'update', ymodem(SLOT)),
    'Cannot update: the firmware that runs has no key to check it by; slot A stays in force',
  );
  const { disk: open, bytes } = memoryDisk(image.slice());
  const board = boardWith(open);
  t.is(run(board, 'update unsigned', ymodem(SLOT)), '');
  t.regex(board.output.join('\n'), /Further updates must be signed by key [0-9a-f]{16}/);
  t.is(bootsWell(t, bytes, 'unsigned'), 1);
});

test.serial('firmware that hands over to another key is taken, and then that key counts', t => {
  const next = writeSlot({ ...newFirmware, signer: signerOf(key, otherKey) });
  const { disk, bytes } = memoryDisk(diskOf({}, null));
  const board = boardWith(disk);
  t.is(run(board, 'update', ymodem(next)), '');
  t.true(board.output.some(line => /^Further updates must be signed by key [0-9a-f]{16}$/.test(line)));
  const later = boot(bytes).disk;
  new DataView(later.buffer).setInt32(SLOT_AT[1]! + layout.SLOT_AT_TRIES, -1, true);
  const header = Buffer.from(later.subarray(SLOT_AT[1], SLOT_AT[1]! + layout.SLOT_AT_HEADER_CRC));
  new DataView(later.buffer).setUint32(SLOT_AT[1]! + layout.SLOT_AT_HEADER_CRC, crc32(header), true);
  const after = boardWith(memoryDisk(later).disk, 1);
  t.regex(
    run(after, 'update', ymodem(SLOT)),
    /^Cannot update: it comes with key \w+, and this board knows key \w+; slot B/,
  );
  t.is(run(after, 'update', ymodem(writeSlot({ ...newFirmware, signer: signerOf(otherKey) }))), '');
});

test.serial('update says that firmware is older, by its version or by its day', t => {
  const cases: [string, number, RegExp | undefined][] = [
    ['0.0.9', 5000, /^Masqbox 0\.0\.9 is older than Masqbox 0\.1\.0, which runs$/],
    ['0.1', 999, /^Masqbox 0\.1 is built before Masqbox 0\.1\.0, which runs$/],
    ['0.1.0', 1000, undefined],
    ['0.1.0', 1001, undefined],
    ['0.10.0', 5, undefined],
    ['1', 0, undefined],
    ['0.1.0.1', 0, undefined],
    ['dirty', 9999, /^Masqbox dirty is older than/],
  ];
  for (const [version, built, news] of cases) {
    const board = boardWith(memoryDisk(diskOf({}, null)).disk);
    t.is(run(board, 'update', ymodem(writeSlot({ ...newFirmware, version, built }))), '');
    const said = board.output.find(line => / is (older|built)/.test(line));
    if (news === undefined) t.is(said, undefined, version);
    else t.regex(said ?? '', news);
    t.is(board.resets(), 1, 'it is taken all the same');
  }
});
