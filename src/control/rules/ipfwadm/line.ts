// A line of ipfwadm: its words, read in the order and with the refusals of 2.3.0. Policies, protocols and directions may be abbreviated.
// Not here: what the line does (change.ts, overlay.ts), which rules there can be (rule.ts).

import { serviceNamed } from '../names.ts';
import { Options, WORD } from '../old/options.ts';
import { parseHost, parseNetwork, parseWhole } from '../old/values.ts';
import { usage } from './refuse.ts';
import * as own from './rule.ts';

const LETTERS = 'AFIMOadilzfs:p:chP:S:D:V:W:bekmnort:vxy';
const CATEGORIES = 'AFIOM';
const COMMANDS = 'adilzfpsc';
const KINDS = ['all', 'tcp', 'udp', 'icmp'];
const PORT_MOST = 0xffff;
const FLAGS: Record<string, number> = {
  b: own.BOTH,
  k: own.ACK,
  m: own.MASQUERADE,
  o: own.LOG,
  r: own.REDIRECT,
  y: own.SYN,
};

const NETWORK = {
  mask: (text: string): never => usage(`invalid mask "${text}" specified`),
  host: (text: string): never => usage(`host/network "${text}" not found`),
};

export class FwadmLine {
  readonly rule = own.emptyRule();
  /** A letter of CATEGORIES, and those of the commands, of which -l and -z may be together. */
  category = '';
  commands = '';
  options = '';
  timeouts: number[] = [];
  private hasPolicy = false;
  private readonly reader: Options;
  private source: string | undefined;
  private destination: string | undefined;
  private readonly sourcePorts: string[] = [];
  private readonly destinationPorts: string[] = [];
  private redirect = '0';
  private hasWord = false;

  constructor(words: readonly string[]) {
    this.reader = new Options(words, LETTERS, [], usage);
  }

  has(option: string): boolean {
    return this.options.includes(option);
  }

  /** Reads all of it; throws a Refusal. */
  read(): void {
    for (let found = this.reader.next(); found !== undefined; found = this.reader.next()) {
      const { argument = '', letter } = found;
      if (letter === 'h') {
        this.commands = letter;
        return;
      }
      if (letter === WORD) this.hasWord = true;
      else if (CATEGORIES.includes(letter)) this.categoryOf(letter);
      else if (COMMANDS.includes(letter)) this.command(letter, argument);
      else this.option(letter, argument);
    }
    if (this.hasWord || this.reader.hasMore) usage('unknown arguments found on commandline');
    if (this.commands === '') usage('no command specified');
    this.checkCategory();
    this.checkOptions();
    this.checkPorts();
    this.finish();
  }

  private categoryOf(letter: string): void {
    if (this.category !== '') usage('multiple categories specified');
    this.category = letter;
    if (letter !== 'A') return;
    const direction = this.reader.value(false);
    if (direction === undefined) return;
    if ('in'.startsWith(direction)) this.rule.flags |= own.ACCOUNT_IN;
    else if ('out'.startsWith(direction)) this.rule.flags |= own.ACCOUNT_OUT;
    else if (!'both'.startsWith(direction)) usage(`invalid direction "${direction}" specified`);
  }

  private command(letter: string, argument: string): void {
    const { reader } = this;
    const isPair = (letter === 'l' && this.commands === 'z') || (letter === 'z' && this.commands === 'l');
    if (this.commands !== '' && !isPair) usage('multiple commands specified');
    this.commands += letter;
    if ('adi'.includes(letter)) {
      const policy = reader.value(false);
      if (policy === undefined) return;
      this.policy(policy);
      this.hasPolicy = true;
    } else if (letter === 'p') this.policy(argument);
    else if (letter === 's') {
      this.timeouts = [argument, reader.value(false), reader.value(false)].map(text => {
        if (text === undefined) usage('-s requires 3 timeout values');
        const value = parseWhole(text, 0, 0x7fffffff);
        return Number.isNaN(value) ? usage(`invalid timeout value "${text}" specified`) : value;
      });
    }
  }

