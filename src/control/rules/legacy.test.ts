import test from 'ava';
import { genuine, named } from './legacy-lab.ts';
import { rulesLab } from './rules-lab.ts';

const MILLISECONDS = 300_000;
const rooted = process.getuid?.() === 0 ? test : test.skip;
/** What 1.2 to 1.4.2 took and 1.8.9 refuses, and scripts have: a `!` behind the option, a level by its beginning. */
const OLDER = /(-[a-z-]+ !)|--log-level err/;

/** Both are told the commands; what one says and the other does not. */
async function compare(commands: readonly string[], isSaid = true): Promise<string[]> {
  const theirs = await genuine(commands);
  // Made now: the memory that is looked at is that of the last one made.
  const lab = rulesLab();
  const differences: string[] = [];
  for (const [i, command] of commands.entries()) {
    const ours = lab.type(command);
    const said = (theirs[i] as string[]).map(row => (/ -L/.test(command) ? named(row) : row));
    const isAsked = isSaid || /-[SL]( |$)|-save/.test(command);
    if (isAsked && ours.join('\n') !== said.join('\n')) {
      // Rows that both have are of no use to who reads it.
      const only = (rows: readonly string[], other: readonly string[]): string =>
        rows.filter(row => !other.includes(row)).join('\n');
      differences.push(`$ ${command}\n${only(said, ours)}\n--- ours\n${only(ours, said)}`);
    }
  }
  return differences;
}

const LISTINGS = (table: string): string[] => [
  `iptables -t ${table} -S`,
  `iptables -t ${table} -S -v`,
  `iptables -t ${table} -L -n`,
  `iptables -t ${table} -L -n -v`,
  `iptables -t ${table} -L -n -v -x --line-numbers`,
];

/** Rules of all matches and targets, in many forms. */
const RULES = `
-j ACCEPT
-s 10.0.0.0/8 ! -d 192.168.1.0/255.255.255.0 ! -f -j DROP
! -s 10.0.0.1 ! -i eth+ ! -o ppp0
-f -p udp
! -p gre
-p 50
-p 253 -j RETURN
-s 10.0.2.0/255.0.255.0
-s 10 -d 10.1
-i +
! -o +
-p tcp --sport 1024:65535 --dport 80 --syn -j ACCEPT
-p tcp ! --syn ! --sport 22
-p tcp --tcp-flags ALL FIN,URG,PSH
-p tcp --tcp-flags SYN,FIN NONE
-p tcp --tcp-option 7
-p tcp ! --tcp-option 8 --dport 1:2 -m limit --syn
-p tcp -m tcp -m tcp --dport 5
-p tcp --dport 0:65535
-p udp --sport :53 ! --dport 1024:
-p udp ! --dport 0:65535
-p icmp --icmp-type 8
-p icmp ! --icmp-type 3/4
-p icmp --icmp-type any
-p icmp --icmp-type ttl-zero-during-reassembly
-p tcp -m multiport --dports 21,25,80:88
-p udp -m multiport ! --ports 53,67:68,bootps
-p udp -m multiport --sports 1
-m state --state NEW,INVALID
-m state ! --state ESTABLISHED -m state --state NEW
-m conntrack --ctstate RELATED,DNAT
-m conntrack ! --ctstate NEW
-m length --length 5 -p tcp --dport 80
-m limit --limit 3/min --limit-burst 7 -p tcp --dport 80 -m state --state NEW -j LOG --log-prefix "lim: "
-m limit
-m limit --limit 24/day
-m limit --limit 7/min
-m limit --limit 61/minute
-m limit --limit 3600/h
-m limit --limit 10000/s
-m mark --mark 0x5/0xff
-m mark ! --mark 7
-m connmark --mark 2
-m connmark ! --mark 2/3
-m mac ! --mac-source 02:aB:00:00:77:02
-m length --length 20:100
-m length ! --length 1500
-m tos --tos 0x10
-m tos ! --tos Minimize-Cost
-m ttl --ttl-gt 3
-m ttl --ttl-lt 3
-m ttl ! --ttl-eq 9
-m ttl --ttl 9
-m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 10.1.0.1-10.1.0.9
-m addrtype --src-type UNICAST,LOCAL ! --dst-type LOCAL
-m addrtype --dst-type BROADCAST --limit-iface-in
-m pkttype ! --pkt-type broadcast
-m pkttype --pkt-type multicast
-m statistic --mode nth --every 4 --packet 1
-m statistic --mode nth --every 4 --packet 0
-m statistic --mode random --probability 0.25
-m statistic --mode random ! --probability 0.3
-m recent --set --name web --rdest
-m recent --update --seconds 60 --hitcount 4 --rttl --name web -j DROP
-m recent ! --rcheck --seconds 60 --reap
-m recent --remove --mask 255.255.255.0
-p tcp -m connlimit --connlimit-above 3 --connlimit-mask 24 -j REJECT --reject-with tcp-reset
-p tcp -m connlimit --connlimit-upto 3 --connlimit-daddr
-m time --timestart 08:00 --timestop 18:00 --weekdays Mon,Tue,Wed
-m time --datestart 2001-02-03T04:05:06 --datestop 2012-09 --monthdays 1,2,3,11,22,31 --kerneltz
-m time ! --weekdays 6,7 --timestart 22:00 --timestop 6:00 --contiguous
-m comment --comment "two words" -j ACCEPT
-m comment --comment plain_word
-m comment --comment "it's \\"so\\""
-p tcp --syn -m tcpmss --mss 1400:1500
-p tcp --syn -m tcpmss ! --mss 536
-j LOG
-j LOG --log-level debug --log-prefix x --log-tcp-sequence --log-ip-options
-j LOG --log-level 0 --log-tcp-options --log-uid --log-macdecode --log-prefix "it's: "
-j REJECT
-j REJECT --reject-with icmp-net-unreachable
-j REJECT --reject-with icmp-host-unreachable
-j REJECT --reject-with icmp-proto-unreachable
-j REJECT --reject-with icmp-net-prohibited
-j REJECT --reject-with host-prohib
-j REJECT --reject-with icmp-admin-prohibited
-j MARK --set-mark 5
-j MARK --set-xmark 0x5/0xff
-j user
-g user
-s 10.0.0.1,10.0.0.2 -d 10.0.0.3,10.0.0.4/31 -p tcp --dport 7 -j user
-c 5 6 -j ACCEPT
--protocol TCP --destination-port http --jump DROP
--prot udp --source 1.2.3.4 --dest 5.6.7.8 --in eth0 --match state --state NEW --jump ACCEPT
`
  .split('\n')
  .filter(line => line !== '');

