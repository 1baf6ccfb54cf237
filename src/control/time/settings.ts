// `set timezone` and `set ntp server`. Not here: what they do (ntp.ts, src/control/core/wall-clock.ts).

import { parseServer } from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';
import { NTP_SERVERS } from '../core/limits.ts';
import type { Machine } from '../core/machine.ts';
import type { Setting } from '../core/setting.ts';
import { UTC } from '../core/timezone.ts';
import type { WallClock } from '../core/wall-clock.ts';
import { zoneOf } from '../core/zone.ts';
import type { Ntp } from './ntp.ts';

export function zoneSetting(machine: Machine, wallClock: WallClock): Setting {
  return {
    words: 'timezone',
    arguments: 'ZONE:zone=UTC',
    help: 'by its name, Europe/Berlin, or as a POSIX string, CET-1CEST,M3.5.0,M10.5.0/3 | Europe/Berlin',
    set: ([text = '']) => {
      const zone = zoneOf(machine, text);
      if (typeof zone === 'string') throw new Refusal(`Cannot set time zone ${text}: ${zone}`);
      wallClock.zone = zone;
    },
    unset: () => {
      wallClock.zone = UTC;
    },
    unsetHelp: 'back to UTC',
    lines: () => (wallClock.zone === UTC ? [] : [`set timezone ${wallClock.zone.text}`]),
  };
}

export function serverSetting(ntp: Ntp): Setting {
  return {
    words: 'ntp server',
    arguments: 'HOST:host',
    help: `asks HOST for the time; ${NTP_SERVERS} at most | pool.ntp.org`,
    set: ([text = '']) => {
      const address = parseServer(text);
      if (typeof address === 'string') throw new Refusal(`Cannot set NTP server ${text}: ${address}`);
      if (!ntp.add(text.toLowerCase(), address))
        throw new Refusal(`Cannot set NTP server ${text}: all ${NTP_SERVERS} places are in use`);
    },
    unset: ([text = '']) => {
      if (!ntp.remove(text.toLowerCase()))
        throw new Refusal(`Cannot unset NTP server ${text}: it is not set`);
    },
    unsetArguments: 'HOST:host',
    unsetHelp: 'asks HOST no more | pool.ntp.org',
    lines: () => ntp.servers.map(text => `set ntp server ${text}`),
  };
}
