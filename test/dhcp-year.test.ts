// A year of leases on the sim board with a disk: twelve hosts that renew, a visitor a day, the WAN's own lease. Nobody's
// lease is refused, no table and no heap grows, the disk is written seldom, and what was leased is there after a reboot.
// Control wakes every ten minutes only, so that the year takes seconds; in its own time: dhcp-weeks.test.ts.

import test from 'ava';
import { simDisk } from '../board/sim/disk.ts';
import { memoryMedium } from '../hal/disk/ata-model.ts';
import { IMAGE_SECTORS, SECTOR_BYTES } from '../src/base/layout.ts';
import { ACK, DISCOVER, OFFER, REQUEST, Reader } from '../src/control/dhcp/message.ts';
import { compose, type Said, station } from '../src/control/dhcp/server-lab.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import { longRun } from './long-lab.ts';
import * as packets from './packets.ts';
import { ADDRESS, obliging } from './wan-lab.ts';

const HOUR = 3600;
const DAYS = 365;
const HOSTS = 12;
const ROUTER = '192.168.0.1';
const STRIDE_SECONDS = 600;
/** Visitors are other stations than the hosts. */
const VISITOR = 1000;

/** A board on this disk, and stations that speak DHCP to it. */
async function fixture(disk: Buffer) {
  let writes = 0;
  const medium = memoryMedium(disk);
  const counted = {
    ...medium,
    write: (sector: number, bytes: Uint8Array) => {
      writes++;
      medium.write(sector, bytes);
    },
  };
  const heard: Reader[] = [];
  const lab = await longRun(obliging(ADDRESS, 24 * HOUR), {
    disk: simDisk(counted),
    stride: STRIDE_SECONDS,
    onLan: frame => {
      const { protocol, sourcePort, data } = packets.read(packets.datagramIn(frame));
      if (!packets.isIpv4(frame) || protocol !== packets.UDP || sourcePort !== 67) return;
      const message = new Reader();
      if (message.parse(data) === undefined) heard.push(message);
    },
  });
  /** Says something; the type and address of the answer, which may take a probe. */
  const say = (n: number, type: number, said: Said): [number | undefined, string] => {
    heard.length = 0;
    const ip = { source: said.ciaddr ?? '0.0.0.0', destination: '255.255.255.255' };
    const datagram = packets.udp(ip, 68, 67, compose(station(n), type, said));
    lab.fromLan(packets.frame(packets.BROADCAST, station(n), datagram));
    for (let i = 0; i < 40 && heard.length === 0; i++) {
      lab.board.advance(1);
      lab.board.run();
    }
    return [heard[0]?.type, packets.addressText(heard[0]?.yiaddr ?? 0)];
  };
  const join = (n: number): string => {
    const [type, requested] = say(n, DISCOVER, {});
    const answer = say(n, REQUEST, { requested, server: ROUTER, name: `host${n}` });
    if (type !== OFFER || answer[0] !== ACK)
      throw new Error(`Station ${n} gets no lease: ${type}, ${answer}`);
    return requested;
  };
  return { ...lab, say, join, writes: () => writes };
}

test('a year of leases: none is refused, nothing grows, the disk is written seldom', async t => {
  t.timeout(TEST_MILLISECONDS);
  const disk = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
  const { run, say, join, command, heapFree, hasAddress, writes } = await fixture(disk);
  run(60);
  const addresses = Array.from({ length: HOSTS }, (_, n) => join(n));
  const started = writes();
  let refused = 0;
  let free = 0;
  for (let day = 0; day < DAYS; day++) {
    join(VISITOR + day);
    for (let quarter = 0; quarter < 4; quarter++) {
      run(6 * HOUR);
      for (const [n, ciaddr] of addresses.entries()) {
        if (say(n, REQUEST, { ciaddr })[0] !== ACK) refused++;
      }
    }
    if (!hasAddress()) t.fail(`no address on day ${day}`);
    if (day === 30) free = heapFree();
  }
  t.is(refused, 0);
  t.true(heapFree() >= free - 64, `${free} KiB were free after a month, ${heapFree()} after the year`);
  t.regex(command('show memory'), /^packet buffers +(\d+), \1 free$/m);
  t.regex(command('show memory'), /^sessions +4096, 0 in use/m);
  const leases = command('show leases').split('\n');
  t.is(leases.filter(line => line.includes('leased')).length, HOSTS, 'visitors are gone');
  t.true(leases.length <= 102, 'those of the range, and the heading');
  const aDay = (writes() - started) / DAYS;
  t.true(aDay < 40, `${aDay} sectors a day`);
  t.log(`${aDay.toFixed(1)} sectors written a day, ${heapFree()} KiB of heap free`);
  run(700); // what waits to be written is written
  const again = await fixture(disk);
  again.run(60);
  const back = again.command('show leases');
  for (const address of addresses) t.regex(back, new RegExp(`^${address} .*leased`, 'm'));
});