const MANGLE = `
-p tcp --dport 22 -j TOS --set-tos 0x10
-j TOS --set-tos Minimize-Delay
-j TOS --set-tos 0x1f/0x1e
-j TOS --and-tos 0x12
-j TOS --or-tos 0x12
-j TOS --xor-tos 0x12
-j MARK --set-mark 5
-j MARK --set-mark 5/3
-j MARK --set-xmark 0x5/0xff
-j MARK --or-mark 8
-j MARK --and-mark 0xf
-j MARK --xor-mark 0xf
-j CONNMARK --save-mark
-j CONNMARK --restore-mark --mask 0xff
-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xf
-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf
-j CONNMARK --set-mark 7
-j CONNMARK --set-xmark 7/0xf0
-j CONNMARK --and-mark 0xf0
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400
`
  .split('\n')
  .filter(line => line !== '');

const NAT = `
-A PREROUTING -i eth1 -p tcp --dport 80 -j DNAT --to-destination 10.77.0.3:8080
-A PREROUTING -i eth1 -p tcp --dport 81 -j DNAT --to 10.77.0.3-10.77.0.5:8000-8010
-A PREROUTING -p tcp -j DNAT --to-destination 1.2.3.4:80-90/8080
-A PREROUTING -p tcp -j DNAT --to-destination :81 --random
-A PREROUTING -i eth0 -p udp --dport 53 -j REDIRECT --to-ports 5353
-A PREROUTING -i eth0 -p udp --dport 54 -j REDIRECT
-A PREROUTING -i eth0 -p udp --dport 54 -j REDIRECT --to-port 1-5 --random
-A PREROUTING -d 203.0.113.128/25 -j NETMAP --to 10.77.0.0/25
-A POSTROUTING -s 10.77.0.9 -p tcp -j SNAT --to-source 203.0.113.20-203.0.113.25:1024-2000
-A POSTROUTING -s 10.77.0.8 -j SNAT --to-source 203.0.113.20 --random --persistent
-A POSTROUTING -s 10.77.0.8 -j SNAT --to-source 203.0.113.20 --random-fully
-A POSTROUTING -o eth1 -p udp -j MASQUERADE --to-ports 1024-65535
-A POSTROUTING -o eth1 -j MASQUERADE
-A POSTROUTING -o eth1 -j MASQUERADE --random
-A OUTPUT -d 1.2.3.4 -j RETURN
-A INPUT -s 1.2.3.4 -j SNAT --to-source 1.2.3.5
`
  .split('\n')
  .filter(line => line !== '');

