// What people wait for on a modem's line beside who fills it, on whole sim boards: links get queues when they come up, by the modem's word or as it is
// set, and a ping beside uploads waits little. Not here: what queues do (src/plane/link/queue-line.test.ts).

import test from 'ava';
import {
  ACK,
  arpAnswer,
  arpIn,
  datagramIn,
  echo,
  frame,
  ICMP,
  isArp,
  isIpv4,
  payload,
  read,
  SYN,
  TCP,
  tcp,
} from '../../../test/packets.ts';
import { Receiver, Sender } from '../../../test/queue-lab.ts';
import { slipFrame, slipFrames } from '../../plane/link/port-lab.ts';
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST } from '../../wire/icmp.ts';
import { Cable, PortBoard } from './sim-lab.ts';

const RATE = 33600;
/** A modem's bytes of a tick, which have no start and stop. */
const BYTES = RATE / 8 / 100;
/** A modem's own delay and the way to the server, one way, in ticks. */
const WAY = 6;
const LAN_MAC = '02:4d:42:00:00:01';
const HOST = { address: '192.168.0.7', mac: '02:00:00:00:00:07' };
const OTHER = { address: '192.168.0.8', mac: '02:00:00:00:00:08' };
const SERVER = '198.51.100.9';
const MSS = 536;
/** Seconds beside the uploads. */
const LOADED = 120;
/** A second but for a little, so that it comes at any time of a packet's. */
const PING_TICKS = 97;

/** A board with SLIP at a modem's rate, hosts on its LAN, and a server at the other end of the line. */
class Town {
  private now = 0;
  private readonly rest: number[] = [];
  private readonly back: { at: number; bytes: number[] }[] = [];
  private readonly uploads: { sender: Sender; receiver: Receiver; isOpen: boolean }[] = [];
  private readonly sentAt = new Map<number, number>();
  private sequence = 0;
  readonly trips: number[] = [];
  /** Bytes of uploads that have come to the server. */
  come = 0;

  constructor(
    readonly cable: Cable,
    private readonly count: number,
  ) {
    for (let i = 0; i < count; i++)
      this.uploads.push({
        isOpen: false,
        receiver: new Receiver(),
        sender: new Sender(MSS, (sequence, bytes) => this.segment(i, sequence, 1, payload(bytes))),
      });
  }

  private get near(): PortBoard {
    return this.cable.boards[0] as PortBoard;
  }

  private segment(i: number, sequence: number, acknowledgment: number, data: Uint8Array): void {
    const ports = { sourcePort: 2000 + i, destinationPort: 9 };
    const header = { ...ports, sequence, acknowledgment, window: 60000 };
    this.put(HOST, tcp({ source: HOST.address, destination: SERVER }, header, data));
  }

  private put(host: typeof HOST, datagram: Uint8Array): void {
    this.near.board.receive(0, frame(LAN_MAC, host.mac, datagram));
  }

  /** What the line has brought to the server. */
  private served(datagram: Uint8Array): void {
    const d = read(datagram);
    const ends = { source: SERVER, destination: d.source };
    if (d.protocol === ICMP) this.answer(echo(ends, ICMP_ECHO_REPLY, d.identifier, d.rest & 0xffff, d.data));
    if (d.protocol !== TCP) return;
    const ports = { sourcePort: 9, destinationPort: d.sourcePort };
    if ((d.tcpFlags & SYN) !== 0) {
      this.answer(
        tcp(ends, { ...ports, sequence: 0, acknowledgment: d.sequence + 1, flags: SYN | ACK, window: 60000 }),
      );
      return;
    }
    if (d.data.length === 0) return;
    this.come += d.data.length;
    const upload = this.uploads[this.portOf.indexOf(d.sourcePort)] ?? this.known(d.sourcePort);
    if (upload.receiver.got(d.sequence, d.data.length))
      this.answer(tcp(ends, { ...ports, sequence: 1, acknowledgment: upload.receiver.next, window: 60000 }));
  }

  private readonly portOf: number[] = [];

