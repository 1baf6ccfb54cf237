// A line of ipchains: its words, read in the order and with the refusals of 1.3.9. A `!` may stand before an option, or before what the
// option is about: `! -y`, `-s ! 10.0.0.1 ! 80`.
// Not here: what the line does (change.ts, overlay.ts), which rules there can be (rule.ts).

import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { icmpTypes, protocolNamed, serviceNamed } from '../names.ts';
import { type LongOption, NONE, OPTIONAL, Options, REQUIRED, WORD } from '../old/options.ts';
import { parseNetwork, parseWhole } from '../old/values.ts';
import { tryHelp, usage, usageSpaced } from './refuse.ts';
import * as own from './rule.ts';

const LETTERS = 'A:C:D:R:I:L::F::Z::N:X::P:MS:Vh::o::p:s:d:j:i:fbvm:nlt:xy';
/** Source's ports, destination's, numbers of lines, no warnings. */
const SOURCE_PORTS = '1';
const DESTINATION_PORTS = '2';
const LINE_NUMBERS = '3';
const NO_WARNINGS = 'W';

const LONG_NAMES =
  'append:A delete:D insert:I replace:R list?L flush?F zero?Z check:C new-chain:N delete-chain:X policy:P masquerading-M set:S ' +
  'bidirectional-b source:s destination:d src:s dst:d source-port:1 destination-port:2 icmp-type:1 sport:1 dport:2 protocol:p ' +
  'interface:i jump:j TOS:t mark:m numeric-n log-l output?o verbose-v exact-x fragments-f syn-y version-V help-h line-numbers-3 ' +
  'no-warnings-W';
let longs: LongOption[] | undefined;

function longOptions(): LongOption[] {
  longs ??= LONG_NAMES.split(' ').map(text => {
    const kind = text.charAt(text.length - 2);
    return {
      name: text.slice(0, -2),
      argument: kind === ':' ? REQUIRED : kind === '?' ? OPTIONAL : NONE,
      letter: text.slice(-1),
    };
  });
  return longs;
}

/** Commands: the letters of what was given; E is deletion by number. */
const COMMANDS = 'IDERALFZNXPMSC';
/** Options in the original's order, and how it calls them; its table of which go with which command is by these two orders. */
const OPTIONS = 'nsdpjybvlxtifm12o3';
const OPTION_NAMES = 'nsdpjybvlxtifmsdo3';
/** Which option may be with which command: x not, + must. */
const RULE_OPTIONS = 'x        x       x';
const NO_OPTIONS = 'xxxxxxx xxxxxxxxxx';
const ALLOWED: Record<string, string> = {
  I: RULE_OPTIONS,
  D: RULE_OPTIONS,
  E: NO_OPTIONS,
  R: 'x     x  x       x',
  A: RULE_OPTIONS,
  L: ' xxxxxx x xxxxxxx ',
  F: NO_OPTIONS,
  Z: NO_OPTIONS,
  N: NO_OPTIONS,
  X: NO_OPTIONS,
  P: NO_OPTIONS,
  M: 'xxxxxxxxxxxxxxxxxx',
  S: NO_OPTIONS,
  C: 'x+++x   xxx+ x  xx',
};
/** What of an option a `!` is about, in the same order. */
const INVERSES: Record<string, number> = {
  s: own.NOT_SOURCE,
  d: own.NOT_DESTINATION,
  p: own.NOT_PROTOCOL,
  y: own.NOT_SYN,
  i: own.NOT_LINK,
  f: own.NOT_FRAGMENT,
  [SOURCE_PORTS]: own.NOT_SOURCE_PORTS,
  [DESTINATION_PORTS]: own.NOT_DESTINATION_PORTS,
};
const NAME_MOST = 16;
const TOS_BITS = 0x0e;
/** Types of service with what the original calls them. */
const TOS_VALUES: readonly [number, string][] = [
  [0x10, 'Minimize Delay'],
  [8, 'Minimize Throughput'],
  [4, 'Maximize Reliability'],
  [2, 'Minimize Cost'],
  [0, 'Normal Service'],
];

