// A setting, as it is typed, saved and taken back. Not here: all of them (registry.ts), what a line means (meaning.ts).

import type { Help } from './console/command.ts';

/** How a question mark is listed: the key would ask for help where the line is pasted. */
export const QUESTION = '\\x3f';

export interface Setting {
  /** What stands behind `set`, as in `dhcp range`. */
  words: string;
  /** The form of the arguments (console/command.ts). */
  arguments: string;
  help: Help;
  /** Sets it; throws a Refusal. */
  set(args: string[]): void;
  /** Puts it back to what it is without a setting; throws a Refusal. */
  unset?(args: string[]): void;
  /** The form of the arguments of `unset`; none when left out. In [] are those that only who types may need. */
  unsetArguments?: string;
  /** What `unset` does, for the help. */
  unsetHelp?: Help;
  /** Configuration lines, "set dhcp range A B": zero or more, what differs from the default. */
  lines(): string[];
  /** It lives in the plane's tables and outlives control. */
  inPlane?: boolean;
  /** What another setting says may refuse it: of saved lines those are tried again behind the last. */
  isDependent?: boolean;
  /** It goes before all others when saved lines are applied: the password. */
  isFirst?: boolean;
  /** Its arguments are for nobody's eyes: lists have its words alone. */
  isSecret?: boolean;
}
