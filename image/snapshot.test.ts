// What the snapshot is, as it is made of the sources. Not here: that boards start from it (test/).

import test from 'ava';
import { HOST_COLLECT, HOST_OVERLAY } from '../src/base/abi.ts';
import { bundle } from './bundle.ts';
import { compact, SHIFT } from './compact.ts';
import { embed } from './embed.ts';
import { heapBytes, heapChunks } from './heap.ts';
import { takeSnapshot } from './snapshot.ts';

/**
 * Each start unpacks it, and a board of 4 MB has it twice: packed, too. It was 765,952 before rules and shell, 794,624 with what is
 * resident of them, 802,816 with what reads overlays from the disk, for which such a board has 400 KB, 823,296 with
 * lines that pass the editor, further addresses and their manifests, 860,160 with those of serial links and queues, and what the plane
 * has for them, 864,256 with what dials, answers and PPPoE add to their words.
 */
const SNAPSHOT_MOST = 864_256;

test('the snapshot has no holes, is the same each time, and is not larger than it may be', async t => {
  const { bytes, engine } = await takeSnapshot();
  t.true(bytes.length <= SNAPSHOT_MOST, `${bytes.length}`);
  const again = await takeSnapshot();
  t.is(Buffer.compare(bytes, again.bytes), 0);
  t.true([...heapChunks(engine.memory, engine.stackPointer)].length > 1000);
});

test('compact() leaves one free block, and an engine that goes on as before', async t => {
  const firmware = await bundle();
  const [engine, plain] = [embed(firmware), embed(firmware)];
  compact(engine, embed(firmware, undefined, undefined, undefined, SHIFT));
  const chunks = [...heapChunks(engine.memory, engine.stackPointer)];
  t.deepEqual(
    chunks.filter(({ used }) => !used),
    chunks.slice(-1),
  );
  const used = (from: typeof engine): number => heapBytes(from.memory, from.stackPointer, true);
  t.is(used(engine), used(plain));
  // Objects of old and new shapes, strings, collections, overlays: what a moved heap could trip over.
  const script = `(() => {
    const all = [];
    for (let i = 0; i < 2000; i++) all.push({ a: i, words: 'show ' + i, list: [i, String(i)], ['b' + i % 7]: i });
    for (let number = 1; number < 6; number++) { __host(${HOST_OVERLAY}, number); all.push(Object.keys(__overlay)); }
    globalThis.__overlay = 0;
    __host(${HOST_COLLECT});
    return [all.length, new Map(all.map(it => [it, it.words])).get(all[77]), JSON.stringify(all.slice(-5))];
  })()`;
  for (let turn = 0; turn < 3; turn++) t.deepEqual(engine.evaluate(script), plain.evaluate(script));
});

test('compact() changes nothing where it cannot tell what it sees', async t => {
  const firmware = await bundle();
  const [engine, twin] = [embed(firmware), embed(firmware, undefined, undefined, undefined, SHIFT)];
  // A word that is no address: then another one in its place is no rest of any.
  const own = new Uint32Array(engine.memory.buffer);
  const word = own.findIndex((value, at) => 4 * at > engine.context && value > 0x20000000);
  const words = new Uint32Array(twin.memory.buffer);
  words[word + SHIFT / 4] = (own[word] as number) ^ 0x5a5a5a5a;
  const before = new Uint8Array(engine.memory.buffer).slice();
  t.throws(() => compact(engine, twin), { message: /Cannot tell what lies in the heap/ });
  t.is(Buffer.compare(before, new Uint8Array(engine.memory.buffer)), 0);
});
