// The overlay `setup`: a dialogue of five questions for the first boot. Nothing is set before the last answer, and
// the LAN is served meanwhile, and also if nobody ever comes: the dialogue runs when it is asked for.

import { IF_MASK, interfaceAt } from '../../plane/interface.ts';
import { INTERFACE_LAN } from '../../plane/limits.ts';
import { i32at } from '../../plane/memory.ts';
import type { Access } from '../access.ts';
import { formatPrefix, lengthOf, parseAddress, parsePrefix, refuseHost, refuseUnicast } from '../address.ts';
import { type Command, findCommand, type Job, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { prefixOf } from '../settings.ts';
import { zoneOf } from '../time/zone.ts';

type Answer = Generator<number, string, void>;
type Check = (text: string) => string | undefined;

/** Asks until the answer is right; Enter is the standard answer. */
function* question(context: Context, prompt: string, standard: string, check: Check): Answer {
  if (context.ask === undefined) throw new Refusal('Cannot ask: there is no console');
  for (;;) {
    const typed = yield* context.ask(`${prompt}${standard === '' ? '' : ` [${standard}]`}: `);
    const answer = typed.trim() === '' ? standard : typed.trim();
    const why = check(answer);
    if (why === undefined) return answer;
    context.output.line(`That will not do: ${why}`);
  }
}

function whyNoPrefix(text: string): string | undefined {
  const prefix = parsePrefix(text);
  return typeof prefix === 'string' ? prefix : refuseHost(prefix);
}

function whyNoAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return typeof address === 'string' ? address : refuseUnicast(address);
}

function oneOf(...words: string[]): Check {
  return text => (words.includes(text) ? undefined : `it is one of ${words.join(', ')}`);
}

function whyNoZone({ machine }: Context): Check {
  return text => {
    const zone = zoneOf(machine, text);
    return typeof zone === 'string' ? zone : undefined;
  };
}

/** The WAN's lines. */
function* wanLines(context: Context): Generator<number, string[], void> {
  const kind = yield* question(context, 'WAN: dhcp, static or none', 'dhcp', oneOf('dhcp', 'static', 'none'));
  if (kind !== 'static') return [`set wan ${kind}`];
  const address = yield* question(context, 'WAN address, as in 203.0.113.5/24', '', whyNoPrefix);
  const gateway = yield* question(context, 'WAN gateway, as in 203.0.113.1', '', whyNoAddress);
  const server = yield* question(context, 'DNS server', '9.9.9.9', whyNoAddress);
  return [`set wan address ${address}`, `set wan gateway ${gateway}`, `set dns server ${server}`];
}

export function* setup(context: Context, access: Access, table: readonly Command[]): Job {
  const { output } = context;
  output.line('Enter takes what stands in [ ]; ^C leaves everything as it is');
  const now = prefixOf(INTERFACE_LAN);
  const mask = i32at(interfaceAt(INTERFACE_LAN) + IF_MASK);
  const lanNow = now === undefined ? '192.168.0.1/24' : formatPrefix(now.address, lengthOf(mask));
  const lan = yield* question(context, "LAN: the router's address", lanNow, whyNoPrefix);
  const lines = lan === lanNow ? [] : [`set lan address ${lan}`];
  lines.push(...(yield* wanLines(context)));
  const zone = yield* question(context, 'Time zone, as in Europe/Berlin', 'UTC', whyNoZone(context));
  if (zone !== 'UTC') lines.push(`set timezone ${zone}`);
  const wantsPassword = yield* question(
    context,
    'A password for this console: yes or no',
    'no',
    oneOf('yes', 'no'),
  );
  for (const line of lines) output.line(`  ${line}`);
  const isRight = yield* question(context, 'Set this: yes or no', 'yes', oneOf('yes', 'no'));
  if (isRight === 'no') {
    output.line('Nothing was changed');
    return;
  }
  const before = context.registry.lines();
  try {
    for (const line of lines) yield* runLine(table, line);
  } catch (error) {
    // Each answer was right by itself, but not beside the others.
    if (!(error instanceof Refusal)) throw error;
    yield* context.registry.become(before);
    output.line(error.message);
    output.line('Nothing was changed');
    return;
  }
  if (wantsPassword === 'yes') yield* context.machine.overlay('access').changePassword(context, access);
  if (context.noDisk === undefined) yield* runLine(table, 'save');
  else output.line(`This lasts until the next reset, as nothing can be saved: ${context.noDisk}`);
  output.line('Done; show config lists what is set');
}

function* runLine(table: readonly Command[], line: string): Job {
  const found = findCommand(table, line);
  if ('refusal' in found) throw new Refusal(found.refusal);
  const job = found.command.run(found.args);
  if (job !== undefined) yield* job;
}
