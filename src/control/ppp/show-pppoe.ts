// What `show ppp` says of a link by PPPoE, and what it says of the address and the packets of any link.
// Not here: links on serial ports (show.ts), the link itself (pppoe/pppoe-link.ts).

import {
  IF_RX_BYTES,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  IF_TX_BYTES,
  IF_TX_PACKETS,
  interfaceAt,
} from '../../base/interface.ts';
import { i32at } from '../../base/memory.ts';
import { formatAddress, formatMac } from '../core/address.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import { interfaceName } from '../core/facts.ts';
import type { PppoeLink } from './pppoe/pppoe-link.ts';
import type { Opened } from './session.ts';

/** PADIs behind which it is said that nobody has answered. */
const MUTE = 3;

export function addressLine({ local, remote, mtu, peer }: Opened, dns: readonly number[]): string {
  const who = peer === '' ? '' : `, who is ${peer}`;
  const servers = dns.length === 0 ? '' : `, DNS servers ${dns.map(formatAddress).join(' ')}`;
  const theirs = remote === 0 ? 'unknown' : formatAddress(remote);
  return `address ${formatAddress(local)}, peer ${theirs}${who}, MTU ${mtu}${servers}`;
}

export function countLine(link: number): string {
  const at = interfaceAt(link);
  const count = (field: number) => i32at(at + field) >>> 0;
  return (
    `received ${count(IF_RX_PACKETS)} packets, ${count(IF_RX_BYTES)} bytes, ${count(IF_RX_ERRORS)} errors; ` +
    `sent ${count(IF_TX_PACKETS)} packets, ${count(IF_TX_BYTES)} bytes`
  );
}

export function sessionLines({ clock, wallClock }: Context, link: PppoeLink): string[] {
  const { name, wants, result, dns, ends } = link;
  const lines = [
    `${name} ${stateOf(link, clock.uptime())}, PPPoE by ${interfaceName(wants.below)}, dial ${wants.caller.mode}`,
  ];
  const { place, name: concentrator } = link.discovery;
  if (place !== undefined) {
    const called = concentrator === '' ? '' : `${concentrator}, `;
    lines.push(`    session ${place.session} of ${called}${formatMac(place.station)}`);
  }
  if (result !== undefined) lines.push(`    ${addressLine(result, dns)}`, `    ${countLine(link.link)}`);
  for (const { at, ticks, failure, text } of ends) {
    const when = wallClock.text(at) ?? `${formatTicks(clock.uptime() - at)} ago`;
    const up = ticks === 0 ? '' : `up for ${formatTicks(ticks)}, `;
    lines.push(`    ${when}: ${up}${failure === undefined ? '' : `${failure}: `}${text}`);
  }
  return lines;
}

function stateOf({ state, since, again, said, discovery }: PppoeLink, now: number): string {
  const time = formatTicks(now - since);
  if (state === 'up') return `up ${time}`;
  if (state === 'waiting') return `waits ${formatTicks(Math.max(0, again - now))}`;
  if (state === 'asking') {
    const mute = discovery.asked < MUTE ? '' : ': no concentrator answers';
    return `asks for a session for ${time}${said === '' ? mute : `: ${said}`}`;
  }
  return state === 'down' && said !== '' ? `down: ${said}` : state;
}