  private policy(text: string): void {
    if ('accept'.startsWith(text)) this.rule.flags |= own.ACCEPT;
    else if ('deny'.startsWith(text)) return;
    else if ('reject'.startsWith(text)) this.rule.flags |= own.REJECT;
    else if ('masquerade'.startsWith(text)) {
      this.set('m');
      this.rule.flags |= own.ACCEPT | own.MASQUERADE;
    } else usage(`invalid policy "${text}" specified`);
  }

  private set(option: string): void {
    if (this.options.includes(option)) usage(`multiple -${option} flags not allowed`);
    this.options += option;
  }

  private option(letter: string, argument: string): void {
    const { reader, rule } = this;
    this.set(letter);
    rule.flags |= FLAGS[letter] ?? 0;
    if (letter === 'P') {
      const kind = KINDS.findIndex(name => name.startsWith(argument));
      if (kind < 0) usage(`invalid protocol "${argument}" specified`);
      rule.flags |= kind;
    } else if (letter === 'S' || letter === 'D') {
      const isSource = letter === 'S';
      if (isSource) this.source = argument;
      else this.destination = argument;
      for (let port = reader.value(false); port !== undefined; port = reader.value(false))
        this.storePort(isSource, port);
    } else if (letter === 'V') {
      rule.via = parseHost(argument);
      if (Number.isNaN(rule.via)) usage(`host "${argument}" not found`);
    } else if (letter === 'W') rule.link = argument.slice(0, 15);
    else if (letter === 'r') this.redirect = reader.value(false) ?? '0';
    else if (letter === 't') {
      const xor = reader.value(false);
      if (xor === undefined) usage('-t requires 2 hexbyte arguments');
      // The kernel keeps the lowest bit as it is.
      rule.tosAnd = parseHexByte(argument) | 1;
      rule.tosXor = parseHexByte(xor) & 0xfe;
    }
  }

  private storePort(isSource: boolean, text: string): void {
    const list = isSource ? this.sourcePorts : this.destinationPorts;
    const range = isSource ? own.SOURCE_RANGE : own.DESTINATION_RANGE;
    if (text.includes(':')) {
      if ((this.rule.flags & range) !== 0) usage('multiple ranges not allowed');
      this.rule.flags |= range;
    }
    list.push(text);
    const all = [...this.sourcePorts, ...this.destinationPorts];
    if (all.reduce((sum, port) => sum + (port.includes(':') ? 2 : 1), 0) > own.PORTS_MOST)
      usage(`too many ports specified (maximum ${own.PORTS_MOST})`);
  }

  private checkCategory(): void {
    const { category, commands } = this;
    const isFirewall = category !== '' && 'FIO'.includes(category);
    const isRule = 'adi'.includes(commands);
    if (category === '') usage('missing -A, -F, -I, -O, or -M flag');
    if (!isFirewall && commands === 'c') usage('specify either -F, -I, or -O for checking a packet');
    if (!isFirewall && commands === 'p') usage('specify either -F, -I, or -O for changing the policy');
    if (isFirewall && !this.hasPolicy && isRule) usage('policy required for firewall entries');
    if (!isFirewall && this.hasPolicy) usage('no policy allowed with non-firewall entries');
    if (category === 'M' && commands !== 's' && !commands.includes('l'))
      usage('-M only allowed in combination with -s or -l command');
    if (category !== 'M' && commands === 's') usage('setting masquerading timeouts requires -M flag');
  }

  private checkOptions(): void {
    const { commands, rule } = this;
    const isRule = 'adi'.includes(commands);
    const isOther = !isRule && commands !== 'c' && commands !== 's';
    const isCheck = commands === 'c';
    if (!isRule) {
      if (this.has('b')) usage('bidirectional flag (-b) only allowed with insert/append/delete');
      if (this.has('o')) usage('kernel print flag (-o) only allowed with insert/append/delete');
      if (this.has('r')) usage('port redirection (-r) only allowed with insert/append/delete');
      if (this.has('t')) usage('tos values (-t) only allowed with insert/append/delete');
    }
    if (this.has('P') && isOther) usage('no protocol (-P) allowed with this command');
    if (isCheck && !this.has('P')) usage('protocol (-P) required for this command');
    if (isCheck && (rule.flags & own.KIND) === 0) usage('specific protocol required for check command');
    if (this.has('V') && isOther) usage('no interface address (-V) allowed with this command');
    if (isCheck && !this.has('V')) usage('interface address (-V) required for this command');
    if (this.has('W') && isOther) usage('no interface name (-W) allowed with this command');
    if (isCheck && !this.has('W')) usage('interface name (-W) required for this command');
  }

