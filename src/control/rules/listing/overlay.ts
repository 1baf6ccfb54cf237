// The overlay `rules/listing`: rules as text, for -L, -S and iptables-save, a row a step. What flows have counted is folded into their
// rules before. Not here: reading them, changing them (../overlay.ts).

import { get8 } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import type { Beside, Job } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import {
  chainName,
  chainNamed,
  chainsOf,
  firstRule,
  isBuiltIn,
  nextRule,
  TABLES,
  tableName,
} from '../chains.ts';
import type { Line } from '../line.ts';
import { lineCount, policyName } from '../lines.ts';
import { BUILT_IN, isOpen } from '../memory.ts';
import { DIALECT_IPTABLES, tellOthers } from '../old/dialect.ts';
import { NO_CHAIN, refuse, refuseWhole, usage, VERSION } from '../refuse.ts';
import type { Rules } from '../rules.ts';
import { get64, savedRule } from './saved.ts';
import { echoOf, rowOf, type Style, titleOf } from './shown.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'rules/listing': typeof import('./overlay.ts');
  }
}

export { echoOf, savedRule };

/** Names of the chains that a table has where there are no rules, and so no memory for chains. */
const EMPTY: Record<number, readonly number[]> = {
  [record.TABLE_FILTER]: [record.CHAIN_INPUT, record.CHAIN_FORWARD, record.CHAIN_OUTPUT],
  [record.TABLE_NAT]: [4, 5, 6, 7],
  [record.TABLE_MANGLE]: [8, 9, 10, 11, 12],
};

/** Adds what flows have counted since to their rules; ends when all are. */
function* fold({ machine: { plane } }: Context): Job {
  for (let from = plane.rulesFold(0); from !== 0; from = plane.rulesFold(from)) yield 0;
}

/** -L and -S, with -Z behind it if the line has it. */
export function listRules(rules: Rules, line: Line, beside?: Beside): Job {
  const { chain: name, table } = line;
  const isThere = isOpen()
    ? chainNamed(table, name) !== 0
    : (EMPTY[table] as number[]).some(it => BUILT_IN[it] === name);
  if (name !== '' && !isThere) refuse(NO_CHAIN);
  tellOthers(rules.context, DIALECT_IPTABLES, beside);
  return list(rules, line);
}

function* list(rules: Rules, line: Line): Job {
  const { context } = rules;
  if (isOpen()) yield* fold(context);
  if (line.commands.startsWith('S')) yield* listSaved(context, line);
  else yield* listShown(context, line);
  if (!line.commands.includes('Z') || !isOpen()) return;
  for (const chain of chosen(line)) context.machine.plane.chainZero(chain, line.number - 1);
}

function chosen({ chain, table }: Line): readonly number[] {
  return chain === '' ? chainsOf(table) : [chainNamed(table, chain)];
}

function* listShown({ machine, output }: Context, line: Line): Job {
  const { number, options } = line;
  const style: Style = {
    isNumeric: options.includes('n'),
    isVerbose: options.includes('v'),
    isExact: options.includes('x'),
    isNumbered: options.includes('0'),
  };
  if (!isOpen()) {
    listEmpty(output.line, line, style);
    return;
  }
  let isFirst = true;
  for (const chain of chosen(line)) {
    if (number === 0) {
      if (!isFirst) output.line('');
      for (const text of titleOf(chain, style)) output.line(text);
    }
    isFirst = false;
    let place = 0;
    for (let rule = firstRule(chain); rule !== 0; rule = nextRule(rule)) {
      place++;
      if (number !== 0 && place !== number) continue;
      output.line(rowOf(machine.memory, rule, place, style));
      yield 0;
    }
  }
}

/** A table without anything in it. */
function listEmpty(print: (text: string) => void, { chain: name, table }: Line, style: Style): void {
  let isFirst = true;
  for (const chain of EMPTY[table] as number[]) {
    if (name !== '' && BUILT_IN[chain] !== name) continue;
    if (!isFirst) print('');
    isFirst = false;
    print(`Chain ${BUILT_IN[chain]} (policy ACCEPT${style.isVerbose ? ' 0 packets, 0 bytes' : ''})`);
    print(titleOf(0, style)[1] as string);
  }
}

