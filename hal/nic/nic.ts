// The network cards: one set of functions for all of them, by the card's number.
// Here: which driver a card has, which link it is the device of, and what holds for every driver. Not here: the drivers (ring.ts,
// dp8390.ts, ne2000.ts), and who calls when (src/plane/service.ts).
//
// A visit is nicService(), then nicReceive() as long as nicWaiting(), or until the caller's time is used up, then
// nicSend() for what waits. nicTick() each 10 ms is a visit's first part too, and the only one for a card
// without an interrupt line; frames left over by a budget are announced again by the next of both.

import { NIC_END_AT } from '../../src/base/cells.ts';
import {
  bindCard,
  cardOf,
  IF_AT_ONCE,
  IF_MAC,
  IF_TX_DROPPED,
  interfaceAt,
  unbind,
} from '../../src/base/interface.ts';
import { TRANSMIT_AT_ONCE, TRANSMIT_AT_ONCE_WIDE } from '../../src/base/limits.ts';
import { copy, i32at, put16, put32, puti32 } from '../../src/base/memory.ts';
import { release } from '../../src/base/pool.ts';
import {
  add,
  cardAt,
  NIC_DRIVER,
  NIC_IRQ,
  NIC_KIND,
  NIC_LEVEL,
  NIC_LINK,
  NIC_MAC,
  NIC_NONE,
  NIC_PLACE,
  NIC_PORT,
  NIC_RECORD,
  NIC_STARTED,
  NIC_STATION,
  resetCards,
} from './card.ts';
import { dp8390Readdress, dp8390Send, dp8390Service, dp8390Start, dp8390Stop, dp8390Tick } from './dp8390.ts';
import { dp8390Receive, dp8390Waiting } from './dp8390-receive.ts';
import { DP_WIDE } from './dp8390-registers.ts';
import {
  cardTraits,
  DRIVER_DP8390,
  DRIVER_NONE,
  DRIVER_RING,
  TRAIT_DRIVER,
  TRAIT_LEVEL,
  TRAIT_LINE_BY_TRIAL,
  TRAIT_WIDE,
} from './drivers.ts';
import { ne2000FindLine, ne2000Probe } from './ne2000.ts';
import { ringProbe, ringReceive, ringSend, ringService, ringWaiting } from './ring.ts';

/** Forgets all cards. */
export function resetNics(): void {
  resetCards();
}

/**
 * Looks for a card of a kind at a port: 1 if it is there. It stays stopped, and is the device of the link of its own number until
 * nicBind() gives it another: so it is on a board that remembers nothing.
 * @param irq its interrupt line; -1 asks an ISA card to show it, or leaves it to nicTick() if that fails.
 */
export function nicProbe(index: i32, kind: i32, port: i32, irq: i32): i32 {
  const at: i32 = cardAt(index);
  puti32(at + NIC_KIND, kind);
  puti32(at + NIC_PORT, port);
  puti32(at + NIC_IRQ, irq);
  puti32(at + NIC_STARTED, 0);
  puti32(at + NIC_PLACE, port);
  const traits: i32 = cardTraits(kind);
  const driver: i32 = traits & TRAIT_DRIVER;
  let found: i32 = 0;
  if (driver === DRIVER_RING) found = ringProbe(index, port);
  if (driver === DRIVER_DP8390) found = ne2000Probe(index, (traits & TRAIT_WIDE) !== 0 ? 1 : 0);
  puti32(at + NIC_DRIVER, found !== 0 ? driver : DRIVER_NONE);
  // Without a line there is none to hold back.
  puti32(at + NIC_LEVEL, found !== 0 && irq >= 0 && (traits & TRAIT_LEVEL) !== 0 ? 1 : 0);
  if (found === 0) {
    puti32(at + NIC_KIND, NIC_NONE);
    puti32(at + NIC_IRQ, -1);
    nicBind(index, -1);
    return 0;
  }
  if ((traits & TRAIT_LINE_BY_TRIAL) !== 0 && irq < 0) puti32(at + NIC_IRQ, ne2000FindLine(index));
  if (i32at(NIC_END_AT) <= index) puti32(NIC_END_AT, index + 1);
  nicBind(index, index);
  return 1;
}

