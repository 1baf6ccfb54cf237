// `iptables-restore`: the text of iptables-save, line by line, from the console up to a line that says `end`, or from wherever a script
// has it. Each table is a draft until its COMMIT: then it is in force, whole. A line that is refused ends it, and its table stays as it
// is; what still comes up to `end` is passed over, so that the rest of a paste is not taken for commands.
//
//    *nat                                      a table
//    :POSTROUTING ACCEPT [0:0]                 a chain that is built in, with its policy and counts; - of a user's
//    [0:0] -A POSTROUTING -o eth1 -j SNAT ...  a rule, with its counts if there are any
//    COMMIT
//
// Departure: -E has no place in it. Not here: drafts (draft.ts).

import { RULE_TEXT_AT } from '../../base/rule-limits.ts';
import { TABLE_NAT } from '../../base/rule-record.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import { putText } from '../core/store/text.ts';
import { CHAIN_NAME_MOST, chainNamed, isBuiltIn, TABLES, tableNamed } from './chains.ts';
import {
  beginDraft,
  clearRules,
  commitDraft,
  draftChain,
  draftLine,
  draftPolicy,
  draftText,
  dropDraft,
  emptyDraft,
  houseDraft,
  setCounts,
} from './draft.ts';
import { validChain } from './line-checks.ts';
import { firstLine, lineCount, tablePieces } from './lines.ts';
import { closeRules, isOpen } from './memory.ts';
import { DIALECT_IPTABLES, ownerOf, refuseOthers } from './old/dialect.ts';
import { badArgument, refuseWhole, usage, VERSION } from './refuse.ts';
import type { Rules } from './rules.ts';
import { lanNews, natNews } from './warnings.ts';
import { splitWords } from './words.ts';

const END = 'end';
/** Lines of the configuration after which others get a turn. */
const SLICE = 64;
/** A longer line is not read by the plane. */
const LINE_MOST = 900;
const BLANK = 32;
const BRACKET = 91;
const TRY = "Try `iptables-restore -h' or 'iptables-restore --help' for more information.";

/** Where lines come from: undefined behind the last. */
export type Lines = () => Generator<number, string | undefined, void>;

/** Puts the bytes of the line that came last to a place; answers how many, or -1 where there are none. */
type CopyLine = (into: Uint8Array, at: number) => number;

class Restore {
  /** Options of the command. */
  isKept = false;
  isCounted = false;
  isTest = false;
  only = '';
  /** The table whose draft is gathered, 0 of none; or the one that is passed over. */
  table = 0;
  private isPassed = false;
  private number = 0;
  /** Lines of the table that the configuration has. */
  private written = 0;

  constructor(
    private readonly rules: Rules,
    private readonly copyLine?: CopyLine,
  ) {}

  options(words: readonly string[]): void {
    for (let i = 0; i < words.length; i++) {
      const word = words[i] as string;
      if (word === '-n' || word === '--noflush') this.isKept = true;
      else if (word === '-c' || word === '--counters') this.isCounted = true;
      else if (word === '-t' || word === '--test') this.isTest = true;
      else if (word === '-T' || word === '--table') this.only = words[++i] ?? '';
      else if (word.startsWith('--table=')) this.only = word.slice('--table='.length);
      else if (!['-v', '--verbose', '-w', '--wait'].includes(word)) usage(`unknown option "${word}"`);
    }
  }

  /** Takes a line; answers the table that is to be committed, 0 of none. */
  take(text: string): number {
    this.number++;
    const line = text.trim();
    if (line === '' || line.startsWith('#')) return 0;
    try {
      return this.takeOne(line);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.fail(error.message);
    }
  }

  private takeOne(line: string): number {
    if (line.startsWith('*')) this.begin(line.slice(1).trim());
    else if (line === 'COMMIT' && (this.table !== 0 || this.isPassed)) {
      const { table } = this;
      if (this.isPassed) this.isPassed = false;
      return table;
    } else if (this.isPassed) return 0;
    else if (this.table === 0) refuseWhole(`iptables-restore: line ${this.number} failed`);
    else if (line.startsWith(':')) this.chain(line.slice(1));
    else if (!this.isRead(line)) this.rule(line);
    return 0;
  }

