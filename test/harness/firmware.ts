// The image that was built under another version, as a newer one would be: whole, or made to fail at its start, signed by
// the key that signed the image or by another; and sending it to a booted board, as the host tool or another program does.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { signedBytes } from '../../image/records.ts';
import { loadSigner, type Signer } from '../../image/signing.ts';
import * as layout from '../../src/base/layout.ts';
import { PATIENCE_SECONDS } from '../../tools/harness/processes.ts';
import type { Machine } from '../../tools/harness/qemu.ts';
import { Inbox } from '../../tools/masqbox/inbox.ts';
import { sendFile } from '../../tools/masqbox/ymodem.ts';

const { SECTOR_BYTES } = layout;
const SLOT_AT = layout.SLOT_SECTOR * SECTOR_BYTES;

/**
 * The slot of an image under another version; `spoil` may change its packed snapshot. Its checksums are right, and its
 * signature is by `signer`, null for none, as firmware was before there were signatures.
 */
export function slotOf(
  imagePath: string,
  version: string,
  spoil: (snapshot: Buffer) => void = () => {},
  signer: Signer | null = loadSigner(),
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
  if (signer === null) header.fill(0, layout.SLOT_AT_BUILT, layout.SLOT_AT_HEADER_CRC);
  else {
    header.set(signer.boardKey, layout.SLOT_AT_KEY);
    header.set(createHash('sha256').update(payload).digest(), layout.SLOT_AT_PAYLOAD_HASH);
    header.set(signer.sign(signedBytes(header)), layout.SLOT_AT_SIGNATURE);
  }
  header.writeUInt32LE(crc32(header.subarray(0, layout.SLOT_AT_HEADER_CRC)), layout.SLOT_AT_HEADER_CRC);
  return slot.subarray(0, SECTOR_BYTES + payload.length);
}

/** The whole image with that slot. */
export function imageOf(imagePath: string, version: string): Buffer {
  const image = Buffer.from(readFileSync(imagePath));
  image.set(slotOf(imagePath, version), SLOT_AT);
  return image;
}

/** Types `update`, or what `command` says, and sends a file by YMODEM. */
export async function send(
  { console }: Machine,
  image: Uint8Array,
  progress?: (sent: number) => void,
  command = 'update',
): Promise<void> {
  console.write(`${command}\r`);
  await console.expect('^C cancels', PATIENCE_SECONDS);
  const inbox = new Inbox();
  console.watcher = bytes => inbox.put(bytes);
  const line = {
    write: async (part: Uint8Array) => console.write(Buffer.from(part).toString('latin1')),
    read: (milliseconds: number) => inbox.next(milliseconds),
    now: () => performance.now(),
  };
  await sendFile(line, 'masqbox.img', image, progress);
}

/** Types `update`, or what `command` says, and lets a program send: lrzsz's sz, sx or sb. Resolves with its status. */
export async function sendBy(
  { console }: Machine,
  words: readonly string[],
  command = 'update',
): Promise<number | null> {
  console.write(`${command}\r`);
  await console.expect('^C cancels', PATIENCE_SECONDS);
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => {});
  console.watcher = bytes => child.stdin.write(bytes);
  child.stdout.on('data', (bytes: Buffer) => console.write(bytes.toString('latin1')));
  const status = await new Promise<number | null>(resolve => child.on('close', resolve));
  console.watcher = () => {};
  return status;
}
