// A property: whatever rules, forwards and addresses are set, and whatever has passed before, what explain says of a packet is what the plane
// then does with it: where it goes, by which link, with which ends, or why not. And that asking has left everything as it was.

import test from 'ava';
import fc from 'fast-check';
import {
  address,
  addressText,
  echo,
  frame,
  ICMP,
  type Ip,
  ipv4,
  read,
  TCP,
  tcp,
  UDP,
  udp,
} from '../../../../test/packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  SERVER,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../../test/plane-router.ts';
import {
  COUNT_FORWARDED,
  COUNT_PUNTED,
  DROP_FOREIGN_FROM_LAN,
  DROP_REJECTED,
  DROP_RULE,
  DROP_SPOOFED_FROM_WAN,
} from '../../../base/counters.ts';
import {
  BUFFERS_AT,
  CAPTURE_STATE_AT,
  CELLS_AT,
  ENTROPY_AT,
  ENTROPY_BYTES,
  HOST_BYTES,
  HOST_COUNT,
  HOSTS_AT,
  KEYED_HASH_AT,
  KEYED_HASH_BYTES,
  KEYED_TEXT_BYTES,
  POOL_STATE_AT,
  POOL_STATE_BYTES,
  ROUTE_CACHE_AT,
  ROUTE_STATE_AT,
  ROUTE_STATE_BYTES,
} from '../../../base/limits.ts';
import { i32at, u16at } from '../../../base/memory.ts';
import { DROP_FIRST, LOCAL, PACKET_IP, PACKET_LENGTH, PASS, PUNT } from '../../../base/packet.ts';
import { FILTER_ENDPOINT, NAT_FILTER } from '../../../base/parameters.ts';
import * as probed from '../../../base/probe-record.ts';
import { RULE_STATE_AT, RULE_TEXT_AT, RULE_TEXT_BYTES, RULES_END } from '../../../base/rule-limits.ts';
import { setAlso, setForward, setOneToOne, setTrigger } from '../../forward/overlay.ts';
import { openRules } from '../memory.ts';
import { rulesLab } from '../rules-lab.ts';
import { type Made, probe } from './probe.ts';

const ALSO = '10.1.2.18';
const ONE = '10.1.2.33';
const FAR = '198.41.0.4';

const IPTABLES = [
  '-A FORWARD -p tcp --dport 80 -j ACCEPT',
  '-A FORWARD -i eth1 -j ACCEPT',
  '-A FORWARD -i eth0 -p udp -j DROP',
  '-A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT',
  '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT',
  '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
  '-A FORWARD -m connmark --mark 5 -j DROP',
  '-A FORWARD -m limit --limit 1/hour --limit-burst 2 -j ACCEPT',
  '-A FORWARD -m recent --name seen --rcheck -j DROP',
  '-A FORWARD -m recent --name seen --set',
  '-A FORWARD -j CONNMARK --set-mark 5',
  '-A INPUT -i eth1 -j DROP',
  '-A INPUT -p udp -j REJECT',
  '-A INPUT -m state --state NEW -j ACCEPT',
  '-A OUTPUT -p tcp -j DROP',
  '-P FORWARD DROP',
  '-P INPUT DROP',
  '-t mangle -A PREROUTING -p udp -j MARK --set-mark 7',
  '-t mangle -A PREROUTING -p 47 -j DROP',
  '-t mangle -A FORWARD -m mark --mark 7 -j DROP',
  '-t mangle -A POSTROUTING -p tcp --dport 1001 -j DROP',
  '-t nat -A PREROUTING -i eth1 -p tcp --dport 1000 -j DNAT --to 192.168.0.2:80',
  '-t nat -A PREROUTING -p udp --dport 1001 -j DNAT --to 192.168.0.3',
  '-t nat -A PREROUTING -i eth0 -p tcp --dport 80 -j REDIRECT --to-ports 1002',
  '-t nat -A PREROUTING -i eth0 -d 198.41.0.4 -j DNAT --to 192.168.0.3',
  '-t nat -A PREROUTING -d 10.1.2.3 -p icmp -j DNAT --to 192.168.0.2',
  '-t nat -A POSTROUTING -o eth1 -j MASQUERADE',
  '-t nat -A POSTROUTING -o eth1 -p tcp -j SNAT --to-source 10.1.2.18',
  '-t nat -A POSTROUTING -d 204.152.184.112 -j ACCEPT',
];
const IPCHAINS = [
  '-A input -p tcp -y -d 0/0 80 -j REDIRECT 1002',
  '-A input -i eth1 -p udp -j DENY',
  '-A input -p udp -m 7 -j ACCEPT',
  '-A input -s 192.168.0.3 -j REJECT',
  '-A forward -i eth1 -s 192.168.0.0/24 -j MASQ',
  '-A forward -p icmp -j DENY',
  '-A forward -j ACCEPT',
  '-P forward DENY',
  '-P forward MASQ',
  '-A output -p tcp -d 0/0 1001 -j DENY',
  '-A output -i eth1 -s 192.168.0.0/16 -j REJECT',
];
const SETS: ((plane: Parameters<typeof setForward>[0]) => void)[] = [
  plane => setForward(plane, ['tcp', '80', HOST]),
  plane => setForward(plane, ['udp', '1000-1002', `${OTHER}:80`]),
  plane => setForward(plane, ['tcp', '1002', HOST, `${OTHER}*2`, 'least', 'most', '2']),
  plane => setForward(plane, ['udp', '80', HOST, OTHER, 'sticky', 'log']),
  plane => setForward(plane, ['mark', '7', OTHER]),
  plane => setForward(plane, ['tcp', `${ALSO}:1001`, `${OTHER}:80`]),
  plane => setAlso(plane, [ALSO]),
  plane => setOneToOne(plane, [ONE, HOST]),
  plane => plane.setParameter(NAT_FILTER, FILTER_ENDPOINT),
  plane => setTrigger(plane, ['udp', '1000-1001', 'tcp', '1000', 'anybody']),
];

