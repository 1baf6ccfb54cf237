import test from 'ava';
import fc from 'fast-check';
import { internetChecksum, payload } from '../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { runSeed } from '../../tools/harness/random.ts';
import { BUFFERS_AT } from '../base/limits.ts';

const AT = BUFFERS_AT;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;
  const put16 = (p: number, value: number) => memory.set([value >> 8, value & 255], p);
  const read16 = (p: number) => ((memory[p] as number) << 8) | (memory[p + 1] as number);

  test.serial(`checksum() is RFC 1071's at every length and alignment (${name})`, t => {
    build.use();
    for (let align = 0; align < 4; align++) {
      for (let n = 0; n < 70; n++) {
        const bytes = payload(n, 200);
        memory.fill(0xff, AT, AT + 100);
        memory.set(bytes, AT + align);
        if (plane.checksum(AT + align, n) !== internetChecksum(bytes)) t.fail(`${n} bytes at ${align}`);
      }
    }
    t.pass();
  });

  test.serial(`sum() folds the largest carries (${name})`, t => {
    build.use();
    memory.fill(0xff, AT, AT + 65536);
    for (const n of [2, 4, 1500, 65532, 65534]) t.is(plane.sum(AT, n), 0xffff);
    t.is(plane.sum(AT, 1), 0xff00);
    t.is(plane.sum(AT, 65535), internetChecksum(memory.slice(AT, AT + 65535)) ^ 0xffff);
    memory.fill(0, AT, AT + 64);
    t.is(plane.sum(AT, 64), 0);
    t.is(plane.checksum(AT, 0), 0xffff);
  });

  test.serial(`adjust16() gives 0 where RFC 1141 gave 0xffff: the example of RFC 1624, 4 (${name})`, t => {
    build.use();
    put16(AT, 0xdd2f);
    plane.adjust16(AT, 0x5555, 0x3285);
    t.is(read16(AT), 0x0000);
  });

  test.serial(`adjust16() and adjust32() agree with the whole sum (${name})`, t => {
    build.use();
    const word = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.array(word, { minLength: 4, maxLength: 4 }), word, word, (words, high, low) => {
        // Byte 0 keeps the data from being all zeros, whose sum has two forms.
        const bytes = new Uint8Array(10);
        bytes[0] = 0x45;
        for (const [i, value] of words.entries()) bytes.set([value >> 8, value & 255], 2 + 2 * i);
        const old = words.slice(0, 2) as [number, number];
        put16(AT, internetChecksum(bytes));
        plane.adjust32(AT, (old[0] << 16) | old[1], (high << 16) | low);
        bytes.set([high >> 8, high & 255, low >> 8, low & 255], 2);
        if (read16(AT) !== internetChecksum(bytes)) return false;
        plane.adjust16(AT, words[2] as number, high);
        bytes.set([high >> 8, high & 255], 6);
        return read16(AT) === internetChecksum(bytes);
      }),
      { seed: runSeed() },
    );
    t.pass();
  });
}