function* listSaved({ machine, output }: Context, line: Line): Job {
  const { chain: name, number, table } = line;
  const isCounted = line.options.includes('v');
  if (!isOpen()) {
    for (const chain of EMPTY[table] as number[])
      if (name === '' || BUILT_IN[chain] === name)
        output.line(`-P ${BUILT_IN[chain]} ACCEPT${isCounted ? ' -c 0 0' : ''}`);
    return;
  }
  const chains = chosen(line);
  if (number === 0) {
    for (const chain of chains) {
      const at = record.chainAt(chain);
      const counts = ` -c ${get64(at + record.CHAIN_PACKETS)} ${get64(at + record.CHAIN_BYTES_COUNT)}`;
      if (isBuiltIn(chain))
        output.line(
          `-P ${chainName(chain)} ${policyName(get8(at + record.CHAIN_POLICY))}${isCounted ? counts : ''}`,
        );
      else output.line(`-N ${chainName(chain)}`);
    }
  }
  for (const chain of chains) {
    let place = 0;
    for (let rule = firstRule(chain); rule !== 0; rule = nextRule(rule)) {
      place++;
      if (number !== 0 && place !== number) continue;
      output.line(`-A ${chainName(chain)}${savedRule(machine.memory, rule, isCounted)}`);
      yield 0;
    }
  }
}

/** `iptables-save [-c] [-t TABLE]`. */
export function saveRules(rules: Rules, words: readonly string[]): Job {
  let isCounted = false;
  let only = '';
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '-c' || word === '--counters') isCounted = true;
    else if (word === '-t' || word === '--table') only = words[++i] ?? '';
    else if (word.startsWith('--table=')) only = word.slice('--table='.length);
    else usage(`unknown option "${word}"`);
  }
  if (only !== '' && !TABLES.some(([name]) => name === only))
    refuseWhole(`iptables-save ${VERSION}: Cannot initialize: Table does not exist (do you need to insmod?)`);
  return save(rules.context, isCounted, only);
}

function* save(context: Context, isCounted: boolean, only: string): Job {
  const { machine, output } = context;
  if (!isOpen()) return;
  yield* fold(context);
  for (const [name, table] of TABLES) {
    if (only === '' ? lineCount(table) === 0 : name !== only) continue;
    output.line(`# Generated by iptables-save v1.8.9 on ${dateOf(context)}`);
    output.line(`*${tableName(table)}`);
    const chains = chainsOf(table);
    for (const chain of chains) {
      const at = record.chainAt(chain);
      const counts = isBuiltIn(chain)
        ? `[${get64(at + record.CHAIN_PACKETS)}:${get64(at + record.CHAIN_BYTES_COUNT)}]`
        : '[0:0]';
      const policy = isBuiltIn(chain) ? policyName(get8(at + record.CHAIN_POLICY)) : '-';
      output.line(`:${chainName(chain)} ${policy} ${counts}`);
      yield 0;
    }
    for (const chain of chains) {
      for (let rule = firstRule(chain); rule !== 0; rule = nextRule(rule)) {
        const at = record.cellAt(rule);
        const counts = `[${get64(at + record.RULE_PACKETS)}:${get64(at + record.RULE_BYTES)}] `;
        output.line(`${isCounted ? counts : ''}-A ${chainName(chain)}${savedRule(machine.memory, rule)}`);
        yield 0;
      }
    }
    output.line('COMMIT');
    output.line(`# Completed on ${dateOf(context)}`);
  }
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As C's ctime() writes it, in UTC. */
function dateOf({ wallClock }: Context): string {
  const now = wallClock.milliseconds();
  if (now === undefined) return 'a day that is not known here';
  const date = new Date(now);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = String(date.getUTCDate()).padStart(2);
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} ${date.getUTCFullYear()}`;
}
