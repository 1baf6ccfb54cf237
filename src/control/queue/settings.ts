// `set wan rate`, `set queue fair`, `show queue`: their words, and lines as they are had whenever settings are saved. Not here: what they
// do (overlay.ts), and queues (src/plane/link/queue.ts).

import { IF_MSS, IF_QUEUES, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_WAN, PARAMETERS_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { QUEUE_BY_FLOW } from '../../base/parameters.ts';
import { QUEUE_SMALL_MSS, QUEUE_SMALL_RATE } from '../../base/queue-limits.ts';
import { QUEUE_RATE } from '../../base/queue-record.ts';
import { type Command, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { unsetQueues } from '../core/queues.ts';
import type { Setting } from '../core/setting.ts';

/** A rate as it is typed: 512k where it is thousands. */
export function rateText(rate: number): string {
  if (rate % 1000000 === 0) return `${rate / 1000000}M`;
  return rate % 1000 === 0 ? `${rate / 1000}k` : `${rate}`;
}

export function queueSettings({ machine }: Context): Setting[] {
  const { plane } = machine;
  const isByFlow = (): boolean => i32at(PARAMETERS_AT + 4 * QUEUE_BY_FLOW) !== 0;
  return [
    {
      words: 'wan rate',
      inPlane: true,
      arguments: 'RATE:text [MSS:integer(0..1460,bytes)]',
      help: 'holds what goes out by the WAN to a rate, in fair queues; 85 % of what the line has | 512k',
      set: ([rate = '', mss]) => machine.overlay('queue').setRate(machine, INTERFACE_WAN, rate, mss),
      unset: () => unsetQueues(machine, INTERFACE_WAN),
      unsetHelp: 'gives the WAN one FIFO again, as fast as its card',
      lines: () => {
        const at = interfaceAt(INTERFACE_WAN);
        const record = i32at(at + IF_QUEUES);
        if (record === 0) return [];
        const rate = i32at(record + QUEUE_RATE);
        const mss = i32at(at + IF_MSS);
        const usual = rate < QUEUE_SMALL_RATE ? QUEUE_SMALL_MSS : 0;
        return [`set wan rate ${rateText(rate)}${mss === usual ? '' : ` ${mss}`}`];
      },
    },
    {
      words: 'queue fair',
      inPlane: true,
      arguments: 'host|flow=host',
      help: 'who has equal parts of a slow line: hosts, and in them flows, or all flows | flow',
      set: ([word = '']) => {
        if (word !== 'host' && word !== 'flow')
          throw new Refusal(`Cannot set queue fair ${word}: it is one of host, flow`);
        plane.queueFair(word === 'flow' ? 1 : 0);
      },
      unset: () => plane.queueFair(0),
      unsetHelp: 'back to host',
      lines: () => (isByFlow() ? ['set queue fair flow'] : []),
    },
  ];
}

export function queueCommands({ machine, output }: Context): Command[] {
  return [
    {
      words: 'show queue',
      help: 'what waits for slow lines, and what was dropped',
      run: () => machine.overlay('queue').showQueues(output),
    },
  ];
}
