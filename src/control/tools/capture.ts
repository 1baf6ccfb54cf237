// `capture`: what comes and goes by a card, a line a packet or as a pcap file's lines. ^C ends it, or `count`.
// What the console is too slow for is not shown and counted: a capture never delays a packet.
// Not here: the copies (src/plane/link/capture.ts), filters, text and lines (filter.ts, text.ts, stream.ts).

import {
  CAPTURE_DROPPED_AT,
  CAPTURE_IN,
  RECORD_CAPTURED,
  RECORD_DIRECTION,
  RECORD_HEADER,
  RECORD_INTERFACE,
  RECORD_LENGTH,
  RECORD_TICK,
} from '../../base/capture-record.ts';
import { IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../../base/interface.ts';
import { CAPTURE_RECORD_BYTES, FRAME_MAX, INTERFACE_COUNT, TICKS_PER_SECOND } from '../../base/limits.ts';
import { get8, i32at, puti32, u16at } from '../../base/memory.ts';
import { dateText } from '../core/civil.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { linkNamed } from '../core/link-names.ts';
import type { Plane } from '../core/machine.ts';
import { localAt } from '../core/timezone.ts';
import { parseFilter } from './filter.ts';
import { HEADER_LINES, recordLine } from './stream.ts';
import { frameText, pointText } from './text.ts';

/** Bytes of a frame that a line of text needs: Ethernet, IP with all its options, TCP without. */
const TEXT_SNAP = 14 + 60 + 20;
/** How often the ring is looked into. */
const LOOK_TICKS = 2;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;
const FOREVER = 0x7fffffff;

interface Wanted {
  /** Interfaces, a bit each. */
  mask: number;
  pcap: boolean;
  count: number;
  filter: string[];
}

/** "12:34:56.78" of a tick, by the clock of the router's zone; without the time, since power-on. */
function timeText(context: Context, tick: number): string {
  const { wallClock } = context;
  const time = wallClock?.milliseconds(tick);
  const centiseconds = Math.floor(time === undefined ? tick >>> 0 : time / MS_PER_TICK);
  const seconds = Math.floor(centiseconds / 100);
  const offset = time === undefined || wallClock === undefined ? 0 : localAt(wallClock.zone, seconds).offset;
  const text = dateText((seconds + offset) % 86400, ' ').slice(11, 19);
  return `${text}.${String(centiseconds % 100).padStart(2, '0')}`;
}

function* captureJob(context: Context, { mask, pcap, count, filter }: Wanted): Job {
  const { machine, output } = context;
  const { plane } = machine;
  let shown = 0;
  const header = pcap ? headerOf(plane, mask) : 0;
  const { wallClock } = context;
  plane.captureStop();
  const terms = parseFilter(filter);
  if (typeof terms === 'string') throw new Refusal(`Cannot capture ${filter.join(' ')}: ${terms}`);
  for (const { kind, value, mask: bits } of terms) plane.captureTerm(kind, value, bits);
  plane.captureStart(mask, pcap ? FRAME_MAX : TEXT_SNAP);
  output.line(pcap ? (HEADER_LINES[header] as string) : 'Capturing, ^C stops');
  try {
    while (shown < count) {
      const record = plane.captureNext();
      if (record === 0) {
        yield LOOK_TICKS;
        continue;
      }
      const bytes = i32at(record);
      const [tick, captured] = [i32at(record + RECORD_TICK), u16at(record + RECORD_CAPTURED)];
      const length = u16at(record + RECORD_LENGTH);
      shown++;
      if (pcap) {
        const time = wallClock?.milliseconds(tick) ?? (tick >>> 0) * MS_PER_TICK;
        output.line(recordLine(machine, shown, record, time, captured, length));
        puti32(record, bytes);
      } else {
        const name = interfaceName(get8(record + RECORD_INTERFACE));
        const direction = get8(record + RECORD_DIRECTION) === CAPTURE_IN ? 'in ' : 'out';
        const at = record + CAPTURE_RECORD_BYTES;
        const begin = get8(record + RECORD_HEADER);
        const text = begin === 0 ? frameText(at, captured, length) : pointText(begin, at, captured, length);
        output.line(`${timeText(context, tick)} ${name} ${direction} ${text}`);
      }
      plane.captureDone();
      yield 0;
    }
  } finally {
    const dropped = i32at(CAPTURE_DROPPED_AT) >>> 0;
    plane.captureStop();
    // ^C may have cut a line.
    output.line(`${pcap ? '\r\n!end ' : ''}${shown} packets captured, ${dropped} dropped`);
  }
}

/** How frames of all the links begin, HEADER_*: a file says it once. */
function headerOf(plane: Plane, mask: number): number {
  let header = -1;
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if ((mask & (1 << index)) === 0) continue;
    const one = plane.captureHeader(index);
    if (header >= 0 && one !== header)
      throw new Refusal('Cannot capture all pcap: a file has frames of one kind; name an interface');
    header = one;
  }
  return header;
}

/** The interfaces that a word means, a bit each; 0 if none. */
function maskOf(word: string): number {
  let mask = 0;
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (i32at(interfaceAt(index) + IF_STATE) === INTERFACE_ABSENT) continue;
    if (word === 'all' || index === linkNamed(word)) mask |= 1 << index;
  }
  return mask;
}

function read(args: readonly string[]): Wanted {
  const [name = '', ...words] = args;
  const mask = maskOf(name);
  if (mask === 0) throw new Refusal(`Cannot capture ${name}: there is no such interface`);
  // Both may stand anywhere: no condition has such a word, nor a value.
  const pcap = words.includes('pcap');
  if (pcap) words.splice(words.indexOf('pcap'), 1);
  let count = FOREVER;
  const at = words.indexOf('count');
  if (at >= 0) {
    const text = words[at + 1] ?? '';
    count = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
    if (count === 0) throw new Refusal(`Cannot capture ${text} packets: it is not a count`);
    words.splice(at, 2);
  }
  return { mask, pcap, count, filter: words };
}

/** @param args the interface, and the filter with `pcap` and `count N` anywhere in it */
export function capture(context: Context, args: readonly string[]): Job {
  return captureJob(context, read(args));
}
