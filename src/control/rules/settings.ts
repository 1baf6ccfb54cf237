// `set alias NAME LINK`: what a script calls a link. Not here: what the names mean without it (links.ts).

import { RULE_HOOKS_AT } from '../../base/cells.ts';
import { INTERFACE_COUNT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import type { Setting } from '../core/setting.ts';

/** Aliases that there may be: one more is refused. */
const ALIAS_COUNT = 16;
/** Characters of an interface's name, as Linux has them. */
const NAME_MOST = 15;

/** Aliases by their names, with the links that they mean. */
export type Aliases = Map<string, number>;

function linkOf(text: string): number {
  for (let link = 0; link < INTERFACE_COUNT; link++) if (interfaceName(link) === text) return link;
  return -1;
}

export function aliasSetting({ machine }: Context, aliases: Aliases): Setting {
  /** Rules that have the name mean another link from now on. */
  const relink = (): void => {
    if (i32at(RULE_HOOKS_AT) !== 0) machine.overlay('rules').relink(aliases);
  };
  return {
    words: 'alias',
    arguments: 'NAME:name LINK:name',
    help: 'what scripts call a link: eth0 means the first one, the LAN, if nothing is set | eth0 wan',
    set: ([name = '', text = '']) => {
      const what = `Cannot set alias ${name} ${text}`;
      const link = linkOf(text);
      if (link < 0) throw new Refusal(`${what}: there is no link of that name`);
      if (linkOf(name) >= 0) throw new Refusal(`${what}: ${name} is a link's own name`);
      if (!/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i.test(name))
        throw new Refusal(`${what}: ${name} is no name of a link`);
      if (name.length > NAME_MOST) throw new Refusal(`${what}: a name has ${NAME_MOST} characters at most`);
      if (!aliases.has(name) && aliases.size === ALIAS_COUNT)
        throw new Refusal(`${what}: there are ${ALIAS_COUNT} aliases at most`);
      aliases.set(name, link);
      relink();
    },
    unset: ([name = '']) => {
      if (!aliases.delete(name)) throw new Refusal(`Cannot unset alias ${name}: it is not set`);
      relink();
    },
    unsetArguments: 'NAME:name',
    unsetHelp: 'the name means what it means otherwise | eth0',
    lines: () => [...aliases].map(([name, link]) => `set alias ${name} ${interfaceName(link)}`),
  };
}