  private checkPorts(): void {
    const { category, commands, destinationPorts, rule, sourcePorts } = this;
    const kind = rule.flags & own.KIND;
    const isIcmp = kind === own.KIND_ICMP;
    const isCheck = commands === 'c';
    if (isIcmp && destinationPorts.length > 0) usage('ICMP types only allowed with -S, not with -D');
    if (kind === 0 && sourcePorts.length + destinationPorts.length > 0)
      usage('no ports allowed without specific protocol');
    if (isCheck && !isIcmp && (sourcePorts.length !== 1 || destinationPorts.length !== 1))
      usage('one port required with source/destination address');
    if (isCheck && isIcmp && sourcePorts.length !== 1) usage('ICMP type required after source address');
    if (this.has('r') && category !== 'I') usage('redirecting only allowed in combination with -I');
    if (isIcmp && this.has('r')) usage('redirecting not allowed with protocol ICMP');
    if (this.has('m') && category !== 'F') usage('masquerading only allowed in combination with -F');
    if (isIcmp && this.has('m')) usage('masquerading not allowed with protocol ICMP');
    if (this.has('m') && (rule.flags & own.ACCEPT) === 0)
      usage('masquerading only allowed with policy accept');
  }

  private finish(): void {
    const { commands, rule } = this;
    const isOther = !'adicS'.includes(commands) && commands !== 's';
    const isCheck = commands === 'c';
    if (this.has('S') && isOther) usage('no source address (-S) allowed with this command');
    if (isCheck && !this.has('S')) usage('source address (-S) required for this command');
    if (this.source !== undefined) {
      const { address, mask } = parseNetwork(this.source, NETWORK);
      rule.source = address;
      rule.sourceMask = mask;
      rule.sourcePorts = this.ports(this.sourcePorts);
    }
    if (this.has('D') && isOther) usage('no destination address (-D) allowed with this command');
    if (isCheck && !this.has('D')) usage('destination address (-D) required for this command');
    if (this.destination !== undefined) {
      const { address, mask } = parseNetwork(this.destination, NETWORK);
      rule.destination = address;
      rule.destinationMask = mask;
      rule.destinationPorts = this.ports(this.destinationPorts);
    }
    if (!this.has('r')) return;
    if (rule.sourcePorts.length + rule.destinationPorts.length >= own.PORTS_MOST)
      usage(`too many ports specified (maximum ${own.PORTS_MOST - 1} when using -r option)`);
    rule.redirect = this.port(this.redirect);
  }

  /** The ports of a side, a range before all others. */
  private ports(words: readonly string[]): number[] {
    const ports: number[] = [];
    for (const word of words) {
      const colon = word.indexOf(':');
      if (colon < 0) {
        ports.push(this.port(word));
        continue;
      }
      const first = this.port(word.slice(0, colon));
      const last = this.port(word.slice(colon + 1));
      if (first > last) usage(`invalid range of ports (${first} > ${last})`);
      ports.unshift(first, last);
    }
    return ports;
  }

  private port(text: string): number {
    const number = parseWhole(text, 0, PORT_MOST);
    if (!Number.isNaN(number)) return number;
    const kind = this.rule.flags & own.KIND;
    if (kind === own.KIND_ICMP) usage(`invalid ICMP type "${text}" specified`);
    const port = kind === 0 ? undefined : serviceNamed(text);
    return port ?? usage(`invalid port/service "${text}" specified`);
  }
}

function parseHexByte(text: string): number {
  const value = parseWhole(text, 0, 255, 16);
  return Number.isNaN(value) ? usage(`invalid hexbyte "${text}" specified`) : value;
}