interface Sent extends Made {
  isAnswer: boolean;
}

const OURS = [LAN_ADDRESS, WAN_ADDRESS, ALSO, ONE];
const TO_US = [WAN_ADDRESS, WAN_ADDRESS, WAN_ADDRESS, WAN_ADDRESS, ALSO, ALSO, ONE, ONE, HOST, '10.1.2.255'];
const TO_ALL = [SERVER, SERVER, SERVER, FAR, WAN_ADDRESS, ALSO, ONE, LAN_ADDRESS, OTHER, '192.168.0.255'];
const KNOWN = [HOST, OTHER, SERVER, FAR];
const PORTS = [80, 1000, 1001, 1002];
const sent: fc.Arbitrary<Sent> = fc
  .record({
    protocol: fc.constantFrom(TCP, TCP, TCP, UDP, UDP, UDP, ICMP, ICMP, 47),
    link: fc.constantFrom(LAN, LAN, WAN, WAN, -1),
    source: fc.constantFrom(HOST, HOST, OTHER, SERVER, SERVER, FAR, ONE, LAN_ADDRESS),
    place: fc.nat({ max: 9 }),
    sourcePort: fc.constantFrom(...PORTS),
    port: fc.constantFrom(...PORTS),
    kind: fc.constantFrom(2, 2, 2, 2, 2, 2, 16, 18, 4, 17),
    type: fc.constantFrom(8, 8, 0, 13),
    isPlain: fc.constantFrom(true, true, true, true, true, false),
    isAnswer: fc.boolean(),
  })
  .map(given => {
    // Most come as they may. A host that speaks with its own outside address by one port for both ends speaks with itself, whatever a rule
    // says; and what the router sends to itself meets nothing.
    let { source, link } = given;
    const destination = (link === WAN ? TO_US : TO_ALL)[given.place] as string;
    if (link === -1 && OURS.includes(destination)) link = LAN;
    if (link === -1) source = LAN_ADDRESS;
    else if (given.isPlain && link === LAN) source = source === HOST && destination !== ONE ? HOST : OTHER;
    else if (given.isPlain) source = source === FAR ? FAR : SERVER;
    const { protocol, isAnswer } = given;
    return {
      ...{ protocol, link, isAnswer, state: 0 },
      source: address(source),
      destination: address(destination),
      sourcePort: protocol === 47 ? 0 : given.sourcePort,
      port: protocol === TCP || protocol === UDP ? given.port : 0,
      kind: protocol === TCP ? given.kind : protocol === ICMP ? given.type << 8 : 0,
    };
  });

const FIRST: Made = {
  ...{ protocol: TCP, link: LAN, state: 0, source: address(OTHER), destination: address(FAR) },
  ...{ sourcePort: 7, port: 7, kind: 2 },
};

