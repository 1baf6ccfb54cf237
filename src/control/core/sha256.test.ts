// SHA-256 of bytes that come in pieces, against Node's, with the plane's code in both builds.
import { createHash } from 'node:crypto';
import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import type { Machine } from './machine.ts';
import { Sha256 } from './sha256.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  test.serial(`Sha256 hashes any length in any pieces (${build.name})`, t => {
    build.use();
    const machine = build as unknown as Machine;
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7) ^ (i >> 3)));
    for (let length = 0; length <= bytes.length; length++) {
      const hash = new Sha256(machine);
      const part = bytes.subarray(0, length);
      for (let at = 0; at < length; at += 1 + (length % 97)) {
        // Another's use of the plane's place between two pieces does no harm.
        new Sha256(machine).take(bytes);
        hash.take(part.subarray(at, at + 1 + (length % 97)));
      }
      t.true(createHash('sha256').update(part).digest().equals(hash.finish()), `${length} bytes`);
    }
  });
}
