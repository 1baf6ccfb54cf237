// Installs what building, running and testing need from Debian, by apt: says first what and why, and does nothing
// when all is there. `tsx tools/setup.ts [build] [run] [test]`; without words, everything.
//
// Works without a terminal. Without root it installs nothing: it says which command to run, and fails.
// What npm brings is not here (package.json).

import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Purpose = 'build' | 'run' | 'test';

interface Need {
  /** Debian's package. */
  readonly name: string;
  /** A program of it, by which other systems are asked. */
  readonly program: string;
  readonly purpose: Purpose;
  readonly why: string;
}

const NEEDS: readonly Need[] = [
  { name: 'gcc', program: 'gcc', purpose: 'build', why: 'compiles the floor and the translated engine' },
  { name: 'gcc-multilib', program: 'gcc', purpose: 'build', why: '32-bit code from a 64-bit compiler' },
  { name: 'binutils', program: 'objcopy', purpose: 'build', why: 'links the kernel' },
  { name: 'wabt', program: 'wasm2c', purpose: 'build', why: 'translates WebAssembly to C' },
  { name: 'tzdata', program: 'zdump', purpose: 'build', why: "the time zones' names" },
  { name: 'qemu-system-x86', program: 'qemu-system-i386', purpose: 'run', why: 'the emulated 486' },
  { name: 'iproute2', program: 'ip', purpose: 'run', why: 'network namespaces and TAPs' },
  { name: 'curl', program: 'curl', purpose: 'run', why: 'something to try through the router' },
  { name: 'iputils-ping', program: 'ping', purpose: 'run', why: 'something to try through the router' },
  { name: 'traceroute', program: 'traceroute', purpose: 'run', why: 'something to try through the router' },
  { name: 'lz4', program: 'lz4', purpose: 'test', why: 'reads what the image packs' },
  { name: 'procps', program: 'sysctl', purpose: 'test', why: 'settings of the namespaces' },
  { name: 'ethtool', program: 'ethtool', purpose: 'test', why: 'real frames on virtual cables' },
  { name: 'nftables', program: 'nft', purpose: 'test', why: "Linux's NAT, which checks the tests" },
  {
    name: 'iptables',
    program: 'iptables-legacy',
    purpose: 'test',
    why: 'the genuine iptables, which checks ours',
  },
  { name: 'tcpdump', program: 'tcpdump', purpose: 'test', why: 'watches and captures' },
  { name: 'iperf3', program: 'iperf3', purpose: 'test', why: 'throughput' },
  { name: 'nmap', program: 'nmap', purpose: 'test', why: 'scans the outside address' },
  { name: 'hping3', program: 'hping3', purpose: 'test', why: 'segments with flags as no scanner sends them' },
  { name: 'python3-scapy', program: 'scapy', purpose: 'test', why: 'packets that no kernel would send' },
  { name: 'unbound', program: 'unbound', purpose: 'test', why: 'a DNS server upstream' },
  { name: 'dnsmasq-base', program: 'dnsmasq', purpose: 'test', why: 'another DNS server upstream' },
  { name: 'bind9-dnsutils', program: 'dig', purpose: 'test', why: 'asks for names' },
  { name: 'knot-dnsutils', program: 'kdig', purpose: 'test', why: 'asks for names, by another hand' },
  { name: 'dnsperf', program: 'dnsperf', purpose: 'test', why: 'many DNS queries' },
  { name: 'udhcpc', program: 'udhcpc', purpose: 'test', why: 'DHCP client of small devices' },
  { name: 'isc-dhcp-client', program: 'dhclient', purpose: 'run', why: 'an address for a host of the LAN' },
  { name: 'ipxe-qemu', program: 'qemu-system-i386', purpose: 'test', why: 'the boot ROM of a PC on the LAN' },
  { name: 'dhcpcd-base', program: 'dhcpcd', purpose: 'test', why: 'DHCP client of the BSDs' },
  { name: 'kea-admin', program: 'perfdhcp', purpose: 'test', why: 'many DHCP clients at once' },
  { name: 'chrony', program: 'chronyd', purpose: 'test', why: 'an NTP server' },
  { name: 'rsyslog', program: 'rsyslogd', purpose: 'test', why: 'receives the log' },
  { name: 'socat', program: 'socat', purpose: 'test', why: 'TCP connections of all kinds' },
  { name: 'lrzsz', program: 'sz', purpose: 'test', why: 'senders and receivers of XMODEM and YMODEM' },
  {
    name: 'user-mode-linux',
    program: 'linux.uml',
    purpose: 'test',
    why: 'a kernel with PPP and SLIP, as a program',
  },
  { name: 'kmod', program: 'modprobe', purpose: 'test', why: "loads that kernel's modules" },
  { name: 'ppp', program: 'pppd', purpose: 'test', why: 'the other end of PPP links' },
  { name: 'pppoe', program: 'pppoe-server', purpose: 'test', why: 'the other end of PPPoE' },
  { name: 'net-tools', program: 'slattach', purpose: 'test', why: 'the other end of SLIP links' },
  { name: 'busybox', program: 'busybox', purpose: 'test', why: 'a web server of one line' },
  { name: 'inetutils-telnet', program: 'telnet', purpose: 'test', why: 'a terminal by modem' },
  { name: 'vsftpd', program: 'vsftpd', purpose: 'test', why: 'an FTP server' },
  { name: 'coturn', program: 'turnserver', purpose: 'test', why: "tells the NAT's type (RFC 5780)" },
];

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const ALL: readonly Purpose[] = ['build', 'run', 'test'];