function datagramOf(made: Made): Uint8Array {
  const ends: Ip = { source: addressText(made.source), destination: addressText(made.destination) };
  const none = new Uint8Array(0);
  if (made.protocol === UDP) return udp(ends, made.sourcePort, made.port, none);
  if (made.protocol === ICMP) return echo(ends, made.kind >> 8, made.sourcePort, 0, none);
  if (made.protocol === TCP)
    return tcp(ends, { sourcePort: made.sourcePort, destinationPort: made.port, flags: made.kind });
  return ipv4(ends, made.protocol, new Uint8Array(8));
}

/** What differs in memory, but for what means nothing: '' if nothing does. */
function changed(before: Uint8Array, now: Uint8Array): string {
  const spared: [number, number][] = [
    [CELLS_AT + 208, 4],
    [POOL_STATE_AT, POOL_STATE_BYTES],
    [ENTROPY_AT, ENTROPY_BYTES],
    // A hash's key is drawn with its first use, and its text is written there.
    [KEYED_HASH_AT, KEYED_HASH_BYTES + KEYED_TEXT_BYTES],
    [ROUTE_CACHE_AT, ROUTE_STATE_AT + ROUTE_STATE_BYTES - ROUTE_CACHE_AT],
    [BUFFERS_AT, CAPTURE_STATE_AT - BUFFERS_AT],
    // The packet that is looked at, and what was asked.
    [RULE_STATE_AT + 20, 172],
    [RULE_TEXT_AT, RULE_TEXT_BYTES],
  ];
  for (let host = 0; host < HOST_COUNT; host++)
    if (u16at(HOSTS_AT + host * HOST_BYTES + 4) === 0) spared.push([HOSTS_AT + host * HOST_BYTES, 4]);
  for (const [at, bytes] of spared) before.set(now.subarray(at, at + bytes), at);
  if (Buffer.compare(before, now.subarray(0, RULES_END)) === 0) return '';
  return `asking has changed ${before.findIndex((byte, at) => byte !== now[at])}`;
}

type Lab = ReturnType<typeof rulesLab>;

/** Sends a packet; its datagrams that left. */
function send(lab: Lab, made: Made): { toLan: Uint8Array[]; toWan: Uint8Array[] } {
  const { memory, router } = lab;
  const bytes = datagramOf(made);
  if (made.link === WAN) router.put(WAN, frame(WAN_MAC, GATEWAY_MAC, bytes));
  else if (made.link === LAN)
    router.put(LAN, frame(LAN_MAC, made.source === address(OTHER) ? OTHER_MAC : HOST_MAC, bytes));
  else {
    const packet = router.plane.allocate();
    memory.set(bytes, packet + PACKET_IP);
    new DataView(memory.buffer).setInt32(packet + PACKET_LENGTH, bytes.length, true);
    router.plane.localSend(packet);
  }
  while (router.punted() !== undefined);
  return { toLan: router.toLan(), toWan: router.toWan() };
}

/** What explain says, compared with what then happens: '' if they are the same. */
function difference(lab: Lab, made: Made): string {
  const { context, memory, router } = lab;
  openRules(context.machine);
  const before = memory.slice(0, RULES_END);
  if (!probe(context.machine, made)) return 'no buffer';
  const wrong = changed(before, memory);
  if (wrong !== '') return wrong;
  const verdict = i32at(probed.PROBE_VERDICT);
  const ends = [probed.PROBE_NOW_SOURCE, probed.PROBE_NOW_DESTINATION].map(at => addressText(i32at(at)));
  const ports = i32at(probed.PROBE_NOW_PORTS);
  const out = i32at(probed.PROBE_OUT);
  const counters = [COUNT_FORWARDED, COUNT_PUNTED, verdict].map(n => router.counter(n));
  const { toLan, toWan } = send(lab, made);
  const [forwarded, punted, dropped] = [COUNT_FORWARDED, COUNT_PUNTED, verdict].map(
    (n, i) => router.counter(n) - (counters[i] as number),
  );
  const all = `forwarded ${forwarded} punted ${punted} counted ${dropped} lan ${toLan.length} wan ${toWan.length}`;
  if (verdict >= DROP_FIRST) return dropped >= 1 && forwarded === 0 ? '' : `dropped ${verdict}: ${all}`;
  if (verdict === PUNT) return punted === 1 && forwarded === 0 ? '' : `punted: ${all}`;
  if (verdict === LOCAL) return forwarded === 0 && punted === 0 ? '' : `answered: ${all}`;
  if (verdict !== PASS) return `verdict ${verdict}`;
  if (made.link >= 0 && forwarded !== 1) return `passed: ${all}`;
  // Where nobody is known to be it waits for an answer of ARP's.
  if (toLan.length + toWan.length === 0 && !KNOWN.includes(ends[1] as string)) return '';
  const [datagram, other] = out === LAN ? toLan : toWan;
  if (datagram === undefined || other !== undefined) return `by ${out}: ${all}`;
  const left = read(datagram);
  if (left.source !== ends[0] || left.destination !== ends[1])
    return `${ends} and not ${left.source},${left.destination}`;
  const [from, to] = made.protocol === ICMP ? [left.identifier, 0] : [left.sourcePort, left.destinationPort];
  if (to !== (ports & 0xffff)) return `to port ${to}, not ${ports & 0xffff}`;
  // A port that is drawn is drawn anew.
  const isDrawn = from !== made.sourcePort && ports >>> 16 !== made.sourcePort;
  return from === ports >>> 16 || isDrawn ? '' : `from port ${from}, not ${ports >>> 16}`;
}

