// Queries that wait until one of DNS_FLIGHTS is free: when an office starts its day, hosts with a name or two each ask more
// at once than may be under way. The sources (../core/net/client.ts) have their turns, so that who asks much waits longest.
// When DNS_QUEUED wait, or DNS_QUEUED_BYTES of them, the oldest goes of who has most. Not here: what they are told.

import { since } from '../core/clock.ts';
import { DNS_QUEUED, DNS_QUEUED_BYTES } from '../core/limits.ts';
import { sourceOf } from '../core/net/client.ts';
import { add, Shares } from '../core/net/shares.ts';
import type { Asker } from './flight.ts';
import { read16 } from './message.ts';

export interface Queued {
  readonly data: Uint8Array;
  readonly asker: Asker;
  /** When it came. */
  readonly at: number;
}

export class Queue {
  /** By source, in the order of their turns; those of a source as they came. */
  private readonly rows = new Map<number, Queued[]>();
  private readonly shares = new Shares();
  /** How many have a port and identifier, which few share. */
  private readonly marks = new Map<number, number>();
  private bytes = 0;
  count = 0;

  /**
   * Whether it waits already by this port and identifier, and repeats itself: in any row, as what a station counts as may
   * have changed meanwhile.
   */
  has({ address, port, reply }: Asker, id: number): boolean {
    if (!this.marks.has(markOf(port, id))) return false;
    const isSame = ({ data, asker }: Queued): boolean =>
      asker.port === port && read16(data, 0) === id && asker.address === address && asker.reply === reply;
    return [...this.rows.values()].some(row => row.some(isSame));
  }

  hasRoom(bytes: number): boolean {
    return this.count < DNS_QUEUED && this.bytes + bytes <= DNS_QUEUED_BYTES;
  }

  add(data: Uint8Array, asker: Asker, at: number): void {
    const source = sourceOf(asker.client);
    const row = this.rows.get(source) ?? [];
    this.rows.set(source, row);
    row.push({ data: data.slice(), asker: { ...asker }, at });
    this.shares.count(asker.client, 1);
    add(this.marks, markOf(asker.port, read16(data, 0)), 1);
    this.bytes += data.length;
    this.count++;
  }

  /** The next in turn, which stays. */
  next(): Queued | undefined {
    for (const row of this.rows.values()) return row[0];
    return undefined;
  }

  /** Takes the next in turn; its source's next turn is the last. */
  take(): Queued | undefined {
    const next = this.next();
    if (next === undefined) return undefined;
    const source = sourceOf(next.asker.client);
    const row = this.rows.get(source) as Queued[];
    this.rows.delete(source);
    this.rows.set(source, row);
    this.remove(next);
    return next;
  }

  /** Takes the one that goes for a new one of a client, when there is no room. */
  takeVictim(client: number): Queued | undefined {
    const isGreediest = this.shares.greediest(client);
    const victim = this.oldest(({ asker }) => isGreediest(asker.client)) ?? this.oldest(() => true);
    if (victim !== undefined) this.remove(victim);
    return victim;
  }

  /** Takes one that has waited for so long, if there is any. */
  takeLate(now: number, ticks: number): Queued | undefined {
    const late = this.oldest(({ at }) => since(now, at) >= ticks);
    if (late !== undefined) this.remove(late);
    return late;
  }

  private oldest(isMeant: (queued: Queued) => boolean): Queued | undefined {
    let oldest: Queued | undefined;
    for (const row of this.rows.values()) {
      const first = row.find(isMeant);
      if (first !== undefined && (oldest === undefined || since(first.at, oldest.at) < 0)) oldest = first;
    }
    return oldest;
  }

  private remove(queued: Queued): void {
    const { client } = queued.asker;
    const source = sourceOf(client);
    const row = this.rows.get(source) as Queued[];
    row.splice(row.indexOf(queued), 1);
    if (row.length === 0) this.rows.delete(source);
    this.shares.count(client, -1);
    add(this.marks, markOf(queued.asker.port, read16(queued.data, 0)), -1);
    this.bytes -= queued.data.length;
    this.count--;
  }
}

function markOf(port: number, id: number): number {
  return (port << 16) | id;
}
