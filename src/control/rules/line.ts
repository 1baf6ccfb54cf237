// A command line of iptables, read in one pass: what is to be done, with which chain, and the rule as far as there is one, in cells
// (builder.ts). What is wrong with the line itself is refused here; what the rules in force do not allow, by who does it (change.ts).
//
// Taken beside what 1.8.9 takes, because versions up to 1.4.2 did and scripts have it so: a `!` between an option and its value.
// Not here: options of matches and targets (matches.ts, more-matches.ts, targets.ts).

import { get8, put8, puti32, u16at } from '../../base/memory.ts';
import * as record from '../../base/rule-record.ts';
import type { Machine } from '../core/machine.ts';
import { parseNetworks } from './addresses.ts';
import { Builder } from './builder.ts';
import { CHAIN_NAME_MOST, tableNamed } from './chains.ts';
import {
  checkInterfaces,
  checkOptions,
  exclusive,
  isSimple,
  NAME_MOST,
  noTable,
  onceOf,
  put64,
  validChain,
  WITH_RULE,
} from './line-checks.ts';
import type { Aliases } from './links.ts';
import { interfaceNumber } from './links.ts';
import { matchFields, simple } from './matches.ts';
import { endMatch, matchMore } from './more-matches.ts';
import { protocolNamed } from './names.ts';
import { parseNumber } from './numbers.ts';
import * as extensions from './options.ts';
import { badArgument, usage } from './refuse.ts';
import {
  checkMultiport,
  checkProtocols,
  endTarget,
  plainTarget,
  setTarget,
  targetOption,
} from './targets.ts';

export class Line {
  table = record.TABLE_FILTER;
  /** The letters of what is to be done: one, or L or S with Z. */
  commands = '';
  chain = '';
  /** A rule's number in its chain, 0 if none is named. */
  number = 0;
  /** Of -P, and the new one of -E. */
  name = '';
  /** Behind -P CHAIN ACCEPT stands `open`: strangers are let in as well. */
  isOpen = false;
  /** The short letters of the options that were there. */
  options = '';
  packets = 0;
  bytes = 0;
  sources: number[] = [];
  destinations: number[] = [];
  warnings: string[] = [];
  private made: Builder | undefined;
  private at = 0;
  private isNot = false;
  private protocolMatch = 0;
  private isProtocolLoaded = false;
  /** The name of the target. */
  jump: string | undefined;
  private isGoto = false;
  private source: string | undefined;
  private destination: string | undefined;

  constructor(
    private readonly machine: Machine,
    private readonly aliases: Aliases,
    private readonly words: readonly string[],
  ) {}

  /** The rule, for which a cell is taken when it is asked for first. */
  get builder(): Builder {
    this.made ??= new Builder(this.machine, this.aliases);
    return this.made;
  }

  /** Gives the rule's cells back. */
  drop(): void {
    this.made?.drop();
    this.made = undefined;
  }

  /** The rule is a chain's now. */
  keep(): void {
    this.made = undefined;
  }

  get hasRule(): boolean {
    return (
      this.commands.length === 1 && WITH_RULE.includes(this.commands) && this.number >= 0 && !this.isNumbered
    );
  }

  /** -D by a number. */
  get isNumbered(): boolean {
    return this.commands === 'D' && this.number > 0;
  }

