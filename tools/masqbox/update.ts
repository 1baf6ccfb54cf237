// `masqbox update IMAGE`: sends firmware to the board by YMODEM, follows it through its reboot, and says what became
// of it. The board decides what it takes, and when new firmware is permanent: src/control/update/.
// Not here: checking the file (image-file.ts), the blocks on the line (ymodem.ts).

import { Failure, INTERRUPTED, NO_ANSWER, REFUSED, reasonOf } from './failure.ts';
import type { Firmware } from './image-file.ts';
import type { Session } from './session.ts';
import { cancel, sendFile, TransferError } from './ymodem.ts';

/** The board waits for silence, up to 30 s, before it says why it gave up. */
const REASON_PATIENCE = 40_000;
/** How often a transfer is cancelled again, and after how long: behind a damaged block a receiver waits for silence. */
const CANCELS = 3;
const CANCEL_PATIENCE = 3000;
/** A board whose BIOS counts and tests its memory, and then a slow card. */
const BOOT_PATIENCE = 180_000;
/** Longer than a trial can last, with its reboots. */
const TRIAL_PATIENCE = 20 * 60_000;
const TRIAL_LOOK = 5000;
const NEWS = /^Masqbox \S+ is (older than|built before) |^Further updates /;

/** What the person at the terminal is told meanwhile. */
export interface Watcher {
  /** A line for the log of what happens. */
  tell(text: string): void;
  /** Bytes that have arrived. */
  progress(sent: number): void;
}

export interface SlotState {
  /** "slot A" */
  readonly name: string;
  readonly isRunning: boolean;
  /** "Masqbox 0.1.0, permanent, sequence 1, 909000 bytes", or why there is none. */
  readonly text: string;
}

/** The rows of `show update`. */
export function slotsOf(rows: readonly string[]): SlotState[] {
  return rows.flatMap(row => {
    const match = /^(slot [AB]): (.*?)(, running)?$/.exec(row);
    return match === null ? [] : [{ name: match[1]!, text: match[2]!, isRunning: match[3] !== undefined }];
  });
}

async function slots(session: Session): Promise<SlotState[]> {
  const { rows, refusal } = await session.run('show update');
  if (refusal !== undefined) throw new Failure(refusal, REFUSED);
  return slotsOf(rows);
}

function running(states: readonly SlotState[]): SlotState {
  const state = states.find(({ isRunning }) => isRunning);
  if (state === undefined)
    throw new Failure('Cannot update: the board does not say which slot runs', NO_ANSWER);
  return state;
}

/**
 * Sends the firmware and follows the board to the prompt of what it then runs. Answers that slot.
 * @param command `update` or `update unsigned`
 */
export async function update(
  session: Session,
  firmware: Firmware,
  watcher: Watcher,
  command = 'update',
): Promise<SlotState> {
  const before = running(await slots(session));
  watcher.tell(`The board runs ${before.text} in ${before.name}`);
  await begin(session, command);
  await transfer(session, firmware, watcher);
  const after = await goesOn(followBoot(session, watcher).then(async () => running(await slots(session))));
  if (after.name === before.name) {
    throw new Failure(`Cannot update: the board came back with ${after.text} in ${after.name}`, REFUSED);
  }
  return after;
}

function isInterruption(error: unknown): boolean {
  return error instanceof Failure && error.status === INTERRUPTED;
}

/** Once the board has all, Ctrl-C ends the tool alone. */
async function goesOn<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isInterruption(error)) throw error;
    throw new Failure(
      'Interrupted: the board goes on by itself; show update tells what it runs',
      INTERRUPTED,
    );
  }
}

