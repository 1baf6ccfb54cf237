// `show ppp`: each link on a serial port, behind those by PPPoE (show-pppoe.ts): how it is, what its open link has, what was called and what it cost. Not here: the links (links.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { LINE_RX_ACCM, LINE_TX_ACCM, LINE_VJ_IN, LINE_VJ_OUT } from '../../base/line-record.ts';
import { i32at } from '../../base/memory.ts';
import { hex } from '../core/address.ts';
import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { formatTicks } from '../core/duration.ts';
import type { Call } from './caller.ts';
import type { PppPart } from './ppp.ts';
import type { PppLink } from './ppp-link.ts';
import { addressLine, countLine, sessionLines } from './show-pppoe.ts';

const time = (seconds: number): string => formatTicks(seconds * TICKS_PER_SECOND);

/** A job of `show ppp`. */
export function* showLinks(context: Context, part: PppPart): Job {
  const { output } = context;
  const links = part.running;
  if (links === undefined) {
    output.line('No link has a port, see set ppp0');
    return;
  }
  for (const link of links.sessions.values()) {
    for (const line of sessionLines(context, link)) output.line(line);
    yield 0;
  }
  for (const link of links.all.values()) {
    output.line(headOf(context, link));
    for (const line of openLines(link)) output.line(`    ${line}`);
    yield 0;
    const budget = budgetLine(link);
    if (budget !== '') output.line(`    ${budget}`);
    for (const call of link.caller.calls) {
      output.line(`    ${callLine(context, call)}`);
      yield 0;
    }
  }
}

function headOf({ clock }: Context, link: PppLink): string {
  const { name, caller, wants } = link;
  let state: string = caller.state;
  if (caller.state === 'up') state = `up ${formatTicks(clock.uptime() - link.since)}`;
  if (caller.state === 'waiting') state = `waits ${formatTicks(caller.waitTicks)} after a failure`;
  if (caller.state === 'idle') {
    const why = caller.refusal();
    state = why === undefined ? 'down' : `down, ${why}`;
  }
  return `${name} ${state}, on COM${wants.port + 1} at ${wants.speed}, ${wants.isSlip ? 'SLIP' : 'PPP'}, ${wants.answer === undefined ? `dial ${wants.caller.mode}` : 'answers'}`;
}

function openLines({ result, link, line, dns }: PppLink): string[] {
  if (result === undefined) return [];
  const vj = [i32at(line + LINE_VJ_OUT) !== 0 ? 'out' : '', i32at(line + LINE_VJ_IN) !== 0 ? 'in' : ''];
  const compressed = vj.join('') === '' ? 'no' : vj.filter(text => text !== '').join(' and ');
  return [
    addressLine(result, dns),
    `headers compressed: ${compressed}; escaped: out ${hex(i32at(line + LINE_TX_ACCM) >>> 0, 8)}, in ${hex(i32at(line + LINE_RX_ACCM) >>> 0, 8)}`,
    countLine(link),
  ];
}

function budgetLine({ budget }: PppLink): string {
  const { limits, hour, month } = budget;
  const parts: string[] = [];
  const add = (what: string, used: number, limit: number) => {
    if (limit > 0) parts.push(`${used} of ${limit} ${what}`);
  };
  add('minutes of this hour', Math.ceil(hour.seconds / 60), limits.hourSeconds / 60);
  add('calls of this hour', hour.calls, limits.hourCalls);
  add('minutes of this month', Math.ceil(month.seconds / 60), limits.monthSeconds / 60);
  add('calls of this month', month.calls, limits.monthCalls);
  return parts.length === 0 ? '' : `used: ${parts.join(', ')}`;
}

function callLine({ clock, wallClock }: Context, call: Call): string {
  const when = wallClock.text(call.from) ?? `${formatTicks(clock.uptime() - call.from)} ago`;
  const { end } = call;
  const cost = call.cost > 0 ? `, cost ${call.cost}` : '';
  const result =
    end === undefined ? 'goes on' : `${time(call.seconds)}${cost}, ${endText(end.failure, end.text)}`;
  const number = call.number === '' ? '' : ` ${call.number}`;
  const report = call.report === '' ? '' : ` (${call.report})`;
  return `${when}${number}${report}: ${result}${call.who === '' ? '' : `; for ${call.who}`}`;
}

function endText(failure: string | undefined, text: string): string {
  return failure === undefined ? text : `${failure}: ${text}`;
}
