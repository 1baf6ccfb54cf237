// Writes new firmware to a slot as its bytes arrive: a whole image, whose part before slot A is passed over, or a
// slot's bytes alone. The order makes a power cut harmless at every sector:
//
//    header of the slot := zeros, flush     from here on the loader sees no firmware there
//    payload, sector by sector, flush       its CRC is compared, as it came and as it reads back
//    header, flush, read back               one sector: the new firmware is in force, on trial
//
// Who has made it is known before the first of these: the signature (signature.ts) is of the header, which comes first and
// has the payload's hash in it. If the last step fails, the header is taken away again, as far as the disk lets it.
// Not here: how the bytes come (src/control/transfer/), which slot may be overwritten (src/control/update/), the payload's sum (payload.ts).

import type { Disk, DiskJob } from '../../../../hal/disk/disk.ts';
import { MEDIUM_AT } from '../../../base/cells.ts';
import * as layout from '../../../base/layout.ts';
import { i32at } from '../../../base/memory.ts';
import type { Machine } from '../machine.ts';
import { Sha256 } from '../sha256.ts';
import { payloadBytes, refuseHeader, same, setWord, versionOf, writeHeader } from './header.ts';
import { CHUNK_BYTES, checkPayload } from './payload.ts';
import { payloadHashOf, refuseSignature, type Verify } from './signature.ts';
import { crcOf, SECTOR_BYTES, slotSector, wordOf } from './slots.ts';

/** Boots in which new firmware must prove itself. */
export const TRIES = 3;
/** "MASQBOX" in an image's boot sector. */
const NAME_AT = 3;
const NAME = 'MASQBOX';

/** Whether the file must be signed by the key of the firmware that runs. */
export type Trust = 'signed' | 'unsigned';

export class SlotWriter {
  readonly header = new Uint8Array(SECTOR_BYTES);
  private readonly chunk = new Uint8Array(CHUNK_BYTES);
  private filled = 0;
  /** Bytes that come before the slot's header, and whether that is known. */
  private skip = 0;
  private isKnown = false;
  private hasHeader = false;
  private payload = 0;
  private crc = 0;
  private written = 0;
  private readonly hash: Sha256;
  /** It is given up when it has done its work. */
  private verify: Verify | undefined;
  /** The header may be on the disk although it was not to be: then only the next start tells which slot is in force. */
  isUnsure = false;

  /** @param own the header of the firmware that runs */
  constructor(
    private readonly machine: Machine,
    private readonly disk: Disk,
    private readonly slot: number,
    private readonly own: Uint8Array,
    private readonly trust: Trust,
  ) {
    this.hash = new Sha256(machine);
    // Now, as later there might be no room for it, and the sender would be under way.
    if (trust === 'signed') this.verify = machine.overlay('signature').verify;
  }

  get version(): string {
    return versionOf(this.header);
  }

  /** Takes the next bytes. Answers why they cannot be used, or undefined. */
  *take(bytes: Uint8Array): DiskJob {
    for (let at = 0; at < bytes.length; ) {
      if (this.skip > 0) {
        const count = Math.min(this.skip, bytes.length - at);
        this.skip -= count;
        at += count;
        continue;
      }
      if (this.hasHeader && this.written === this.payload) return undefined; // an image's last zeros
      const wanted = this.hasHeader ? Math.min(CHUNK_BYTES, this.payload - this.written) : SECTOR_BYTES;
      const count = Math.min(bytes.length - at, wanted - this.filled);
      this.chunk.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < wanted) continue;
      const why = this.hasHeader ? yield* this.writeChunk() : yield* this.takeSector();
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** The file's first sector, or the slot's: the boot sector tells that the header is still to come. */
  private *takeSector(): DiskJob {
    this.filled = 0;
    const sector = this.chunk.subarray(0, SECTOR_BYTES);
    const name = String.fromCharCode(...sector.subarray(NAME_AT, NAME_AT + NAME.length));
    const isImage = !this.isKnown && name === NAME;
    this.isKnown = true;
    if (isImage) {
      this.skip = (layout.SLOT_SECTOR - 1) * SECTOR_BYTES;
      return undefined;
    }
    if (wordOf(sector, layout.SLOT_AT_MAGIC) !== layout.SLOT_MAGIC) return 'it is no Masqbox image';
    this.header.set(sector);
    let why = refuseHeader(this.machine, this.header);
    if (why === undefined && this.trust === 'signed')
      why =
        this.verify === undefined
          ? 'one of its headers was refused already'
          : yield* refuseSignature(this.verify, this.own, this.header);
    this.verify = undefined;
    if (why !== undefined) return why;
    this.hasHeader = true;
    this.payload = payloadBytes(this.header);
    // Only now that the new firmware is known to fit is the old one given up.
    return yield* this.clear();
  }

  /** Takes the slot's header away. */
  private *clear(): DiskJob {
    const zeros = new Uint8Array(SECTOR_BYTES);
    return (yield* this.disk.write(slotSector(this.slot), zeros)) ?? (yield* this.disk.flush());
  }

  private *writeChunk(): DiskJob {
    const sectors = Math.ceil(this.filled / SECTOR_BYTES);
    this.crc = crcOf(this.machine, this.crc, this.chunk.subarray(0, this.filled));
    if (this.trust === 'signed') this.hash.take(this.chunk.subarray(0, this.filled));
    this.chunk.fill(0, this.filled, sectors * SECTOR_BYTES);
    const at = slotSector(this.slot) + 1 + this.written / SECTOR_BYTES;
    this.written += this.filled;
    this.filled = 0;
    return yield* this.disk.write(at, this.chunk.subarray(0, sectors * SECTOR_BYTES));
  }

  /** All bytes have come: checks them and puts the slot in force, on trial. Answers why not, or undefined. */
  *finish(): DiskJob {
    if (!this.hasHeader) return 'it is no Masqbox image';
    if (this.written < this.payload) return `${this.written + this.filled} of ${this.payload} bytes came`;
    if (this.crc !== wordOf(this.header, layout.SLOT_AT_PAYLOAD_CRC)) return 'its contents are damaged';
    if (this.trust === 'signed' && !same(this.hash.finish(), payloadHashOf(this.header)))
      return 'its contents are not those that were signed';
    const why = (yield* this.disk.flush()) ?? (yield* this.readBack());
    if (why !== undefined) return why;
    setWord(this.header, layout.SLOT_AT_SEQUENCE, (wordOf(this.own, layout.SLOT_AT_SEQUENCE) + 1) | 0);
    setWord(this.header, layout.SLOT_AT_TRIES, TRIES);
    setWord(this.header, layout.SLOT_AT_MEDIUM, i32at(MEDIUM_AT));
    const failed = yield* writeHeader(this.machine, this.disk, this.slot, this.header);
    // An error does not say that nothing was written.
    if (failed !== undefined) this.isUnsure = (yield* this.clear()) !== undefined;
    return failed;
  }

  private *readBack(): DiskJob {
    const why = yield* checkPayload(this.machine, this.disk, this.slot, this.header);
    return why === undefined ? undefined : `the disk gives back something else than was written (${why})`;
  }
}
