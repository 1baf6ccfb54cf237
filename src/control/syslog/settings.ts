// `set syslog`: who is sent the log; `set log console`: which lines are shown as they come. Not here: the sender (syslog.ts).

import { Refusal } from '../core/console/command.ts';
import { ERROR, LEVELS, type Log, levelOf } from '../core/log.ts';
import type { Setting } from '../core/setting.ts';
import type { SyslogSender } from './syslog.ts';

const CHOICES = LEVELS.join('|');

export function syslogSetting(sender: SyslogSender): Setting {
  return {
    words: 'syslog',
    arguments: 'HOST:host [rfc5424|rfc3164=rfc5424]',
    help: 'sends the log to a host, in the format of RFC 5424 or 3164 | 192.168.0.10 rfc3164',
    set: args => sender.set(args),
    unset: () => sender.stop(),
    unsetHelp: 'sends the log nowhere',
    lines: () => (sender.name === '' ? [] : [`set syslog ${sender.name}${sender.isOld ? ' rfc3164' : ''}`]),
  };
}

export function logSetting(log: Log): Setting {
  const standard = log.shown;
  const nameOf = (level: number): string => LEVELS[level - ERROR] as string;
  return {
    words: 'log console',
    arguments: `${CHOICES}=${nameOf(standard)}`,
    help: 'the level from which on the log is shown here as it comes',
    set: ([text = '']) => {
      const level = levelOf(text);
      if (level < ERROR)
        throw new Refusal(`Cannot set log console ${text}: it is one of ${LEVELS.join(', ')}`);
      log.shown = level;
    },
    unset: () => {
      log.shown = standard;
    },
    lines: () => (log.shown === standard ? [] : [`set log console ${nameOf(log.shown)}`]),
  };
}
