import test from 'ava';
import fc from 'fast-check';
import {
  BUFFER_ROOM,
  bytesOf,
  type Frame,
  hexOf,
  LINE,
  LineLab,
  lineBuilds,
  meteredLine,
  RING_BYTES,
} from '../../../test/line-lab.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import {
  LINE_ACFC,
  LINE_PFC,
  LINE_RX_ABORTS,
  LINE_RX_ACCM,
  LINE_RX_BYTES,
  LINE_RX_FCS_ERRORS,
  LINE_RX_FRAMES,
  LINE_RX_GIANTS,
  LINE_RX_HEADERS,
  LINE_RX_OVERRUNS,
  LINE_RX_RUNTS,
  LINE_TX_ACCM,
  LINE_TX_BYTES,
  LINE_TX_FRAMES,
  LINE_TX_LESS,
} from '../../base/line-record.ts';
import { PPP_IP, PPP_IPCP, PPP_LCP, PPP_PAP, PPP_VJ_COMPRESSED } from '../../wire/ppp.ts';

/** Protocol and information, and the frame as it is on a line. */
const VECTORS: [protocol: number, information: string, line: string][] = [
  [
    PPP_LCP,
    '01010014 020600000000 0506deadbeef 0702 0802',
    '7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d26deadbeef7d277d227d287d2252a57e',
  ],
  [PPP_LCP, '0901000812345678', '7eff7d23c0217d297d217d207d287d323456789e967e'],
  [PPP_LCP, '05020004', '7eff7d23c0217d257d227d207d2459287e'],
  [
    PPP_IPCP,
    '01010016 0306 00000000 8106 00000000 8306 00000000',
    '7eff7d2380217d217d217d207d367d237d267d207d207d207d20817d267d207d207d207d20837d267d207d207d207d206edb7e',
  ],
  [PPP_PAP, '0101000e 0475736572 0470617373', '7eff7d23c0237d217d217d207d2e7d24757365727d2470617373d8537e'],
];

