import test from 'ava';
import { probeCards } from '../../board/pc.ts';
import { LINK_END_AT, NIC_END_AT, UNDRIVEN_AT } from '../../src/base/cells.ts';
import {
  cardOf,
  IF_LINK,
  IF_MAC,
  IF_RX_BYTES,
  IF_RX_PACKETS,
  IF_STATE,
  IF_TX_PACKETS,
  INTERFACE_ABSENT,
  INTERFACE_DOWN,
  interfaceAt,
  LINK_ETHERNET,
  resetInterfaces,
} from '../../src/base/interface.ts';
import { INTERFACE_LAN, INTERFACE_WAN, NIC_COUNT, TRANSMIT_QUEUE_LIMIT } from '../../src/base/limits.ts';
import { get8, i32at } from '../../src/base/memory.ts';
import { PACKET_IN, setFrame } from '../../src/base/packet.ts';
import { allocate, release, resetPool } from '../../src/base/pool.ts';
import { javascriptBuild } from '../../tools/builds.ts';
import { BusModel, type Device, PciModel } from '../bus-model.ts';
import { attachPorts } from '../ports.ts';
import {
  cardAt,
  NIC_IRQ,
  NIC_KIND,
  NIC_KIND_END,
  NIC_LEVEL,
  NIC_NE2000_ISA,
  NIC_NE2000_PCI,
  NIC_NONE,
  NIC_PLACE,
  NIC_PLACE_PCI,
  NIC_PORT,
  NIC_RECEIVED,
  NIC_RING,
  NIC_SENT,
  NIC_STARTED,
} from './card.ts';
import { CARD_NAMES } from './card-names.ts';
import { Dp8390Model } from './dp8390-model.ts';
import { cardTraits, DRIVER_NONE, pciKind, TRAIT_DRIVER } from './drivers.ts';
import {
  nicBind,
  nicIrq,
  nicMac,
  nicProbe,
  nicReceive,
  nicSend,
  nicService,
  nicStart,
  nicTick,
  resetNics,
} from './nic.ts';
import { ringPut, ringTake } from './ring.ts';

const MACS = [1, 2, 3, 4, 5].map(n => new Uint8Array([0x52, 0x54, 0, 0, 0, n]));

let bus: BusModel;

test.beforeEach(() => {
  javascriptBuild();
  bus = new BusModel();
  attachPorts(bus);
  resetPool();
  resetInterfaces();
  resetNics();
});

function bytes(p: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => get8(p + i));
}

test.serial('nicProbe() finds no card on an empty bus, and writes nothing to it', t => {
  let writes = 0;
  bus.place(0x300, 32, { read: (_, width) => 2 ** (8 * width) - 1, write: () => writes++ });
  t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, -1), 0);
  t.is(writes, 0);
  t.is(i32at(cardAt(0) + NIC_KIND), NIC_NONE);
  t.is(nicIrq(0), -1);
  t.is(i32at(interfaceAt(0) + IF_STATE), INTERFACE_ABSENT);
});

/** A device that answers one byte everywhere, one that remembers what is written, one that counts. */
const others: [string, () => Device][] = [
  ['zeros', () => ({ read: () => 0, write() {} })],
  ['0x21 everywhere', () => ({ read: () => 0x21, write() {} })],
  ['0x80 everywhere', () => ({ read: () => 0x80, write() {} })],
  [
    'memory',
    () => {
      const memory = new Array<number>(32).fill(0x80);
      return {
        read: (offset: number) => memory[offset]!,
        write: (offset: number, value: number) => {
          memory[offset] = value;
        },
      };
    },
  ],
  [
    'ever new bytes',
    () => {
      let n = 0;
      return { read: () => (37 * ++n) & 0xff, write() {} };
    },
  ],
];
for (const [what, make] of others) {
  test.serial(`nicProbe() does not take a device that answers ${what} for a card`, t => {
    bus.place(0x300, 32, make());
    t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, -1), 0);
    t.true(bus.time < 10000);
  });
}