/** Commands, one after the other: what each says, and what it leaves for the next. */
const CHANGES = `
-N a
-N b
-N a
-A a -j b
-A FORWARD -j a
-X a
-X b
-X
-F a
-X b
-N b
-I FORWARD -s 10.0.0.1,10.0.0.2 -j ACCEPT
-S
-I FORWARD 2 -p udp
-I FORWARD 9
-S FORWARD
-D FORWARD 2
-D FORWARD 9
-D FORWARD -s 10.0.0.2 -j ACCEPT
-D FORWARD -s 10.0.0.2 -j ACCEPT
-S
-R FORWARD 1 -p icmp -j DROP
-R FORWARD 7 -j DROP
-R FORWARD 1 -s 1.1.1.1,2.2.2.2
-R FORWARD
-S
-C FORWARD -p icmp -j DROP
-C FORWARD -p icmp -j ACCEPT
-C FORWARD 1
-E b c
-E b d
-E c a
-E INPUT x
-A c -m limit --limit 5/s -j LOG
-D c -m limit --limit 5/s -j LOG
-S
-A FORWARD -m recent --set
-C FORWARD -m recent --set
-A FORWARD -m comment --comment "x y"
-C FORWARD -m comment --comment "x y"
-C FORWARD -m comment --comment "x z"
-P FORWARD DROP
-P a DROP
-P FORWARD
-P FORWARD QUEUED
-S
-Z
-Z FORWARD
-Z FORWARD 1
-Z FORWARD 9
-L FORWARD -n -Z
-F FORWARD
-F
-X
-S
-v -A FORWARD ! -i eth0 ! -s 1.2.3.4 ! -d 4.5.6.7/8 ! -p udp -j LOG
-v -A FORWARD -p tcp --dport 80 -j ACCEPT
-N z
-v -A FORWARD -f -g z
-v -D FORWARD -f -g z
-v -I FORWARD -s 1.1.1.1,2.2.2.2 -j z
-v -F
-v -Z
-v -X
-V
--version
-w -L INPUT
-w 5 -L INPUT -n
--list INPUT
--list-rules
--flush
-LINPUT
-nL INPUT
-t nat -P POSTROUTING DROP
-t raw2 -L
-A
-A FORWARD -L
-L -S
-L -p tcp
-A FORWARD -n
-x -A FORWARD
-N
-N a-b_c.d
-N 01234567890123456789012345678
-N -x
-N ACCEPT
-N INPUT
-N LOG
-N
-E a
-P
-X nosuch
`
  .split('\n')
  .filter(line => line !== '');

/** What is wrong with -A FORWARD, and with -t nat. */
const WRONG = `
-p 256
-p nosuch
! -p all
-p tcp --dport 80:53
-p tcp --dport 65536
-p tcp --dport 80,443
-p tcp --dport 80 --dport 81
-p tcp --dport
-p tcp --dpor 80
-p tcp --d 80
-p tcp --nosuch
-p tcp --syn --tcp-flags ALL NONE
-p tcp --tcp-flags ALL
-p tcp --tcp-flags FOO NONE
-p tcp --tcp-option 0
-p icmp --icmp-type host
-p icmp --icmp-type 3/
-p icmp --icmp-type 3/x
-p icmp --icmp-type 3x
-p icmp --icmp-type
-p icmp -m icmp
-m multiport --dports 1
-p icmp -m multiport --dports 1
-p tcp -m multiport
-p tcp -m multiport --dports 1 --sports 2
-p tcp -m multiport --dports 5:3
-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16
-p tcp -m multiport --dports 1,,2
! -p tcp -m multiport --dports 1
-m state
-m state --state FOO
-m state --state NEW,
-m conntrack
-m conntrack --ctstate FOO
-m limit --limit 0/s
-m limit --limit 1/x
-m limit --limit x
-m limit --limit 10001/s
-m limit --limit-burst 10001
-m limit ! --limit 3/s
-m limit --limit 3/s --limit 4/s
-m mark
-m mark --mark x
-m length --length 1:2:3
-m length --length x
-m length
-m tos --tos x
-m tos --tos 256
-m ttl
-m ttl --ttl-eq 256
-m ttl --ttl-eq 1 --ttl-gt 2
-m mac --mac-source 1:2:3
-m mac
-m iprange
-m iprange --src-range x-y
-m addrtype
-m addrtype --src-type X
-m addrtype --limit-iface-in
-m addrtype --src-type LOCAL --limit-iface-in --limit-iface-out
-m pkttype --pkt-type x
-m pkttype
-m statistic
-m statistic --mode x
-m statistic --mode random
-m statistic --mode nth
-m statistic --mode nth --every 0 --packet 0
-m statistic --mode nth --every 4 --packet 4
-m statistic --mode random --probability 2
-m time --timestart 25:00
-m time --weekdays Foo
-m time --monthdays 32
-m time --datestart x
-m time --contiguous --timestart 1:00 --timestop 2:00
-m recent
-m recent --set --update
-m recent --set --rttl
-m recent --rcheck --reap
-m recent --rcheck --seconds 0
-m connlimit
-m connlimit --connlimit-above 1 --connlimit-upto 2
-m connlimit --connlimit-above 1 --connlimit-saddr --connlimit-daddr
-m connlimit --connlimit-above x
-m comment
-m comment --comment
-m tcpmss --mss 5
-p tcp -m tcpmss --mss 9:5
-p tcp -m tcpmss
-m nosuch
-j NOSUCH
-g NOSUCH
-j INPUT
-j ACCEPT -j DROP
! -j DROP
-j LOG --log-level foo
-j LOG --log-prefix
-j LOG --log-prefix ""
-j REJECT --reject-with foo
-j REJECT --reject-with tcp-reset
-j MARK
-j MARK --set-mark x
-j MARK --set-mark 1 --set-mark 2
-j CONNMARK
-j TOS
-j TOS --set-tos 1
-j TCPMSS
-p tcp -j TCPMSS --set-mss 5
-p tcp --syn -j TCPMSS --set-mss 5 --clamp-mss-to-pmtu
-j MASQUERADE
-j SNAT
-j DNAT --to 1.2.3.4
-s 1.2.3.4/33
-s 1.2.3
-s x.y
-s 1.2.3.4 -s 1.2.3.5
-s 1.2.3.4,
-s ! 
! -s 1.1.1.1,2.2.2.2
-i abcdefghijklmnop
-i eth0 -i eth1
-f -f
! ! -f
!
foo
--foo
-Q
-c 1
-c x y
-p
-s
`
  .split('\n')
  .filter(line => line !== '');

