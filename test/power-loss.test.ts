// Power cuts: what the booted 486 writes for `save` and for leases is recorded write by write (harness/disk-log.ts);
// then every state in which a cut could have left the disk is looked at by the code that looks at it on the board, and
// some of them are booted. Each must be the old or the new state, and a working router. Then errors of the disk: at
// every sector for that code, and by QEMU's blkdebug for the board.
// Not here: the flash log by itself (src/control/core/store/journal.test.ts), updates (src/control/update/update.test.ts).

import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UNC } from '../hal/disk/ata-registers.ts';
import { decodeConfig } from '../image/records.ts';
import {
  CONFIG_SECTOR,
  CONFIG_SECTORS,
  LOG_KIND_CARDS,
  LOG_KIND_LEASE,
  LOG_KIND_WAN,
  LOG_SECTOR,
  SECTOR_BYTES,
  SLOT_SECTOR,
} from '../src/base/layout.ts';
import { formatAddress } from '../src/control/core/address.ts';
import { ConfigAreas } from '../src/control/core/store/config-store.ts';
import { FlashLog } from '../src/control/core/store/journal.ts';
import { textFrom } from '../src/control/core/store/text.ts';
import { Reader } from '../src/control/dhcp/message.ts';
import { compose, type Said, station } from '../src/control/dhcp/server-lab.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { eventually } from '../tools/harness/processes.ts';
import { isaCards, Machine, type Wire } from '../tools/harness/qemu.ts';
import { dgramEnd, type End } from '../tools/harness/wire.ts';
import { IMAGE } from './harness/board-router.ts';
import { type DiskEvent, type DiskState, loggedDrive, parseDiskLog, powerCuts } from './harness/disk-log.ts';
import { memory, modelDisk, plane } from './harness/model-disk.ts';
import * as packets from './packets.ts';

const BOOT_SECONDS = 180;
const HEAD_BYTES = SLOT_SECTOR * SECTOR_BYTES;
/** States that are booted, of all that are looked at. */
const BOOTED = 12;
const OLD = '10.7.1.1/24';
const NEW = '10.7.2.1/24';
/** Enough lines for a configuration of several sectors. */
const LINES = Array.from(
  { length: 24 },
  (_, i) => `set dns host host-with-a-long-name-${i} 10.0.0.${i + 20}`,
);
const DISCOVER = 1;
const REQUEST = 3;

let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'masqbox-power-'));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

async function start(extra: readonly string[], lan: Wire = { user: true }): Promise<Machine> {
  const machine = await Machine.start({ cards: isaCards(lan, { user: true }), extra });
  await machine.console.expect(PROMPT, BOOT_SECONDS);
  return machine;
}

/**
 * Types a line until its answer is this one. What a service tells meanwhile may come before the answer, with a prompt of
 * its own.
 */
async function answers(machine: Machine, line: string, pattern: RegExp): Promise<string> {
  return await eventually(
    () => machine.console.command(line, BOOT_SECONDS),
    answer => pattern.test(answer),
  );
}

const isAlive = (machine: Machine): Promise<string> => answers(machine, 'show interfaces', /^lan up/m);

/** Says something as a DHCP client, again and again, until the router answers it. */
async function say(end: End, mac: string, type: number, xid: number, said: Said): Promise<Reader> {
  let heard: Reader | undefined;
  end.receive = frame => {
    const message = new Reader();
    const { protocol, data } = packets.read(packets.datagramIn(frame));
    if (!packets.isIpv4(frame) || protocol !== packets.UDP) return;
    if (message.parse(data) === undefined && message.xid === xid) heard = message;
  };
  const data = compose(mac, type, { ...said, xid, flags: 0x8000 });
  const datagram = packets.udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67, data);
  const answer = await eventually(
    async () => {
      end.send(packets.frame(packets.BROADCAST, mac, datagram));
      for (let i = 0; i < 20 && heard === undefined; i++)
        await new Promise(resolve => setTimeout(resolve, 50));
      return heard;
    },
    message => message !== undefined,
  );
  return answer as Reader;
}

/** Becomes a host of the LAN; answers its address. */
async function joinLan(end: End, host: number): Promise<string> {
  const [mac, server] = [station(host), NEW.replace(/\/.*/, '')];
  const offer = await say(end, mac, DISCOVER, 2 * host, { name: `host${host}` });
  const requested = packets.addressText(offer.yiaddr);
  const { yiaddr } = await say(end, mac, REQUEST, 2 * host + 1, { name: `host${host}`, requested, server });
  return packets.addressText(yiaddr);
}

/** Sectors that were written to the flash log. */
async function logged(machine: Machine): Promise<number> {
  const text = await answers(machine, 'show disk', /flash log: \d+ sectors/);
  return Number(/flash log: (\d+)/.exec(text)?.[1]);
}

