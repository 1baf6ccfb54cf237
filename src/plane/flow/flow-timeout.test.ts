import test from 'ava';
import { HOST, Lab, SERVER, SERVER_2, WAN } from '../../../test/masquerade-lab.ts';
import { ACK, echo, FIN, ipv4, PSH, payload, RST, SYN, tcp, udp } from '../../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { NOW_AT } from '../../base/cells.ts';
import { COUNT_MASQUERADE_EXPIRED } from '../../base/counters.ts';
import { E_EXPIRES, E_STATE, entryAt } from '../../base/flow-record.ts';
import { MASQUERADE_COUNT, MASQUERADE_END_LIMIT } from '../../base/limits.ts';
import { get8, i32at, puti32 } from '../../base/memory.ts';
import { LOCAL, PACKET_FLOW, PASS } from '../../base/packet.ts';
import { FILTER_ENDPOINT, NAT_FILTER, NAT_PROFILE, PROFILE_CLASSIC, RFC_UDP } from '../../base/parameters.ts';
import { numberOf } from './flow-table.ts';
import { RFC_ESTABLISHED, RFC_INIT_OUT, RFC_TRANS } from './tcp-rfc.ts';

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
  const secondsLeft = (n = 1) => (i32at(entryAt(n) + E_EXPIRES) - lab.now) / 100;
  const state = (n = 1) => get8(entryAt(n) + E_STATE);
  const send = (flags: number, sequence = 1000, acknowledgment = 0, data: Uint8Array = new Uint8Array(0)) =>
    lab.outbound(tcp(out, { sourcePort: 1043, destinationPort: 80, flags, sequence, acknowledgment }, data));
  const hear = (
    flags: number,
    sequence = 5000,
    acknowledgment = 0,
    data: Uint8Array = new Uint8Array(0),
    port = 1043,
  ) =>
    lab.inbound(tcp(back, { sourcePort: 80, destinationPort: port, flags, sequence, acknowledgment }, data));
  const open = () => {
    send(SYN);
    hear(SYN | ACK, 5000, 1001);
    send(ACK, 1001, 5001);
  };

  it('profile rfc: the timers of RFC 4787, 5382 and 5508', t => {
    lab.outbound(udp(out, 1, 53));
    lab.outbound(echo(out, 8, 7));
    lab.outbound(ipv4(out, 47, payload(8)));
    t.is(secondsLeft(1), 300);
    t.is(secondsLeft(2), 60);
    t.is(secondsLeft(3), 300);
    open();
    t.is(secondsLeft(4), 7440);
    send(FIN | ACK, 1001, 5001);
    t.is(secondsLeft(4), 7440, 'half closed');
    hear(FIN | ACK, 5001, 1002);
    t.is(secondsLeft(4), 240);
  });

  it("profile classic: 2.2's timers", t => {
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    const port = send(SYN).read.sourcePort;
    t.is(secondsLeft(), 120);
    hear(SYN | ACK, 5000, 1001, new Uint8Array(0), port);
    t.is(secondsLeft(), 900);
    send(FIN | ACK, 1001, 5001);
    t.is(secondsLeft(), 120);
    hear(RST, 5001, 0, new Uint8Array(0), port);
    t.is(secondsLeft(), 10);
    lab.outbound(udp(out, 1, 53));
    t.is(secondsLeft(2), 300);
    lab.outbound(echo(out, 8, 7));
    t.is(secondsLeft(3), 60);
  });

  it('an entry lives to its last tick and ends within a second after it', t => {
    lab.outbound(udp(out, 1, 53));
    lab.ticks(300 * 100 - 1);
    t.is(plane.masqueradeCount(), 1);
    lab.ticks(101);
    t.is(plane.masqueradeCount(), 0);
    t.is(lab.counter(COUNT_MASQUERADE_EXPIRED), 1);
    t.is(lab.inbound(udp(back, 53, 1)).verdict, LOCAL);
  });

  it('a full table is visited about once a second, and all of it expires, MASQUERADE_END_LIMIT a tick', t => {
    lab.verify = false;
    for (let i = 0; i < MASQUERADE_COUNT; i++) {
      lab.outbound(udp({ source: `192.168.0.${2 + (i % 100)}`, destination: SERVER }, 1000 + i, 53));
    }
    const made = plane.masqueradeCount();
    t.is(made, MASQUERADE_COUNT);
    puti32(NOW_AT, lab.now + 300 * 100);
    for (let i = 1; plane.masqueradeCount() > 0 && i < 600; i++) {
      plane.masqueradeTick();
      t.is(plane.masqueradeCount(), Math.max(0, made - i * MASQUERADE_END_LIMIT));
    }
    for (let i = 0; i < 2; i++) plane.masqueradeTick();
    // With the table empty the round is short again: a late single entry is found at once.
    lab.outbound(udp(out, 1, 53));
    puti32(NOW_AT, lab.now + 300 * 100);
    for (let i = 0; i < 101; i++) plane.masqueradeTick();
    t.is(plane.masqueradeCount(), 0);
  });

  it('outbound packets refresh; inbound ones too where the inside has sent (RFC 4787, REQ-6)', t => {
    lab.outbound(udp(out, 1, 53));
    lab.seconds(100);
    t.is(secondsLeft(), 200);
    lab.outbound(udp(out, 1, 53));
    t.is(secondsLeft(), 300);
    lab.seconds(100);
    lab.inbound(udp(back, 53, 1));
    t.is(secondsLeft(), 300);
    lab.seconds(100);
    lab.inbound(udp(back, 54, 9));
    lab.set(NAT_FILTER, 2);
    lab.inbound(udp(back, 54, 1));
    t.is(secondsLeft(), 200, 'what the filter refuses does not refresh');
  });

  it('a stranger neither prolongs his session nor the mapping', t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    lab.outbound(udp(out, 1, 53));
    lab.seconds(100);
    const from = { source: SERVER_2, destination: WAN };
    t.is(lab.inbound(udp(from, 9, 1)).verdict, PASS);
    t.is(secondsLeft(2), 200, 'no longer than the session that let him in');
    lab.seconds(50);
    t.is(lab.inbound(udp(from, 9, 1)).verdict, PASS);
    t.is(secondsLeft(2), 150);
    t.is(lab.inbound(udp(from, 10, 1)).verdict, PASS);
    lab.seconds(151);
    t.is(plane.masqueradeCount(), 0);
    lab.outbound(udp(out, 1, 53));
    lab.inbound(udp(from, 9, 1));
    lab.seconds(100);
    lab.outbound(udp({ source: HOST, destination: SERVER_2 }, 1, 9));
    t.is(secondsLeft(numberOf(i32at(lab.packet + PACKET_FLOW) & ~1)), 300, 'until the inside answers');
  });

  it("a stranger's SYN too is bound by the session that let him in", t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    send(SYN);
    lab.seconds(100);
    const from = { source: SERVER_2, destination: WAN };
    t.is(lab.inbound(tcp(from, { sourcePort: 9, destinationPort: 1043, flags: SYN })).verdict, PASS);
    t.is(secondsLeft(2), 140);
    t.is(lab.inbound(tcp(from, { sourcePort: 9, destinationPort: 1043, flags: SYN })).verdict, PASS);
    t.is(secondsLeft(2), 140);
  });

  it('an established session that is idle too long passes through TRANS (RFC 7857, Figure 1)', t => {
    open();
    lab.seconds(7440);
    t.is(state(), RFC_TRANS);
    t.is(secondsLeft(), 240);
    t.is(hear(ACK | PSH, 5001, 1001, payload(3)).verdict, PASS);
    t.is(state(), RFC_ESTABLISHED, 'data brings it back');
    lab.seconds(7440);
    lab.seconds(240);
    t.is(plane.masqueradeCount(), 0);
  });

  it('an RST ends a session in four minutes, not before, and does not refresh (RFC 7857, section 2.2)', t => {
    open();
    hear(RST, 5001);
    t.is(state(), RFC_TRANS);
    t.is(secondsLeft(), 240);
    lab.seconds(100);
    t.is(hear(RST, 5001).verdict, PASS);
    t.is(send(RST, 1001).verdict, PASS);
    t.is(secondsLeft(), 140);
    lab.seconds(139);
    t.is(plane.masqueradeCount(), 1);
    lab.seconds(1);
    t.is(plane.masqueradeCount(), 0);
  });

  it('a port used again after its connection has ended opens anew', t => {
    open();
    hear(RST, 5001);
    send(SYN, 90_000);
    t.is(state(), RFC_INIT_OUT);
    t.is(secondsLeft(), 240);
    hear(SYN | ACK, 7000, 90_001);
    t.is(state(), RFC_ESTABLISHED);
    t.is(plane.masqueradeCount(), 1);
  });

  it('a timer that is changed holds from the next packet on', t => {
    lab.outbound(udp(out, 1, 53));
    lab.set(RFC_UDP, 12_000);
    t.is(secondsLeft(), 300);
    lab.outbound(udp(out, 1, 53));
    t.is(secondsLeft(), 120);
  });

  it('time wraps at 2^31 and 2^32 ticks', t => {
    for (const start of [0x7fffff00, -0x100]) {
      lab.reset();
      puti32(NOW_AT, start | 0);
      lab.outbound(udp(out, 1, 53));
      lab.seconds(299);
      t.is(plane.masqueradeCount(), 1);
      lab.seconds(2);
      t.is(plane.masqueradeCount(), 0);
    }
  });
}
