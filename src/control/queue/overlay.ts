// The overlay `queue`: what `set wan rate` and `show queue` do. Not here: their words (settings.ts).

import { IF_MSS, IF_QUEUES, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_COUNT, PARAMETERS_AT } from '../../base/limits.ts';
import { i32at, u16at } from '../../base/memory.ts';
import { QUEUE_BY_FLOW } from '../../base/parameters.ts';
import { QUEUE_COUNT, QUEUE_HOST_BYTES } from '../../base/queue-limits.ts';
import {
  flowQueueAt,
  HOST_ADDRESS,
  HOST_QUEUES,
  Q_BYTES,
  Q_HOST,
  QUEUE_DROPPED_DELAY,
  QUEUE_DROPPED_LIMIT,
  QUEUE_FILTERED,
  QUEUE_FLAGS,
  QUEUE_HELD_BYTES,
  QUEUE_HOSTS_AT,
  QUEUE_LONGEST,
  QUEUE_PACKETS,
  QUEUE_RATE,
  QUEUE_SENT,
  QUEUE_SHAPED,
  QUEUE_TARGET,
} from '../../base/queue-record.ts';
import { formatAddress } from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';
import type { Output } from '../core/console/output.ts';
import { interfaceName } from '../core/facts.ts';
import type { Machine } from '../core/machine.ts';
import { setQueues } from '../core/queues.ts';
import { rateText } from './settings.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    queue: typeof import('./overlay.ts');
  }
}

const MSS_LEAST = 68;
const MSS_MOST = 1460;

/** A rate as it is typed, in bits a second: 33600, 512k, 2M. NaN if it is none. */
function rateOf(text: string): number {
  const parts = /^(\d{1,8})([km]?)$/i.exec(text);
  if (parts === null) return Number.NaN;
  const [, digits, unit = ''] = parts;
  return Number(digits) * (unit === '' ? 1 : unit.toLowerCase() === 'k' ? 1000 : 1000000);
}

export function setRate(machine: Machine, link: number, text: string, mssText: string | undefined): void {
  const refuse = (why: string): never => {
    throw new Refusal(`Cannot set ${interfaceName(link)} rate ${text}: ${why}`);
  };
  const rate = rateOf(text);
  if (Number.isNaN(rate)) refuse('a rate is bits a second, as 33600, 512k or 2M');
  const mss = mssText === undefined ? undefined : /^\d{1,4}$/.test(mssText) ? Number(mssText) : -1;
  if (mss !== undefined && mss !== 0 && (mss < MSS_LEAST || mss > MSS_MOST))
    refuse(`MSS ${mssText} is not ${MSS_LEAST} to ${MSS_MOST}, or 0 for what fits`);
  const why = setQueues(machine, link, rate, 0, true, mss);
  if (why !== undefined) refuse(why);
}

/** What a link's queues hold, have dropped, and of whom. */
export function showQueues(output: Output): undefined {
  const links = Array.from({ length: INTERFACE_COUNT }, (_, link) => link).filter(
    link => i32at(interfaceAt(link) + IF_QUEUES) !== 0,
  );
  if (links.length === 0) output.line('No link has a rate: see set wan rate');
  for (const link of links) showOne(output, link);
  return undefined;
}

function showOne(output: Output, link: number): void {
  const at = interfaceAt(link);
  const record = i32at(at + IF_QUEUES);
  const of = (field: number): number => i32at(record + field) >>> 0;
  const row = (name: string, value: string) => output.line(`    ${name.padEnd(14)}${value}`);
  const held = (of(QUEUE_FLAGS) & QUEUE_SHAPED) !== 0 ? 'held to' : 'by a line of';
  const mss = i32at(at + IF_MSS);
  const fair = i32at(PARAMETERS_AT + 4 * QUEUE_BY_FLOW) !== 0 ? 'flow' : 'host';
  const clamp = mss === 0 ? '' : `, MSS at most ${mss}`;
  output.line(`${interfaceName(link)} ${held} ${rateText(of(QUEUE_RATE))} b/s, fair by ${fair}${clamp}`);
  row('waiting', `${of(QUEUE_PACKETS)} packets, ${of(QUEUE_HELD_BYTES)} bytes`);
  row('sent', `${of(QUEUE_SENT)} packets`);
  row('dropped', `${of(QUEUE_DROPPED_LIMIT)} by the limit, ${of(QUEUE_DROPPED_DELAY)} that waited too long`);
  row('left out', `${of(QUEUE_FILTERED)} acknowledgments that a newer one replaced`);
  const target = Math.round((of(QUEUE_TARGET) * 10) / 16);
  row('longest wait', `${of(QUEUE_LONGEST) * 10} ms, of a flow at length about ${target} ms`);
  for (let n = 0; n < QUEUE_COUNT; n++) {
    const host = record + QUEUE_HOSTS_AT + n * QUEUE_HOST_BYTES;
    const queues = u16at(host + HOST_QUEUES);
    if (queues === 0) continue;
    let bytes = 0;
    for (let number = 0; number < QUEUE_COUNT; number++) {
      const queue = flowQueueAt(record, number);
      if (i32at(queue + Q_HOST) === host) bytes += i32at(queue + Q_BYTES);
    }
    const address = formatAddress(i32at(host + HOST_ADDRESS));
    row('host', `${address}, ${queues} ${queues === 1 ? 'queue' : 'queues'}, ${bytes} bytes`);
  }
}
