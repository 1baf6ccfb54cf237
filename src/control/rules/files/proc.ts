// Tables of rules in /proc/net, to the byte as their kernels have them: ip_fwchains and ip_fwnames of 2.2, ip_input, ip_output, ip_forward
// and ip_acct of 2.0. What another dialect has set is not in them. Of a long table there are as many rows as a script may read at once.
//
//    ip_fwchains   chain source/mask->destination/mask link flags not-flags protocol packets bytes ports tos port mark size target
//    ip_input      source/mask->destination/mask link address flags ports-of-each packets bytes ten-ports tos
//
// Counts of 2.2 have two words each, the higher one first. Not here: how a script reads them (src/control/shell/programs/tree.ts).

import { get8, u16at } from '../../../base/memory.ts';
import * as record from '../../../base/rule-record.ts';
import type { Context } from '../../core/context.ts';
import { chainName, firstRule, isBuiltIn, nextRule } from '../chains.ts';
import { type ChainsRule, readRule as readChainsRule } from '../ipchains/rule.ts';
import { countsOf, entries, entryRule } from '../ipfwadm/account.ts';
import { type FwadmRule, readRule as readFwadmRule } from '../ipfwadm/rule.ts';
import { get64 } from '../listing/saved.ts';
import { isOpen } from '../memory.ts';
import { oldChains, policyOf } from '../old/chains.ts';
import { hexCapitals as hex } from '../old/columns.ts';
import { DIALECT_IPCHAINS, DIALECT_IPFWADM, ownerOf } from '../old/dialect.ts';

/** Characters that a script reads at once. */
const TEXT_MOST = 64 * 1024;
const PIECE = 2048;
const WORD = 2 ** 32;
const LABEL_WIDTH = 9;
const NAME_MOST = 16;
const PORTS = 10;
const POLICIES = ['ACCEPT', 'ACCEPT', 'DENY', 'REJECT', 'MASQ', 'ACCEPT'];
/** Policies of 2.0, by POLICY_*: its flags for accept, reject, and accept with masquerading. */
const DEFAULTS = [4, 4, 0, 0x100, 0x204, 4];
const TITLES: Record<string, [chain: number, title: string]> = {
  ip_input: [record.CHAIN_OLD_INPUT, 'input'],
  ip_output: [record.CHAIN_OLD_OUTPUT, 'output'],
  ip_forward: [record.CHAIN_OLD_FORWARD, 'forward'],
};

/** The text of a file of /proc/net, with all that flows have counted. */
export function procText(context: Context, name: string): string {
  const { plane } = context.machine;
  if (isOpen()) for (let from = plane.rulesFold(0); from !== 0; ) from = plane.rulesFold(from);
  if (name === 'ip_fwchains') return fwChains();
  if (name === 'ip_fwnames') return fwNames();
  return name === 'ip_acct' ? account() : firewall(name);
}

/** Gathers rows as long as there is room. */
class Rows {
  /** A long text that grows by rows is copied with each: pieces of it are not. */
  private readonly pieces: string[] = [];
  private piece: string;
  private length: number;

  constructor(title: string) {
    this.piece = title;
    this.length = title.length;
  }

  get text(): string {
    return this.pieces.join('') + this.piece;
  }

  /** Whether there was room. */
  add(row: string): boolean {
    this.length += row.length;
    if (this.length > TEXT_MOST) return false;
    this.piece += row;
    if (this.piece.length >= PIECE) {
      this.pieces.push(this.piece);
      this.piece = '';
    }
    return true;
  }
}

// --- 2.2 --------------------------------------------------------------------------------------------------------------

const high = (count: number): number => Math.floor(count / WORD);
const low = (count: number): number => count % WORD;
const wide = (count: number): string => String(count).padEnd(9);

function fwChains(): string {
  const rows = new Rows('');
  if (ownerOf() !== DIALECT_IPCHAINS) return '';
  for (const chain of oldChains()) {
    const label = chainName(chain).padStart(LABEL_WIDTH);
    for (let cell = firstRule(chain); cell !== 0; cell = nextRule(cell)) {
      const at = record.cellAt(cell);
      const packets = get64(at + record.RULE_PACKETS);
      const bytes = get64(at + record.RULE_BYTES);
      if (!rows.add(chainsRow(label, readChainsRule(cell), packets, bytes))) return rows.text;
    }
  }
  return rows.text;
}

