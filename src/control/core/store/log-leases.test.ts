// The board's flash log when a record is to be written over a sector with leases: whether they matter is asked of the table.

import test from 'ava';
import { memory, modelDisk, plane } from '../../../../test/harness/model-disk.ts';
import { LOG_AT_SEQUENCE, LOG_SECTOR, LOG_SECTORS, SECTOR_BYTES } from '../../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { FlashLog } from './journal.ts';
import { leaseEntry } from './lease-store.ts';
import { blank, powerOn } from './store-lab.ts';

test('a record goes into a log full of leases that nobody has any more', async t => {
  const bytes = blank();
  const { disk, run } = modelDisk(bytes, []);
  const journal = new FlashLog({ memory, plane }, disk, () => true);
  run(journal.open(() => {}));
  for (let i = 0; i < LOG_SECTORS + 3; i++) {
    const chaddr = Uint8Array.from([2, 0, 0, 0, 0, i]);
    const lease = { address: 0x0a000001 + i, key: chaddr, htype: 1, chaddr, name: `host-${i}`, seconds: 60 };
    t.is(run(journal.write([leaseEntry(lease, undefined)])), undefined);
  }
  const { board } = await powerOn(bytes);
  // Which card has which role is written after the first start.
  for (let second = 0; second < 120; second++) {
    board.advance(TICKS_PER_SECOND);
    board.run();
  }
  const sequences = Array.from({ length: LOG_SECTORS }, (_, i) =>
    bytes.readInt32LE((LOG_SECTOR + i) * SECTOR_BYTES + LOG_AT_SEQUENCE),
  );
  t.true(Math.max(...sequences) > LOG_SECTORS + 3, 'a record was written');
});
