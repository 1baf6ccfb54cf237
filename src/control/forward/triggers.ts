// `set trigger`: its lines, which are had whenever settings are saved. Not here: what it does (overlay.ts), and what a trigger is
// (src/plane/flow/triggers.ts).

import { TRIGGERS_SET_AT } from '../../base/cells.ts';
import { i32at, u16at } from '../../base/memory.ts';
import {
  TRIGGER_ALWAYS,
  TRIGGER_ANYBODY,
  TRIGGER_BY_PORT,
  TRIGGER_BY_PROTOCOL,
  TRIGGER_FIRST,
  TRIGGER_FLAGS,
  TRIGGER_LAST,
  TRIGGER_PROTOCOL,
  triggerAt,
} from '../../base/trigger-record.ts';
import { PROTOCOL_TCP } from '../../wire/ipv4.ts';
import type { Context } from '../core/context.ts';
import type { Setting } from '../core/setting.ts';

const nameOf = (at: number): string => (u16at(at) === PROTOCOL_TCP ? 'tcp' : 'udp');

/** Trigger number n as it is typed: the ports, whom they are from, and what stands behind. */
export function triggerWords(n: number): [string, string, string] {
  const at = triggerAt(n);
  const [first, last] = [u16at(at + TRIGGER_FIRST), u16at(at + TRIGGER_LAST)];
  const flags = u16at(at + TRIGGER_FLAGS);
  const always = (flags & TRIGGER_ALWAYS) !== 0 ? ' always' : '';
  return [
    `${nameOf(at + TRIGGER_PROTOCOL)} ${first}${first === last ? '' : `-${last}`}`,
    `${nameOf(at + TRIGGER_BY_PROTOCOL)} ${u16at(at + TRIGGER_BY_PORT)}`,
    (flags & TRIGGER_ANYBODY) !== 0 ? `${always} anybody` : always,
  ];
}

export function triggerSetting({ machine }: Context): Setting {
  return {
    words: 'trigger',
    inPlane: true,
    arguments: 'tcp|udp PORTS:ports tcp|udp PORT:integer(1..65535) [OPTION:words(always|anybody)...2]',
    help: 'a host that has a session with a control port gets what comes from there for ports | udp 6970-7170 tcp 7070',
    set: args => machine.overlay('forward').setTrigger(machine.plane, args),
    unset: args => machine.overlay('forward').unsetTrigger(machine.plane, args),
    unsetArguments: 'tcp|udp PORTS:ports tcp|udp PORT:integer(1..65535)',
    unsetHelp: 'such a session opens nothing any more | udp 6970-7170 tcp 7070',
    lines: () => {
      const lines: string[] = [];
      for (let n = 0; n < i32at(TRIGGERS_SET_AT); n++) {
        const [ports, by, options] = triggerWords(n);
        lines.push(`set trigger ${ports} ${by}${options}`);
      }
      return lines;
    },
  };
}