  private begin(name: string): void {
    if (this.table !== 0) badArgument(`*${name}`);
    if (this.only !== '' && this.only !== name) {
      this.isPassed = true;
      return;
    }
    const table = tableNamed(name);
    if (table === 0)
      refuseWhole(
        `iptables-restore ${VERSION}: iptables-restore: unable to initialize table '${name}'\r\nError occurred at line: ${this.number}\r\n${TRY}`,
      );
    beginDraft(this.rules.context.machine, table, this.isKept);
    this.table = table;
  }

  private chain(text: string): void {
    const [name = '', policy = '', counts = ''] = text.split(' ').filter(word => word !== '');
    const { table } = this;
    const there = chainNamed(table, name);
    const where = `\`${policy}' on \`${name}' line ${this.number}`;
    if (there === 0 || !isBuiltIn(there)) {
      if (policy !== '-')
        refuseWhole(`iptables-restore ${VERSION}: Can't set policy ${where}: Bad built-in chain name`);
      if (name.length > CHAIN_NAME_MOST)
        usage(`Invalid chain name \`${name}' (${CHAIN_NAME_MOST} chars max)`);
      validChain(name);
      const chain = draftChain(this.rules.context.machine, table, name);
      // One that is there already is emptied; the others stay as they are.
      if (this.isKept && there !== 0) emptyDraft(this.rules.context.machine, chain);
      return;
    }
    if (policy === '-') return;
    if (policy !== 'ACCEPT' && policy !== 'DROP')
      refuseWhole(`iptables-restore ${VERSION}: Can't set policy ${where}: Bad policy name`);
    // ACCEPT is what a table has that nobody has told anything else.
    if (policy !== 'ACCEPT') draftPolicy(table, name, policy);
    else houseDraft(there);
    if (this.isCounted) this.counts(counts, (packets, bytes) => setCounts(there, packets, bytes));
  }

  private counts(text: string, put: (packets: number, bytes: number) => void): void {
    const [packets = '', bytes = ''] = text.slice(1, -1).split(':');
    if (/^\[\d+:\d+\]$/.test(text)) put(Number(packets), Number(bytes));
  }

  /** Whether the plane has read a line, which nearly all are that iptables-save has written. */
  private isRead(line: string): boolean {
    const { machine } = this.rules.context;
    let from = 0;
    if (line.charCodeAt(0) === BRACKET) {
      // Counts that are wanted are control's, but those of a rule that has met nothing.
      if (this.isCounted && !line.startsWith('[0:0]')) return false;
      from = line.indexOf(']') + 1;
    }
    if (line.length > LINE_MOST || !line.startsWith('-A ', from + (line.charCodeAt(from) === BLANK ? 1 : 0)))
      return false;
    let bytes = this.copyLine?.(machine.memory, RULE_TEXT_AT) ?? -1;
    // Blanks around it are in the bytes, and not in the line.
    if (bytes !== line.length) bytes = putText(machine.memory, RULE_TEXT_AT, line);
    return draftText(machine, RULE_TEXT_AT + from, bytes - from, this.table);
  }

  private rule(line: string): void {
    let text = line;
    let counts = '';
    if (text.startsWith('[')) {
      const end = text.indexOf(']') + 1;
      counts = text.slice(0, end);
      text = text.slice(end);
    }
    const words = splitWords(text);
    if (words === undefined) usage('a quote is not closed');
    else {
      if (this.isCounted) this.counts(counts, (packets, bytes) => words.push('-c', `${packets}`, `${bytes}`));
      draftLine(this.rules, words, this.table);
    }
  }

  /** Refuses a line, in the words of iptables-restore. */
  private fail(message: string): never {
    if (message.startsWith('iptables-restore')) return refuseWhole(message);
    const lines = message.split('\r\n');
    const isUsage = lines.length > 1;
    if (!isUsage) {
      // What is ours to say, and not the kernel's of the original, is said beside.
      const isOurs = message.includes(': ', 'iptables: '.length);
      return refuseWhole(`${isOurs ? `${message}\r\n` : ''}iptables-restore: line ${this.number} failed`);
    }
    const text = lines.slice(0, -1).join('\r\n').replace('iptables v', 'iptables-restore v');
    return refuseWhole(`${text}\r\nError occurred at line: ${this.number}\r\n${TRY}`);
  }

