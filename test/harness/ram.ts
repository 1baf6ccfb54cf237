// A machine whose RAM is a file, so that a test can write to it while the machine stands still.

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryMap } from '../../image/memory-map.ts';
import { PLANE_BASE } from '../../src/base/limits.ts';
import type { Machine } from '../../tools/harness/qemu.ts';

export class Ram {
  readonly #folder = mkdtempSync(join(tmpdir(), 'masqbox-ram-'));
  readonly #file = join(this.#folder, 'ram');

  constructor(readonly mebibytes: number) {}

  /** Options of QEMU's, for a machine with as much memory. */
  get extra(): string[] {
    const backend = `memory-backend-file,id=ram,size=${this.mebibytes}M,mem-path=${this.#file},share=on`;
    return ['-object', backend, '-machine', 'memory-backend=ram'];
  }

  /** Writes at a physical address. */
  write(address: number, bytes: Uint8Array): void {
    const file = openSync(this.#file, 'r+');
    writeSync(file, bytes, 0, bytes.length, address);
    closeSync(file);
  }

  /** Sets a word of the plane's memory. */
  async setPlaneWord(machine: Machine, at: number, value: number): Promise<void> {
    const virtual = memoryMap.LINEAR_AT + PLANE_BASE + at;
    await machine.monitor('stop');
    const said = await machine.human(`gva2gpa 0x${virtual.toString(16)}`);
    const physical = /gpa: 0x([0-9a-f]+)/.exec(said)?.[1];
    if (physical === undefined) throw new Error(`Cannot find 0x${virtual.toString(16)} in RAM: ${said}`);
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    this.write(Number.parseInt(physical, 16), bytes);
    await machine.monitor('cont');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
