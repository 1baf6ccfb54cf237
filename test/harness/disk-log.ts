// What a disk was asked to do, write by write, and every state in which a power cut could have left it.
//
// A record comes of QEMU's blklogwrites driver, whose file has the format of Linux's dm-log-writes (Documentation/
// admin-guide/device-mapper/log-writes.rst), or of a medium in Node that notes its writes. The numbers are 64-bit,
// little-endian, an entry takes a whole sector, its data follow:
//
//    | magic, version, entries, sector size |     | sector, sectors, flags, length | data ... | entry | data ...
//
// The states: the disk after each prefix of the record; and, for the writes since the last flush, which the disk may
// have done in any order or not at all, each of them missing, or torn in the middle of a sector.
// Not here: what must be true of a state (the tests), how a machine boots from one (tools/harness/qemu.ts).

import type { Medium } from '../../hal/disk/ata-model.ts';
import { SECTOR_BYTES } from '../../hal/disk/disk.ts';

export type DiskEvent =
  | { readonly kind: 'write'; readonly sector: number; readonly bytes: Uint8Array }
  | { readonly kind: 'flush' };

type Write = Extract<DiskEvent, { kind: 'write' }>;

/** Bytes of a sector that are on the disk when the power goes in its middle: in the header's fields, and behind. */
const TORN_BYTES = [1, 4, 12, 20, 100, 256, 511];

const MAGIC = 0x6a736677736872n;
const AT_ENTRIES = 16;
const AT_SECTOR_SIZE = 24;
const ENTRY_AT_SECTORS = 8;
const ENTRY_AT_FLAGS = 16;
const FLAG_FLUSH = 1n;
const FLAG_DISCARD = 4n;

/** What QEMU is told, for MachineOptions.extra: writes to `disk` go to it and into `log`. */
export function loggedDrive(disk: string, log: string): string[] {
  return [
    ...['-blockdev', `driver=file,node-name=disk-file,filename=${disk}`],
    ...['-blockdev', `driver=file,node-name=log-file,filename=${log}`],
    '-blockdev',
    'driver=blklogwrites,node-name=logged,file=disk-file,log=log-file,log-sector-size=512,log-super-update-interval=1',
    ...['-device', 'ide-hd,drive=logged,bus=ide.0,unit=0'],
  ];
}

/** Reads a log; one whose machine was killed in the middle of an entry ends before it. */
export function parseDiskLog(log: Buffer): DiskEvent[] {
  if (log.length < SECTOR_BYTES || log.readBigUInt64LE(0) !== MAGIC)
    throw new Error('Cannot read the log: no dm-log-writes');
  const size = log.readUInt32LE(AT_SECTOR_SIZE);
  const count = Number(log.readBigUInt64LE(AT_ENTRIES));
  const events: DiskEvent[] = [];
  let at = size;
  for (let i = 0; i < count && at + size <= log.length; i++) {
    const sector = Number(log.readBigUInt64LE(at)) * (size / SECTOR_BYTES);
    const bytes = Number(log.readBigUInt64LE(at + ENTRY_AT_SECTORS)) * size;
    const flags = log.readBigUInt64LE(at + ENTRY_AT_FLAGS);
    at += size;
    if ((flags & FLAG_DISCARD) !== 0n) continue;
    if ((flags & FLAG_FLUSH) !== 0n) events.push({ kind: 'flush' });
    if (bytes > 0) events.push({ kind: 'write', sector, bytes: log.subarray(at, at + bytes) });
    at += bytes;
  }
  return events;
}

/** A medium that notes what is done to it. */
export function recordingMedium(medium: Medium, events: DiskEvent[]): Medium {
  return {
    sectorCount: medium.sectorCount,
    read: sector => medium.read(sector),
    write: (sector, bytes) => {
      events.push({ kind: 'write', sector, bytes: bytes.slice() });
      medium.write(sector, bytes);
    },
    flush: () => {
      events.push({ kind: 'flush' });
    },
  };
}

/** A state of the disk, and how it came about. */
export interface DiskState {
  readonly title: string;
  /** All that was done until then is on the disk. */
  readonly isWhole: boolean;
  /** Flushes before; what was written since the last of them may be missing or torn. */
  readonly flushes: number;
  readonly image: Buffer;
}

/** Every state in which the power may have left the disk, in the order of the record; of each moment the whole first. */
export function* powerCuts(before: Uint8Array, events: readonly DiskEvent[]): Generator<DiskState> {
  const flushed = Buffer.from(before);
  let flushes = 0;
  let loose: Write[] = [];
  const state = (title: string, isWhole: boolean, writes: readonly Write[]): DiskState => {
    const image = Buffer.from(flushed);
    for (const write of writes) put(image, write);
    return { title, isWhole, flushes, image };
  };
  yield state('before anything', true, []);
  for (const [index, event] of events.entries()) {
    if (event.kind === 'flush') {
      for (const write of loose) put(flushed, write);
      loose = [];
      flushes++;
      continue;
    }
    for (const write of split(event)) {
      const place = `at event ${index}, sector ${write.sector}`;
      const earlier = loose;
      loose = [...earlier, write];
      yield state(`whole ${place}`, true, loose);
      for (const missing of earlier) {
        const rest = loose.filter(other => other !== missing);
        yield state(`without sector ${missing.sector} ${place}`, false, rest);
      }
      if (earlier.length > 1) yield state(`alone ${place}`, false, [write]);
      for (const part of TORN_BYTES) {
        const torn = { ...write, bytes: write.bytes.subarray(0, part) };
        yield state(`torn after ${part} bytes ${place}`, false, [...earlier, torn]);
      }
    }
  }
  yield state('after everything', true, loose);
}

/** A disk writes sectors: a longer write may end after any of them. */
function split(event: Write): Write[] {
  const { sector, bytes } = event;
  return Array.from({ length: bytes.length / SECTOR_BYTES }, (_, i) => ({
    kind: 'write' as const,
    sector: sector + i,
    bytes: bytes.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES),
  }));
}

function put(image: Buffer, { sector, bytes }: { sector: number; bytes: Uint8Array }): void {
  image.set(bytes, sector * SECTOR_BYTES);
}
