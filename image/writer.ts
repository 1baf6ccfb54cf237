// Writes an image: boot sector, loader, slot A with the packed kernel and snapshot, and room for the rest.
// Everything lies where src/base/layout.ts says. The configurations stay empty; slot B lies behind the image.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as layout from '../src/base/layout.ts';
import { pack } from './pack.ts';
import { encodeSlotHeader } from './records.ts';
import type { Signer } from './signing.ts';

const { SECTOR_BYTES } = layout;

export interface ImageParts {
  bootSector: Uint8Array;
  loader: Uint8Array;
  /** The kernel's flat binary, as it lies in memory from KERNEL_AT on; its first byte is its entry. */
  kernel: Uint8Array;
  /** How many of its last bytes lie in the slot as they are, at the packed kernel's end: none, if it is left out. */
  kernelPlain?: number;
  snapshot: Uint8Array;
  version: string;
  /** Unix seconds; left out, it is not known. */
  built?: number;
  /** Left out, the firmware is not signed. */
  signer?: Signer | undefined;
}

export interface SlotOptions {
  sequence?: number;
  tries?: number;
  /** The medium number; without one, what writeImage() takes: the payload's CRC-32. */
  medium?: number;
}

/** A whole image: exactly a 1.44 MB floppy. */
export function writeImage(parts: ImageParts): Uint8Array {
  const image = new Uint8Array(layout.IMAGE_SECTORS * SECTOR_BYTES);
  place(image, 0, 1, parts.bootSector, 'boot sector');
  place(image, layout.LOADER_SECTOR, layout.LOADER_SECTORS, parts.loader, 'loader');
  const slot = writeSlot(parts);
  place(image, layout.SLOT_SECTOR, layout.SLOT_SECTORS, slot, 'packed firmware');
  image.set(slot.subarray(layout.SLOT_AT_MEDIUM, layout.SLOT_AT_MEDIUM + 4), layout.BOOT_SECTOR_AT_MEDIUM);
  return image;
}

/** A slot's bytes: header sector and payload. */
export function writeSlot(
  { kernel, kernelPlain, snapshot, version, built, signer }: Omit<ImageParts, 'bootSector' | 'loader'>,
  { sequence = 1, tries = layout.SLOT_CONFIRMED, medium }: SlotOptions = {},
): Uint8Array {
  const packedSnapshot = pack(snapshot);
  const packedKernel = pack(kernel, kernelPlain);
  const payload = Buffer.concat([packedKernel, Buffer.alloc(-packedKernel.length & 3), packedSnapshot]);
  const header = encodeSlotHeader({
    sequence,
    tries,
    kernelPacked: packedKernel.length,
    kernelBytes: kernel.length,
    snapshotPacked: packedSnapshot.length,
    snapshotBytes: snapshot.length,
    payloadCrc: crc32(payload),
    medium: medium ?? crc32(payload),
    version,
    ...(built === undefined ? {} : { built }),
    ...(signer === undefined
      ? {}
      : {
          signing: {
            key: signer.boardKey,
            payloadHash: createHash('sha256').update(payload).digest(),
            sign: signer.sign,
          },
        }),
  });
  return Buffer.concat([header, payload]);
}

function place(image: Uint8Array, sector: number, sectors: number, bytes: Uint8Array, what: string): void {
  if (bytes.length > sectors * SECTOR_BYTES) {
    throw new Error(
      `Cannot write the image: the ${what} has ${bytes.length} bytes, and ${sectors * SECTOR_BYTES} fit`,
    );
  }
  image.set(bytes, sector * SECTOR_BYTES);
}
