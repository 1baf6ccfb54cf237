// The overlay `shell/programs`: programs of the time that look at the board or set it, and the files that scripts find.

import type { Context } from '../../core/context.ts';
import type { Files } from '../files.ts';
import type { Outcome, Tool } from '../host.ts';
import type { ShellState } from '../state.ts';
import type { Kept } from './desk.ts';
import { modules } from './modules.ts';
import { Links } from './names.ts';
import { network } from './network.ts';
import { system } from './system.ts';
import { Tree } from './tree.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'shell/programs': typeof import('./overlay.ts');
  }
}

export { whyNone } from './system.ts';

const programs = { ...network, ...modules, ...system };

/** @param run runs a line of the console to its end */
export function filesOf(
  context: Context,
  state: ShellState,
  kept: Kept,
  run: (words: readonly string[]) => void,
): Files {
  return new Tree(context, state, kept, run);
}

/** A program by its name. */
export function programOf(
  context: Context,
  state: ShellState,
  kept: Kept,
  name: string,
  given: { files: Files; run(words: readonly string[]): Outcome },
): Tool | undefined {
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program === undefined) return undefined;
  const { files, run } = given;
  const links = new Links(kept.aliases);
  return (args, io) => program(args, io, { context, state, kept, files, links, run });
}
