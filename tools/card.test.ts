import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { makeCard, refuseCard } from './card.ts';
import { SetupError } from './setup.ts';

const folder = mkdtempSync(join(tmpdir(), 'masqbox-card-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

/** A file that starts as an image does. */
function image(name: string, bytes = 1024): string {
  const content = Buffer.alloc(bytes);
  content.write('MASQBOX ', 3);
  writeFileSync(at(name), content);
  return at(name);
}

test('refuseCard() takes an image, and a new file in a directory that is there', t => {
  refuseCard(image('good'));
  refuseCard(at('new'));
  t.pass();
});

test('refuseCard() says what is wrong, and the file stays as it is', t => {
  writeFileSync(at('readme.md'), '# not an image\n'.padEnd(1024));
  writeFileSync(at('empty'), '');
  for (const [path, why] of [
    [at('readme.md'), 'it is not a Masqbox image, and is left as it is'],
    [at('empty'), 'it is not a Masqbox image, and is left as it is'],
    [image('odd', 1000), 'it is not a Masqbox image, and is left as it is'],
    [folder, 'it is a directory'],
    ['/dev/null', 'it is no plain file; flash.sh writes to disks'],
    [at('none/card'), `there is no directory ${at('none')}`],
  ] as const) {
    t.throws(() => refuseCard(path), {
      instanceOf: SetupError,
      message: `Cannot start with card ${path}: ${why}`,
    });
  }
  t.throws(() => refuseCard(''), {
    instanceOf: SetupError,
    message: 'Cannot start with a card: FILE is missing behind --card',
  });
  t.regex(readFileSync(at('readme.md'), 'utf8'), /^# not an image/);
});

test('makeCard() says why it cannot copy', t => {
  t.throws(() => makeCard(image('small'), at('none/card')), {
    instanceOf: SetupError,
    message: new RegExp(`^Cannot make card ${at('none/card')}: ENOENT: no such file or directory`),
  });
});

test('makeCard() copies the image and leaves room for an update; a card that is there stays', t => {
  makeCard(image('source'), at('card'));
  t.is(statSync(at('card')).size, 4 << 20);
  t.is(readFileSync(at('card')).subarray(3, 10).toString(), 'MASQBOX');
  writeFileSync(at('kept'), 'kept');
  makeCard(at('source'), at('kept'));
  t.is(readFileSync(at('kept'), 'utf8'), 'kept');
});
