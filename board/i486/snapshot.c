/* The unpacker of the loader once more, for the snapshot, and that of overlays: image/overlays/decode.ts with its addresses
 * as physical or virtual ones. */
#include "floor.h"
#include "wasm-rt.h"
#include "unpack.h"

/* Keeps count of the time while the board starts; later, in a restart, the timer's interrupt does. */
void Z_machineZ_clockPoll(struct Z_machine_instance_t *instance) {
  (void)instance;
  if (!CELL(NOW_AT)) clock_poll();
}

/* Its import of a memory is defined in plane.c: what it points to is never used. */
#include "unpack-module.c"

u32 unpack(u32 source, u32 source_bytes, u32 target, u32 target_bytes, u32 codes) {
  static Z_unpack_instance_t instance;
  return Z_unpackZ_unpackEither(&instance, source, source_bytes, target, target_bytes, codes) == target_bytes;
}
