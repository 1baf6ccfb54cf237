import test from 'ava';
import fc from 'fast-check';
import { HOST, HOST_2, Lab, SERVER, SERVER_2, WAN, WAN_2 } from '../../../test/masquerade-lab.ts';
import {
  ACK,
  address,
  addressText,
  echo,
  FIN,
  fragments,
  get16,
  icmp,
  ipv4,
  PSH,
  payload,
  RST,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  COUNT_MASQUERADE_NEW,
  DROP_FILTERED,
  DROP_FRAGMENT_TIMEOUT,
  DROP_ICMP_TYPE,
  DROP_INTERFACE_DOWN,
  DROP_PROTOCOL,
  DROP_TCP_STATE,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import { E_SENT, E_SEQUENCE, E_STATE, entryAt } from '../../base/flow-record.ts';
import { configureInterface, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { INTERFACE_WAN, MASQUERADE_AT, MASQUERADE_BYTES } from '../../base/limits.ts';
import { get8, i32at, puti32 } from '../../base/memory.ts';
import { LOCAL, PACKET_FLOW, PASS } from '../../base/packet.ts';
import {
  FILTER_ADDRESS,
  FILTER_ADDRESS_PORT,
  FILTER_ENDPOINT,
  HAIRPIN,
  NAT_FILTER,
  NAT_PROFILE,
  PROFILE_CLASSIC,
} from '../../base/parameters.ts';
import { RFC_BOTH_FIN, RFC_ESTABLISHED, RFC_INIT_IN, RFC_INIT_OUT, RFC_TRANS } from './tcp-rfc.ts';

const out = { source: HOST, destination: SERVER };
const back = { source: SERVER, destination: WAN };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const lab = new Lab(build);
  const { plane } = build;
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.is(plane.masqueradeCheck(), 0);
    });
  const state = (n = 1) => get8(entryAt(n) + E_STATE);

  it('a UDP datagram leaves with our address and its own port, and the answer comes back', t => {
    const sent = lab.outbound(udp(out, 1043, 53));
    t.is(sent.verdict, PASS);
    t.is(sent.read.source, WAN);
    t.is(sent.read.sourcePort, 1043);
    t.is(sent.read.destination, SERVER);
    t.is(sent.read.destinationPort, 53);
    t.deepEqual(sent.read.data, payload(32));
    const answer = lab.inbound(udp(back, 53, 1043));
    t.is(answer.verdict, PASS);
    t.is(answer.read.source, SERVER);
    t.is(answer.read.destination, HOST);
    t.is(answer.read.destinationPort, 1043);
    t.is(plane.masqueradeCount(), 1);
    t.is(lab.counter(COUNT_MASQUERADE_NEW), 1);
  });

  it('a whole TCP connection, its states and its checksums', t => {
    const header = { sourcePort: 1043, destinationPort: 80 };
    const reply = { sourcePort: 80, destinationPort: 1043 };
    lab.outbound(tcp(out, { ...header, flags: SYN, options: [2, 4, 5, 0xb4] }));
    t.is(state(), RFC_INIT_OUT);
    t.is(lab.inbound(tcp(back, { ...reply, flags: SYN | ACK, acknowledgment: 1001 })).read.destination, HOST);
    t.is(state(), RFC_ESTABLISHED);
    lab.outbound(tcp(out, { ...header, flags: ACK }));
    t.deepEqual(
      lab.outbound(tcp(out, { ...header, flags: ACK | PSH }, payload(100))).read.data,
      payload(100),
    );
    t.deepEqual(lab.inbound(tcp(back, { ...reply, flags: ACK }, payload(1460))).read.data, payload(1460));
    lab.outbound(tcp(out, { ...header, flags: FIN | ACK }));
    lab.inbound(tcp(back, { ...reply, flags: FIN | ACK }));
    t.is(state(), RFC_BOTH_FIN);
    t.is(lab.outbound(tcp(out, { ...header, flags: ACK })).verdict, PASS);
  });

  it('simultaneous open (RFC 5382, REQ-2a)', t => {
    const syn = tcp(back, { sourcePort: 4000, destinationPort: 5000, flags: SYN });
    t.is(lab.inbound(syn).verdict, LOCAL, 'before our SYN nobody knows it');
    t.is(lab.outbound(tcp(out, { sourcePort: 5000, destinationPort: 4000, flags: SYN })).verdict, PASS);
    t.is(lab.inbound(syn).read.destination, HOST);
    t.is(state(), RFC_ESTABLISHED);
    t.is(lab.outbound(tcp(out, { sourcePort: 5000, destinationPort: 4000, flags: SYN | ACK })).verdict, PASS);
    t.is(state(), RFC_ESTABLISHED);
  });

  it('a session that was open before we started goes on after both have sent data', t => {
    const header = { sourcePort: 1043, destinationPort: 80 };
    t.is(lab.outbound(tcp(out, { ...header, flags: ACK | PSH }, payload(10))).verdict, PASS);
    t.is(state(), RFC_TRANS);
    t.is(
      lab.inbound(tcp(back, { sourcePort: 80, destinationPort: 1043, flags: ACK }, payload(10))).verdict,
      PASS,
    );
    t.is(state(), RFC_ESTABLISHED);
    t.is(lab.outbound(tcp(out, { ...header, sourcePort: 1044, flags: RST })).verdict, DROP_TCP_STATE);
    t.is(plane.masqueradeCount(), 1, 'an RST makes no entry');
  });

  it('endpoint-independent mapping (RFC 4787, REQ-1): one outside port to all destinations', t => {
    const ports = [SERVER, SERVER_2, '203.0.113.9'].flatMap(destination =>
      [53, 3478, 3479].map(
        port => lab.outbound(udp({ source: HOST, destination }, 5060, port)).read.sourcePort,
      ),
    );
    t.deepEqual(new Set(ports), new Set([5060]));
    t.is(plane.masqueradeCount(), 9);
    // The second host with the same inside port gets another, for all of its destinations.
    const others = [SERVER, SERVER_2].map(
      destination => lab.outbound(udp({ source: HOST_2, destination }, 5060, 53)).read.sourcePort,
    );
    t.is(others[0], others[1] as number);
    t.not(others[0], 5060);
    t.is((others[0] as number) & 1, 0, 'REQ-4: an even port stays even');
    t.is(
      lab.outbound(
        tcp({ source: HOST_2, destination: SERVER }, { sourcePort: 5060, destinationPort: 1, flags: SYN }),
      ).read.sourcePort,
      5060,
    );
  });

  it('filters: from anyone, from an address that was sent to, from an endpoint', t => {
    const cases: [number, number, number, number][] = [
      [FILTER_ENDPOINT, PASS, PASS, PASS],
      [FILTER_ADDRESS, PASS, PASS, DROP_FILTERED],
      [FILTER_ADDRESS_PORT, PASS, DROP_FILTERED, DROP_FILTERED],
    ];
    for (const [filter, samePort, sameAddress, other] of cases) {
      lab.reset();
      lab.set(NAT_FILTER, filter);
      lab.outbound(udp(out, 6000, 53));
      t.is(lab.inbound(udp(back, 53, 6000)).verdict, samePort);
      t.is(lab.inbound(udp(back, 54, 6000)).verdict, sameAddress);
      t.is(lab.inbound(udp({ source: SERVER_2, destination: WAN }, 53, 6000)).verdict, other);
      t.is(lab.inbound(udp(back, 53, 6001)).verdict, LOCAL, 'a port that no mapping has');
      t.is(lab.inbound(udp({ source: SERVER, destination: WAN_2 }, 53, 6000)).verdict, LOCAL);
      t.is(plane.masqueradeCheck(), 0);
    }
  });

  it('filters of TCP: a SYN from an allowed endpoint opens a session, nothing else does', t => {
    lab.outbound(tcp(out, { sourcePort: 6000, destinationPort: 80, flags: SYN }));
    const from = { sourcePort: 4711, destinationPort: 6000 };
    for (const flags of [ACK, FIN | ACK, RST, SYN | ACK, SYN | RST, 0]) {
      t.is(lab.inbound(tcp(back, { ...from, flags })).verdict, DROP_UNSOLICITED);
    }
    const opened = lab.inbound(tcp(back, { ...from, flags: SYN }));
    t.is(opened.read.destination, HOST);
    t.is(state(2), RFC_INIT_IN);
    const answer = lab.outbound(tcp(out, { sourcePort: 6000, destinationPort: 4711, flags: SYN | ACK }));
    t.is(answer.read.sourcePort, 6000);
    t.is(state(2), RFC_ESTABLISHED);
    t.is(plane.masqueradeCount(), 2);
  });

  it('the answer to a stranger whom the filter lets in leaves by the same port', t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    lab.outbound(udp({ source: HOST_2, destination: SERVER }, 7000, 53));
    const mapped = lab.outbound(udp(out, 7000, 53)).read.sourcePort;
    t.not(mapped, 7000);
    const came = lab.inbound(udp({ source: SERVER_2, destination: WAN }, 999, mapped));
    t.is(came.read.destination, HOST);
    t.is(came.read.destinationPort, 7000);
    t.is(lab.outbound(udp({ source: HOST, destination: SERVER_2 }, 7000, 999)).read.sourcePort, mapped);
    t.is(plane.masqueradeCount(), 3);
  });

  it('a hairpin shows the outside address and port of the sender (REQ-9a)', t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    lab.outbound(udp({ source: HOST_2, destination: SERVER }, 7000, 53));
    const turned = lab.hairpin(udp({ source: HOST, destination: WAN }, 7000, 7000));
    t.is(turned.verdict, PASS);
    t.is(turned.read.source, WAN);
    t.not(turned.read.sourcePort, 7000);
    t.is(turned.read.destination, HOST_2);
    t.is(turned.read.destinationPort, 7000);
    const answer = lab.hairpin(udp({ source: HOST_2, destination: WAN }, 7000, turned.read.sourcePort));
    t.is(answer.verdict, PASS);
    t.is(answer.read.source, WAN);
    t.is(answer.read.sourcePort, 7000);
    t.is(answer.read.destination, HOST);
    t.is(answer.read.destinationPort, 7000);
  });

  it('a TCP hairpin opens, in the strict filters too once both have sent', t => {
    lab.set(NAT_FILTER, FILTER_ADDRESS_PORT);
    const one = { source: HOST, destination: WAN };
    const two = { source: HOST_2, destination: WAN };
    lab.outbound(
      tcp({ source: HOST_2, destination: SERVER }, { sourcePort: 81, destinationPort: 9, flags: SYN }),
    );
    lab.outbound(tcp(out, { sourcePort: 80, destinationPort: 9, flags: SYN }));
    t.is(lab.hairpin(tcp(one, { sourcePort: 80, destinationPort: 81, flags: SYN })).verdict, DROP_FILTERED);
    t.is(lab.hairpin(tcp(two, { sourcePort: 81, destinationPort: 80, flags: SYN })).verdict, PASS);
    const again = lab.hairpin(tcp(one, { sourcePort: 80, destinationPort: 81, flags: SYN }));
    t.is(again.verdict, PASS);
    t.is(again.read.destination, HOST_2);
    t.is(again.read.source, WAN);
  });

  it('a hairpin that no mapping knows, and a ping of our outside address, are for us', t => {
    t.is(lab.hairpin(udp({ source: HOST, destination: WAN }, 1, 2)).verdict, LOCAL);
    t.is(plane.masqueradeCount(), 0);
    lab.outbound(echo({ source: HOST_2, destination: SERVER }, 8, 77));
    t.is(lab.hairpin(echo({ source: HOST, destination: WAN }, 8, 77)).verdict, LOCAL);
    lab.outbound(udp({ source: HOST_2, destination: SERVER }, 2, 53));
    lab.set(HAIRPIN, 0);
    t.is(lab.hairpin(udp({ source: HOST, destination: WAN }, 1, 2)).verdict, LOCAL);
  });

  it('pings by identifier: the answer must be of the kind that was asked', t => {
    const sent = lab.outbound(echo(out, 8, 512));
    t.is(sent.read.source, WAN);
    t.is(sent.read.identifier, 512);
    const other = lab.outbound(echo({ source: HOST_2, destination: SERVER }, 8, 512)).read.identifier;
    t.not(other, 512);
    t.is(lab.inbound(echo(back, 0, 512)).read.destination, HOST);
    const answer = lab.inbound(echo(back, 0, other));
    t.is(answer.read.destination, HOST_2);
    t.is(answer.read.identifier, 512);
    const timestamps = payload(12);
    t.is(lab.inbound(icmp(back, 14, 0, 512 << 16, timestamps)).verdict, DROP_UNSOLICITED);
    t.is(lab.outbound(icmp(out, 13, 0, 512 << 16, timestamps)).verdict, PASS);
    t.is(lab.inbound(icmp(back, 14, 0, 512 << 16, timestamps)).read.destination, HOST);
    // As 2.2 and 2.4: the information request too, and the address mask's. Whoever was not asked is not heard.
    for (const [request, reply] of [
      [15, 16],
      [17, 18],
    ] as const) {
      t.is(lab.inbound(icmp(back, reply, 0, 512 << 16, payload(4))).verdict, DROP_UNSOLICITED);
      t.is(lab.outbound(icmp(out, request, 0, 512 << 16, payload(4))).verdict, PASS);
      t.is(lab.inbound(icmp(back, reply, 0, 512 << 16, payload(4))).read.destination, HOST);
    }
    for (const type of [9, 10, 30, 37])
      t.is(lab.outbound(icmp(out, type, 0, 512 << 16, payload(4))).verdict, DROP_ICMP_TYPE);
    t.is(lab.outbound(icmp(out, 17, 0, 513 << 16, payload(4))).verdict, PASS);
    t.is(lab.inbound(icmp(back, 18, 0, 513 << 16, payload(4))).read.destination, HOST);
    t.is(lab.inbound(echo({ source: SERVER_2, destination: WAN }, 0, 512)).verdict, DROP_FILTERED);
    t.is(lab.inbound(echo(back, 0, 600)).verdict, LOCAL);
  });

  it("a ping from outside is for us, also with an inside host's identifier", t => {
    lab.outbound(echo(out, 8, 512));
    t.is(lab.inbound(echo(back, 8, 512)).verdict, LOCAL);
    t.is(lab.outbound(echo(out, 0, 512)).verdict, DROP_ICMP_TYPE, 'nor does the inside answer');
    t.is(lab.outbound(icmp(out, 9, 0, 0, payload(8))).verdict, DROP_ICMP_TYPE);
    t.is(lab.outbound(icmp(out, 37, 0, 5 << 16, payload(8))).verdict, DROP_ICMP_TYPE);
  });

  it('checksums by increments equal those from scratch, for random packets', t => {
    const word = fc.integer({ min: 0, max: 0xffff });
    const host = fc.integer({ min: 1, max: 254 }).map(n => `192.168.0.${n}`);
    const remote = fc.integer({ min: -0x80000000, max: 0x7fffffff }).map(addressText);
    const data = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(
        fc.constantFrom(6, 17, 1),
        host,
        remote,
        word,
        word,
        data,
        word,
        (kind, source, destination, a, b, bytes, c) => {
          lab.reset();
          const there = { source, destination };
          const make = (ip: typeof there, from: number, to: number) =>
            kind === 6
              ? tcp(ip, { sourcePort: from, destinationPort: to, flags: SYN, sequence: c }, bytes)
              : kind === 17
                ? udp(ip, from, to, bytes)
                : echo(ip, ip === there ? 8 : 0, ip === there ? from : to, c, bytes);
          // Another host has the port already, so that it has to change.
          lab.outbound(make({ ...there, source: '192.168.0.255' }, a, b));
          const sent = lab.outbound(make(there, a, b));
          if (sent.verdict !== PASS) throw new Error(`verdict ${sent.verdict}`);
          const port = kind === 1 ? sent.read.identifier : sent.read.sourcePort;
          const answer = lab.inbound(make({ source: destination, destination: WAN }, b, port));
          if (answer.verdict !== PASS || answer.read.destination !== source) throw new Error('no answer');
        },
      ),
      { numRuns: 400, seed: 20000101 },
    );
    t.pass();
  });

  it('UDP without a checksum stays without, and a sum of 0 becomes 0xffff', t => {
    t.is(get16(lab.outbound(udp(out, 1043, 53, payload(8), 0)).bytes, 26), 0);
    lab.reset();
    // Search for data whose datagram sums to nothing once it has our address.
    for (let n = 0; n < 0x10000; n++) {
      const sent = udp({ source: WAN, destination: SERVER }, 1043, 53, Uint8Array.of(n >> 8, n & 255));
      if (get16(sent, 26) !== 0xffff) continue;
      const result = lab.outbound(udp(out, 1043, 53, Uint8Array.of(n >> 8, n & 255)));
      t.is(get16(result.bytes, 26), 0xffff);
      return;
    }
    t.fail('no such data');
  });

  it('later fragments get their addresses translated and make no session', t => {
    const parts = fragments(udp(out, 1043, 53, payload(3000)), 1480);
    const ports = (1043 << 16) | 53;
    t.is(lab.outbound(parts[1] as Uint8Array, { ports }).verdict, DROP_FRAGMENT_TIMEOUT);
    for (const part of parts) {
      const result = lab.outbound(part, { ports });
      t.is(result.verdict, PASS);
      t.is(result.read.source, WAN);
    }
    const second = lab.outbound(parts[1] as Uint8Array, { ports }).bytes;
    t.deepEqual(second.subarray(20), (parts[1] as Uint8Array).subarray(20), 'the data is untouched');
    const inPorts = (53 << 16) | 1043;
    const answer = fragments(udp(back, 53, 1043, payload(3000)), 1480);
    for (const part of answer) t.is(lab.inbound(part, { ports: inPorts }).read.destination, HOST);
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    const stranger = fragments(udp({ source: SERVER_2, destination: WAN }, 53, 1043, payload(3000)), 1480);
    t.is(lab.inbound(stranger[1] as Uint8Array, { ports: inPorts }).verdict, DROP_FRAGMENT_TIMEOUT);
  });

  it("a later fragment of a TCP segment leaves the connection's sequence numbers as they are", t => {
    const ends = { sourcePort: 1043, destinationPort: 80, sequence: 1000 };
    const segment = tcp(out, { ...ends, flags: ACK, acknowledgment: 5000 }, payload(3000));
    const [first, second] = fragments(segment, 1480) as [Uint8Array, Uint8Array];
    lab.outbound(tcp(out, { ...ends, flags: SYN }));
    const answer = { sourcePort: 80, destinationPort: 1043, sequence: 4999, acknowledgment: 1001 };
    lab.inbound(tcp(back, { ...answer, flags: SYN | ACK }));
    lab.outbound(first);
    const numbers = () => [0, 4, 8, 12].map(at => i32at(entryAt(1) + E_SEQUENCE + at));
    const before = numbers();
    t.is(lab.outbound(second, { ports: (1043 << 16) | 80 }).verdict, PASS);
    t.deepEqual(numbers(), before);
  });

  it('a protocol without ports: one inside host for each remote host', t => {
    const GRE = 47;
    t.is(lab.outbound(ipv4(out, GRE, payload(40))).read.source, WAN);
    t.is(lab.inbound(ipv4(back, GRE, payload(40))).read.destination, HOST);
    t.is(
      lab.outbound(ipv4({ source: HOST_2, destination: SERVER }, GRE, payload(40))).verdict,
      DROP_PROTOCOL,
    );
    t.is(lab.outbound(ipv4({ source: HOST_2, destination: SERVER_2 }, GRE, payload(40))).verdict, PASS);
    t.is(
      lab.inbound(ipv4({ source: SERVER_2, destination: WAN }, GRE, payload(40))).read.destination,
      HOST_2,
    );
    t.is(lab.outbound(ipv4({ source: HOST_2, destination: SERVER }, 50, payload(40))).verdict, PASS, 'ESP');
    t.is(lab.inbound(ipv4(back, 51, payload(40))).verdict, LOCAL);
    for (const protocol of [0, 33, 136]) {
      t.is(lab.outbound(ipv4(out, protocol, payload(40))).verdict, DROP_PROTOCOL);
    }
    t.is(lab.hairpin(ipv4({ source: HOST_2, destination: WAN }, GRE, payload(40))).verdict, LOCAL);
  });

  it('a tunnel goes to another inside host when the first has been silent for a minute', t => {
    for (const protocol of [47, 50, 41]) {
      lab.reset();
      const second = ipv4({ source: HOST_2, destination: SERVER }, protocol, payload(40));
      lab.outbound(ipv4(out, protocol, payload(40)));
      lab.seconds(50);
      lab.outbound(ipv4(out, protocol, payload(40)));
      for (let i = 0; i < 5; i++) {
        lab.seconds(10);
        // What the remote host goes on sending does not hold it.
        t.is(lab.inbound(ipv4(back, protocol, payload(40))).read.destination, HOST);
        t.is(lab.outbound(second).verdict, DROP_PROTOCOL);
      }
      lab.seconds(10);
      t.is(lab.outbound(second).verdict, PASS);
      t.is(lab.inbound(ipv4(back, protocol, payload(40))).read.destination, HOST_2);
      t.is(lab.outbound(ipv4(out, protocol, payload(40))).verdict, DROP_PROTOCOL, 'now the first waits');
      t.is(plane.masqueradeCount(), 1);
      // Silent for longer than the ticks' sign lasts, while its remote host goes on.
      puti32(entryAt(1) + E_SENT, (lab.now + 0x7fffff00) | 0);
      t.is(lab.outbound(ipv4(out, protocol, payload(40))).verdict, PASS);
    }
  });

  it('profile classic: a port of the range for each session, answers from its endpoint only', t => {
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    const ports = [53, 54, 55].map(port => lab.outbound(udp(out, 1043, port)).read.sourcePort);
    t.is(new Set(ports).size, 3);
    for (const port of ports) t.true(port >= 61000 && port <= 65095);
    t.is(lab.inbound(udp(back, 53, ports[0] as number)).read.destinationPort, 1043);
    t.is(lab.inbound(udp(back, 54, ports[0] as number)).verdict, DROP_FILTERED);
    const identifier = lab.outbound(echo(out, 8, 1)).read.identifier;
    t.true(identifier >= 61000 && identifier <= 65095);
  });

  it('a change of profile leaves the sessions that are there as they are', t => {
    const before = lab.outbound(udp(out, 1043, 53)).read.sourcePort;
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    t.is(lab.outbound(udp(out, 1043, 53)).read.sourcePort, before);
    const classic = lab.outbound(udp(out, 1043, 54)).read.sourcePort;
    t.true(classic >= 61000);
    lab.set(NAT_PROFILE, 0);
    t.is(lab.outbound(udp(out, 1043, 55)).read.sourcePort, before, 'the mapping, not the classic session');
    t.is(lab.outbound(udp(out, 1043, 54)).read.sourcePort, classic);
  });

  it('a stranger gets no second session with an endpoint that the inside already talks to otherwise', t => {
    lab.outbound(udp(out, 1043, 53));
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    lab.outbound(udp(out, 1043, 54));
    lab.set(NAT_PROFILE, 0);
    t.is(lab.inbound(udp(back, 54, 1043)).verdict, DROP_UNSOLICITED);
    t.is(lab.inbound(udp(back, 55, 1043)).verdict, PASS);
  });

  it('masqueradeForgetAddress() ends the sessions of that outside address only', t => {
    lab.outbound(udp(out, 1043, 53));
    lab.outbound(udp(out, 1044, 53));
    configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, address(WAN_2), address('255.255.255.0'), 1500);
    t.is(lab.outbound(udp(out, 1043, 54)).read.source, WAN_2);
    t.is(lab.outbound(udp(out, 1043, 53)).read.source, WAN, 'a session keeps its address');
    t.is(plane.masqueradeCount(), 3);
    plane.masqueradeForgetAddress(address(WAN));
    lab.clearUp(1);
    t.is(plane.masqueradeCount(), 1);
    t.is(lab.outbound(udp(out, 1043, 53)).read.source, WAN_2);
    t.is(lab.inbound(udp({ source: SERVER, destination: WAN }, 53, 1044)).verdict, LOCAL);
  });

  it('masqueradeFlush() ends all; an interface without an address masquerades nothing', t => {
    for (let port = 1; port < 300; port++) lab.outbound(udp(out, port, 53));
    plane.masqueradeFlush();
    t.is(lab.inbound(udp(back, 53, 5)).verdict, LOCAL, 'at once');
    lab.clearUp(0);
    t.is(plane.masqueradeCount(), 0);
    configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, 0, 0, 1500);
    t.is(lab.outbound(udp(out, 1, 53)).verdict, DROP_INTERFACE_DOWN);
  });

  it('the packet learns its entry and that it was translated', t => {
    lab.outbound(udp(out, 1, 53));
    lab.outbound(udp(out, 2, 53));
    // The lab's packet is still in its buffer.
    t.is(i32at(lab.packet + PACKET_FLOW), entryAt(2));
    t.is(entryAt(2) - MASQUERADE_AT, MASQUERADE_BYTES);
    t.is(plane.masqueradePortUsed(17, 2, address(WAN)), 1);
    t.is(plane.masqueradePortUsed(6, 2, address(WAN)), 0);
    t.is(plane.masqueradePortUsed(17, 2, address(WAN_2)), 0);
  });
}
