// The records of the flash as bytes: slot headers and saved configurations (src/base/layout.ts). For Node: the image
// writer, flash.sh's --config, tests. Both kinds carry a CRC-32, so that a write that was cut is seen.
import { crc32 } from 'node:zlib';
import * as layout from '../src/base/layout.ts';

/** What a slot's header says. */
export interface Slot {
  sequence: number;
  /** layout.SLOT_CONFIRMED, or the boots in which it must prove itself. */
  tries: number;
  kernelPacked: number;
  kernelBytes: number;
  snapshotPacked: number;
  snapshotBytes: number;
  payloadCrc: number;
  medium: number;
  version: string;
  /** Unix seconds; 0 and left out: not known. */
  built?: number;
  /** Left out in unsigned firmware. */
  signing?: { key: Uint8Array; payloadHash: Uint8Array; sign(message: Uint8Array): Uint8Array };
}

/** What a slot's signature is of: the header's bytes before it, without what differs from medium to medium. */
export function signedBytes(header: Uint8Array): Uint8Array {
  // A Buffer's slice() would be no copy.
  const bytes = Uint8Array.from(header.subarray(0, layout.SLOT_AT_SIGNATURE));
  for (const at of [layout.SLOT_AT_SEQUENCE, layout.SLOT_AT_TRIES, layout.SLOT_AT_MEDIUM])
    bytes.fill(0, at, at + 4);
  return bytes;
}

/** A slot's first sector. */
export function encodeSlotHeader(slot: Slot): Uint8Array {
  const bytes = Buffer.alloc(layout.SECTOR_BYTES);
  bytes.writeInt32LE(layout.SLOT_MAGIC, layout.SLOT_AT_MAGIC);
  bytes.writeInt32LE(layout.SLOT_FORMAT, layout.SLOT_AT_FORMAT);
  bytes.writeInt32LE(slot.sequence | 0, layout.SLOT_AT_SEQUENCE);
  bytes.writeInt32LE(slot.tries | 0, layout.SLOT_AT_TRIES);
  bytes.writeUInt32LE(slot.kernelPacked, layout.SLOT_AT_KERNEL_PACKED);
  bytes.writeUInt32LE(slot.kernelBytes, layout.SLOT_AT_KERNEL_BYTES);
  bytes.writeUInt32LE(slot.snapshotPacked, layout.SLOT_AT_SNAPSHOT_PACKED);
  bytes.writeUInt32LE(slot.snapshotBytes, layout.SLOT_AT_SNAPSHOT_BYTES);
  bytes.writeUInt32LE(layout.KERNEL_AT, layout.SLOT_AT_LOAD_ADDRESS);
  bytes.writeUInt32LE(layout.BOARD_I486, layout.SLOT_AT_BOARD);
  bytes.writeUInt32LE(slot.payloadCrc, layout.SLOT_AT_PAYLOAD_CRC);
  bytes.writeUInt32LE(slot.medium >>> 0, layout.SLOT_AT_MEDIUM);
  if (!/^[\x20-\x7e]*$/.test(slot.version) || slot.version.length > layout.SLOT_VERSION_BYTES) {
    throw new Error(
      `Cannot write version ${slot.version}: not ${layout.SLOT_VERSION_BYTES} ASCII characters`,
    );
  }
  bytes.write(slot.version, layout.SLOT_AT_VERSION, 'latin1');
  bytes.writeUInt32LE(slot.built ?? 0, layout.SLOT_AT_BUILT);
  if (slot.signing !== undefined) {
    bytes.set(slot.signing.key, layout.SLOT_AT_KEY);
    bytes.set(slot.signing.payloadHash, layout.SLOT_AT_PAYLOAD_HASH);
    bytes.set(slot.signing.sign(signedBytes(bytes)), layout.SLOT_AT_SIGNATURE);
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, layout.SLOT_AT_HEADER_CRC)), layout.SLOT_AT_HEADER_CRC);
  return bytes;
}

/** What a configuration area holds, or null: nothing, a write that was cut, or damage. */
export function decodeConfig(area: Uint8Array): { sequence: number; text: string } | null {
  const bytes = Buffer.from(area.buffer, area.byteOffset, area.length);
  const length = bytes.readUInt32LE(layout.CONFIG_AT_LENGTH);
  if (bytes.readInt32LE(layout.CONFIG_AT_MAGIC) !== layout.CONFIG_MAGIC) return null;
  if (bytes.readInt32LE(layout.CONFIG_AT_FORMAT) !== layout.CONFIG_FORMAT) return null;
  if (length > layout.CONFIG_TEXT_MAX) return null;
  const text = bytes.subarray(layout.CONFIG_AT_TEXT, layout.CONFIG_AT_TEXT + length);
  const crc = crc32(text, crc32(bytes.subarray(0, layout.CONFIG_AT_CRC)));
  if (crc !== bytes.readUInt32LE(layout.CONFIG_AT_CRC)) return null;
  return { sequence: bytes.readInt32LE(layout.CONFIG_AT_SEQUENCE), text: text.toString('utf8') };
}

/** The parts in which a medium has a configuration: where each begins and ends in the record, and where on the medium. */
function configParts(index: number): { from: number; to: number; at: number }[] {
  const first = layout.CONFIG_SECTORS * layout.SECTOR_BYTES;
  const more = layout.CONFIG_MORE_SECTORS * layout.SECTOR_BYTES;
  return [
    { from: 0, to: first, at: layout.CONFIG_SECTOR * layout.SECTOR_BYTES + index * first },
    { from: first, to: first + more, at: layout.CONFIG_MORE_SECTOR * layout.SECTOR_BYTES + index * more },
  ];
}

/** The bytes of a medium's configuration, both parts; 0 or 1. */
export function configArea(medium: Uint8Array, index: number): Uint8Array {
  return Buffer.concat(configParts(index).map(({ from, to, at }) => medium.subarray(at, at + to - from)));
}

/** Writes a record of encodeConfig() to a medium. */
export function putConfig(medium: Uint8Array, index: number, record: Uint8Array): void {
  for (const { from, to, at } of configParts(index)) medium.set(record.subarray(from, to), at);
}

/** A configuration area: header, text, zeros. Of a long one, to be written by putConfig(), what lies elsewhere is behind the first. */
export function encodeConfig(sequence: number, text: string): Uint8Array {
  const encoded = Buffer.from(text, 'utf8');
  if (encoded.length > layout.CONFIG_TEXT_MAX) {
    throw new Error(
      `Cannot store a configuration of ${encoded.length} bytes: ${layout.CONFIG_TEXT_MAX} bytes fit`,
    );
  }
  const sectors = Math.ceil((layout.CONFIG_AT_TEXT + encoded.length) / layout.SECTOR_BYTES);
  const bytes = Buffer.alloc(Math.max(layout.CONFIG_SECTORS, sectors) * layout.SECTOR_BYTES);
  bytes.writeInt32LE(layout.CONFIG_MAGIC, layout.CONFIG_AT_MAGIC);
  bytes.writeInt32LE(layout.CONFIG_FORMAT, layout.CONFIG_AT_FORMAT);
  bytes.writeInt32LE(sequence | 0, layout.CONFIG_AT_SEQUENCE);
  bytes.writeUInt32LE(encoded.length, layout.CONFIG_AT_LENGTH);
  bytes.writeUInt32LE(crc32(encoded, crc32(bytes.subarray(0, layout.CONFIG_AT_CRC))), layout.CONFIG_AT_CRC);
  encoded.copy(bytes, layout.CONFIG_AT_TEXT);
  return bytes;
}
