// The sim board for long runs: the real bundle under QuickJS, time jumping from wake to wake, a DHCP server of the
// test's on its WAN and, if wanted, stations on its LAN. Not here: the same without QuickJS (wan-lab.ts).

import { createSimBoard } from '../board/sim/board.ts';
import type { SimDisk } from '../board/sim/disk.ts';
import { NOW_AT, WAKE_AT } from '../src/base/cells.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import { MORE, plainOutput } from '../src/control/core/console/screen.ts';
import { arpAnswer, arpIn, BROADCAST, datagramIn, frame, isArp, read, udp } from './packets.ts';
import { ADDRESS, answerBytes, parseMessage, SERVER, SERVER_MAC, type Server } from './wan-lab.ts';

const LAN = 0;
const WAN = 1;

export interface LongOptions {
  readonly disk?: SimDisk;
  /** Gets the frames that leave by the LAN. */
  readonly onLan?: (frame: Uint8Array) => void;
  /** Control wakes no more often than this, seconds: it is late by so much, and a year takes seconds. */
  readonly stride?: number;
}

/** The board with a server of the test's on its WAN. */
export async function longRun(server: Server, options: LongOptions = {}) {
  const { disk, onLan = () => {}, stride = 0 } = options;
  const queue: Uint8Array[] = [];
  let output = '';
  let seconds = 0;
  const board = await createSimBoard({
    onFrame: (card, bytes) => {
      if (card === WAN) serve(bytes);
      else onLan(bytes);
    },
    onOutput: text => {
      output = (output + text).slice(-20_000);
    },
    ...(disk === undefined ? {} : { disk }),
  });
  function serve(bytes: Uint8Array): void {
    if (isArp(bytes)) {
      const { sender, target } = arpIn(bytes);
      if (target === SERVER && sender !== '0.0.0.0') queue.push(arpAnswer(bytes, SERVER_MAC));
      return;
    }
    if (read(datagramIn(bytes)).destinationPort !== 67) return;
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
      const wake = Math.max((word(WAKE_AT) - word(NOW_AT)) | 0, stride * TICKS_PER_SECOND);
      const step = Math.max(1, Math.min(wake, left));
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
    if (MORE.test(output)) board.type('a');
    for (let i = 0; i < 100 && !output.endsWith('masqbox> '); i++) {
      board.advance(1);
      settle();
    }
    return plainOutput(output).slice(output.indexOf('\n') + 1);
  };
  const hasAddress = (): boolean => command('show wan').includes(`address      ${ADDRESS}/24`);
  const heapFree = (): number => Number(/heap +\d+ KiB, (\d+) KiB free/.exec(command('show memory'))?.[1]);
  /** A frame of a station on the LAN. */
  const fromLan = (bytes: Uint8Array): void => {
    board.receive(LAN, bytes);
    settle();
  };
  return { board, run, command, hasAddress, heapFree, fromLan };
}
