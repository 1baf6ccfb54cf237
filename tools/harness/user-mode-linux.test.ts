// A guest boots, does what it is told, has a serial line that loses nothing, and leaves nothing behind.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { seeded } from './random.ts';
import { Guest } from './user-mode-linux.ts';

const BYTES = 100_000;

test('a guest carries out commands, has a serial line and a shared folder, and leaves nothing behind', async t => {
  const guest = await Guest.start();
  try {
    t.regex((await guest.command('uname -r; echo one')).output, /^\d+\.\d+.*\none\n$/);
    t.deepEqual(await guest.command('false'), { status: 1, output: '' });
    await t.throwsAsync(guest.output('echo no; exit_with_3() { return 3; }; exit_with_3'), {
      message: /status 3\nno/,
    });
    await guest.output('echo shared >/mnt/out/file');
    t.is(guest.read('file'), 'shared\n');
    t.regex(await guest.output('timeout 5 pppd --version 2>&1'), /pppd version 2\./);
    t.regex(await guest.output('cat /proc/modules'), /^ppp_async /m);

    const random = seeded(1);
    const sent = Buffer.from(Array.from({ length: BYTES }, () => random.below(256)));
    let got = Buffer.alloc(0);
    const whole = new Promise<void>(resolve => {
      guest.serial.on('data', (bytes: Buffer) => {
        got = Buffer.concat([got, bytes]);
        if (got.length >= BYTES) resolve();
      });
    });
    await guest.output('cat <&7 >&7 &');
    guest.serial.write(sent);
    await whole;
    t.true(sent.equals(got));
  } finally {
    await guest.stop();
  }
  t.false(existsSync(guest.folder));
  const words = readdirSync('/proc').flatMap(name => {
    try {
      return [readFileSync(`/proc/${name}/cmdline`, 'utf8')];
    } catch {
      return [];
    }
  });
  t.deepEqual(
    words.filter(line => line.includes(guest.folder)),
    [],
  );
});