for (const build of await lineBuilds()) {
  const lab = new LineLab(build);
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.true(lab.isGuarded(), 'something was written beside the buffer');
    });
  const one = (frames: Frame[]) => frames.map(({ protocol, bytes }) => [protocol, hexOf(bytes)]);

  it('sends and receives the frames of the reference', t => {
    for (const [protocol, information, line] of VECTORS) {
      const bytes = bytesOf(information);
      t.is(hexOf(lab.send(protocol, bytes)), line);
      t.deepEqual(one(lab.receive(bytesOf(line))), [[protocol, hexOf(bytes)]]);
    }
    t.is(lab.word(LINE_RX_FRAMES), VECTORS.length);
    t.is(lab.word(LINE_TX_FRAMES), VECTORS.length);
    const bytes = VECTORS.reduce((sum, [, information]) => sum + bytesOf(information).length, 0);
    t.is(lab.word(LINE_RX_BYTES), bytes);
    t.is(lab.word(LINE_TX_BYTES), bytes);
  });

  it('any frame comes through as it was, in any pieces, with any map and shortened header', t => {
    const anything = fc.record({
      protocol: fc.constantFrom(PPP_IP, PPP_VJ_COMPRESSED, PPP_IPCP, PPP_LCP, 0x4021),
      bytes: fc.uint8Array({ maxLength: 1500 }),
      accm: fc.integer(),
      less: fc.integer({ min: 0, max: 3 }),
      most: fc.integer({ min: 1, max: 64 }),
      room: fc.integer({ min: 1, max: 64 }),
      at: fc.constantFrom(0, -100, 0x7fffff80),
    });
    const property = fc.property(anything, ({ protocol, bytes, accm, less, most, room, at }) => {
      lab.reset();
      lab.positions(at);
      lab.set(LINE_TX_ACCM, accm);
      lab.set(LINE_RX_ACCM, accm);
      lab.set(LINE_TX_LESS, less);
      const line = lab.send(protocol, bytes, most, room);
      t.is(line[0], 0x7e);
      t.is(line.at(-1), 0x7e);
      const isLcp = protocol === PPP_LCP;
      for (const byte of line.slice(1, -1)) {
        if (byte === 0x7e) t.fail('a flag within a frame');
        if (byte < 32 && (isLcp || (accm >>> byte) & 1)) t.fail(`${byte} was not escaped`);
      }
      if ((less & LINE_ACFC) !== 0 && !isLcp) t.not(line[1], 0xff);
      t.deepEqual(one(lab.receive(line, most)), [[protocol, hexOf(bytes)]]);
    });
    fc.assert(property, { seed: runSeed(), numRuns: 60 });
  });

  it('shortened headers are read whether they were agreed on or not', t => {
    for (const [less, start] of [
      [0, 'ff030021'],
      [LINE_ACFC, '0021'],
      [LINE_PFC, 'ff0321'],
      [LINE_ACFC | LINE_PFC, '21'],
    ] as [number, string][]) {
      lab.set(LINE_TX_LESS, less);
      lab.set(LINE_TX_ACCM, 0);
      lab.set(LINE_RX_ACCM, 0);
      const line = lab.send(PPP_IP, [0x45, 1, 2, 3]);
      t.is(hexOf(line.slice(1, 1 + start.length / 2)), start);
      t.deepEqual(one(lab.receive(line)), [[PPP_IP, '45010203']]);
    }
    // LCP goes in full, whatever was agreed on.
    t.is(hexOf(lab.send(PPP_LCP, bytesOf('05020004'))), VECTORS[2]?.[2]);
  });

  it('control characters that the line has put in are dropped, behind an escape too', t => {
    const line = bytesOf(VECTORS[1]?.[2] as string);
    for (let at = 1; at < line.length; at++) {
      const noisy = [...line.slice(0, at), 0x11, 0x13, 0, ...line.slice(at)];
      t.deepEqual(one(lab.receive(noisy)), [[PPP_LCP, '0901000812345678']], `${at}`);
    }
    lab.set(LINE_RX_ACCM, ~(1 << 0x11));
    t.deepEqual(lab.receive([...line.slice(0, 5), 0x11, ...line.slice(5)]), []);
    t.is(lab.word(LINE_RX_FCS_ERRORS), 1);
  });

  it('one flag is enough between two frames, and more are none', t => {
    const line = bytesOf(VECTORS[2]?.[2] as string);
    t.is(lab.receive([...line, ...line.slice(1), ...line.slice(1), 0x7e, 0x7e, ...line]).length, 4);
    t.is(lab.word(LINE_RX_RUNTS), 0);
    // Sent behind another one that is still in the ring a frame has no flag of its own.
    lab.begin(PPP_LCP, bytesOf('05020004'));
    t.is(lab.continue(), 1);
    lab.begin(PPP_LCP, bytesOf('05020004'));
    t.is(lab.continue(), 1);
    t.is(hexOf(lab.drain()), hexOf([...line, ...line.slice(1)]));
  });

  it('a wrong bit anywhere is a frame lost, and counted', t => {
    const line = bytesOf(VECTORS[4]?.[2] as string);
    let lost = 0;
    for (let bit = 8; bit < 8 * (line.length - 1); bit++) {
      lab.reset();
      const wrong = [...line];
      wrong[bit >> 3] = (wrong[bit >> 3] as number) ^ (1 << (bit & 7));
      const frames = lab.receive([...wrong, ...line]);
      t.is(frames.at(-1)?.protocol, PPP_PAP, 'the next one comes');
      const counted = [LINE_RX_FCS_ERRORS, LINE_RX_ABORTS, LINE_RX_RUNTS, LINE_RX_HEADERS].map(counter =>
        lab.word(counter),
      );
      t.is(frames.length, 1);
      t.true(counted.some(value => value > 0));
      lost++;
    }
    t.true(lost > 200);
  });

  it('what the peer gives up is counted and is no frame; so is what we give up', t => {
    const line = bytesOf(VECTORS[0]?.[2] as string);
    for (let at = 1; at < line.length - 1; at++) {
      lab.reset();
      const end = line[at - 1] === 0x7d ? [0x7e] : [0x7d, 0x7e];
      t.is(lab.receive([...line.slice(0, at), ...end, ...line]).length, 1);
      t.is(lab.word(LINE_RX_ABORTS), 1, `${at}`);
    }
    lab.reset();
    lab.begin(PPP_IP, new Uint8Array(100));
    lab.continue(20);
    build.plane.hdlcAbort(LINE);
    const sent = lab.drain();
    t.deepEqual(sent.slice(-2), [0x7d, 0x7e]);
    t.deepEqual(lab.receive(sent), []);
    t.is(lab.word(LINE_RX_ABORTS), 1);
    t.is(lab.send(PPP_IP, [1]).length > 0, true);
  });

  it('runts, giants, addresses of nobody and frames without a buffer are counted, and the next frame comes', t => {
    const good = bytesOf(VECTORS[2]?.[2] as string);
    for (const [line, counter] of [
      ['7e217e', LINE_RX_RUNTS],
      ['7eff7e', LINE_RX_RUNTS],
      ['7eff7d237e', LINE_RX_RUNTS],
      ['7e21ab7e', LINE_RX_RUNTS],
      ['7eff0421abcdef7e', LINE_RX_HEADERS],
      ['7eab217e', LINE_RX_RUNTS],
    ] as [string, number][]) {
      lab.reset();
      t.is(lab.receive([...bytesOf(line), ...good]).length, 1, line);
      t.is(lab.word(counter), 1, line);
    }
    lab.reset();
    const giant = new Array(BUFFER_ROOM + 1).fill(0x55);
    t.is(lab.receive([0x7e, 0x21, ...giant, ...good]).length, 1);
    t.is(lab.word(LINE_RX_GIANTS), 1);
    t.is(lab.receive([0x7e, 0x21, ...giant.slice(1), ...good]).length, 1);
    t.is(lab.word(LINE_RX_GIANTS), 1);
    t.is(lab.word(LINE_RX_FCS_ERRORS), 1);
    lab.reset();
    build.plane.lineGive(LINE, 0, 0);
    t.deepEqual(lab.receive(good), []);
    t.is(lab.word(LINE_RX_OVERRUNS), 1);
    build.plane.lineGive(LINE, 0, 0);
    lab.receive(good.slice(0, 12));
    t.is(lab.word(LINE_RX_OVERRUNS), 2);
  });

  it('the words of a login before the first frame are no errors', t => {
    const text = [...Buffer.from('Welcome\r\nlogin: ppp\r\nPassword: \r\n')];
    t.is(lab.receive([...text, ...bytesOf(VECTORS[2]?.[2] as string)]).length, 1);
    t.is(lab.word(LINE_RX_FCS_ERRORS) + lab.word(LINE_RX_RUNTS) + lab.word(LINE_RX_HEADERS), 0);
  });

  it('takes no more bytes than it is told, and no more than one frame', t => {
    const line = bytesOf(VECTORS[0]?.[2] as string);
    lab.arrive([...line, ...line]);
    t.is(lab.receiveOnce(10), undefined);
    t.is(lab.waiting(), 2 * line.length - 10);
    t.is(lab.receiveOnce()?.protocol, PPP_LCP);
    t.is(lab.waiting(), line.length);
    t.is(lab.begin(PPP_IP, new Uint8Array(1500)), 1);
    t.is(lab.begin(PPP_IP, new Uint8Array(1500)), 0, 'one is under way');
    t.is(lab.continue(100), 0);
    t.true(lab.drain().length <= 1 + 2 * 100 + 6);
  });

  it('whatever comes, nothing is written but into the buffer', t => {
    const byte = fc.oneof(
      fc.constantFrom(0x7e, 0x7d, 0xff, 0x03, 0x21, 0, 0xc0),
      fc.integer({ min: 0, max: 255 }),
    );
    const property = fc.property(
      fc.array(byte, { maxLength: 3000, size: 'max' }),
      fc.integer({ min: 1, max: 300 }),
      (line, most) => {
        lab.reset();
        lab.receive(line, most);
        return lab.isGuarded();
      },
    );
    fc.assert(property, { seed: runSeed(), numRuns: 100 });
    t.pass();
  });
}