test.serial('nicProbe() finds a card, reads its address and leaves it stopped', t => {
  const card = new Dp8390Model(bus, 0x300, MACS[0]!);
  t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, 9), 1);
  t.deepEqual(bytes(nicMac(0), 6), MACS[0]!);
  t.deepEqual(bytes(interfaceAt(0) + IF_MAC, 6), MACS[0]!);
  t.is(i32at(interfaceAt(0) + IF_LINK), LINK_ETHERNET);
  t.is(i32at(interfaceAt(0) + IF_STATE), INTERFACE_DOWN);
  t.is(nicIrq(0), 9);
  t.false(card.receive(new Uint8Array(60).fill(0xff)));
  t.is(nicService(0), 0);
  t.deepEqual(card.violations, []);
});

for (const [what, mac] of [
  ['all zeros', [0, 0, 0, 0, 0, 0]],
  ['all ones', [255, 255, 255, 255, 255, 255]],
  ['a group address', [1, 0, 0x5e, 0, 0, 1]],
] as const) {
  test.serial(`nicProbe() refuses a station address of ${what}`, t => {
    new Dp8390Model(bus, 0x300, new Uint8Array(mac));
    t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, 9), 0);
  });
}

test.serial('nicProbe() refuses a board with half the memory', t => {
  new Dp8390Model(bus, 0x300, MACS[0]!, { memoryEnd: 0x6000 });
  t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, 9), 0);
});

test.serial('nicProbe() finds no card whose remote DMA hangs, in bounded time', t => {
  const card = new Dp8390Model(bus, 0x300, MACS[0]!);
  card.remoteStuck = 'for ever';
  t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, 9), 0);
  t.true(bus.time < 10000);
});

for (const line of [3, 4, 5, 7, 9, 10, 11, 12, 15]) {
  test.serial(`nicProbe() finds interrupt line ${line} of an ISA card by trial`, t => {
    const card = new Dp8390Model(bus, 0x300, MACS[0]!, { line });
    t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, -1), 1);
    t.is(nicIrq(0), line);
    t.deepEqual(card.violations, []);
    bus.pic.take(line);
    nicStart(0);
    t.true(card.receive(new Uint8Array(60).fill(0xff)));
    t.true(bus.pic.take(line));
  });
}

for (const line of [0, 1, 6, 8, 13, 14]) {
  test.serial(`nicProbe() does not take the PC's own line ${line} for the card's; nicTick() serves it`, t => {
    const card = new Dp8390Model(bus, 0x300, MACS[0]!, { line });
    t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, -1), 1);
    t.is(nicIrq(0), -1);
    nicStart(0);
    t.true(card.receive(new Uint8Array(60).fill(0xff)));
    t.is(nicTick(0), NIC_RECEIVED);
  });
}

test.serial('nicProbe() does not mistake a line on which another card waits', t => {
  bus.pic.drive(5, true);
  new Dp8390Model(bus, 0x300, MACS[0]!, { line: 10 });
  t.is(nicProbe(0, NIC_NE2000_ISA, 0x300, -1), 1);
  t.is(nicIrq(0), 10);
});

test.serial('probeCards() gives the first ISA card to the LAN and the second to the WAN', t => {
  new Dp8390Model(bus, 0x320, MACS[1]!, { line: 10 });
  new Dp8390Model(bus, 0x300, MACS[0]!, { line: 9 });
  t.is(probeCards(), 2);
  t.deepEqual([nicIrq(0), nicIrq(1), nicIrq(2)], [9, 10, -1]);
  t.deepEqual(bytes(nicMac(0), 6), MACS[0]!);
  t.deepEqual(bytes(nicMac(1), 6), MACS[1]!);
  t.is(i32at(interfaceAt(2) + IF_STATE), INTERFACE_ABSENT);
});

