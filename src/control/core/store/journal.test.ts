// The flash log over the model of a disk: what comes back, after cuts at every sector, with bad sectors, when it is full.

import test from 'ava';
import fc from 'fast-check';
import { UNC } from '../../../../hal/disk/ata-registers.ts';
import { SECTOR_BYTES } from '../../../../hal/disk/disk.ts';
import { type DiskEvent, powerCuts } from '../../../../test/harness/disk-log.ts';
import { memory, modelDisk, plane } from '../../../../test/harness/model-disk.ts';
import { runSeed } from '../../../../tools/harness/random.ts';
import { LOG_SECTOR, LOG_SECTORS } from '../../../base/layout.ts';
import { KEPT_COUNT, KEPT_TEXT } from '../../crash/overlay.ts';
import { type Entry, FlashLog, KEYS_MOST, PAYLOAD_MOST } from './journal.ts';

const DISK_SECTORS = LOG_SECTOR + LOG_SECTORS + 1;

/** A journal on a disk with these bytes, as after a start. */
function open(bytes: Buffer, events: DiskEvent[] = [], isLive = (_kind: number, _key: number) => true) {
  const { disk, drive, run } = modelDisk(bytes, events);
  const journal = new FlashLog({ memory, plane }, disk, isLive);
  const state = new Map<string, string>();
  const why = run(
    journal.open(({ kind, key, payload }) => {
      state.set(`${kind} ${key}`, Buffer.from(payload).toString());
    }),
  );
  const write = (...entries: Entry[]): string | undefined => run(journal.write(entries));
  return { journal, state, why, write, drive, run };
}

const entry = (key: number, text: string, kind = 1): Entry => ({ kind, key, payload: Buffer.from(text) });
const blank = (): Buffer => Buffer.alloc(DISK_SECTORS * SECTOR_BYTES);

test.serial('write() and open(): the newest record of each key comes back, over many laps', t => {
  const bytes = blank();
  const expected = new Map<string, string>();
  for (let i = 0; i < 5 * LOG_SECTORS; i++) {
    const { write, state, journal, why } = open(bytes);
    t.is(why, undefined);
    t.deepEqual([...state].sort(), [...expected].sort(), `before write ${i}`);
    t.is(journal.sequence, i);
    t.is(write(entry(i % 7, `value ${i}`), entry(-1, `last ${i}`, 2)), undefined);
    expected.set(`1 ${i % 7}`, `value ${i}`);
    expected.set('2 -1', `last ${i}`);
  }
  t.true(bytes.subarray(0, LOG_SECTOR * SECTOR_BYTES).every(byte => byte === 0));
  t.true(bytes.subarray((LOG_SECTOR + LOG_SECTORS) * SECTOR_BYTES).every(byte => byte === 0));
});

test.serial(
  'a power cut at any sector, torn or out of order, leaves the old or the new record of each key',
  t => {
    const seed = runSeed();
    const batches = fc.sample(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 150 }), fc.string({ minLength: 1, maxLength: 60 })), {
        minLength: 1,
        maxLength: 14,
      }),
      { numRuns: 260, seed },
    );
    const bytes = blank();
    const expected = new Map<string, string>();
    let cuts = 0;
    for (const [turn, batch] of batches.entries()) {
      const before = Buffer.from(bytes);
      const events: DiskEvent[] = [];
      const { write, state } = open(bytes, events);
      t.deepEqual([...state].sort(), [...expected].sort(), `seed ${seed}, batch ${turn}`);
      const news = new Map(
        batch.map(([key, text]) => [`1 ${key}`, Buffer.from(`${turn} ${text}`).toString()]),
      );
      t.is(write(...[...news].map(([id, text]) => entry(Number(id.slice(2)), text))), undefined);
      for (const [id, text] of news) expected.set(id, text);
      if (turn % 8 > 1) continue; // all of them take minutes
      for (const { title, image } of powerCuts(before, events)) {
        cuts++;
        const after = open(Buffer.from(image)).state;
        for (const id of new Set([...state.keys(), ...news.keys()])) {
          const is = after.get(id);
          if (is !== state.get(id) && is !== news.get(id))
            t.fail(`seed ${seed}, batch ${turn}, ${title}: ${id} is ${is}`);
        }
      }
    }
    t.log(`${cuts} cuts`);
    t.true(cuts > 400);
  },
);

