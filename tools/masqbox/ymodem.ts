// Sends one file by YMODEM with blocks of 1,024 bytes: block 0 with name and length, the data, EOT, an empty name.
// Chuck Forsberg, "XMODEM/YMODEM Protocol Reference", 1988, sections 5 to 8.
// Not here: the line (port.ts), the board's end (src/control/transfer/receiver.ts).

import {
  ACK,
  ASK_CRC,
  BLOCK_HEAD,
  CAN,
  crc16,
  EOT,
  LONG_BLOCK,
  NAK,
  SHORT_BLOCK,
  SOH,
  STX,
  SUB,
} from '../../src/control/transfer/modem.ts';

/** The line as a sender needs it. */
export interface ByteLine {
  write(bytes: Uint8Array): Promise<void>;
  /** The next byte, or undefined when none came in time. */
  read(milliseconds: number): Promise<number | undefined>;
  /** Milliseconds of some clock. */
  now(): number;
}

export class TransferError extends Error {}

/** The receiver may write to its disk, and unpack and check, before it answers. */
const ANSWER_MILLISECONDS = 30_000;
/** How long the receiver may take to ask for the first block. */
const ASKED_MILLISECONDS = 30_000;
const CLOSE_MILLISECONDS = 4000;
const TRIES = 10;

/** Sends a file. @param progress called with the bytes that the receiver has acknowledged */
export async function sendFile(
  line: ByteLine,
  name: string,
  bytes: Uint8Array,
  progress: (sent: number) => void = () => {},
): Promise<void> {
  await waitToBeAsked(line, ASKED_MILLISECONDS);
  const title = new Uint8Array(SHORT_BLOCK);
  title.set(Buffer.from(`${name.slice(0, 64)}\0${bytes.length}`, 'latin1'));
  await sendBlock(line, 0, title);
  await waitToBeAsked(line, ANSWER_MILLISECONDS);
  for (let at = 0, number = 1; at < bytes.length; at += LONG_BLOCK, number++) {
    const part = bytes.subarray(at, at + LONG_BLOCK);
    const block = new Uint8Array(part.length <= SHORT_BLOCK ? SHORT_BLOCK : LONG_BLOCK).fill(SUB);
    block.set(part);
    await sendBlock(line, number & 0xff, block);
    progress(Math.min(bytes.length, at + part.length));
  }
  await sendEnd(line);
  // The file has arrived. A receiver that asks for another one is told that there is none; more cannot be had.
  if ((await answer(line, [ASK_CRC], CLOSE_MILLISECONDS)) === undefined) return;
  await line.write(frameOf(0, new Uint8Array(SHORT_BLOCK)));
  await answer(line, [ACK], CLOSE_MILLISECONDS);
}

/** Tells the receiver that nothing more will come. */
export async function cancel(line: ByteLine): Promise<void> {
  await line.write(new Uint8Array(8).fill(CAN));
}

/** The next answer that is one; two CANs in a row end the transfer. */
async function answer(
  line: ByteLine,
  wanted: readonly number[],
  milliseconds: number,
): Promise<number | undefined> {
  const until = line.now() + milliseconds;
  let cancels = 0;
  for (;;) {
    const byte = await line.read(Math.max(0, until - line.now()));
    if (byte === undefined || wanted.includes(byte)) return byte;
    cancels = byte === CAN ? cancels + 1 : 0;
    if (cancels === 2) throw new TransferError('the board cancelled the transfer');
  }
}

async function waitToBeAsked(line: ByteLine, milliseconds: number): Promise<void> {
  if ((await answer(line, [ASK_CRC], milliseconds)) === undefined) {
    throw new TransferError('the board does not ask for the file');
  }
}

function frameOf(number: number, data: Uint8Array): Uint8Array {
  const frame = new Uint8Array(BLOCK_HEAD + data.length + 2);
  frame.set([data.length === LONG_BLOCK ? STX : SOH, number, 255 - number]);
  frame.set(data, BLOCK_HEAD);
  const crc = crc16(data, 0, data.length);
  frame.set([crc >> 8, crc & 0xff], BLOCK_HEAD + data.length);
  return frame;
}

/** Sends a block until it is acknowledged. */
async function sendBlock(line: ByteLine, number: number, data: Uint8Array): Promise<void> {
  const frame = frameOf(number, data);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // An answer to an earlier attempt that comes late must not be taken for this one's.
    while (attempt > 0 && (await line.read(0)) !== undefined);
    await line.write(frame);
    if ((await answer(line, [ACK, NAK], ANSWER_MILLISECONDS)) === ACK) return;
  }
  throw new TransferError(`block ${number} was not taken after ${TRIES} tries`);
}

/** Ends the file. Receivers refuse the first EOT, lest noise end it. */
async function sendEnd(line: ByteLine): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await line.write(Uint8Array.of(EOT));
    if ((await answer(line, [ACK, NAK], ANSWER_MILLISECONDS)) === ACK) return;
  }
  throw new TransferError('the end of the file was not acknowledged');
}
