// `/proc/sys`: what the kernel of the time lets one set, and what it is here. Most is as it is, which is said once; what a setting of
// the router does is set by it. The values are those that scripts read back.
// Not here: the tree of files (tree.ts).

import { sessionLimit } from '../../../base/flow-record.ts';
import { PARAMETERS_AT, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { i32at } from '../../../base/memory.ts';
import { ANY_SOURCE, RFC_TCP_ESTABLISHED } from '../../../base/parameters.ts';
import { interfaceName } from '../../core/facts.ts';

export interface KernelSetting {
  value: string;
  /** Why it is so, behind "it is always 1 here: ". */
  why: string;
  /** The setting of the router that it is, before its value; and whether that is what the kernel has. */
  setting?: string;
  /** Commands that bring a value about. */
  by?: Record<string, string[]>;
}

const own = (value: string): KernelSetting => ({
  value,
  why: "it is of the router's own connections, which are few",
});
const always = (value: string, why: string): KernelSetting => ({ value, why });

/** In /proc/sys/net/ipv4. */
const IPV4: Record<string, KernelSetting> = {
  ip_forward: always('1', 'the router forwards as long as it runs; rules say what'),
  ip_dynaddr: always('1', 'sessions of an address that is gone end at once'),
  ip_always_defrag: always('1', 'fragments are masqueraded with the packet that they are of'),
  ip_masq_debug: always('0', 'nothing is said of each packet'),
  ip_masq_udp_dloose: always('1', 'set nat filter says whose answers come in'),
  ip_default_ttl: always('64', 'it is of what the router itself sends'),
  ip_no_pmtu_disc: always('0', 'the router itself sends nothing long'),
  ip_nonlocal_bind: always('0', 'nothing binds to addresses'),
  ip_local_port_range: always(
    '1024\t65535',
    'sessions keep their port where it is free, and get one of the same range where not',
  ),
  ip_autoconfig: always('0', 'set wan dhcp and set wan address say what the address is'),
  ipfrag_high_thresh: always('262144', 'room for fragments is fixed'),
  ipfrag_low_thresh: always('196608', 'room for fragments is fixed'),
  ipfrag_time: always('30', 'room for fragments is fixed'),
  tcp_syncookies: always(
    '1',
    'nothing of the router listens to the outside, so no flood of SYNs fills anything',
  ),
  tcp_max_syn_backlog: own('128'),
  tcp_fin_timeout: own('60'),
  tcp_keepalive_time: own('7200'),
  tcp_keepalive_intvl: own('75'),
  tcp_keepalive_probes: own('9'),
  tcp_syn_retries: own('5'),
  tcp_retries1: own('3'),
  tcp_retries2: own('15'),
  tcp_window_scaling: own('0'),
  tcp_timestamps: own('0'),
  tcp_sack: own('0'),
  tcp_fack: own('0'),
  tcp_dsack: own('0'),
  tcp_ecn: own('0'),
  tcp_rfc1337: own('1'),
  icmp_echo_ignore_all: always('0', 'the router answers pings; a rule may drop them'),
  icmp_echo_ignore_broadcasts: always('1', 'pings to broadcast addresses are never answered'),
  icmp_ignore_bogus_error_responses: always('1', 'nothing is logged of them'),
  icmp_destunreach_rate: always('100', 'errors are limited in rate'),
  icmp_timeexceed_rate: always('100', 'errors are limited in rate'),
  icmp_paramprob_rate: always('100', 'errors are limited in rate'),
  icmp_echoreply_rate: always('0', 'answers are not limited'),
};

/** In /proc/sys/net/ipv4/conf/IF. */
const CONF: Record<string, KernelSetting> = {
  rp_filter: always('1', ''),
  accept_source_route: always('0', 'source routes are dropped, as RFC 7126 advises'),
  accept_redirects: always('0', 'redirects are not believed'),
  secure_redirects: always('0', 'redirects are not believed'),
  send_redirects: always('0', 'redirects are not sent'),
  shared_media: always('0', 'redirects are not sent'),
  log_martians: always('1', 'they are counted: show counters'),
  forwarding: always('1', 'the router forwards as long as it runs; rules say what'),
  mc_forwarding: always('0', 'multicast is not forwarded'),
  proxy_arp: always('0', 'set link and set route take its place'),
  bootp_relay: always('0', 'the router serves DHCP itself'),
  hidden: always('0', 'ARP answers for addresses of the link alone'),
  arp_filter: always('1', 'ARP answers for addresses of the link alone'),
  tag: always('0', 'nothing asks for it'),
};

/** Timers of the profile rfc in the order of `set nat timeout`. */
const TIMERS: Record<string, [name: string, place: number]> = {
  ip_conntrack_tcp_timeout_established: ['tcp-established', 0],
  ip_conntrack_tcp_timeout_syn_sent: ['tcp-opening', 1],
  ip_conntrack_tcp_timeout_fin_wait: ['tcp-closing', 2],
  ip_conntrack_udp_timeout_stream: ['udp', 3],
  ip_conntrack_udp_timeout: ['udp', 3],
  ip_conntrack_icmp_timeout: ['icmp', 4],
};

function timerOf(name: string): KernelSetting | undefined {
  const found = Object.hasOwn(TIMERS, name) ? TIMERS[name] : undefined;
  if (found === undefined) return undefined;
  const seconds = i32at(PARAMETERS_AT + 4 * (RFC_TCP_ESTABLISHED + found[1])) / TICKS_PER_SECOND;
  return { value: String(seconds), why: '', setting: `set nat timeout ${found[0]}` };
}

const KERNEL: Record<string, KernelSetting> = {
  ostype: always('Linux', 'scripts ask for it'),
  osrelease: always('2.4.37', 'scripts ask for it'),
  hostname: { value: 'masqbox', why: '', setting: 'set wan hostname' },
  domainname: always('(none)', 'set dns domain is for the LAN'),
  printk: always('6\t4\t1\t7', 'set log console says what the console shows'),
  modprobe: always('/sbin/modprobe', 'modules are always there'),
};

/** The check of sources, of a link; -1 of all: which is 0 where one has it off. */
function sourceFilter(link: number): KernelSetting {
  const off = i32at(PARAMETERS_AT + 4 * ANY_SOURCE);
  const isOff = link < 0 ? off !== 0 : ((off >> link) & 1) !== 0;
  const on: string[] = [];
  for (let n = 0; off >> n !== 0; n++)
    if (((off >> n) & 1) !== 0 && (link < 0 || n === link))
      on.push(`unset anti-spoofing ${interfaceName(n)}`);
  return {
    value: isOff ? '0' : '1',
    why: isOff
      ? 'set anti-spoofing has turned it off'
      : 'a source that would not be answered by the same link is dropped; set anti-spoofing turns that off',
    by: { '1': on },
  };
}

/** A setting by its path below /proc/sys, of a link if it is in its folder; undefined if there is none. */
export function kernelSetting(path: string, link: number): KernelSetting | undefined {
  const parts = path.split('/');
  const name = parts[parts.length - 1] as string;
  const folder = parts.slice(0, -1).join('/');
  if (folder === 'kernel') return Object.hasOwn(KERNEL, name) ? KERNEL[name] : undefined;
  if (folder === 'net/ipv4/netfilter')
    return name === 'ip_conntrack_max' ? limit() : (timerOf(name) ?? undefined);
  if (path === 'net/ipv4/ip_conntrack_max' || path === 'net/ip_conntrack_max') return limit();
  if (folder === 'net/ipv4') return Object.hasOwn(IPV4, name) ? IPV4[name] : undefined;
  if (folder.startsWith('net/ipv4/conf/') && parts.length === 5)
    return name === 'rp_filter' ? sourceFilter(link) : Object.hasOwn(CONF, name) ? CONF[name] : undefined;
  return undefined;
}

function limit(): KernelSetting {
  return always(String(sessionLimit()), 'it is what the memory of the board has room for');
}

/** Names in a folder below /proc/sys; `links` are those of conf. */
export function kernelNames(folder: string, links: readonly string[]): string[] {
  if (folder === '') return ['kernel', 'net'];
  if (folder === 'kernel') return Object.keys(KERNEL).sort();
  if (folder === 'net') return ['ipv4'];
  if (folder === 'net/ipv4') return [...Object.keys(IPV4), 'conf', 'ip_conntrack_max', 'netfilter'].sort();
  if (folder === 'net/ipv4/netfilter') return ['ip_conntrack_max', ...Object.keys(TIMERS)].sort();
  if (folder === 'net/ipv4/conf') return ['all', 'default', ...links, 'lo'].sort();
  const link = /^net\/ipv4\/conf\/([^/]+)$/.exec(folder)?.[1];
  const isThere = link !== undefined && (['all', 'default', 'lo'].includes(link) || links.includes(link));
  return isThere ? Object.keys(CONF).sort() : [];
}
