// An office at nine o'clock, on the sim board in virtual time: thirty hosts are switched on within ten seconds, take their
// leases, and ask for names that all want and for names of their own, over a link outside that loses some, from a server that
// drops every third query. All are answered, none with SERVFAIL, and the log says no more than it should.
// Not here: what the processor makes of it (small-board.test.ts), real clients and servers (dhcp-server.test.ts, dns.test.ts).

import test from 'ava';
import { createSimBoard, type SimBoard } from '../board/sim/board.ts';
import { TICKS_PER_SECOND } from '../src/base/limits.ts';
import { ACK, DISCOVER, OFFER, REQUEST, Reader } from '../src/control/dhcp/message.ts';
import { compose, station } from '../src/control/dhcp/server-lab.ts';
import { type Random, runSeed, seeded } from '../tools/harness/random.ts';
import * as packets from './packets.ts';

const [LAN, WAN] = [0, 1];
const ROUTER = '192.168.0.1';
const OUTSIDE = '203.0.113.2';
const GATEWAY = '203.0.113.1';
const SERVER = '203.0.113.53';
const WAN_MAC = '02:00:00:00:ff:01';
const HOSTS = 30;
const START_TICKS = 10 * TICKS_PER_SECOND;
/** 40 ms there and back, and of a hundred frames each way two are lost. */
const DELAY_TICKS = 2;
const LOSS = 0.02;
const DROPPED = 3;
const [TYPE_A, TYPE_HTTPS] = [1, 65];
/** What a host's resolver waits before it asks again, as Linux and Windows do or longer. */
const AGAIN_TICKS = 5 * TICKS_PER_SECOND;
const DHCP_AGAIN_TICKS = 4 * TICKS_PER_SECOND;

/** Ten names that all want, of five of which the parameters of HTTPS too, and five of each host's own. */
const questionsOf = (n: number): [name: string, type: number][] => [
  ...Array.from({ length: 10 }, (_, i): [string, number] => [`all${i}.example`, TYPE_A]),
  ...Array.from({ length: 5 }, (_, i): [string, number] => [`all${i}.example`, TYPE_HTTPS]),
  ...Array.from({ length: 5 }, (_, i): [string, number] => [`own${i}.host${n}.example`, TYPE_A]),
];

function question(id: number, name: string, type: number): Uint8Array {
  const labels = name.split('.').flatMap(label => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, type, 0, 1]);
}

/** An address, or for other types that there is none. */
function answer(query: Uint8Array): Uint8Array {
  const type = query[query.length - 3];
  const record = type === TYPE_A ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1] : [];
  const bytes = packets.concat(query, record);
  bytes.set([0x81, 0x80], 2);
  bytes[7] = record.length > 0 ? 1 : 0;
  return bytes;
}

class Host {
  address = '0.0.0.0';
  doneAt: number | undefined;
  servfails = 0;
  tries = 0;
  private state: 'discover' | 'request' | 'names' = 'discover';
  private sentAt = Number.NEGATIVE_INFINITY;
  private readonly left = new Map<number, { data: Uint8Array; sentAt: number }>();

  constructor(
    readonly n: number,
    readonly mac: string,
    readonly startAt: number,
    private readonly send: (mac: string, to: string, datagram: Uint8Array) => void,
    private readonly sendFrame: (frame: Uint8Array) => void,
  ) {
    for (const [id, [name, type]] of questionsOf(n).entries())
      this.left.set(id, { data: question(id, name, type), sentAt: Number.NEGATIVE_INFINITY });
  }

  look(tick: number): void {
    if (tick < this.startAt || this.doneAt !== undefined) return;
    if (this.state === 'names') {
      for (const [id, one] of this.left) {
        if (tick - one.sentAt < AGAIN_TICKS) continue;
        one.sentAt = tick;
        this.tries++;
        const ip = { source: this.address, destination: ROUTER, ttl: 64 };
        this.send(this.mac, ROUTER, packets.udp(ip, 4000 + id, 53, one.data));
      }
      return;
    }
    if (tick - this.sentAt < DHCP_AGAIN_TICKS) return;
    this.sentAt = tick;
    const isFirst = this.state === 'discover';
    const said = isFirst ? {} : { requested: this.address, server: ROUTER };
    const message = compose(this.mac, isFirst ? DISCOVER : REQUEST, {
      ...said,
      xid: this.n + 1,
      wants: [1, 3, 6],
    });
    this.send(
      this.mac,
      '',
      packets.udp({ source: '0.0.0.0', destination: '255.255.255.255' }, 68, 67, message),
    );
  }

  hear({ sourcePort, data }: packets.Read, tick: number): void {
    if (sourcePort === 67) this.lease(data);
    else if (sourcePort === 53 && this.state === 'names') this.name(data, tick);
  }

  private lease(data: Uint8Array): void {
    const message = new Reader();
    if (message.parse(data) !== undefined || packets.macText(message.chaddr) !== this.mac) return;
    const next = { [OFFER]: 'request', [ACK]: 'names' }[message.type] as 'request' | 'names' | undefined;
    if (next === undefined || this.state === 'names') return;
    this.address = packets.addressText(message.yiaddr);
    this.state = next;
    // A host looks for its router before it sends by it.
    if (next === 'names')
      this.sendFrame(
        packets.arpFrame(packets.BROADCAST, {
          ...{ operation: 1, senderMac: this.mac, senderAddress: this.address, targetAddress: ROUTER },
        }),
      );
    this.sentAt = Number.NEGATIVE_INFINITY;
  }

