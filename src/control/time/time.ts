// The time of day as a service: RTC at boot, NTP when there is a server, the settings and `show time`.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { parseServer } from '../core/address.ts';
import { outsideLink, prefixOf } from '../core/addresses.ts';
import { dateText } from '../core/civil.ts';
import { type Command, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { NTP_SERVERS } from '../core/limits.ts';
import { WARNING } from '../core/log.ts';
import type { Machine } from '../core/machine.ts';
import { readRtc, writeRtc } from '../core/rtc.ts';
import type { Setting } from '../core/setting.ts';
import { UTC } from '../core/timezone.ts';
import type { WallClock } from '../core/wall-clock.ts';
import { zoneOf } from '../core/zone.ts';
import { type Ntp, NtpClient, type Resolve } from './ntp.ts';

/** The RTC is written when it is off by more, but not more often than this. */
const RTC_ERROR_SECONDS = 2;
const RTC_WRITE_TICKS = 3600 * TICKS_PER_SECOND;

export interface Time {
  wallClock: WallClock;
  ntp: Ntp;
  settings: Setting[];
  commands: Command[];
  start(): void;
}

/** What it needs of others. */
interface Others {
  wan: { onChange(listener: () => void): void; ntpServers(): readonly number[] };
  resolve: Resolve;
}

export function createTime(context: Context, { wan, resolve }: Others): Time {
  const { clock } = context;
  const { wallClock } = context;
  const ntp = new NtpClient(context, wallClock, keepInRtc, resolve);
  let writtenAt: number | undefined;

  function keepInRtc(): void {
    const now = clock.uptime();
    const time = wallClock.at(now);
    if (time === undefined || (writtenAt !== undefined && now - writtenAt < RTC_WRITE_TICKS)) return;
    writtenAt = now;
    const rtc = readRtc();
    if (rtc === undefined || Math.abs(rtc - time / 1000) > RTC_ERROR_SECONDS) writeRtc(time / 1000);
  }

  return {
    wallClock,
    ntp,
    settings: [zoneSetting(context.machine, wallClock), serverSetting(ntp)],
    commands: [
      {
        words: 'show time',
        help: 'the time of day and where it comes from',
        run: () => {
          context.machine.overlay('time').showTime(context, wallClock, ntp);
          return undefined;
        },
      },
    ],
    start: () => {
      const seconds = readRtc();
      if (seconds !== undefined && !wallClock.set(seconds * 1000, clock.now(), "the board's clock", false))
        context.log(WARNING, 'time', `the board's clock cannot be right: ${dateText(seconds)} UTC`);
      const learn = (): void => {
        ntp.learn(wan.ntpServers());
        if (prefixOf(outsideLink()) !== undefined) ntp.hurry();
      };
      wan.onChange(learn);
      ntp.learn(wan.ntpServers());
      ntp.start();
    },
  };
}

function zoneSetting(machine: Machine, wallClock: WallClock): Setting {
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

function serverSetting(ntp: Ntp): Setting {
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
