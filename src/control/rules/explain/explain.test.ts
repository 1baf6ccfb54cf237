// `explain` over the plane's memory: what is said of a packet, and that nothing of it stays.

import test from 'ava';
import { read, SYN, tcp } from '../../../../test/packets.ts';
import { LAN, OTHER, WAN_ADDRESS } from '../../../../test/plane-router.ts';
import { RULES_AT, RULES_BYTES } from '../../../base/limits.ts';
import { PROBE_MET_AT } from '../../../base/probe-record.ts';
import { RULE_TEXT_BYTES } from '../../../base/rule-limits.ts';
import { setForward, setOneToOne, setTrigger } from '../../forward/overlay.ts';
import { rulesLab } from '../rules-lab.ts';

const HOST = '192.168.0.2';
const SERVER = '204.152.184.112';

test('without rules the house says what becomes of a packet', t => {
  const { refusal, type } = rulesLab();
  t.is(
    refusal(() => undefined),
    '',
  );
  t.deepEqual(type(`explain tcp ${HOST} ${SERVER} 80`), [
    `tcp ${HOST}:1024 -> ${SERVER}:80, in by lan`,
    'It leaves by wan with the source 10.1.2.3',
  ]);
  t.deepEqual(type(`explain tcp ${SERVER} ${HOST} 80`).slice(-1), [
    'It is dropped: nobody inside asked for it',
  ]);
  t.deepEqual(type(`explain tcp ${HOST} ${HOST} 80 in wan`).slice(-1), [
    'It is dropped: came from the WAN with a LAN source',
  ]);
});

test('each rule on the way is named, and the translation', t => {
  const { quiet, type } = rulesLab();
  quiet(
    'iptables -N web',
    'iptables -A web -p tcp --dport 80 -j ACCEPT',
    'iptables -A FORWARD -i eth0 -p udp -j DROP',
    'iptables -A FORWARD -i eth0 -j web',
    'iptables -A FORWARD -m state --state ESTABLISHED -j ACCEPT',
    'iptables -t nat -A POSTROUTING -o eth1 -j SNAT --to-source 10.1.2.9',
    'iptables -t nat -A PREROUTING -i eth1 -p tcp --dport 8080 -j DNAT --to 192.168.0.2:80',
    'iptables -A FORWARD -i eth1 -d 192.168.0.2 -p tcp --dport 80 -j ACCEPT',
  );
  type('iptables -P FORWARD DROP');
  t.deepEqual(type(`explain tcp ${HOST} ${SERVER} 80`), [
    `tcp ${HOST}:1024 -> ${SERVER}:80, in by lan`,
    'FORWARD 2: -A FORWARD -i eth0 -j web',
    'web 1: -A web -p tcp -m tcp --dport 80 -j ACCEPT',
    'nat POSTROUTING 1: -A POSTROUTING -o eth1 -j SNAT --to-source 10.1.2.9',
    'It leaves by wan with the source 10.1.2.9',
  ]);
  t.deepEqual(type(`explain udp ${HOST} ${SERVER} domain`), [
    `udp ${HOST}:1024 -> ${SERVER}:53, in by lan`,
    'FORWARD 1: -A FORWARD -i eth0 -p udp -j DROP',
    'It is dropped: refused by a rule or a policy',
  ]);
  t.deepEqual(type(`explain tcp ${SERVER} 10.1.2.3 8080 from 3000`), [
    `tcp ${SERVER}:3000 -> 10.1.2.3:8080, in by wan`,
    'nat PREROUTING 1: -A PREROUTING -i eth1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.0.2:80',
    'FORWARD 4: -A FORWARD -d 192.168.0.2/32 -i eth1 -p tcp -m tcp --dport 80 -j ACCEPT',
    'Its destination becomes 192.168.0.2:80',
    'It leaves by lan',
  ]);
  t.is(
    type(`explain tcp ${SERVER} ${HOST} 99 state established`).at(-2),
    'FORWARD 3: -A FORWARD -m state --state ESTABLISHED -j ACCEPT',
  );
  t.is(type(`explain icmp 192.168.0.1 ${HOST} in router`).at(-1), 'It leaves by lan');
});

