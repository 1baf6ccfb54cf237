// A firmware image as a file of this machine: checked as the board will check it, so that a wrong file is told before
// minutes have been spent on sending it. What is sent is the slot alone; the rest of an image only a card needs.
// The layout is src/base/layout.ts. Not here: sending it (update.ts).

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as layout from '../../src/base/layout.ts';

const { SECTOR_BYTES } = layout;
/** "MASQBOX" in an image's boot sector. */
const NAME_AT = 3;
const NAME = 'MASQBOX';

export interface Firmware {
  readonly version: string;
  /** Whether somebody has signed it; whether the board knows the key, the board says. */
  readonly isSigned: boolean;
  /** Header and payload of the slot. */
  readonly slot: Uint8Array;
}

/** The firmware of an image, or of a slot alone; a text says what is wrong with it. */
export function readFirmware(file: Uint8Array): Firmware | string {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const isImage = bytes.toString('latin1', NAME_AT, NAME_AT + NAME.length) === NAME;
  const slot = bytes.subarray(isImage ? layout.SLOT_SECTOR * SECTOR_BYTES : 0);
  if (slot.length < SECTOR_BYTES) return 'it is no Masqbox image';
  const word = (at: number): number => slot.readInt32LE(at);
  if (word(layout.SLOT_AT_MAGIC) !== layout.SLOT_MAGIC) return 'it is no Masqbox image';
  const headerCrc = crc32(slot.subarray(0, layout.SLOT_AT_HEADER_CRC));
  if (headerCrc !== slot.readUInt32LE(layout.SLOT_AT_HEADER_CRC)) return 'its header is damaged';
  if (word(layout.SLOT_AT_FORMAT) !== layout.SLOT_FORMAT)
    return `it has format ${word(layout.SLOT_AT_FORMAT)}`;
  if (word(layout.SLOT_AT_BOARD) !== layout.BOARD_I486) return 'it is for another board';
  const kernel = (slot.readUInt32LE(layout.SLOT_AT_KERNEL_PACKED) + 3) & ~3;
  const length = kernel + slot.readUInt32LE(layout.SLOT_AT_SNAPSHOT_PACKED);
  const lengths = [
    ...[layout.SLOT_AT_KERNEL_PACKED, layout.SLOT_AT_KERNEL_BYTES],
    ...[layout.SLOT_AT_SNAPSHOT_PACKED, layout.SLOT_AT_SNAPSHOT_BYTES],
  ];
  if (lengths.some(at => word(at) < 1) || length > layout.SLOT_PAYLOAD_SECTORS * SECTOR_BYTES)
    return 'its lengths are impossible';
  const payload = slot.subarray(SECTOR_BYTES, SECTOR_BYTES + length);
  if (payload.length < length) return `it is cut: ${payload.length} of ${length} bytes are there`;
  if (crc32(payload) !== slot.readUInt32LE(layout.SLOT_AT_PAYLOAD_CRC)) return 'its contents are damaged';
  const isSigned = bytesAt(slot, layout.SLOT_AT_SIGNATURE, layout.SLOT_SIGNATURE_BYTES).some(
    byte => byte !== 0,
  );
  const hash = bytesAt(slot, layout.SLOT_AT_PAYLOAD_HASH, layout.SLOT_HASH_BYTES);
  if (isSigned && !createHash('sha256').update(payload).digest().equals(hash))
    return 'its contents are not those that were signed';
  const version = slot.toString(
    'latin1',
    layout.SLOT_AT_VERSION,
    layout.SLOT_AT_VERSION + layout.SLOT_VERSION_BYTES,
  );
  return { version: version.replace(/\0+$/, ''), isSigned, slot: slot.subarray(0, SECTOR_BYTES + length) };
}

function bytesAt(slot: Buffer, at: number, bytes: number): Buffer {
  return slot.subarray(at, at + bytes);
}
