// Settings of masquerade and engine. Refusals say "Cannot set WHAT VALUE: CAUSE".

import { ENGINE_AT, ENGINE_INTERPRETED, ENGINE_NATIVE } from '../../plane/cells.ts';
import { PARAMETERS_AT } from '../../plane/limits.ts';
import { i32at } from '../../plane/memory.ts';
import { FILTER_ADDRESS, NAT_FILTER, NAT_PROFILE, PROFILE_RFC } from '../../plane/parameters.ts';
import { Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import type { Setting } from '../registry.ts';
import { ENGINES, FILTERS, nameOf, PROFILES, setEngine } from '../settings.ts';

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
