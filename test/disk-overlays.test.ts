// A board of 4 MB, which has its overlays on the disk: control that starts anew, a card that was written to elsewhere, and
// one that is gone. Not here: what is refused for want of room (small-board.test.ts), the reading itself
// (src/control/core/disk-overlays.test.ts).

import { readFileSync } from 'node:fs';
import test from 'ava';
import { SECTOR_BYTES, SLOT_SECTOR } from '../src/base/layout.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { HOST, ip, SERVER } from './bench/addresses.ts';
import { start as startBench } from './bench/lab.ts';
import { IMAGE } from './harness/board-router.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';

const COMMAND_SECONDS = 60;
const HEADER_AT = SLOT_SECTOR * SECTOR_BYTES;
/** QEMU's name of the disk. */
const DRIVE = 'ide0-hd0';
/** What is in RAM on every board: to see why. */
const ALWAYS: readonly (readonly [string, RegExp])[] = [
  ['show status', /^sessions +\d+ of 2048$/m],
  ['show routes', /^destination /],
  ['show crash', /./],
  ['show memory', /control's heap/],
];

test.serial(
  '4 MB: overlays come from the disk, also to control that starts anew, and what is no more there is refused',
  async t => {
    t.timeout(TEST_MILLISECONDS);
    const bench = await startBench('isapc', true, { memory: 4 });
    t.teardown(() => bench.stop());
    const { machine, lan, wan } = bench;
    const { console } = machine;
    const say = (line: string): Promise<string> => console.command(line, COMMAND_SECONDS);
    const goesThrough = async (): Promise<void> => {
      const before = wan.received;
      lan.send(packets.udp(ip(HOST, SERVER), 5000, 7, packets.payload(64)));
      t.true(await wan.reaches(before + 1));
    };
    const write = (pattern: number): Promise<string> =>
      machine.human(`qemu-io ${DRIVE} "write -P ${pattern} ${HEADER_AT} 4"`);
    t.regex(await say('help show memory'), /memory, packet buffers and tables/);
    console.write('debug crash control throw\r');
    await console.expect(/Control was restarted/, COMMAND_SECONDS);
    await console.expect(PROMPT, COMMAND_SECONDS);
    t.regex(await say('help show memory'), /memory, packet buffers and tables/);
    t.regex(await say('show time'), /^time zone UTC$/m);

    const magic = readFileSync(IMAGE).subarray(HEADER_AT, HEADER_AT + 4);
    await write(0x55);
    t.is(await say('show leases'), 'Cannot load the part dhcp: the disk holds another firmware');
    for (const [line, pattern] of ALWAYS) t.regex(await say(line), pattern);
    await goesThrough();
    for (const [i, byte] of magic.entries())
      await machine.human(`qemu-io ${DRIVE} "write -P ${byte} ${HEADER_AT + i} 1"`);
    t.regex(await say('show leases'), /There are no leases|^address /m);

    await machine.human(`drive_del ${DRIVE}`);
    const refused = await say('resolve masqbox');
    t.regex(refused, /^Cannot load the part dns: the disk /);
    for (const [line, pattern] of ALWAYS) t.regex(await say(line), pattern);
    await goesThrough();
    t.regex(await say('show version'), /control restarted 1 times/);
    t.log(refused);
  },
);
