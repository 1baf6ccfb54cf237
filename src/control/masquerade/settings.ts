// Settings of masquerade and engine. Refusals say "Cannot set WHAT VALUE: CAUSE".

import { ENGINE_AT, ENGINE_INTERPRETED, ENGINE_NATIVE } from '../../base/cells.ts';
import { PARAMETERS_AT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import {
  FILTER_ADDRESS,
  NAT_FILTER,
  NAT_PROFILE,
  PROFILE_RFC,
  RFC_TCP_ESTABLISHED,
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
/** Timers of profile rfc, from parameter RFC_TCP_ESTABLISHED on: name, default, the RFC's least, both in seconds. */
const TIMERS: [name: string, usual: number, least: number][] = [
  ['tcp-established', SECONDS_TCP_ESTABLISHED, 7440],
  ['tcp-opening', SECONDS_TCP_OPENING, 240],
  ['tcp-closing', SECONDS_TCP_OPENING, 240],
  ['udp', SECONDS_UDP, 120],
  ['icmp', SECONDS_ICMP, 60],
];

function timeoutSetting(context: Context): Setting {
  const { plane } = context.machine;
  const put = (name: string, text?: string): void => {
    const index = TIMERS.findIndex(([known]) => known === name);
    const timer = TIMERS[index];
    if (timer === undefined)
      throw new Refusal(`Cannot set NAT timeout ${name}: it is one of ${TIMERS.map(t => t[0]).join(', ')}`);
    const [, usual, least] = timer;
    const value = text === undefined ? usual : /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (value < least)
      throw new Refusal(`Cannot set NAT timeout ${name} ${text}: the RFCs ask for ${least} s at least`);
    if (value > TIMEOUT_MOST)
      throw new Refusal(`Cannot set NAT timeout ${name} ${text}: ${TIMEOUT_MOST} s are the most`);
    plane.setParameter(RFC_TCP_ESTABLISHED + index, value * TICKS_PER_SECOND);
  };
  return {
    words: 'nat timeout',
    arguments: 'icmp|udp|tcp-opening|tcp-closing|tcp-established SECONDS:integer(60..604800,seconds)',
    help: 'how long an idle session stays, in profile rfc | tcp-established 86400',
    set: ([name = '', text = '']) => put(name, text),
    unset: ([name = '']) => put(name),
    unsetArguments: 'icmp|udp|tcp-opening|tcp-closing|tcp-established',
    unsetHelp: 'back to what it is usually | tcp-established',
    lines: () =>
      TIMERS.flatMap(([name, usual], i) => {
        const seconds = i32at(PARAMETERS_AT + 4 * (RFC_TCP_ESTABLISHED + i)) / TICKS_PER_SECOND;
        return seconds === usual ? [] : [`set nat timeout ${name} ${seconds}`];
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
    timeoutSetting(context),
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
