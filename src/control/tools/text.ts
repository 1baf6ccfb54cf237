// A captured frame as one line, in the manner of tcpdump. Everything is read within the bytes that were captured: a
// field behind their end is left out, and the line ends with [cut].
// RFC 791, 793, 768, 792, 826. Not here: the time and the interface before it (capture.ts).

import { HEADER_PPP } from '../../base/capture-record.ts';
import { get8, get16, get32 } from '../../base/memory.ts';
import {
  ARP_BYTES,
  ARP_OPERATION,
  ARP_REPLY,
  ARP_SENDER,
  ARP_SENDER_MAC,
  ARP_TARGET,
} from '../../wire/arp.ts';
import {
  ETHERNET_HEADER_BYTES as ETHERNET,
  ETHERNET_DESTINATION,
  ETHERNET_SOURCE,
  ETHERNET_TYPE,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_TAG,
  TAG_BYTES as TAG,
  TAG_VLAN,
} from '../../wire/ethernet.ts';
import {
  ICMP_CODE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_IDENTIFIER,
  ICMP_PARAMETER_PROBLEM,
  ICMP_REDIRECT,
  ICMP_SEQUENCE,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
} from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  PROTOCOL_ICMP as ICMP,
  IP_DESTINATION,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  SOURCE_PORT,
  PROTOCOL_TCP as TCP,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import {
  CP_CODE,
  CP_HEADER_BYTES,
  CP_IDENTIFIER,
  PPP_CHAP,
  PPP_IP,
  PPP_IPCP,
  PPP_LCP,
  PPP_PAP,
} from '../../wire/ppp.ts';
import {
  TCP_ACK,
  TCP_ACKNOWLEDGMENT,
  TCP_FLAGS,
  TCP_HEADER_BYTES,
  TCP_SEQUENCE,
  TCP_WINDOW,
  tcpHeaderBytesOf,
} from '../../wire/tcp.ts';
import { UDP_HEADER_BYTES } from '../../wire/udp.ts';
import { formatAddress, formatMac, hex } from '../core/address.ts';

/** FIN to CWR, from the lowest bit on. */
const FLAG_LETTERS = 'FSRP.UEW';
const ICMP_TYPES: Readonly<Record<number, string>> = {
  [ICMP_ECHO_REPLY]: 'echo reply',
  [ICMP_UNREACHABLE]: 'unreachable',
  [ICMP_REDIRECT]: 'redirect',
  [ICMP_ECHO_REQUEST]: 'echo request',
  [ICMP_TIME_EXCEEDED]: 'time exceeded',
  [ICMP_PARAMETER_PROBLEM]: 'parameter problem',
};

/** @param at plane address of the frame, `captured` bytes of which are there; `length` it had. */
export function frameText(at: number, captured: number, length: number): string {
  if (captured < ETHERNET) return `${length} bytes [cut]`;
  const type = get16(at + ETHERNET_TYPE);
  const end = at + captured;
  const payload = at + ETHERNET;
  if (type === ETHERTYPE_TAG && captured >= ETHERNET + TAG) {
    const inner = get16(at + TAG + ETHERNET_TYPE);
    const vlan = `vlan ${get16(at + ETHERNET) & TAG_VLAN} `;
    if (inner === ETHERTYPE_IPV4 || inner === ETHERTYPE_ARP)
      return vlan + frameText(at + TAG, captured - TAG, length - TAG);
  }
  if (type === ETHERTYPE_ARP) return arpText(payload, end, length);
  if (type === ETHERTYPE_IPV4 && captured >= ETHERNET + IP_HEADER_BYTES) return ipText(payload, end);
  return `${stationText(at + ETHERNET_SOURCE)} > ${stationText(at + ETHERNET_DESTINATION)}: type 0x${hex(type, 4)}, length ${length}`;
}

const PPP_NAMES: Readonly<Record<number, string>> = {
  [PPP_LCP]: 'LCP',
  [PPP_IPCP]: 'IPCP',
  [PPP_PAP]: 'PAP',
  [PPP_CHAP]: 'CHAP',
};
/** Of a frame of PPP's: address, control, protocol. */
const POINT_BYTES = 4;

