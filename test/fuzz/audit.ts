// What must hold of the plane between two frames, whatever the frames were: every packet buffer is in one place,
// queues are as long as they say, the tables agree with themselves.
// Not here: the masquerade table's own check (src/plane/flow/flow-check.ts), which is called.

import { cardAt, NIC_CHIP, NIC_KIND, NIC_RING } from '../../hal/nic/card.ts';
import { PUNT_WAITING_AT, SOCKETS_OPEN_AT } from '../../src/base/cells.ts';
import {
  IF_QUEUE_HEAD,
  IF_QUEUE_LENGTH,
  IF_QUEUE_TAIL,
  IF_QUEUES,
  interfaceAt,
} from '../../src/base/interface.ts';
import {
  ARP_STATE_AT,
  BUFFER_BYTES,
  BUFFER_COUNT,
  BUFFERS_AT,
  FRAGMENT_CONTEXT_BYTES,
  FRAGMENT_CONTEXT_COUNT,
  FRAGMENT_HELD_LIMIT,
  FRAGMENT_HELD_SIDE,
  FRAGMENT_RANGE_COUNT,
  FRAGMENT_STATE_AT,
  FRAGMENTS_AT,
  INTERFACE_COUNT,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_COUNT,
  NEIGHBOUR_HELD_LIMIT,
  NEIGHBOURS_AT,
  NIC_COUNT,
  POOL_STATE_AT,
  PUNT_LIMIT,
  PUNT_QUEUE_BYTES,
  PUNT_QUEUES_AT,
  PUNT_STATE_AT,
  SOCKET_BYTES,
  SOCKET_COUNT,
  SOCKETS_AT,
} from '../../src/base/limits.ts';
import { i32at, u16at } from '../../src/base/memory.ts';
import {
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_FREE,
  NEIGHBOUR_RESOLVING,
  neighbourInterface,
  neighbourState,
} from '../../src/base/neighbour-record.ts';
import { FLAG_CONTROL, PACKET_FLAGS, PACKET_NEXT } from '../../src/base/packet.ts';
import { QUEUE_ACKS, QUEUE_COUNT } from '../../src/base/queue-limits.ts';
import {
  flowQueueAt,
  Q_FIRST,
  Q_PACKETS,
  QUEUE_ACK_COUNT,
  QUEUE_ACK_HEAD,
  QUEUE_ACKS_AT,
  QUEUE_CONTROL_COUNT,
  QUEUE_CONTROL_FIRST,
  QUEUE_PACKETS,
} from '../../src/base/queue-record.ts';
import { neighbourFind } from '../../src/plane/link/neighbour-table.ts';

/** Offsets as in the drawings that open src/plane/link/neighbour.ts, src/plane/ip/fragment.ts, ring.ts and src/plane/local/punt.ts. */
const NEIGHBOUR_WAITING = { first: 8, last: 12, count: 16 };
/** Head of the packets whose neighbour was given up, until the next tick. */
const ARP_FAILED = 8;
const FRAGMENT = { key: 0, first: 24, last: 28, state: 32, ranges: 44, waiting: 48, seen: 56 };
const PUNT = { kind: 0, source: 4, first: 8, last: 12, length: 16 };
const RING = { receive: NIC_CHIP, transmit: NIC_CHIP + 12, first: 0, last: 4, count: 8 };

/** Where each buffer was found. */
class Ledger {
  readonly faults: string[] = [];
  private readonly owners = new Map<number, string>();

  take(packet: number, owner: string): boolean {
    const index = (packet - BUFFERS_AT) / BUFFER_BYTES;
    if (!Number.isInteger(index) || index < 0 || index >= BUFFER_COUNT) {
      this.faults.push(`${owner} holds ${packet}, which is no buffer`);
      return false;
    }
    const before = this.owners.get(packet);
    if (before !== undefined) {
      this.faults.push(`buffer ${index} is held by ${before} and ${owner}`);
      return false;
    }
    this.owners.set(packet, owner);
    return true;
  }

  /** Follows a list; answers how many it held. */
  chain(owner: string, first: number, last?: number, count?: number): number {
    let found = 0;
    let previous = 0;
    for (let packet = first; packet !== 0; packet = i32at(packet + PACKET_NEXT)) {
      if (!this.take(packet, owner)) return found;
      previous = packet;
      found++;
    }
    if (last !== undefined && previous !== last && found > 0)
      this.faults.push(`${owner}: the last is not the last`);
    if (count !== undefined && found !== count)
      this.faults.push(`${owner}: ${found} buffers, it says ${count}`);
    return found;
  }

