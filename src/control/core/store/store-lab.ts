// What tests of the store stand on: a sim board with a disk in memory that is switched on, and its console.

import { createSimBoard } from '../../../../board/sim/board.ts';
import { type SimDisk, simDisk } from '../../../../board/sim/disk.ts';
import type { SimFloppy } from '../../../../board/sim/floppy.ts';
import { memoryMedium } from '../../../../hal/disk/ata-model.ts';
import { FACT_SAFE } from '../../../base/abi.ts';
import { BOOT_FACTS_AT } from '../../../base/cells.ts';
import { CONFIG_SECTOR, CONFIG_SECTORS, IMAGE_SECTORS, SECTOR_BYTES } from '../../../base/layout.ts';
import { CONFIGURATION_BYTES } from '../../../base/limits.ts';

export const PROMPT = 'masqbox> ';

/** Characters that settings may have; with sections there may be more. */
export const SETTINGS_MOST = CONFIGURATION_BYTES - 4;

export function blank(): Buffer {
  return Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
}

export function areaAt(index: number): number {
  return (CONFIG_SECTOR + index * CONFIG_SECTORS) * SECTOR_BYTES;
}

/** A board that was switched on with this disk, and what its console said. */
export async function powerOn<Given extends SimDisk | SimFloppy = SimDisk>(
  bytes: Buffer | undefined,
  given?: Given,
  isSafe = false,
) {
  let transcript = '';
  const disk = given ?? (bytes === undefined ? undefined : simDisk(memoryMedium(bytes)));
  // A floppy is slow.
  const patience = disk !== undefined && 'violations' in disk ? 3000 : 100;
  const board = await createSimBoard({
    onFrame() {},
    onOutput: text => {
      transcript += text;
    },
    ...(disk === undefined ? {} : { disk }),
  });
  const cells = new DataView(board.memory.buffer, board.memory.byteOffset);
  cells.setInt32(BOOT_FACTS_AT + 4 * FACT_SAFE, isSafe ? 1 : 0, true);
  const settle = (): void => {
    for (let i = 0; i < patience && !transcript.endsWith(PROMPT); i++) {
      board.run();
      board.advance(1);
    }
  };
  settle();
  const start = transcript.replaceAll('\r', '');
  const command = (line: string): string => {
    transcript = '';
    board.type(`${line}\r`);
    board.run();
    settle();
    return transcript.replaceAll('\r', '').split('\n').slice(1, -1).join('\n');
  };
  return { board, disk: disk as Given | undefined, start, command, since: () => transcript };
}

/** Settings whose lines have exactly so many characters. */
export function settingsOf(characters: number): string {
  const label = 'x'.repeat(60);
  const lines = ['set nat profile rfc', 'set nat filter address', 'set engine native'];
  for (let i = 0; i < 32; i++)
    lines.push(`set dns host h${i}.${label}.${label}.${label}.${label} 10.0.0.${i + 1}`);
  for (let i = 0; i < 15; i++) lines.push(`set dns allow a${i}.${label}.${label}.${label}.${label}`);
  const reserved = (i: number): string =>
    `set dhcp reserve 52:54:00:00:01:${10 + i} 192.168.0.${i + 10} machine-${i}`;
  const left = (): number => characters - lines.join('\n').length - 2;
  for (let i = 0; left() > 200; i++) lines.push(reserved(i));
  const rest = left() - 'set dns allow '.length;
  lines.push(`set dns allow ${'a.'.repeat(rest).slice(0, rest - 1)}a`);
  return `${lines.join('\n')}\n`;
}