/** The same of a serial line's. @param header HEADER_PPP or HEADER_NONE */
export function pointText(header: number, at: number, captured: number, length: number): string {
  const ip = header === HEADER_PPP ? at + POINT_BYTES : at;
  const end = at + captured;
  if (end < ip) return `${length} bytes [cut]`;
  const protocol = header === HEADER_PPP ? get16(at + 2) : PPP_IP;
  if (protocol === PPP_IP) return end >= ip + IP_HEADER_BYTES ? ipText(ip, end) : `${length} bytes [cut]`;
  const name = PPP_NAMES[protocol] ?? `protocol 0x${hex(protocol, 4)}`;
  const code =
    end >= ip + CP_HEADER_BYTES ? ` code ${get8(ip + CP_CODE)}, id ${get8(ip + CP_IDENTIFIER)},` : '';
  return `PPP ${name}${code} length ${length - POINT_BYTES}`;
}

function stationText(at: number): string {
  return formatMac([0, 1, 2, 3, 4, 5].map(i => get8(at + i)));
}

function arpText(at: number, end: number, length: number): string {
  if (end < at + ARP_BYTES) return `ARP, length ${length} [cut]`;
  const sender = formatAddress(get32(at + ARP_SENDER));
  if (get16(at + ARP_OPERATION) === ARP_REPLY)
    return `ARP ${sender} is at ${stationText(at + ARP_SENDER_MAC)}`;
  return `ARP who has ${formatAddress(get32(at + ARP_TARGET))}, tell ${sender}`;
}

function ipText(ip: number, end: number): string {
  const header = headerBytesOf(ip);
  const l4 = ip + header;
  const bytes = get16(ip + IP_LENGTH) - header;
  const protocol = get8(ip + IP_PROTOCOL);
  const [source, destination] = [
    formatAddress(get32(ip + IP_SOURCE)),
    formatAddress(get32(ip + IP_DESTINATION)),
  ];
  const way = `${source} > ${destination}`;
  const fragment = get16(ip + IP_OFFSET);
  const offset = (fragment & IP_OFFSET_UNITS) << 3;
  const more = (fragment & IP_MORE_FRAGMENTS) !== 0;
  // As tcpdump: identification, size, offset, + when more follow.
  const part = offset > 0 || more ? ` (frag ${get16(ip + IP_ID)}:${bytes}@${offset}${more ? '+' : ''})` : '';
  const name = { [ICMP]: 'ICMP', [TCP]: 'TCP', [UDP]: 'UDP' }[protocol] ?? `protocol ${protocol}`;
  if (offset > 0 || (protocol !== ICMP && protocol !== TCP && protocol !== UDP))
    return `${way}: ${name}, length ${bytes}${part}`;
  if (end < l4 + (protocol === TCP ? TCP_HEADER_BYTES : UDP_HEADER_BYTES))
    return `${way}: ${name}, length ${bytes}${part} [cut]`;
  if (protocol === ICMP) return `${way}: ${icmpText(l4, bytes)}${part}`;
  const ports = `${source}.${get16(l4 + SOURCE_PORT)} > ${destination}.${get16(l4 + DESTINATION_PORT)}`;
  if (protocol === UDP) return `${ports}: UDP, length ${bytes - UDP_HEADER_BYTES}${part}`;
  return `${ports}: ${tcpText(l4, bytes)}${part}`;
}

function tcpText(l4: number, bytes: number): string {
  const bits = get8(l4 + TCP_FLAGS);
  let flags = '';
  for (let i = 0; i < 8; i++) if ((bits & (1 << i)) !== 0) flags += FLAG_LETTERS[i];
  const data = bytes - tcpHeaderBytesOf(l4);
  const acknowledged = (bits & TCP_ACK) === 0 ? '' : ` ack ${get32(l4 + TCP_ACKNOWLEDGMENT) >>> 0},`;
  return `Flags [${flags}], seq ${get32(l4 + TCP_SEQUENCE) >>> 0},${acknowledged} win ${get16(l4 + TCP_WINDOW)}, length ${data}`;
}

function icmpText(l4: number, bytes: number): string {
  const [type, code] = [get8(l4), get8(l4 + ICMP_CODE)];
  const name = ICMP_TYPES[type] ?? `type ${type}`;
  const query =
    type === ICMP_ECHO_REPLY || type === ICMP_ECHO_REQUEST
      ? `id ${get16(l4 + ICMP_IDENTIFIER)}, seq ${get16(l4 + ICMP_SEQUENCE)}`
      : `code ${code}`;
  return `ICMP ${name}, ${query}, length ${bytes}`;
}