  /** Puts the table's draft in force: its lines first, which may be refused, then all of it in one step. */
  *commit(table: number): Job {
    const { context, section } = this.rules;
    const first = firstLine(table);
    this.written = lineCount(table);
    // ^C may end this at any piece: the lines are then again those that are in force.
    let isWhole = this.isTest;
    try {
      if (this.isTest) return;
      try {
        yield* this.write(table, first, true);
        commitDraft(context.machine, table);
        isWhole = true;
        const news = table === TABLE_NAT ? natNews() : lanNews(context.machine);
        if (news !== undefined) context.output.line(news);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        yield* this.write(table, first, false);
        isWhole = true;
        this.fail(error.message);
      }
    } finally {
      if (!isWhole) for (const _ of this.write(table, first, false));
      this.drop();
      context.registry.changed(section);
    }
  }

  /** Writes the lines of a table's draft, or of what is in force, in the place of those that it has. */
  private *write(table: number, first: number, isDraft: boolean): Job {
    const { context, section } = this.rules;
    const { sections } = context.registry;
    sections.splice(section, first, this.written, []);
    this.written = 0;
    let offset = sections.offsetOf(section, first);
    for (const { lines, text } of tablePieces(context.machine, table, isDraft)) {
      sections.insert(section, offset, text);
      offset += typeof text === 'string' ? text.length : text.bytes;
      this.written += lines;
      if (this.written % SLICE < lines) yield 0;
    }
  }

  /** There are no more lines. */
  end(): void {
    if (this.table !== 0) refuseWhole(`iptables-restore: COMMIT expected at line ${this.number + 1}`);
  }

  /** Forgets the draft, if there is one. */
  drop(): void {
    if (this.table === 0) return;
    const { machine } = this.rules.context;
    if (isOpen()) dropDraft(machine, this.table);
    this.table = 0;
    closeRules(machine);
  }
}

/** Takes lines from wherever they come; a Refusal ends it. */
export function* restoreFrom(rules: Rules, words: readonly string[], next: Lines, copyLine?: CopyLine): Job {
  const restore = new Restore(rules, copyLine);
  restore.options(words);
  try {
    for (;;) {
      const line = yield* next();
      if (line === undefined) {
        restore.end();
        return;
      }
      const table = restore.take(line);
      if (table !== 0) yield* restore.commit(table);
    }
  } finally {
    restore.drop();
  }
}

/** `iptables-restore`, with the console's next lines. */
export function restoreRules(rules: Rules, words: readonly string[], input?: () => string): Job {
  refuseOthers(DIALECT_IPTABLES, ownerOf());
  return input === undefined ? fromConsole(rules, words) : restoreFrom(rules, words, linesOf(input()));
}

/** The lines of a text that a script has. */
function linesOf(text: string): Lines {
  const lines = text.split('\n');
  let next = 0;
  return function* () {
    yield 0;
    return lines[next++];
  };
}

function* fromConsole(rules: Rules, words: readonly string[]): Job {
  const { ask, output, pasted } = rules.context;
  if (ask === undefined) throw new Refusal('Cannot take lines: there is no console');
  let isOver = false;
  let damaged = pasted?.console.damaged;
  function* next(): Generator<number, string | undefined, void> {
    const line = pasted !== undefined ? yield* pasted.next('> ') : ask !== undefined ? yield* ask('> ') : END;
    isOver = line.trim() === END;
    // A rule that is not there may be the one that keeps somebody out.
    if (pasted?.console.damaged !== damaged) {
      damaged = pasted?.console.damaged;
      throw new Refusal('iptables-restore: a line was lost on the way, so nothing of its table is changed');
    }
    return isOver ? undefined : line;
  }
  try {
    yield* restoreFrom(rules, words, next, (into, at) => pasted?.copy(into, at) ?? -1);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.line(error.message);
    while (!isOver) {
      try {
        yield* next();
      } catch (other) {
        if (!(other instanceof Refusal)) throw other;
      }
    }
  }
}

/** `clear rules`. */
export function clearAll(rules: Rules): undefined {
  const { registry } = rules.context;
  let count = 0;
  if (isOpen()) for (const [, table] of TABLES) count += lineCount(table);
  registry.sections.splice(rules.section, 0, count, []);
  clearRules(rules);
  registry.changed(rules.section);
}
