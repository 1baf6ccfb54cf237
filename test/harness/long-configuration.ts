// A configuration of 200 lines, about the longest that there can be: all tables of settings are full, every other
// setting is set, and what is left are comments, as in a file that a person keeps.

import {
  DHCP_OPTIONS,
  DHCP_RESERVATIONS,
  DNS_ALLOWED,
  DNS_HOSTS,
  STATIC_ROUTES,
} from '../../src/control/core/limits.ts';
import { versionLine } from '../../src/control/core/store/version.ts';

const LINES = 200;

const times = (count: number, line: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => line(i));
const hex = (i: number): string => i.toString(16).padStart(2, '0');

/** Its settings, in the order in which `export` has them. */
export const longSettings: readonly string[] = [
  'set lan address 10.9.0.1/22',
  'set wan hostname router-of-the-house',
  'set wan address 203.0.113.10/24',
  'set wan mtu 1492',
  'set wan gateway 203.0.113.1',
  'set nat profile classic',
  'set nat filter endpoint',
  'set engine native',
  'set dhcp range 10.9.1.1 10.9.1.250',
  'set dhcp lease 86400',
  'set dhcp dns 10.9.0.1 10.9.0.2',
  'set dhcp domain house.example',
  ...times(DHCP_OPTIONS, i => `set dhcp option ${224 + i} 10 9 0 ${i}`),
  ...times(
    DHCP_RESERVATIONS,
    i => `set dhcp reserve 52:54:00:00:01:${hex(i)} 10.9.2.${i + 1} machine-in-room-${i}`,
  ),
  'set dns server 203.0.113.53 203.0.113.54',
  'set dns domain house.example',
  ...times(DNS_HOSTS, i => `set dns host service-${i}.house.example 10.9.0.${i + 10}`),
  'set dns rebind off',
  ...times(DNS_ALLOWED, i => `set dns allow branch-${i}.example.org`),
  ...times(STATIC_ROUTES, i => `set route 172.16.${i}.0/24 10.9.0.${i + 10}`),
  'set timezone CET-1CEST,M3.5.0,M10.5.0/3',
  ...times(4, i => `set ntp server 203.0.113.${i + 60}`),
  'set syslog 10.9.0.5',
  'set console idle 900',
  'set console pager off',
];

/** The text as `flash.sh --config` takes it. */
export const longConfiguration: string = [
  versionLine(),
  ...times(LINES - 1 - longSettings.length, i => `# machine ${i} stands in room ${i}`),
  ...longSettings,
  '',
].join('\n');
