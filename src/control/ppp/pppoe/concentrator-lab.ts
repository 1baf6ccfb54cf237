// A board whose WAN leads to access concentrators of PPPoE that the test plays, each as odd as it likes; what is in a session is PPP's own code
// as a provider has it. Time is virtual. Not here: real concentrators.

import { createSimBoard, type SimBoard, type SimOptions } from '../../../../board/sim/board.ts';
import { BROADCAST, concat, echo, ICMP, mac, macText, put16, read } from '../../../../test/packets.ts';
import { type Random, seeded } from '../../../../tools/harness/random.ts';
import { get16 } from '../../../wire/bytes.ts';
import { ETHERNET_HEADER_BYTES, ETHERNET_TYPE, ETHERTYPE_TAG, TAG_BYTES } from '../../../wire/ethernet.ts';
import { ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST } from '../../../wire/icmp.ts';
import { PPP_IP } from '../../../wire/ppp.ts';
import {
  ETHERTYPE_DISCOVERY,
  ETHERTYPE_SESSION,
  PPPOE_DATA,
  PPPOE_PADI,
  PPPOE_PADO,
  PPPOE_PADR,
  PPPOE_PADS,
  PPPOE_PADT,
  TAG_CONCENTRATOR,
  TAG_COOKIE,
  TAG_HOST_UNIQ,
  TAG_SERVICE,
} from '../../../wire/pppoe.ts';
import { readTags, writeTags } from '../discovery.ts';
import { bytesOf } from '../packet.ts';
import { End, PppTime, PROVIDER, type WantsChange, wants } from '../ppp-lab.ts';

const PROMPT = 'masqbox> ';
const NONE = new Uint8Array(0);
const WAN = 1;

export interface Discovered {
  to: string;
  from: string;
  code: number;
  session: number;
  tags: Map<number, Uint8Array>;
}

/** Answers of one concentrator; what a test replaces is odd. */
export class Concentrator {
  readonly heard: Discovered[] = [];
  /** The provider's end of each session, by its number. */
  readonly ends = new Map<number, End>();
  /** Number of the next session. */
  next = 1;
  /** Further tags of its offers, and of its answers to requests. */
  offers: [number, Uint8Array][] = [];
  confirms: [number, Uint8Array][] = [];
  isMute = false;
  isDeaf: (packet: Discovered) => boolean = () => false;
  /** Right after a session was given. */
  given: (session: number, station: string) => void = () => {};

  constructor(
    private readonly dsl: DslBoard,
    readonly mac: string,
    readonly name: string,
    private readonly change: WantsChange = PROVIDER,
  ) {}

  discovery(
    to: string,
    code: number,
    session: number,
    tags: readonly (readonly [number, Uint8Array])[],
  ): void {
    this.raw(to, ETHERTYPE_DISCOVERY, code, session, writeTags(tags));
  }

  raw(to: string, type: number, code: number, session: number, payload: Uint8Array, from = this.mac): void {
    const head = new Uint8Array(8);
    put16(head, 0, type);
    head[2] = 0x11;
    head[3] = code;
    put16(head, 4, session);
    put16(head, 6, payload.length);
    const bytes = concat(mac(to), mac(from), head, payload);
    this.dsl.put(concat(bytes, new Uint8Array(Math.max(0, 60 - bytes.length))));
  }

  hear(packet: Discovered): void {
    this.heard.push(packet);
    if (this.isMute || this.isDeaf(packet)) return;
    const { code, from, tags } = packet;
    const uniq: [number, Uint8Array] = [TAG_HOST_UNIQ, tags.get(TAG_HOST_UNIQ) ?? NONE];
    const service: [number, Uint8Array] = [TAG_SERVICE, tags.get(TAG_SERVICE) ?? NONE];
    if (code === PPPOE_PADI)
      this.discovery(from, PPPOE_PADO, 0, [
        [TAG_CONCENTRATOR, bytesOf(this.name)],
        service,
        uniq,
        [TAG_COOKIE, Uint8Array.of(1, 2, 3)],
        ...this.offers,
      ]);
    if (code === PPPOE_PADR && tags.has(TAG_COOKIE)) {
      const session = this.next++;
      this.open(session, from);
      this.discovery(from, PPPOE_PADS, session, [service, uniq, ...this.confirms]);
      this.given(session, from);
    }
    if (code === PPPOE_PADT) this.ends.delete(packet.session);
  }

  private open(session: number, station: string): void {
    const end = new End(this.dsl.time.clock, seeded(session), wants(this.change));
    end.send_ = (protocol, data) =>
      this.raw(
        station,
        ETHERTYPE_SESSION,
        PPPOE_DATA,
        session,
        concat([protocol >> 8, protocol & 255], data),
      );
    this.ends.set(session, end);
    this.dsl.time.after(2, () => end.session.open());
  }

  /** A session's frame; echo requests to whoever it is are answered. */
  data(session: number, station: string, protocol: number, bytes: Uint8Array): void {
    const end = this.ends.get(session);
    if (end === undefined || this.isMute) return;
    if (protocol !== PPP_IP) end.hear(protocol, bytes);
    else {
      end.frames++;
      const answer = this.dsl.answer(bytes);
      if (answer !== undefined)
        this.raw(station, ETHERTYPE_SESSION, PPPOE_DATA, session, concat([0, PPP_IP], answer));
    }
  }

