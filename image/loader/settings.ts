// The saved settings of a floppy. The loader reads them by the BIOS, as the drive is running, and control would wait for it
// (src/control/floppy/overlay.ts). It leaves them where the kernel finds them (BOOT_AT_SETTINGS): the newer record that is
// whole, as on the medium. They lie where the packed kernel was, which nobody needs any more, at its end, where the kernel
// takes pages last.
//
//    first word    CONFIG_MAGIC: a record     0: none was ever saved     SETTINGS_LOST: what is there cannot be read
//
// Not here: disks, whose settings control reads itself (src/control/core/store/config-store.ts has the same rules).

import {
  BOOT_AT_SETTINGS,
  BOOT_AT_SNAPSHOT,
  BOOT_INFO_AT,
  CONFIG_AT_CRC,
  CONFIG_AT_FORMAT,
  CONFIG_AT_LENGTH,
  CONFIG_AT_MAGIC,
  CONFIG_AT_SEQUENCE,
  CONFIG_AT_TEXT,
  CONFIG_COUNT,
  CONFIG_FORMAT,
  CONFIG_MAGIC,
  CONFIG_MORE_SECTOR,
  CONFIG_MORE_SECTORS,
  CONFIG_SECTOR,
  CONFIG_SECTORS,
  CONFIG_TEXT_MAX,
  SECTOR_BYTES,
  SETTINGS_BYTES,
  SETTINGS_LOST,
  UNPACK_AT,
} from '../../src/base/layout.ts';
import { copy, fill, i32at, puti32 } from '../../src/base/memory.ts';
import { crc32 } from './crc32.ts';
import { readSectors } from './machine.ts';

/** Reads the settings; the slot has been loaded. */
export function readSettings(): void {
  const at: i32 = (i32at(BOOT_INFO_AT + BOOT_AT_SNAPSHOT) & ~4095) - SETTINGS_BYTES;
  puti32(BOOT_INFO_AT + BOOT_AT_SETTINGS, at);
  let lost: i32 = 0;
  let first: i32 = 0;
  let newest: i32 = 0;
  let known: i32 = 0;
  for (let area: i32 = 0; area < CONFIG_COUNT; area++) {
    if (readSectors(CONFIG_SECTOR + area * CONFIG_SECTORS, 1, UNPACK_AT) === 0) continue;
    const sequence: i32 = i32at(UNPACK_AT + CONFIG_AT_SEQUENCE);
    if (i32at(UNPACK_AT + CONFIG_AT_MAGIC) !== CONFIG_MAGIC) continue;
    if (known !== 0 && ((sequence - newest) | 0) <= 0) continue;
    known = 1;
    first = area;
    newest = sequence;
  }
  for (let turn: i32 = 0; turn < CONFIG_COUNT; turn++) {
    const area: i32 = turn === 0 ? first : 1 - first;
    const state: i32 = readArea(area, at);
    if (state === CONFIG_MAGIC) return;
    lost |= state;
  }
  fill(at, 0, CONFIG_AT_TEXT);
  puti32(at, lost === 0 ? 0 : SETTINGS_LOST);
}

/** Reads a record: CONFIG_MAGIC if it is whole, 0 if none was ever there, or SETTINGS_LOST. */
function readArea(area: i32, at: i32): i32 {
  const sector: i32 = CONFIG_SECTOR + area * CONFIG_SECTORS;
  if (readSectors(sector, 1, at) === 0) return SETTINGS_LOST;
  const magic: i32 = i32at(at + CONFIG_AT_MAGIC);
  const bytes: i32 = i32at(at + CONFIG_AT_LENGTH);
  if (magic === 0) return 0;
  if (magic !== CONFIG_MAGIC || i32at(at + CONFIG_AT_FORMAT) !== CONFIG_FORMAT) return SETTINGS_LOST;
  if (bytes < 0 || bytes > CONFIG_TEXT_MAX) return SETTINGS_LOST;
  let more: i32 = ((CONFIG_AT_TEXT + bytes + SECTOR_BYTES - 1) / SECTOR_BYTES - 1) | 0;
  if (more >= CONFIG_SECTORS) {
    const rest: i32 = more + 1 - CONFIG_SECTORS;
    const place: i32 = at + CONFIG_SECTORS * SECTOR_BYTES;
    if (readSectors(CONFIG_MORE_SECTOR + area * CONFIG_MORE_SECTORS, rest, place) === 0) return SETTINGS_LOST;
    more = CONFIG_SECTORS - 1;
  }
  if (more > 0 && readSectors(sector + 1, more, at + SECTOR_BYTES) === 0) return SETTINGS_LOST;
  // The sum is over the header before it and the text: for a moment they lie side by side.
  const sum: i32 = i32at(at + CONFIG_AT_CRC);
  copy(UNPACK_AT, at + CONFIG_AT_CRC, CONFIG_AT_TEXT - CONFIG_AT_CRC);
  copy(at + CONFIG_AT_TEXT - CONFIG_AT_CRC, at, CONFIG_AT_CRC);
  const found: i32 = crc32(at + CONFIG_AT_TEXT - CONFIG_AT_CRC, CONFIG_AT_CRC + bytes);
  copy(at + CONFIG_AT_CRC, UNPACK_AT, CONFIG_AT_TEXT - CONFIG_AT_CRC);
  return found === sum ? CONFIG_MAGIC : SETTINGS_LOST;
}