function chainsRow(label: string, rule: ChainsRule, packets: number, bytes: number): string {
  const { link, ports } = rule;
  const name = link.endsWith('+') ? link.slice(0, -1) : link;
  let row = `${label} ${networks(rule)} ${name === '' ? '-' : name.slice(0, NAME_MOST)} `;
  row += `${hex(rule.flags, 1)} ${hex(rule.inverse, 1)} ${rule.protocol} `;
  row += `${wide(high(packets))} ${wide(low(packets))} ${wide(high(bytes))} ${wide(low(bytes))} `;
  row += `${ports[0]}-${ports[1]} ${ports[2]}-${ports[3]} ${tos(rule)} ${hex(rule.redirect, 8)} `;
  row += `${rule.mark >>> 0} ${rule.outputSize} ${(rule.label === '' ? '-' : rule.label).padStart(LABEL_WIDTH)}`;
  return `${row}\n`;
}

function fwNames(): string {
  if (ownerOf() !== DIALECT_IPCHAINS)
    return ['input', 'forward', 'output'].map(name => `${name} ACCEPT 1 0 0 0 0\n`).join('');
  let text = '';
  for (const chain of oldChains()) {
    const at = record.chainAt(chain);
    const isOwn = isBuiltIn(chain);
    const policy = isOwn ? POLICIES[get8(at + record.CHAIN_POLICY)] : '-';
    const references = isOwn ? 1 : u16at(at + record.CHAIN_REFERENCES);
    const packets = isOwn ? get64(at + record.CHAIN_PACKETS) : 0;
    const bytes = isOwn ? get64(at + record.CHAIN_BYTES_COUNT) : 0;
    text += `${chainName(chain)} ${policy} ${references} ${high(packets)} ${low(packets)} ${high(bytes)} ${low(bytes)}\n`;
  }
  return text;
}

// --- 2.0 --------------------------------------------------------------------------------------------------------------

function firewall(file: string): string {
  const [chain, title] = TITLES[file] as [number, string];
  const isOwn = ownerOf() === DIALECT_IPFWADM;
  const policy = isOwn ? policyOf(chain) : record.POLICY_HOUSE;
  const rows = new Rows(`IP firewall ${title} rules, default ${DEFAULTS[policy]}\n`);
  if (!isOwn) return rows.text;
  for (let cell = firstRule(chain); cell !== 0; cell = nextRule(cell)) {
    const at = record.cellAt(cell);
    const row = fwadmRow(readFwadmRule(cell), get64(at + record.RULE_PACKETS), get64(at + record.RULE_BYTES));
    if (!rows.add(row)) break;
  }
  return rows.text;
}

function account(): string {
  const rows = new Rows('IP accounting rules\n');
  if (ownerOf() !== DIALECT_IPFWADM) return rows.text;
  for (const entry of entries()) {
    const [packets, bytes] = countsOf(entry);
    if (!rows.add(fwadmRow(entryRule(entry), packets, bytes))) break;
  }
  return rows.text;
}

function fwadmRow(rule: FwadmRule, packets: number, bytes: number): string {
  const { destinationPorts, sourcePorts } = rule;
  // Where a redirect leads stands behind the ports.
  const ports = [...sourcePorts, ...destinationPorts, rule.redirect];
  let row = `${networks(rule)} ${rule.link === '' ? '-' : rule.link.slice(0, NAME_MOST)} ${hex(rule.via, 8)} `;
  row += `${hex(rule.flags, 1)} ${sourcePorts.length} ${destinationPorts.length} `;
  row += `${String(packets % WORD).padEnd(10)} ${String(bytes % WORD).padEnd(10)}`;
  for (let i = 0; i < PORTS; i++) row += ` ${ports[i] ?? 0}`;
  return `${row} ${tos(rule)}\n`;
}

// --- both -------------------------------------------------------------------------------------------------------------

interface Networks {
  source: number;
  sourceMask: number;
  destination: number;
  destinationMask: number;
}

function networks({ destination, destinationMask, source, sourceMask }: Networks): string {
  return `${hex(source, 8)}/${hex(sourceMask, 8)}->${hex(destination, 8)}/${hex(destinationMask, 8)}`;
}

const tos = ({ tosAnd, tosXor }: { tosAnd: number; tosXor: number }): string =>
  `A${hex(tosAnd, 2)} X${hex(tosXor, 2)}`;
