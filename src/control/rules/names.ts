// Names of protocols, services, ICMP types and TOS, as a system of the time has them in /etc and in the tool: those that scripts
// use. What is not here has a number.

import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';

const PROTOCOLS =
  'ip 0 all 0 icmp 1 igmp 2 ggp 3 ipencap 4 st 5 tcp 6 egp 8 igp 9 pup 12 udp 17 hmp 20 xns-idp 22 rdp 27 iso-tp4 29 dccp 33 xtp 36 ' +
  'ddp 37 idpr-cmtp 38 ipv6 41 ipv6-route 43 ipv6-frag 44 idrp 45 rsvp 46 gre 47 esp 50 ipv6-crypt 50 ah 51 ipv6-auth 51 skip 57 ' +
  'ipv6-icmp 58 icmpv6 58 ipv6-nonxt 59 ipv6-opts 60 rspf 73 vmtp 81 eigrp 88 ospf 89 ax.25 93 ipip 94 etherip 97 encap 98 pim 103 ' +
  'ipcomp 108 vrrp 112 l2tp 115 isis 124 sctp 132 fc 133 mobility-header 135 mh 135 udplite 136';

const SERVICES =
  'tcpmux 1 echo 7 discard 9 systat 11 daytime 13 netstat 15 qotd 17 chargen 19 ftp-data 20 ftp 21 ssh 22 telnet 23 smtp 25 mail 25 ' +
  'time 37 whois 43 nicname 43 tacacs 49 domain 53 bootps 67 bootpc 68 tftp 69 gopher 70 finger 79 http 80 www 80 link 87 kerberos 88 ' +
  'hostnames 101 iso-tsap 102 csnet-ns 105 rtelnet 107 pop2 109 pop-2 109 pop3 110 pop-3 110 sunrpc 111 portmapper 111 auth 113 ' +
  'ident 113 sftp 115 nntp 119 ntp 123 netbios-ns 137 netbios-dgm 138 netbios-ssn 139 imap2 143 imap 143 snmp 161 snmp-trap 162 ' +
  'snmptrap 162 xdmcp 177 bgp 179 irc 194 imap3 220 ldap 389 https 443 microsoft-ds 445 submissions 465 smtps 465 isakmp 500 ' +
  'exec 512 biff 512 login 513 who 513 shell 514 syslog 514 printer 515 talk 517 ntalk 518 route 520 router 520 timed 525 uucp 540 ' +
  'klogin 543 kshell 544 rtsp 554 nntps 563 submission 587 ipp 631 ldaps 636 rsync 873 telnets 992 imaps 993 ircs 994 pop3s 995 ' +
  'socks 1080 openvpn 1194 ms-sql-s 1433 ms-sql-m 1434 l2f 1701 radius 1812 radius-acct 1813 nfs 2049 cvspserver 2401 ' +
  'icpv2 3130 icp 3130 mysql 3306 ms-wbt-server 3389 svn 3690 postgresql 5432 x11 6000 x11-1 6001 webcache 8080 http-alt 8080 xfs 7100 ' +
  'ircd 6667';

/** Type, first and last code: a name that begins as others is before them where all are the same type's. */
const ICMP =
  'any 255/0-255 echo-reply 0/0-255 pong 0/0-255 destination-unreachable 3/0-255 network-unreachable 3/0 host-unreachable 3/1 ' +
  'protocol-unreachable 3/2 port-unreachable 3/3 fragmentation-needed 3/4 source-route-failed 3/5 network-unknown 3/6 host-unknown 3/7 ' +
  'network-prohibited 3/9 host-prohibited 3/10 TOS-network-unreachable 3/11 TOS-host-unreachable 3/12 communication-prohibited 3/13 ' +
  'host-precedence-violation 3/14 precedence-cutoff 3/15 source-quench 4/0-255 redirect 5/0-255 network-redirect 5/0 host-redirect 5/1 ' +
  'TOS-network-redirect 5/2 TOS-host-redirect 5/3 echo-request 8/0-255 ping 8/0-255 router-advertisement 9/0-255 ' +
  'router-solicitation 10/0-255 time-exceeded 11/0-255 ttl-exceeded 11/0-255 ttl-zero-during-transit 11/0 ' +
  'ttl-zero-during-reassembly 11/1 parameter-problem 12/0-255 ip-header-bad 12/0 required-option-missing 12/1 timestamp-request 13/0-255 ' +
  'timestamp-reply 14/0-255 address-mask-request 17/0-255 address-mask-reply 18/0-255';

const TOS: readonly [string, number][] = [
  ['minimize-delay', 0x10],
  ['maximize-throughput', 8],
  ['maximize-reliability', 4],
  ['minimize-cost', 2],
  ['normal-service', 0],
];

export interface IcmpType {
  name: string;
  type: number;
  first: number;
  last: number;
}

/** Made when the first name is looked for: most lines have one. */
let protocols: Map<string, number> | undefined;
let services: Map<string, number> | undefined;
let icmp: IcmpType[] | undefined;

function table(text: string): Map<string, number> {
  const words = text.split(' ');
  const map = new Map<string, number>();
  for (let i = 0; i < words.length; i += 2) map.set(words[i] as string, Number(words[i + 1]));
  return map;
}

function nameIn(map: Map<string, number>, number: number): string | undefined {
  for (const [name, value] of map) if (value === number) return name;
  return undefined;
}

/** The three that nearly all lines mean need no table. */
export function protocolNamed(name: string): number | undefined {
  if (name === 'tcp') return PROTOCOL_TCP;
  if (name === 'udp') return PROTOCOL_UDP;
  if (name === 'icmp') return PROTOCOL_ICMP;
  protocols ??= table(PROTOCOLS);
  return protocols.get(name);
}

/** The name of a protocol; its number if it has none. */
export function protocolName(number: number): string {
  if (number === PROTOCOL_TCP) return 'tcp';
  if (number === PROTOCOL_UDP) return 'udp';
  if (number === PROTOCOL_ICMP) return 'icmp';
  protocols ??= table(PROTOCOLS);
  return nameIn(protocols, number) ?? String(number);
}

export function serviceNamed(name: string): number | undefined {
  services ??= table(SERVICES);
  return services.get(name);
}

export function serviceName(port: number): string {
  services ??= table(SERVICES);
  return nameIn(services, port) ?? String(port);
}

export function icmpTypes(): readonly IcmpType[] {
  if (icmp !== undefined) return icmp;
  icmp = [];
  const words = ICMP.split(' ');
  for (let i = 0; i < words.length; i += 2) {
    const [type = '', codes = ''] = (words[i + 1] as string).split('/');
    const [first = '', last = first] = codes.split('-');
    icmp.push({ name: words[i] as string, type: Number(type), first: Number(first), last: Number(last) });
  }
  return icmp;
}

/** TOS by its name, in any case; undefined if there is none of it. */
export function tosNamed(name: string): number | undefined {
  const small = name.toLowerCase();
  for (const [own, value] of TOS) if (own === small) return value;
  return undefined;
}

export function tosName(value: number): string | undefined {
  for (const [name, own] of TOS)
    if (own === value) return name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase());
  return undefined;
}
