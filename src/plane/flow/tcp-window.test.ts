import test from 'ava';
import { HOST, Lab, SERVER, WAN } from '../../../test/masquerade-lab.ts';
import { ACK, FIN, PSH, payload, RST, SYN, tcp } from '../../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { E_EXPIRES, E_STATE, entryAt } from '../../base/flow-record.ts';
import { get8, i32at } from '../../base/memory.ts';
import { PASS } from '../../base/packet.ts';
import { NAT_PROFILE, PROFILE_CLASSIC } from '../../base/parameters.ts';
import {
  RFC_BOTH_FIN,
  RFC_CLIENT_FIN,
  RFC_ESTABLISHED,
  RFC_INIT_IN,
  RFC_INIT_OUT,
  RFC_SERVER_FIN,
  RFC_TRANS,
} from './tcp-rfc.ts';

const NONE: Uint8Array = new Uint8Array(0);
const out = { source: HOST, destination: SERVER };
const back = { source: SERVER, destination: WAN };
/** Window scale options, padded: shift by 7. */
const SCALE_7 = [1, 3, 3, 7];

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const lab = new Lab(build);
  const { plane } = build;
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.is(plane.masqueradeCheck(), 0);
    });
  const state = () => get8(entryAt(1) + E_STATE);
  const secondsLeft = () => (i32at(entryAt(1) + E_EXPIRES) - lab.now) / 100;
  let outsidePort = 1043;
  const send = (flags: number, sequence: number, acknowledgment = 0, data = NONE, options: number[] = []) => {
    const header = { sourcePort: 1043, destinationPort: 80, flags, sequence: sequence | 0, options };
    const sent = lab.outbound(tcp(out, { ...header, acknowledgment: acknowledgment | 0 }, data));
    outsidePort = sent.read.sourcePort;
    return sent;
  };
  const hear = (flags: number, sequence: number, acknowledgment = 0, data = NONE, options: number[] = []) => {
    const header = { sourcePort: 80, destinationPort: outsidePort, flags, sequence: sequence | 0, options };
    return lab.inbound(tcp(back, { ...header, acknowledgment: acknowledgment | 0 }, data));
  };
  /** A connection whose inside has sent up to `inside`, and its outside up to `outside`. */
  const open = (inside = 1001, outside = 5001, options: number[] = []) => {
    send(SYN, inside - 1, 0, NONE, options);
    hear(SYN | ACK, outside - 1, inside, NONE, options);
    send(ACK, inside, outside);
  };
  const BOTH = [0, PROFILE_CLASSIC];

  it('an inbound RST counts near what the inside expects, whatever the numbers', t => {
    for (const profile of BOTH) {
      for (const expected of [0x00005001, 0x7fff0000, 0xffffffff, 0x00000000, 0x80000000]) {
        for (const [distance, counts] of [
          [0, true],
          [-1, true],
          [1, true],
          [2048, true],
          [-2048, true],
          [2049, false],
          [-2049, false],
          [0xffff, false],
          [0x10000, false],
          [-0x10000, false],
          [0x40000000, false],
          [0x80000000, false],
        ] as [number, boolean][]) {
          lab.reset();
          lab.set(NAT_PROFILE, profile);
          open(1001, expected);
          t.is(hear(RST, expected + distance).verdict, PASS, 'the host judges for itself');
          t.is(state() !== RFC_ESTABLISHED, counts, `${distance} from ${expected}`);
        }
      }
    }
  });

  it('an outbound RST counts near what the outside expects', t => {
    for (const [distance, counts] of [
      [0, true],
      [2048, true],
      [2049, false],
      [-2049, false],
      [0x50000000, false],
    ] as [number, boolean][]) {
      lab.reset();
      open();
      t.is(send(RST, 1001 + distance).verdict, PASS);
      t.is(state() === RFC_TRANS, counts, `${distance}`);
    }
  });

  it('blind RSTs and FINs from all over the space do nothing', t => {
    open();
    lab.verify = false;
    let hits = 0;
    // Every 2^20 bytes, from a place that no step hits by luck.
    for (let i = 0; i < 4096; i++) {
      const guess = 5001 + 70000 + i * 0x100000;
      for (const flags of [RST, FIN | ACK]) {
        hear(flags, guess, i * 0x100000);
        if (state() !== RFC_ESTABLISHED) hits++;
      }
    }
    t.is(hits, 0);
    t.is(secondsLeft(), 7440);
  });

  it('an RST counts behind four segments under way, and behind more when they are acknowledged', t => {
    for (const [bytes, counts] of [
      [4 * 1460, true],
      [6 * 1460, false],
      [137 * 1460, false],
    ] as [number, boolean][]) {
      lab.reset();
      open(1001, 5001, SCALE_7);
      for (let at = 0; at < bytes; at += 1460) hear(ACK, 5001 + at, 1001, payload(1460));
      t.is(hear(RST, 5001 + bytes).verdict, PASS);
      t.is(state(), counts ? RFC_TRANS : RFC_ESTABLISHED, `${bytes}`);
      if (counts) continue;
      send(ACK, 1001, 5001 + bytes);
      hear(RST, 5001 + bytes);
      t.is(state(), RFC_TRANS);
    }
  });

  it('forged acknowledgments of which one is near do not make the place of an RST wider', t => {
    const [inside, outside] = [0x3a7b91c5, 0x91234567 | 0];
    open(inside, outside, [3, 3, 8, 0]);
    lab.verify = false;
    const window = 0xffff << 8;
    const step = window - 4096;
    for (let acknowledgment = 0; acknowledgment < 2 ** 32; acknowledgment += 2 * step)
      for (let sequence = 0; sequence < 2 ** 32; sequence += step) hear(ACK, sequence, acknowledgment);
    for (let sequence = 0; sequence < 2 ** 32; sequence += step) hear(RST, sequence);
    t.is(state(), RFC_ESTABLISHED);
    hear(RST, outside);
    t.is(state(), RFC_TRANS);
  });

  it('the place follows a transfer, in both directions', t => {
    for (const profile of BOTH) {
      lab.reset();
      lab.set(NAT_PROFILE, profile);
      lab.verify = false;
      open();
      let [inside, outside] = [1001, 5001];
      for (let i = 0; i < 300; i++) {
        hear(ACK, outside, inside, payload(1460));
        outside += 1460;
        send(ACK, inside, outside, payload(1000));
        inside += 1000;
      }
      hear(RST, 5001);
      hear(FIN | ACK, 5001, 1001);
      send(RST, 1001);
      t.is(state(), RFC_ESTABLISHED);
      hear(ACK, outside, inside);
      hear(RST, outside);
      t.not(state(), RFC_ESTABLISHED);
    }
  });

  it('forged data do not move the place', t => {
    for (const [sequence, acknowledgment] of [
      [0x70000000, 1001],
      [5001, 0x70000000],
      [0x70000000, 0x70000000],
      [5001 + 0x10000, 1001],
    ] as [number, number][]) {
      lab.reset();
      open();
      hear(ACK | PSH, sequence, acknowledgment, payload(100));
      hear(RST, sequence === 5001 ? 0x10000 : sequence);
      t.is(state(), RFC_ESTABLISHED);
      send(ACK | PSH, 1001, 5001, payload(10));
      hear(ACK, 5001, 1011);
      hear(RST, 5001);
      t.is(state(), RFC_TRANS, 'and the true one counts');
    }
  });

  it('the window is that of the scale of the handshake, if both sides offer one', t => {
    const reach = (mine: number[], theirs: number[], distance: number) => {
      lab.reset();
      send(SYN, 1000, 0, NONE, mine);
      hear(SYN | ACK, 5000, 1001, NONE, theirs);
      send(ACK, 1001, 5001);
      // Data that far ahead count as near, so a FIN behind them does.
      hear(ACK, 5001 + distance, 1001, payload(100));
      hear(FIN | ACK, 5001 + distance + 100, 1001);
      return state() !== RFC_ESTABLISHED;
    };
    t.true(reach([], [], 60_000));
    t.false(reach([], [], 70_000));
    t.false(reach(SCALE_7, [], 70_000));
    t.false(reach([], SCALE_7, 70_000));
    t.true(reach(SCALE_7, SCALE_7, 70_000));
    t.true(reach(SCALE_7, [3, 3, 0, 0], 8_000_000));
    t.false(reach(SCALE_7, SCALE_7, 9_000_000));
    // Damaged options end the search: no scale.
    for (const options of [
      [3, 0, 0, 0],
      [3, 40, 1, 1],
      [1, 1, 1, 3],
      [2, 1, 3, 3],
      [0, 3, 3, 7],
    ])
      t.false(reach(options, SCALE_7, 70_000));
    t.true(reach([3, 3, 99, 0], SCALE_7, 900_000_000), 'more than 14 is 14');
  });

  it('the RST that refuses a SYN must acknowledge it, and so must the SYN,ACK', t => {
    const answered = (flags: number, acknowledgment: number) => {
      lab.reset();
      send(SYN, 0xfffffff0);
      hear(flags, 7, acknowledgment);
      return state() !== RFC_INIT_OUT;
    };
    t.true(answered(RST | ACK, 0xfffffff1));
    t.true(answered(RST | ACK, 0xfffffff0 + 1400), 'a SYN with data');
    t.true(answered(SYN | ACK, 0xfffffff1));
    for (const flags of [RST | ACK, SYN | ACK]) {
      t.false(answered(flags, 0xfffffff0));
      t.false(answered(flags, 0x12345678));
      t.false(answered(flags, 5000));
    }
    t.false(answered(RST, 0xfffffff1));
  });

  it('a forged SYN or SYN,ACK does not make a forged RST count', t => {
    for (const profile of BOTH) {
      for (const flags of [SYN, SYN | ACK]) {
        lab.reset();
        lab.set(NAT_PROFILE, profile);
        open();
        hear(flags, 0x70000000, 0x12345678);
        hear(RST, 0x70000001);
        t.is(state(), RFC_ESTABLISHED);
        hear(RST, 5001);
        t.not(state(), RFC_ESTABLISHED);
      }
    }
  });

  it('a forged SYN that crosses ours does not keep the true SYN,ACK from setting the place', t => {
    send(SYN, 1000);
    hear(SYN, 0x70000000);
    hear(SYN | ACK, 5000, 1001);
    send(ACK, 1001, 5001);
    hear(RST, 0x70000001);
    t.is(state(), RFC_ESTABLISHED);
    hear(RST, 5001);
    t.is(state(), RFC_TRANS);
  });

  it('data beyond a forged FIN undo it; data sent again before a true one do not', t => {
    open();
    hear(FIN | ACK, 5001, 1001);
    t.is(state(), RFC_SERVER_FIN);
    hear(ACK, 4901, 1001, payload(100));
    t.is(state(), RFC_SERVER_FIN, 'sent again');
    hear(ACK, 5002, 1001);
    t.is(state(), RFC_SERVER_FIN, 'no data');
    hear(ACK, 5001, 1001, payload(100));
    t.is(state(), RFC_ESTABLISHED);
    hear(FIN | ACK, 5101, 1001);
    send(FIN | ACK, 1001, 5102);
    t.is(state(), RFC_BOTH_FIN);
    t.is(secondsLeft(), 240);
    hear(ACK, 5101, 1002, payload(50));
    t.is(state(), RFC_CLIENT_FIN);
    t.is(secondsLeft(), 7440);
    send(ACK, 1001, 5151, payload(50));
    t.is(state(), RFC_ESTABLISHED);
  });

  it('a FIN may be ahead of lost segments, but not far, and its acknowledgment must be near', t => {
    for (const [sequence, acknowledgment, counts] of [
      [5001 + 4380, 1001, true],
      [5001 + 16384, 1001, true],
      [5001 + 16385, 1001, false],
      [5001 + 60000, 1001, false],
      [5001, 0x40000000, false],
    ] as [number, number, boolean][]) {
      lab.reset();
      open();
      t.is(hear(FIN | ACK, sequence, acknowledgment).verdict, PASS);
      t.is(state() === RFC_SERVER_FIN, counts, `${sequence}`);
    }
  });

  it('true data revive what a forged RST has ended; what is far from it does not, nor keeps it', t => {
    open();
    hear(RST, 5001);
    t.is(state(), RFC_TRANS);
    lab.seconds(100);
    hear(ACK | PSH, 0x70000000, 1001, payload(100));
    t.is(state(), RFC_TRANS);
    t.is(secondsLeft(), 140);
    hear(ACK | PSH, 5001, 1001, payload(100));
    t.is(state(), RFC_ESTABLISHED);
    t.is(secondsLeft(), 7440);
  });

  it('a forged SYN over an idle session costs nothing: its data go on', t => {
    open();
    lab.seconds(7440);
    t.is(state(), RFC_TRANS);
    hear(SYN, 0x70000000);
    t.is(state(), RFC_INIT_IN);
    hear(ACK | PSH, 5001, 1001, payload(100));
    send(ACK, 1001, 5101);
    hear(ACK | PSH, 5101, 1001, payload(100));
    t.is(state(), RFC_ESTABLISHED);
    t.is(secondsLeft(), 7440);
  });

  it('a SYN of the inside starts anew over each of the states that a vanished host leaves', t => {
    const states: [name: string, reach: () => void][] = [
      ['SERVER_FIN', () => hear(FIN | ACK, 5001, 1001)],
      ['CLIENT_FIN', () => send(FIN | ACK, 1001, 5001)],
      [
        'BOTH_FIN',
        () => {
          hear(FIN | ACK, 5001, 1001);
          send(FIN | ACK, 1001, 5002);
        },
      ],
      ['TRANS', () => hear(RST, 5001)],
    ];
    for (const [name, reach] of states) {
      lab.reset();
      open();
      reach();
      send(SYN, 900_000);
      t.is(state(), RFC_INIT_OUT, name);
      t.is(secondsLeft(), 240);
      hear(SYN | ACK, 700_000, 900_001);
      send(ACK, 900_001, 700_001);
      t.is(state(), RFC_ESTABLISHED, name);
      send(FIN | ACK, 900_001, 700_001);
      lab.seconds(400);
      t.is(
        hear(ACK | PSH, 700_001, 900_002, payload(100)).verdict,
        PASS,
        `${name}: half closed, 400 s later`,
      );
      t.is(state(), RFC_CLIENT_FIN);
      t.is(plane.masqueradeCount(), 1);
    }
  });

  it('a host that has restarted uses its port again over a living session', t => {
    open();
    send(SYN, 900_000);
    t.is(state(), RFC_ESTABLISHED, 'nobody knows yet');
    hear(SYN | ACK, 700_000, 900_001);
    send(ACK, 900_001, 700_001);
    hear(RST, 5001);
    t.is(state(), RFC_ESTABLISHED, 'the old place is no more');
    hear(RST, 700_001);
    t.is(state(), RFC_TRANS);
  });

  it('a session whose beginning was missed has its place by the first segment of the inside', t => {
    for (const profile of BOTH) {
      lab.reset();
      lab.set(NAT_PROFILE, profile);
      send(ACK | PSH, 1001, 5001, payload(10));
      hear(RST, 0x70000000);
      hear(ACK | PSH, 5001, 1011, payload(10));
      send(ACK, 1011, 5011);
      if (profile === 0) t.is(state(), RFC_ESTABLISHED);
      const before = state();
      hear(RST, 0x70000000);
      t.is(state(), before);
      hear(RST, 5011);
      t.not(state(), before);
    }
  });
}