/** Makes a stopped card the device of a link, or of none (-1). The card that the link had has none from then on. */
export function nicBind(card: i32, link: i32): void {
  const at: i32 = cardAt(card);
  const before: i32 = i32at(at + NIC_LINK);
  if (before >= 0) unbind(before);
  puti32(at + NIC_LINK, link);
  if (link < 0) return;
  const other: i32 = cardOf(link);
  if (other >= 0) puti32(cardAt(other) + NIC_LINK, -1);
  puti32(at + NIC_RECORD, interfaceAt(link));
  bindCard(link, card, at + NIC_MAC);
  const isWide: i32 = i32at(at + NIC_DRIVER) === DRIVER_DP8390 ? i32at(at + DP_WIDE) : 0;
  puti32(interfaceAt(link) + IF_AT_ONCE, isWide !== 0 ? TRANSMIT_AT_ONCE_WIDE : TRANSMIT_AT_ONCE);
}

/** Lets the card receive, send and interrupt. */
export function nicStart(index: i32): void {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_KIND) === NIC_NONE || i32at(at + NIC_LINK) < 0) return;
  if (i32at(at + NIC_DRIVER) === DRIVER_DP8390) dp8390Start(index);
  puti32(at + NIC_STARTED, 1);
}

/** Takes the card off the network. */
export function nicStop(index: i32): void {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_KIND) === NIC_NONE) return;
  puti32(at + NIC_STARTED, 0);
  if (i32at(at + NIC_DRIVER) === DRIVER_DP8390) dp8390Stop(index);
}

/** Acknowledges interrupt causes, recovers from an overrun; answers NIC_RECEIVED | NIC_SENT. */
export function nicService(index: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_STARTED) === 0) return 0;
  const driver: i32 = i32at(at + NIC_DRIVER);
  if (driver === DRIVER_DP8390) return dp8390Service(index);
  return driver === DRIVER_RING ? ringService(index) : 0;
}

/** Each 10 ms: like nicService(), and the watchdog of a lost interrupt or a hanging transmit. */
export function nicTick(index: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_STARTED) === 0) return 0;
  const driver: i32 = i32at(at + NIC_DRIVER);
  if (driver === DRIVER_DP8390) return dp8390Tick(index);
  return driver === DRIVER_RING ? ringService(index) : 0;
}

/** Whether nicReceive() has something to do: frames, or what must follow before there are new ones. */
export function nicWaiting(index: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_STARTED) === 0) return 0;
  const driver: i32 = i32at(at + NIC_DRIVER);
  if (driver === DRIVER_DP8390) return dp8390Waiting(index);
  return driver === DRIVER_RING ? ringWaiting(index) : 0;
}

/** The next frame as a packet with its length and PACKET_IN, or 0. */
export function nicReceive(index: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_STARTED) === 0) return 0;
  const driver: i32 = i32at(at + NIC_DRIVER);
  if (driver === DRIVER_DP8390) return dp8390Receive(index);
  return driver === DRIVER_RING ? ringReceive(index) : 0;
}

/** Sends a packet: 1, and the driver frees it; 0, there is no room now, and NIC_SENT will say when. */
export function nicSend(index: i32, packet: i32): i32 {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_STARTED) === 0) {
    add(i32at(at + NIC_RECORD) + IF_TX_DROPPED, 1);
    release(packet);
    return 1;
  }
  return i32at(at + NIC_DRIVER) === DRIVER_DP8390 ? dp8390Send(index, packet) : ringSend(index, packet);
}

/** Gives the card another station address: the first four bytes and the last two of it. */
export function nicReaddress(index: i32, high: i32, low: i32): void {
  const at: i32 = cardAt(index);
  if (i32at(at + NIC_KIND) === NIC_NONE) return;
  put32(at + NIC_STATION, high);
  put16(at + NIC_STATION + 4, low);
  copy(i32at(at + NIC_RECORD) + IF_MAC, at + NIC_STATION, 6);
  if (i32at(at + NIC_DRIVER) === DRIVER_DP8390) dp8390Readdress(index);
}

/** Address of the station address that the card was made with, 6 bytes. */
export function nicMac(index: i32): i32 {
  return cardAt(index) + NIC_MAC;
}

/** The interrupt line, or -1. */
export function nicIrq(index: i32): i32 {
  return i32at(cardAt(index) + NIC_IRQ);
}
