// A LAN for tests of the DHCP server: the sim board in virtual time, and stations that speak to it in frames.
// Not here: real clients (test/dhcp-server.test.ts).

import { createSimBoard } from '../../../board/sim/board.ts';
import * as packets from '../../../test/packets.ts';
import { addressOption, answerBytes, parseMessage } from '../../../test/wan-lab.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { MORE, plainOutput } from '../core/console/screen.ts';
import { BOOTREQUEST, CLIENT_PORT, Reader, SERVER_PORT, Writer } from './message.ts';
import * as option from './options.ts';

const LAN = 0;
const WAN = 1;
const PROMPT = 'masqbox> ';
/** The sim's LAN card. */
const ROUTER = '192.168.0.1';

/** A message from the router, taken apart, and how it was addressed. */
export interface Heard {
  message: Reader;
  type: number;
  yiaddr: string;
  /** Station and IP address, port. */
  station: string;
  destination: string;
  port: number;
  bytes: Uint8Array;
}

/** What a message says besides its type; addresses as text. */
export interface Said {
  ciaddr?: string;
  giaddr?: string;
  flags?: number;
  requested?: string;
  server?: string | undefined;
  id?: number[];
  name?: string;
  wants?: number[];
  lease?: number;
  most?: number;
  xid?: number;
  relay?: number[];
  vendor?: string;
  source?: string;
  destination?: string;
}

export async function lab() {
  let text = '';
  const heard: Heard[] = [];
  const questions: string[] = [];
  const queue: Uint8Array[] = [];
  const wanQueue: Uint8Array[] = [];
  /** Who answers ARP: address to station. */
  const strangers = new Map<string, string>();
  const board = await createSimBoard({
    onOutput: output => {
      text += output;
    },
    onFrame: (card, frame) => {
      if (card === WAN) serve(frame);
      if (card !== LAN) return;
      if (packets.isArp(frame)) answerArp(frame);
      else hear(frame);
    },
  });

  /** The WAN's DHCP server gives this address, if it is not ''. */
  let wanAddress = '';
  function serve(frame: Uint8Array): void {
    if (wanAddress === '' || !packets.isIpv4(frame)) return;
    if (packets.read(packets.datagramIn(frame)).destinationPort !== SERVER_PORT) return;
    const message = parseMessage(0, frame);
    const type = message.type === 1 ? 2 : 5;
    const server = wanAddress.replace(/\d+$/, '254');
    const options = [addressOption(3, server)];
    const data = answerBytes(message, { type, yiaddr: wanAddress, server, seconds: 3600, options });
    const ip = { source: server, destination: '255.255.255.255' };
    wanQueue.push(
      packets.frame(packets.BROADCAST, '02:00:00:00:02:01', packets.udp(ip, SERVER_PORT, CLIENT_PORT, data)),
    );
  }

  function answerArp(frame: Uint8Array): void {
    const { target } = packets.arpIn(frame);
    questions.push(target);
    const mac = strangers.get(target);
    if (mac !== undefined) queue.push(packets.arpAnswer(frame, mac));
  }

  function hear(frame: Uint8Array): void {
    const datagram = packets.datagramIn(frame);
    const { protocol, sourcePort, destinationPort, destination, data: bytes } = packets.read(datagram);
    if (protocol !== packets.UDP || sourcePort !== SERVER_PORT) return;
    const fault = packets.faults(datagram);
    if (fault !== '') throw new Error(`The router sends a bad datagram: ${fault}`);
    const message = new Reader();
    const why = message.parse(bytes);
    if (why !== undefined) throw new Error(`The router sends a bad message: ${why}`);
    heard.push({
      ...{ message, bytes, type: message.type, yiaddr: packets.addressText(message.yiaddr) },
      station: packets.macText(frame),
      destination,
      port: destinationPort,
    });
  }

  const settle = (): void => {
    board.run();
    for (let frame = wanQueue.shift(); frame !== undefined; frame = wanQueue.shift()) {
      board.receive(WAN, frame);
      board.run();
    }
    for (let frame = queue.shift(); frame !== undefined; frame = queue.shift()) {
      board.receive(LAN, frame);
      board.run();
    }
  };
  const wait = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      board.advance(1);
      settle();
    }
  };
  const raw = (mac: string, data: Uint8Array, said: Said = {}): void => {
    const ip = {
      source: said.source ?? said.ciaddr ?? '0.0.0.0',
      destination: said.destination ?? '255.255.255.255',
    };
    const port = said.giaddr === undefined ? CLIENT_PORT : SERVER_PORT;
    board.receive(LAN, packets.frame(packets.BROADCAST, mac, packets.udp(ip, port, SERVER_PORT, data)));
    settle();
  };
  /** Says something; answers what the router said within `ticks`. */
  const say = (mac: string, type: number, said: Said = {}, ticks = 30): Heard[] => {
    heard.length = 0;
    raw(mac, compose(mac, type, said), said);
    wait(ticks);
    return [...heard];
  };
  const one = (mac: string, type: number, said: Said = {}): Heard => {
    const all = say(mac, type, said);
    if (all.length !== 1)
      throw new Error(`The router says ${all.length} things: ${all.map(({ type }) => type)}`);
    return all[0] as Heard;
  };
  /** DISCOVER, OFFER, REQUEST, ACK; answers the address. */
  const join = (mac: string, said: Said = {}): string => {
    const { yiaddr } = one(mac, 1, said);
    const answer = one(mac, 3, { ...said, requested: yiaddr, server: said.server ?? ROUTER });
    if (answer.type !== 5 || answer.yiaddr !== yiaddr) throw new Error(`The router says ${answer.type}`);
    return yiaddr;
  };
  const command = (line: string): string => {
    settle();
    text = '';
    board.type(`${line}\r`);
    settle();
    if (MORE.test(text)) board.type('a');
    settle();
    wait(5);
    return plainOutput(text)
      .slice(line.length + 2)
      .replace(PROMPT, '')
      .replaceAll('\r\n', '\n')
      .trimEnd();
  };
  settle();
  return {
    ...{ board, heard, strangers, questions, raw, say, one, join, command, wait, settle },
    seconds: (count: number) => wait(count * TICKS_PER_SECOND),
    /** From now on a DHCP server on the WAN gives this address. */
    serveWan: (address: string) => {
      wanAddress = address;
    },
    /** Lets control die in its next step, and start again. */
    kill: () => {
      board.engine.evaluate('const was = Math.max; Math.max = () => { throw new Error("test") }; 0');
      board.type('\r');
      settle();
      wait(5);
    },
    /** What was printed since the last command. */
    printed: () => text,
  };
}

