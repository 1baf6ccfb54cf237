// The line of a packet that a rule has logged, as Linux 2.4 and later write it:
//
//    PREFIXIN=lan OUT=wan MAC=to:from:type SRC=... DST=... LEN= TOS= PREC= TTL= ID= [DF] [MF] [FRAG:] PROTO=TCP SPT= DPT= ... [MARK=0x1f]
//
// with a blank behind it, as there. Only so much of a packet is kept as its record has room for: where a header goes on behind that, INCOMPLETE
// is said, as for one that was cut off. Not here: the lines of 2.0 and 2.2 (old-line.ts).

import { get8, get16, get32, i32at } from '../../../base/memory.ts';
import { RULE_LOG_BYTES } from '../../../base/rule-limits.ts';
import {
  LOG_DATAGRAM,
  LOG_ETHERNET,
  LOG_FLAGS,
  LOG_IN,
  LOG_MARK,
  LOG_OUT,
  LOG_PREFIX,
  LOG_PREFIX_BYTES,
  LOG_TTL,
} from '../../../base/rule-log-record.ts';
import { LOG_IP_OPTIONS, LOG_MAC, LOG_SEQUENCE, LOG_TCP_OPTIONS } from '../../../base/rule-record.ts';
import {
  ICMP_CODE,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER_BYTES,
  ICMP_IDENTIFIER,
  ICMP_REDIRECT,
  ICMP_SEQUENCE,
  ICMP_UNREACHABLE,
  icmpIsError,
} from '../../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_DESTINATION,
  IP_DONT_FRAGMENT,
  IP_HEADER_BYTES,
  IP_ID,
  IP_LENGTH,
  IP_MORE_FRAGMENTS,
  IP_OFFSET,
  IP_OFFSET_UNITS,
  IP_PROTOCOL,
  IP_SOURCE,
  IP_TOS,
  IP_TTL,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SOURCE_PORT,
} from '../../../wire/ipv4.ts';
import {
  TCP_ACKNOWLEDGMENT,
  TCP_FLAGS,
  TCP_HEADER_BYTES,
  TCP_LENGTH,
  TCP_SEQUENCE,
  TCP_WINDOW,
  tcpHeaderBytesOf,
} from '../../../wire/tcp.ts';
import { UDP_HEADER_BYTES, UDP_LENGTH } from '../../../wire/udp.ts';
import { formatAddress } from '../../core/address.ts';
import { interfaceName } from '../../core/facts.ts';

const CODE_FRAGMENTATION_NEEDED = 4;
const TCP_URGENT = 18;
/** From the highest bit on. */
const FLAG_NAMES = ['CWR', 'ECE', 'URG', 'ACK', 'PSH', 'RST', 'SYN', 'FIN'];
const PROTOCOL_ESP = 50;
const PROTOCOL_AH = 51;
const NO_LINK = 255;

/** A number in hexadecimal with so many digits at least. */
export const hex = (value: number, digits: number): string =>
  (value >>> 0).toString(16).padStart(digits, '0');

function hexBytes(from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += hex(get8(at), 2).toUpperCase();
  return text;
}

export const linkText = (link: number): string => (link === NO_LINK ? '' : interfaceName(link));

/** Station addresses as `aa:bb:cc:dd:ee:ff`, and what follows them. */
function stations(at: number, bytes: number): string {
  let text = hex(get8(at), 2);
  for (let i = 1; i < bytes; i++) text += `:${hex(get8(at + i), 2)}`;
  return text;
}

const tosText = (tos: number): string =>
  `TOS=0x${hex(tos & 0x1e, 2).toUpperCase()} PREC=0x${hex(tos & 0xe0, 2).toUpperCase()} `;

/** A datagram at `ip` of which there are bytes up to `end`: the packet itself, or one that an error quotes. */
function datagram(ip: number, end: number, flags: number, ttl: number): string {
  const headerBytes = headerBytesOf(ip);
  const word = get16(ip + IP_OFFSET);
  const offset = word & IP_OFFSET_UNITS;
  let text = `SRC=${formatAddress(get32(ip + IP_SOURCE))} DST=${formatAddress(get32(ip + IP_DESTINATION))} `;
  text += `LEN=${get16(ip + IP_LENGTH)} ${tosText(get8(ip + IP_TOS))}TTL=${ttl} ID=${get16(ip + IP_ID)} `;
  if ((word & 0x8000) !== 0) text += 'CE ';
  if ((word & IP_DONT_FRAGMENT) !== 0) text += 'DF ';
  if ((word & IP_MORE_FRAGMENTS) !== 0) text += 'MF ';
  if (offset !== 0) text += `FRAG:${offset} `;
  const l4 = ip + headerBytes;
  if ((flags & LOG_IP_OPTIONS) !== 0 && headerBytes > IP_HEADER_BYTES)
    text += `OPT (${hexBytes(ip + IP_HEADER_BYTES, Math.min(l4, end))}) `;
  const there = Math.max(0, Math.min(end, ip + get16(ip + IP_LENGTH)) - l4);
  return text + transport(get8(ip + IP_PROTOCOL), l4, there, offset !== 0, flags);
}

