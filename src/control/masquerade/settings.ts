// Settings of masquerade and engine. Refusals say "Cannot set WHAT VALUE: CAUSE".

import { ENGINE_AT, ENGINE_INTERPRETED, ENGINE_NATIVE } from '../../base/cells.ts';
import { PARAMETERS_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  CLASSIC_STATES,
  CLASSIC_UDP,
  FILTER_ADDRESS,
  NAT_FILTER,
  NAT_PROFILE,
  PROFILE_RFC,
  RFC_ICMP,
  RFC_TCP_CLOSING,
  RFC_TCP_ESTABLISHED,
  RFC_TCP_OPENING,
  RFC_UDP,
  SECONDS_ICMP,
  SECONDS_TCP_ESTABLISHED,
  SECONDS_TCP_OPENING,
  SECONDS_UDP,
} from '../../base/parameters.ts';
import { ENGINES, FILTERS, nameOf, PROFILES, setEngine } from '../core/addresses.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Setting } from '../core/setting.ts';

function choice(
  what: string,
  text: string,
  names: Map<string, number>,
  apply: (value: number) => void,
): void {
  const value = names.get(text);
  if (value === undefined)
    throw new Refusal(`Cannot set ${what} ${text}: it is one of ${[...names.keys()].join(', ')}`);
  apply(value);
}

/** Settings that live in the plane's tables. */
export function settings(context: Context): Setting[] {
  return choiceSettings(context).map(setting => ({ ...setting, inPlane: true }));
}

/** A week: ticks wrap, and are compared by signed difference. */
const TIMEOUT_MOST = 604800;
/** Timers: name, default, the RFC's least, both in seconds, and which parameter of the plane it is. */
const TIMERS: [name: string, usual: number, least: number, parameter: number][] = [
  ['tcp-established', SECONDS_TCP_ESTABLISHED, 7440, RFC_TCP_ESTABLISHED],
  ['tcp-opening', SECONDS_TCP_OPENING, 240, RFC_TCP_OPENING],
  ['tcp-closing', SECONDS_TCP_OPENING, 240, RFC_TCP_CLOSING],
  ['udp', SECONDS_UDP, 120, RFC_UDP],
  ['icmp', SECONDS_ICMP, 60, RFC_ICMP],
];
/** The same of profile classic: those that -M -S sets. */
const CLASSIC_TIMERS: typeof TIMERS = [
  ['tcp', 900, 1, CLASSIC_STATES + 1],
  ['tcp-fin', 120, 1, CLASSIC_STATES + 4],
  ['udp', 300, 1, CLASSIC_UDP],
];
/** What -M -S sets in profile rfc, in the order of those. */
const PERIOD_TIMERS = ['tcp-established', 'tcp-closing', 'udp'];

/**
 * `ipchains -M -S`, `ipfwadm -M -s`: seconds of an idle TCP session, of one that both have ended, of UDP; 0 for what is to stay. Both
 * profiles have them, profile rfc no less than the RFCs ask for. Answers what is to be said of it.
 */
export function setPeriodTimeouts(
  { machine: { plane }, registry }: Context,
  seconds: readonly number[],
): string[] {
  const told: string[] = [];
  for (const [i, name] of PERIOD_TIMERS.entries()) {
    const wanted = Math.min(seconds[i] as number, TIMEOUT_MOST);
    const [, , least, parameter] = TIMERS.find(([known]) => known === name) as (typeof TIMERS)[number];
    if (wanted === 0) continue;
    if (wanted < least && i32at(PARAMETERS_AT + 4 * NAT_PROFILE) === PROFILE_RFC)
      told.push(`nat timeout ${name} is ${least} s: the RFCs ask for it, set nat profile classic does not`);
    plane.setParameter(parameter, Math.max(wanted, least) * TICKS_PER_SECOND);
    const [, , , classic] = CLASSIC_TIMERS[i] as (typeof TIMERS)[number];
    plane.setParameter(classic, wanted * TICKS_PER_SECOND);
  }
  registry.changed();
  return told;
}