/** Types the command; after it the board wants the file. */
async function begin(session: Session, command: string): Promise<void> {
  await session.type(`${command}\r`);
  try {
    const asked = await session.expect(
      /\^C cancels\r\n|(?:^|\n)(Cannot [^\r\n]*)\r\n|(?:^|\n)The settings are ([^\r\n]*)\r\n/,
    );
    if (asked === undefined) throw new Failure('Cannot update: the board does not answer', NO_ANSWER);
    const [, refusal, kept] = asked.match;
    if (refusal !== undefined) throw new Failure(refusal, REFUSED);
    if (kept === undefined) return;
    // The board asks whether they may be lost.
    await session.type('no\r');
    throw new Failure(`Cannot update: the settings are ${kept}; save them, or revert`, REFUSED);
  } catch (error) {
    if (isInterruption(error)) await session.type('\x03');
    throw error;
  }
}

async function transfer(session: Session, firmware: Firmware, watcher: Watcher): Promise<void> {
  let cause: string | undefined;
  try {
    await sendFile(session, 'masqbox.slot', firmware.slot, sent => watcher.progress(sent));
  } catch (error) {
    if (!(error instanceof TransferError) && !isInterruption(error)) throw error;
    cause = reasonOf(error);
    await cancel(session);
  }
  const end = /(Masqbox \S+ is in slot [AB]) and starts[^\r\n]*\r\n|(Cannot update: [^\r\n]*)\r\n/;
  let said: Awaited<ReturnType<Session['expect']>>;
  // A block that had come damaged takes with it what follows at once, so what is cancelled is cancelled again.
  for (let again = 0; cause !== undefined && said === undefined && again < CANCELS; again++) {
    said = await goesOn(session.expect(end, CANCEL_PATIENCE));
    if (said === undefined) await cancel(session);
  }
  said ??= await goesOn(session.expect(end, REASON_PATIENCE));
  const refusal =
    said?.match[2] ??
    (said === undefined || cause !== undefined
      ? `Cannot update: ${cause ?? 'the board does not say what it did'}`
      : undefined);
  if (refusal !== undefined) throw new Failure(refusal, said === undefined ? NO_ANSWER : REFUSED);
  // What the board says before it: that the firmware is older, that its key is another.
  for (const row of said!.before.split(/[\r\n]+/)) if (NEWS.test(row)) watcher.tell(row);
  watcher.tell(`${said!.match[1]}; the board starts it`);
}

/** Waits until the board is back at a prompt, and tells what it says on the way. */
async function followBoot(session: Session, watcher: Watcher): Promise<void> {
  for (;;) {
    const seen = await session.expect(/\r?\n|(?:masqbox> |Password: )$/, BOOT_PATIENCE);
    if (seen === undefined) throw new Failure('Cannot follow the reboot: the board is silent', NO_ANSWER);
    if (seen.match[0] !== '\n' && seen.match[0] !== '\r\n') break;
    const row = seen.before.trim();
    if (row !== '') watcher.tell(`  ${row}`);
  }
  await session.open();
}

/** Waits until the trial is over. Answers the slot that is permanent then. */
export function followTrial(session: Session, slot: SlotState): Promise<SlotState> {
  return goesOn(untilPermanent(session, slot));
}

async function untilPermanent(session: Session, slot: SlotState): Promise<SlotState> {
  const until = session.now() + TRIAL_PATIENCE;
  let last = '';
  while (session.now() < until) {
    try {
      const state = running(await slots(session));
      if (state.name !== slot.name) {
        throw new Failure(`The trial has failed: the board runs ${state.text} in ${state.name}`, REFUSED);
      }
      if (/, permanent,/.test(state.text)) return state;
      await session.rest(TRIAL_LOOK);
    } catch (error) {
      // It may have reset: then it boots, and is asked again.
      if (!(error instanceof Failure) || error.status !== NO_ANSWER) throw error;
      last = reasonOf(error);
      await session.open().catch(why => {
        if (isInterruption(why)) throw why;
      });
    }
  }
  throw new Failure(`Cannot see the trial end${last === '' ? '' : `: ${last}`}`, NO_ANSWER);
}
