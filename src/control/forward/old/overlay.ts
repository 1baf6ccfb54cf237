// The overlay `forward/old`: the commands of the time that forward ports. Not here: what a forward is (../overlay.ts).

import { type Job, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import { autofw, autofwFile } from './autofw.ts';
import { mfw, mfwFile } from './mfw.ts';
import { ipportfw, portfw } from './portfw.ts';
import { redir } from './redir.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'forward/old': typeof import('./overlay.ts');
  }
}

const MODULES: Record<string, (context: Context, args: string[]) => Job> = { portfw, autofw, mfw };

/** `ipmasqadm MODULE ...`. */
export function ipmasqadm(context: Context, [name = '', ...args]: string[]): Job {
  const module = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined;
  if (module !== undefined) return module(context, args);
  // Entries of one connection each that a program puts into the masquerade's table, for as long as it says; there are no programs here. It says so as a
  // kernel without that module, and then what does what people wanted of it.
  if (name === 'user')
    throw new Refusal(
      'user: setsockopt failed: Protocol not available\r\nEntries of single connections are not made by hand here: ipmasqadm portfw lets connections in, ipchains -M -L lists them',
    );
  throw new Refusal(`Cannot run ipmasqadm ${name}: its modules are portfw, autofw, mfw`);
}

export { autofw, ipportfw, redir };

/** Files in /proc/net. */
export function procFile(context: Context, name: string): string {
  return name === 'mfw' ? mfwFile() : autofwFile(context);
}
