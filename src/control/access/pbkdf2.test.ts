import { pbkdf2Sync } from 'node:crypto';
import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { HASH_AT, HASH_BYTES } from '../../base/limits.ts';
import { PASSWORD_MOST, pbkdf2, SALT_BYTES } from './pbkdf2.ts';

const SALT = '00112233445566778899aabbccddeeff';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const run = (password: string, salt: string, iterations: number): string => {
    const job = pbkdf2(build.plane, password, salt, iterations);
    for (;;) {
      const { done, value } = job.next();
      if (done === true) return value;
    }
  };

  test.serial(`pbkdf2() is RFC 8018's with HMAC-SHA-256, as OpenSSL has it (${build.name})`, t => {
    build.use();
    t.is(SALT.length, 2 * SALT_BYTES);
    for (const password of ['', 'x', 'correct horse', 'p\xc3\xa4sse', 'y'.repeat(PASSWORD_MOST)]) {
      for (const iterations of [1, 2, 3, 17, 100]) {
        const bytes = Buffer.from(password, 'latin1');
        const right = pbkdf2Sync(bytes, Buffer.from(SALT, 'hex'), iterations, 32, 'sha256').toString('hex');
        t.is(run(password, SALT, iterations), right, `${password} ${iterations}`);
      }
    }
  });

  test.serial(`pbkdf2() pauses, and leaves nothing of the password behind (${build.name})`, t => {
    build.use();
    const job = pbkdf2(build.plane, 'secret', SALT, 1000);
    let pauses = 0;
    while (job.next().done !== true) pauses++;
    t.true(pauses > 50);
    const left = () => build.memory.slice(HASH_AT, HASH_AT + HASH_BYTES);
    t.deepEqual(left(), new Uint8Array(HASH_BYTES));
    const cut = pbkdf2(build.plane, 'secret', SALT, 1000);
    cut.next();
    t.notDeepEqual(left(), new Uint8Array(HASH_BYTES));
    cut.return('');
    t.deepEqual(left(), new Uint8Array(HASH_BYTES));
  });
}
