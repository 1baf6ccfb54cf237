// How long stations of the inside links are known, and how much each may ask for (src/plane/link/station.ts): what becomes of one that asks for
// more. Not here: the size of their table (limits.ts).

import { TICKS_PER_SECOND } from './limits.ts';

/**
 * A station has a queue of its own after this time, without a crowd of newcomers. Until then it shares one with the other
 * newcomers, which matters to it only beside a flood of theirs.
 */
export const STATION_SETTLE_TICKS: i32 = 30 * TICKS_PER_SECOND;
/** A power of two: one lease of the table is looked at each so many ticks, all in a third of the time above. */
export const STATION_LEASE_TICKS: i32 = 4;
/**
 * Packets for a class that is full by three quarters, in about a second, past which a station shares the queue of the loud: of a page's 40
 * questions there are fewer.
 * All that flood share it, so who is one of them has what they leave him.
 */
export const STATION_LOUD: i32 = 64;
/** One packet for such a class is counted as so many, so that halved each second it is remembered for four. */
export const STATION_ONE_ASKED: i32 = 16;
/**
 * Who asks for so much, some six in a second again and again, or more at once, asks for as much as anybody: among such all have
 * their turns, and a page's burst is no worse than what comes all the time.
 */
export const STATION_MUCH: i32 = 12 * STATION_ONE_ASKED;
/** What a shared queue counts as among stations: who asked for much gives way to it, and it to who asked for less. */
export const STATION_SHARED_ASKED: i32 = STATION_MUCH - 1;
/** A settled station that has neither asked nor been seen by ARP or the leases for so long may be forgotten. */
export const STATION_FORGET_TICKS: i32 = 3600 * TICKS_PER_SECOND;
