// A disk in memory behind the board's own driver: bytes, the model of a channel (hal/disk/ata-model.ts), and the disk
// as control has it. Time is what the driver waits. Not here: the sim board's disk (board/sim/disk.ts).

import { BusModel } from '../../hal/bus-model.ts';
import { AtaDisk, identify } from '../../hal/disk/ata-disk.ts';
import { ChannelModel, DriveModel, memoryMedium } from '../../hal/disk/ata-model.ts';
import { type Disk, SECTOR_BYTES } from '../../hal/disk/disk.ts';
import { CHANNELS } from '../../hal/disk/ide.ts';
import { attachPorts } from '../../hal/ports.ts';
import { DISK_BUFFER_AT } from '../../src/base/limits.ts';
import { javascriptBuild } from '../../tools/builds.ts';
import { type DiskEvent, recordingMedium } from './disk-log.ts';

export interface ModelDisk {
  readonly disk: Disk;
  readonly drive: DriveModel;
  /** Runs a job to its end. */
  run<T>(job: Generator<number, T, void>): T;
}

/** The plane's memory, into which disks read; it is shared by all. */
export const { memory, plane } = javascriptBuild();

/** A disk with these bytes; what is done to it goes into `events`. Only the newest one answers. */
export function modelDisk(bytes: Buffer, events: DiskEvent[] = []): ModelDisk {
  const bus = new BusModel();
  const drive = new DriveModel(recordingMedium(memoryMedium(bytes), events));
  const channel = new ChannelModel([drive]);
  const [{ command, control }] = CHANNELS as [{ command: number; control: number }];
  bus.place(command, 8, channel.command);
  bus.place(control, 1, channel.controlBlock);
  attachPorts(bus);
  let ticks = 0;
  const run = <T>(job: Generator<number, T, void>): T => {
    for (;;) {
      const result = job.next();
      if (result.done === true) return result.value;
      ticks += result.value;
    }
  };
  const device = { memory, buffer: DISK_BUFFER_AT, now: () => ticks, command, control, unit: 0 };
  const identity = run(identify(device, new Uint8Array(SECTOR_BYTES)));
  if (typeof identity === 'string') throw new Error(identity);
  return { disk: new AtaDisk(device, identity), drive, run };
}