  /** PADT for a session. */
  terminate(session: number, tags: readonly (readonly [number, Uint8Array])[] = []): void {
    this.discovery(DslBoard.WAN_MAC, PPPOE_PADT, session, tags);
  }

  codes(): string[] {
    const names: Record<number, string> = {
      [PPPOE_PADI]: 'PADI',
      [PPPOE_PADR]: 'PADR',
      [PPPOE_PADT]: 'PADT',
    };
    return this.heard.map(
      ({ code, session }) => `${names[code] ?? code}${session === 0 ? '' : ` ${session}`}`,
    );
  }
}

export class DslBoard {
  static readonly WAN_MAC = '02:4d:42:00:00:02';
  readonly time = new PppTime();
  readonly concentrators: Concentrator[] = [];
  /** Frames to hosts of the LAN. */
  readonly lan: Uint8Array[] = [];
  said = '';
  /** In which the concentrators are; 0: in none. */
  vlan = 0;
  /** Frames of a tick come in any order. */
  mix: Random | undefined;
  private coming: Uint8Array[] = [];
  /** What comes back for a datagram that has left by a session. */
  answer: (datagram: Uint8Array) => Uint8Array | undefined = echoed;

  private constructor(readonly board: SimBoard) {}

  static async start(options: Partial<SimOptions> = {}): Promise<DslBoard> {
    let made: DslBoard | undefined;
    let early = '';
    const board = await createSimBoard({
      onFrame: (card, frame) => {
        if (card === WAN) made?.leave(frame);
        else made?.lan.push(frame);
      },
      onOutput: text => {
        if (made === undefined) early += text;
        else made.said += text;
      },
      ...options,
    });
    made = new DslBoard(board);
    made.said = early;
    made.seconds(20, () => made.said.endsWith(PROMPT));
    return made;
  }

  concentrator(name: string, change?: WantsChange): Concentrator {
    const station = `02:00:00:00:0a:${(this.concentrators.length + 10).toString(16).padStart(2, '0')}`;
    const made = new Concentrator(this, station, name, change);
    this.concentrators.push(made);
    return made;
  }

  /** A frame comes by the WAN, in the next tick. */
  put(frame: Uint8Array): void {
    const tag = [ETHERTYPE_TAG >> 8, 0, this.vlan >> 8, this.vlan & 255];
    this.coming.push(
      this.vlan === 0 ? frame : concat(frame.slice(0, ETHERNET_TYPE), tag, frame.slice(ETHERNET_TYPE)),
    );
  }

  private leave(frame: Uint8Array): void {
    const tag = get16(frame, ETHERNET_TYPE) === ETHERTYPE_TAG ? TAG_BYTES : 0;
    const type = get16(frame, ETHERNET_TYPE + tag);
    if (type !== ETHERTYPE_DISCOVERY && type !== ETHERTYPE_SESSION) return;
    if ((tag === 0 ? 0 : get16(frame, ETHERNET_HEADER_BYTES)) !== this.vlan) return;
    const at = ETHERNET_HEADER_BYTES + tag;
    const [to, from] = [macText(frame), macText(frame, 6)];
    const [code, session, bytes] = [frame[at + 1]!, get16(frame, at + 2), get16(frame, at + 4)];
    const payload = frame.slice(at + 6, at + 6 + bytes);
    for (const concentrator of this.concentrators) {
      if (to !== BROADCAST && to !== concentrator.mac) continue;
      if (type === ETHERTYPE_SESSION) concentrator.data(session, from, get16(payload, 0), payload.slice(2));
      else concentrator.hear({ to, from, code, session, tags: readTags(payload)! });
    }
  }

  seconds(seconds: number, until: () => boolean = () => false): this {
    for (let tick = 0; tick < 100 * seconds && !until(); tick++) {
      this.board.advance(1);
      this.time.seconds(0.01);
      const frames = this.coming;
      this.coming = [];
      const { mix } = this;
      if (mix !== undefined) frames.sort(() => mix.fraction() - 0.5);
      for (const frame of frames) this.board.receive(WAN, frame);
      this.board.run();
    }
    return this;
  }

  /** Types a line, and answers what is said to it. */
  type(line: string): string {
    this.said = '';
    this.board.type(`${line}\r`);
    this.seconds(20, () => this.said.endsWith(PROMPT));
    return this.said
      .slice(this.said.indexOf('\n') + 1, -PROMPT.length)
      .replaceAll('\r', '')
      .trimEnd();
  }

  /** The three lines, and more before them. */
  set(...options: string[]): void {
    for (const option of [...options, 'user user', 'password secret', 'port wan']) {
      const said = this.type(`set ppp0 ${option}`);
      if (said.includes('Cannot')) throw new Error(said);
    }
  }

  until(text: string | RegExp, seconds = 60): boolean {
    const has = () => (typeof text === 'string' ? this.said.includes(text) : text.test(this.said));
    this.seconds(seconds, has);
    return has();
  }
}

/** The answer to an echo request. */
function echoed(datagram: Uint8Array): Uint8Array | undefined {
  const { protocol, type, source, destination, identifier, rest, data } = read(datagram);
  if (protocol !== ICMP || type !== ICMP_ECHO_REQUEST) return undefined;
  return echo({ source: destination, destination: source }, ICMP_ECHO_REPLY, identifier, rest & 0xffff, data);
}