test.serial('probeCards() stops where the places for cards end', t => {
  for (const [i, port] of [0x300, 0x320, 0x340, 0x360, 0x280].entries()) {
    new Dp8390Model(bus, port, MACS[i]!, { line: 9 + i });
  }
  t.is(probeCards(), NIC_COUNT);
  t.deepEqual(bytes(nicMac(NIC_COUNT - 1), 6), MACS[NIC_COUNT - 1]!);
});

/** Configuration space of a function: id, class, BAR 0 and interrupt line. */
function pciFunction(id: number, port: number, line: number, multifunction = false): Int32Array {
  const registers = new Int32Array(64);
  registers[0] = id;
  registers[3] = multifunction ? 0x800000 : 0;
  registers[4] = port | 1;
  registers[15] = 0x100 | line;
  return registers;
}

test.serial('probeCards() finds PCI cards first, lets them answer, and ignores other devices', t => {
  const pci = new PciModel();
  bus.place(0xcf8, 8, pci);
  pci.functions.set(0, pciFunction(0x12378086, 0, 0));
  pci.functions.set(1 << 11, pciFunction(0x70008086, 0, 0, true));
  pci.functions.set((1 << 11) | (1 << 8), pciFunction(0x70108086, 0, 0));
  const card = pciFunction(0x802910ec, 0xc000, 11);
  pci.functions.set(3 << 11, card);
  pci.functions.set((1 << 16) | (4 << 11) | (2 << 8), pciFunction(0x09401050, 0xc100, 10));
  pci.functions.set((1 << 16) | (4 << 11), pciFunction(0x00011022, 0xc200, 10, true));
  new Dp8390Model(bus, 0xc000, MACS[0]!, { line: 11 });
  new Dp8390Model(bus, 0xc100, MACS[1]!, { line: 10 });
  new Dp8390Model(bus, 0x300, MACS[2]!, { line: 9 });
  t.is(probeCards(), 3);
  t.deepEqual(
    [0, 1, 2].map(i => i32at(cardAt(i) + NIC_KIND)),
    [NIC_NE2000_PCI, NIC_NE2000_PCI, NIC_NE2000_ISA],
  );
  t.deepEqual(
    [0, 1, 2].map(i => i32at(cardAt(i) + NIC_PORT)),
    [0xc000, 0xc100, 0x300],
  );
  t.deepEqual([0, 1, 2].map(nicIrq), [11, 10, 9]);
  t.is(card[1]! & 1, 1, 'I/O space is on');
  t.is(i32at(UNDRIVEN_AT), 0, 'a host bridge, an ISA bridge and a disk are no cards');
});

test.serial('an Ethernet card on the PCI bus without a driver gets no interface, and is told of', t => {
  const pci = new PciModel();
  bus.place(0xcf8, 8, pci);
  for (const [device, id, kind] of [
    [1, 0x70108086, 0x01018000],
    [2, 0x813910ec, 0x02000010],
    [3, 0x100e8086, 0x02000003],
  ] as const) {
    const registers = pciFunction(id, 0xc000 + 0x100 * device, 11);
    registers[2] = kind;
    pci.functions.set(device << 11, registers);
  }
  t.is(probeCards(), 0);
  t.is(i32at(UNDRIVEN_AT), 0x813910ec | 0);
  t.is(i32at(interfaceAt(0) + IF_STATE), INTERFACE_ABSENT);
});

for (const [what, isThere, line] of [
  ['that fails', false, 11],
  ['without a line', true, 0],
] as const) {
  test.serial(`a PCI card ${what} has no line to be held back`, t => {
    const pci = new PciModel();
    bus.place(0xcf8, 8, pci);
    pci.functions.set(3 << 11, pciFunction(0x802910ec, 0xc000, line));
    if (isThere) new Dp8390Model(bus, 0xc000, MACS[0]!, { line: 11 });
    t.is(probeCards(), isThere ? 1 : 0);
    t.is(i32at(cardAt(0) + NIC_IRQ), -1);
    t.is(i32at(cardAt(0) + NIC_LEVEL), 0);
  });
}