function bitCount(value: number): number {
  let bits = 0;
  for (let rest = value & TOS_BITS; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

const NETWORK = {
  mask: (text: string): never => usage(`invalid mask \`${text}' specified`),
  host: (text: string): never => usage(`host/network \`${text}' not found`),
};

export class ChainsLine {
  readonly rule = own.emptyRule();
  /** Letters of the commands, and of the options that came. */
  commands = '';
  options = '';
  chain: string | undefined;
  number = 0;
  policy = '';
  /** Of -S. */
  timeouts: number[] = [];
  /** `-h icmp`. */
  isIcmpHelp = false;
  readonly warnings: string[] = [];
  private readonly reader: Options;
  private isInverted = false;
  private isWarning = true;
  private source: string | undefined;
  private destination: string | undefined;
  private sourcePorts: string | undefined;
  private destinationPorts: string | undefined;
  private redirect = '0';

  constructor(words: readonly string[]) {
    this.reader = new Options(words, LETTERS, longOptions(), usage);
  }

  has(option: string): boolean {
    return this.options.includes(option);
  }

  /** Reads all of it; throws a Refusal. With -h and -V what is behind does not matter. */
  read(): void {
    for (let found = this.reader.next(); found !== undefined; found = this.reader.next()) {
      const { argument, letter } = found;
      if (letter === 'h' || letter === 'V') {
        this.commands = letter;
        this.isIcmpHelp = (argument ?? this.reader.value())?.toLowerCase() === 'icmp';
        return;
      }
      if (letter === WORD) {
        if (argument !== '!') tryHelp();
        if (this.isInverted) usageSpaced('multiple consecutive ! not allowed');
        this.isInverted = true;
        continue;
      }
      if (COMMANDS.includes(letter)) this.command(letter, argument);
      else this.option(letter, argument ?? '', argument !== undefined);
      this.isInverted = false;
    }
    if (this.reader.hasMore) usage('unknown arguments found on commandline');
    if (this.commands === '') usage('no command specified');
    if (this.isInverted) usage('nothing appropriate following !');
    this.check();
  }

  private command(letter: string, argument: string | undefined): void {
    const { reader } = this;
    const others =
      letter === 'L' ? 'ZM' : letter === 'Z' ? 'L' : letter === 'M' ? 'LS' : letter === 'S' ? 'M' : '';
    if (this.isInverted) usage('unexpected ! flag');
    for (const other of this.commands)
      if (!others.includes(other)) usageSpaced(`Can't use -${letter} with -${other === 'E' ? 'D' : other}`);
    this.commands += letter;
    if (letter === 'M') return;
    if (letter === 'S') {
      this.timeouts = [argument, reader.value(), reader.value()].map(text => {
        if (text === undefined) usage('-S requires 3 timeout values');
        const value = parseWhole(text, 0, 0x7fffffff);
        return Number.isNaN(value) ? usage(`invalid timeout value \`${text}' specified`) : value;
      });
      return;
    }
    const isOptional = 'LFZX'.includes(letter);
    const chain = argument ?? (isOptional ? reader.value() : undefined);
    if (chain !== undefined) this.chain = chain;
    if (
      'LZ'.includes(letter) &&
      this.commands.length === 2 &&
      !this.commands.includes('M') &&
      this.chain !== undefined
    )
      usage('-L with -Z does not allow chain to be specified');
    if (letter === 'P') {
      const policy = reader.value();
      if (policy === undefined) usage('-P requires a chain and a policy');
      this.policy = parsePolicy(this.chain as string, policy);
    } else if ('DRI'.includes(letter)) this.place(letter, reader.value());
  }

  private place(letter: string, text: string | undefined): void {
    if (text === undefined) {
      if (letter === 'R') usage('-R requires a rule number');
      this.number = 1;
      return;
    }
    this.number = parseWhole(text, 1, 0x7fffffff);
    if (Number.isNaN(this.number)) usage(`Invalid rule number \`${text}'`);
    if (letter === 'D') this.commands = `${this.commands.slice(0, -1)}E`;
  }

  /** Notes an option, and what a `!` before it is about. */
  private set(option: string): void {
    const name = OPTION_NAMES.charAt(OPTIONS.indexOf(option));
    if (this.options.includes(option)) usageSpaced(`multiple -${name} flags not allowed`);
    this.options += option;
    if (!this.isInverted) return;
    const inverse = INVERSES[option];
    if (inverse === undefined) usageSpaced(`cannot have ! before -${name}`);
    this.rule.inverse |= inverse as number;
    this.isInverted = false;
  }

  /** What an option is about: behind a `!` the next word. */
  private about(argument: string): string {
    if (argument !== '!') return argument;
    if (this.isInverted) usage("Multiple `!' flags not allowed");
    this.isInverted = true;
    const { reader } = this;
    const word = reader.words[reader.index++];
    return word ?? usage('nothing appropriate following !');
  }

  private option(letter: string, argument: string, isGiven: boolean): void {
    const { reader, rule } = this;
    switch (letter) {
      case 'p': {
        const text = this.about(argument);
        this.set(letter);
        rule.protocol = parseProtocol(text);
        if (rule.protocol === 0 && (rule.inverse & own.NOT_PROTOCOL) !== 0)
          usage('rule would never match protocol');
        return;
      }
      case 's':
      case 'd': {
        const text = this.about(argument);
        this.set(letter);
        if (letter === 's') this.source = text;
        else this.destination = text;
        this.portsBehind(letter === 's' ? SOURCE_PORTS : DESTINATION_PORTS);
        return;
      }
      case SOURCE_PORTS:
      case DESTINATION_PORTS: {
        const text = this.about(argument);
        this.set(letter);
        this.putPorts(letter, text);
        return;
      }
      case 'j':
        this.set(letter);
        rule.label = parseTarget(argument);
        if (rule.label === 'REDIRECT') this.redirect = reader.value() ?? '0';
        return;
      case 'i': {
        const text = this.about(argument);
        this.set(letter);
        this.link(text);
        return;
      }
      case 'm':
        this.set(letter);
        this.mark(argument);
        return;
      case 'o':
        this.set(letter);
        this.outputSize(isGiven ? argument : reader.value());
        return;
      case 't': {
        this.set(letter);
        const xor = reader.value();
        if (xor === undefined) usage('-t requires 2 hexbyte arguments');
        rule.tosAnd = parseHexByte(argument);
        rule.tosXor = parseHexByte(xor);
        return;
      }
      case NO_WARNINGS:
        if (this.isInverted) usage('cannot have ! before --no-warnings');
        this.isWarning = false;
        return;
      case LINE_NUMBERS:
        if (this.isInverted) usage('cannot have ! before --line-numbers');
        this.set(letter);
        return;
    }
    this.set(letter);
    if (letter === 'f') rule.flags |= own.FLAG_FRAGMENT;
    else if (letter === 'l') rule.flags |= own.FLAG_LOG;
    else if (letter === 'y') rule.flags |= own.FLAG_SYN;
  }

  /** Ports behind an address, perhaps with a `!` before them. */
  private portsBehind(option: string): void {
    const { reader } = this;
    const isNot = reader.words[reader.index] === '!';
    const word = reader.words[reader.index + (isNot ? 1 : 0)];
    if (word === undefined || word.startsWith('-') || word.startsWith('!')) return;
    if (isNot) reader.index++;
    reader.index++;
    this.isInverted = isNot;
    this.set(option);
    this.putPorts(option, word);
  }

  private putPorts(option: string, text: string): void {
    if (option === SOURCE_PORTS) this.sourcePorts = text;
    else this.destinationPorts = text;
  }

  private link(text: string): void {
    const { rule } = this;
    if (text.length > NAME_MOST)
      usage(`interface name \`${text}' must be shorter than IFNAMSIZ (${NAME_MOST})`);
    rule.link = text === '' ? '+' : text;
    if (rule.link.endsWith('+')) rule.flags |= own.FLAG_WILD;
  }

  private mark(text: string): void {
    const { rule } = this;
    const sign = text.charAt(0);
    const isRelative = sign === '-' || sign === '+';
    const digits = isRelative ? text.slice(1) : text;
    let value = Number.NaN;
    if (/^0[xX][0-9a-fA-F]+$/.test(digits)) value = Number.parseInt(digits.slice(2), 16);
    else if (/^0[0-7]+$/.test(digits)) value = Number.parseInt(digits, 8);
    else if (/^\d+$/.test(digits)) value = Number(digits);
    if (Number.isNaN(value) || value > 0xffffffff || (digits.length > 1 && /^0\d*[89]/.test(digits)))
      usageSpaced(`Bad value \`${text}' for -m.`);
    rule.mark = sign === '-' ? -value | 0 : value | 0;
    if (!isRelative) rule.flags |= own.FLAG_MARK_ABSOLUTE;
  }

  private outputSize(text: string | undefined): void {
    const size = text === undefined ? own.PORT_MOST : parseWhole(text, 0, own.PORT_MOST);
    if (Number.isNaN(size)) usage(`-o argument must be 0-65535, not \`${text}'`);
    this.rule.outputSize = size;
    this.rule.flags |= own.FLAG_OUTPUT;
  }

  private check(): void {
    const { rule } = this;
    const isRule = ['I', 'D', 'R', 'A'].includes(this.commands);
    const source = this.source ?? (isRule ? '0.0.0.0/0' : undefined);
    const destination = this.destination ?? (isRule ? '0.0.0.0/0' : undefined);
    const isIcmp = rule.protocol === PROTOCOL_ICMP;
    if (source !== undefined) {
      const network = parseNetwork(source, NETWORK);
      rule.source = network.address;
      rule.sourceMask = network.mask;
      if (!isIcmp) this.ports(0, this.sourcePorts);
    }
    if (destination !== undefined) {
      const network = parseNetwork(destination, NETWORK);
      rule.destination = network.address;
      rule.destinationMask = network.mask;
      if (!isIcmp) this.ports(2, this.destinationPorts);
    }
    if (isIcmp) this.icmp();
    this.checkPorts();
    this.checkTarget();
    this.checkOptions();
    if (this.chain !== undefined && this.chain.length > own.LABEL_MOST)
      usage(`chain name \`${this.chain}' too long (must be under ${own.LABEL_MOST} chars)`);
    if (rule.label === 'REDIRECT') rule.redirect = parsePort(this.redirect, rule.protocol);
    this.checkTos();
    if (this.commands === 'M') usage('-M/--masquerading requires -L/--list or -S/--set');
  }

  private ports(place: 0 | 2, text: string | undefined): void {
    if (text === undefined) return;
    const { ports, protocol } = this.rule;
    const colon = text.indexOf(':');
    const first = colon < 0 ? text : text.slice(0, colon);
    const last = colon < 0 ? text : text.slice(colon + 1);
    ports[place] = first === '' ? (colon < 0 ? parsePort(first, protocol) : 0) : parsePort(first, protocol);
    ports[place + 1] =
      colon < 0 ? (ports[place] as number) : last === '' ? own.PORT_MOST : parsePort(last, protocol);
  }

  private icmp(): void {
    const { rule, sourcePorts } = this;
    const names = icmpTypes().filter(
      ({ name }) =>
        name !== 'any' &&
        sourcePorts !== undefined &&
        name.toLowerCase().startsWith(sourcePorts.toLowerCase()),
    );
    const [type, other] = names;
    if (type === undefined) {
      this.ports(0, sourcePorts);
      this.ports(2, this.destinationPorts);
      return;
    }
    if (other !== undefined) usage(`Ambiguous ICMP \`${sourcePorts}' : \`${type.name}' or \`${other.name}'?`);
    if (this.destinationPorts !== undefined) usage("Can't use ICMP name and destination port together");
    if (!this.has(DESTINATION_PORTS)) this.options += DESTINATION_PORTS;
    const isWhole = type.last === 255;
    rule.ports = [type.type, type.type, type.first, isWhole ? own.PORT_MOST : type.last];
    if (this.commands === 'C') {
      // Of these, each code says something else.
      if (isWhole && [3, 5, 11, 12].includes(type.type)) usage('Must specify exact ICMP type for testing');
      rule.ports[3] = rule.ports[2];
    }
    if ((rule.inverse & (own.NOT_SOURCE_PORTS | own.NOT_DESTINATION_PORTS)) !== 0)
      usage("Can't invert named ICMP types");
  }

  private checkPorts(): void {
    const { inverse, ports, protocol } = this.rule;
    const isNotProtocol = (inverse & own.NOT_PROTOCOL) !== 0;
    const hasPorts = this.has(SOURCE_PORTS) || this.has(DESTINATION_PORTS);
    if ((protocol === 0 || isNotProtocol) && hasPorts) usage('no ports allowed without specific protocol');
    if ((protocol !== PROTOCOL_TCP || isNotProtocol) && this.has('y'))
      usage('-y only allowed with TCP protocol');
    const isFragment = this.has('f') && (inverse & own.NOT_FRAGMENT) === 0;
    if (isFragment && hasPorts) usage('no ports allowed with -f');
    if (isFragment && this.has('y')) usage('-y not allowed with -f');
    if (this.commands !== 'C') return;
    const isOne =
      this.has(SOURCE_PORTS) && this.has(DESTINATION_PORTS) && ports[0] === ports[1] && ports[2] === ports[3];
    if (own.hasPorts(protocol) && !this.has('f') && !isOne)
      usage('one port required with source/destination address for -C');
    if (inverse !== 0) usage('! not allowed with -C');
  }

  private checkTarget(): void {
    const { inverse, label, protocol } = this.rule;
    const { chain } = this;
    const isRedirect = label === 'REDIRECT';
    const isPorted =
      (protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP) && (inverse & own.NOT_PROTOCOL) === 0;
    if (isRedirect && !isPorted) usage('redirecting only allowed with TCP or UDP');
    if (label === 'MASQ' && (chain === 'input' || chain === 'output'))
      usage('masquerading not allowed for input and output chains');
    if (isRedirect && (chain === 'output' || chain === 'forward'))
      usage('redirect not allowed for output and forward chains');
  }

  /** Whether what was given goes together. */
  private checkOptions(): void {
    const commands = this.commands === 'S' ? 'SM' : this.commands;
    for (let i = 0; i < OPTIONS.length; i++) {
      const isGiven = this.has(OPTIONS.charAt(i));
      const name = OPTION_NAMES.charAt(i);
      let isLegal = !isGiven;
      for (const command of commands) {
        const rule = (ALLOWED[command] as string).charAt(i);
        if (!isGiven && rule === '+')
          usageSpaced(`You need to supply the \`-${name}' option for this command`);
        if (rule !== 'x') isLegal = true;
      }
      if (!isLegal) usageSpaced(`Illegal option \`-${name}' with this command`);
    }
  }

  private checkTos(): void {
    const { tosAnd, tosXor } = this.rule;
    if ((tosAnd & 1) === 0 || (tosXor & 1) !== 0)
      usageSpaced('TOS manipulation cannot alter bit 0 (RFC1349)');
    if (bitCount(~tosAnd & tosXor) > 1)
      usageSpaced('TOS manipulation cannot set multiple TOS bits (RFC1349)');
    if (!this.isWarning) return;
    for (const [value, name] of TOS_VALUES) {
      if (bitCount((value & tosAnd) ^ tosXor) <= 1) continue;
      const hex = value.toString(16).padStart(2, '0');
      this.warnings.push(`Warning: TOS manipulation may set multiple TOS bits for ${name} TOS (0x${hex})`);
    }
  }
}

function parsePolicy(chain: string, policy: string): string {
  if (policy === 'MASQ') {
    if (chain !== 'forward') usage("`-P MASQ' only valid for `forward' chain.");
    return policy;
  }
  if (!['input', 'output', 'forward'].includes(chain)) usage('Can only set policy in built-in chains.');
  if (!['ACCEPT', 'DENY', 'REJECT'].includes(policy)) usage(`Invalid policy \`${policy}' for -P`);
  return policy;
}

function parseProtocol(text: string): number {
  const number = parseWhole(text, 0, 255);
  if (!Number.isNaN(number)) return number;
  return protocolNamed(text.toLowerCase()) ?? usage(`unknown protocol \`${text}' specified`);
}

function parsePort(text: string, protocol: number): number {
  if (!own.hasPorts(protocol)) usage('can only specify ports for icmp, tcp or udp');
  const number = parseWhole(text, 0, own.PORT_MOST);
  if (!Number.isNaN(number)) return number;
  if (protocol === PROTOCOL_ICMP) usage(`invalid ICMP type \`${text}' specified`);
  return serviceNamed(text) ?? usage(`invalid port/service \`${text}' specified`);
}

function parseHexByte(text: string): number {
  const value = parseWhole(text, 0, 255, 16);
  return Number.isNaN(value) ? usage(`invalid hexbyte \`${text}' specified`) : value;
}

function parseTarget(text: string): string {
  if (text === '') usage('Invalid target name (too short)');
  if (text.length > own.LABEL_MOST) usage(`Invalid target name \`${text}' (${own.LABEL_MOST} chars max)`);
  if (/\s/.test(text)) usage(`Invalid target name \`${text}'`);
  return text;
}