test('of a made-up packet nothing stays', t => {
  const { memory, quiet, type } = rulesLab();
  quiet(
    'iptables -A FORWARD -m limit --limit 1/hour -j LOG',
    'iptables -A FORWARD -m recent --set',
    'iptables -A FORWARD -m recent --update --seconds 60',
    'iptables -A FORWARD -m statistic --mode nth --every 3 --packet 0',
    'iptables -A FORWARD -j CONNMARK --set-mark 5',
    'iptables -A FORWARD -j MARK --set-mark 5',
    'iptables -A INPUT -p udp -j ACCEPT',
  );
  // All but the packet that was asked about (a view of it), and what was answered.
  const state = () => {
    const copy = memory.slice(RULES_AT, RULES_AT + RULES_BYTES);
    copy.fill(0, 20, 192);
    copy.fill(0, PROBE_MET_AT - RULES_AT, PROBE_MET_AT - RULES_AT + RULE_TEXT_BYTES);
    return copy;
  };
  const before = state();
  const first = type(`explain tcp ${HOST} ${SERVER} 80`);
  t.is(first.length, 9, first.join('\n'));
  t.deepEqual(type(`explain tcp ${HOST} ${SERVER} 80`), first);
  type(`explain udp ${HOST} 192.168.0.1 53`);
  t.deepEqual(state(), before);
});

test('what leads a packet beside rules is named: a forward, an address of its own, a session, a trigger, a service', t => {
  const { router, type } = rulesLab();
  const { plane } = router;
  setForward(plane, ['tcp', '8080-8081', `${HOST}:80`]);
  setOneToOne(plane, ['10.1.2.33', OTHER]);
  setTrigger(plane, ['udp', '7000', 'tcp', '80', 'anybody']);
  plane.socketOpen(17, 53, 1 << LAN);
  t.deepEqual(type(`explain tcp ${SERVER} ${WAN_ADDRESS} 8081`).slice(1), [
    `forward tcp 8080-8081: to ${HOST}`,
    `Its destination becomes ${HOST}:81`,
    'It leaves by lan',
  ]);
  const own = 'nat one-to-one: the host has an outside address of its own';
  t.deepEqual(type(`explain udp ${SERVER} 10.1.2.33 53`).slice(1), [
    own,
    `Its destination becomes ${OTHER}:53`,
    'It leaves by lan',
  ]);
  t.deepEqual(type(`explain udp ${OTHER} ${SERVER} 53`).slice(1), [
    own,
    'It leaves by wan with the source 10.1.2.33',
  ]);
  const unasked = 'It is dropped: nobody inside asked for it';
  t.deepEqual(type(`explain udp ${SERVER} ${WAN_ADDRESS} 7000`).slice(1), [unasked]);
  router.fromHost(
    tcp({ source: HOST, destination: SERVER }, { sourcePort: 1043, destinationPort: 80, flags: SYN }),
  );
  t.deepEqual(type(`explain tcp ${SERVER} ${WAN_ADDRESS} 1043 from 80 flags SYN,ACK`).slice(1), [
    'It is of a session that there is',
    `Its destination becomes ${HOST}:1043`,
    'It leaves by lan',
  ]);
  t.deepEqual(type(`explain udp ${SERVER} ${WAN_ADDRESS} 7000`).slice(1), [
    'trigger: a host inside has opened the port',
    `Its destination becomes ${HOST}:7000`,
    'It leaves by lan',
  ]);
  const toRouter = (words: string) => type(`explain ${words}`).at(-1);
  t.is(toRouter(`udp ${HOST} 192.168.0.1 53`), 'It comes to the router, where a service listens');
  t.is(toRouter(`udp ${HOST} 192.168.0.1 54`), 'The router answers that nothing listens there');
  t.is(toRouter(`tcp ${HOST} 192.168.0.1 54`), 'The router answers that nothing listens there');
  t.is(toRouter(`icmp ${HOST} 192.168.0.1`), 'The router answers it');
  t.is(toRouter(`icmp ${SERVER} ${WAN_ADDRESS}`), 'It is dropped: nobody inside asked for it');
});

test('what a packet has said of its flow, and what it was seen by, holds for the rules behind', t => {
  const { quiet, type } = rulesLab();
  quiet(
    'iptables -A FORWARD -m recent --name seen --set',
    'iptables -A FORWARD -p udp -m recent --name seen --update --seconds 60 --hitcount 1 -j DROP',
    'iptables -A FORWARD -p udp -j ACCEPT',
  );
  t.deepEqual(type(`explain udp ${HOST} ${SERVER} 53`).slice(-2), [
    'FORWARD 2: -A FORWARD -p udp -m recent --update --seconds 60 --hitcount 1 --name seen --mask 255.255.255.255 --rsource -j DROP',
    'It is dropped: refused by a rule or a policy',
  ]);
});

