// The board's map of memory, as the floor sets it up (board/i486/pages.c draws it): virtual addresses and sizes
// that C, the build and the tests that look into a running board share.

/** Virtual addresses: linear memory, the snapshot's window, control's stack. */
const LINEAR_AT = 0x10000000;
const WINDOW_AT = 0x20000000;
const STACK_AT = 0x30000000;
export const memoryMap = {
  LINEAR_AT,
  WINDOW_AT,
  STACK_AT,
  /** Page 0 once more, which is unmapped where it lies: the BIOS's data. */
  BIOS_DATA_AT: STACK_AT + 0x100000,
  /** The page of a device's registers that is being written to. */
  DEVICE_AT: STACK_AT + 0x101000,
  /** Linear addresses below the heap that the engine's stack may use; the limit of embed.ts and some. */
  LINEAR_STACK_BYTES: 44 * 1024,
  /** More heap than this is of no use to control; zero pages are not free at boot. */
  HEAP_LIMIT_BYTES: 4 << 20,
  /** A board whose heap has less room than this above the snapshot is too small. */
  HEAP_ROOM_BYTES: 128 * 1024,
  /**
   * A page that a reset leaves alone (src/base/crash-page.ts): above the kernel, below where the loader puts what
   * it reads, and not below 1 MiB, where BIOSes work, and clear up behind themselves.
   */
  CRASH_PAGE: 0x23f000,
};
