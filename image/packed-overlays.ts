// The overlays as the kernel has them: packed, as C. Those that are always in RAM stand among the kernel's constants; all
// others are the section .overlays, with which the kernel's image ends (board/i486/link.ld), and with it the packed kernel in the
// slot, where these bytes are kept as they are (pack.ts): there control reads them, when a small board has given their RAM to
// the heap (src/control/core/disk-overlays.ts).
//
//    slot:  | header | kernel, packed ...   | overlays, packed | snapshot, packed |
//                                           `- read from here
//
// Not here: how they are packed (overlays/), who reads them (board/i486/overlay.c), which there are (src/control/core/overlays.ts).

import { crc32 } from 'node:zlib';
import { OVERLAY_MARGIN, OVERLAY_MARGIN_PART } from '../src/base/abi.ts';
import { SECTOR_BYTES } from '../src/base/layout.ts';
import { OVERLAY_NAMES, OVERLAYS_IN_RAM } from '../src/control/core/overlays.ts';
import { encode, type Packed } from './overlays/encode.ts';
import type { Snapshot } from './snapshot.ts';

/** A byte counts the sectors that have one (HOST_OVERLAY). */
const MOST_BYTES = 253 * SECTOR_BYTES;
/** What the decoder writes too many at most. */
const OVERWRITTEN = 3;

export interface PackedOverlays {
  /** What overlay.c includes. */
  header: string;
  /** What the section is. */
  section: Uint8Array;
}

export function packOverlays(overlays: Snapshot['overlays']): PackedOverlays {
  const kept = new Set<string>(OVERLAYS_IN_RAM);
  const section: Uint8Array[] = [];
  let bytes = 0;
  const encoded = encode(overlays.map(({ bytecode }) => bytecode));
  const entries = overlays.map(({ bytecode, heapBytes }, number) => {
    const { bytes: packed, lead } = encoded.packed[number] as Packed;
    if (lead + OVERWRITTEN > OVERLAY_MARGIN + Math.floor(bytecode.length / OVERLAY_MARGIN_PART))
      throw new Error(
        `Cannot pack overlay ${number}: unpacked in place it would be ${lead} bytes over what is to be read`,
      );
    if (packed.length > MOST_BYTES)
      throw new Error(`Cannot pack an overlay of ${packed.length} bytes: ${MOST_BYTES} are the most`);
    let at = `packed_overlays + ${bytes}`;
    if (kept.has(OVERLAY_NAMES[number] as string)) at = `(const u8[]){${packed.join(',')}}`;
    else {
      section.push(packed);
      bytes += packed.length;
    }
    return `  {${at}, ${packed.length}, ${crc32(packed)}u, ${bytecode.length}, ${heapBytes}},\n`;
  });
  // Behind the image come zeroes, by the word.
  const whole = Buffer.concat([...section, Buffer.alloc(-bytes & 3)]);
  return {
    header: [
      `static const u8 overlay_codes[] = {${encoded.codes.join(',')}};\n`,
      'struct overlay { const u8 *packed; u32 packed_bytes, sum, bytes, heap_bytes; };\n',
      `static const u8 packed_overlays[] __attribute__((section(".overlays"))) = {${whole.join(',')}};\n`,
      `static const struct overlay overlays[] = {\n${entries.join('')}};\n`,
    ].join(''),
    section: whole,
  };
}
