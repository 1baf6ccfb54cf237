// What floor, sim board and JavaScript agree on. The build turns this file's numbers into a C header.
//
// JavaScript calls the machine by one function, `__host(op, a, b, ...)`, all arguments i32. The answer is in
// the cell HOST_RESULT_AT; the call itself yields undefined. The machine calls JavaScript by one function,
// `__step()`, from the idle loop, whenever the plane's `wanted()` is not 0; its first call starts control.
// The plane's memory is the ArrayBuffer `__memory`.

/** (index, a..f): calls the native plane's export number `index` in the names' sorted order, interrupts off. */
export const HOST_PLANE = 0;
export const HOST_IN8 = 1;
export const HOST_IN16 = 2;
export const HOST_IN32 = 3;
export const HOST_OUT8 = 4;
export const HOST_OUT16 = 5;
export const HOST_OUT32 = 6;
/** (port, p, count): words between a port and plane memory. */
export const HOST_INS16 = 7;
export const HOST_OUTS16 = 8;
/** Interrupts off; on. They do not nest. */
export const HOST_LOCK = 9;
export const HOST_UNLOCK = 10;
/** Resets the board. Does not return. */
export const HOST_RESET = 11;
/** Lets an interrupt line through (line). */
export const HOST_UNMASK = 12;
/** Answers the bytes that the engine's heap has free, and may still take. It is walked: 13,000 chunks and more. */
export const HOST_HEAP_FREE = 13;
/** One character to the console by polling, for last words (character). */
export const HOST_PUT = 14;
/** (port, value, count): the value's bytes, the lowest first, to up to four ports one after the other. */
export const HOST_OUT8S = 15;
/**
 * (number, spare): evaluates an overlay's module (src/control/core/overlays.ts). Answers 1, or 0 when the heap has no room for it
 * and `spare` bytes more; throws what the module throws. Where the packed bytes are not in RAM it is not evaluated: the call yields an
 * ArrayBuffer, to whose end they are to be read. Answered are the sectors that have them, wherever in the first they begin, and times 256 how
 * many bytes before the end of the kernel's image, packed or not, this is.
 */
export const HOST_OVERLAY = 16;
/** Lets the engine collect cycles of garbage when it next makes an object. */
export const HOST_COLLECT = 17;
/** (p): answers the physical address of a byte of the plane's memory. */
export const HOST_PHYSICAL = 18;
/** As HOST_INS16 and HOST_OUTS16, with words of 32 bits. */
export const HOST_INS32 = 19;
export const HOST_OUTS32 = 20;
/**
 * (from, to, end), page boundaries of what may be lent (LENT_AT): sees to it that there is memory from the first to the second,
 * which comes from the heap's end and is zeroed, and none from there to the third. Answers 0 where the heap has too little left.
 */
export const HOST_LEND = 21;

/** (): on a board of less than SMALL_BOARD_KIB the RAM of the packed overlays is the heap's from now on. */
export const HOST_OVERLAYS_GIVE = 22;
/**
 * (number, at, buffer): reads the module of an overlay whose packed bytes lie in that ArrayBuffer from `at` on, to whose begin they
 * are unpacked. Answers it, or 0 if these are not the overlay's bytes. The buffer is not needed any more then.
 */
export const HOST_OVERLAY_READ = 23;
/** (module): evaluates what HOST_OVERLAY_READ has answered, as HOST_OVERLAY does. */
export const HOST_OVERLAY_RUN = 24;

/**
 * The buffer is longer than the bytecode by two sectors, this, and this part of it, so that nothing is unpacked over what is still to be
 * read: where an overlay's end packs badly there is more to read than to write, and the packer sees to it that there is no
 * more than this (image/packed-overlays.ts).
 */
export const OVERLAY_MARGIN = 512;
export const OVERLAY_MARGIN_PART = 128;

// Boot facts: words at BOOT_FACTS_AT.
/** RAM of the board in KiB. */
export const FACT_MEMORY_KIB = 0;
/** BIOS drive number that we came from. */
export const FACT_DRIVE = 1;
/** Slot that was booted: 0 A, 1 B. */
export const FACT_SLOT = 2;
/** PIT counts (838 ns) from the loader's first instruction to the floor's first. */
export const FACT_LOADER_COUNTS = 3;
/** PIT counts from the floor's first instruction to control's first step. */
export const FACT_FLOOR_COUNTS = 4;
/** Bytes of RAM that the engine's heap got. */
export const FACT_HEAP_BYTES = 5;
/** How often control was restarted since power-on. */
export const FACT_RESTARTS = 6;
/** Why control was restarted last: RESTART_*. */
export const FACT_RESTART_REASON = 7;

/** 1 when the board has started too often in a row: saved settings are not applied. */
export const FACT_SAFE = 8;
/** PIT counts from control's last death to the restored snapshot, and to the end of its first step. */
export const FACT_RESTORE_COUNTS = 9;
export const FACT_RESTART_COUNTS = 10;
/** What the header of the slot that was booted has: its sequence, and the kernel's bytes. */
export const FACT_SEQUENCE = 11;
export const FACT_KERNEL_BYTES = 12;
export const FACT_COUNT = 13;

export const RESTART_NONE = 0;
export const RESTART_EXCEPTION = 1;
export const RESTART_TRAP = 2;
export const RESTART_HANG = 3;
/** The stack ran out: deeper recursion than the engine's own check allows for. */
export const RESTART_STACK = 4;