  /** Which upload has an outside port: they come in order. */
  private known(port: number): (typeof this.uploads)[number] {
    this.portOf.push(port);
    return this.uploads[this.portOf.length - 1]!;
  }

  private answer(datagram: Uint8Array): void {
    const last = this.back.at(-1)?.at ?? 0;
    const begin = Math.max(last, this.now + WAY);
    this.back.push({ at: begin + datagram.length / BYTES, bytes: slipFrame(datagram) });
  }

  /** What comes to the hosts. */
  private heard(bytes: Uint8Array): void {
    if (isArp(bytes)) {
      const { isRequest, target } = arpIn(bytes);
      const host = [HOST, OTHER].find(({ address }) => address === target);
      if (isRequest && host !== undefined) this.near.board.receive(0, arpAnswer(bytes, host.mac));
      return;
    }
    if (!isIpv4(bytes)) return;
    const d = read(datagramIn(bytes));
    if (d.protocol === ICMP && this.sentAt.has(d.rest & 0xffff)) {
      this.trips.push(10 * (this.now - (this.sentAt.get(d.rest & 0xffff) as number)));
      this.sentAt.delete(d.rest & 0xffff);
    }
    const upload = this.uploads[d.destinationPort - 2000];
    if (d.protocol !== TCP || upload === undefined) return;
    if ((d.tcpFlags & SYN) !== 0) upload.isOpen = true;
    else upload.sender.acknowledged(d.acknowledgment, 10 * this.now);
  }

  connect(): void {
    for (let i = 0; i < this.count; i++) {
      const header = { sourcePort: 2000 + i, destinationPort: 9, sequence: 0, flags: SYN, window: 60000 };
      this.put(HOST, tcp({ source: HOST.address, destination: SERVER }, header));
    }
  }

