// `ping ADDRESS`: five ICMP echo requests, one a second. RFC 792, page 14; RFC 1122, section 3.2.2.6.
// Answers print themselves as they are punted; the job sends, waits and sums up. ^C ends it.

import { INTERFACE_COUNT, TICKS_PER_SECOND } from '../../plane/limits.ts';
import { fill, get8, get16, i32at, put8, put16, put32, puti32 } from '../../plane/memory.ts';
import {
  FLAG_ICMP_ERROR,
  PACKET_FLAGS,
  PACKET_IP,
  PACKET_L4,
  PACKET_LENGTH,
  PASS,
} from '../../plane/packet.ts';
import { formatAddress, parseAddress, refuseUnicast } from '../address.ts';
import { since } from '../clock.ts';
import { type Command, type Job, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { counterList } from '../counter-names.ts';
import { prefixOf } from '../settings.ts';
import { ANY_INTERFACE, ICMP, sourceOf } from '../sockets.ts';

const COUNT = 5;
const ETHERNET_HEADER = 14;
const IP_HEADER = 20;
const ICMP_HEADER = 8;
/** As many as the period's ping sends. */
const DATA_BYTES = 56;
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
/** How often the job looks for answers. */
const LOOK_TICKS = 5;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;

/** Fills an echo request into a buffer; localSend() sets source, time to live, identification, checksums. */
function buildEcho(packet: number, destination: number, identifier: number, sequence: number): void {
  const total = IP_HEADER + ICMP_HEADER + DATA_BYTES;
  const ip = packet + PACKET_IP;
  fill(ip, 0, IP_HEADER + ICMP_HEADER);
  put8(ip, 0x45);
  put16(ip + 2, total);
  put8(ip + 9, ICMP);
  put32(ip + 16, destination);
  const icmp = ip + IP_HEADER;
  put8(icmp, ECHO_REQUEST);
  put16(icmp + 4, identifier);
  put16(icmp + 6, sequence);
  for (let i = 0; i < DATA_BYTES; i++) put8(icmp + ICMP_HEADER + i, i);
  puti32(packet + PACKET_LENGTH, ETHERNET_HEADER + total);
}

function send(context: Context, destination: number, identifier: number, sequence: number): void {
  const { plane } = context.machine;
  const packet = plane.allocateForControl();
  let why = 'no packet buffer is free';
  if (packet !== 0) {
    buildEcho(packet, destination, identifier, sequence);
    const verdict = plane.localSend(packet);
    if (verdict === PASS) return;
    why = counterList().find(({ index }) => index === verdict)?.meaning ?? `reason ${verdict}`;
  }
  throw new Refusal(`Cannot ping ${formatAddress(destination)}: ${why}`);
}

/** An ICMP error in words (RFC 792, RFC 1122, 3.2.2.1). */
function errorText(type: number, code: number): string {
  const unreachable = ['network unreachable', 'host unreachable', 'protocol unreachable', 'port unreachable'];
  if (type === 3 && code === 13) return 'administratively prohibited';
  if (type === 3) return unreachable[code] ?? `unreachable, code ${code}`;
  if (type === 11) return 'time exceeded on the way';
  return `ICMP type ${type} code ${code}`;
}

function* ping(context: Context, destination: number): Job {
  const { clock, output, sockets } = context;
  const identifier = sockets.freeIdentifier();
  const sentAt: number[] = [];
  let received = 0;
  const opened = sockets.open(ICMP, identifier, ANY_INTERFACE, packet => {
    const icmp = i32at(packet + PACKET_L4);
    if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) {
      output.line(`from ${formatAddress(sourceOf(packet))}: ${errorText(get8(icmp), get8(icmp + 1))}`);
      return;
    }
    const sequence = get16(icmp + 6);
    const sent = sentAt[sequence];
    if (get8(icmp) !== ECHO_REPLY || sent === undefined) return;
    received++;
    const bytes = get16(packet + PACKET_IP + 2) - IP_HEADER;
    const ticks = since(clock.now(), sent);
    const time = ticks === 0 ? `time<${MS_PER_TICK} ms` : `time=${ticks * MS_PER_TICK} ms`;
    const ttl = get8(packet + PACKET_IP + 8);
    output.line(`${bytes} bytes from ${formatAddress(sourceOf(packet))}: seq=${sequence} ttl=${ttl} ${time}`);
  });
  if (!opened)
    throw new Refusal(`Cannot ping ${formatAddress(destination)}: all of the router's sockets are in use`);
  try {
    for (let sequence = 0; sequence < COUNT; sequence++) {
      sentAt.push(clock.now());
      send(context, destination, identifier, sequence);
      if (sequence === 0)
        output.line(`PING ${formatAddress(destination)}: ${DATA_BYTES} data bytes, ^C stops`);
      const end = clock.now() + TICKS_PER_SECOND;
      const last = sequence === COUNT - 1;
      while (since(clock.now(), end) < 0 && !(last && received >= COUNT)) yield LOOK_TICKS;
    }
    output.line(`${sentAt.length} sent, ${received} received, ${COUNT - received} lost`);
  } finally {
    sockets.close(ICMP, identifier);
  }
}

/** Why nothing can be sent there, or undefined. */
function refuse(address: number): string | undefined {
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (prefixOf(index)?.address === address) return 'it is an address of the router';
  }
  return refuseUnicast(address);
}

export function pingCommands(context: Context): Command[] {
  return [
    {
      words: 'ping',
      arguments: 'ADDRESS:address',
      help: 'asks a host for five answers',
      run: ([text = '']) => {
        const address = parseAddress(text);
        const why = typeof address === 'string' ? address : refuse(address);
        if (typeof address === 'string' || why !== undefined)
          throw new Refusal(`Cannot ping ${text}: ${why}`);
        return ping(context, address);
      },
    },
  ];
}