/** What follows the header, of which there are so many bytes. */
function transport(protocol: number, l4: number, there: number, isLater: boolean, flags: number): string {
  const incomplete = (least: number): string => (there < least ? `INCOMPLETE [${there} bytes] ` : '');
  if (protocol === PROTOCOL_TCP) {
    if (isLater) return 'PROTO=TCP ';
    return `PROTO=TCP ${incomplete(TCP_HEADER_BYTES) || tcp(l4, there, flags)}`;
  }
  if (protocol === PROTOCOL_UDP) {
    if (isLater) return 'PROTO=UDP ';
    return `PROTO=UDP ${incomplete(UDP_HEADER_BYTES) || `${ports(l4)}LEN=${get16(l4 + UDP_LENGTH)} `}`;
  }
  if (protocol === PROTOCOL_ICMP) {
    if (isLater) return 'PROTO=ICMP ';
    return `PROTO=ICMP ${incomplete(4) || icmp(l4, there)}`;
  }
  if (protocol === PROTOCOL_ESP || protocol === PROTOCOL_AH) {
    const isAh = protocol === PROTOCOL_AH;
    const name = `PROTO=${isAh ? 'AH' : 'ESP'} `;
    if (isLater) return name;
    return name + (incomplete(isAh ? 12 : 8) || `SPI=0x${hex(get32(l4 + (isAh ? 4 : 0)), 1)} `);
  }
  return `PROTO=${protocol} `;
}

const ports = (l4: number): string => `SPT=${get16(l4 + SOURCE_PORT)} DPT=${get16(l4 + DESTINATION_PORT)} `;

function tcp(l4: number, there: number, flags: number): string {
  let text = ports(l4);
  if ((flags & LOG_SEQUENCE) !== 0)
    text += `SEQ=${get32(l4 + TCP_SEQUENCE) >>> 0} ACK=${get32(l4 + TCP_ACKNOWLEDGMENT) >>> 0} `;
  text += `WINDOW=${get16(l4 + TCP_WINDOW)} RES=0x${hex(((get16(l4 + TCP_LENGTH) & 0xfc0) >> 6) & 0x3f, 2)} `;
  for (const [i, name] of FLAG_NAMES.entries())
    if ((get8(l4 + TCP_FLAGS) & (0x80 >> i)) !== 0) text += `${name} `;
  text += `URGP=${get16(l4 + TCP_URGENT)} `;
  const options = Math.min(tcpHeaderBytesOf(l4), there);
  if ((flags & LOG_TCP_OPTIONS) !== 0 && options > TCP_HEADER_BYTES)
    text += `OPT (${hexBytes(l4 + TCP_HEADER_BYTES, l4 + options)}) `;
  return text;
}

function icmp(l4: number, there: number): string {
  const [type, code] = [get8(l4), get8(l4 + ICMP_CODE)];
  let text = `TYPE=${type} CODE=${code} `;
  if (there < ICMP_HEADER_BYTES)
    return type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY || icmpIsError(type) !== 0
      ? `${text}INCOMPLETE [${there} bytes] `
      : text;
  if (type === ICMP_ECHO_REQUEST || type === ICMP_ECHO_REPLY)
    return `${text}ID=${get16(l4 + ICMP_IDENTIFIER)} SEQ=${get16(l4 + ICMP_SEQUENCE)} `;
  if (icmpIsError(type) === 0) return text;
  if (type === ICMP_REDIRECT) text += `GATEWAY=${formatAddress(get32(l4 + ICMP_IDENTIFIER))} `;
  const quoted = l4 + ICMP_HEADER_BYTES;
  if (there - ICMP_HEADER_BYTES >= IP_HEADER_BYTES)
    text += `[${datagram(quoted, l4 + there, 0, get8(quoted + IP_TTL))}] `;
  if (type === ICMP_UNREACHABLE && code === CODE_FRAGMENTATION_NEEDED) text += `MTU=${get16(l4 + 6)} `;
  return text;
}

/** The line of a record, without its level. */
export function logLine(record: number): string {
  const flags = get8(record + LOG_FLAGS);
  const [came, out] = [get8(record + LOG_IN), get8(record + LOG_OUT)];
  let text = '';
  for (let i = 0; i < get8(record + LOG_PREFIX_BYTES); i++)
    text += String.fromCharCode(get8(record + LOG_PREFIX + i));
  text += `IN=${linkText(came)} OUT=${linkText(out)} `;
  const ethernet = record + LOG_ETHERNET;
  if (came !== NO_LINK) {
    if ((flags & LOG_MAC) === 0) text += `MAC=${stations(ethernet, 14)} `;
    else
      text += `MACSRC=${stations(ethernet + 6, 6)} MACDST=${stations(ethernet, 6)} MACPROTO=${hex(get16(ethernet + 12), 4)} `;
  }
  text += datagram(record + LOG_DATAGRAM, record + RULE_LOG_BYTES, flags, get8(record + LOG_TTL));
  const mark = i32at(record + LOG_MARK);
  return mark === 0 ? text : `${text}MARK=0x${hex(mark, 1)} `;
}
