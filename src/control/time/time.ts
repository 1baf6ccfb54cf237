// The time of day as a service: RTC at boot, NTP when there is a server, and `show time`.
// Not here: the settings (settings.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { outsideLink, prefixOf } from '../core/addresses.ts';
import { dateText } from '../core/civil.ts';
import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { WARNING } from '../core/log.ts';
import { readRtc, writeRtc } from '../core/rtc.ts';
import type { Setting } from '../core/setting.ts';
import type { WallClock } from '../core/wall-clock.ts';
import { type Ntp, NtpClient, type Resolve } from './ntp.ts';
import { serverSetting, zoneSetting } from './settings.ts';

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
