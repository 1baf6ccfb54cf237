// `ping`: ICMP echo requests, one a second. RFC 792, page 14; RFC 1122, section 3.2.2.6.
// Answers print themselves as they are punted; the job sends, waits and sums up. ^C ends it.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, get16, i32at } from '../../base/memory.ts';
import { FLAG_ICMP_ERROR, PACKET_FLAGS, PACKET_IP, PACKET_L4 } from '../../base/packet.ts';
import {
  CODE_PROHIBITED,
  ICMP_ECHO_REPLY as ECHO_REPLY,
  ICMP_CODE,
  ICMP_SEQUENCE,
  ICMP_TIME_EXCEEDED as TIME_EXCEEDED,
  ICMP_UNREACHABLE as UNREACHABLE,
} from '../../wire/icmp.ts';
import { PROTOCOL_ICMP as ICMP, IP_HEADER_BYTES as IP_HEADER, IP_LENGTH, IP_TTL } from '../../wire/ipv4.ts';
import { formatAddress } from '../core/address.ts';
import { since } from '../core/clock.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { buildEcho } from '../core/net/echo.ts';
import { ASKING, sourceOf } from '../core/sockets.ts';
import { addressOf, type Host, hostOf, hostText, LOOK_TICKS, type Names, sendTo } from './target.ts';

const COUNT = 5;
const COUNT_MOST = 10_000;
/** As many as the period's ping sends; most, what fits a frame. */
const DATA_BYTES = 56;
const DATA_MOST = 1472;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;
/** Requests whose times are remembered: an answer that is later than so many seconds is none. */
const REMEMBERED = 64;

/** An ICMP error in words (RFC 792, RFC 1122, 3.2.2.1). */
function errorText(type: number, code: number): string {
  const unreachable = ['network unreachable', 'host unreachable', 'protocol unreachable', 'port unreachable'];
  if (type === UNREACHABLE && code === CODE_PROHIBITED) return 'administratively prohibited';
  if (type === UNREACHABLE) return unreachable[code] ?? `unreachable, code ${code}`;
  if (type === TIME_EXCEEDED) return 'time exceeded on the way';
  return `ICMP type ${type} code ${code}`;
}

/** `count N` and `size N` behind the host. */
function options(words: readonly string[]): { count: number; size: number } {
  const chosen = { count: COUNT, size: DATA_BYTES };
  for (let i = 0; i < words.length; i += 2) {
    const [name, text = ''] = [words[i] as string, words[i + 1]];
    if (name !== 'count' && name !== 'size')
      throw new Refusal(`Cannot ping with ${name}: the options are count and size`);
    const [least, most] = name === 'count' ? [1, COUNT_MOST] : [0, DATA_MOST];
    const value = /^\d{1,5}$/.test(text) ? Number(text) : -1;
    if (value < least || value > most)
      throw new Refusal(`Cannot ping with ${name} ${text}: it is not ${least} to ${most}`);
    chosen[name] = value;
  }
  return chosen;
}

/** @param args the host, then options */
export function ping(context: Context, names: Names, args: readonly string[]): Job {
  const [host = '', ...words] = args;
  const { count, size } = options(words);
  return run(context, names, hostOf('ping', names, host), count, size);
}

function* run(context: Context, names: Names, host: Host, count: number, size: number): Job {
  const { clock, machine, output, sockets } = context;
  const destination = yield* addressOf(names, 'ping', host);
  const identifier = sockets.freeIdentifier();
  const sentAt: number[] = [];
  let sent = 0;
  let received = 0;
  const opened = sockets.open(ICMP, identifier, ASKING, packet => {
    const icmp = i32at(packet + PACKET_L4);
    if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0) {
      output.line(
        `from ${formatAddress(sourceOf(packet))}: ${errorText(get8(icmp), get8(icmp + ICMP_CODE))}`,
      );
      return;
    }
    const sequence = get16(icmp + ICMP_SEQUENCE);
    const at = sentAt[sequence % REMEMBERED];
    if (get8(icmp) !== ECHO_REPLY || at === undefined || sequence >= sent || sequence < sent - REMEMBERED)
      return;
    received++;
    const bytes = get16(packet + PACKET_IP + IP_LENGTH) - IP_HEADER;
    const ticks = since(clock.now(), at);
    const time = ticks === 0 ? `time<${MS_PER_TICK} ms` : `time=${ticks * MS_PER_TICK} ms`;
    const ttl = get8(packet + PACKET_IP + IP_TTL);
    output.line(`${bytes} bytes from ${formatAddress(sourceOf(packet))}: seq=${sequence} ttl=${ttl} ${time}`);
  });
  if (!opened) throw new Refusal(`Cannot ping ${host.text}: all of the router's sockets are in use`);
  try {
    for (; sent < count; ) {
      sentAt[sent % REMEMBERED] = clock.now();
      sendTo(context, `ping ${host.text}`, packet =>
        buildEcho(machine.memory, packet, destination, identifier, sent, size),
      );
      if (sent++ === 0) output.line(`PING ${hostText(host.text, destination)}: ${size} data bytes, ^C stops`);
      const end = clock.now() + TICKS_PER_SECOND;
      while (since(clock.now(), end) < 0 && !(sent === count && received >= count)) yield LOOK_TICKS;
    }
  } finally {
    sockets.close(ICMP, identifier);
    if (sent > 0) output.line(`${sent} sent, ${received} received, ${sent - received} lost`);
  }
}
