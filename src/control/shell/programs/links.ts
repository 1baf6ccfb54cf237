// The links as the period's tools list them: ifconfig, /proc/net/dev, and what both read.

import {
  IF_ADDRESS,
  IF_MAC,
  IF_MASK,
  IF_MTU,
  IF_RX_BYTES,
  IF_RX_DROPPED,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  IF_SIDE,
  IF_STATE,
  IF_TX_BYTES,
  IF_TX_DROPPED,
  IF_TX_ERRORS,
  IF_TX_PACKETS,
  INTERFACE_ABSENT,
  INTERFACE_OUTSIDE,
  INTERFACE_UP,
  interfaceAt,
} from '../../../base/interface.ts';
import { INTERFACE_COUNT, ROUTE_BYTES, ROUTE_COUNT, ROUTES_AT } from '../../../base/limits.ts';
import { get8, i32at } from '../../../base/memory.ts';
import {
  ROUTE_DESTINATION,
  ROUTE_GATEWAY,
  ROUTE_INTERFACE,
  ROUTE_MASK,
  ROUTE_NOWHERE,
  ROUTE_USED,
} from '../../../base/route-record.ts';
import { formatAddress, formatMac } from '../../core/address.ts';
import type { Links } from './names.ts';

/** Links that are there. */
export function present(): number[] {
  const found: number[] = [];
  for (let link = 0; link < INTERFACE_COUNT; link++)
    if (i32at(interfaceAt(link) + IF_STATE) !== INTERFACE_ABSENT) found.push(link);
  return found;
}

/** The first address outside; 0 where there is none. */
export function outsideAddress(): number {
  for (const link of present()) {
    const at = interfaceAt(link);
    if (i32at(at + IF_SIDE) === INTERFACE_OUTSIDE && i32at(at + IF_ADDRESS) !== 0)
      return i32at(at + IF_ADDRESS);
  }
  return 0;
}

export const LOOPBACK = [
  'lo        Link encap:Local Loopback  ',
  '          inet addr:127.0.0.1  Mask:255.0.0.0',
  '          UP LOOPBACK RUNNING  MTU:3924  Metric:1',
  '          RX packets:0 errors:0 dropped:0 overruns:0 frame:0',
  '          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0',
  '          collisions:0 txqueuelen:0 ',
  '',
  '',
].join('\n');

/** What ifconfig of net-tools 1.5x says of a link. */
export function listing(name: string, link: number): string {
  const at = interfaceAt(link);
  const count = (field: number): number => i32at(at + field) >>> 0;
  const mac = formatMac(Array.from({ length: 6 }, (_, i) => get8(at + IF_MAC + i))).toUpperCase();
  const address = i32at(at + IF_ADDRESS);
  const mask = i32at(at + IF_MASK);
  const rows = [`${name.padEnd(10)}Link encap:Ethernet  HWaddr ${mac}  `];
  if (address !== 0)
    rows.push(
      `          inet addr:${formatAddress(address)}  Bcast:${formatAddress(address | ~mask)}  Mask:${formatAddress(mask)}`,
    );
  const flags =
    i32at(at + IF_STATE) === INTERFACE_UP ? 'UP BROADCAST RUNNING MULTICAST' : 'BROADCAST MULTICAST';
  rows.push(
    `          ${flags}  MTU:${i32at(at + IF_MTU)}  Metric:1`,
    `          RX packets:${count(IF_RX_PACKETS)} errors:${count(IF_RX_ERRORS)} dropped:${count(IF_RX_DROPPED)} overruns:0 frame:0`,
    `          TX packets:${count(IF_TX_PACKETS)} errors:${count(IF_TX_ERRORS)} dropped:${count(IF_TX_DROPPED)} overruns:0 carrier:0`,
    '          collisions:0 txqueuelen:100 ',
  );
  return `${rows.join('\n')}\n\n`;
}

/** `/proc/net/dev` of 2.2 and 2.4. */
export function procDev(links: Links): string {
  const row = (name: string, numbers: readonly number[]): string => {
    const columns = numbers.map((number, i) =>
      String(number).padStart(([8, 8, 5, 5, 5, 6, 11, 10][i % 8] as number) - 1),
    );
    return `${name.padStart(6)}:${columns.join(' ')}\n`;
  };
  const none = new Array(16).fill(0);
  const rows = present().map(link => {
    const at = interfaceAt(link);
    const count = (field: number): number => i32at(at + field) >>> 0;
    const received = [
      count(IF_RX_BYTES),
      count(IF_RX_PACKETS),
      count(IF_RX_ERRORS),
      count(IF_RX_DROPPED),
      0,
      0,
      0,
      0,
    ];
    const sent = [
      count(IF_TX_BYTES),
      count(IF_TX_PACKETS),
      count(IF_TX_ERRORS),
      count(IF_TX_DROPPED),
      0,
      0,
      0,
      0,
    ];
    return row(links.nameOf(link), [...received, ...sent]);
  });
  return (
    'Inter-|   Receive                                                |  Transmit\n' +
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
    row('lo', none) +
    rows.join('')
  );
}

export interface Route {
  destination: number;
  gateway: number;
  mask: number;
  flags: string;
  name: string;
}

/** Routes as the kernel of the time would have them: the links' networks, loopback, those that are set, the default last. */
export function routes(links: Links): Route[] {
  const found: Route[] = [];
  for (const link of present()) {
    const at = interfaceAt(link);
    const address = i32at(at + IF_ADDRESS);
    const mask = i32at(at + IF_MASK);
    if (address !== 0)
      found.push({ destination: address & mask, gateway: 0, mask, flags: 'U', name: links.nameOf(link) });
  }
  found.push({ destination: 0x7f000000, gateway: 0, mask: 0xff000000 | 0, flags: 'U', name: 'lo' });
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    const link = i32at(at + ROUTE_INTERFACE);
    if (i32at(at + ROUTE_USED) === 0 || link === ROUTE_NOWHERE) continue;
    const mask = i32at(at + ROUTE_MASK);
    const gateway = i32at(at + ROUTE_GATEWAY);
    const flags = `U${gateway === 0 ? '' : 'G'}${mask === -1 ? 'H' : ''}`;
    found.push({
      destination: i32at(at + ROUTE_DESTINATION),
      gateway,
      mask,
      flags,
      name: links.nameOf(link),
    });
  }
  // The longest mask first, as they are looked up.
  return found.sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0));
}