  seconds(seconds: number, isLoaded: boolean): this {
    this.cable.carry = (_, bytes) => this.rest.push(...bytes);
    for (let n = 0; n < 100 * seconds; n++) {
      this.now++;
      if (isLoaded) for (const { sender, isOpen } of this.uploads) if (isOpen) sender.run(10 * this.now);
      if (this.now % PING_TICKS === 0) {
        this.sentAt.set(++this.sequence, this.now);
        this.put(
          OTHER,
          echo({ source: OTHER.address, destination: SERVER }, ICMP_ECHO_REQUEST, 7, this.sequence),
        );
      }
      this.cable.seconds(0.01);
      const end = this.rest.lastIndexOf(0xc0);
      for (const bytes of slipFrames(this.rest.splice(0, end + 1))) {
        const at = this.now + WAY;
        this.later.push({ at, bytes });
      }
      while ((this.later[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now)
        this.served(Uint8Array.from(this.later.shift()!.bytes));
      while ((this.back[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now)
        this.near.give(Uint8Array.from(this.back.shift()!.bytes));
      for (const bytes of this.near.lan.splice(0)) this.heard(bytes);
    }
    return this;
  }

  private readonly later: { at: number; bytes: number[] }[] = [];

  /** Median and longest of the trips since the last time. */
  measured(): { middle: number; longest: number; count: number } {
    const all = this.trips.splice(0).sort((a, b) => a - b);
    return { middle: all[all.length >> 1] ?? 0, longest: all.at(-1) ?? 0, count: all.length };
  }
}

test.serial(
  'at 33,600 b/s a ping beside uploads waits 350 ms more than alone at most, and without queues seconds',
  async t => {
    t.timeout(900_000);
    const measure = async (rate: string, fair: string, uploads: number) => {
      const cable = new Cable([await PortBoard.start()], BYTES);
      const near = cable.boards[0] as PortBoard;
      cable.seconds(10, () => near.said.endsWith('> '));
      for (const option of ['address 10.9.0.2:10.9.0.1', 'vj off', 'mru 576', `rate ${rate}`, 'port com2'])
        t.notRegex(cable.type(0, `set sl0 ${option}`), /Cannot/);
      if (fair === 'flow') cable.type(0, 'set queue fair flow');
      cable.seconds(5);
      const queue = cable.type(0, 'show queue');
      const town = new Town(cable, uploads);
      town.seconds(1, false);
      town.connect();
      town.seconds(2, false).measured();
      const idle = town.seconds(20, false).measured();
      town.come = 0;
      const busy = town.seconds(LOADED, true).measured();
      t.log(
        `${rate} by ${fair}: alone ${idle.middle} ms, beside ${uploads} uploads ${busy.middle} to ${busy.longest} ms, ${busy.count} answers, uploads ${Math.round((town.come * 8) / LOADED)} b/s`,
      );
      return { idle, busy, queue, part: (town.come * 8) / LOADED / RATE };
    };
    const one = await measure('33600', 'host', 1);
    t.regex(one.queue, /^sl0 by a line of 33600 b\/s, fair by host, MSS at most 536$/m);
    const byFlow = await measure('33600', 'flow', 3);
    for (const { busy, idle, part } of [one, byFlow]) {
      t.true(busy.longest - idle.middle <= 350, `${busy.longest} - ${idle.middle}`);
      t.true(busy.count >= 100);
      t.true(part > 0.7, `${part}`);
    }
    // By host it is a part of a packet more at most.
    const { busy, idle } = await measure('33600', 'host', 3);
    t.true(busy.longest - idle.middle <= 400, `${busy.longest} - ${idle.middle}`);
    const fifo = await measure('0', 'host', 3);
    t.regex(fifo.queue, /No link has a rate/);
    t.true(fifo.busy.longest > 2000, `${fifo.busy.longest}`);
  },
);

test.serial(
  'a link by modem has queues at the rate of its CONNECT while it is up, or at the one that is set',
  async t => {
    t.timeout(600_000);
    const cable = new Cable([await PortBoard.start(), await PortBoard.start()]);
    const [near, far] = cable.boards as [PortBoard, PortBoard];
    cable.seconds(10, () => near.said.endsWith('> ') && far.said.endsWith('> '));
    for (const option of ['role lan', 'address 10.9.0.1:10.9.0.2', 'port com2'])
      cable.type(1, `set ppp0 ${option}`);
    for (const option of ['number 123', 'carrier off', 'port com2']) cable.type(0, `set ppp0 ${option}`);
    // The modem: what is said to it until it has connected, then the cable.
    let isConnected = false;
    let heard = '';
    const through = cable.carry;
    cable.carry = (index, bytes) => {
      if (isConnected) through(index, bytes);
      else if (index === 0) {
        heard += Buffer.from(bytes).toString('latin1');
        if (!heard.endsWith('\r')) return;
        isConnected = heard.includes('ATD');
        near.give(Buffer.from(isConnected ? '\r\nCONNECT 33600/V42\r\n' : '\r\nOK\r\n'));
        heard = '';
      }
    };
    cable.type(0, 'dial ppp0');
    cable.seconds(60, () => near.said.includes('ppp0: up'));
    t.regex(cable.type(0, 'show queue'), /^ppp0 by a line of 33600 b\/s, fair by host, MSS at most 536$/m);
    near.board.type('debug crash control throw\r');
    cable.seconds(20, () => near.said.includes('goes on, as control was started again'));
    t.regex(cable.type(0, 'show queue'), /^ppp0 by a line of 33600 b\/s/m, 'queues are the plane’s');
    cable.type(0, 'hangup ppp0');
    cable.seconds(20, () => near.said.includes('ppp0: ends'));
    t.regex(cable.type(0, 'show queue'), /No link has a rate/);
    cable.type(0, 'set ppp0 rate 28800');
    isConnected = false;
    cable.type(0, 'dial ppp0');
    cable.seconds(60, () => near.said.includes('ppp0: up'));
    t.regex(cable.type(0, 'show queue'), /^ppp0 by a line of 28800 b\/s/m);
    t.regex(
      cable.type(1, 'show queue'),
      /^ppp0 by a line of 92160 b\/s, fair by host$/m,
      'a cable’s is its speed',
    );
  },
);
