// The overlay `ppp`: the options of links on serial ports when they are set, and what `dial`, `hangup` and `show ppp` do.
// Not here: links at work, which are another overlay's (link/overlay.ts) and stay.

import { INTERFACE_WAN } from '../../base/limits.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { QUESTION } from '../core/setting.ts';
import { type Accounts, USERS } from './accounts.ts';
import { Links } from './links.ts';
import { CARDS, type LinkWants, type Options, readWants, whyAccount, whyNot } from './options.ts';
import { FIRST_LINK, LINK_COUNT, type PppPart } from './ppp.ts';

export { showLinks } from './show.ts';

/** @param tell the name servers or addresses of a link are others */
export function createLinks(context: Context, tell: () => void, restarted: boolean): Links {
  return new Links(context, tell, restarted);
}

declare module '../core/overlays.ts' {
  interface Overlays {
    ppp: typeof import('./overlay.ts');
  }
}

/** COM1 has the console. */
const CONSOLE_PORT = 'com1';
const SLIP_NAME = 'sl';
/** The word of a user's password. */
const USER = 'user';
const WAN_MODE = /^set wan (none|address) ?/;

/** Throws a Refusal where an option cannot be this. A password is not told. */
export function checkOption(context: Context, name: string, option: string, text: string): void {
  const why = whyPort(name, option, text) ?? whyNot(option, text);
  if (why === undefined) {
    if (option === 'port' && text === interfaceName(INTERFACE_WAN)) freeWan(context);
    return;
  }
  const told = option === 'password' ? '' : ` ${text}`;
  throw new Refusal(`Cannot set ${name} ${option}${told}: ${why}`);
}

function whyPort(name: string, option: string, text: string): string | undefined {
  if (option !== 'port') return undefined;
  if (name.startsWith(SLIP_NAME) && CARDS.includes(text)) return 'SLIP goes by serial ports';
  return text === CONSOLE_PORT ? 'the console is on it' : undefined;
}

/**
 * Whoever types that PPPoE goes by the WAN wants no address by DHCP there, whose gateway would go before. What else is set of the WAN stays, an
 * address of a modem's page above all.
 */
function freeWan({ registry, output }: Context): void {
  if (registry.isRestoring || registry.lines().some(line => WAN_MODE.test(line))) return;
  const found = registry.meaningOf('set wan none');
  if (typeof found === 'string') return;
  found.setting.set([]);
  registry.changed();
  output.line('The WAN asks for no address by DHCP any more: set wan none');
}

/** Sets something of a user's; throws a Refusal where it cannot be that. A password is not told. @param accounts is changed */
export function setAccount(accounts: Map<string, string>, [word = '', name = '', text = '']: string[]): void {
  const plain = text.replaceAll('?', QUESTION);
  const told = word === USER ? '' : ` ${text}`;
  let why = whyAccount(word, plain);
  if (word === USER && !accounts.has(`${USER} ${name}`)) {
    let users = 0;
    for (const key of accounts.keys()) if (key.startsWith(`${USER} `)) users++;
    if (users >= USERS) why = `there are ${USERS} already`;
  }
  // Others have no room of their own: for each user there may be one of each.
  if (accounts.size >= 3 * USERS && !accounts.has(`${word} ${name}`)) why = 'there are too many already';
  if (why !== undefined) throw new Refusal(`Cannot set dial-in ${word} ${name}${told}: ${why}`);
  accounts.set(`${word} ${name}`, plain);
}

/** Takes it back; of a user all that is his. @param accounts is changed */
export function unsetAccount(accounts: Map<string, string>, [word = '', name = '']: string[]): void {
  if (!accounts.delete(`${word} ${name}`))
    throw new Refusal(`Cannot unset dial-in ${word} ${name}: it is not set`);
  if (word === USER) for (const other of ['address', 'callback']) accounts.delete(`${other} ${name}`);
}

export function wantsOf(link: number, options: Options, accounts: Accounts): LinkWants | undefined {
  const name = interfaceName(link);
  return readWants(name, name.startsWith(SLIP_NAME), options, accounts);
}

/** What both kinds of a link can be told. */
interface Dialled {
  dial(who: string): string | undefined;
  hangUp(): string | undefined;
}

function linkOf({ running }: PppPart, action: string, name: string): Dialled {
  for (let link = FIRST_LINK; link < FIRST_LINK + LINK_COUNT; link++) {
    if (interfaceName(link) !== name) continue;
    const found = running?.all.get(link)?.caller ?? running?.sessions.get(link);
    if (found !== undefined) return found;
  }
  throw new Refusal(`Cannot ${action} ${name}: it has no port, see set ppp0`);
}

export function dial({ output }: Context, part: PppPart, name: string): undefined {
  const why = linkOf(part, 'dial', name).dial('the console');
  if (why !== undefined) throw new Refusal(`Cannot dial ${name}: ${why}`);
  output.line(`${name} is called, see show ppp`);
}

export function hangUp(part: PppPart, name: string): undefined {
  const why = linkOf(part, 'hang up', name).hangUp();
  if (why !== undefined) throw new Refusal(`Cannot hang up ${name}: ${why}`);
}
