// A whole sim board with a modem on COM2, a provider behind it who speaks PPP, and hosts on its LAN: all played by the test, in virtual time. The modem
// knows `AT` commands, DTR and the carrier; the provider gives each call the next address, and answers names, pings and TCP at once.
// Not here: a caller without a board (caller-lab.ts), boards on a cable (sim-lab.ts).

import dns from 'dns-packet';
import { createSimBoard, type SimBoard } from '../../../board/sim/board.ts';
import type { SimPort } from '../../../board/sim/serial.ts';
import { DCD } from '../../../hal/serial/ns16550-model.ts';
import {
  ACK,
  ARP_REQUEST,
  address,
  arpAnswer,
  arpFrame,
  arpIn,
  BROADCAST,
  datagramIn,
  echo,
  frame,
  ICMP,
  isArp,
  type Read,
  read,
  SYN,
  stationOf,
  TCP,
  tcp,
  UDP,
  udp,
} from '../../../test/packets.ts';
import { seeded } from '../../../tools/harness/random.ts';
import { pppFrame, pppFrames } from '../../plane/link/port-lab.ts';
import { ICMP_ECHO_REQUEST } from '../../wire/icmp.ts';
import { PPP_IP } from '../../wire/ppp.ts';
import { End, PppTime, wants } from './ppp-lab.ts';

export const ROUTER = '192.168.0.1';
export const PROVIDER_DNS = '198.51.100.53';
export const WEB = '203.0.113.80';
const PROVIDER = '198.51.100.1';
const PROMPT = 'masqbox> ';
const COM2 = 1;

export class ModemLab {
  /** What the modem says to `ATDT`, and after how many seconds. */
  answer: (number: string) => string = () => 'CONNECT 33600';
  answerSeconds = 20;
  readonly dialled: string[] = [];
  /** The tick of the last CONNECT, and what its call has as its address. */
  connectedAt = 0;
  own = '';
  calls = 0;
  /** Addresses of calls, one after the other. */
  addresses = (call: number): string => `198.51.100.${100 + call}`;
  /** Ticks for which the carrier was there. */
  online = 0;
  /** Datagrams that came to the provider, and to the hosts. */
  readonly outside: Read[] = [];
  readonly inside: (Read & { tick: number })[] = [];
  /** Whether the world answers. */
  isSilent = false;
  now = 0;
  text = '';
  private readonly port: SimPort;
  private readonly time = new PppTime();
  private end: End | undefined;
  private isOnline = false;
  private typed = '';
  private bytes: number[] = [];
  private readonly later: { tick: number; run: () => void }[] = [];
  private routerMac = BROADCAST;

  private constructor(readonly board: SimBoard) {
    this.port = board.port(COM2);
    this.port.uart.setModem(DCD, false);
    this.port.wire = { onBytes: bytes => this.heard(bytes) };
  }

  static async create(...lines: string[]): Promise<ModemLab> {
    let lab: ModemLab | undefined;
    let early = '';
    const board = await createSimBoard({
      serial: [COM2],
      onFrame: (card, bytes) => {
        if (card === 0) lab?.leaves(bytes);
      },
      onOutput: text => {
        if (lab === undefined) early += text;
        else lab.text += text;
      },
    });
    lab = new ModemLab(board);
    lab.text = early;
    lab.seconds(10, () => lab.text.endsWith(PROMPT));
    for (const line of lines) lab.type(line);
    return lab;
  }

  /** Lets time pass. */
  seconds(seconds: number, until: () => boolean = () => false): this {
    for (let tick = 0; tick < 100 * seconds && !until(); tick++) {
      this.board.run();
      this.board.advance(1);
      this.now++;
      if (this.isOnline) this.online++;
      this.time.seconds(0.01);
      if (this.isOnline && !this.port.uart.dtr) this.cut();
      for (const due of this.later.filter(({ tick }) => tick <= this.now)) {
        this.later.splice(this.later.indexOf(due), 1);
        due.run();
      }
    }
    return this;
  }

  /** Types a line; what is said to it. */
  type(line: string): string {
    this.text = '';
    this.board.type(`${line}\r`);
    this.seconds(20, () => this.text.endsWith(PROMPT));
    return this.text
      .slice(this.text.indexOf('\n') + 1, -PROMPT.length)
      .replaceAll('\r', '')
      .trimEnd();
  }

  // --- the modem --------------------------------------------------------------------------------------------------

  private heard(bytes: Uint8Array): void {
    if (this.isOnline) {
      this.frames(bytes);
      return;
    }
    for (const byte of bytes) {
      if (byte !== 13) {
        this.typed += String.fromCharCode(byte);
        continue;
      }
      // What is no command may stand before one.
      const command = this.typed.slice(Math.max(0, this.typed.indexOf('AT')));
      this.typed = '';
      if (command.startsWith('ATDT')) this.dials(command.slice(4));
      else if (command.startsWith('AT')) this.after(5, () => this.says('OK'));
    }
  }