  checkNoneIsLost(): void {
    if (this.owners.size === BUFFER_COUNT) return;
    this.faults.push(`${BUFFER_COUNT - this.owners.size} buffers are nowhere`);
  }
}

/** The queues of a link with a rate: what they hold is what they say, each and together. */
function auditQueues(ledger: Ledger, index: number, record: number): void {
  const name = `queues of ${index}`;
  let held = ledger.chain(
    `${name}, its own`,
    i32at(record + QUEUE_CONTROL_COUNT) === 0 ? 0 : i32at(record + QUEUE_CONTROL_FIRST),
    undefined,
    i32at(record + QUEUE_CONTROL_COUNT),
  );
  for (let i = 0; i < i32at(record + QUEUE_ACK_COUNT); i++) {
    const place = (i32at(record + QUEUE_ACK_HEAD) + i) & (QUEUE_ACKS - 1);
    if (ledger.take(i32at(record + QUEUE_ACKS_AT + 4 * place), `${name}, acknowledgments`)) held++;
  }
  for (let number = 0; number < QUEUE_COUNT; number++) {
    const queue = flowQueueAt(record, number);
    const packets = i32at(queue + Q_PACKETS);
    held += ledger.chain(
      `${name}, ${number}`,
      packets === 0 ? 0 : i32at(queue + Q_FIRST),
      undefined,
      packets,
    );
  }
  const said = i32at(record + QUEUE_PACKETS);
  if (held !== said) ledger.faults.push(`${name}: ${held} packets wait, it says ${said}`);
}

function auditCards(ledger: Ledger): void {
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    const at = interfaceAt(index);
    const [head, tail] = [i32at(at + IF_QUEUE_HEAD), i32at(at + IF_QUEUE_TAIL)];
    const length = i32at(at + IF_QUEUE_LENGTH);
    // An empty queue's head and tail are what they were.
    if (length !== 0) ledger.chain(`interface ${index}`, head, tail, length);
    const queues = i32at(at + IF_QUEUES);
    if (queues !== 0) auditQueues(ledger, index, queues);
  }
  for (let index = 0; index < NIC_COUNT; index++) {
    if (i32at(cardAt(index) + NIC_KIND) !== NIC_RING) continue;
    for (const queue of [RING.receive, RING.transmit]) {
      const ring = cardAt(index) + queue;
      ledger.chain(`ring ${index}`, i32at(ring), i32at(ring + RING.last), i32at(ring + RING.count));
    }
  }
}

function auditNeighbours(ledger: Ledger): void {
  let held = 0;
  for (let i = 0; i < NEIGHBOUR_COUNT; i++) {
    const at = NEIGHBOURS_AT + i * NEIGHBOUR_BYTES;
    const state = neighbourState(at);
    if (state === NEIGHBOUR_FREE) continue;
    const [address, index] = [i32at(at + NEIGHBOUR_ADDRESS), neighbourInterface(at)];
    const key = `${address} on ${index}`;
    if (neighbourFind(address, index) !== at) ledger.faults.push(`neighbour ${key} is not found`);
    if (state !== NEIGHBOUR_RESOLVING) continue;
    const count = u16at(at + NEIGHBOUR_WAITING.count);
    if (count < 1) ledger.faults.push(`neighbour ${key}: ${count} packets wait`);
    held += ledger.chain(
      `neighbour ${i}`,
      i32at(at + NEIGHBOUR_WAITING.first),
      i32at(at + NEIGHBOUR_WAITING.last),
      count,
    );
  }
  const said = i32at(ARP_STATE_AT);
  if (held !== said) ledger.faults.push(`${held} packets wait for ARP, it says ${said}`);
  if (held > NEIGHBOUR_HELD_LIMIT) ledger.faults.push(`${held} packets wait for ARP`);
  ledger.chain('given-up neighbours', i32at(ARP_STATE_AT + ARP_FAILED));
}