const WRONG_NAT = `
-A PREROUTING -j MASQUERADE
-A POSTROUTING -j DNAT --to 1.2.3.4
-A PREROUTING -j SNAT --to 1.2.3.4
-A POSTROUTING -j DROP
-A PREROUTING -j DNAT
-A PREROUTING -j DNAT --to 1.2.3.4:80
-A PREROUTING -p tcp -j DNAT --to 1.2.3.4:x
-A PREROUTING -p tcp -j DNAT --to 1.2.3.4:80:90
-A PREROUTING -p tcp -j DNAT --to 1.2.3.4:90-80
-A PREROUTING -p tcp -j DNAT --to 1.2.3.4:80-
-A PREROUTING -p tcp -j DNAT --to 1.2.3.4:80-90x
-A PREROUTING -p tcp -j DNAT --to 1.2.3
-A PREROUTING -p tcp -j DNAT --to 1.2.3.4-x
-A PREROUTING -j DNAT --to 1.2.3.4 --to 1.2.3.5
-A PREROUTING -p tcp -j REDIRECT --to-ports 70000
-A PREROUTING -j REDIRECT --to-ports 70
-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1-x
-A PREROUTING -j NETMAP
-A PREROUTING -o eth0 -j ACCEPT
-A POSTROUTING -i eth0 -j ACCEPT
-A PREROUTING -j REJECT
-A PREROUTING -j TOS --set-tos 1
-A POSTROUTING -m mac --mac-source 1:2:3:4:5:6
-A POSTROUTING -m addrtype --dst-type LOCAL --limit-iface-in
`
  .split('\n')
  .filter(line => line !== '');

rooted('rules of all matches and targets are listed and saved as by the genuine iptables', async t => {
  t.timeout(MILLISECONDS);
  const commands = [
    'iptables -N user',
    'iptables -P FORWARD DROP',
    ...RULES.map(rule => `iptables -A FORWARD ${rule}`),
    'iptables -A INPUT -i lo -j ACCEPT',
    'iptables -A user -p tcp --dport 113 -j REJECT --reject-with tcp-reset',
    ...LISTINGS('filter'),
    'iptables -L FORWARD 3 -n -v',
    'iptables -S FORWARD 3',
    'iptables -L user',
    ...MANGLE.map(rule => `iptables -t mangle -A FORWARD ${rule}`),
    ...LISTINGS('mangle'),
    ...NAT.map(rule => `iptables -t nat ${rule}`),
    ...LISTINGS('nat'),
  ];
  t.deepEqual(await compare(commands, false), []);
});

rooted('what changes rules says and does the same', async t => {
  t.timeout(MILLISECONDS);
  t.deepEqual(await compare(CHANGES.map(line => `iptables ${line}`)), []);
});

rooted('what is wrong is refused in the same words', async t => {
  t.timeout(MILLISECONDS);
  const commands = [
    ...WRONG.map(line => `iptables -A FORWARD ${line}`),
    ...WRONG_NAT.map(line => `iptables -t nat ${line}`),
  ].filter(line => !OLDER.test(line));
  t.deepEqual(await compare(commands), []);
});
