// Links by modem and by cable: `set ppp0 ...`, `set ppp1 ...`, `set sl0 ...`, `dial`, `hangup`, `show ppp`. What is set is kept here as
// text, by the word of the option; nothing else is, as long as no link has a port.
// Not here: which options there are and what they mean (overlay.ts), links that are set (link/overlay.ts), which stay loaded while there are some.

import { DEMAND_ASKED_AT } from '../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import type { Command } from '../core/console/command.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { WARNING } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import { QUESTION, type Setting } from '../core/setting.ts';
import type { Links } from './links.ts';

/** Links on serial ports, and how frames look on each. */
export const FIRST_LINK = 4;
export const LINK_COUNT = 3;
const SLIP_LINK = 6;

const OPTIONS =
  'port|service|ac|rate|number|init|chat|user|speed|flow|carrier|role|dial|demand|idle|retry|hours|hour-minutes|hour-calls|month-minutes|month-calls|price|address|dns|vj|accm|mru|auth|echo|answer|rings';
const PASSWORD = 'password';
const USER = 'user';
/** After which it is tried again where the heap had no room for links. */
const LATER_TICKS = 10 * TICKS_PER_SECOND;
const OPTION = `OPTION:words(${OPTIONS})`;

export class PppPart implements Service {
  /** What is set of each link, undefined where nothing is. */
  private readonly set: (Map<string, string> | undefined)[] = [];
  /** Who may call in: `user bob` is his password, `address bob` and `callback bob` what is his beside. */
  private readonly accounts = new Map<string, string>();
  private links: Links | undefined;
  private isStarted = false;
  private isWaiting = false;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly context: Context) {}

  /** What a link is set to, FIRST_LINK's is 0. */
  options(n: number): ReadonlyMap<string, string> | undefined {
    return this.set[n];
  }

  /** The links at work, where one is set. */
  get running(): Links | undefined {
    return this.links;
  }

  start(restarted: boolean): void {
    this.isStarted = true;
    if (this.set.some(options => options !== undefined)) this.take(restarted);
  }

  /** Serial ports have something, perhaps. */
  work(): void {
    if (this.links !== undefined) this.links.work();
    else if (i32at(DEMAND_ASKED_AT) !== 0) puti32(DEMAND_ASKED_AT, 0);
  }

  /** A host wants a name that nobody can be asked for: whether a link is dialled, so that it is worth waiting. */
  dials(host: number, name: string): boolean {
    return this.links?.dials(host, name) === true;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  dnsServers(): readonly number[] {
    return this.links?.dnsServers() ?? [];
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Sets an option, or, undefined, takes it back. */
  private change(n: number, option: string, text: string | undefined): void {
    const options = this.set[n] ?? new Map<string, string>();
    if (text !== undefined) options.set(option, text);
    else options.delete(option);
    this.set[n] = options.size === 0 ? undefined : options;
    if (!this.isStarted || this.isWaiting) return;
    // Of lines that come together the last one counts.
    this.isWaiting = true;
    this.context.clock.after(0, () => this.take(false));
  }

  /** What is set comes into force. */
  private take(restarted: boolean): void {
    this.isWaiting = false;
    const { clock, machine, log } = this.context;
    try {
      const { createLinks, wantsOf } = machine.overlay('ppp');
      for (let n = 0; n < LINK_COUNT; n++) {
        const options = this.set[n];
        const wants = options === undefined ? undefined : wantsOf(FIRST_LINK + n, options, this.accounts);
        if (wants === undefined && this.links === undefined) continue;
        this.links ??= createLinks(this.context, () => this.tell(), restarted);
        this.links.take(FIRST_LINK + n, wants);
      }
      this.links?.settled();
      if (this.links?.isEmpty === true) this.links = undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log(WARNING, 'ppp', error.message);
      this.isWaiting = true;
      clock.after(LATER_TICKS, () => this.take(restarted));
    }
  }

  settings(): Setting[] {
    return [
      ...Array.from({ length: LINK_COUNT }, (_, n) => this.settingsOf(n)).flat(),
      ...this.accountSettings(),
    ];
  }

  /** Who may call in. What is checked and changed is the overlay's. */
  private accountSettings(): Setting[] {
    const { accounts } = this;
    const change = () => this.context.machine.overlay('ppp');
    const lines = (isUser: boolean) => () => {
      const all: string[] = [];
      for (const [key, text] of accounts)
        if (key.startsWith(USER) === isUser) all.push(`set dial-in ${key} ${text}`);
      return all;
    };
    return [
      {
        words: 'dial-in',
        arguments: 'address|callback NAME:text VALUE:text',
        help: "what a user's is who calls in: his address, or the number at which he is called back | address ann 10.9.0.2",
        set: args => change().setAccount(accounts, args),
        unset: args => change().unsetAccount(accounts, args),
        unsetArguments: 'address|callback NAME:text',
        unsetHelp: 'takes it back | address ann',
        lines: lines(false),
      },
      {
        words: 'dial-in user',
        isSecret: true,
        arguments: 'NAME:text PASSWORD:text',
        help: 'a user who may call in, and his password, which lists do not show | bob secret',
        set: args => change().setAccount(accounts, [USER, ...args]),
        unset: args => change().unsetAccount(accounts, [USER, ...args]),
        unsetArguments: 'NAME:text',
        unsetHelp: 'takes a user back, with his address and number | bob',
        lines: lines(true),
      },
    ];
  }

  private settingsOf(n: number): Setting[] {
    const name = interfaceName(FIRST_LINK + n);
    const isSlip = FIRST_LINK + n === SLIP_LINK;
    const { machine } = this.context;
    const change = (option: string, text: string | undefined) => {
      if (text !== undefined) machine.overlay('ppp').checkOption(this.context, name, option, text);
      else if (!`${OPTIONS}|${PASSWORD}`.split('|').includes(option))
        throw new Refusal(`Cannot set ${name} ${option}: it is no option`);
      this.change(n, option, text);
    };
    const all: Setting[] = [
      {
        words: name,
        arguments: `${OPTION} VALUE:text...24`,
        help: `an option of the link ${name} on a serial port, see docs/modem.md | port com2`,
        set: ([option = '', ...words]) => change(option, words.join(' ').replaceAll('?', QUESTION)),
        unset: ([option = '']) => change(option, undefined),
        unsetArguments: OPTION,
        unsetHelp: 'takes one option back | port',
        lines: () => {
          const lines: string[] = [];
          for (const [option, text] of this.set[n] ?? [])
            if (option !== PASSWORD) lines.push(`set ${name} ${option} ${text}`);
          return lines;
        },
      },
    ];
    if (isSlip) return all;
    all.push({
      words: `${name} ${PASSWORD}`,
      isSecret: true,
      arguments: 'PASSWORD:text...16',
      help: 'the password that goes with the user; lists do not show it | secret',
      set: words => change(PASSWORD, words.join(' ').replaceAll('?', QUESTION)),
      unset: () => change(PASSWORD, undefined),
      lines: () => {
        const text = this.set[n]?.get(PASSWORD);
        return text === undefined ? [] : [`set ${name} ${PASSWORD} ${text}`];
      },
    });
    return all;
  }

  commands(): Command[] {
    const actions = () => this.context.machine.overlay('ppp');
    return [
      {
        words: 'dial',
        arguments: 'ppp0|ppp1|sl0',
        help: "calls by a link's modem, or begins on its cable",
        run: ([name = '']) => actions().dial(this.context, this, name),
      },
      {
        words: 'hangup',
        arguments: 'ppp0|ppp1|sl0',
        help: "ends a link's call",
        run: ([name = '']) => actions().hangUp(this, name),
      },
      {
        words: 'show ppp',
        help: 'links by modem and cable: state, addresses, calls, what they cost',
        run: () => actions().showLinks(this.context, this),
      },
    ];
  }
}