function auditFragments(ledger: Ledger): void {
  const held = [0, 0];
  for (let i = 0; i < FRAGMENT_CONTEXT_COUNT; i++) {
    const at = FRAGMENTS_AT + i * FRAGMENT_CONTEXT_BYTES;
    if (i32at(at + FRAGMENT.key) === 0) continue;
    const side = i < FRAGMENT_CONTEXT_COUNT / 2 ? 0 : 1;
    const waiting = u16at(at + FRAGMENT.waiting);
    held[side]! += ledger.chain(
      `fragments ${i}`,
      i32at(at + FRAGMENT.first),
      i32at(at + FRAGMENT.last),
      waiting,
    );
    const ranges = u16at(at + FRAGMENT.ranges);
    if (ranges > FRAGMENT_RANGE_COUNT) ledger.faults.push(`fragments ${i}: ${ranges} ranges`);
    for (let n = 0; n < ranges; n++) {
      const range = at + FRAGMENT.seen + 4 * n;
      if (u16at(range) >= u16at(range + 2)) ledger.faults.push(`fragments ${i}: range ${n} is empty`);
    }
  }
  for (const side of [0, 1]) {
    const said = i32at(FRAGMENT_STATE_AT + 4 * side);
    if (held[side] !== said)
      ledger.faults.push(`side ${side}: ${held[side]} fragments wait, it says ${said}`);
    if (said > FRAGMENT_HELD_SIDE) ledger.faults.push(`side ${side}: ${said} fragments wait`);
  }
  if (held[0]! + held[1]! > FRAGMENT_HELD_LIMIT) ledger.faults.push(`${held} fragments wait`);
}

/** Queues are as long as they and their classes say, none is empty, and no source has two in a class. */
function auditPunt(ledger: Ledger): void {
  const used = i32at(PUNT_STATE_AT);
  const waiting = [0, 0, 0, 0, 0];
  const sources = new Set<string>();
  if (used < 0 || used > PUNT_LIMIT) ledger.faults.push(`${used} queues for control`);
  for (let i = 0; i < Math.min(used, PUNT_LIMIT); i++) {
    const at = PUNT_QUEUES_AT + i * PUNT_QUEUE_BYTES;
    const [kind, length] = [i32at(at + PUNT.kind), i32at(at + PUNT.length)];
    ledger.chain(`queue ${i} for control`, i32at(at + PUNT.first), i32at(at + PUNT.last), length);
    if (length < 1 || waiting[kind] === undefined)
      ledger.faults.push(`queue ${i} has ${length} of class ${kind}`);
    else waiting[kind] += length;
    sources.add(`${kind} ${i32at(at + PUNT.source)}`);
  }
  if (sources.size !== used) ledger.faults.push('a source has two queues for control');
  for (const [kind, count] of waiting.entries()) {
    const said = i32at(PUNT_STATE_AT + 8 + 8 * kind);
    if (said !== count) ledger.faults.push(`class ${kind}: ${count} packets wait, it says ${said}`);
  }
  const all = i32at(PUNT_WAITING_AT);
  if (all !== waiting.reduce((a, b) => a + b)) ledger.faults.push(`${waiting} packets wait, it says ${all}`);
}

function auditControl(ledger: Ledger): void {
  auditPunt(ledger);
  for (let i = 0; i < BUFFER_COUNT; i++) {
    const packet = BUFFERS_AT + i * BUFFER_BYTES;
    if ((i32at(packet + PACKET_FLAGS) & FLAG_CONTROL) !== 0) ledger.take(packet, 'control');
  }
  const open = i32at(SOCKETS_OPEN_AT);
  const keys = new Set<number>();
  if (open < 0 || open > SOCKET_COUNT) ledger.faults.push(`${open} sockets`);
  for (let i = 0; i < Math.min(open, SOCKET_COUNT); i++) keys.add(i32at(SOCKETS_AT + i * SOCKET_BYTES));
  if (keys.size !== open) ledger.faults.push('a socket is there twice');
}

/** What is wrong with the tables of the memory that src/base/memory.ts is attached to; nothing, if all is well. */
export function audit(): string[] {
  const ledger = new Ledger();
  ledger.chain('the pool', i32at(POOL_STATE_AT), undefined, i32at(POOL_STATE_AT + 4));
  auditCards(ledger);
  auditNeighbours(ledger);
  auditFragments(ledger);
  auditControl(ledger);
  ledger.checkNoneIsLost();
  return ledger.faults;
}

/** Whether a card's ring holds a frame that came: past the budget it waits for the next tick. */
export function frameWaits(): boolean {
  return [0, 1].some(index => i32at(cardAt(index) + RING.receive + RING.count) !== 0);
}
