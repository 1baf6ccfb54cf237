// The overlay `access`: asking for the password, and changing it. Both are jobs.
// A wrong password costs a pause that doubles with each. A lost one is cured at the console alone: whoever can take
// the power away may, for RESET_SECONDS after it came back, answer with RESET_WORDS, and the board forgets all.
// Not here: who is logged in (src/control/access/access.ts), the hash (pbkdf2.ts), a console that is locked (locked.ts).

import { FACT_RESTARTS } from '../../base/abi.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { hex } from '../core/address.ts';
import { type Command, type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { fact } from '../core/facts.ts';
import { INFO } from '../core/log.ts';
import type { Access, Secret } from './access.ts';
import { ask, hasPowerReturned, locked, RESET_SECONDS, RESET_WORDS } from './locked.ts';
import { PASSWORD_MOST, pbkdf2, SALT_BYTES } from './pbkdf2.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    access: typeof import('./overlay.ts');
  }
}

/** About a second on a 486 with 66 MHz; a faster board is as patient. */
const ROUNDS = 2000;
const PAUSE_MOST_SECONDS = 60;

function* isRight(context: Context, secret: Secret, password: string): Generator<number, boolean, void> {
  if (password.length > PASSWORD_MOST) return false;
  return (yield* pbkdf2(context.machine.plane, password, secret.salt, secret.rounds)) === secret.hash;
}

/** Asks until the password is right. */
export function* login(context: Context, access: Access, table: readonly Command[]): Job {
  const { log, output } = context;
  if (context.unread !== undefined) yield* locked(context, access, table);
  // The first start since the power came, and no control before this one: a reset alone does not do it.
  const isFresh = (): boolean => fact(FACT_RESTARTS) === 0 && hasPowerReturned(context);
  if (isFresh())
    output.line(`Is it lost? For ${RESET_SECONDS} s after power-on ${RESET_WORDS} forgets all settings`);
  for (;;) {
    const { secret } = access;
    if (secret === undefined) return;
    const password = yield* ask(context, 'Password: ');
    if (password === '') continue;
    if (password === RESET_WORDS && isFresh()) {
      // It starts the board again.
      const reset = table.find(({ words }) => words === RESET_WORDS)?.run([]);
      if (reset !== undefined) yield* reset;
      return;
    }
    if (yield* isRight(context, secret, password)) {
      access.failures = 0;
      return;
    }
    const seconds = Math.min(2 ** access.failures++, PAUSE_MOST_SECONDS);
    log(INFO, 'console', `a wrong password was typed, ${access.failures} since the last right one`);
    output.line(`Wrong; the next try is in ${seconds} s`);
    yield seconds * TICKS_PER_SECOND;
  }
}

/** Why this cannot be a password, or undefined. */
function refusePassword(password: string): string | undefined {
  if (password === RESET_WORDS) return 'it is what resets the board';
  return password.length > PASSWORD_MOST ? `it is longer than ${PASSWORD_MOST} bytes` : undefined;
}

/**
 * Asks for a new password, in words again where it will not do or the two differ; undefined for none. Who is patient
 * asks for the old one until it is right.
 */
export function* askPassword(
  context: Context,
  { secret: old }: Access,
  isPatient: boolean,
): Generator<number, Secret | undefined, void> {
  const { machine, output, random } = context;
  while (old !== undefined && !(yield* isRight(context, old, yield* ask(context, 'Old password: ')))) {
    yield TICKS_PER_SECOND;
    if (!isPatient) throw new Refusal('Cannot change the password: the old one is another');
    output.line('That will not do: the old one is another');
  }
  for (;;) {
    const password = yield* ask(context, 'New password, nothing for none: ');
    const refusal = refusePassword(password);
    const why =
      refusal ?? (password === (yield* ask(context, 'Once more: ')) ? undefined : 'the two are not the same');
    if (why !== undefined) {
      output.line(`That will not do: ${why}`);
      continue;
    }
    if (password === '') return undefined;
    let salt = '';
    for (let i = 0; i < SALT_BYTES; i += 4) salt += hex(random(), 8);
    return { rounds: ROUNDS, salt, hash: yield* pbkdf2(machine.plane, password, salt, ROUNDS) };
  }
}

export function* changePassword(context: Context, access: Access): Job {
  const secret = yield* askPassword(context, access, false);
  access.change(secret);
  context.output.line(
    secret === undefined ? 'There is no password' : 'The password is set; save keeps it over a power cut',
  );
}
