// Who may use the console: everybody who can reach the serial line, or who knows the password, until log-out.
// The console's own settings, and the commands that are overlays: `password` (access/), `setup` (setup/), `show status`
// and `watch` (status/).
// Not here: asking for the password, and its hash.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { type Command, type Job, Refusal } from '../core/console/command.ts';
import type { Guard } from '../core/console/terminal.ts';
import type { Context } from '../core/context.ts';
import type { Setting } from '../core/setting.ts';

/** A password as it is kept: PBKDF2-HMAC-SHA-256 (RFC 8018), salt and hash in hexadecimal. */
export interface Secret {
  rounds: number;
  salt: string;
  hash: string;
}

/** What it needs of the console. */
export interface Terminal {
  /** Whether a command of the person at the terminal is being run. */
  readonly isRunning: boolean;
  paged: boolean;
  /** It has no cursor that could go home. */
  dumb: boolean;
  logout(why: string): void;
}

const IDLE_SECONDS = 600;
/** After a login that could not even ask. */
const PAUSE_TICKS = 5 * TICKS_PER_SECOND;

export class Access implements Guard {
  secret: Secret | undefined;
  /** Wrong passwords since the last right one. */
  failures = 0;
  /** What is saved has been read after all. */
  unlocked: () => void = () => {};
  /** It is being tried to read it. */
  isRecovering = false;
  private isIn = false;
  private idleSeconds = IDLE_SECONDS;

  constructor(
    private readonly context: Context,
    private readonly terminal: Terminal,
    private readonly table: readonly Command[],
  ) {}

  login(): Job | undefined {
    const isOpen = this.secret === undefined && this.context.unread === undefined;
    return isOpen || this.isIn ? undefined : this.ask();
  }

  idleTicks(): number {
    return this.secret === undefined || !this.isIn ? 0 : this.idleSeconds * TICKS_PER_SECOND;
  }

  lock(): void {
    this.isIn = false;
  }

  /** What is saved is known, and whether there is a password. */
  unlock(): void {
    delete this.context.unread;
    this.unlocked();
    this.terminal.logout('The saved settings have been read');
  }

  /** Sets the password; who is at work stays logged in. */
  enter(secret: Secret): void {
    this.secret = secret;
    this.isIn ||= this.terminal.isRunning;
    if (!this.isIn) this.terminal.logout('');
  }

  /** Another password, or none, by who is logged in. */
  change(secret: Secret | undefined): void {
    if (secret === undefined) this.secret = undefined;
    else this.enter(secret);
    this.context.registry.changed();
  }

  private *ask(): Job {
    const { context } = this;
    try {
      yield* context.machine.overlay('access').login(context, this, this.table);
      this.isIn = true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      context.output.line(error.message);
      yield PAUSE_TICKS;
    }
  }

  settings(): Setting[] {
    const { terminal } = this;
    return [
      {
        words: 'console idle',
        arguments: `TIME:integer(0..86400,seconds)=${IDLE_SECONDS}`,
        help: 'logs out who types nothing for so long, if there is a password; 0 is never | 1800',
        set: ([text = '']) => {
          if (!/^\d{1,5}$/.test(text) || Number(text) > 86400)
            throw new Refusal(`Cannot set console idle ${text}: it is not 0 to 86400`);
          this.idleSeconds = Number(text);
        },
        unset: () => {
          this.idleSeconds = IDLE_SECONDS;
        },
        lines: () => (this.idleSeconds === IDLE_SECONDS ? [] : [`set console idle ${this.idleSeconds}`]),
      },
      {
        words: 'console pager',
        arguments: 'on|off=on',
        help: 'whether long output waits for a key at each page',
        set: ([text = '']) => {
          if (text !== 'on' && text !== 'off')
            throw new Refusal(`Cannot set console pager ${text}: it is one of on, off`);
          terminal.paged = text === 'on';
        },
        unset: () => {
          terminal.paged = true;
        },
        lines: () => (terminal.paged ? [] : ['set console pager off']),
      },
      {
        words: 'console terminal',
        arguments: 'vt100|dumb=vt100',
        help: 'whether watch may go to the top of the screen',
        set: ([text = '']) => {
          if (text !== 'vt100' && text !== 'dumb')
            throw new Refusal(`Cannot set console terminal ${text}: it is one of vt100, dumb`);
          terminal.dumb = text === 'dumb';
        },
        unset: () => {
          terminal.dumb = false;
        },
        lines: () => (terminal.dumb ? ['set console terminal dumb'] : []),
      },
      {
        words: 'password hash',
        isFirst: true,
        isSecret: true,
        arguments: 'ROUNDS:integer(1..999999) SALT:hex HASH:hex',
        help: 'a password as the command password has made it | 2000 0123456789abcdef0123456789abcdef 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
        set: ([rounds = '', salt = '', hash = '']) => {
          const fits =
            /^[1-9]\d{0,5}$/.test(rounds) &&
            /^([0-9a-f]{2}){8,32}$/.test(salt) &&
            /^[0-9a-f]{64}$/.test(hash);
          if (!fits) throw new Refusal('Cannot set password hash: it is not what password makes');
          this.enter({ rounds: Number(rounds), salt, hash });
        },
        unset: () => {
          this.secret = undefined;
        },
        unsetHelp: 'lets everybody use the console',
        lines: () => {
          const { secret } = this;
          return secret === undefined
            ? []
            : [`set password hash ${secret.rounds} ${secret.salt} ${secret.hash}`];
        },
      },
    ];
  }

  /** @param servers those that are asked for names, for `show status` */
  commands(servers: () => readonly { readonly address: number }[]): Command[] {
    const { context, table, terminal } = this;
    return [
      {
        words: 'setup',
        help: 'a short dialogue: LAN, WAN, time, password',
        run: () => {
          const ask = () => context.machine.overlay('access').askPassword(context, this, true);
          return context.machine.overlay('setup').setup(context, this, ask, table);
        },
      },
      {
        words: 'show status',
        help: 'all that matters on one screen',
        run: () => context.machine.overlay('status').showStatus(context, servers),
      },
      {
        words: 'watch',
        arguments: '[COMMAND:command(show)...9]',
        help: 'repeats a show command every 2 s, show status if none is given | show masq',
        run: words => context.machine.overlay('status').watch(context, table, words, terminal.dumb),
      },
      {
        words: 'password',
        help: 'asks for a new password of the console',
        run: () => context.machine.overlay('access').changePassword(context, this),
      },
      {
        words: 'logout',
        help: 'ends the session; the next asks for the password',
        run: () => {
          if (this.secret === undefined)
            throw new Refusal('Cannot log out: there is no password, see password');
          this.lock();
          return undefined;
        },
      },
    ];
  }
}