function timeoutSetting(context: Context, isClassic: boolean): Setting {
  const { plane } = context.machine;
  const timers = isClassic ? CLASSIC_TIMERS : TIMERS;
  const what = isClassic ? 'classic NAT timeout' : 'NAT timeout';
  const words = isClassic ? 'nat classic-timeout' : 'nat timeout';
  const put = (name: string, text?: string): void => {
    const timer = timers.find(([known]) => known === name);
    if (timer === undefined)
      throw new Refusal(`Cannot set ${what} ${name}: it is one of ${timers.map(t => t[0]).join(', ')}`);
    const [, usual, least, parameter] = timer;
    const value = text === undefined ? usual : /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (value < least)
      throw new Refusal(
        `Cannot set ${what} ${name} ${text}: ${isClassic ? 'it is' : 'the RFCs ask for'} ${least} s at least`,
      );
    if (value > TIMEOUT_MOST)
      throw new Refusal(`Cannot set ${what} ${name} ${text}: ${TIMEOUT_MOST} s are the most`);
    plane.setParameter(parameter, value * TICKS_PER_SECOND);
  };
  const names = isClassic ? 'tcp|tcp-fin|udp' : 'icmp|udp|tcp-opening|tcp-closing|tcp-established';
  return {
    words,
    arguments: `${names} SECONDS:integer(${isClassic ? 1 : 60}..604800,seconds)`,
    help: isClassic
      ? 'the same in profile classic, as ipchains -M -S sets them | tcp 7200'
      : 'how long an idle session stays, in profile rfc | tcp-established 86400',
    set: ([name = '', text = '']) => put(name, text),
    unset: ([name = '']) => put(name),
    unsetArguments: names,
    unsetHelp: `back to what it is usually | ${isClassic ? 'tcp' : 'tcp-established'}`,
    lines: () =>
      timers.flatMap(([name, usual, , parameter]) => {
        const seconds = i32at(PARAMETERS_AT + 4 * parameter) / TICKS_PER_SECOND;
        return seconds === usual ? [] : [`set ${words} ${name} ${seconds}`];
      }),
  };
}

function choiceSettings(context: Context): Setting[] {
  const { plane } = context.machine;
  const parameter = (index: number) => i32at(PARAMETERS_AT + 4 * index);
  return [
    {
      words: 'nat profile',
      arguments: 'rfc|classic=rfc',
      help: 'rules of new sessions: those of the RFCs, or of Linux 2.2',
      set: ([text = '']) =>
        choice('NAT profile', text, PROFILES, value => plane.setParameter(NAT_PROFILE, value)),
      unset: () => plane.setParameter(NAT_PROFILE, PROFILE_RFC),
      unsetHelp: 'back to rfc',
      lines: () => [`set nat profile ${nameOf(PROFILES, parameter(NAT_PROFILE))}`],
    },
    {
      words: 'nat filter',
      arguments: 'endpoint|address|address-port=address',
      help: 'whose packets a mapping lets in, in profile rfc',
      set: ([text = '']) =>
        choice('NAT filter', text, FILTERS, value => plane.setParameter(NAT_FILTER, value)),
      unset: () => plane.setParameter(NAT_FILTER, FILTER_ADDRESS),
      unsetHelp: 'back to address',
      lines: () => [`set nat filter ${nameOf(FILTERS, parameter(NAT_FILTER))}`],
    },
    timeoutSetting(context, false),
    timeoutSetting(context, true),
    {
      words: 'engine',
      arguments: 'native|interpreted=native',
      help: 'what runs the packet path: compiled code, or JavaScript',
      set: ([text = '']) =>
        choice('engine', text, ENGINES, value => {
          if (value === ENGINE_INTERPRETED) context.machine.overlay('interpreted');
          setEngine(plane, value);
        }),
      unset: () => setEngine(plane, ENGINE_NATIVE),
      unsetHelp: 'back to native',
      lines: () => [`set engine ${nameOf(ENGINES, i32at(ENGINE_AT))}`],
    },
  ];
}
