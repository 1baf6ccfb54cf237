// Weeks of the WAN's lease on the sim board: the real bundle under QuickJS, time jumping from wake to wake. What is
// asked: is there always an address when there can be one, and is control's heap as large as it was?
// A whole year, without QuickJS, is in src/control/dhcp/client.test.ts.

import test from 'ava';
import { createSimBoard } from '../board/sim/board.ts';
import { NOW_AT, WAKE_AT } from '../src/plane/cells.ts';
import { TICKS_PER_SECOND } from '../src/plane/limits.ts';
import { seeded } from './harness/random.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import { address, arp, BROADCAST, ethernet, frame, get16, get32, read, udp } from './packets.ts';
import {
  ADDRESS,
  answerBytes,
  NAK,
  obliging,
  parseMessage,
  SERVER,
  SERVER_MAC,
  type Server,
  WAN_MAC,
} from './wan-lab.ts';

const WAN = 1;
const DAY = 24 * 3600;
const LEASE_SECONDS = 1200;

/** The board with a server of the test's on its WAN. */
async function fixture(server: Server) {
  const queue: Uint8Array[] = [];
  let output = '';
  let seconds = 0;
  const board = await createSimBoard({
    onFrame: (card, bytes) => {
      if (card === WAN) serve(bytes);
    },
    onOutput: text => {
      output = (output + text).slice(-20_000);
    },
  });
  function serve(bytes: Uint8Array): void {
    if (get16(bytes, 12) === 0x0806) {
      if (get32(bytes, 38) !== address(SERVER) || get32(bytes, 28) === 0) return;
      const reply = { operation: 2, senderMac: SERVER_MAC, senderAddress: SERVER, targetMac: WAN_MAC };
      queue.push(ethernet(WAN_MAC, SERVER_MAC, 0x0806, arp({ ...reply, targetAddress: ADDRESS })));
      return;
    }
    if (read(bytes.slice(14)).destinationPort !== 67) return;
    const message = parseMessage(seconds, bytes);
    for (const answer of [server(message) ?? []].flat()) {
      const data = answerBytes(message, answer);
      queue.push(
        frame(BROADCAST, SERVER_MAC, udp({ source: SERVER, destination: '255.255.255.255' }, 67, 68, data)),
      );
    }
  }
  const settle = (): void => {
    board.run();
    for (let bytes = queue.shift(); bytes !== undefined; bytes = queue.shift()) {
      board.receive(WAN, bytes);
      board.run();
    }
  };
  const word = (at: number): number =>
    new DataView(board.memory.buffer, board.memory.byteOffset).getInt32(at, true);
  const run = (span: number): void => {
    const end = seconds + span;
    settle();
    while (seconds < end) {
      const left = Math.ceil((end - seconds) * TICKS_PER_SECOND);
      const step = Math.max(1, Math.min((word(WAKE_AT) - word(NOW_AT)) | 0, left));
      new DataView(board.memory.buffer, board.memory.byteOffset).setInt32(
        NOW_AT,
        (word(NOW_AT) + step - 1) | 0,
        true,
      );
      board.advance(1);
      seconds += step / TICKS_PER_SECOND;
      settle();
    }
  };
  const command = (line: string): string => {
    output = '';
    board.type(`${line}\r`);
    settle();
    return output.slice(output.indexOf('\n') + 1);
  };
  const hasAddress = (): boolean => command('show wan').includes(`address      ${ADDRESS}/24`);
  const heapFree = (): number => Number(/heap +\d+ KiB, (\d+) KiB free/.exec(command('show memory'))?.[1]);
  return { board, run, command, hasAddress, heapFree };
}

test('two weeks of twenty-minute leases: losses, NAKs, days without a server; the heap stays as it is', async t => {
  t.timeout(TEST_MILLISECONDS);
  const random = seeded(7);
  let messages = 0;
  let day = 0;
  const server: Server = message => {
    messages++;
    if (day % 7 === 6 || random.chance(0.1)) return undefined;
    if (day % 5 === 4 && message.ciaddr !== '0.0.0.0' && random.chance(0.1)) return { type: NAK };
    const answers = obliging(ADDRESS, LEASE_SECONDS)(message);
    return random.chance(0.1) && answers !== undefined ? [answers, answers].flat() : answers;
  };
  const { run, hasAddress, heapFree } = await fixture(server);
  run(10);
  t.true(hasAddress());
  const without: number[] = [];
  let first = 0;
  for (day = 0; day < 14; day++) {
    run(DAY);
    if (!hasAddress()) without.push(day);
    if (day === 1) first = heapFree();
  }
  t.deepEqual(without, [6, 13]);
  t.true(messages > 1500, `${messages} messages`);
  t.true(heapFree() >= first - 64, `${first} KiB were free after two days, ${heapFree()} after two weeks`);
  t.log(`${messages} messages, ${heapFree()} KiB of heap free`);
});

test('a server that refuses every request for three days: no storm, no growth, and an address when it relents', async t => {
  t.timeout(TEST_MILLISECONDS);
  let messages = 0;
  let relents = false;
  const server: Server = message => {
    messages++;
    return relents || message.type === 1 ? obliging()(message) : { type: NAK };
  };
  const { run, hasAddress, heapFree, command } = await fixture(server);
  run(DAY);
  const before = heapFree();
  messages = 0;
  run(2 * DAY);
  t.true(messages < (2 * DAY) / 30, `${messages} messages`);
  t.true(heapFree() >= before - 64);
  relents = true;
  run(70);
  t.true(hasAddress());
  t.regex(command('show log'), /\(NAK\)/);
});

test('control that dies finds its lease, asks whether it is good, and goes on', async t => {
  t.timeout(TEST_MILLISECONDS);
  const seen: string[] = [];
  const server: Server = message => {
    seen.push(`${message.name} ${message.ciaddr} ${message.options.has(50)} ${message.options.has(54)}`);
    return obliging()(message);
  };
  const { board, run, hasAddress, command } = await fixture(server);
  run(10);
  t.true(hasAddress());
  seen.length = 0;
  board.engine.evaluate('Math.max = () => { throw new Error("test") }; 0');
  t.regex(command('help'), /Control was restarted/);
  run(5);
  t.deepEqual(seen, ['REQUEST 0.0.0.0 true false']);
  t.true(hasAddress());
});
