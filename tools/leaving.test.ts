import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { eventually, Processes } from './harness/processes.ts';
import { createLeaving, releaseTerminal } from './leaving.ts';

/** The sim compiles the firmware first. */
const PATIENCE_SECONDS = 600;

const keys = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('createLeaving() leaves at Ctrl-], and at a second Ctrl-C within a second', t => {
  let now = 0;
  const isLeaving = createLeaving(() => now);
  t.false(isLeaving(keys('show')));
  t.false(isLeaving(keys('\x03')));
  now += 1000;
  t.false(isLeaving(keys('\x03')), 'too late to be the second');
  now += 999;
  t.true(isLeaving(keys('x\x03')));
  t.true(isLeaving(keys('ping\x1d')));
  t.true(createLeaving(() => now)(keys('\x03\x03')), 'both at once');
});

test('releaseTerminal() lets what follows go on where the terminal has been closed', t => {
  const calls: string[] = [];
  const stdin = {
    isTTY: true,
    setRawMode: (): never => {
      throw new Error('setRawMode EIO');
    },
    destroy: () => calls.push('destroy'),
  };
  t.notThrows(() => releaseTerminal(stdin as unknown as NodeJS.ReadStream));
  t.deepEqual(calls, ['destroy']);
});

const processes = new Processes();
test.after.always(() => processes.stopAll());

/** Whether a process is over; one that nobody has asked for its status yet is. */
function isOver(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === true;
  } catch {
    return true;
  }
}

/** `npm start -- --sim` on a terminal of its own, at its prompt, and the numbers of its processes. */
async function sim() {
  const program = join(import.meta.dirname, 'start.ts');
  const line = `EXEC:${process.execPath} --import=tsx ${program} --sim,pty,ctty,setsid,stderr`;
  const running = processes.start(['socat', 'STDIO', line], { interactive: true });
  await running.until(/masqbox> $/, PATIENCE_SECONDS);
  const below = (pid: string): string[] => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return children.filter(child => child !== '').flatMap(child => [child, ...below(child)]);
  };
  return { running, pids: below(String(running.child.pid)) };
}

test.serial('the sim leaves at Ctrl-C twice', async t => {
  t.timeout(1000 * PATIENCE_SECONDS);
  const { running, pids } = await sim();
  t.true(pids.length >= 2, 'npm start, and the sim below it');
  // The first is the console's.
  running.send('abc\x03');
  await running.until(/\^C\s+masqbox> $/);
  running.send('\x03\x03');
  await running.wait(() => running.ended, PATIENCE_SECONDS);
  t.is(running.status, 0, running.report());
  t.notRegex(running.stdout, /Error/);
  await eventually(() => pids.every(isOver), Boolean);
});

test.serial('the sim ends with its terminal', async t => {
  t.timeout(1000 * PATIENCE_SECONDS);
  const { running, pids } = await sim();
  running.child.kill('SIGKILL');
  await eventually(() => pids.every(isOver), Boolean);
  t.pass();
});