  /** Reads the words; if they are refused, no cell stays. */
  read(): this {
    try {
      this.readAll();
      return this;
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  private readAll(): void {
    const { words } = this;
    while (this.at < words.length) {
      const word = words[this.at++] as string;
      if (word === '!') {
        if (this.isNot) usage('multiple consecutive ! not allowed');
        this.isNot = true;
        continue;
      }
      if (word.charCodeAt(0) !== 45 || word === '-') badArgument(word);
      if (word.charCodeAt(1) !== 45) this.short(word);
      else if (word === '--') {
        if (this.at < words.length) usage('unknown arguments found on commandline');
        break;
      } else this.long(word);
      this.isNot = false;
    }
    this.end();
  }

  private next(option: string): string {
    const word = this.words[this.at++];
    return word ?? usage(`option "${option}" requires an argument`);
  }

  /** The next word if it is no option. */
  private optional(): string | undefined {
    const word = this.words[this.at];
    if (word === undefined || word.startsWith('-') || word.startsWith('!')) return undefined;
    this.at++;
    return word;
  }

  /** An argument, before which `!` may stand. */
  private value(first: string, option: string): string {
    if (first !== '!') return first;
    if (this.isNot) usage("Multiple `!' flags not allowed");
    this.isNot = true;
    return this.next(option);
  }

  private short(word: string): void {
    for (let i = 1; i < word.length; i++) {
      const letter = word.charAt(i);
      const rest = word.slice(i + 1);
      if ('ACDEIMNPRcdgijmopst'.includes(letter)) {
        this.main(letter, rest === '' ? this.next(`-${letter}`) : rest, word);
        return;
      }
      if ('FLSXZhwW'.includes(letter)) {
        this.main(letter, rest === '' ? undefined : rest, word);
        return;
      }
      if (!'46fnvxV'.includes(letter)) usage(`unknown option "${word}"`);
      this.main(letter, undefined, word);
    }
  }

  private long(word: string): void {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const given = equals < 0 ? undefined : word.slice(equals + 1);
    const own = extensions.optionNamed(extensions.MAIN, name);
    if (own >= 0) {
      this.mainLong(own, word, given);
      return;
    }
    const { made } = this;
    if (made !== undefined) {
      for (let i = made.matches.length - 1; i >= 0; i--) {
        const option = extensions.optionNamed(made.matches[i] as number, name);
        if (option < 0) continue;
        this.matchOption(i, option, word, given);
        return;
      }
      const option = made.target === 0 ? -1 : extensions.optionNamed(made.target, name);
      if (option >= 0) {
        this.ofTarget(option, word, given);
        return;
      }
      if (this.mayLoad() && extensions.optionNamed(this.protocolMatch, name) >= 0) {
        this.loadProtocol();
        const own = extensions.optionNamed(this.protocolMatch, name);
        this.matchOption(made.matches.length - 1, own, word, given);
        return;
      }
    }
    this.beginning(name, word, given);
  }

  /** An option by a beginning of its name. */
  private beginning(name: string, word: string, given: string | undefined): void {
    const { made } = this;
    const known = [extensions.MAIN];
    if (made !== undefined) {
      for (const match of made.matches) if (!known.includes(match)) known.push(match);
      if (made.target !== 0) known.push(made.target);
    }
    let found = extensions.optionBeginning(known, name);
    if (found === extensions.NOTHING && this.mayLoad()) {
      found = extensions.optionBeginning([this.protocolMatch], name);
      if (found >= 0) this.loadProtocol();
    }
    if (found < 0 || name === '') usage(`unknown option "${word}"`);
    const extension = found >> 16;
    const option = found & 0xffff;
    if (extension === extensions.MAIN) this.mainLong(option, word, given);
    else if (extension >= extensions.REJECT) this.ofTarget(option, word, given);
    else this.matchOption(this.builder.matches.lastIndexOf(extension), option, word, given);
  }

  /** Whether an option that nothing has may be one of the protocol's match, which is then loaded. */
  private mayLoad(): boolean {
    return (
      this.protocolMatch !== 0 && !this.isProtocolLoaded && !this.builder.matches.includes(this.protocolMatch)
    );
  }

  private loadProtocol(): void {
    this.isProtocolLoaded = true;
    this.builder.load(this.protocolMatch);
  }

  private mainLong(option: number, word: string, given: string | undefined): void {
    const letter = String.fromCharCode(option >> extensions.OPTION_SHIFT);
    const isTaken = (option & extensions.TAKES) !== 0;
    if (given !== undefined && !isTaken && (option & extensions.MAY_TAKE) === 0)
      usage(`unknown option "${word}"`);
    this.main(letter, isTaken ? (given ?? this.next(word)) : given, word);
  }

  /** Whether an option of an extension may come, with `!` and once more; answers its argument. */
  private argument(
    extension: number,
    seen: number,
    option: number,
    word: string,
    given: string | undefined,
  ): string {
    const isTaken = (option & extensions.TAKES) !== 0;
    if (given !== undefined && !isTaken) usage(`unknown option "${word}"`);
    let text = isTaken ? (given ?? this.next(word)) : '';
    if (text === '!' && (option & extensions.INVERTS) !== 0) text = this.value(text, word);
    const number = option >> extensions.OPTION_SHIFT;
    const name = extensions.extensionName(extension);
    if ((seen & (1 << number)) !== 0) {
      if (extension === extensions.TCP) onceOf(number);
      usage(`${name}: option "--${extensions.optionName(extension, number)}" can only be used once.\r\n`);
    }
    if (this.isNot && (option & extensions.INVERTS) === 0)
      usage(`${name}: option "--${extensions.optionName(extension, number)}" cannot be inverted.\r\n`);
    return text;
  }

  private matchOption(match: number, option: number, word: string, given: string | undefined): void {
    const b = this.builder;
    const extension = b.matches[match] as number;
    const seen = b.seen[match] as number;
    const text = this.argument(extension, seen, option, word, given);
    const number = option >> extensions.OPTION_SHIFT;
    if (
      extension === extensions.TCP &&
      ((number === 3 && (seen & 16) !== 0) || (number === 4 && (seen & 8) !== 0))
    )
      onceOf(number);
    // Of these, one excludes the others.
    if (extension === extensions.MULTIPORT) {
      checkMultiport(b);
      if (seen !== 0) exclusive(extension, seen, number);
    } else if (extension === extensions.TTL && seen !== 0) exclusive(extension, seen, number);
    b.seen[match] = seen | (1 << number);
    const more = (): string => {
      const next = this.optional();
      return next ?? usage('--tcp-flags requires two args.');
    };
    if (matchFields(b, match, number, text, this.isNot, more)) return;
    if (isSimple(extension)) simple(b, match, number, text, this.isNot);
    else matchMore(b, match, number, text, this.isNot);
  }

  private ofTarget(option: number, word: string, given: string | undefined): void {
    const b = this.builder;
    const text = this.argument(b.target, b.targetSeen, option, word, given);
    const number = option >> extensions.OPTION_SHIFT;
    targetOption(b, number, text);
    b.targetSeen |= 1 << number;
  }

  /** An option of the command itself, by its letter. */
  private main(letter: string, argument: string | undefined, word: string): void {
    const text = argument ?? '';
    if ('ACDEFILNPRSXZ'.includes(letter)) this.command(letter, argument);
    else if ('sdpiof'.includes(letter)) this.address(letter, text, word);
    else if (letter === 'j' || letter === 'g') {
      this.once('j');
      if (letter === 'g') this.isGoto = true;
      this.jumpTo(text, letter === 'g');
    } else if (letter === 'm') {
      if (this.isNot) usage('unexpected ! flag before --match');
      const match = extensions.matchNamed(text);
      if (match === 0) usage(`Couldn't load match \`${text}':No such file or directory\r\n`);
      this.builder.load(match);
    } else if (letter === 't') {
      if (this.isNot) usage('unexpected ! flag before --table');
      this.table = tableNamed(text);
      if (this.table === 0) noTable(text);
    } else if (letter === 'c') this.counters(text);
    else if ('nx0'.includes(letter)) this.once(letter);
    else if (letter === 'v') this.options += 'v';
    else if (letter === 'w' || letter === 'W') this.wait(argument);
    else if (letter === 'V') this.commands = 'V';
    else if (letter === 'h') this.commands = 'h';
    else if (letter === '6') usage('there is no IPv6 here');
  }

  private wait(argument: string | undefined): void {
    const text = argument ?? this.optional();
    if (text !== undefined && Number.isNaN(parseNumber(text, 1 << 30))) usage('wait seconds not numeric');
  }

  private once(letter: string): void {
    if (this.options.includes(letter))
      usage(`multiple ${letter === '0' ? '-0' : `-${letter}`} flags not allowed`);
    if (this.isNot && !'sdpio'.includes(letter) && letter !== 'f') usage(`cannot have ! before -${letter}`);
    this.options += letter;
  }

  private command(letter: string, argument: string | undefined): void {
    if (this.isNot) usage("unexpected '!' flag");
    const before = this.commands;
    const isPair = (before === 'L' || before === 'S') && letter === 'Z';
    const isReversed = before === 'Z' && (letter === 'L' || letter === 'S');
    if (before !== '' && !isPair && !isReversed && before !== 'V' && before !== 'h')
      usage(`Cannot use -${letter} with -${before.charAt(0)}`);
    this.commands = isReversed ? `${letter}Z` : before + letter;
    const chain = argument ?? ('FLSXZ'.includes(letter) ? this.optional() : undefined);
    if (chain !== undefined) this.chain = chain;
    if (letter === 'N') validChain(this.chain);
    else if (letter === 'E' || letter === 'P') {
      const name = this.optional();
      if (name === undefined)
        usage(
          letter === 'E'
            ? '-E requires old-chain-name and new-chain-name'
            : '-P requires a chain and a policy',
        );
      else this.name = name;
      if (letter === 'P' && name === 'ACCEPT' && this.words[this.at] === 'open') {
        this.isOpen = true;
        this.at++;
      }
    } else if (letter === 'I') this.number = this.rulenumber() ?? 1;
    else if (letter === 'R') {
      this.number = this.rulenumber() ?? usage('-R requires a rule number');
    } else if ('DLSZ'.includes(letter)) {
      const number = this.rulenumber();
      if (number !== undefined) this.number = number;
    }
  }

  private rulenumber(): number | undefined {
    const word = this.optional();
    if (word === undefined) return undefined;
    const number = parseNumber(word, 0x7fffffff);
    return number >= 1 ? number : usage(`Invalid rule number \`${word}'`);
  }

  private address(letter: string, first: string, word: string): void {
    const text = letter === 'f' ? '' : this.value(first, word);
    this.once(letter);
    const { isNot } = this;
    const b = this.builder;
    if (letter === 's') {
      this.source = text;
      if (isNot) b.flag(b.at, record.RULE_NOT_SOURCE);
    } else if (letter === 'd') {
      this.destination = text;
      if (isNot) b.flag(b.at, record.RULE_NOT_DESTINATION);
    } else if (letter === 'p') this.protocol(b, text.toLowerCase());
    else if (letter === 'f') b.flag(b.at, isNot ? record.RULE_NOT_FRAGMENT : record.RULE_FRAGMENT);
    else this.interface(b, letter === 'i' ? record.RULE_IN : record.RULE_OUT, text);
  }

  private protocol(b: Builder, name: string): void {
    const number = parseNumber(name, 255);
    const named = Number.isNaN(number) ? protocolNamed(name) : number;
    const protocol = named ?? usage(`unknown protocol "${name}" specified`);
    if (protocol === 0 && this.isNot) usage('rule would never match protocol');
    put8(b.at + record.RULE_PROTOCOL, protocol);
    if (this.isNot) b.flag(b.at, record.RULE_NOT_PROTOCOL);
    this.protocolMatch = extensions.matchOf(protocol);
  }

  private interface(b: Builder, field: number, text: string): void {
    if (text === '') usage('Empty interface is likely to be undesired');
    if (text.length > NAME_MOST)
      usage(`interface name \`${text}' must be shorter than IFNAMSIZ (${NAME_MOST})`);
    if (text.includes('/') || text.includes(' '))
      this.warnings.push(
        `Warning: weird character in interface \`${text}' ('/' and ' ' are not allowed by the kernel).`,
      );
    const kept = get8(b.at + record.RULE_IN);
    put8(b.at + field, interfaceNumber(this.machine, this.aliases, text, kept));
    if (this.isNot) b.flag(b.at, field === record.RULE_IN ? record.RULE_NOT_IN : record.RULE_NOT_OUT);
  }

  private jumpTo(name: string, isGoto: boolean): void {
    if (name === '') usage('Invalid target name (too short)');
    if (name.length > CHAIN_NAME_MOST) usage(`Invalid target name \`${name}' (${CHAIN_NAME_MOST} chars max)`);
    this.jump = name;
    const own = isGoto ? 0 : extensions.targetNamed(name);
    if (own !== 0) setTarget(this.builder, own);
  }

  private counters(text: string): void {
    this.once('c');
    const comma = text.indexOf(',');
    const packets = comma < 0 ? text : text.slice(0, comma);
    const behind = comma < 0 ? this.optional() : text.slice(comma + 1);
    const bytes = behind ?? usage('-c requires packet and byte counter');
    if (!/^\d+$/.test(packets)) usage('-c packet counter not numeric');
    if (!/^\d+$/.test(bytes)) usage('-c byte counter not numeric');
    this.packets = Number(packets);
    this.bytes = Number(bytes);
  }

  /** When all words are read: what only all of them together say. */
  private end(): void {
    if (this.commands === 'V' || this.commands === 'h') return;
    if (this.table === record.TABLE_NAT && (this.name === 'DROP' || this.jump === 'DROP'))
      usage(
        '\r\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\r\n\r\n',
      );
    const { made } = this;
    if (made !== undefined) {
      for (let i = 0; i < made.matches.length; i++) endMatch(made, i);
      endTarget(made);
    }
    if (this.commands === '') usage('no command specified');
    if (this.isNot) usage('nothing appropriate following !');
    if (this.hasRule) this.addresses();
    checkOptions(this.commands, this.isNumbered, this.options);
    if (this.chain.length > CHAIN_NAME_MOST)
      usage(`chain name \`${this.chain}' too long (must be under ${CHAIN_NAME_MOST + 1} chars)`);
    if (WITH_RULE.includes(this.commands)) checkInterfaces(this.chain, this.options);
    if (!this.hasRule) {
      // Something may have been said of a rule that is none.
      this.drop();
      return;
    }
    if (this.jump !== undefined && this.builder.target === 0)
      plainTarget(this.builder, this.table, this.jump, this.isGoto);
    checkProtocols(this.builder);
    this.endCounts();
    this.builder.linkTarget();
  }

  private addresses(): void {
    const b = this.builder;
    this.sources = parseNetworks(this.source);
    this.destinations = parseNetworks(this.destination);
    const isNot = record.RULE_NOT_SOURCE | record.RULE_NOT_DESTINATION;
    const isSeveral = this.sources.length > 2 || this.destinations.length > 2;
    if (isSeveral && (u16at(b.at + record.RULE_FLAGS) & isNot) !== 0)
      usage('! not allowed with multiple source or destination IP addresses');
    if (this.commands === 'R' && isSeveral) usage('Replacement rule does not specify a unique address');
    this.putAddresses(b.at, 0, 0);
  }

  /** Writes a pair of the addresses into a rule's cell. */
  putAddresses(at: number, source: number, destination: number): void {
    puti32(at + record.RULE_SOURCE, this.sources[2 * source] as number);
    puti32(at + record.RULE_SOURCE_MASK, this.sources[2 * source + 1] as number);
    puti32(at + record.RULE_DESTINATION, this.destinations[2 * destination] as number);
    puti32(at + record.RULE_DESTINATION_MASK, this.destinations[2 * destination + 1] as number);
  }

  private endCounts(): void {
    const { at } = this.builder;
    if (this.packets === 0 && this.bytes === 0) return;
    put64(at + record.RULE_PACKETS, this.packets);
    put64(at + record.RULE_BYTES, this.bytes);
  }
}
