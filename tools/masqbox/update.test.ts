// What `masqbox update` does where Ctrl-C meets it, and where the board asks; the board is a script. The transfer's bytes:
// ymodem.test.ts; on the booted board: test/masqbox.test.ts.
import test from 'ava';
import { Failure, INTERRUPTED, REFUSED } from './failure.ts';
import type { Firmware } from './image-file.ts';
import { Inbox } from './inbox.ts';
import type { Session } from './session.ts';
import { followTrial, update } from './update.ts';

const interruption = (): Failure => new Failure('Interrupted', INTERRUPTED);
const SLOTS = ['slot A: Masqbox 0.1.0, permanent, sequence 1, 9 bytes, running'];
const READY = 'Send the image; ^C cancels\r\n';
const DONE = 'Masqbox 9.9.9 is in slot B and starts on trial\r\n';
const firmware = { version: '9.9.9', slot: new Uint8Array(3000) } as unknown as Firmware;

/** A session whose board says these texts, one each time something is waited for; `null` is where Ctrl-C comes. */
function script(texts: (string | null)[], readings = Number.MAX_SAFE_INTEGER) {
  let typed = '';
  let byte = 0;
  const session = {
    run: async () => ({ rows: SLOTS, refusal: undefined }),
    type: async (text: string) => {
      typed += text;
    },
    write: async (bytes: Uint8Array) => {
      typed += Buffer.from(bytes).toString('latin1');
    },
    // Asks for a block and acknowledges one, in turn: the sender takes what it waits for.
    read: async () => {
      if (byte++ === readings) throw interruption();
      return byte % 2 === 1 ? 0x43 : 6;
    },
    expect: async (pattern: RegExp) => {
      const text = texts.shift();
      if (text === null) throw interruption();
      const match = pattern.exec(text ?? '');
      return match === null ? undefined : { match, before: '' };
    },
    rest: async () => {
      throw interruption();
    },
    open: async () => {},
    now: () => 0,
  };
  const watcher = { tell() {}, progress() {} };
  return {
    session: session as unknown as Session,
    typed: () => typed,
    run: () => update(session as unknown as Session, firmware, watcher),
  };
}

const GOES_ON = 'Interrupted: the board goes on by itself; show update tells what it runs';

test('Ctrl-C before the transfer leaves the board at its prompt', async t => {
  const { run, typed } = script([null]);
  const error = await t.throwsAsync(run(), { instanceOf: Failure, message: 'Interrupted' });
  t.is((error as Failure).status, INTERRUPTED);
  t.is(typed(), 'update\r\x03');
});

test('Ctrl-C during the transfer cancels it, and the board says what stays', async t => {
  const refusal = 'Cannot update: the sender cancelled; slot A stays in force';
  for (const readings of [0, 1, 3, 5]) {
    const { run, typed } = script([READY, `${refusal}\r\n`], readings);
    const error = await t.throwsAsync(run(), { instanceOf: Failure, message: refusal });
    t.is((error as Failure).status, REFUSED);
    t.true(typed().endsWith('\x18'.repeat(8)));
  }
});

test('Ctrl-C after the transfer ends the tool at once, and says that the board goes on', async t => {
  for (const texts of [
    [READY, null],
    [READY, DONE, null],
    [READY, DONE, 'Masqbox loader\r\n', null],
  ]) {
    const error = await t.throwsAsync(script(texts).run(), { instanceOf: Failure, message: GOES_ON });
    t.is((error as Failure).status, INTERRUPTED);
  }
  const trial = { name: 'slot A', isRunning: true, text: 'on trial' };
  const { session } = script([]);
  session.run = async () => ({ rows: [SLOTS[0]!.replace('permanent', 'on trial')], refusal: undefined });
  await t.throwsAsync(followTrial(session, trial), { instanceOf: Failure, message: GOES_ON });
});

test('settings that are not saved end the update before anything is sent', async t => {
  const { run, typed } = script(['The settings are not saved\r\n']);
  const error = await t.throwsAsync(run(), {
    instanceOf: Failure,
    message: 'Cannot update: the settings are not saved; save them, or revert',
  });
  t.is((error as Failure).status, REFUSED);
  t.is(typed(), 'update\rno\r');
});

test('an inbox is interrupted once: who waits, or who waits next', async t => {
  const inbox = new Inbox();
  const waiting = inbox.some(3_600_000);
  inbox.interrupt(interruption());
  await t.throwsAsync(waiting, { message: 'Interrupted' });
  inbox.put(Uint8Array.of(1));
  t.deepEqual(await inbox.some(0), Uint8Array.of(1));
  inbox.interrupt(interruption());
  inbox.put(Uint8Array.of(2));
  await t.throwsAsync(inbox.some(0), { message: 'Interrupted' });
  t.deepEqual(await inbox.some(0), Uint8Array.of(2));
});
