// flash.sh, run on plain files, and on loop devices where this machine lets us make them.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import * as layout from '../src/base/layout.ts';
import { configArea, decodeConfig, encodeConfig, putConfig } from './records.ts';
import { writeImage } from './writer.ts';

const script = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'flash.sh');
const { SECTOR_BYTES } = layout;
const IMAGE_BYTES = layout.IMAGE_SECTORS * SECTOR_BYTES;

const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-flash-'));
const at = (name: string) => path.join(folder, name);
const bootSector = Buffer.alloc(SECTOR_BYTES);
bootSector.write('MASQBOX ', 3);
const image = writeImage({
  bootSector,
  loader: Buffer.alloc(31744, 3),
  kernel: Buffer.from('kernel'),
  snapshot: Buffer.from('snapshot'),
  version: '0.1.0',
});
writeFileSync(at('masqbox.img'), image);
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function flash(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(script, words, { encoding: 'utf8' });
}

/** Runs flash.sh, which must refuse with this message and no other. */
function refuses(t: ExecutionContext, words: string[], message: string): void {
  const { status, stderr } = flash(...words);
  t.is(status, 1);
  t.is(stderr, `${message}\n`);
}

test('flash.sh writes a plain file and says that it compared', t => {
  const { status, stdout, stderr } = flash(at('masqbox.img'), at('new'));
  t.is(status, 0, stderr);
  t.true(readFileSync(at('new')).equals(image));
  t.is(stderr, `Writing ${at('new')}: 100 %\nComparing ${at('new')}: 100 %\n`);
  t.is(stdout, `${at('new')} holds ${at('masqbox.img')}\n`);
});

test('flash.sh clears the header of slot B and leaves alone what else lies behind the image', t => {
  writeFileSync(at('large'), Buffer.alloc(IMAGE_BYTES + 3 * SECTOR_BYTES, 0xee));
  t.is(flash(at('masqbox.img'), at('large')).status, 0);
  const written = readFileSync(at('large'));
  t.true(written.subarray(0, IMAGE_BYTES).equals(image));
  const behind = written.subarray(IMAGE_BYTES);
  t.deepEqual(behind.subarray(0, SECTOR_BYTES), Buffer.alloc(SECTOR_BYTES));
  t.deepEqual(behind.subarray(SECTOR_BYTES), Buffer.alloc(2 * SECTOR_BYTES, 0xee));
  t.is(layout.SLOT_SECTOR + layout.SLOT_SECTORS, layout.IMAGE_SECTORS);
});

test('flash.sh --config puts in what decodeConfig() reads and encodeConfig() writes', t => {
  const texts = [
    '',
    'x',
    'set wan dhcp\n',
    'set name Gaußstraße\n'.repeat(400),
    'y'.repeat(layout.CONFIG_TEXT_MAX),
  ];
  texts.forEach((text, i) => {
    writeFileSync(at(`config${i}`), text);
    const { status, stdout, stderr } = flash(
      '--unchecked',
      '--config',
      at(`config${i}`),
      at('masqbox.img'),
      at(`configured${i}`),
    );
    t.is(status, 0, stderr);
    t.true(stdout.endsWith(` with configuration ${at(`config${i}`)}\n`));
    const written = readFileSync(at(`configured${i}`));
    const area = configArea(written, 0);
    t.deepEqual(decodeConfig(area), { sequence: 1, text });
    const record = encodeConfig(1, text);
    t.deepEqual(area.subarray(0, record.length), record);
    putConfig(written, 0, new Uint8Array(area.length));
    t.true(written.equals(image), 'nothing else has changed');
  });
});

test('flash.sh checks the lines of a configuration before anything is written', t => {
  writeFileSync(
    at('typo'),
    '# mine\n\nset lan address 10.0.0.1/24\nset lan adress 10.0.0.2/24\nset dhcp lease 5\n',
  );
  const words = ['--config', at('typo'), at('masqbox.img'), at('checked')];
  refuses(
    t,
    words,
    [
      '  line 4: Cannot run set lan adress 10.0.0.2/24: there is no such command, see help',
      '  line 5: Cannot set DHCP lease 5: it is not 120 to 8640000',
      `Cannot store configuration ${at('typo')}: the board would refuse these lines (--unchecked stores it all the same)`,
    ].join('\n'),
  );
  t.throws(() => readFileSync(at('checked')), { code: 'ENOENT' });
  t.is(flash('--unchecked', ...words).status, 0);
  writeFileSync(at('right'), 'set lan address 10.0.0.1/24\n');
  const { status, stderr } = flash('--config', at('right'), at('masqbox.img'), at('checked'));
  t.is(status, 0, stderr);
  t.notRegex(stderr, /not checked/);
});

