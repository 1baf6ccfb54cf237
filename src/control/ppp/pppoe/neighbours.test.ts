// Bad neighbours on the wire of PPPoE's card, and a cut of the power: floods, forged ends, tags of odd lengths, what a concentrator
// that believes in the session of before needs. On the sim board.

import test from 'ava';
import { simDisk } from '../../../../board/sim/disk.ts';
import { memoryMedium } from '../../../../hal/disk/ata-model.ts';
import { SECTOR_BYTES } from '../../../../hal/disk/disk.ts';
import { seeded } from '../../../../tools/harness/random.ts';
import { IMAGE_SECTORS } from '../../../base/layout.ts';
import {
  ETHERTYPE_DISCOVERY,
  ETHERTYPE_SESSION,
  PPPOE_PADI,
  PPPOE_PADO,
  PPPOE_PADS,
  PPPOE_PADT,
  TAG_CONCENTRATOR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_SERVICE,
} from '../../../wire/pppoe.ts';
import { writeTags } from '../discovery.ts';
import { bytesOf } from '../packet.ts';
import { type Concentrator, DslBoard } from './concentrator-lab.ts';

const UP = 'ppp0: up: 198.51.100.2';
const NEIGHBOUR = '02:00:00:00:66:66';
const NONE = new Uint8Array(0);

const free = (dsl: DslBoard): number =>
  Number(/heap +\d+ KiB, (\d+) KiB free/.exec(dsl.type('show memory'))?.[1]);

/** Frames a tick, for so many ticks. */
function flood(dsl: DslBoard, ticks: number, send: () => void): void {
  for (let tick = 0; tick < ticks; tick++) {
    for (let n = 0; n < 8; n++) send();
    dsl.seconds(0.01);
  }
}

async function up(): Promise<{ dsl: DslBoard; isp: Concentrator }> {
  const dsl = await DslBoard.start();
  const isp = dsl.concentrator('isp-ac');
  dsl.set();
  if (!dsl.until(UP)) throw new Error(dsl.said);
  return { dsl, isp };
}

test.serial('a forged end is none: wrong station, wrong session, of a session that is no more', async t => {
  t.timeout(600_000);
  const { dsl, isp } = await up();
  isp.terminate(2);
  isp.raw(DslBoard.WAN_MAC, ETHERTYPE_DISCOVERY, PPPOE_PADT, 1, NONE, NEIGHBOUR);
  isp.raw('ff:ff:ff:ff:ff:ff', ETHERTYPE_DISCOVERY, PPPOE_PADT, 1, NONE);
  // LCP's Terminate-Request of a stranger, and in another session.
  const terminate = Uint8Array.of(0xc0, 0x21, 5, 1, 0, 4);
  isp.raw(DslBoard.WAN_MAC, ETHERTYPE_SESSION, 0, 1, terminate, NEIGHBOUR);
  isp.raw(DslBoard.WAN_MAC, ETHERTYPE_SESSION, 0, 2, terminate);
  dsl.seconds(2);
  t.regex(dsl.type('show ppp'), /^ppp0 up/);
  t.deepEqual(isp.codes(), ['PADI', 'PADR']);
  isp.terminate(1);
  t.true(dsl.until('ppp0: ended: The provider has ended it'));
  dsl.seconds(0.5);
  isp.terminate(1);
  t.true(dsl.until(UP, 30));
});

test.serial(
  'an open session does not mind a flood of offers, confirmations and ends, and keeps nothing of it',
  async t => {
    t.timeout(600_000);
    const { dsl, isp } = await up();
    const rest = (): number => {
      // What is asked for loads parts, which are given up a minute later.
      t.regex(dsl.type('show ppp'), /^ppp0 up/);
      t.regex(dsl.type('ping 198.51.100.1 count 1'), /1 sent, 1 received/);
      dsl.seconds(90);
      return free(dsl);
    };
    // Which of the parts are there then changes from turn to turn.
    const before = Math.min(rest(), rest());
    const tags = writeTags([
      [TAG_CONCENTRATOR, bytesOf('evil')],
      [TAG_SERVICE, NONE],
      [TAG_GENERIC_ERROR, new Uint8Array(1400)],
    ]);
    let n = 0;
    const codes = [PPPOE_PADO, PPPOE_PADS, PPPOE_PADT];
    dsl.said = '';
    flood(dsl, 1000, () =>
      isp.raw(
        DslBoard.WAN_MAC,
        ETHERTYPE_DISCOVERY,
        codes[n % 3]!,
        n++ % 3 === 2 ? 1 + (n % 7) : 0,
        tags,
        NEIGHBOUR,
      ),
    );
    t.notRegex(dsl.said, /ppp0/);
    const after = Math.min(rest(), rest());
    // In KiB: the log has a few lines more. A single object kept of each frame would be 50 and more.
    t.true(after >= before - 16, `${before} ${after}`);
    t.deepEqual(isp.codes(), ['PADI', 'PADR']);
  },
);

