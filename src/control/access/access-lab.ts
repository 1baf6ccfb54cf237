// A sim board whose disk has saved settings with the password `secret` among them, for tests of who may use the console.

import { pbkdf2Sync } from 'node:crypto';
import { createSimBoard } from '../../../board/sim/board.ts';
import { type SimDisk, simDisk } from '../../../board/sim/disk.ts';
import { memoryMedium } from '../../../hal/disk/ata-model.ts';
import { encodeConfig, putConfig } from '../../../image/records.ts';
import { FACT_SAFE } from '../../base/abi.ts';
import { BOOT_FACTS_AT } from '../../base/cells.ts';
import { IMAGE_SECTORS, SECTOR_BYTES } from '../../base/layout.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';

const SALT = '00112233445566778899aabbccddeeff';
const HASH = pbkdf2Sync('secret', Buffer.from(SALT, 'hex'), 2, 32, 'sha256').toString('hex');
export const PASSWORD_LINE = `set password hash 2 ${SALT} ${HASH}\n`;

/** A disk on which a text is saved, or nothing where it is ''. */
export function savedDisk(text: string): SimDisk {
  const bytes = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
  if (text !== '') putConfig(bytes, 0, encodeConfig(1, text));
  return simDisk(memoryMedium(bytes));
}

/** A board that starts with a disk; what was typed is answered within `ticks`. */
export async function start(disk: SimDisk, isSafe = false) {
  let said = '';
  const board = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text), disk });
  const cells = new DataView(board.memory.buffer, board.memory.byteOffset);
  cells.setInt32(BOOT_FACTS_AT + 4 * FACT_SAFE, isSafe ? 1 : 0, true);
  const type = (typed: string, ticks = 2 * TICKS_PER_SECOND): string => {
    said = '';
    board.type(typed);
    for (let i = 0; i < ticks; i++) {
      board.run();
      board.advance(1);
    }
    return said;
  };
  return { board, type };
}
