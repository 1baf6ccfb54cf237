// The image that was built under another version, as a newer one would be: whole, or made to fail at its start.

import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import * as layout from '../../image/layout.ts';

const { SECTOR_BYTES } = layout;
const SLOT_AT = layout.SLOT_SECTOR * SECTOR_BYTES;

/** The slot of an image under another version; `spoil` may change its packed snapshot. Its checksums are right. */
export function slotOf(
  imagePath: string,
  version: string,
  spoil: (snapshot: Buffer) => void = () => {},
): Buffer {
  const slot = Buffer.from(readFileSync(imagePath)).subarray(SLOT_AT);
  const header = slot.subarray(0, SECTOR_BYTES);
  const word = (at: number): number => header.readUInt32LE(at);
  const kernel = (word(layout.SLOT_AT_KERNEL_PACKED) + 3) & ~3;
  const payload = slot.subarray(SECTOR_BYTES, SECTOR_BYTES + kernel + word(layout.SLOT_AT_SNAPSHOT_PACKED));
  spoil(payload.subarray(kernel));
  header.fill(0, layout.SLOT_AT_VERSION, layout.SLOT_AT_VERSION + layout.SLOT_VERSION_BYTES);
  header.write(version, layout.SLOT_AT_VERSION, 'latin1');
  header.writeUInt32LE(crc32(payload), layout.SLOT_AT_PAYLOAD_CRC);
  header.writeUInt32LE(crc32(header.subarray(0, layout.SLOT_AT_HEADER_CRC)), layout.SLOT_AT_HEADER_CRC);
  return slot.subarray(0, SECTOR_BYTES + payload.length);
}

/** The whole image with that slot. */
export function imageOf(imagePath: string, version: string): Buffer {
  const image = Buffer.from(readFileSync(imagePath));
  image.set(slotOf(imagePath, version), SLOT_AT);
  return image;
}
