import test from 'ava';
import fc from 'fast-check';
import {
  BUFFER,
  BUFFER_ROOM,
  bytesOf,
  hexOf,
  LineLab,
  lineBuilds,
  meteredLine,
  SOURCE,
  VJ_IN,
  VJ_OUT,
} from '../../../test/line-lab.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { VJ_BYTES, VJ_HEADER_MOST, VJ_SLOT_COUNT } from '../../base/line-limits.ts';
import { i32at } from '../../base/memory.ts';
import { PPP_IP, PPP_VJ_COMPRESSED, PPP_VJ_UNCOMPRESSED } from '../../wire/ppp.ts';
import { VJ_AT, VJ_COMPRESSED, VJ_ERRORS, VJ_LENGTH, VJ_PACKETS, VJ_TOSSED, VJ_UNCOMPRESSED } from './vj.ts';
import { VECTORS } from './vj-vectors-lab.ts';

interface Sent {
  protocol: number;
  bytes: number[];
}

/** A segment: a header of 40 bytes and more. */
interface Segment {
  connection?: number;
  id: number;
  sequence: number;
  acknowledgment: number;
  flags?: number;
  window?: number;
  urgent?: number;
  data?: number;
  ttl?: number;
  options?: string;
  ipOptions?: string;
}

const PSH = 8;
const ACK = 16;
const URG = 32;
const hex = (value: number, digits: number) => (value >>> 0).toString(16).padStart(8, '0').slice(-digits);