  private says(word: string): void {
    this.port.write(Array.from(`\r\n${word}\r\n`, character => character.charCodeAt(0)));
  }

  private dials(number: string): void {
    this.dialled.push(number);
    const answer = this.answer(number);
    this.after(100 * this.answerSeconds, () => {
      if (!this.port.uart.dtr || answer === '') return;
      this.says(answer);
      if (answer.startsWith('CONNECT')) this.connects();
    });
  }

  private connects(): void {
    this.isOnline = true;
    this.calls++;
    this.connectedAt = this.now;
    this.own = this.addresses(this.calls);
    this.bytes = [];
    this.port.uart.setModem(DCD, true);
    const wanted = wants({
      ipcp: {
        local: address(PROVIDER),
        remote: address(this.own),
        takesRemote: false,
        asksDns: false,
        givesDns: [address(PROVIDER_DNS)],
        hasVj: false,
      },
    });
    const end = new End(this.time.clock, seeded(this.calls), wanted);
    end.send_ = (protocol, data) => this.port.write(pppFrame(protocol, data));
    this.end = end;
    end.session.open();
  }

  /** The line is cut: the carrier goes. */
  cut(): void {
    this.isOnline = false;
    this.end?.session.lost('');
    this.end = undefined;
    this.port.uart.setModem(DCD, false);
  }

  private after(ticks: number, run: () => void): void {
    this.later.push({ tick: this.now + ticks, run });
  }

  // --- the provider and the world -----------------------------------------------------------------------------------

  private frames(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte !== 0x7e) {
        this.bytes.push(byte);
        continue;
      }
      const whole = this.bytes.length === 0 ? [] : pppFrames([0x7e, ...this.bytes, 0x7e]);
      this.bytes = [];
      for (const { protocol, bytes: data } of whole) {
        if (protocol === PPP_IP) this.world(Uint8Array.from(data));
        else this.end?.hear(protocol, Uint8Array.from(data));
      }
    }
  }

  private world(datagram: Uint8Array): void {
    const asked = read(datagram);
    this.outside.push(asked);
    const { source, destination, sourcePort, destinationPort } = asked;
    const back = { source: destination, destination: source };
    if (this.isSilent) return;
    if (asked.protocol === TCP && asked.tcpFlags === SYN) {
      const ports = { sourcePort: destinationPort, destinationPort: sourcePort };
      this.gives(tcp(back, { ...ports, flags: SYN | ACK, acknowledgment: asked.sequence + 1 }));
    } else if (asked.protocol === UDP && destinationPort === 53) {
      const { id, questions = [] } = dns.decode(Buffer.from(asked.data));
      const name = questions[0]?.name ?? '';
      const answers = [{ type: 'A', name, ttl: 60, data: WEB }] as dns.Answer[];
      const head = { type: 'response' as const, flags: 0x0180, questions, answers };
      this.gives(
        udp(
          back,
          53,
          sourcePort,
          Uint8Array.from(dns.encode({ ...head, ...(id === undefined ? {} : { id }) })),
        ),
      );
    } else if (asked.protocol === ICMP && asked.type === ICMP_ECHO_REQUEST) {
      this.gives(echo(back, 0, asked.identifier, asked.rest & 0xffff));
    }
  }

  /** A datagram comes from outside. */
  gives(datagram: Uint8Array): void {
    if (this.isOnline) this.port.write(pppFrame(PPP_IP, datagram));
  }

  // --- the LAN --------------------------------------------------------------------------------------------------------

  private leaves(bytes: Uint8Array): void {
    if (isArp(bytes)) {
      const { target, isRequest } = arpIn(bytes);
      if (isRequest && target !== ROUTER) this.board.receive(0, arpAnswer(bytes, macOf(target)));
      else this.routerMac = stationOf(bytes);
      return;
    }
    this.inside.push({ ...read(datagramIn(bytes)), tick: this.now });
  }

  /** A host sends a datagram. */
  host(datagram: Uint8Array): void {
    const source = read(datagram).source;
    if (this.routerMac === BROADCAST) {
      const asks = {
        operation: ARP_REQUEST,
        senderMac: macOf(source),
        senderAddress: source,
        targetAddress: ROUTER,
      };
      this.board.receive(0, arpFrame(BROADCAST, asks));
      this.seconds(1, () => this.routerMac !== BROADCAST);
    }
    this.board.receive(0, frame(this.routerMac, macOf(source), datagram));
  }
}

/** The station of a host. */
function macOf(host: string): string {
  return `02:00:00:00:09:${Number(host.split('.')[3]).toString(16).padStart(2, '0')}`;
}