/** Operations a byte on the line. Stepped through, gcc's code for the 486 is 30 instructions for a plain byte sent, 24 for one received. */
const BYTE_COST = 35;
const FRAME_COST = 400;

test.serial('a byte costs at most 35 operations each way, whatever it is', async t => {
  const build = await meteredLine();
  const lab = new LineLab(build);
  const operations = build.operations as (call: () => void) => number;
  for (const [name, byte, accm] of [
    ['plain', 0x55, 0],
    ['escaped', 0x7e, 0],
    ['in the map', 0x11, -1],
    ['not in the map', 0x11, 0],
  ] as const) {
    for (const count of [1, 1400]) {
      lab.reset();
      lab.set(LINE_TX_ACCM, accm);
      lab.set(LINE_RX_ACCM, accm);
      const bytes = new Array(count).fill(byte);
      lab.begin(PPP_IP, bytes);
      const sent = operations(() => lab.continue());
      const line = lab.drain();
      t.true(line.length < RING_BYTES);
      lab.arrive(line);
      let frame: Frame | undefined;
      const received = operations(() => {
        frame = lab.receiveOnce();
      });
      t.is(frame?.bytes.length, count);
      const each = (total: number) => ((total - (count === 1 ? 0 : FRAME_COST)) / line.length).toFixed(1);
      t.log(
        `${name}, ${line.length} bytes: sent ${sent} (${each(sent)} a byte), received ${received} (${each(received)})`,
      );
      t.true(sent <= FRAME_COST + BYTE_COST * line.length, `${sent}`);
      t.true(received <= FRAME_COST + BYTE_COST * line.length, `${received}`);
    }
  }
});

test.serial('a byte of noise costs at most 100 operations, whatever it is', async t => {
  const build = await meteredLine();
  const lab = new LineLab(build);
  const operations = build.operations as (call: () => void) => number;
  for (const [name, noise] of [
    ['flags', [0x7e]],
    ['characters that the line puts in', [0x11]],
    ['these behind escapes', [0x7d, 0x11]],
    ['frames given up', [0x21, 0x7d, 0x7e]],
    ['runts', [0x21, 0x7e]],
    ['addresses of nobody', [0xff, 0x55, 0x7e]],
  ] as [string, number[]][]) {
    lab.reset();
    lab.arrive([0x7e, 0x21, ...Array.from({ length: 4000 }, (_, i) => noise[i % noise.length] as number)]);
    const taken = operations(() => t.is(lab.receiveOnce(), undefined));
    t.log(`${name}: ${(taken / 4002).toFixed(1)} a byte`);
    t.true(taken <= 100 * 4002, `${name}: ${taken}`);
  }
});
