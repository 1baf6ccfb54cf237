// Tables of the plane for people: interfaces, neighbours, routes, counters.
// Not here: the masquerade table (masquerade.ts), the commands (commands.ts).

import { cardAt, NIC_KIND, NIC_OVERRUNS, NIC_PORT, NIC_RING } from '../../../hal/nic/card.ts';
import { CARD_NAMES } from '../../../hal/nic/card-names.ts';
import {
  cardOf,
  DEVICE_SESSION,
  IF_ADDRESS,
  IF_DEVICE,
  IF_MAC,
  IF_MASK,
  IF_MTU,
  IF_NUMBER,
  IF_RX_BYTES,
  IF_RX_DROPPED,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  IF_STATE,
  IF_TX_BYTES,
  IF_TX_DROPPED,
  IF_TX_ERRORS,
  IF_TX_PACKETS,
  INTERFACE_ABSENT,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import {
  COUNTERS_AT,
  INTERFACE_COUNT,
  INTERFACE_WAN,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_COUNT,
  NEIGHBOURS_AT,
  ROUTE_BYTES,
  ROUTE_COUNT,
  ROUTES_AT,
} from '../../base/limits.ts';
import { LINE_BELOW, lineAt } from '../../base/line-record.ts';
import { get8, i32at } from '../../base/memory.ts';
import {
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_FREE,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_REACHABLE,
  NEIGHBOUR_RESOLVING,
  NEIGHBOUR_USED,
  neighbourInterface,
  neighbourState,
} from '../../base/neighbour-record.ts';
import {
  ROUTE_DESTINATION,
  ROUTE_GATEWAY,
  ROUTE_INTERFACE,
  ROUTE_MASK,
  ROUTE_NOWHERE,
  ROUTE_USED,
} from '../../base/route-record.ts';
import { absentText, isMissed, missingText } from '../core/absent.ts';
import { formatAddress, formatMac, formatPrefix, hex, lengthOf } from '../core/address.ts';
import { since } from '../core/clock.ts';
import type { Job } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { counterList } from '../core/counter-names.ts';
import { formatTicks } from '../core/duration.ts';
import { interfaceName } from '../core/facts.ts';

function macAt(p: number): string {
  return formatMac(Array.from({ length: 6 }, (_, i) => get8(p + i)));
}

function cardName(number: number): string {
  const card = cardAt(number);
  const kind = i32at(card + NIC_KIND);
  const name = CARD_NAMES.get(kind) ?? 'card';
  return kind === NIC_RING ? name : `${name} at port 0x${hex(i32at(card + NIC_PORT), 3)}`;
}

/** What a link is on. */
function deviceText({ plane }: Context['machine'], index: number): string {
  const card = cardOf(index);
  if (card >= 0) {
    const irq = plane.nicIrq(card);
    return `${cardName(card)}, ${irq < 0 ? 'no interrupt line' : `line ${irq}`}`;
  }
  const at = interfaceAt(index);
  const number = i32at(at + IF_NUMBER);
  const how =
    i32at(at + IF_DEVICE) === DEVICE_SESSION
      ? `PPPoE by ${interfaceName(i32at(lineAt(number) + LINE_BELOW))}`
      : `on COM${number + 1}`;
  return `${how}, see show ppp`;
}

export function* showInterfaces(context: Context): Job {
  const { output, machine } = context;
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    const at = interfaceAt(index);
    const state = i32at(at + IF_STATE);
    if (isMissed(index)) {
      const missing = missingText(index);
      const how = missing === undefined ? 'absent' : 'missing';
      output.line(`${interfaceName(index)} ${how}: ${missing ?? absentText(index)}`);
    }
    if (state === INTERFACE_ABSENT) continue;
    const number = cardOf(index);
    const isCard = number >= 0;
    output.line(
      `${interfaceName(index)} ${state === INTERFACE_UP ? 'up' : 'down'}, ${deviceText(machine, index)}`,
    );
    const address = i32at(at + IF_ADDRESS);
    const prefix = address === 0 ? 'none' : formatPrefix(address, lengthOf(i32at(at + IF_MASK)));
    const station = isCard ? `, station ${macAt(at + IF_MAC)}` : '';
    output.line(`    address ${prefix}${station}, MTU ${i32at(at + IF_MTU)}`);
    if (isCard && index > INTERFACE_WAN && address === 0)
      output.line(`    it has no role: set card lan, set card wan or set link gives it one`);
    const count = (field: number) => i32at(at + field) >>> 0;
    const overruns = isCard ? i32at(cardAt(number) + NIC_OVERRUNS) >>> 0 : 0;
    output.line(
      `    received ${count(IF_RX_PACKETS)} packets, ${count(IF_RX_BYTES)} bytes, ` +
        `${count(IF_RX_ERRORS)} errors, ${count(IF_RX_DROPPED)} dropped` +
        (overruns === 0 ? '' : `, ${overruns} overruns`),
    );
    output.line(
      `    sent ${count(IF_TX_PACKETS)} packets, ${count(IF_TX_BYTES)} bytes, ` +
        `${count(IF_TX_ERRORS)} errors, ${count(IF_TX_DROPPED)} dropped`,
    );
    yield 0;
  }
}

