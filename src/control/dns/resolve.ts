// `resolve`: asks what a LAN host would ask, in the same way, and shows the answer and where it is from. An address
// is looked up backwards. What is cut by UDP is asked again by TCP. ^C ends it; the answer is for the cache then.
// Not here: records as text (records.ts), what becomes of a query (forwarder.ts).

import { INTERFACE_LAN, TICKS_PER_SECOND } from '../../base/limits.ts';
import { formatAddress } from '../core/address.ts';
import { since } from '../core/clock.ts';
import { type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { ROUTER_ITSELF } from '../core/net/client.ts';
import { type Dns, queryFor } from './dns.ts';
import type { Forwarder } from './forwarder.ts';
import {
  FLAG_TC,
  FORMERR,
  NOERROR,
  NOTIMP,
  NXDOMAIN,
  REFUSED,
  read16,
  SERVFAIL,
  TYPE_A,
  TYPE_PTR,
} from './message.ts';
import { recordRows, reverseOf, typeName, typeNumber, wireOf } from './records.ts';

/** How often it looks for the answer. */
const LOOK_TICKS = 5;
/** Columns that are written of a terminal's 80. */
const COLUMNS = 79;
const MS_PER_TICK = 1000 / TICKS_PER_SECOND;
/** Any but 0, which makes it a query by UDP. */
const TCP_PORT = 1;
const CODES: Readonly<Record<number, string>> = {
  [FORMERR]: 'the query could not be read (FORMERR)',
  [SERVFAIL]: 'the server has failed (SERVFAIL)',
  [NXDOMAIN]: 'there is no such name (NXDOMAIN)',
  [NOTIMP]: 'the server cannot do that (NOTIMP)',
  [REFUSED]: 'the server refuses to answer (REFUSED)',
};

interface Told {
  message: Uint8Array;
  /** "from 9.9.9.9 in 20 ms". */
  whence: string;
  /** It was refused for a private address. */
  isPrivate: boolean;
  /** No server has answered. */
  isNobodys: boolean;
}

export function resolve(context: Context, dns: Dns, text: string, typeText: string | undefined): Job {
  const reverse = reverseOf(text);
  const name = reverse ?? text;
  const wire = wireOf(name);
  if (typeof wire === 'string') throw new Refusal(`Cannot resolve ${text}: ${wire}`);
  const standard = reverse === undefined ? TYPE_A : TYPE_PTR;
  const type = typeText === undefined ? standard : typeNumber(typeText);
  if (type === undefined)
    throw new Refusal(
      `Cannot resolve ${text} ${typeText}: it is no type of records, as A, AAAA, MX or TYPE65 are`,
    );
  const forwarder = dns.forwarder();
  if (forwarder === undefined) throw new Refusal(`Cannot resolve ${text}: DNS does not run`);
  return run(context, forwarder, wire, name, type);
}

function* run(context: Context, forwarder: Forwarder, wire: Uint8Array, name: string, type: number): Job {
  const { output } = context;
  let told = yield* ask(context, forwarder, queryFor(wire, type, context.random()), false);
  if ((read16(told.message, 2) & FLAG_TC) !== 0)
    told = yield* ask(context, forwarder, queryFor(wire, type, context.random()), true);
  const { message, whence } = told;
  const rows = recordRows(message);
  let row = rows.next();
  for (; row.done !== true; row = rows.next()) {
    for (const part of wrapped(row.value)) output.line(part);
    yield 0;
  }
  output.line(`${verdict(told, row.value, `${name} ${typeName(type)}`)}, ${whence}`);
}

function verdict({ message, isPrivate, isNobodys }: Told, count: number, what: string): string {
  const code = read16(message, 2) & 15;
  if (isPrivate) return `${what}: it has a private address, which is refused, see set dns allow`;
  if (isNobodys) return `${what}: no server has answered`;
  if (code !== NOERROR) return `${what}: ${CODES[code] ?? `error ${code}`}`;
  if (count < 0) return `${what}: the answer is malformed`;
  if ((read16(message, 2) & FLAG_TC) !== 0) return `${what}: the answer is cut`;
  if (count === 0) return `${what}: the name has no such record`;
  return `${what}: ${count} record${count === 1 ? '' : 's'}`;
}

/** Asks as a host would, and waits for the answer, which comes in any case. */
function* ask(
  { clock }: Context,
  forwarder: Forwarder,
  query: Uint8Array,
  byTcp: boolean,
): Generator<number, Told, void> {
  const { counts } = forwarder;
  const { local, cached, rebound, failed } = counts;
  const sentAt = clock.now();
  let told: Told | undefined;
  let isHere = true;
  const reply = (message: Uint8Array): void => {
    const isNobodys = !isHere && forwarder.answerer === 0;
    const ms = since(clock.now(), sentAt) * MS_PER_TICK;
    const time = ms === 0 ? `less than ${MS_PER_TICK} ms` : `${ms} ms`;
    let whence = isNobodys ? `after ${time}` : `from ${formatAddress(forwarder.answerer)} in ${time}`;
    if (isHere) {
      if (counts.local > local) whence = 'answered here';
      else if (counts.cached > cached) whence = 'from the cache';
      else whence = counts.failed > failed ? 'as there is no way to a server' : 'answered here';
    }
    told = {
      ...{ message: message.slice(), whence, isPrivate: counts.rebound > rebound },
      isNobodys: isNobodys || (isHere && counts.failed > failed),
    };
  };
  forwarder.ask(query, {
    ...{ address: 0, port: byTcp ? TCP_PORT : 0, index: INTERFACE_LAN },
    ...{ client: ROUTER_ITSELF, reply },
  });
  isHere = false;
  while (told === undefined) yield LOOK_TICKS;
  return told;
}

/** A row in pieces of a terminal's width, cut between words where there are any; those behind the first are moved in. */
function wrapped(row: string): string[] {
  const parts: string[] = [];
  let rest = row;
  while (rest.length > COLUMNS) {
    const space = rest.lastIndexOf(' ', COLUMNS);
    const at = space > COLUMNS / 2 ? space : COLUMNS;
    parts.push(rest.slice(0, at));
    rest = `    ${rest.slice(at).trimStart()}`;
  }
  return [...parts, rest];
}
