// Single values at fixed addresses: what floor, plane and control tell each other.

import { CELLS_AT } from './limits.ts';

/** Ticks since power-on (100 a second), counted by the floor. Wraps after 497 days: compare by difference. */
export const NOW_AT: i32 = CELLS_AT;
/** What the last host call from JavaScript answered. */
export const HOST_RESULT_AT: i32 = CELLS_AT + 4;
/** Which engine runs the packet path: ENGINE_NATIVE or ENGINE_INTERPRETED. */
export const ENGINE_AT: i32 = CELLS_AT + 8;
/** What waits for the interpreted engine: interrupt lines of cards, a bit each; bit 31: a tick found frames. */
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
/** Frames that may still be taken from the cards before the next tick. */
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
/** PIT counts spent in interrupts other than the timer's; free-running. */
export const INTERRUPT_COUNTS_AT: i32 = CELLS_AT + 96;
/** The medium number of the boot sector that we came from (image/layout.ts), by which control finds its disk. */
export const MEDIUM_AT: i32 = CELLS_AT + 192;
/** 64 bytes that the floor fills before control starts: boot facts (firmware/abi.ts names them). */
export const BOOT_FACTS_AT: i32 = CELLS_AT + 128;

/** 1 while control brings the saved settings about: it has not come up yet. */
export const STARTING_AT: i32 = CELLS_AT + 448;
/** 1 until the settings are in force at power-on: no change of an interface is told to anybody, the cards are stopped. */
export const HELD_AT: i32 = CELLS_AT + 452;
/** How often NOW_AT has wrapped: with it, what people read of times is right after 497 days too. */
export const NOW_WRAPS_AT: i32 = CELLS_AT + 456;

export const ENGINE_NATIVE: i32 = 0;
export const ENGINE_INTERPRETED: i32 = 1;

export const BOARD_PC: i32 = 0;
/** Cards are rings in memory, the serial port has no chip: Node stands on the other side. */
export const BOARD_SIM: i32 = 1;