function sum(bytes: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += ((bytes[i] as number) << 8) | (bytes[i + 1] as number);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

function segment(s: Segment): number[] {
  const options = bytesOf(s.options ?? '');
  const ipOptions = bytesOf(s.ipOptions ?? '');
  const data = Array.from({ length: s.data ?? 0 }, (_, i) => i & 255);
  const ipBytes = 20 + ipOptions.length;
  const tcpBytes = 20 + options.length;
  const ip = bytesOf(
    `4${hex(ipBytes / 4, 1)}00${hex(ipBytes + tcpBytes + data.length, 4)}${hex(s.id, 4)}4000${hex(s.ttl ?? 64, 2)}06` +
      `00000a010203c6336407`,
  );
  ip.push(...ipOptions);
  const check = sum(ip);
  ip[10] = check >> 8;
  ip[11] = check & 255;
  const tcp = bytesOf(
    `${hex(1024 + (s.connection ?? 0), 4)}0017${hex(s.sequence, 8)}${hex(s.acknowledgment, 8)}` +
      `${hex(tcpBytes / 4, 1)}0${hex(s.flags ?? ACK, 2)}${hex(s.window ?? 8192, 4)}1234${hex(s.urgent ?? 0, 4)}`,
  );
  return [...ip, ...tcp, ...options, ...data];
}

for (const build of await lineBuilds()) {
  const lab = new LineLab(build);
  const { plane, memory } = build;
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.true(lab.isGuarded(), 'something was written beside the buffer');
    });
  const slots = (count: number, mayOmit = 0) => {
    build.use();
    plane.vjReset(VJ_OUT, count, mayOmit);
    plane.vjReset(VJ_IN, count, mayOmit);
  };
  const counter = (state: number, offset: number) => {
    build.use();
    return i32at(state + offset);
  };
  const compress = (packet: readonly number[]): Sent => {
    build.use();
    memory.set(packet, SOURCE);
    const protocol = plane.vjCompress(VJ_OUT, SOURCE, packet.length);
    const at = i32at(VJ_OUT + VJ_AT);
    return { protocol, bytes: [...memory.subarray(at, at + i32at(VJ_OUT + VJ_LENGTH))] };
  };
  const uncompress = ({ protocol, bytes }: Sent, room = BUFFER_ROOM): number[] | undefined => {
    if (protocol === PPP_IP) return bytes;
    build.use();
    memory.set(bytes, BUFFER);
    const done =
      protocol === PPP_VJ_COMPRESSED
        ? plane.vjUncompress(VJ_IN, BUFFER, bytes.length, room)
        : plane.vjWhole(VJ_IN, BUFFER, bytes.length);
    if (done === 0) return undefined;
    const at = i32at(VJ_IN + VJ_AT);
    return [...memory.subarray(at, at + i32at(VJ_IN + VJ_LENGTH))];
  };
  /** There and back. */
  const pass = (t: import('ava').ExecutionContext, packet: readonly number[]): Sent => {
    const sent = compress(packet);
    t.is(hexOf(uncompress(sent) ?? []), hexOf(packet));
    return sent;
  };

  it('compresses and uncompresses as the reference does', t => {
    for (const mayOmit of [0, 1]) {
      slots(16, mayOmit);
      for (const [name, protocol, packet, said, omitted] of VECTORS) {
        const sent = compress(bytesOf(packet));
        const expected = (mayOmit === 1 ? omitted : '') || said || packet;
        t.is(sent.protocol, protocol, name);
        t.is(hexOf(sent.bytes), expected, name);
        t.is(hexOf(uncompress(sent) ?? []), packet, name);
      }
      t.is(counter(VJ_IN, VJ_ERRORS) + counter(VJ_IN, VJ_TOSSED), 0);
      t.is(counter(VJ_OUT, VJ_COMPRESSED), counter(VJ_IN, VJ_COMPRESSED));
      t.is(counter(VJ_OUT, VJ_PACKETS), counter(VJ_IN, VJ_COMPRESSED) + counter(VJ_IN, VJ_UNCOMPRESSED));
    }
  });

  it('any segments of any connections come through as they were, with few slots and many', t => {
    const one = fc.record({
      connection: fc.integer({ min: 0, max: 5 }),
      id: fc.integer({ min: 0, max: 3 }),
      sequence: fc.constantFrom(0, 1, 100, 255, 256, 65535, 65536, -5),
      acknowledgment: fc.constantFrom(0, 0, 1, 100, 256, 65535, 65536, -5),
      flags: fc.constantFrom(ACK, ACK | PSH, ACK | URG, ACK | URG | PSH, ACK | 0x40, ACK | 1, 2),
      window: fc.constantFrom(8192, 8192, 8000, 0, 65535),
      urgent: fc.constantFrom(0, 0, 1, 700),
      data: fc.constantFrom(0, 1, 100, 1200),
      ttl: fc.constantFrom(64, 64, 64, 63),
      options: fc.constantFrom('', '', '0101080a0000000100000002'),
      ipOptions: fc.constantFrom('', '', '', '01010101'),
    });
    const property = fc.property(
      fc.array(one, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 0, max: 1 }),
      (all, count, mayOmit) => {
        slots(count, mayOmit);
        const at = new Map<number, Segment>();
        for (const next of all) {
          const last = at.get(next.connection) ?? { id: 0, sequence: 0x7fffff00, acknowledgment: 0xffffff00 };
          const now = {
            ...next,
            id: last.id + next.id,
            sequence: last.sequence + next.sequence,
            acknowledgment: last.acknowledgment + next.acknowledgment,
          };
          at.set(next.connection, now);
          pass(t, segment(now));
        }
      },
    );
    fc.assert(property, { seed: runSeed(), numRuns: 60 });
  });

  it('a damaged frame costs what does not say its connection, until one does', t => {
    slots(16, 1);
    const flow = (connection: number, n: number) =>
      segment({ connection, id: n, sequence: 100 * n, acknowledgment: 1, data: 100 });
    pass(t, flow(0, 1));
    pass(t, flow(1, 1));
    t.is(pass(t, flow(1, 2)).protocol, PPP_VJ_COMPRESSED);
    compress(flow(1, 3)); // lost on the line
    plane.vjToss(VJ_IN);
    for (let n = 4; n < 7; n++) t.is(uncompress(compress(flow(1, n))), undefined);
    t.is(counter(VJ_IN, VJ_TOSSED), 3);
    const other = compress(flow(0, 2));
    t.is((other.bytes[0] as number) & 0x40, 0x40, 'another connection says its number');
    t.is(hexOf(uncompress(other) ?? []), hexOf(flow(0, 2)));
    // The one that lost a packet is right again when it is sent whole, as it is when it is sent again.
    const again = compress(flow(1, 3));
    t.is(again.protocol, PPP_VJ_UNCOMPRESSED);
    t.is(hexOf(uncompress(again) ?? []), hexOf(flow(1, 3)));
    pass(t, flow(1, 4));
  });

  it('one connection more than there are slots takes the place of the one that was silent longest', t => {
    slots(3);
    const flow = (connection: number, n: number) =>
      segment({ connection, id: n, sequence: n, acknowledgment: 1, data: 1 });
    for (const connection of [0, 1, 2]) t.is(pass(t, flow(connection, 1)).bytes[9], connection);
    t.is(pass(t, flow(0, 2)).protocol, PPP_VJ_COMPRESSED);
    t.is(pass(t, flow(3, 1)).bytes[9], 1);
    t.is(pass(t, flow(0, 3)).protocol, PPP_VJ_COMPRESSED);
    t.is(pass(t, flow(2, 2)).protocol, PPP_VJ_COMPRESSED);
    t.is(pass(t, flow(1, 2)).bytes[9], 1, 'that of connection 3');
  });

  it('what is no segment of an open connection goes as it is', t => {
    const good = segment({ id: 1, sequence: 1, acknowledgment: 1, data: 4 });
    const changed = (at: number, value: number) => good.map((byte, i) => (i === at ? value : byte));
    for (const [packet, what] of [
      [changed(9, 17), 'UDP'],
      [changed(6, 0x20), 'a first fragment'],
      [changed(7, 1), 'a later fragment'],
      [changed(33, ACK | 1), 'FIN'],
      [changed(33, ACK | 2), 'SYN'],
      [changed(33, ACK | 4), 'RST'],
      [changed(33, 0), 'no ACK'],
      [changed(0, 0x65), 'another version'],
      [changed(0, 0x44), 'a header too short'],
      [changed(0, 0x4f), 'a header longer than the datagram'],
      [changed(32, 0x40), 'a TCP header too short'],
      [changed(32, 0xf0), 'a TCP header longer than the segment'],
      [changed(3, 99), 'a length that is not the frame’s'],
      [good.slice(0, 39), 'cut'],
    ] as [number[], string][]) {
      const sent = compress(packet);
      t.is(sent.protocol, PPP_IP, what);
      t.is(hexOf(sent.bytes), hexOf(packet), what);
    }
  });

  it('flags that a compressed header cannot say make it go whole: ECN’s', t => {
    const flow = (n: number, flags: number) =>
      segment({ id: n, sequence: n, acknowledgment: 1, data: 1, flags });
    pass(t, flow(1, ACK));
    t.is(pass(t, flow(2, ACK | 0x40)).protocol, PPP_VJ_UNCOMPRESSED);
    t.is(pass(t, flow(3, ACK | 0x40)).protocol, PPP_VJ_COMPRESSED);
    t.is(pass(t, flow(4, ACK | 0x80)).protocol, PPP_VJ_UNCOMPRESSED);
  });

  // Faults that others had.
  it('a whole header that is cut anywhere is refused (pppd before 2.3: it was copied from behind the packet)', t => {
    const packet = segment({
      id: 1,
      sequence: 1,
      acknowledgment: 1,
      options: '0101080a0000000100000002',
      ipOptions: '01010101',
    });
    packet[9] = 3;
    for (let length = 0; length < packet.length; length++) {
      t.is(
        uncompress({ protocol: PPP_VJ_UNCOMPRESSED, bytes: packet.slice(0, length) }),
        undefined,
        `${length}`,
      );
    }
    t.is(counter(VJ_IN, VJ_ERRORS), packet.length);
    t.not(uncompress({ protocol: PPP_VJ_UNCOMPRESSED, bytes: packet }), undefined);
  });

  it('a whole header longer than a slot, or of a slot that is not there, is refused', t => {
    slots(4);
    const packet = segment({ id: 1, sequence: 1, acknowledgment: 1, data: 200 });
    const changed = (...changes: [at: number, value: number][]) => {
      const bytes = [...packet];
      for (const [at, value] of changes) bytes[at] = value;
      return { protocol: PPP_VJ_UNCOMPRESSED, bytes };
    };
    t.is(uncompress(changed([9, 4])), undefined);
    t.is(uncompress(changed([9, 255])), undefined);
    t.is(uncompress(changed([9, 3], [0, 0x41])), undefined);
    t.is(uncompress(changed([9, 3], [32, 0x10])), undefined);
    t.is(uncompress(changed([9, 3], [3, 20])), undefined, 'a length within the header');
    t.is(uncompress(changed([9, 3], [2, 255])), undefined, 'a length behind the packet');
    const before = memory.slice(VJ_IN + VJ_BYTES, VJ_IN + VJ_BYTES + 256);
    t.not(uncompress(changed([9, 3], [0, 0x4f], [32 + 40, 0xf0])), undefined, `${VJ_HEADER_MOST} bytes`);
    t.deepEqual(memory.slice(VJ_IN + VJ_BYTES, VJ_IN + VJ_BYTES + 256), before);
  });

  it('a compressed header that is cut, of no connection or too long for the room is refused, and changes nothing', t => {
    const flow = (n: number, data: number) =>
      segment({ id: n * n, sequence: 300 * n, acknowledgment: 1000 * n, data, window: 1000 * n });
    pass(t, flow(1, 10));
    const sent = compress(flow(2, 0));
    t.is(sent.bytes.length, 4 + 4 * 3 - 2);
    for (let length = 0; length < sent.bytes.length; length++)
      t.is(uncompress({ ...sent, bytes: sent.bytes.slice(0, length) }), undefined, `${length}`);
    for (const slot of [1, 15, 16, 255])
      t.is(uncompress({ ...sent, bytes: sent.bytes.map((byte, i) => (i === 1 ? slot : byte)) }), undefined);
    t.is(uncompress(sent, 39), undefined);
    t.is(hexOf(uncompress(sent, 40) ?? []), hexOf(flow(2, 0)));
    const full = compress(flow(3, 1400));
    t.is(uncompress(full, 1439), undefined);
    t.is(uncompress(full, 1440)?.length, 1440);
  });

  it('before any header came whole, compressed ones are nothing', t => {
    for (let first = 0; first < 256; first++)
      t.is(uncompress({ protocol: PPP_VJ_COMPRESSED, bytes: [first, 0, 1, 2, 3] }), undefined);
    t.is(counter(VJ_IN, VJ_ERRORS), 128);
    t.is(counter(VJ_IN, VJ_TOSSED), 128);
  });

  it('whatever comes, nothing is written but the datagram and the state', t => {
    slots(2);
    const start = segment({ id: 1, sequence: 1, acknowledgment: 1, options: '0101080a0000000100000002' });
    start[9] = 1;
    const property = fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 100 })), { maxLength: 30 }),
      fc.integer({ min: 40, max: BUFFER_ROOM }),
      (all, room) => {
        lab.reset();
        uncompress({ protocol: PPP_VJ_UNCOMPRESSED, bytes: start });
        const around = () =>
          Buffer.concat([memory.subarray(0, VJ_IN), memory.subarray(VJ_IN + VJ_BYTES, BUFFER)]);
        const before = around();
        for (const [isCompressed, bytes] of all) {
          const protocol = isCompressed ? PPP_VJ_COMPRESSED : PPP_VJ_UNCOMPRESSED;
          const done = uncompress({ protocol, bytes: [...bytes] }, room);
          if (done !== undefined && done.length > Math.max(room, bytes.length)) return false;
        }
        return around().equals(before) && lab.isGuarded();
      },
    );
    fc.assert(property, { seed: runSeed(), numRuns: 200 });
    t.pass();
  });
}