/** Two saves and two leases on the booted board, as the disk saw them. */
async function record(t: ExecutionContext): Promise<DiskEvent[]> {
  const [disk, log] = [join(folder, 'disk.img'), join(folder, 'log')];
  await copyFile(IMAGE, disk);
  await writeFile(log, '');
  const { end, wire } = await dgramEnd();
  const machine = await start(loggedDrive(disk, log), wire);
  try {
    await answers(machine, `set lan address ${OLD}`, /^$/);
    await answers(machine, 'save', /^Saved$/m);
    for (const line of LINES) await answers(machine, line, /^$/);
    await answers(machine, `set lan address ${NEW}`, /^$/);
    await answers(machine, 'save', /^Saved$/m);
    // The WAN's address has a record too.
    await answers(machine, 'show interfaces', /10\.0\.2\.15/);
    await eventually(
      () => logged(machine),
      count => count >= 1,
    );
    for (const host of [1, 2]) {
      const before = await logged(machine);
      t.regex(await joinLan(end, host), /^10\.7\.2\.\d+$/);
      await eventually(
        () => logged(machine),
        count => count > before,
      );
    }
  } finally {
    await machine.stop();
    await end.close();
  }
  return parseDiskLog(await readFile(log));
}

/** What the board's own code makes of a disk. */
interface Found {
  text: string | undefined;
  /** Leases and the WAN's address, as records. */
  log: Map<string, string>;
}

function find(image: Buffer, bad?: number): Found & { why: string | undefined } {
  const { disk, drive, run } = modelDisk(image);
  if (bad !== undefined) drive.bad.set(bad, UNC);
  const store = new ConfigAreas({ memory, plane }, disk);
  const { bytes } = run(store.load());
  let text = bytes === undefined ? undefined : '';
  if (bytes !== undefined)
    run(
      store.pieces(bytes, piece => {
        text += textFrom(memory, piece.at, piece.bytes);
      }),
    );
  const log = new Map<string, string>();
  const why = run(
    new FlashLog({ memory, plane }, disk, () => true).open(({ kind, key, payload }) => {
      log.set(`${kind} ${formatAddress(key)}`, Buffer.from(payload).toString('hex'));
    }),
  );
  return { text, log, why };
}

const signatureOf = ({ text, log }: Found): string => JSON.stringify([text, [...log].sort()]);

/** Each state must be that of the last flush or one after it; answers what each is. */
function checkStates(t: ExecutionContext, states: readonly DiskState[]): Found[] {
  let flushes = 0;
  let allowed: string[] = [];
  return states.map(({ title, image, isWhole, flushes: count }) => {
    const found = find(image);
    const signature = signatureOf(found);
    if (count !== flushes) allowed = allowed.slice(-1);
    flushes = count;
    if (isWhole) allowed.push(signature);
    t.true(allowed.includes(signature), title);
    return found;
  });
}

/** Nothing but the areas of configurations and log was written. */
function checkPlaces(t: ExecutionContext, events: readonly DiskEvent[]): void {
  t.true(events.some(({ kind }) => kind === 'flush'));
  for (const event of events) {
    if (event.kind !== 'write') continue;
    const last = event.sector + event.bytes.length / SECTOR_BYTES - 1;
    t.true(event.sector >= CONFIG_SECTOR && last < SLOT_SECTOR, `sectors ${event.sector} to ${last}`);
  }
}

/** Boots a disk with this head, which must come up as a router with what was found on it. */
async function boots(t: ExecutionContext, { image, title }: DiskState, { text, log }: Found): Promise<void> {
  const whole = Buffer.from(await readFile(IMAGE));
  image.copy(whole);
  const path = join(folder, 'cut.img');
  await writeFile(path, whole);
  const machine = await start(['-drive', `file=${path},format=raw,if=ide,index=0,snapshot=on`]);
  try {
    const { transcript } = machine.console;
    const lan = /set lan address (\S+)/.exec(text ?? '')?.[1] ?? '192.168.0.1/24';
    t.true(transcript.includes(`lan: ${lan}`), title);
    t.notRegex(transcript, /restarted|panic/, title);
    await isAlive(machine);
    const leases = [...log.keys()].filter(key => key.startsWith(`${LOG_KIND_LEASE} `));
    for (const lease of leases) await answers(machine, 'show leases', new RegExp(`^${lease.slice(2)} `, 'm'));
  } finally {
    await machine.stop();
  }
}

let written: Buffer | undefined;

test.serial('a power cut leaves the old or the new settings and leases, and a router', async t => {
  const events = await record(t);
  checkPlaces(t, events);
  const before = (await readFile(IMAGE)).subarray(0, HEAD_BYTES);
  const states = [...powerCuts(before, events)];
  const found = checkStates(t, states);
  const last = found.at(-1) as Found;
  t.true(last.text?.includes(`set lan address ${NEW}\n`) && last.text.includes(`${LINES.at(-1)}\n`));
  const kinds = [...last.log.keys()].map(key => Number.parseInt(key, 10));
  t.deepEqual(kinds.sort(), [LOG_KIND_LEASE, LOG_KIND_LEASE, LOG_KIND_WAN, LOG_KIND_CARDS]);
  const different = new Set(found.map(signatureOf)).size;
  // Nothing, the first save, the second, and three writes of the log.
  t.true(different >= 6);
  t.log(`${events.length} events, ${states.length} states of the disk, ${different} of the router`);
  for (let i = 0; i < BOOTED; i++) {
    const at = Math.round((i * (states.length - 1)) / (BOOTED - 1));
    await boots(t, states[at] as DiskState, found[at] as Found);
  }
  written = Buffer.from((states.at(-1) as DiskState).image);
});