test.serial('an ISA card that answers where a PCI card was found is that card', t => {
  const pci = new PciModel();
  bus.place(0xcf8, 8, pci);
  pci.functions.set(3 << 11, pciFunction(0x802910ec, 0x320, 11));
  new Dp8390Model(bus, 0x320, MACS[0]!, { line: 11 });
  new Dp8390Model(bus, 0x340, MACS[1]!, { line: 9 });
  t.is(probeCards(), 2);
  t.deepEqual(
    [0, 1].map(i => [i32at(cardAt(i) + NIC_KIND), i32at(cardAt(i) + NIC_PORT), i32at(cardAt(i) + NIC_PLACE)]),
    [
      [NIC_NE2000_PCI, 0x320, NIC_PLACE_PCI | (3 << 11)],
      [NIC_NE2000_ISA, 0x340, 0x340],
    ],
  );
});

test.serial('the Holtek HT80229, which takes accesses of 32 bits alone, is left alone', t => {
  const pci = new PciModel();
  bus.place(0xcf8, 8, pci);
  const functions = pciFunction(0x559812c3, 0xc000, 11);
  pci.functions.set(3 << 11, functions);
  new Dp8390Model(bus, 0xc000, MACS[0]!, { line: 11 });
  t.is(probeCards(), 0);
  t.is(functions[1]! & 1, 0);
});

for (const [id, chip] of [
  [0x802910ec, 'Realtek RTL8029AS'],
  [0x09401050, 'Winbond W89C940'],
  [0x5a5a1050, 'Winbond W89C940F'],
  [0x19808c4a, 'Winbond W89C940 with a wrong EEPROM'],
  [0x140111f6, 'Compex ReadyLink 2000'],
  [0x30008e2e, 'KTI ET32P2'],
  [0x50004a14, 'NetVin NV5000SC'],
  [0x09261106, 'VIA VT86C926'],
  [0x0e3410bd, 'SureCom NE34'],
  [0x005812c3, 'Holtek HT80232'],
] as const) {
  test.serial(`probeCards() takes the ${chip} on PCI for a card`, t => {
    const pci = new PciModel();
    bus.place(0xcf8, 8, pci);
    pci.functions.set(5 << 11, pciFunction(id, 0xc000, 11));
    new Dp8390Model(bus, 0xc000, MACS[0]!, { line: 11 });
    t.is(probeCards(), 1);
  });
}

test.serial("each kind of card has a driver and a name, or neither; one without a driver is no link's", t => {
  for (let kind = NIC_NONE + 1; kind < NIC_KIND_END; kind++) {
    t.not(cardTraits(kind) & TRAIT_DRIVER, DRIVER_NONE, `kind ${kind}`);
    t.truthy(CARD_NAMES.get(kind), `kind ${kind}`);
  }
  t.is(CARD_NAMES.size, NIC_KIND_END - 1);
  const model = new Dp8390Model(bus, 0x300, MACS[0]!, { line: 9 });
  for (const kind of [NIC_NONE, NIC_KIND_END, 99]) {
    t.is(nicProbe(0, kind, 0x300, 9), 0, `kind ${kind}`);
    t.is(cardOf(0), -1);
    t.is(i32at(interfaceAt(0) + IF_STATE), INTERFACE_ABSENT);
    nicStart(0);
    t.is(i32at(cardAt(0) + NIC_STARTED), 0);
  }
  t.is(i32at(NIC_END_AT), 0);
  t.deepEqual(model.violations, []);
  t.is(pciKind(0x813910ec), NIC_NONE);
});