test('what is no packet is refused', t => {
  const { type } = rulesLab();
  t.deepEqual(type('explain foo 1.2.3.4 1.2.3.5 1'), ['Cannot explain it: foo is no protocol']);
  t.deepEqual(type('explain tcp 1.2.3 1.2.3.5 1'), ['Cannot explain it: 1.2.3 is no address']);
  t.deepEqual(type(`explain tcp ${HOST} ${SERVER}`), ['Cannot explain it: it needs a port']);
  t.deepEqual(type(`explain tcp ${HOST} ${SERVER} 80 in if9`), ['Cannot explain it: if9 is no link']);
  t.deepEqual(type(`explain icmp ${SERVER} 10.1.2.3 type 3`), [
    'Cannot explain it: an error goes the way of the packet that it is about: say which, as in: about tcp 203.0.113.10 1024 198.51.100.1 80',
  ]);
  t.deepEqual(type(`explain icmp ${SERVER} 10.1.2.3 in router`).slice(-1), [
    'Cannot explain it: what the router sends to itself meets no rules',
  ]);
});

test('an ICMP error goes the way of the packet that it is about', t => {
  const { quiet, router, type } = rulesLab();
  quiet('iptables -A FORWARD -m state --state RELATED -p icmp -j ACCEPT', 'iptables -P FORWARD DROP');
  quiet('iptables -I FORWARD -p tcp --dport 80 -j ACCEPT', 'iptables -A INPUT -p icmp -j DROP');
  router.fromHost(
    tcp({ source: HOST, destination: SERVER }, { sourcePort: 5000, destinationPort: 80, flags: SYN }),
  );
  const port = read(router.toWan()[0] as Uint8Array).sourcePort;
  const about = `about tcp ${WAN_ADDRESS} ${port} ${SERVER} 80`;
  t.deepEqual(type(`explain icmp 198.51.100.9 ${WAN_ADDRESS} type 3 in wan ${about}`), [
    `icmp 198.51.100.9 -> ${WAN_ADDRESS}, in by wan, about tcp ${WAN_ADDRESS}:${port} -> ${SERVER}:80`,
    'FORWARD 2: -A FORWARD -p icmp -m state --state RELATED -j ACCEPT',
    'It is of a session that there is',
    `Its destination becomes ${HOST}`,
    'It leaves by lan',
  ]);
  t.deepEqual(
    type(`explain icmp 198.51.100.9 ${WAN_ADDRESS} type 11 about udp ${WAN_ADDRESS} 9 ${SERVER} 9`).slice(-1),
    ['It is dropped: ICMP error about no known packet'],
  );
  t.deepEqual(type(`explain icmp 198.51.100.9 ${WAN_ADDRESS} type 8 ${about}`), [
    'Cannot explain it: only an error of ICMP is about a packet, as one of type 3',
  ]);
  t.regex(type(`explain icmp 198.51.100.9 ${WAN_ADDRESS} type 3`).join(), /say which, as in: about tcp/);
  t.regex(
    type(`explain icmp 198.51.100.9 ${WAN_ADDRESS} type 3 about tcp ${HOST} 1`).join(),
    /behind about stand/,
  );
});

test('nat for the router’s own packets is named', t => {
  const { quiet, type } = rulesLab();
  quiet(
    'iptables -t nat -A OUTPUT -p udp --dport 53 -j DNAT --to 198.51.100.7:5353',
    'iptables -t nat -A POSTROUTING -o wan -j SNAT --to-source 10.1.2.9',
  );
  t.deepEqual(type(`explain udp ${WAN_ADDRESS} ${SERVER} 53 in router`), [
    `udp ${WAN_ADDRESS}:1024 -> ${SERVER}:53, the router's own`,
    'nat OUTPUT 1: -A OUTPUT -p udp -m udp --dport 53 -j DNAT --to-destination 198.51.100.7:5353',
    'nat POSTROUTING 1: -A POSTROUTING -o wan -j SNAT --to-source 10.1.2.9',
    'Its destination becomes 198.51.100.7:5353',
    'It leaves by wan with the source 10.1.2.9',
  ]);
});