test.serial('a sector that cannot be written is passed over, and nothing is lost', t => {
  const bytes = blank();
  const { write, drive } = open(bytes);
  drive.bad.set(LOG_SECTOR + 5, UNC);
  drive.bad.set(LOG_SECTOR + 40, UNC);
  for (let i = 0; i < 3 * LOG_SECTORS; i++) t.is(write(entry(i % 9, `value ${i}`)), undefined);
  const { state } = open(bytes);
  const last = 3 * LOG_SECTORS - 1;
  for (let i = last; i > last - 9; i--) t.is(state.get(`1 ${i % 9}`), `value ${i}`);
});

test.serial('a disk that takes no sector is told, and what could not be written is written later', t => {
  const bytes = blank();
  const { write, drive } = open(bytes);
  for (let sector = 0; sector < DISK_SECTORS; sector++) drive.bad.set(sector, UNC);
  t.is(write(entry(1, 'a')), 'the data cannot be read (UNC)');
  drive.bad.clear();
  t.is(write(entry(1, 'b')), undefined);
  t.is(open(bytes).state.get('1 1'), 'b');
});

test.serial('sectors that cannot be read are told, and the others count', t => {
  const bytes = blank();
  const first = open(bytes);
  first.write(entry(1, 'a'));
  first.write(entry(2, 'b'));
  const { drive, journal, run } = open(bytes);
  drive.bad.set(LOG_SECTOR, UNC);
  const seen: number[] = [];
  t.is(run(journal.open(({ key }) => seen.push(key))), 'the data cannot be read (UNC)');
  t.true(seen.includes(2));
});

test.serial('a log as full as leases and crashes can make it takes changes for ever; more is refused', t => {
  const bytes = blank();
  const { write } = open(bytes);
  const text = (i: number): string => `${i}`.padEnd(70, 'x');
  for (let i = 0; i < 256; i++) t.is(write(entry(i, text(i))), undefined);
  const crash = (i: number): Entry => entry(i % KEPT_COUNT, `${i}`.padEnd(4 + KEPT_TEXT, 'c'), 3);
  for (let i = 0; i < 500; i++) {
    t.is(write(entry((i * 37) % 256, text(1000 + i))), undefined);
    if (i % 20 === 0) t.is(write(crash(i / 20)), undefined);
  }
  t.is(open(bytes).state.size, 256 + KEPT_COUNT);
  let why: string | undefined;
  for (let i = 0; i < LOG_SECTORS && why === undefined; i++)
    why = write(entry(1000 + i, 'y'.repeat(PAYLOAD_MOST)));
  t.is(why, 'the log is full');
});

test.serial(
  'what does not matter any more goes when its sector comes to be written over; erase() forgets all',
  t => {
    const bytes = blank();
    const { write, journal, run } = open(bytes, [], (_kind, key) => key !== 3);
    write(entry(3, 'gone'));
    for (let i = 0; i < LOG_SECTORS; i++) write(entry(4, `${i}`));
    t.false(journal.has(1, 3));
    t.deepEqual([...open(bytes).state.keys()], ['1 4']);
    t.is(run(journal.erase()), undefined);
    t.is(open(bytes).state.size, 0);
    t.is(write(entry(5, 'new')), undefined);
    t.deepEqual([...open(bytes).state], [['1 5', 'new']]);
  },
);

test.serial('read() tells of one kind', t => {
  const bytes = blank();
  const { write, journal, run } = open(bytes);
  write(entry(1, 'lease'), entry(0, 'crash', 3));
  write(entry(0, 'later', 3));
  const seen: string[] = [];
  t.is(run(journal.read(3, ({ payload }) => seen.push(Buffer.from(payload).toString()))), undefined);
  t.deepEqual(seen, ['later']);
});

test.serial('open() knows no more keys than there is room for, those of the newest sectors', t => {
  const bytes = blank();
  // None is taken along, so the last lap's are there.
  const writer = open(bytes, [], () => false);
  const count = 1200;
  for (let key = 0; key < count; key += 10)
    t.is(writer.write(...Array.from({ length: 10 }, (_, i) => entry(key + i, 'x'.repeat(16)))), undefined);
  const { state, journal, write } = open(bytes);
  t.true(state.size <= KEYS_MOST && state.size > KEYS_MOST - 64, `${state.size}`);
  for (let key = count - 400; key < count; key++) t.true(journal.has(1, key), `${key}`);
  t.false(journal.has(1, 0));
  t.is(write(entry(5000, 'more')), undefined);
  t.is(open(bytes).state.get('1 5000'), 'more');
});
