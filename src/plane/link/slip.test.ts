import test from 'ava';
import fc from 'fast-check';
import { BUFFER_ROOM, hexOf, LINE, LineLab, lineBuilds, meteredLine } from '../../../test/line-lab.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import {
  LINE_RX_FRAMES,
  LINE_RX_GIANTS,
  LINE_RX_HEADERS,
  LINE_RX_OVERRUNS,
  LINE_RX_RUNTS,
  LINE_TX_BYTES,
  LINE_TX_FRAMES,
} from '../../base/line-record.ts';
import { PPP_IP, PPP_VJ_COMPRESSED, PPP_VJ_UNCOMPRESSED } from '../../wire/ppp.ts';

const END = 0xc0;
const ESC = 0xdb;

for (const build of await lineBuilds()) {
  const lab = new LineLab(build, 'slip');
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.true(lab.isGuarded(), 'something was written beside the buffer');
    });

  it('escapes END and ESC as RFC 1055 says, with an END on both sides', t => {
    const packet = [0x45, END, 0xdc, ESC, 0xdd, ESC, END, 1];
    const line = lab.send(PPP_IP, packet);
    t.is(hexOf(line), 'c0 45dbdc dc dbdd dd dbdd dbdc 01 c0'.replaceAll(' ', ''));
    t.deepEqual(lab.receive(line), [{ protocol: PPP_IP, bytes: packet }]);
    t.is(lab.word(LINE_TX_FRAMES), 1);
    t.is(lab.word(LINE_TX_BYTES), 8);
    t.is(lab.word(LINE_RX_RUNTS), 0, 'nothing between two ENDs is no frame');
  });

  it('any packet comes through as it was, in any pieces, and says its kind by its first byte', t => {
    const anything = fc.record({
      protocol: fc.constantFrom(PPP_IP, PPP_VJ_COMPRESSED, PPP_VJ_UNCOMPRESSED),
      rest: fc.uint8Array({ minLength: 2, maxLength: 1400 }),
      most: fc.integer({ min: 1, max: 64 }),
      room: fc.integer({ min: 1, max: 64 }),
      at: fc.constantFrom(0, -100, 0x7fffff80),
    });
    const property = fc.property(anything, ({ protocol, rest, most, room, at }) => {
      lab.reset();
      lab.positions(at);
      const bytes = [0x45, ...rest];
      const line = lab.send(protocol, bytes, most, room);
      const first = { [PPP_IP]: 0x45, [PPP_VJ_COMPRESSED]: 0xc5, [PPP_VJ_UNCOMPRESSED]: 0x75 }[protocol];
      t.is(line[1], first);
      const [frame] = lab.receive(line, most);
      // The mark of a compressed packet is no bit of RFC 1144.
      const got = protocol === PPP_VJ_COMPRESSED ? [0x45, ...(frame?.bytes.slice(1) ?? [])] : frame?.bytes;
      t.is(frame?.protocol, protocol);
      t.deepEqual(got, bytes);
    });
    fc.assert(property, { seed: runSeed(), numRuns: 60 });
  });

  it('an escape before another byte is passed over', t => {
    t.deepEqual(lab.receive([END, 0x45, ESC, 7, 1, 2, END])[0]?.bytes, [0x45, 7, 1, 2]);
    t.deepEqual(lab.receive([END, 0x45, 1, 2, ESC, END])[0]?.bytes, [0x45, 1, 2]);
  });

  it('noise, runts, giants and frames without a buffer are counted, and the next frame comes', t => {
    const good = [END, 0x45, 1, 2, 3, END];
    for (const [line, counter] of [
      [[END, 0x45, 1], LINE_RX_RUNTS],
      [[END, 0x15, 1, 2, 3], LINE_RX_HEADERS],
      [[END, 0x65, 1, 2, 3], LINE_RX_HEADERS],
      [[END, ...new Array(BUFFER_ROOM + 1).fill(0x45)], LINE_RX_GIANTS],
    ] as [number[], number][]) {
      lab.reset();
      t.is(lab.receive([...line, ...good]).length, 1);
      t.is(lab.word(counter), 1);
      t.is(lab.word(LINE_RX_FRAMES), 1);
    }
    t.is(lab.receive([END, ...new Array(BUFFER_ROOM).fill(0x45), END]).length, 1);
    build.plane.lineGive(LINE, 0, 0);
    t.is(lab.receive(good).length, 0);
    t.is(lab.word(LINE_RX_OVERRUNS), 1);
  });

  it('whatever comes, nothing is written but into the buffer', t => {
    const byte = fc.oneof(fc.constantFrom(END, ESC, 0xdc, 0xdd, 0x45), fc.integer({ min: 0, max: 255 }));
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

test.serial('a byte costs at most 35 operations each way', async t => {
  const build = await meteredLine();
  const lab = new LineLab(build, 'slip');
  const operations = build.operations as (call: () => void) => number;
  for (const byte of [0x55, END]) {
    lab.reset();
    lab.begin(PPP_IP, [0x45, ...new Array(1399).fill(byte)]);
    const sent = operations(() => lab.continue());
    const line = lab.drain();
    lab.arrive(line);
    const received = operations(() => t.is(lab.receiveOnce()?.bytes.length, 1400));
    t.log(`${line.length} bytes: sent ${sent}, received ${received} operations`);
    t.true(sent <= 35 * line.length && received <= 35 * line.length);
  }
});