  private name(data: Uint8Array, tick: number): void {
    const code = (data[3] as number) & 15;
    if (code === 2) this.servfails++;
    if (code !== 0) return;
    this.left.delete(packets.get16(data, 0));
    if (this.left.size === 0) this.doneAt ??= tick;
  }
}

/** The board, the hosts of its LAN, and a server behind a link that is slow and loses some. */
class Office {
  tick = 0;
  queries = 0;
  readonly hosts: Host[];
  private board!: SimBoard;
  private text = '';
  private router = packets.BROADCAST;
  /** Frames that come to a card, by the tick. */
  private readonly wires: [at: number, card: number, frame: Uint8Array][] = [];

  private constructor(private readonly random: Random) {
    const send = (mac: string, to: string, datagram: Uint8Array): void => {
      const station = to === '' ? packets.BROADCAST : this.router;
      this.wires.push([this.tick, LAN, packets.frame(station, mac, datagram)]);
    };
    const sendFrame = (frame: Uint8Array): void => void this.wires.push([this.tick, LAN, frame]);
    this.hosts = Array.from(
      { length: HOSTS },
      (_, n) => new Host(n, station(n), random.below(START_TICKS), send, sendFrame),
    );
  }

  static async create(seed: number): Promise<Office> {
    const office = new Office(seeded(seed));
    office.board = await createSimBoard({
      onFrame: (card, frame) => office.frame(card, frame),
      onOutput: text => {
        office.text += text;
      },
    });
    office.pass();
    for (const line of [
      'set console pager off',
      `set wan address ${OUTSIDE}/24`,
      `set wan gateway ${GATEWAY}`,
      `set dns server ${SERVER}`,
    ])
      office.command(line);
    return office;
  }

  command(line: string): string {
    this.text = '';
    this.board.type(`${line}\r`);
    for (let i = 0; i < 20; i++) this.pass();
    return this.text;
  }

  pass(): void {
    for (let i = 0; i < this.wires.length; ) {
      const [at, card, frame] = this.wires[i]!;
      if (at > this.tick) {
        i++;
        continue;
      }
      this.wires.splice(i, 1);
      this.board.receive(card, frame);
      this.board.run();
    }
    this.board.run();
    this.board.advance(1);
    this.board.run();
    this.tick++;
  }

  private frame(card: number, frame: Uint8Array): void {
    if (card === LAN) this.router = packets.stationOf(frame);
    if (packets.isArp(frame)) this.arp(card, frame);
    else if (card === LAN) {
      const read = packets.read(packets.datagramIn(frame));
      if (read.protocol !== packets.UDP) return;
      const to = packets.macText(frame);
      for (const host of this.hosts)
        if (to === packets.BROADCAST || to === host.mac) host.hear(read, this.tick);
    } else if (!this.random.chance(LOSS))
      this.serve(packets.read(packets.datagramIn(frame)), packets.stationOf(frame));
  }

  private serve({ protocol, destinationPort, sourcePort, data }: packets.Read, router: string): void {
    if (protocol !== packets.UDP || destinationPort !== 53) return;
    if (++this.queries % DROPPED === 0 || this.random.chance(LOSS)) return;
    const datagram = packets.udp(
      { source: SERVER, destination: OUTSIDE, ttl: 60 },
      53,
      sourcePort,
      answer(data),
    );
    this.wires.push([this.tick + 2 * DELAY_TICKS, WAN, packets.frame(router, WAN_MAC, datagram)]);
  }

  private arp(card: number, frame: Uint8Array): void {
    const { isRequest, sender, target } = packets.arpIn(frame);
    const host = this.hosts.find(({ address }) => address === target);
    const mac = card === WAN && (target === GATEWAY || target === SERVER) ? WAN_MAC : host?.mac;
    if (!isRequest || mac === undefined || sender === '0.0.0.0' || target === '0.0.0.0') return;
    this.wires.push([this.tick, card, packets.arpAnswer(frame, mac)]);
  }
}

test('an office at nine o’clock is answered: leases, shared names and own ones, over a bad link', async t => {
  const office = await Office.create(runSeed());
  const from = office.tick;
  for (const last = office.tick + 60 * TICKS_PER_SECOND; office.tick < last; ) {
    for (const host of office.hosts) host.look(office.tick - from);
    office.pass();
    if (office.hosts.every(({ doneAt }) => doneAt !== undefined)) break;
  }
  const { hosts } = office;
  const late = hosts.filter(({ doneAt }) => doneAt === undefined);
  const servfails = hosts.reduce((sum, host) => sum + host.servfails, 0);
  const tries = hosts.reduce((sum, host) => sum + host.tries, 0);
  const waits = hosts.map(
    ({ doneAt = office.tick, startAt }) => (doneAt - from - startAt) / TICKS_PER_SECOND,
  );
  waits.sort((a, b) => a - b);
  const log = office.command('show log');
  t.log(
    `from a host's start to its last answer ${waits[HOSTS >> 1]} s in the middle, ${waits.at(-1)} s at most; ${tries} queries of hosts for ${HOSTS * 20} names, ${office.queries} of the router, ${servfails} SERVFAIL`,
  );
  t.is(late.length, 0);
  t.is(servfails, 0);
  t.is(tries, HOSTS * 20, 'nobody asks twice');
  t.true(waits.at(-1)! < 6, `${waits}`);
  t.notRegex(log, / dns: /);
  t.is(new Set(hosts.map(({ address }) => address)).size, HOSTS);
});
