// Single values at fixed addresses: what floor, plane and control tell each other.

import { CELLS_AT, INTERFACE_COUNT, NIC_COUNT, SERIAL_COUNT } from './limits.ts';

/** Ticks since power-on (100 a second), counted by the floor. Wraps after 497 days: compare by difference. */
export const NOW_AT: i32 = CELLS_AT;
/** What the last host call from JavaScript answered. */
export const HOST_RESULT_AT: i32 = CELLS_AT + 4;
/** Which engine runs the packet path: ENGINE_NATIVE or ENGINE_INTERPRETED. */
export const ENGINE_AT: i32 = CELLS_AT + 8;
/**
 * Interrupt lines of cards, a bit each, that wait for the interpreted engine (bit 31: a tick found frames) or, where
 * the native one has used up its time, for the tick.
 */
export const PENDING_AT: i32 = CELLS_AT + 12;
/** The tick at which control wants to run next, by its timers. */
export const WAKE_AT: i32 = CELLS_AT + 16;
/** Packets that wait for control, and how often one was taken or began to wait: free-running, the queues' clock. */
export const PUNT_WAITING_AT: i32 = CELLS_AT + 20;
export const PUNT_TURN_AT: i32 = CELLS_AT + 24;
/** 1 while JavaScript is in the plane (interpreted engine): then a tick only counts. */
export const PLANE_BUSY_AT: i32 = CELLS_AT + 28;
/** Entries in use of the table of sockets. */
export const SOCKETS_OPEN_AT: i32 = CELLS_AT + 32;
/** Counts of the PIT in which frames may still be taken before the next tick. */
export const RECEIVE_LEFT_AT: i32 = CELLS_AT + 40;
/** The tick up to which the ticks' work has been done. */
export const TICKED_AT: i32 = CELLS_AT + 44;
/** PIT counts (838 ns) that the processor slept, counted by the floor; free-running: the load is the rest. */
export const IDLE_COUNTS_AT: i32 = CELLS_AT + 48;
/** Which board this is: BOARD_PC (the floor leaves it 0) or BOARD_SIM. */
export const BOARD_AT: i32 = CELLS_AT + 52;
/** Control's mark that it has set the plane up: a restarted control finds the tables as they are. */
export const CONTROL_READY_AT: i32 = CELLS_AT + 56;
/** The tick after which cards and LAN were up at power-on, the moment from which packets go; 0 before. */
export const READY_AT: i32 = CELLS_AT + 60;
/** PIT counts spent in interrupts, but for ticks' ageing; free-running. */
export const INTERRUPT_COUNTS_AT: i32 = CELLS_AT + 96;
/** What service.ts's work() has to do: WORK_*. */
export const WORK_AT: i32 = CELLS_AT + 100;
/** The card whose frame was taken last. */
export const TURN_AT: i32 = CELLS_AT + 104;
/** Fragments that may still follow their first one in this tick (WORK_FRAGMENTS). */
export const FRAGMENTS_LEFT_AT: i32 = CELLS_AT + 108;
/**
 * The longest time with interrupts off since READY_AT, in PIT counts, and whose it was: an interrupt's line, or
 * OFF_CALL and the number of the plane's function that control called. Kept by the floor, which reads what it
 * finds here: who writes a 0 starts a new measurement.
 */
export const LONGEST_OFF_AT: i32 = CELLS_AT + 112;
export const LONGEST_OFF_BY_AT: i32 = CELLS_AT + 116;
/** The medium number of the boot sector that we came from (src/base/layout.ts), by which control finds its disk. */
export const MEDIUM_AT: i32 = CELLS_AT + 192;
/** 64 bytes that the floor fills before control starts: boot facts (src/base/abi.ts names them). */
export const BOOT_FACTS_AT: i32 = CELLS_AT + 128;

/** 1 while control brings the saved settings about: it has not come up yet. */
export const STARTING_AT: i32 = CELLS_AT + 448;
/** 1 until the settings are in force at power-on: no change of an interface is told to anybody, the cards are stopped. */
export const HELD_AT: i32 = CELLS_AT + 452;
/** device << 16 | vendor of the first Ethernet card on the PCI bus for which there is no driver, or 0 (board/pc.ts). */
export const UNDRIVEN_AT: i32 = CELLS_AT + 460;
/** How often NOW_AT has wrapped: with it, what people read of times is right after 497 days too. */
export const NOW_WRAPS_AT: i32 = CELLS_AT + 456;

