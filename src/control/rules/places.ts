// Which rule may stand in which chain, and which chain may lead to which: what the kernel of the original looks at when a table is
// changed. A user's chain may have what all the hooks allow from which it can be reached; no chain leads to itself, and none so deep
// that a packet would be in more than RULE_DEPTH at once.

import { get8, i32at, u16at } from '../../base/memory.ts';
import { RULE_DEPTH } from '../../base/rule-limits.ts';
import * as record from '../../base/rule-record.ts';
import { firstRule, isBuiltIn, nextRule } from './chains.ts';
import { chainsEnd } from './memory.ts';
import { INVALID, LOOP, refuse } from './refuse.ts';

const PREROUTING = 1;
const INPUT = 2;
const FORWARD = 4;
const OUTPUT = 8;
const POSTROUTING = 16;
const EVERYWHERE = 31;

/** The hook of each chain that is built in, by its number. */
const HOOKS = [
  0,
  ...[INPUT, FORWARD, OUTPUT],
  ...[PREROUTING, INPUT, OUTPUT, POSTROUTING],
  ...[PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING],
  // Of the old dialects, whose targets are looked at where their lines are read.
  ...[INPUT, FORWARD, OUTPUT, INPUT, OUTPUT],
];
/** The hooks of each table. */
const TABLE_HOOKS = [
  ...[0, INPUT | FORWARD | OUTPUT, PREROUTING | INPUT | OUTPUT | POSTROUTING, EVERYWHERE],
  ...[EVERYWHERE, EVERYWHERE],
];

const nat = (table: number, hooks: number): number => (table === record.TABLE_NAT ? hooks : 0);

function ofTarget(table: number, at: number): number {
  if (table >= record.TABLE_OLD) return EVERYWHERE;
  switch (get8(at + record.RULE_TARGET)) {
    case record.TARGET_REJECT:
      return table === record.TABLE_FILTER ? EVERYWHERE : 0;
    case record.TARGET_MASQUERADE:
      return nat(table, POSTROUTING);
    case record.TARGET_SNAT:
      return nat(table, POSTROUTING | INPUT);
    case record.TARGET_DNAT:
    case record.TARGET_REDIRECT:
      return nat(table, PREROUTING | OUTPUT);
    case record.TARGET_NETMAP:
      return nat(table, EVERYWHERE);
    case record.TARGET_TOS:
      return table === record.TABLE_MANGLE ? EVERYWHERE : 0;
    case record.TARGET_TCPMSS:
      return i32at(at + record.RULE_VALUE) === 0 ? FORWARD | OUTPUT | POSTROUTING : EVERYWHERE;
  }
  return EVERYWHERE;
}

/** The hooks at which a rule may be met, 0 if its table has none. */
function allowedAt(table: number, at: number): number {
  let hooks = ofTarget(table, at);
  for (let cell = u16at(at + record.RULE_OPERATIONS); cell !== 0; ) {
    const operation = record.cellAt(cell);
    cell = u16at(operation + record.OPERATION_NEXT);
    const kind = get8(operation + record.OPERATION_KIND);
    if (kind === record.OPERATION_MAC) hooks &= PREROUTING | INPUT | FORWARD;
    else if (kind === record.OPERATION_ADDRTYPE) {
      const flags = get8(operation + 8);
      if ((flags & record.ADDRTYPE_LIMIT_IN) !== 0) hooks &= PREROUTING | INPUT | FORWARD;
      if ((flags & record.ADDRTYPE_LIMIT_OUT) !== 0) hooks &= FORWARD | OUTPUT | POSTROUTING;
      const both = record.ADDRTYPE_LIMIT_IN | record.ADDRTYPE_LIMIT_OUT;
      if ((flags & both) === both) hooks = 0;
    }
  }
  return hooks;
}

function leadsTo(at: number): number {
  const target = get8(at + record.RULE_TARGET);
  const isJump = target === record.TARGET_JUMP || target === record.TARGET_GOTO;
  return isJump ? u16at(at + record.RULE_ARGUMENT) : 0;
}

/** Refuses a rule that may not be put into a chain. */
export function checkPlace(table: number, chain: number, rule: number): void {
  const at = record.cellAt(rule);
  const hooks = allowedAt(table, at);
  const target = leadsTo(at);
  const all = TABLE_HOOKS[table] as number;
  if ((hooks & all) === 0) refuse(INVALID);
  if (target === 0 && (hooks & all) === all) return;
  if (target === 0 && isBuiltIn(chain)) {
    if ((hooks & (HOOKS[chain] as number)) === 0) refuse(INVALID);
    return;
  }
  // Most scripts make a chain, lead to it, and fill it then.
  if (isBuiltIn(chain) && firstRule(target) === 0) return;
  const graph = new Graph(table, false);
  graph.add(chain, hooks, target);
  graph.check();
}

/** Refuses a table's draft if anything in it may not be. */
export function checkDraft(table: number): void {
  new Graph(table, true).check();
}

/** The chains of a table: where their rules lead, and at which hooks all of them may be met. */
class Graph {
  private readonly leads: number[][] = [];
  private readonly allowed: number[] = [];

  constructor(
    private readonly table: number,
    isDraft: boolean,
  ) {
    for (let chain = 1; chain < chainsEnd(); chain++) {
      this.leads[chain] = [];
      this.allowed[chain] = EVERYWHERE;
      if (get8(record.chainAt(chain) + record.CHAIN_TABLE) !== table) continue;
      for (let rule = firstRule(chain, isDraft); rule !== 0; rule = nextRule(rule)) {
        const at = record.cellAt(rule);
        this.add(chain, allowedAt(table, at), leadsTo(at));
      }
    }
  }

  add(chain: number, hooks: number, target: number): void {
    this.allowed[chain] = (this.allowed[chain] as number) & hooks;
    const leads = this.leads[chain] as number[];
    if (target !== 0 && !leads.includes(target)) leads.push(target);
  }

  check(): void {
    const { table } = this;
    const depths: number[] = [];
    const hooks: number[] = [];
    const left: number[] = [];
    for (let chain = 1; chain < chainsEnd(); chain++) {
      depths[chain] = 1;
      hooks[chain] = 0;
      if (get8(record.chainAt(chain) + record.CHAIN_TABLE) !== table) continue;
      if (isBuiltIn(chain)) hooks[chain] = HOOKS[chain] as number;
      left.push(chain);
    }
    for (let chain = left.pop(); chain !== undefined; chain = left.pop()) {
      const depth = (depths[chain] as number) + 1;
      const from = hooks[chain] as number;
      for (const target of this.leads[chain] as number[]) {
        const before = hooks[target] as number;
        if (depth <= (depths[target] as number) && (from & ~before) === 0) continue;
        if (depth > RULE_DEPTH) refuse(LOOP);
        depths[target] = Math.max(depth, depths[target] as number);
        hooks[target] = before | from;
        left.push(target);
      }
    }
    for (let chain = 1; chain < chainsEnd(); chain++)
      if (((hooks[chain] as number) & ~(this.allowed[chain] as number)) !== 0) refuse(INVALID);
  }
}
