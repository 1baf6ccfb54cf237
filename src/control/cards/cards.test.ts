// Control's start on a machine of models: two or more cards, a disk, COM1. What a board remembers, says and does when
// cards are pulled, replaced, moved and set by hand, from start to start.
// Not here: every case of the rule (roles.test.ts).

import test from 'ava';
import { BusModel } from '../../../hal/bus-model.ts';
import { ChannelModel, DriveModel, memoryMedium } from '../../../hal/disk/ata-model.ts';
import { CHANNELS } from '../../../hal/disk/ide.ts';
import { Dp8390Model } from '../../../hal/nic/dp8390-model.ts';
import { attachPorts } from '../../../hal/ports.ts';
import { UartModel } from '../../../hal/serial/ns16550-model.ts';
import { encodeConfig, putConfig } from '../../../image/records.ts';
import { BROADCAST, datagramIn, frame, isIpv4, read, UDP, udp } from '../../../test/packets.ts';
import { javascriptBuild } from '../../../tools/builds.ts';
import { FACT_DRIVE } from '../../base/abi.ts';
import { BOOT_FACTS_AT, MEDIUM_AT, NOW_AT, UNDRIVEN_AT } from '../../base/cells.ts';
import { IF_MAC, IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../../base/interface.ts';
import { BOOT_SECTOR_AT_MEDIUM, IMAGE_SECTORS, SECTOR_BYTES } from '../../base/layout.ts';
import { INTERFACE_LAN, INTERFACE_WAN } from '../../base/limits.ts';
import { get8, i32at, puti32 } from '../../base/memory.ts';
import { createControl } from '../control.ts';
import { absentText } from '../core/absent.ts';
import { formatMac } from '../core/address.ts';
import type { Machine } from '../core/machine.ts';
import { CLIENT_PORT, DISCOVER, SERVER_PORT } from '../dhcp/message.ts';
import { compose } from '../dhcp/server-lab.ts';
import * as schema from '../schema/overlay.ts';
import * as show from '../show/overlay.ts';
import * as cards from './overlay.ts';

const MEDIUM = 0x12345678;
/** Accesses to the bus in 10 ms: time goes on while the disk is read. */
const ACCESSES_PER_TICK = 3000;
/** Ticks until the log has been written. */
const WRITTEN = 1000;

const mac = (n: number): Uint8Array => new Uint8Array([0x52, 0x54, 0, 0x12, 0x34, n]);
const text = (n: number): string => formatMac(mac(n));

interface Start {
  /** Everything that the console has shown, without carriage returns. */
  shown(): string;
  /** Types a line; answers what is shown from then on. */
  type(line: string): string;
  /** The number of the card that an interface has, or undefined. */
  card(index: number): number | undefined;
  models: Map<number, Dp8390Model>;
}

/** A board that is started again and again with other cards; its disk stays. */
class Board {
  readonly #bytes = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
  /** Whether the disk takes writes. */
  isReadOnly = false;
  hasDisk = true;

  constructor() {
    this.#bytes.writeInt32LE(MEDIUM, BOOT_SECTOR_AT_MEDIUM);
  }

  /** Puts a text where settings are saved, as who writes a card by hand. */
  save(text: string): void {
    putConfig(this.#bytes, 0, encodeConfig(1, text));
  }

  /** @param found cards as [number, port]. */
  start(...found: [number, number][]): Start {
    const { plane, memory } = javascriptBuild();
    const bus = new BusModel();
    attachPorts(bus);
    let accesses = 0;
    bus.place(0xfff0, 1, {
      read: () => 0xff,
      write() {},
      tick: () => {
        if (++accesses % ACCESSES_PER_TICK === 0) puti32(NOW_AT, (i32at(NOW_AT) + 1) | 0);
      },
    });
    const uart = new UartModel(bus, 0x3f8, 4);
    const models = new Map(
      found.map(([n, port], i) => [n, new Dp8390Model(bus, port, mac(n), { line: 9 + i })]),
    );
    const medium = memoryMedium(this.#bytes);
    const write = (at: number, data: Buffer): void => {
      if (!this.isReadOnly) medium.write(at, data);
    };
    const channel = new ChannelModel([new DriveModel({ ...medium, read: at => medium.read(at), write })]);
    const [place] = CHANNELS as [{ command: number; control: number }];
    if (this.hasDisk) {
      bus.place(place.command, 8, channel.command);
      bus.place(place.control, 1, channel.controlBlock);
    }
    puti32(BOOT_FACTS_AT + 4 * FACT_DRIVE, this.hasDisk ? 0x80 : 0);
    puti32(MEDIUM_AT, MEDIUM);
    const overlay = (name: string): unknown => {
      if (name === 'cards') return cards;
      if (name === 'schema') return schema;
      if (name === 'show') return show;
      throw new Error(`There is no overlay ${name} here`);
    };
    const nothing = (): void => {};
    const machine = {
      ...{ plane, memory, overlay, version: '0', lock: nothing, unlock: nothing, unmask: nothing },
      ...{
        reset: nothing,
        tidy: nothing,
        keepsRoom: () => true,
        // Its parts lie in memory.
        useDisk: () => [],
        ...{ heapFree: () => 0, lend: () => true, physical: (at: number) => at, put: nothing },
      },
    } as unknown as Machine;
    const control = createControl(machine);
    let shown = '';
    const run = (ticks: number): void => {
      for (let i = 0; i < ticks; i++) {
        plane.tick(0);
        for (let step = 0; step < 50 && plane.wanted() !== 0; step++) control.step();
        for (let burst = 0; burst < 20 && uart.waiting > 0; burst++) {
          uart.transmit();
          if (bus.pic.take(4)) plane.interrupt(4, 0);
        }
        shown += String.fromCharCode(...uart.sent.splice(0));
      }
    };
    control.step();
    run(WRITTEN);
    return {
      models,
      shown: () => shown.replaceAll('\r', ''),
      type: line => {
        const from = shown.length;
        for (const character of `${line}\r`) {
          uart.receive(character.charCodeAt(0));
          if (bus.pic.take(4)) plane.interrupt(4, 0);
          run(1);
        }
        run(WRITTEN);
        return shown.slice(from).replaceAll('\r', '');
      },
      card: index => {
        const at = interfaceAt(index);
        return i32at(at + IF_STATE) === INTERFACE_ABSENT ? undefined : get8(at + IF_MAC + 5);
      },
    };
  }
}

const roles = (start: Start) => [start.card(INTERFACE_LAN), start.card(INTERFACE_WAN)];

/** Frames that a card has sent which a DHCP server would send: from port 67. */
function served(model: Dp8390Model): number {
  return model.sent.filter(frame => {
    const { protocol, sourcePort } = read(datagramIn(frame));
    return isIpv4(frame) && protocol === UDP && sourcePort === SERVER_PORT;
  }).length;
}

/** A DISCOVER, as a provider's other customers, or a host of the LAN, send it. */
function discover(): Uint8Array {
  const station = '02:00:00:00:00:09';
  const data = compose(station, DISCOVER, {});
  return frame(
    BROADCAST,
    station,
    udp({ source: '0.0.0.0', destination: '255.255.255.255' }, CLIENT_PORT, SERVER_PORT, data),
  );
}

test.serial(
  "the LAN's card dies: the WAN's stays the WAN's, serves nobody, and the board says what is missing",
  t => {
    const board = new Board();
    t.deepEqual(roles(board.start([1, 0x300], [2, 0x320])), [1, 2]);
    const alone = board.start([2, 0x320]);
    t.deepEqual(roles(alone), [undefined, 2]);
    t.regex(alone.shown(), /^lan: its card 52:54:00:12:34:01 at port 0x300 does not answer$/m);
    const shown = alone.type('show interfaces');
    t.regex(shown, /^lan missing: its card 52:54:00:12:34:01 at port 0x300 does not answer$/m);
    t.regex(shown, /^wan down, NE2000 ISA at port 0x320/m);
    const model = alone.models.get(2)!;
    model.receive(discover());
    alone.type('');
    t.is(served(model), 0, 'no DHCP towards the provider');
    t.deepEqual(model.violations, []);
    // It comes back.
    t.deepEqual(roles(board.start([1, 0x300], [2, 0x320])), [1, 2]);
  },
);

test.serial('the same with the DHCP server on the LAN, which does answer', t => {
  const start = new Board().start([1, 0x300], [2, 0x320]);
  start.models.get(1)!.receive(discover());
  start.type('');
  t.true(served(start.models.get(1)!) > 0);
});

test.serial('cards change places and a third one comes first: the roles stay, which is said once', t => {
  const board = new Board();
  board.start([1, 0x300], [2, 0x320]);
  const swapped = board.start([2, 0x300], [1, 0x320]);
  t.deepEqual(roles(swapped), [1, 2]);
  t.regex(swapped.shown(), /card: lan: its card 52:54:00:12:34:01 is at port 0x320 now, not at port 0x300/);
  const again = board.start([2, 0x300], [1, 0x320]);
  t.deepEqual(roles(again), [1, 2]);
  t.notRegex(again.shown(), /now, not at/);
  const three = board.start([3, 0x300], [2, 0x320], [1, 0x340]);
  t.deepEqual(roles(three), [1, 2]);
  t.is(three.card(2), 3);
  t.regex(three.type('show interfaces'), /^if2 down, .*\n.*\n {4}it has no role/m);
  // The cards that were moved work.
  three.models.get(1)!.receive(discover());
  three.type('');
  t.true(served(three.models.get(1)!) > 0);
});

test.serial('another card at the same place has the role, which is said once', t => {
  const board = new Board();
  board.start([1, 0x300], [2, 0x320]);
  const replaced = board.start([3, 0x300], [2, 0x320]);
  t.deepEqual(roles(replaced), [3, 2]);
  t.regex(
    replaced.shown(),
    /lan: the card at port 0x300 is a new one, 52:54:00:12:34:03 for 52:54:00:12:34:01/,
  );
  t.notRegex(board.start([3, 0x300], [2, 0x320]).shown(), /a new one/);
});

test.serial('a board with one card has a LAN, and a second card becomes the WAN wherever it is', t => {
  const board = new Board();
  const one = board.start([2, 0x320]);
  t.deepEqual(roles(one), [2, undefined]);
  t.regex(one.shown(), /^wan: no network card was found$/m);
  puti32(UNDRIVEN_AT, 0x813910ec);
  t.is(absentText(1), 'no network card was found; the one on the PCI bus, 10ec:8139, has no driver');
  puti32(UNDRIVEN_AT, 0);
  t.deepEqual(roles(board.start([2, 0x320], [3, 0x340])), [2, 3]);
  t.deepEqual(roles(board.start([3, 0x340])), [undefined, 3]);
});

test.serial('set card: what it answers, that it is kept and exported, and the roles at the next start', t => {
  const board = new Board();
  const start = board.start([1, 0x300], [2, 0x320]);
  t.regex(start.type('set card lan 0x300'), /set card lan 0x300\nmasqbox> $/);
  t.regex(
    start.type('set card lan nonsense'),
    /^Cannot set card lan nonsense: it is no station address and no port$/m,
  );
  t.regex(
    start.type('set card lan 0x999'),
    /^No card 0x999 answered at this start; lan looks for it at the next start/m,
  );
  t.regex(start.type(`set card lan ${text(2)}`), /^It becomes lan at the next start, if it is saved$/m);
  for (const word of [text(2), '0x320'])
    t.regex(start.type(`set card wan ${word}`), /^Both are set to one card: lan gets it, and wan has none$/m);
  start.type('unset card wan');
  t.deepEqual(roles(start), [1, 2], 'nothing changes before');
  t.regex(start.type('export'), /^set card lan 52:54:00:12:34:02$/m);
  t.regex(start.type('save'), /^Saved$/m);
  const next = board.start([1, 0x300], [2, 0x320]);
  t.deepEqual(roles(next), [2, 1]);
  t.regex(next.type('unset card lan'), /unset card lan\nmasqbox> $/);
  t.notRegex(next.type('export'), /set card/);
  next.type('save');
  t.deepEqual(roles(board.start([1, 0x300], [2, 0x320])), [2, 1], 'the card keeps the role that it has');
});

test.serial(
  'saved set card lines: those that are refused count for nothing, however the others are written',
  t => {
    const start = (text: string): Start => {
      const board = new Board();
      board.save(text);
      return board.start([1, 0x300], [2, 0x320]);
    };
    for (const line of [
      'set card lan foo',
      'set card lan 300',
      'set card lan 0x300 0x320',
      'set card lan',
      '#set card lan 0x320',
    ]) {
      const board = start(`${line}\n`);
      t.deepEqual(roles(board), [1, 2], line);
      t.notRegex(board.shown(), /^lan: (its card|no network card)/m, line);
    }
    for (const line of [
      'se card lan 0x320',
      '  set card lan 0x320',
      'set  card\tlan  0x320',
      's ca l 0X320\r',
      `s card l ${text(2).toUpperCase()}`,
    ]) {
      const board = start(`set console pager off\n${line}\n`);
      t.deepEqual(roles(board), [2, 1], line);
      t.regex(board.type('export'), /^set card lan /m, line);
    }
    t.deepEqual(
      roles(start('set card lan 0x320\nset card lan 0x300\n')),
      [1, 2],
      'the last counts, as when they are applied',
    );
  },
);

test.serial('set card settles a missing card: the spare one becomes the LAN', t => {
  const board = new Board();
  board.start([1, 0x300], [2, 0x320]);
  const start = board.start([2, 0x320], [3, 0x340]);
  t.deepEqual(roles(start), [undefined, 2]);
  start.type('set card lan 0x340');
  start.type('save');
  t.deepEqual(roles(board.start([2, 0x320], [3, 0x340])), [3, 2]);
});

test.serial('a disk that takes no writes, and none: nothing is remembered, and the order found counts', t => {
  const board = new Board();
  board.isReadOnly = true;
  board.start([1, 0x300], [2, 0x320]);
  t.deepEqual(roles(board.start([2, 0x320])), [2, undefined]);
  board.hasDisk = false;
  const start = board.start([3, 0x280], [2, 0x320]);
  t.deepEqual(roles(start), [2, 3], '0x300 to 0x360 come before 0x280');
});

test.serial('a disk that takes no writes any more still tells the roles', t => {
  const board = new Board();
  board.start([1, 0x300], [2, 0x320]);
  board.isReadOnly = true;
  t.deepEqual(roles(board.start([2, 0x300], [1, 0x320])), [1, 2]);
  t.deepEqual(roles(board.start([2, 0x320])), [undefined, 2]);
});