/** In its upper half: raised when what kept routes stand on has changed (src/plane/flow/kept-route.ts). Never 0. */
export const ROUTE_GENERATION_AT: i32 = CELLS_AT + 464;

/** Interrupt lines of serial ports, a bit each. */
export const SERIAL_LINES_AT: i32 = CELLS_AT + 468;
/** One more than the highest link that is bound or configured, and than the highest card that was found: loops end here. */
export const LINK_END_AT: i32 = CELLS_AT + 472;
export const NIC_END_AT: i32 = CELLS_AT + 476;

/** 1 when a link has been bound, configured or taken from its device: what follows of that is a tick's work. */
export const LINKS_CHANGED_AT: i32 = CELLS_AT + 480;

/**
 * Places of the session table for which this board has no RAM: the floor says it before the plane is reset, and nothing changes
 * it. sessionLimit() (flow-record.ts) is who reads it.
 */
export const SESSIONS_LESS_AT: i32 = CELLS_AT + 500;

/** The same of packet buffers, the first ones: bufferCount() (pool.ts) is who reads it. */
export const BUFFERS_LESS_AT: i32 = CELLS_AT + 484;

/** How many triggers are set (trigger-record.ts), and how many places of forwards are for a mark. */
export const TRIGGERS_SET_AT: i32 = CELLS_AT + 196;
export const MARKS_SET_AT: i32 = CELLS_AT + 200;
/** How many aliases are set (alias-record.ts). */
export const ALIASES_SET_AT: i32 = CELLS_AT + 204;
/** A made-up packet is on its way, of which nothing stays (src/plane/filter/probe.ts): one more than what it has met; else 0. */
export const PROBE_AT: i32 = CELLS_AT + 208;

/** Serial ports, a bit each: whose bytes are frames (src/plane/link/line.ts); whose control reads; whose modem lines have changed since it looked. */
export const LINES_BOUND_AT: i32 = CELLS_AT + 240;
export const SERIAL_READ_AT: i32 = CELLS_AT + 244;
export const SERIAL_CHANGED_AT: i32 = CELLS_AT + 248;
/** Links whose peer has an address of an inside network, a bit each: ARP is answered for it there. */
export const PROXIED_LINKS_AT: i32 = CELLS_AT + 228;
/** Links that have queues in place of one FIFO, a bit each (queue-record.ts). */
export const QUEUES_SET_AT: i32 = CELLS_AT + 212;
/** Links that a packet dials when they are down, a bit each (demand-record.ts); those of which control is asked for a call; packets that wait for one. */
export const DEMAND_LINKS_AT: i32 = CELLS_AT + 216;
export const DEMAND_ASKED_AT: i32 = CELLS_AT + 220;
export const DEMAND_HELD_AT: i32 = CELLS_AT + 224;

/** How many forwards are set (forward-record.ts). */
export const FORWARDS_SET_AT: i32 = CELLS_AT + 504;

/** A bit for each built-in chain in which a packet is asked for more than the house does, by its number; bit 0: there are rules' tables (src/plane/filter/). */
export const RULE_HOOKS_AT: i32 = CELLS_AT + 508;

export const ENGINE_NATIVE: i32 = 0;
export const ENGINE_INTERPRETED: i32 = 1;

/** Cards that have frames, then serial ports that have bytes of frames, a bit each; and links whose queue has more for its device, 8 bits on. */
export const WORK_RECEIVE: i32 = (1 << (NIC_COUNT + SERIAL_COUNT)) - 1;
export const WORK_DRAIN_SHIFT: i32 = 8;
export const WORK_DRAIN: i32 = ((1 << INTERFACE_COUNT) - 1) << WORK_DRAIN_SHIFT;
/** A tick's ageing, in its pieces. */
export const WORK_CHANGES: i32 = 0x100000;
export const WORK_SESSIONS: i32 = 0x200000;
export const WORK_TABLES: i32 = 0x400000;
export const WORK_FRAGMENTS: i32 = 0x800000;
export const WORK_FAILED: i32 = 0x1000000;
export const WORK_DEMAND: i32 = 0x2000000;
/** What each tick begins with; its tables say whether there are fragments and failed packets. */
export const WORK_TICK: i32 = WORK_SESSIONS | WORK_TABLES;
export const WORK_AGE: i32 = WORK_TICK | WORK_CHANGES | WORK_FRAGMENTS | WORK_FAILED | WORK_DEMAND;

export const OFF_CALL: i32 = 16;

export const BOARD_PC: i32 = 0;
/** Cards are rings in memory, the serial port has no chip: Node stands on the other side. */
export const BOARD_SIM: i32 = 1;