test.serial('what a packet costs, at most', async t => {
  const build = await meteredLine();
  const lab = new LineLab(build);
  const { plane, memory } = build;
  const operations = build.operations as (call: () => void) => number;
  lab.reset();
  const options = '0101080a0000000100000002'.padEnd(80, '01');
  const flow = (connection: number, n: number) =>
    segment({
      connection,
      id: 5 * n,
      sequence: 300 * n,
      acknowledgment: 300 * n,
      window: n,
      options,
      ipOptions: options,
    });
  let most = 0;
  let least = 1e9;
  let back = 0;
  for (let n = 1; n < 4; n++) {
    for (let connection = 0; connection <= VJ_SLOT_COUNT; connection++) {
      memory.set(flow(connection, n), SOURCE);
      const cost = operations(() => plane.vjCompress(VJ_OUT, SOURCE, 120));
      most = Math.max(most, cost);
      least = Math.min(least, cost);
    }
  }
  lab.reset();
  for (let n = 1; n < 4; n++) {
    memory.set(flow(0, n), SOURCE);
    const protocol = plane.vjCompress(VJ_OUT, SOURCE, 120);
    const at = i32at(VJ_OUT + VJ_AT);
    const length = i32at(VJ_OUT + VJ_LENGTH);
    memory.copyWithin(BUFFER, at, at + length);
    const call = () =>
      protocol === PPP_VJ_COMPRESSED
        ? plane.vjUncompress(VJ_IN, BUFFER, length, BUFFER_ROOM)
        : plane.vjWhole(VJ_IN, BUFFER, length);
    back = Math.max(
      back,
      operations(() => t.is(call(), 1)),
    );
  }
  t.log(`${least} to ${most} operations to compress, ${back} to uncompress`);
  t.true(most < 1500 && back < 1000);
});
