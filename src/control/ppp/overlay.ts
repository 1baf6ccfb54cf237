// The overlay `ppp`: the options of links on serial ports when they are set, and what `dial`, `hangup` and `show ppp` do.
// Not here: links at work, which are another overlay's (link/overlay.ts) and stay.

import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { type LinkWants, type Options, readWants, whyNot } from './options.ts';
import { FIRST_LINK, LINK_COUNT, type PppPart } from './ppp.ts';
import type { PppLink } from './ppp-link.ts';

export { showLinks } from './show.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    ppp: typeof import('./overlay.ts');
  }
}

/** COM1 has the console. */
const CONSOLE_PORT = 'com1';
const SLIP_NAME = 'sl';

/** Throws a Refusal where an option cannot be this. A password is not told. */
export function checkOption(name: string, option: string, text: string): void {
  const why = option === 'port' && text === CONSOLE_PORT ? 'the console is on it' : whyNot(option, text);
  if (why === undefined) return;
  const told = option === 'password' ? '' : ` ${text}`;
  throw new Refusal(`Cannot set ${name} ${option}${told}: ${why}`);
}

export function wantsOf(link: number, options: Options): LinkWants | undefined {
  const name = interfaceName(link);
  return readWants(name, name.startsWith(SLIP_NAME), options);
}

function linkOf(part: PppPart, action: string, name: string): PppLink {
  for (let link = FIRST_LINK; link < FIRST_LINK + LINK_COUNT; link++) {
    const found = interfaceName(link) === name ? part.running?.all.get(link) : undefined;
    if (found !== undefined) return found;
  }
  throw new Refusal(`Cannot ${action} ${name}: it has no serial port, see set ppp0`);
}

export function dial({ output }: Context, part: PppPart, name: string): undefined {
  const why = linkOf(part, 'dial', name).caller.dial('the console');
  if (why !== undefined) throw new Refusal(`Cannot dial ${name}: ${why}`);
  output.line(`${name} is called, see show ppp`);
}

export function hangUp(part: PppPart, name: string): undefined {
  const why = linkOf(part, 'hang up', name).caller.hangUp();
  if (why !== undefined) throw new Refusal(`Cannot hang up ${name}: ${why}`);
}
