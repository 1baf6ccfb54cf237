// The time service as a whole: when the WAN comes up the time is asked for at once, and how many servers may be set.
// Not here: the client's states (ntp.test.ts), real servers (test/time.test.ts).

import test from 'ava';
import { address, isIpv4, read } from '../../../test/packets.ts';
import { SERVER, WanLab } from '../../../test/wan-lab.ts';
import type { Refusal } from '../core/console/command.ts';
import { NTP_SERVERS } from '../core/limits.ts';
import { createTime } from './time.ts';

const NTP = '192.0.2.123';

function fixture() {
  const lab = new WanLab();
  const time = createTime(lab.context, { wan: lab.wan, resolve() {} });
  lab.context.registry.add(...time.settings);
  const set = (line: string): string => {
    try {
      lab.set(line);
      return '';
    } catch (error) {
      return (error as Refusal).message;
    }
  };
  /** The NTP requests that have left by the WAN since the last call. */
  const asked = (): string[] =>
    lab.toWan
      .splice(0)
      .filter(isIpv4)
      .map(frame => read(frame.slice(14)))
      .filter(({ destinationPort }) => destinationPort === 123)
      .map(({ destination }) => destination);
  return { lab, time, set, asked };
}

test.serial('servers that were set by hand are asked as soon as the WAN comes up, by hand or by DHCP', t => {
  for (const outage of [0, 100, 3000]) {
    for (const up of ['static', 'dhcp']) {
      const { lab, time, set, asked } = fixture();
      lab.wan.setNone();
      t.is(set(`set ntp server ${NTP}`), '');
      time.start();
      lab.run(20 + outage);
      t.deepEqual(asked(), [], 'there is no way');
      if (up === 'static') {
        lab.wan.setAddress({ address: address('203.0.113.10'), length: 24 });
        lab.wan.setGateway(address(SERVER));
      } else {
        lab.server = ({ type }) => ({ type: type === 1 ? 2 : 5, yiaddr: '203.0.113.10', seconds: 3600 });
        lab.wan.start(false);
        lab.wan.setDhcp();
        lab.run(2);
      }
      // Two requests are never less than 15 s apart, also where the first could not leave.
      lab.run(16);
      t.deepEqual([...new Set(asked())], [NTP], `${up} after ${outage} s`);
    }
  }
});

test.serial('NTP_SERVERS: one more is refused, and a place that is free again is taken', t => {
  const { set } = fixture();
  for (let n = 1; n <= NTP_SERVERS; n++) t.is(set(`set ntp server 192.0.2.${n}`), '');
  t.is(set('set ntp server a.example'), 'Cannot set NTP server a.example: all 4 places are in use');
  t.is(set('set ntp server 192.0.2.2'), '', 'it is set already');
  t.is(set('unset ntp server 192.0.2.2'), '');
  t.is(set('set ntp server a.example'), '');
});