export function* showArp(context: Context): Job {
  const { output, clock } = context;
  let rows = 0;
  for (let i = 0; i < NEIGHBOUR_COUNT; i++) {
    const at = NEIGHBOURS_AT + i * NEIGHBOUR_BYTES;
    const state = neighbourState(at);
    if (state === NEIGHBOUR_FREE) {
      if (i % 32 === 0) yield 0;
      continue;
    }
    if (rows++ === 0) output.line('address         station           interface state     unused');
    // While an address is being resolved, packets wait where its header will be.
    const mac = state === NEIGHBOUR_RESOLVING ? '' : macAt(at + NEIGHBOUR_HEADER);
    const name =
      state === NEIGHBOUR_RESOLVING ? 'resolving' : state === NEIGHBOUR_REACHABLE ? 'reachable' : 'polling';
    const unused = formatTicks(Math.max(0, since(clock.now(), i32at(at + NEIGHBOUR_USED))));
    output.line(
      `${formatAddress(i32at(at + NEIGHBOUR_ADDRESS)).padEnd(15)} ${mac.padEnd(17)} ` +
        `${interfaceName(neighbourInterface(at)).padEnd(9)} ${name.padEnd(9)} ${unused}`,
    );
    yield 0;
  }
  output.line(rows === 1 ? '1 neighbour' : `${rows} neighbours`);
}

export function* showRoutes(context: Context): Job {
  const { output } = context;
  output.line('destination        gateway         interface');
  const row = (destination: string, gateway: string, index: number) => {
    const by = index === ROUTE_NOWHERE ? 'waits' : interfaceName(index);
    output.line(`${destination.padEnd(18)} ${gateway.padEnd(15)} ${by}`);
  };
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    const at = interfaceAt(index);
    if (i32at(at + IF_STATE) !== INTERFACE_UP) continue;
    const mask = i32at(at + IF_MASK);
    row(formatPrefix(i32at(at + IF_ADDRESS) & mask, lengthOf(mask)), 'on the link', index);
    yield 0;
  }
  for (let i = 0; i < ROUTE_COUNT; i++) {
    const at = ROUTES_AT + i * ROUTE_BYTES;
    if (i32at(at + ROUTE_USED) === 0) continue;
    const destination = formatPrefix(i32at(at + ROUTE_DESTINATION), lengthOf(i32at(at + ROUTE_MASK)));
    const gateway = i32at(at + ROUTE_GATEWAY);
    row(destination, gateway === 0 ? 'on the link' : formatAddress(gateway), i32at(at + ROUTE_INTERFACE));
    yield 0;
  }
}

export function* showCounters(context: Context): Job {
  const { output } = context;
  let rows = 0;
  for (const { name, index, meaning } of counterList()) {
    const value = i32at(COUNTERS_AT + 4 * index) >>> 0;
    if (value === 0) continue;
    rows++;
    output.line(`${name.padEnd(24)} ${String(value).padStart(10)}  ${meaning}`);
    yield 0;
  }
  if (rows === 0) output.line('All counters are 0');
}
