// The crash page: 4 KiB of RAM that a reset leaves alone, with what went wrong and how often the board
// has started. The floor writes it (board/i486/crash.c), control reads it as the
// page behind what is the plane's, CRASH_AT. The build turns these numbers into a C header.
// Offsets are in bytes, fields are words. Not here: what control makes of it (src/control/crash/crash.ts).
//
//     0           64                                                                              4096
//     | header    | record 0 | record 1 | ... a ring: number N lies at (N - 1) % CRASH_RECORD_COUNT |

export const CRASH_MAGIC = 0x43525348;
export const CRASH_AT_MAGIC = 0;
/** Makes the sum of all words of the page 0; what a power cut leaves in RAM does not pass. */
export const CRASH_AT_SUM = 4;
/** Starts in a row that did not last, this one included; set to 0 once it has lasted, and by an orderly reset. */
export const CRASH_AT_STARTS = 8;
/** Records ever written. */
export const CRASH_AT_COUNT = 12;
/** 1 from the start to a reset that was asked for or recorded: what is found so was reset by something else. */
export const CRASH_AT_RUNNING = 16;
/** Starts since power-on. */
export const CRASH_AT_BOOT = 20;
/** Unix time in seconds (0: unknown) at a tick, noted by control now and then, for the records. */
export const CRASH_AT_CLOCK = 24;
export const CRASH_AT_CLOCK_TICK = 28;

/** Records that went to the disk since power-on. */
export const CRASH_AT_KEPT = 32;

/** The settings that are or were brought about last, by the CRC-32 of their text. */
export const CRASH_AT_TEXT = 36;
/** The line of that text that is being applied, counted from 1; 0 when none is. Who finds another was ended by it. */
export const CRASH_AT_LINE = 40;
/** Lines of that text that have ended control or the board, and are left out. */
export const CRASH_AT_SKIPPED = 44;
export const CRASH_SKIPPED_COUNT = 5;

export const CRASH_RECORDS_AT = 64;
export const CRASH_RECORD_COUNT = 7;
export const CRASH_RECORD_BYTES = 576;
/** RESTART_* or CRASH_*. */
export const RECORD_AT_KIND = 0;
/** From 1. */
export const RECORD_AT_NUMBER = 4;
export const RECORD_AT_BOOT = 8;
export const RECORD_AT_TICK = 12;
export const RECORD_AT_CLOCK = 16;
export const RECORD_AT_CLOCK_TICK = 20;
/** 1 once it is in the log; bit 1 is for the store. */
export const RECORD_AT_REPORTED = 24;
/** How often the tick had wrapped. */
export const RECORD_AT_WRAPS = 28;
/** edi esi ebp esp ebx edx ecx eax vector error eip cs eflags cr2; all 0 when there are none. */
export const RECORD_AT_REGISTERS = 32;
export const RECORD_REGISTERS = 14;
/** What on the stack looks like return addresses, the innermost first, 0 behind the last. */
export const RECORD_AT_TRACE = 96;
export const RECORD_TRACE = 16;
/** ASCII, ended by a zero. */
export const RECORD_AT_TEXT = 160;
export const RECORD_TEXT_BYTES = CRASH_RECORD_BYTES - RECORD_AT_TEXT;

// Kinds of records: the reasons of restarts (abi.ts, 1 to 4), and what resets the board.
/** A fault of plane or floor. */
export const CRASH_FAULT = 16;
/** The floor found something that must not be, and says what. */
export const CRASH_PANIC = 17;
/** Control died too often. */
export const CRASH_GIVEN_UP = 18;
/** Nobody wrote a record: the watchdog, the reset button. */
export const CRASH_SILENT = 19;

/** Starts that did not last before one is made with the default settings. */
export const CRASH_STARTS_MOST = 3;
/** A start that has lasted so long, in seconds, was none of a loop. */
export const CRASH_LASTING_SECONDS = 60;
/** Control may die one time fewer than this in CRASH_LASTING_SECONDS. */
export const CRASH_DEATHS = 5;
