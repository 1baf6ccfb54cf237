// The overlay `access`: asking for the password, and changing it. Both are jobs.
// A wrong password costs a pause that doubles with each. A lost one is cured at the console alone: whoever can take
// the power away may, for RESET_SECONDS after it came back, answer with RESET_WORDS, and the board forgets all.
// Not here: who is logged in (src/control/access.ts), the hash (pbkdf2.ts), a console that is locked (locked.ts).

import { FACT_RESTARTS } from '../../../firmware/abi.ts';
import { TICKS_PER_SECOND } from '../../plane/limits.ts';
import type { Access, Secret } from '../access.ts';
import { hex } from '../address.ts';
import { fact } from '../commands/show.ts';
import { type Command, type Job, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { INFO } from '../log.ts';
import { ask, hasPowerReturned, locked, RESET_SECONDS, RESET_WORDS } from './locked.ts';
import { PASSWORD_MOST, pbkdf2, SALT_BYTES } from './pbkdf2.ts';

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

export function* changePassword(context: Context, access: Access): Job {
  const { machine, output, random, registry } = context;
  if (access.secret !== undefined) {
    const old = yield* ask(context, 'Old password: ');
    if (!(yield* isRight(context, access.secret, old))) {
      yield TICKS_PER_SECOND;
      throw new Refusal('Cannot change the password: the old one is another');
    }
  }
  const password = yield* ask(context, 'New password, nothing for none: ');
  if (password.length > PASSWORD_MOST || password === RESET_WORDS) {
    const why =
      password === RESET_WORDS ? 'it is what resets the board' : `it is longer than ${PASSWORD_MOST} bytes`;
    throw new Refusal(`Cannot change the password: ${why}`);
  }
  if (password !== (yield* ask(context, 'Once more: '))) {
    throw new Refusal('Cannot change the password: the two are not the same');
  }
  if (password === '') {
    access.secret = undefined;
    output.line('There is no password');
  } else {
    let salt = '';
    for (let i = 0; i < SALT_BYTES; i += 4) salt += hex(random(), 8);
    access.enter({ rounds: ROUNDS, salt, hash: yield* pbkdf2(machine.plane, password, salt, ROUNDS) });
    output.line('The password is set; save keeps it over a power cut');
  }
  registry.changed();
}