test('flash.sh says where the lines of a configuration cannot be checked', t => {
  // A copy of the script lies beside no packages.
  writeFileSync(at('flash.sh'), readFileSync(script), { mode: 0o755 });
  writeFileSync(at('any'), 'set no such thing\n');
  const { status, stderr } = spawnSync(
    at('flash.sh'),
    ['--config', at('any'), at('masqbox.img'), at('unchecked')],
    { encoding: 'utf8' },
  );
  t.is(status, 0, stderr);
  t.true(
    stderr.startsWith(`The lines of ${at('any')} are not checked: that needs Node and npm ci\n`),
    stderr,
  );
});

test('decodeConfig() refuses a record with any bit wrong', t => {
  const area = encodeConfig(-5, 'set lan address 10.0.0.1/8\n');
  t.deepEqual(decodeConfig(area), { sequence: -5, text: 'set lan address 10.0.0.1/8\n' });
  const end = layout.CONFIG_AT_TEXT + 'set lan address 10.0.0.1/8\n'.length;
  for (let bit = 0; bit < 8 * end; bit++) {
    if (bit >= 8 * 20 && bit < 8 * layout.CONFIG_AT_TEXT) continue; // reserved
    const damaged = area.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    t.is(decodeConfig(damaged), null, `bit ${bit}`);
  }
  t.throws(() => encodeConfig(1, 'x'.repeat(layout.CONFIG_TEXT_MAX + 1)), { message: /65537 bytes: 65536/ });
});

test('flash.sh refuses a configuration that is missing, too long, or no text', t => {
  const words = (config: string) => ['--config', config, at('masqbox.img'), at('refused')];
  refuses(t, words(at('none')), `Cannot read configuration ${at('none')}: no such file`);
  writeFileSync(at('long'), 'x'.repeat(layout.CONFIG_TEXT_MAX + 1));
  refuses(
    t,
    words(at('long')),
    `Cannot store configuration ${at('long')}: it has 65537 bytes, and 65536 fit`,
  );
  writeFileSync(at('binary'), 'a\0b');
  refuses(t, words(at('binary')), `Cannot store configuration ${at('binary')}: it is not a text`);
  t.throws(() => readFileSync(at('refused')), { code: 'ENOENT' });
});

test('flash.sh refuses what is no image and what is no target', t => {
  const ours = at('masqbox.img');
  writeFileSync(at('noise'), Buffer.alloc(1024, 1));
  mkdirSync(at('folder'));
  refuses(t, [at('noise'), at('x')], `Cannot flash ${at('noise')}: it is not a Masqbox image`);
  refuses(
    t,
    [at('none'), at('x')],
    `Cannot read image ${at('none')}: no such file (npm run image builds it)`,
  );
  refuses(t, [ours, '/dev/masqbox9'], 'Cannot write to /dev/masqbox9: no such device');
  refuses(t, [ours, at('no/file')], `Cannot write to ${at('no/file')}: no such directory`);
  refuses(t, [ours, at('folder')], `Cannot write to ${at('folder')}: it is a directory`);
  refuses(t, [ours, '/dev/null'], 'Cannot write to /dev/null: it is neither a disk nor a plain file');
  refuses(t, [ours, ours], `Cannot write to ${ours}: it is the image itself`);
  refuses(t, ['--quick', ours], 'Cannot use option --quick: there is none of that name (see --help)');
  refuses(t, [ours, '--config'], 'Cannot use --config: the FILE is missing (see --help)');
  refuses(t, [ours, '--config=', at('x')], 'Cannot use --config=: the FILE is missing (see --help)');
  refuses(t, [ours, at('x'), at('y')], `Cannot use ${at('y')}: IMAGE and TARGET are enough (see --help)`);
});

test('flash.sh explains itself', t => {
  const { status, stdout } = flash('--help');
  t.is(status, 0);
  t.regex(stdout, /--config FILE/);
  t.is(flash('-h').stdout, stdout);
  t.is(flash().status, 1);
  t.is(flash().stderr, stdout);
});

// --- loop devices: fixed disks, as far as the kernel says -------------------------------------------------

/** A loop device of that many bytes, or null where there is none to be had. */
function loopDevice(t: ExecutionContext, name: string, bytes: number): string | null {
  writeFileSync(at(name), '');
  truncateSync(at(name), bytes);
  const { status, stdout, stderr } = spawnSync('losetup', ['--find', '--show', at(name)], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    t.log(`SKIPPED: no loop device here (${String(stderr).trim() || 'losetup is missing'})`);
    t.pass();
    return null;
  }
  const device = stdout.trim();
  t.teardown(() => void spawnSync('losetup', ['--detach', device]));
  return device;
}