/** Counts what was said: by its end, and what has led the packet. */
function note(seen: Map<string, number>): void {
  const keys = [`${i32at(probed.PROBE_VERDICT)}`];
  for (let i = 0; i < i32at(probed.PROBE_MET); i++) {
    const what = u16at(probed.PROBE_MET_AT + 2 * i);
    if ((what & probed.PROBE_NOTE) !== 0) keys.push(`note ${what >> 8}`);
  }
  for (const key of keys) seen.set(key, (seen.get(key) ?? 0) + 1);
}

/** The answer to a packet as it left, or undefined if it did not leave as one. */
function answerOf(
  made: Made,
  { toLan, toWan }: { toLan: Uint8Array[]; toWan: Uint8Array[] },
): Made | undefined {
  const datagram = made.link === LAN ? toWan[0] : toLan[0];
  if (datagram === undefined) return undefined;
  const { destination, destinationPort, identifier, source, sourcePort, protocol } = read(datagram);
  return {
    ...{ protocol, state: 0, link: made.link === LAN ? WAN : LAN },
    ...{ source: address(destination), destination: address(source) },
    sourcePort: protocol === ICMP ? identifier : destinationPort,
    port: protocol === ICMP ? 0 : sourcePort,
    kind: protocol === TCP ? 18 : protocol === ICMP && made.kind === 2048 ? 0 : made.kind,
  };
}

test('what explain says is what then happens, and asking changes nothing', t => {
  t.timeout(900_000);
  const seen = new Map<string, number>();
  let cases = 0;
  const property = fc.property(
    fc.subarray(SETS),
    fc.oneof(
      fc.shuffledSubarray(IPTABLES, { maxLength: 9 }).map(all => all.map(text => `iptables ${text}`)),
      fc.shuffledSubarray(IPCHAINS).map(all => all.map(text => `ipchains ${text}`)),
    ),
    fc.array(sent, { minLength: 1, maxLength: 20 }),
    (sets, rules, packets) => {
      const lab = rulesLab();
      // While the table is empty its hash has new keys with the next flow, by which a sticky client's server is chosen.
      send(lab, FIRST);
      for (const set of sets) set(lab.router.plane);
      // It pulls a trigger.
      send(lab, { ...FIRST, port: 1000 });
      lab.router.plane.socketOpen(UDP, 1002, 1 << LAN);
      lab.router.plane.socketOpen(TCP, 1002, (1 << LAN) | (1 << WAN));
      for (const line of rules) lab.type(line);
      const say = (made: Made, wrong: string) => `${sets} ${rules} ${JSON.stringify(made)}: ${wrong}`;
      for (const { isAnswer, ...made } of packets) {
        const wrong = difference(lab, made);
        t.is(wrong, '', say(made, wrong));
        cases++;
        note(seen);
        if (!isAnswer || made.link < 0) continue;
        const answer = answerOf(made, send(lab, made));
        if (answer === undefined) continue;
        const other = difference(lab, answer);
        t.is(other, '', say(answer, other));
        note(seen);
        cases++;
      }
    },
  );
  fc.assert(property, { numRuns: 250, seed: 2002 });
  t.log(cases, Object.fromEntries(seen));
  // Every kind of end, and of what may lead a packet, is among them.
  for (const key of [
    PASS,
    PUNT,
    LOCAL,
    DROP_RULE,
    DROP_REJECTED,
    DROP_SPOOFED_FROM_WAN,
    DROP_FOREIGN_FROM_LAN,
  ])
    t.true(seen.has(`${key}`), `${key}`);
  for (const note of [0x41, 0x42, 0x43, 0x44, 0x45]) t.true(seen.has(`note ${note}`), `note ${note}`);
});
