// A captured frame as one line, in the manner of tcpdump. Everything is read within the bytes that were captured: a
// field behind their end is left out, and the line ends with [cut].
// RFC 791, 793, 768, 792, 826. Not here: the time and the interface before it (capture.ts).

import { get8, get16, get32 } from '../../base/memory.ts';
import { formatAddress, formatMac, hex } from '../core/address.ts';

const ETHERNET = 14;
/** IEEE 802.1Q: number and priority of a VLAN stand between addresses and type. */
const TAG = 4;
const ARP_BYTES = 28;
/** FIN to CWR, from the lowest bit on. */
const FLAG_LETTERS = 'FSRP.UEW';
const ICMP_TYPES: Readonly<Record<number, string>> = {
  0: 'echo reply',
  3: 'unreachable',
  5: 'redirect',
  8: 'echo request',
  11: 'time exceeded',
  12: 'parameter problem',
};

/** @param at plane address of the frame, `captured` bytes of which are there; `length` it had. */
export function frameText(at: number, captured: number, length: number): string {
  if (captured < ETHERNET) return `${length} bytes [cut]`;
  const type = get16(at + 12);
  const end = at + captured;
  const payload = at + ETHERNET;
  if (type === 0x8100 && captured >= ETHERNET + TAG) {
    const inner = get16(at + ETHERNET + 2);
    const vlan = `vlan ${get16(at + ETHERNET) & 0xfff} `;
    if (inner === 0x0800 || inner === 0x0806) return vlan + frameText(at + TAG, captured - TAG, length - TAG);
  }
  if (type === 0x0806) return arpText(payload, end, length);
  if (type === 0x0800 && captured >= ETHERNET + 20) return ipText(payload, end);
  return `${stationText(at + 6)} > ${stationText(at)}: type 0x${hex(type, 4)}, length ${length}`;
}

function stationText(at: number): string {
  return formatMac([0, 1, 2, 3, 4, 5].map(i => get8(at + i)));
}

function arpText(at: number, end: number, length: number): string {
  if (end < at + ARP_BYTES) return `ARP, length ${length} [cut]`;
  const sender = formatAddress(get32(at + 14));
  if (get16(at + 6) === 2) return `ARP ${sender} is at ${stationText(at + 8)}`;
  return `ARP who has ${formatAddress(get32(at + 24))}, tell ${sender}`;
}

function ipText(ip: number, end: number): string {
  const header = (get8(ip) & 15) << 2;
  const l4 = ip + header;
  const bytes = get16(ip + 2) - header;
  const protocol = get8(ip + 9);
  const [source, destination] = [formatAddress(get32(ip + 12)), formatAddress(get32(ip + 16))];
  const way = `${source} > ${destination}`;
  const fragment = get16(ip + 6);
  const offset = (fragment & 0x1fff) << 3;
  const more = (fragment & 0x2000) !== 0;
  // As tcpdump: identification, size, offset, + when more follow.
  const part = offset > 0 || more ? ` (frag ${get16(ip + 4)}:${bytes}@${offset}${more ? '+' : ''})` : '';
  const name = { 1: 'ICMP', 6: 'TCP', 17: 'UDP' }[protocol] ?? `protocol ${protocol}`;
  if (offset > 0 || (protocol !== 1 && protocol !== 6 && protocol !== 17))
    return `${way}: ${name}, length ${bytes}${part}`;
  if (end < l4 + (protocol === 6 ? 20 : 8)) return `${way}: ${name}, length ${bytes}${part} [cut]`;
  if (protocol === 1) return `${way}: ${icmpText(l4, bytes)}${part}`;
  const ports = `${source}.${get16(l4)} > ${destination}.${get16(l4 + 2)}`;
  if (protocol === 17) return `${ports}: UDP, length ${bytes - 8}${part}`;
  return `${ports}: ${tcpText(l4, bytes)}${part}`;
}

function tcpText(l4: number, bytes: number): string {
  const bits = get8(l4 + 13);
  let flags = '';
  for (let i = 0; i < 8; i++) if ((bits & (1 << i)) !== 0) flags += FLAG_LETTERS[i];
  const data = bytes - ((get8(l4 + 12) >> 4) << 2);
  const acknowledged = (bits & 0x10) === 0 ? '' : ` ack ${get32(l4 + 8) >>> 0},`;
  return `Flags [${flags}], seq ${get32(l4 + 4) >>> 0},${acknowledged} win ${get16(l4 + 14)}, length ${data}`;
}

function icmpText(l4: number, bytes: number): string {
  const [type, code] = [get8(l4), get8(l4 + 1)];
  const name = ICMP_TYPES[type] ?? `type ${type}`;
  const query = type === 0 || type === 8 ? `id ${get16(l4 + 4)}, seq ${get16(l4 + 6)}` : `code ${code}`;
  return `ICMP ${name}, ${query}, length ${bytes}`;
}