test.serial('flash.sh writes to a fixed disk only with --force', t => {
  const device = loopDevice(t, 'disk', 4 << 20);
  if (device === null) return;
  const ours = at('masqbox.img');
  refuses(
    t,
    [ours, device],
    `Cannot write to ${device}: it is a fixed disk; add --force if it is the right one`,
  );
  refuses(
    t,
    ['--force', ours, device],
    `Cannot ask whether ${device} is the right disk: there is no terminal; add --yes`,
  );
  t.true(
    readFileSync(at('disk')).every(byte => byte === 0),
    'nothing is written before somebody has said so',
  );
  const { status, stderr } = flash('--force', '--yes', ours, device);
  t.is(status, 0, stderr);
  execFileSync('sync');
  t.true(readFileSync(at('disk')).subarray(0, IMAGE_BYTES).equals(image));
});

test.serial('flash.sh names the disk and writes only when told yes', async t => {
  const device = loopDevice(t, 'asked', 4 << 20);
  if (device === null) return;
  const asked = async (answer: string): Promise<string> => {
    const command = `${script} --force ${at('masqbox.img')} ${device}`;
    // script(1) gives it a terminal.
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (/\(yes or no\) $/.test(text)) child.stdin.write(`${answer}\r`);
    });
    await new Promise(resolve => child.on('close', resolve));
    return text;
  };
  const refused = await asked('n');
  t.true(refused.includes(`${device}: a disk without a name, 4M. All that it holds will be lost.`), refused);
  t.true(refused.includes('Nothing was written'), refused);
  t.true(readFileSync(at('asked')).every(byte => byte === 0));
  const written = await asked('yes');
  t.true(written.includes(`${device} holds ${at('masqbox.img')}`), written);
});

test('flash.sh says when it was interrupted, and what the target is then', t => {
  for (const [program, said] of [
    ['cp', `Interrupted: nothing was written to ${at('cut')}`],
    ['dd', `Interrupted: ${at('cut')} holds no whole image now and will not boot; write it again`],
    [
      'sha256sum',
      `Interrupted: ${at('cut')} is written, and not all of it was compared; write it again to be sure`,
    ],
  ] as const) {
    // A program of that name that tells the script to end, before it does its work.
    const bin = at(`bin-${program}`);
    mkdirSync(bin);
    const real = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
    // The script may have started it by a shell of the same name, and that by another.
    const find =
      'top=$PPID; while up=$(sed -n "s/PPid:\\s*//p" /proc/$top/status); grep -q flash.sh /proc/$up/cmdline; do top=$up; done';
    const own = `#!/bin/sh\n${find}\ncase "$(basename $0) $*" in *of=${at('cut')}*|*/image|sha*) kill -TERM $top ;; esac\nexec ${real} "$@"\n`;
    writeFileSync(path.join(bin, program), own, { mode: 0o755 });
    const { status, stderr } = spawnSync(script, [at('masqbox.img'), at('cut')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    });
    t.is(status, 1);
    t.is(stderr.replace(/^Writing .*\n/, ''), `${said}\n`);
  }
  t.true(readFileSync(at('cut')).equals(image), 'all was written');
});

test.serial('flash.sh refuses a disk that is smaller than the image, by one sector', t => {
  const device = loopDevice(t, 'small', IMAGE_BYTES - SECTOR_BYTES);
  if (device === null) return;
  refuses(
    t,
    ['--force', at('masqbox.img'), device],
    `Cannot write to ${device}: it has ${IMAGE_BYTES - SECTOR_BYTES} bytes, and the image has ${IMAGE_BYTES}`,
  );
});

test.serial('flash.sh refuses a mounted disk, even with --force', t => {
  const device = loopDevice(t, 'mounted', 8 << 20);
  if (device === null) return;
  mkdirSync(at('mount'));
  const made = spawnSync('mkfs.ext4', ['-q', device], { encoding: 'utf8' });
  const mounted = spawnSync('mount', [device, at('mount')], { encoding: 'utf8' });
  if (made.status !== 0 || mounted.status !== 0) {
    t.log(`SKIPPED: cannot mount here (${String(made.stderr)}${String(mounted.stderr)})`);
    t.pass();
    return;
  }
  t.teardown(() => void spawnSync('umount', [at('mount')]));
  refuses(
    t,
    ['--force', at('masqbox.img'), device],
    `Cannot write to ${device}: it is in use at ${at('mount')}; unmount it first`,
  );
});
