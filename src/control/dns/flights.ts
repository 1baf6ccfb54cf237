// The queries under way, and in whose share each is. Not here: one of them (flight.ts), who waits for it (waiters.ts).

import { DNS_CLIENT_FLIGHTS, DNS_FAIR, DNS_FAIR_SILENT, DNS_FLIGHTS } from '../core/limits.ts';
import { Shares } from '../core/net/shares.ts';
import type { Flight } from './flight.ts';
import type { Query } from './message.ts';
import type { Waiters } from './waiters.ts';

export class Flights {
  /** Those under way, oldest first. */
  active: Flight[] = [];
  private readonly idle: Flight[] = [];
  private readonly made: Flight[] = [];
  private readonly shares = new Shares();

  constructor(
    private readonly waiters: Waiters,
    private readonly make: (number: number) => Flight,
  ) {}

  at(number: number): Flight {
    return this.made[number] as Flight;
  }

  find(data: Uint8Array, query: Query, byTcp: boolean): Flight | undefined {
    for (const flight of this.active) {
      if (flight.hash === query.hash && flight.byTcp === byTcp && flight.isFor(data, query)) return flight;
    }
    return undefined;
  }

  get isFull(): boolean {
    return this.active.length === DNS_FLIGHTS;
  }

  /** Whether there is one for the client without another's having to go. */
  hasRoom(client: number): boolean {
    return this.active.length < DNS_FLIGHTS && this.shares.of(client) < DNS_CLIENT_FLIGHTS;
  }

  /** Whether the client has as much as anybody may have, so that only one of its own could go for another. */
  isAtShare(client: number): boolean {
    if (this.shares.of(client) >= DNS_CLIENT_FLIGHTS) return true;
    return this.active.length === DNS_FLIGHTS && this.shares.greediest(client)(client);
  }

  /** One that is free for the client, which has room. */
  take(client: number): Flight {
    let flight = this.idle.pop();
    if (flight === undefined) {
      flight = this.make(this.made.length);
      this.made.push(flight);
    }
    this.shares.count(client, 1);
    this.active.push(flight);
    return flight;
  }

  /**
   * The one that goes for a new one of a client without room: the oldest of the client's own, if it is at its share, else
   * the oldest of those who have most, if that is more than DNS_FAIR, or one whose server is silent, of who has more than
   * DNS_FAIR_SILENT and the client fewer. What others wait for as well is left to one of them, who has fewer. If there is
   * none, the client has room, or must wait.
   */
  victimFor(client: number): Flight | undefined {
    while (!this.hasRoom(client)) {
      const isGreediest =
        this.shares.of(client) >= DNS_CLIENT_FLIGHTS
          ? (of: number): boolean => of === client
          : this.shares.greediest(client);
      let victim = this.active.find(flight => isGreediest(flight.client));
      if (victim === undefined || this.shares.ofSource(victim.client) <= DNS_FAIR)
        victim = this.active.find(flight => flight.tries > 1 && this.mayLose(flight, client));
      if (victim === undefined) return undefined;
      const other = this.waiters.other(victim, victim.client);
      if (other === undefined || !this.shares.isFewer(other, victim.client)) return victim;
      this.shares.count(victim.client, -1);
      this.shares.count(other, 1);
      victim.client = other;
      // Its place stays taken: only a share may have become free.
    }
    return undefined;
  }

  private mayLose({ client }: Flight, other: number): boolean {
    return this.shares.ofSource(client) > DNS_FAIR_SILENT && this.shares.isFewer(other, client);
  }

  release(flight: Flight): void {
    const at = this.active.indexOf(flight);
    if (at < 0) return;
    this.active.splice(at, 1);
    this.idle.push(flight);
    flight.isActive = false;
    this.shares.count(flight.client, -1);
  }
}
