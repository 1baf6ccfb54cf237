// Dial on demand as control has it: the words of `set ppp0 demand`, and who wanted a call, in words for people. Not here: which packets wait
// (src/plane/link/demand.ts), the call (caller.ts).

import {
  DEMAND_ICMP,
  DEMAND_OTHER,
  DEMAND_OWN,
  DEMAND_TCP,
  DEMAND_UDP,
  WANTED_DESTINATION_AT,
  WANTED_PACKET_AT,
  WANTED_PORTS_AT,
  WANTED_PROTOCOL_AT,
  WANTED_SOURCE_AT,
} from '../../base/demand-record.ts';
import { DEMAND_WORDS } from '../../base/line-limits.ts';
import { i32at } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { formatAddress } from '../core/address.ts';
import type { Machine, Plane } from '../core/machine.ts';

/** Neither dial nor keep a link up by themselves: Windows' names and shares, and clocks. */
export const DEMAND_DEFAULT = 'tcp udp icmp -tcp:137-139 -udp:137-139 -udp:123';
const KINDS: Readonly<Record<string, number>> = {
  tcp: DEMAND_TCP,
  udp: DEMAND_UDP,
  icmp: DEMAND_ICMP,
  other: DEMAND_OTHER,
  own: DEMAND_OWN,
};
const PORT_MOST = 65535;
const DNS_PORT = 53;
const DNS_HEADER_BYTES = 12;
const LABEL_MOST = 63;

export interface DemandWord {
  kind: number;
  isMinus: boolean;
  from: number;
  to: number;
}

/** The words of `set ppp0 demand`, or why they are none. */
export function readDemand(text: string): DemandWord[] | string {
  const words: DemandWord[] = [];
  for (const part of text.split(' ')) {
    const match = /^(-?)([a-z]+)(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(part);
    const kind = match === null || !Object.hasOwn(KINDS, match[2] as string) ? 0 : KINDS[match[2] as string];
    const from = Number(match?.[3] ?? 0);
    const to = Number(match?.[4] ?? match?.[3] ?? PORT_MOST);
    const hasPorts = kind === DEMAND_TCP || kind === DEMAND_UDP;
    if (match === null || kind === undefined || kind === 0 || from > to || to > PORT_MOST)
      return 'it is words like tcp, udp:53, -udp:137-139, icmp, other, own';
    if (match[3] !== undefined && !hasPorts) return `${match[2]} has no ports`;
    words.push({ kind, isMinus: match[1] === '-', from, to });
  }
  return words.length > DEMAND_WORDS ? `there are at most ${DEMAND_WORDS} words` : words;
}

/** Whether the words have a question of DNS, which the router asks in place of a host. */
export function hasNames(words: readonly DemandWord[]): boolean {
  let found = false;
  for (const { kind, isMinus, from, to } of words) {
    if (kind !== DEMAND_UDP || from > DNS_PORT || to < DNS_PORT) continue;
    if (isMinus) return false;
    found = true;
  }
  return found;
}

/** The words that count for a link from now on. */
export function giveWords(plane: Plane, link: number, words: readonly DemandWord[]): void {
  for (let n = 0; n < DEMAND_WORDS; n++) {
    const word = words[n];
    if (word === undefined) plane.demandWord(link, n, 0, 0, 0, 0);
    else plane.demandWord(link, n, word.kind, word.isMinus ? 1 : 0, word.from, word.to);
  }
}

/** Who wants the call that the plane asks for: host, protocol, port, and the name that a question of DNS is about. */
export function whoWants(machine: Machine): string {
  const [source, protocol] = [i32at(WANTED_SOURCE_AT), i32at(WANTED_PROTOCOL_AT)];
  const ports = i32at(WANTED_PORTS_AT);
  const to = formatAddress(i32at(WANTED_DESTINATION_AT));
  const who = source === 0 ? 'the router itself' : formatAddress(source);
  if (protocol === PROTOCOL_ICMP) return `${who}, ping to ${to}`;
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return `${who}, protocol ${protocol} to ${to}`;
  const port = ports & PORT_MOST;
  const name = protocol === PROTOCOL_UDP && port === DNS_PORT ? nameAsked(machine) : '';
  return `${who}, ${protocol === PROTOCOL_TCP ? 'tcp' : 'udp'} to ${to} port ${port}${name === '' ? '' : ` about ${name}`}`;
}

/** The name in a question of DNS, while its packet waits; '' where there is none that can be read. */
function nameAsked({ memory }: Machine): string {
  const packet = i32at(WANTED_PACKET_AT);
  if (packet === 0) return '';
  const at = packet + PACKET_IP;
  const datagram = memory.slice(at, at + i32at(packet + PACKET_LENGTH));
  const labels: string[] = [];
  let from = 4 * ((datagram[0] as number) & 15) + 8 + DNS_HEADER_BYTES;
  for (;;) {
    const bytes = datagram[from] ?? 0;
    if (bytes === 0 || bytes > LABEL_MOST) break;
    let label = '';
    for (const byte of datagram.subarray(from + 1, from + 1 + bytes))
      label += byte > 32 && byte < 127 ? String.fromCharCode(byte) : '?';
    labels.push(label);
    from += 1 + bytes;
  }
  return labels.join('.');
}