const writer = new Writer();

/** A client's message. */
export function compose(mac: string, type: number, said: Said): Uint8Array {
  const { address } = packets;
  writer.start(BOOTREQUEST, said.xid ?? 0x1234567, type, 1472);
  writer.chaddr = packets.mac(mac);
  writer.flags = said.flags ?? 0;
  writer.ciaddr = address(said.ciaddr ?? '0.0.0.0');
  writer.giaddr = address(said.giaddr ?? '0.0.0.0');
  if (said.requested !== undefined) writer.word(option.OPTION_REQUESTED_ADDRESS, address(said.requested));
  if (said.server !== undefined) writer.word(option.OPTION_SERVER_IDENTIFIER, address(said.server));
  if (said.lease !== undefined) writer.word(option.OPTION_LEASE_TIME, said.lease);
  if (said.most !== undefined) writer.half(option.OPTION_MAXIMUM_MESSAGE_SIZE, said.most);
  if (said.name !== undefined) writer.text(option.OPTION_HOST_NAME, said.name);
  if (said.id !== undefined) writer.bytes(option.OPTION_CLIENT_IDENTIFIER, Uint8Array.from(said.id));
  if (said.vendor !== undefined) writer.text(option.OPTION_VENDOR_CLASS, said.vendor);
  if (said.wants !== undefined)
    writer.bytes(option.OPTION_PARAMETER_REQUEST_LIST, Uint8Array.from(said.wants));
  if (said.relay !== undefined)
    writer.bytes(option.OPTION_RELAY_AGENT_INFORMATION, Uint8Array.from(said.relay));
  return writer.finish().slice();
}

/** The station address number `n`. */
export function station(n: number): string {
  const hex = (value: number): string => (value & 255).toString(16).padStart(2, '0');
  return `02:00:00:00:${hex(n >> 8)}:${hex(n)}`;
}

/** Option codes of a message in order. */
export function codes(bytes: Uint8Array): number[] {
  const list: number[] = [];
  for (let at = 240; bytes[at] !== 255; at += 2 + (bytes[at + 1] as number)) list.push(bytes[at] as number);
  return list;
}
