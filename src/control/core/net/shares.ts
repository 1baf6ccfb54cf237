// How many of a service's places each client has, and each source (client.ts): when all are taken, one goes of the client
// that has most, of the source that has most, unless nobody has more than the new one. So stations made up for one place each
// end each other's.
// Not here: the places themselves; which of a client's goes.

import { sourceOf } from './client.ts';

export class Shares {
  private readonly clients = new Map<number, number>();
  private readonly sources = new Map<number, number>();

  of(client: number): number {
    return this.clients.get(client) ?? 0;
  }

  /** How many the client's source has, it among them. */
  ofSource(client: number): number {
    return this.sources.get(sourceOf(client)) ?? 0;
  }

  count(client: number, more: number): void {
    add(this.clients, client, more);
    add(this.sources, sourceOf(client), more);
  }

  /** Whether one more would leave a client, or its source if that is another one, with fewer than another has. */
  isFewer(client: number, than: number): boolean {
    const [source, other] = [sourceOf(client), sourceOf(than)];
    if (source === other) return this.of(client) + 1 < this.of(than);
    return (this.sources.get(source) ?? 0) + 1 < (this.sources.get(other) ?? 0);
  }

  /** Tells of each client whether a place of its goes for a new one of this client, when all are taken. */
  greediest(client: number): (of: number) => boolean {
    const own = sourceOf(client);
    const most = highest(this.sources);
    const isOwnSource = (this.sources.get(own) ?? 0) === most;
    const isOfMost = (source: number): boolean =>
      isOwnSource ? source === own : this.sources.get(source) === most;
    let holds = 0;
    for (const [other, has] of this.clients) if (has > holds && isOfMost(sourceOf(other))) holds = has;
    if (isOwnSource && this.of(client) === holds) return of => of === client;
    return of => this.clients.get(of) === holds && isOfMost(sourceOf(of));
  }
}

function highest(counts: Map<number, number>): number {
  let most = 0;
  for (const count of counts.values()) if (count > most) most = count;
  return most;
}

/** Counts so many more, or fewer; what is 0 is not kept. */
export function add(counts: Map<number, number>, key: number, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
