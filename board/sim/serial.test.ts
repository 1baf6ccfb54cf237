import test from 'ava';
import { SERIAL_RTS_CTS, SERIAL_WATCHED } from '../../hal/serial/ns16550.ts';
import { LINE_PPP } from '../../src/base/line-record.ts';
import { pppFrame, pppFrames } from '../../src/plane/link/port-lab.ts';
import { ARP_REQUEST, address, arpFrame, frame, payload, read, udp } from '../../test/packets.ts';
import { createSimBoard } from './board.ts';

const LINK = 4;
const PORT = 1;
const OURS = '10.64.64.64';
const SERVER = '204.152.184.112';
const HOST = '192.168.0.2';
const HOST_MAC = '02:00:00:00:00:02';

test('a LAN behind a line of 38400 b/s: bytes take their time, DTR and the rate are seen, and nothing is lost', async t => {
  const frames: Uint8Array[] = [];
  const board = await createSimBoard({
    onFrame: (card, bytes) => {
      if (card === 0) frames.push(bytes);
    },
    onOutput: () => {},
    serial: [PORT],
  });
  board.advance(300);
  const { plane } = board;
  const port = board.port(PORT);
  t.is(plane.serialSetRate(PORT, 3), 1);
  plane.serialSetMode(PORT, SERIAL_RTS_CTS | SERIAL_WATCHED);
  t.is(port.uart.rate, 38400);
  t.is(plane.lineBind(LINK, PORT, LINE_PPP), 1);
  plane.configureInterface(LINK, 1, address(OURS), -1, 1500);
  plane.interfacesChanged();
  plane.routeAdd(0, 0, 0, LINK);
  plane.lineOpen(PORT, 1);
  const sent: number[] = [];
  const perTick: number[] = [];
  port.wire = {
    onBytes: bytes => {
      sent.push(...bytes);
      perTick.push(bytes.length);
    },
  };
  const lan = (bytes: Uint8Array) => frame('02:4d:42:00:00:01', HOST_MAC, bytes);
  board.receive(
    0,
    arpFrame('ff:ff:ff:ff:ff:ff', {
      operation: ARP_REQUEST,
      senderMac: HOST_MAC,
      senderAddress: HOST,
      targetAddress: '192.168.0.1',
    }),
  );
  for (let n = 0; n < 8; n++)
    board.receive(0, lan(udp({ source: HOST, destination: SERVER }, 2000 + n, 53, payload(1000))));
  board.advance(260);
  const out = pppFrames(sent);
  t.is(out.length, 8);
  t.true(Math.max(...perTick) <= 38.4 + 8, `${perTick}`);
  // 8 frames of 1,032 bytes and the escaped ones, at 3,840 bytes a second: the line has not stood still.
  const busy = perTick.filter(count => count > 0).length;
  t.true(busy <= Math.ceil(sent.length / 38.4) + 3, `${busy} ticks for ${sent.length} bytes`);
  const { sourcePort = 0 } = read(Uint8Array.from(out[0]!.bytes));
  frames.length = 0;
  for (let n = 0; n < 8; n++)
    port.write(pppFrame(0x21, udp({ source: SERVER, destination: OURS }, 53, sourcePort, payload(1000))));
  board.advance(400);
  t.is(port.pending, 0);
  t.is(frames.filter(bytes => bytes.length > 1000).length, 8);
  plane.serialSetDtr(PORT, 0);
  t.false(port.uart.dtr);
});
