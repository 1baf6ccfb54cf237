// `traceroute`: the routers on the way to a host. UDP datagrams to ports on which nobody listens, with a time to live
// of 1, 2, 3...: each router on the way answers "time exceeded", the host itself "port unreachable" (RFC 792; RFC
// 1812, 5.3.1). Three probes a hop, one after the other, each with a port of its own, so that a late answer is not
// taken for the next one's. As Van Jacobson's does.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, get16, i32at } from '../../base/memory.ts';
import { FLAG_ICMP_ERROR, PACKET_FLAGS, PACKET_IP, PACKET_L4 } from '../../base/packet.ts';
import { put16 } from '../../wire/bytes.ts';
import {
  ICMP_CODE,
  ICMP_HEADER_BYTES as ICMP_HEADER,
  CODE_PORT_UNREACHABLE as PORT_UNREACHABLE,
  ICMP_TIME_EXCEEDED as TIME_EXCEEDED,
  ICMP_UNREACHABLE as UNREACHABLE,
} from '../../wire/icmp.ts';
import {
  DESTINATION_PORT,
  headerBytesOf,
  IP_TTL,
  SOURCE_PORT,
  PROTOCOL_UDP as UDP,
} from '../../wire/ipv4.ts';
import { UDP_CHECKSUM, UDP_HEADER_BYTES as UDP_HEADER, UDP_LENGTH } from '../../wire/udp.ts';
import { formatAddress } from '../core/address.ts';
import { since } from '../core/clock.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { fillHeader } from '../core/net/ipv4.ts';
import { freePort } from '../core/net/port.ts';
import { ASKING, sourceOf } from '../core/sockets.ts';
import { addressOf, type Host, hostOf, hostText, type Names, sendTo } from './target.ts';

const HOPS_MOST = 30;
const PROBES = 3;
const WAIT_TICKS = 3 * TICKS_PER_SECOND;
/** Shorter than ping's: an answer takes one tick of the clock, or two. */
const LOOK_TICKS = 1;
const FIRST_PORT = 33434;
const DATA_BYTES = 12;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;
/** What stands behind a time when the way ends before the host: network, host, protocol; else the code. */
const MARKS = ['!N', '!H', '!P'];

interface Answer {
  port: number;
  from: number;
  type: number;
  code: number;
  at: number;
}

/** Fills a probe into a buffer; localSend() sets source, identification and checksums. */
function buildProbe(
  memory: Uint8Array,
  packet: number,
  destination: number,
  ports: readonly [number, number],
  ttl: number,
): void {
  const udp = fillHeader(memory, packet, UDP, 0, destination, UDP_HEADER + DATA_BYTES);
  memory[packet + PACKET_IP + IP_TTL] = ttl;
  put16(memory, udp + SOURCE_PORT, ports[0]);
  put16(memory, udp + DESTINATION_PORT, ports[1]);
  put16(memory, udp + UDP_LENGTH, UDP_HEADER + DATA_BYTES);
  put16(memory, udp + UDP_CHECKSUM, 0);
  memory.fill(0, udp + UDP_HEADER, udp + UDP_HEADER + DATA_BYTES);
}

/** What an ICMP error tells of a probe. */
function readAnswer(packet: number, now: number): Answer {
  const icmp = i32at(packet + PACKET_L4);
  const quoted = icmp + ICMP_HEADER;
  const port = get16(quoted + headerBytesOf(quoted) + DESTINATION_PORT);
  return { port, from: sourceOf(packet), type: get8(icmp), code: get8(icmp + ICMP_CODE), at: now };
}

const VERB = 'trace the route to';

export function traceroute(context: Context, names: Names, text: string): Job {
  return run(context, names, hostOf(VERB, names, text));
}

function* run(context: Context, names: Names, host: Host): Job {
  const { clock, machine, output, sockets } = context;
  const destination = yield* addressOf(names, VERB, host);
  const { text } = host;
  const source = freePort(machine.plane, UDP);
  /** The last answer that has come. */
  const came: { answer?: Answer } = {};
  const opened =
    source !== 0 &&
    sockets.open(UDP, source, ASKING, packet => {
      if ((i32at(packet + PACKET_FLAGS) & FLAG_ICMP_ERROR) !== 0)
        came.answer = readAnswer(packet, clock.now());
    });
  if (!opened) throw new Refusal(`Cannot ${VERB} ${text}: all of the router's sockets are in use`);
  try {
    output.line(`The way to ${hostText(text, destination)}, ${HOPS_MOST} hops at most, ^C stops`);
    let ended = false;
    for (let hop = 1; hop <= HOPS_MOST && !ended; hop++) {
      let line = String(hop).padStart(2);
      let last = 0;
      for (let probe = 0; probe < PROBES; probe++) {
        const port = FIRST_PORT + (hop - 1) * PROBES + probe;
        const sentAt = clock.now();
        sendTo(context, `${VERB} ${text}`, packet =>
          buildProbe(machine.memory, packet, destination, [source, port], hop),
        );
        while (came.answer?.port !== port && since(clock.now(), sentAt) < WAIT_TICKS) yield LOOK_TICKS;
        const got = came.answer;
        if (got?.port !== port) {
          line += '  *';
          continue;
        }
        if (got.from !== last) line += `  ${formatAddress(got.from)}`;
        last = got.from;
        line += timeText(since(got.at, sentAt)) + markOf(got);
        ended ||= got.type === UNREACHABLE;
      }
      output.line(line);
    }
  } finally {
    sockets.close(UDP, source);
  }
}

function timeText(ticks: number): string {
  return ticks === 0 ? `  <${MS_PER_TICK} ms` : `  ${ticks * MS_PER_TICK} ms`;
}

function markOf({ type, code }: Answer): string {
  if (type === TIME_EXCEEDED || (type === UNREACHABLE && code === PORT_UNREACHABLE)) return '';
  return type === UNREACHABLE ? ` ${MARKS[code] ?? `!${code}`}` : ` !type ${type}`;
}