test.serial('nicBind() gives links other cards than those of their own number, or none', t => {
  const cards = [0x300, 0x320].map((port, i) => new Dp8390Model(bus, port, MACS[i]!, { line: 9 + i }));
  t.is(probeCards(), 2);
  t.is(i32at(NIC_END_AT), 2);
  t.deepEqual([0, 1, 2].map(cardOf), [0, 1, -1]);
  // The LAN gets the second card, and the first is nobody's until the sixth link has it.
  nicBind(1, INTERFACE_LAN);
  t.deepEqual([0, 1].map(cardOf), [1, -1]);
  t.is(i32at(interfaceAt(INTERFACE_WAN) + IF_STATE), INTERFACE_ABSENT);
  nicStart(0);
  t.is(i32at(cardAt(0) + NIC_STARTED), 0, 'a card that is no device of a link stays stopped');
  nicBind(0, 5);
  t.is(i32at(LINK_END_AT), 6);
  t.deepEqual(bytes(interfaceAt(INTERFACE_LAN) + IF_MAC, 6), MACS[1]!);
  t.deepEqual(bytes(interfaceAt(5) + IF_MAC, 6), MACS[0]!);
  t.is(i32at(interfaceAt(5) + IF_STATE), INTERFACE_DOWN);
  t.deepEqual([nicIrq(0), nicIrq(1)], [9, 10], 'the cards are where they were');
  for (const card of [0, 1]) nicStart(card);
  for (const [card, link] of [5, INTERFACE_LAN].entries()) {
    t.true(cards[card]!.receive(new Uint8Array(60).fill(0xff)));
    t.is(nicService(card), NIC_RECEIVED);
    const packet = nicReceive(card);
    t.is(i32at(packet + PACKET_IN), link);
    t.is(i32at(interfaceAt(link) + IF_RX_PACKETS), 1);
    release(packet);
    t.deepEqual(cards[card]!.violations, []);
  }
});

test.serial('a ring carries packets from ringPut() to nicReceive() and from nicSend() to ringTake()', t => {
  t.is(nicProbe(1, NIC_RING, 0x1234, 5), 1);
  t.deepEqual(bytes(nicMac(1), 6), new Uint8Array([2, 0x4d, 0x42, 0, 0x12, 0x34]));
  nicStart(1);
  t.is(nicService(1), 0);
  const packets = Array.from({ length: TRANSMIT_QUEUE_LIMIT + 1 }, () => allocate());
  const last = packets.pop()!;
  for (const packet of packets) {
    setFrame(packet, 60);
    t.is(ringPut(1, packet), 1);
  }
  t.is(ringPut(1, last), 0);
  t.is(nicService(1), NIC_RECEIVED);
  for (const packet of packets) {
    t.is(nicReceive(1), packet);
    t.is(i32at(packet + PACKET_IN), 1);
  }
  t.is(nicReceive(1), 0);
  t.is(nicService(1), 0);
  t.is(i32at(interfaceAt(1) + IF_RX_PACKETS), TRANSMIT_QUEUE_LIMIT);
  t.is(i32at(interfaceAt(1) + IF_RX_BYTES), 60 * TRANSMIT_QUEUE_LIMIT);
  for (const packet of packets) t.is(nicSend(1, packet), 1);
  t.is(nicSend(1, last), 0);
  t.is(nicTick(1), 0);
  t.is(ringTake(1), packets[0]!);
  t.is(nicService(1), NIC_SENT);
  t.is(nicSend(1, last), 1);
  for (const packet of [...packets.slice(1), last]) t.is(ringTake(1), packet);
  t.is(ringTake(1), 0);
  t.is(i32at(interfaceAt(1) + IF_TX_PACKETS), TRANSMIT_QUEUE_LIMIT + 1);
});

test.serial('an interface without a card has nothing and sends nothing', t => {
  const packet = allocate();
  t.is(nicService(3), 0);
  t.is(nicTick(3), 0);
  t.is(nicReceive(3), 0);
  t.is(nicSend(3, packet), 1);
  const again = allocate();
  t.is(again, packet, 'the buffer went back');
  release(again);
  t.is(nicIrq(3), -1);
});
