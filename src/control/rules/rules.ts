// Rules in the language of iptables 1.8.9: what is always there of it, the commands with their help and the section of the configuration
// that keeps the rules' lines. What reads and changes rules is the overlay `rules`, what lists them `rules/listing`; the rules
// themselves, and all that is known of them, lie in the plane's memory.

import { NOW_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import { IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_COUNT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, i32at, put8, puti32 } from '../../base/memory.ts';
import {
  LINKS_SEEN_AT,
  LINKS_TICK_AT,
  LOG_DUE_AT,
  LOG_LOST_AT,
  LOG_READ_AT,
  LOG_WRITTEN_AT,
  WALL_SECONDS_AT,
  WALL_TICK_AT,
  WALL_ZONE_AT,
} from '../../base/rule-state.ts';
import { since } from '../core/clock.ts';
import { type Command, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Section } from '../core/section.ts';
import { localAt } from '../core/timezone.ts';
import { createOldDialects } from './old/manifest.ts';
import type { Masquerade } from './old/rules.ts';
import { type Aliases, aliasSetting } from './settings.ts';

/** What the overlays are given: the context, the names of links, and the section to which lines are told. */
export interface Rules {
  readonly context: Context;
  readonly aliases: Aliases;
  readonly section: Section;
}

/** The section of the rules' lines. A start, an import and a way back are all of them or none. */
function rulesSection({ machine }: Context, rules: () => Rules): Section {
  const overlay = () => machine.overlay('rules');
  return {
    words: ['iptables'],
    inPlane: true,
    isConfirmed: true,
    take: line => overlay().takeLine(rules(), line),
    clear: () => {
      // A board without rules need not load anything for it.
      if (i32at(RULE_HOOKS_AT) !== 0) overlay().clearRules(rules());
    },
    begin: () => overlay().beginLines(rules()),
    end: isTaken => overlay().endLines(rules(), isTaken),
  };
}

/** Lines of packets that rules have logged are written at most so often: what is logged meanwhile waits, as far as there is room. */
const LOG_TICKS = 50;

/** What time it is, rules are told anew after so long. */
const WALL_TICKS = 60 * TICKS_PER_SECOND;

/** Tells rules what time it is (the match `time`), where that is known. */
function tellTime({ wallClock }: Context): void {
  const now = i32at(NOW_AT);
  if (i32at(WALL_SECONDS_AT) !== 0 && since(now, i32at(WALL_TICK_AT)) < WALL_TICKS) return;
  const milliseconds = wallClock.milliseconds();
  if (milliseconds === undefined) return;
  const seconds = Math.floor(milliseconds / 1000);
  puti32(WALL_SECONDS_AT, seconds | 0);
  puti32(WALL_TICK_AT, now);
  puti32(WALL_ZONE_AT, localAt(wallClock.zone, seconds).offset);
}

/** Names of rules mean other links where one has come or gone: `ppp0` is the WAN as long as no link is called so. */
function lookAtLinks({ machine }: Context, aliases: Aliases): void {
  const now = i32at(NOW_AT);
  if (since(now, i32at(LINKS_TICK_AT)) < TICKS_PER_SECOND) return;
  puti32(LINKS_TICK_AT, now);
  let links = 1 << INTERFACE_COUNT;
  for (let link = 0; link < INTERFACE_COUNT; link++)
    if (i32at(interfaceAt(link) + IF_STATE) !== INTERFACE_ABSENT) links |= 1 << link;
  if (links === i32at(LINKS_SEEN_AT)) return;
  try {
    machine.overlay('rules').relink(aliases);
    puti32(LINKS_SEEN_AT, links);
  } catch (error) {
    // There is no room for it now: in a second it is tried again.
    if (!(error instanceof Refusal)) throw error;
  }
}

/** What control does for rules that are set: it tells them the time, and writes lines of what they have logged. */
export function serveRules(context: Context, aliases: Aliases): void {
  tellTime(context);
  lookAtLinks(context, aliases);
  writeLog(context);
}

/** What has no room in the heap is counted as lost. */
function writeLog({ machine, log }: Context): void {
  if (get8(LOG_READ_AT) === get8(LOG_WRITTEN_AT)) return;
  if (since(i32at(NOW_AT), i32at(LOG_DUE_AT)) < 0) return;
  puti32(LOG_DUE_AT, (i32at(NOW_AT) + LOG_TICKS) | 0);
  try {
    machine.overlay('rules/log').writeLog(log);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    puti32(LOG_LOST_AT, i32at(LOG_LOST_AT) + ((get8(LOG_WRITTEN_AT) - get8(LOG_READ_AT)) & 0xff));
    put8(LOG_READ_AT, get8(LOG_WRITTEN_AT));
  }
}

/**
 * @param aliases what `set alias` says, which others read too
 * @param masquerade what the old dialects' commands set of it
 */
export function createRules(context: Context, aliases: Aliases, masquerade: Masquerade): Command[] {
  const { machine, registry } = context;
  const rules: Rules = { context, aliases, section: rulesSection(context, () => rules) };
  registry.sections.add(rules.section);
  registry.add(aliasSetting(context, aliases));
  const old = createOldDialects(context, aliases, masquerade);
  return [
    ...old.commands,
    {
      words: 'iptables',
      isWhole: true,
      arguments: '[WORD:text...]',
      help: 'changes and lists rules as iptables 1.8.9 does | -A FORWARD -p tcp --dport 80 -j ACCEPT',
      run: (words, _, beside) => machine.overlay('rules').runIptables(rules, words, beside),
    },
    {
      words: 'iptables-save',
      isWhole: true,
      arguments: '[WORD:text...3]',
      help: 'prints all rules for iptables-restore, with their counts by -c | -c',
      run: words => machine.overlay('rules/listing').saveRules(rules, words),
    },
    {
      words: 'iptables-restore',
      isWhole: true,
      arguments: '[WORD:text...4]',
      help: 'takes what iptables-save prints, up to a line that says end; each table as a whole | -c',
      run: (words, input) => machine.overlay('rules').restoreRules(rules, words, input),
    },
    {
      words: 'explain',
      arguments: 'PROTOCOL:text SOURCE:text DESTINATION:text [PORT:text...]',
      help: 'rule by rule what becomes of a packet; also in LINK, from PORT, state, flags, type, about | tcp 192.168.0.5 203.0.113.2 80',
      run: words => machine.overlay('rules/explain').explain(rules, words),
    },
    {
      words: 'clear rules',
      help: 'takes all rules, chains and policies away',
      run: () => {
        old.clearAll();
        return machine.overlay('rules').clearAll(rules);
      },
    },
  ];
}
