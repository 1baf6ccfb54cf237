// Sim boards whose second serial port leads somewhere: to another board by a cable, or to what a test puts there. Time is virtual.

import { createSimBoard, type SimBoard } from '../../../board/sim/board.ts';
import {
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  serialAt,
} from '../../../hal/serial/ns16550.ts';
import {
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../../base/limits.ts';

const PORT = 1;
const PROMPT = 'masqbox> ';

export class PortBoard {
  said = '';
  /** Frames that left by the LAN's card. */
  readonly lan: Uint8Array[] = [];
  private constructor(readonly board: SimBoard) {}

  static async start(): Promise<PortBoard> {
    let made: PortBoard | undefined;
    let early = '';
    const board = await createSimBoard({
      onFrame: (card, frame) => {
        if (card === 0) made?.lan.push(frame);
      },
      onOutput: text => {
        if (made === undefined) early += text;
        else made.said += text;
      },
    });
    made = new PortBoard(board);
    made.said = early;
    return made;
  }

  private word(at: number): number {
    const { memory } = this.board;
    return new DataView(memory.buffer, memory.byteOffset).getInt32(at, true);
  }

  private setWord(at: number, value: number): void {
    const { memory } = this.board;
    new DataView(memory.buffer, memory.byteOffset).setInt32(at, value, true);
  }

  /** What the port has sent, at most so many bytes. */
  take(most: number): Uint8Array {
    const state = serialAt(PORT);
    const head = this.word(state + SERIAL_TX_HEAD);
    const count = Math.min(most, (this.word(state + SERIAL_TX_TAIL) - head) | 0);
    const from = SERIAL_TRANSMIT_AT + PORT * SERIAL_TRANSMIT_BYTES;
    const bytes = Uint8Array.from(
      { length: count },
      (_, i) => this.board.memory[from + ((head + i) & (SERIAL_TRANSMIT_BYTES - 1))] as number,
    );
    this.setWord(state + SERIAL_TX_HEAD, (head + count) | 0);
    return bytes;
  }

  /** Bytes come in by the port; what has no room is lost. */
  give(bytes: Uint8Array): void {
    const state = serialAt(PORT);
    const from = SERIAL_RECEIVE_AT + PORT * SERIAL_RECEIVE_BYTES;
    let tail = this.word(state + SERIAL_RX_TAIL);
    const room = SERIAL_RECEIVE_BYTES - ((tail - this.word(state + SERIAL_RX_HEAD)) | 0);
    for (let i = 0; i < Math.min(room, bytes.length); i++) {
      this.board.memory[from + (tail & (SERIAL_RECEIVE_BYTES - 1))] = bytes[i] as number;
      tail = (tail + 1) | 0;
    }
    this.setWord(state + SERIAL_RX_TAIL, tail);
  }
}

/** One board or two, and what is between. */
export class Cable {
  /** Carries what a port has sent; a tick's bytes at most. */
  carry: (index: number, bytes: Uint8Array) => void;

  constructor(
    readonly boards: readonly PortBoard[],
    private readonly bytesPerTick = 115,
  ) {
    this.carry = (index, bytes) => boards[1 - index]?.give(bytes);
  }

  seconds(seconds: number, until: () => boolean = () => false): this {
    for (let tick = 0; tick < 100 * seconds && !until(); tick++) {
      for (const board of this.boards) board.board.advance(1);
      for (const [index, board] of this.boards.entries()) {
        const bytes = board.take(this.bytesPerTick);
        if (bytes.length > 0) this.carry(index, bytes);
      }
    }
    return this;
  }

  /** Types a line at a board, and answers what it says to it. */
  type(index: number, line: string): string {
    const board = this.boards[index] as PortBoard;
    board.said = '';
    board.board.type(`${line}\r`);
    this.seconds(20, () => board.said.endsWith(PROMPT));
    return board.said
      .slice(board.said.indexOf('\n') + 1, -PROMPT.length)
      .replaceAll('\r', '')
      .trimEnd();
  }
}
