// What the test's web server serves: bytes that repeat nowhere near, so that a packet lost, doubled or misplaced
// changes the checksum.

import { createHash } from 'node:crypto';
import { seeded } from '../../tools/harness/random.ts';

export function contents(bytes: number): Buffer {
  const random = seeded(bytes);
  const words = new Uint32Array(Math.ceil(bytes / 4));
  for (let i = 0; i < words.length; i++) words[i] = random.below(0x1_0000_0000);
  return Buffer.from(words.buffer, 0, bytes);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
