/* The order of the floor's start. */
#include "floor.h"

void floor_main(const u32 *loader_info) {
  clock_init();
  u32 safe = crash_start();
  pages_init(loader_info);
  traps_init();
  plane_init();
  FACT(FACT_MEMORY_KIB) = BOOT(BOOT_AT_MEMORY_KIB);
  FACT(FACT_DRIVE) = BOOT(BOOT_AT_DRIVE);
  FACT(FACT_SLOT) = BOOT(BOOT_AT_SLOT);
  FACT(FACT_LOADER_COUNTS) = BOOT(BOOT_AT_COUNTS);
  CELL(MEDIUM_AT) = BOOT(BOOT_AT_MEDIUM);
  FACT(FACT_SAFE) = safe;
  FACT(FACT_SEQUENCE) = BOOT(BOOT_AT_SEQUENCE);
  FACT(FACT_KERNEL_BYTES) = BOOT(BOOT_AT_KERNEL_BYTES);
  control_run();
}
