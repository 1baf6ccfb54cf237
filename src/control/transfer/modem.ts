// What both ends of an XMODEM or YMODEM transfer share: characters, block sizes, the CRC.
// Chuck Forsberg, "XMODEM/YMODEM Protocol Reference", 1988, chapters 4 to 8.
//
//    SOH | number | 255 - number |  128 bytes | CRC, high byte first, or one byte of sum
//    STX | number | 255 - number | 1024 bytes | the same

export const SOH = 0x01;
export const STX = 0x02;
export const EOT = 0x04;
export const ACK = 0x06;
export const NAK = 0x15;
export const CAN = 0x18;
/** What fills the last block of an XMODEM transfer. */
export const SUB = 0x1a;
/** What a receiver asks with for blocks with a CRC. */
export const ASK_CRC = 0x43;

export const SHORT_BLOCK = 128;
export const LONG_BLOCK = 1024;
/** Bytes before the data: start, number, and the number's complement. */
export const BLOCK_HEAD = 3;

let table: Uint16Array | undefined;

/**
 * CRC-16 of CCITT as XMODEM has it: polynomial 0x1021, from 0, the highest bit first. Over data and their CRC it is 0.
 * @param start what it was before these bytes
 */
export function crc16(bytes: Uint8Array, from: number, to: number, start = 0): number {
  table ??= makeTable();
  let crc = start;
  for (let at = from; at < to; at++) {
    crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ (bytes[at] as number)] as number);
  }
  return crc;
}

function makeTable(): Uint16Array {
  const made = new Uint16Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) !== 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    made[i] = crc;
  }
  return made;
}

/** The sum of the first XMODEM. */
export function sum8(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at] as number;
  return sum & 0xff;
}