test.serial('who asks in a flood of answers gets its session, says little, and keeps nothing', async t => {
  t.timeout(600_000);
  const dsl = await DslBoard.start();
  const isp = dsl.concentrator('isp-ac');
  isp.isMute = true;
  dsl.set();
  dsl.seconds(2);
  const before = free(dsl);
  // He hears the question, which goes to all, so he knows its Host-Uniq.
  let n = 0;
  const evil = (): void => {
    const uniq = isp.heard.findLast(({ code }) => code === PPPOE_PADI)!.tags.get(TAG_HOST_UNIQ)!;
    const list: [number, Uint8Array][] = [
      [TAG_HOST_UNIQ, uniq],
      [TAG_CONCENTRATOR, bytesOf(`evil ${n}`)],
      [TAG_SERVICE, NONE],
      [TAG_GENERIC_ERROR, bytesOf(`no ${n++}`)],
    ];
    const tags = writeTags(list);
    // One of three is cut off somewhere.
    const whole = n % 3 !== 0 ? tags : tags.slice(0, n % tags.length);
    isp.raw(DslBoard.WAN_MAC, ETHERTYPE_DISCOVERY, PPPOE_PADO, 0, whole, NEIGHBOUR);
  };
  dsl.said = '';
  flood(dsl, 6000, evil);
  const lines = dsl.said.match(/ppp0: evil/g)?.length ?? 0;
  t.true(lines >= 1 && lines <= 3, `${lines} lines in a minute`);
  isp.isMute = false;
  dsl.said = '';
  dsl.mix = seeded(5);
  for (let i = 0; i < 700 && !dsl.said.includes(UP); i++) flood(dsl, 10, evil);
  t.true(dsl.said.includes(UP));
  dsl.seconds(90);
  t.true(free(dsl) >= before - 16, `${before} ${free(dsl)}`);
});

test.serial(
  'after a cut of the power a concentrator that believes in the session of before is told of its end first',
  async t => {
    t.timeout(600_000);
    const medium = memoryMedium(new Uint8Array(IMAGE_SECTORS * SECTOR_BYTES));
    const dsl = await DslBoard.start({ disk: simDisk(medium) });
    const isp = dsl.concentrator('isp-ac');
    isp.next = 0x8a1;
    dsl.set();
    t.true(dsl.until(UP));
    t.regex(dsl.type('save'), /Saved/);
    dsl.seconds(20);

    const after = await DslBoard.start({ disk: simDisk(medium) });
    const same = after.concentrator('isp-ac');
    // Mute until it hears of the end, and the first word of it is lost.
    let ends = 0;
    same.isDeaf = ({ code, session }) => {
      if (code === PPPOE_PADT && session === 0x8a1) ends++;
      return ends < 2;
    };
    after.seconds(60, () => same.ends.size > 0);
    t.deepEqual(same.codes().slice(0, 4), ['PADT 2209', 'PADI', 'PADT 2209', 'PADI']);
    t.true(after.until(UP));
    t.regex(after.type('show ppp'), /session 1 of isp-ac/);
    after.seconds(20);

    // The session of now is the one that is remembered.
    const last = await DslBoard.start({ disk: simDisk(medium) });
    const again = last.concentrator('isp-ac');
    last.seconds(5);
    t.deepEqual(again.codes().slice(0, 2), ['PADT 1', 'PADI']);
  },
);