test.serial('an error at any sector leaves the old or the new settings, and the other leases', t => {
  if (written === undefined) throw new Error('Cannot test: the test before has failed');
  const all = find(written);
  for (let sector = CONFIG_SECTOR; sector < SLOT_SECTOR; sector++) {
    const { text, log, why } = find(Buffer.from(written), sector);
    t.regex(text ?? '', /^set lan address 10\.7\.[12]\.1\/24$/m, `sector ${sector}`);
    for (const [key, value] of log) t.true(value === all.log.get(key), key);
    t.is(why !== undefined, sector >= LOG_SECTOR);
    // The WAN's address and the cards' roles were noted in one sector.
    t.true(log.size >= all.log.size - 2, `sector ${sector}: ${[...log.keys()]} of ${[...all.log.keys()]}`);
    // What is then written is there, or is not and the console is told.
    const bytes = Buffer.from(written);
    const { disk, drive, run } = modelDisk(bytes);
    drive.bad.set(sector, UNC);
    const store = new ConfigAreas({ memory, plane }, disk);
    run(store.load());
    const cause = run(store.save('set ntp off\n', [], false));
    const after = find(bytes, sector).text;
    if (cause === undefined) t.is(after, 'set ntp off\n', `sector ${sector}`);
    else t.is(after, text, `sector ${sector}: ${cause}`);
  }
});

interface Fault {
  title: string;
  /** All when left out. */
  sector?: number;
  kind: 'read' | 'write' | 'flush';
  banner?: RegExp;
  save: RegExp;
}

/** A drive with an error. */
function faultyDrive(disk: string, { sector, kind }: Fault): string[] {
  const place = sector === undefined ? '' : `,inject-error.0.sector=${sector}`;
  const rule = `inject-error.0.event=none,inject-error.0.iotype=${kind}${place}`;
  return [
    ...['-blockdev', `driver=file,node-name=disk-file,filename=${disk}`],
    ...['-blockdev', `driver=blkdebug,node-name=faulty,image=disk-file,${rule}`],
    ...['-device', 'ide-hd,drive=faulty,bus=ide.0,unit=0,werror=report,rerror=report'],
  ];
}

/** Of a disk on which configuration `current` is in force. */
const faultsOf = (current: number): Fault[] => [
  {
    title: 'the first sector of a configuration cannot be written',
    sector: CONFIG_SECTOR + (1 - current) * CONFIG_SECTORS,
    kind: 'write',
    save: /one of the two places for settings is bad .*\n(.*\n)*Saved$/m,
  },
  {
    title: 'the configuration in force cannot be read',
    sector: CONFIG_SECTOR + current * CONFIG_SECTORS,
    kind: 'read',
    banner: /saved configuration [01] cannot be used: .*\r\n(.*\r\n)*.*the other saved configuration is used/,
    save: /^(Saved|Cannot save: .*)$/m,
  },
  {
    title: 'a sector of the flash log cannot be read',
    sector: LOG_SECTOR + 3,
    kind: 'read',
    banner: /the flash log has bad sectors/,
    save: /^Saved$/m,
  },
  { title: 'nothing can be flushed', kind: 'flush', save: /^Cannot save: /m },
];

test.serial('errors of the disk are told on the console, and the router works', async t => {
  if (written === undefined) throw new Error('Cannot test: the first test has failed');
  const whole = Buffer.from(await readFile(IMAGE));
  written.copy(whole);
  const sequences = [0, 1].map(area => {
    const at = (CONFIG_SECTOR + area * CONFIG_SECTORS) * SECTOR_BYTES;
    return decodeConfig(whole.subarray(at, at + CONFIG_SECTORS * SECTOR_BYTES))?.sequence ?? -1;
  });
  for (const fault of faultsOf(sequences.indexOf(Math.max(...sequences)))) {
    const path = join(folder, 'faulty.img');
    await writeFile(path, whole);
    const machine = await start(faultyDrive(path, fault));
    try {
      const { banner = /./ } = fault;
      await eventually(
        () => machine.console.transcript,
        text => banner.test(text),
      );
      t.regex(machine.console.transcript, /lan: 10\.7\.[12]\.1\/24/, fault.title);
      await isAlive(machine);
      await answers(machine, 'save', fault.save);
      await isAlive(machine);
    } finally {
      await machine.stop();
    }
  }
});