/** Packages that would start a server on this machine. */
const SERVERS = new Set(['coturn', 'unbound', 'chrony', 'rsyslog', 'vsftpd']);

export class SetupError extends Error {}

/** Makes sure that everything for these purposes is installed. */
export function setup(purposes: readonly Purpose[] = ALL): void {
  const missing = missingNeeds(purposes);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const width = Math.max(...names.map(name => name.length));
  console.log('Masqbox needs from Debian:');
  for (const { name, why } of missing) console.log(`  ${name.padEnd(width)}  ${why}`);
  const install = ['apt-get', 'install', '-y', '--no-install-recommends', ...names];
  if (!hasProgram('apt-get')) throw new SetupError('Cannot install these: this system has no apt-get');
  if (process.getuid?.() !== 0) {
    throw new SetupError(`Cannot install these without root. Run:\n  sudo ${install.join(' ')}`);
  }
  for (const name of names.filter(name => SERVERS.has(name))) maskService(`${name}.service`);
  apt(['apt-get', 'update', '-q']);
  apt(install);
  const left = missingNeeds(purposes);
  if (left.length > 0) throw new SetupError(`Still missing: ${left.map(({ name }) => name).join(' ')}`);
}

function missingNeeds(purposes: readonly Purpose[]): Need[] {
  const needs = NEEDS.filter(({ purpose }) => purposes.includes(purpose));
  const installed = installedPackages(needs.map(({ name }) => name));
  return needs.filter(({ name, program }) => !(installed?.has(name) ?? hasProgram(program)));
}

/** Which of these packages dpkg knows as installed, or undefined where there is no dpkg. */
function installedPackages(names: readonly string[]): Set<string> | undefined {
  if (!hasProgram('dpkg-query')) return undefined;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg fills these in
  const format = '-f=${Package} ${db:Status-Status}\n';
  // Names that dpkg has never heard of make its status 1; what it knows it prints all the same.
  const { stdout } = spawnSync('dpkg-query', ['-W', format, ...names], { encoding: 'utf8' });
  const lines = stdout.split('\n').map(line => line.split(' '));
  return new Set(lines.filter(([, status]) => status === 'installed').map(([name]) => name!));
}

function hasProgram(program: string): boolean {
  return PATH.some(directory => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The tests start servers of their own, in namespaces; Debian's package would start one on this machine. */
function maskService(unit: string): void {
  const directory = '/etc/systemd/system';
  const mask = join(directory, unit);
  if (existsSync(mask)) return;
  mkdirSync(directory, { recursive: true });
  symlinkSync('/dev/null', mask);
  console.log(`  (${unit} stays off: ${mask} masks it)`);
}

function apt(command: readonly string[]): void {
  console.log(`Running ${command.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync(command[0]!, command.slice(1), { stdio: ['ignore', 'inherit', 'inherit'], env });
  } catch {
    throw new SetupError(`Cannot install: ${command.join(' ')} failed (its reason is above)`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2);
  const purposes = ALL.filter(purpose => words.length === 0 || words.includes(purpose));
  try {
    setup(purposes);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
