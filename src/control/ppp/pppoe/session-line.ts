// The plane's side of a link by PPPoE: its line, the session in it, and what goes out, frames of PPP's own and discovery packets.
// Not here: who decides on it (pppoe-link.ts), what the plane makes of it (src/plane/link/pppoe.ts).

import { LINE_COUNT, SERIAL_COUNT } from '../../../base/limits.ts';
import {
  LINE_BELOW,
  LINE_KIND,
  LINE_LINK,
  LINE_PPPOE,
  LINE_SESSION,
  LINE_STATION,
  lineAt,
} from '../../../base/line-record.ts';
import { i32at } from '../../../base/memory.ts';
import { PACKET_IP, PACKET_TO_STATION } from '../../../base/packet.ts';
import { put16 } from '../../../wire/bytes.ts';
import {
  PPPOE_CODE,
  PPPOE_HEADER_BYTES,
  PPPOE_LENGTH,
  PPPOE_PADT,
  PPPOE_SESSION,
  PPPOE_VERSION_1,
} from '../../../wire/pppoe.ts';
import type { Machine } from '../../core/machine.ts';
import type { SessionPlace } from '../discovery.ts';
import { sameBytes } from '../packet.ts';

export const STATION_BYTES = 6;
const BROADCAST = Uint8Array.of(255, 255, 255, 255, 255, 255);

export class SessionLine {
  /** Where its record lies. */
  readonly at: number;

  constructor(
    private readonly machine: Machine,
    private readonly link: number,
    /** SERIAL_COUNT or behind it. */
    readonly number: number,
  ) {
    this.at = lineAt(number);
  }

  /** Whether it is the link's, on the link below. */
  isBound(below: number): boolean {
    const { at } = this;
    const isOurs = i32at(at + LINE_KIND) === LINE_PPPOE && i32at(at + LINE_LINK) === this.link;
    return isOurs && i32at(at + LINE_BELOW) === below;
  }

  bind(below: number): boolean {
    return this.machine.plane.pppoeBind(this.link, this.number, below) === 1;
  }

  /** The session that it has. */
  get place(): SessionPlace | undefined {
    return this.placeOf(this.number);
  }

  private placeOf(number: number): SessionPlace | undefined {
    const line = lineAt(number);
    const session = i32at(line + LINE_KIND) === LINE_PPPOE ? i32at(line + LINE_SESSION) : 0;
    if (session === 0) return undefined;
    const from = line + LINE_STATION;
    return { session, station: this.machine.memory.slice(from, from + STATION_BYTES) };
  }

  /** It has another session; false where no packet buffer is free, by which the plane is told. */
  begin({ station, session }: SessionPlace): boolean {
    const { plane, memory } = this.machine;
    const packet = plane.allocateForControl();
    if (packet === 0) return false;
    memory.set(station, packet + PACKET_IP);
    plane.pppoeSession(this.number, session, packet + PACKET_IP);
    plane.release(packet);
    return true;
  }

  end(): void {
    this.machine.plane.pppoeSession(this.number, 0, 0);
  }

  /** A frame of PPP's own. */
  send(protocol: number, bytes: Uint8Array): void {
    const { plane, memory } = this.machine;
    const packet = plane.allocateForControl();
    if (packet === 0) return;
    memory.set(bytes, packet + PACKET_IP);
    plane.lineSendFrame(this.number, protocol, packet, bytes.length);
  }

  /** A discovery packet to a station, or to all. */
  discover(station: Uint8Array | undefined, code: number, session: number, tags: Uint8Array): void {
    if (code === PPPOE_PADT && station !== undefined && this.isAnothers({ station, session })) return;
    const { plane, memory } = this.machine;
    const packet = plane.allocateForControl();
    if (packet === 0) return;
    const at = packet + PACKET_IP;
    memory[at] = PPPOE_VERSION_1;
    memory[at + PPPOE_CODE] = code;
    put16(memory, at + PPPOE_SESSION, session);
    put16(memory, at + PPPOE_LENGTH, tags.length);
    memory.set(tags, at + PPPOE_HEADER_BYTES);
    memory.set(station ?? BROADCAST, packet + PACKET_TO_STATION);
    plane.pppoeDiscover(this.number, packet, PPPOE_HEADER_BYTES + tags.length);
  }

  /** Whether the other link has this session now: concentrators use numbers again. */
  private isAnothers({ station, session }: SessionPlace): boolean {
    for (let number = SERIAL_COUNT; number < LINE_COUNT; number++) {
      const place = number === this.number ? undefined : this.placeOf(number);
      if (place?.session === session && sameBytes(place.station, station)) return true;
    }
    return false;
  }
}
