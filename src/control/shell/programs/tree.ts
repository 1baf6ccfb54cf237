// The files that a script finds: /proc, the programs in their folders, the distributions' files that scripts read first, and those
// that it has written to /tmp, /var/run, /var/lock and /var/log itself, which last as long as the shell.
// Not here: what /proc/sys sets (kernel-settings.ts), the tables (proc-net.ts).

import { NOW_AT } from '../../../base/cells.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { i32at } from '../../../base/memory.ts';
import { formatAddress } from '../../core/address.ts';
import { Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import { TABLE_SPARE_BYTES } from '../../core/limits.ts';
import type { Files } from '../files.ts';
import type { ShellState } from '../state.ts';
import type { Kept } from './desk.ts';
import { type KernelSetting, kernelNames, kernelSetting } from './kernel-settings.ts';
import { outsideAddress, present, procDev, routes } from './links.ts';
import { moduleRows } from './modules.ts';
import { Links } from './names.ts';
import { ipConntrack, ipMasquerade, ipPortfw, masqApp, masqPortfw } from './proc-net.ts';

const SYS = '/proc/sys/';
/** What a script may write and read again. */
const OWN = ['/tmp/', '/var/run/', '/var/lock/', '/var/log/', '/var/tmp/'];
/** Folders in which the programs are. */
const PROGRAMS = ['/sbin', '/usr/sbin', '/bin', '/usr/bin', '/usr/local/sbin'];
/** Names of these that are no commands of the console, so that a script finds them. */
const NAMES =
  'sh bash grep egrep fgrep sed awk gawk cut head tail cat tr wc sort uniq expr basename dirname ifconfig route arp netstat hostname uname date modprobe insmod rmmod depmod lsmod id whoami logger touch rm mkdir ls chmod echo test printf sleep true false sysctl'.split(
    ' ',
  );
/** Tables of rules in /proc/net. */
const RULE_FILES = 'ip_fwchains ip_fwnames ip_input ip_output ip_forward ip_acct'.split(' ');
/** The functions that scripts of Red Hat take from its file. */
const FUNCTIONS = `action() { printf '%s ' "$1"; shift; if "$@"; then echo '[  OK  ]'; else echo '[FAILED]'; return 1; fi; }
success() { printf '[  OK  ]'; }
failure() { printf '[FAILED]'; }
passed() { printf '[PASSED]'; }
warning() { printf '[WARNING]'; }
echo_success() { success; }
echo_failure() { failure; }
gprintf() { printf "$@"; }
`;
const NETWORK = 'NETWORKING=yes\nFORWARD_IPV4=yes\nHOSTNAME=masqbox\n';

export class Tree implements Files {
  private readonly links: Links;

  constructor(
    private readonly context: Context,
    private readonly state: ShellState,
    private readonly kept: Kept,
    private readonly run: (words: readonly string[]) => void,
  ) {
    this.links = new Links(kept.aliases);
  }

  /** Files with who makes their text. */
  private makers(): Record<string, () => string> {
    const { modules } = this.kept;
    const { links } = this;
    return {
      '/proc/net/ip_masquerade': () => ipMasquerade(this.cut),
      '/proc/net/ip_conntrack': () => ipConntrack(this.cut),
      '/proc/net/ip_portfw': () => ipPortfw(outsideAddress()),
      '/proc/net/ip_masq/portfw': () => masqPortfw(outsideAddress()),
      '/proc/net/ip_masq/app': () => masqApp(modules),
      '/proc/net/ip_masq_app': () => masqApp(modules),
      ...Object.fromEntries(RULE_FILES.map(name => [`/proc/net/${name}`, () => this.rules(name)])),
      '/proc/net/ip_tables_names': () => 'mangle\nnat\nfilter\n',
      '/proc/net/dev': () => procDev(links),
      '/proc/net/route': () => this.routes(),
      '/proc/modules': () =>
        moduleRows(modules)
          .map(row => `${row}\n`)
          .join(''),
      '/proc/version': () => `Linux version 2.4.37 (masqbox ${this.context.machine.version})\n`,
      '/proc/uptime': () => `${((i32at(NOW_AT) >>> 0) / TICKS_PER_SECOND).toFixed(2)} 0.00\n`,
      '/proc/loadavg': () => '0.00 0.00 0.00 1/1 1\n',
      '/etc/rc.d/init.d/functions': () => FUNCTIONS,
      '/etc/init.d/functions': () => FUNCTIONS,
      '/etc/sysconfig/network': () => NETWORK,
      '/etc/redhat-release': () => 'Masqbox\n',
      '/etc/resolv.conf': () => 'nameserver 127.0.0.1\n',
      '/etc/hosts': () => '127.0.0.1\tlocalhost\n',
      '/dev/null': () => '',
    };
  }

  /** Rows that a file of sessions has no room for are told of beside it. */
  private readonly cut = (rows: number): void =>
    this.context.output.line(`${rows} more sessions do not fit: show masq has all`);

  /** Makers of the rules' parts come before ours. */
  private maker(path: string): (() => string) | undefined {
    const given = this.kept.files.get(path);
    if (given !== undefined) return given;
    const makers = this.makers();
    return Object.hasOwn(makers, path) ? makers[path] : undefined;
  }

  /** A table of rules, as whose part writes it. */
  private rules(name: string): string {
    const { context } = this;
    context.machine.keepsRoom(TABLE_SPARE_BYTES);
    return context.machine.overlay('rules/files').procText(context, name);
  }

  private routes(): string {
    const hex = (value: number): string => {
      const bytes = formatAddress(value).split('.').map(Number).reverse();
      return bytes.map(byte => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
    };
    const rows = routes(this.links).map(
      ({ name, destination, gateway, mask, flags }) =>
        `${name}\t${hex(destination)}\t${hex(gateway)}\t${flags.includes('G') ? '0003' : '0001'}\t0\t0\t0\t${hex(mask)}\t0\t0\t0`,
    );
    const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
    return [head, ...rows].map(row => `${row.padEnd(127)}\n`).join('');
  }

  private get names(): string[] {
    return present().map(link => this.links.nameOf(link));
  }

  /** A setting of the kernel by its path; links are the same whichever of their names is said. */
  private setting(path: string): KernelSetting | undefined {
    if (!path.startsWith(SYS)) return undefined;
    const link = /^\/proc\/sys\/net\/ipv4\/conf\/([^/]+)\//.exec(path)?.[1];
    const isThere =
      link === undefined ||
      ['all', 'default', 'lo'].includes(link) ||
      present().includes(this.links.linkOf(link));
    return isThere
      ? kernelSetting(path.slice(SYS.length), link === undefined ? -1 : this.links.linkOf(link))
      : undefined;
  }

  kind(path: string): 'file' | 'directory' | undefined {
    if (this.state.files.has(path) || this.setting(path) !== undefined || this.maker(path) !== undefined)
      return 'file';
    const slash = path.lastIndexOf('/');
    if (PROGRAMS.includes(path.slice(0, slash)) && this.isProgram(path.slice(slash + 1))) return 'file';
    return path === '/' || this.list(path).length > 0 || OWN.includes(`${path}/`) ? 'directory' : undefined;
  }

  private isProgram(name: string): boolean {
    return (
      NAMES.includes(name) ||
      this.kept.table.some(({ words }) => words === name || words.startsWith(`${name} `))
    );
  }

  read(path: string): string {
    const kept = this.state.files.get(path);
    if (kept !== undefined) return kept;
    const setting = this.setting(path);
    if (setting !== undefined) return `${setting.value}\n`;
    const maker = this.maker(path);
    if (maker !== undefined) return maker();
    const kind = this.kind(path);
    if (kind === 'file') throw new Refusal(`${path}: it is a program, and has no text`);
    throw new Refusal(`${path}: ${kind === 'directory' ? 'Is a directory' : 'No such file or directory'}`);
  }

  whyNotWritten(path: string): string | undefined {
    if (this.setting(path) !== undefined || OWN.some(start => path.startsWith(start))) return undefined;
    if (path.startsWith(SYS)) return 'no such setting is known here';
    if (path.startsWith('/proc/')) return 'it cannot be written';
    if (this.kind(path) === 'directory') return 'it is a directory';
    return 'no files are kept here but those of /tmp and /var, as long as the shell lasts';
  }

  write(path: string, text: string, isAppended: boolean): void {
    const setting = this.setting(path);
    if (setting !== undefined) {
      // Quotes as web pages make them, in the bytes of UTF-8, are meant as quotes.
      const meant = text.replace(/\xe2\x80[\x98-\x9f\xb2-\xb5]/g, '');
      this.set(path, setting, meant.trim().replace(/[ \t]+/g, '\t'));
      return;
    }
    if (path.startsWith(SYS)) return;
    const before = this.state.files.get(path);
    const all = isAppended ? (before ?? '') + text : text;
    this.state.count(all.length - (before?.length ?? -path.length));
    this.state.files.set(path, all);
  }

  /** Sets what the kernel of the time would have; what is so already is said once. */
  private set(path: string, { by, value, why, setting }: KernelSetting, wanted: string): void {
    const name = path.slice(SYS.length);
    if (setting !== undefined) {
      if (wanted !== value) this.run([...setting.split(' '), wanted]);
      return;
    }
    const key = name.replace(/conf\/[^/]+/, 'conf/*');
    const is = by === undefined ? 'it is always' : 'it is';
    if (wanted !== value.replace(/[ \t]+/g, '\t')) {
      const lines = by?.[wanted];
      if (lines === undefined) throw new Refusal(`${name}: ${is} ${value} here, not ${wanted}: ${why}`);
      for (const line of lines) this.run(line.split(' '));
      return;
    }
    if (this.state.told.has(key)) return;
    this.state.told.add(key);
    this.context.output.line(`${key}: ${is} ${value} here: ${why}`);
  }

  list(path: string): string[] {
    const start = path === '/' ? '/' : `${path}/`;
    const names = new Set<string>();
    const add = (full: string): void => {
      if (full.startsWith(start)) names.add(full.slice(start.length).split('/')[0] as string);
    };
    for (const full of this.state.files.keys()) add(full);
    for (const full of this.kept.files.keys()) add(full);
    for (const full of Object.keys(this.makers())) add(full);
    for (const folder of [...PROGRAMS, '/proc/sys/x', '/tmp/x', '/var/run/x', '/var/lock/x']) add(folder);
    if (path === '/proc/sys' || path.startsWith(SYS))
      for (const name of kernelNames(path.slice(SYS.length), this.names)) names.add(name);
    if (path === '/proc/sys' || path === '/tmp' || path.startsWith('/var/')) names.delete('x');
    if (PROGRAMS.includes(path)) for (const name of NAMES) names.add(name);
    return [...names].sort();
  }

  remove(path: string): void {
    const before = this.state.files.get(path);
    if (before === undefined) throw new Refusal(`${path}: No such file or directory`);
    this.state.files.delete(path);
    this.state.count(-before.length - path.length);
  }
}
