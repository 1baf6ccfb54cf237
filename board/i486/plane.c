/* The compiled plane: wasm2c's C of firmware/plane.ts in one piece with the ports it imports, so that a port
 * access is an instruction. Interrupts run this code: it must not touch the FPU (-mgeneral-regs-only). */
#include "floor.h"
#include "plane-module.h"

/* The imports. `extern inline` with always_inline: the header has declared them, no body is emitted. */
#define PORT extern inline __attribute__((gnu_inline, always_inline))
#define I struct Z_port_instance_t *instance __attribute__((unused))
PORT u32 Z_portZ_in8(I, u32 port) { return in8(port); }
PORT u32 Z_portZ_in16(I, u32 port) { return in16(port); }
PORT u32 Z_portZ_in32(I, u32 port) { return in32(port); }
PORT void Z_portZ_out8(I, u32 port, u32 value) { out8(port, value); }
PORT void Z_portZ_out16(I, u32 port, u32 value) { out16(port, value); }
PORT void Z_portZ_out32(I, u32 port, u32 value) { out32(port, value); }
PORT void Z_portZ_ins16(I, u32 port, u32 at, u32 count) { ins16(port, (void *)(LINEAR_AT + at), count); }
PORT void Z_portZ_outs16(I, u32 port, u32 at, u32 count) { outs16(port, (void *)(LINEAR_AT + at), count); }
PORT void Z_portZ_ins32(I, u32 port, u32 at, u32 count) { ins32(port, (void *)(LINEAR_AT + at), count); }
PORT void Z_portZ_outs32(I, u32 port, u32 at, u32 count) { outs32(port, (void *)(LINEAR_AT + at), count); }
PORT void Z_portZ_store16(I, u32 address, u32 value) { *(volatile u16 *)device_register(address) = value; }
PORT void Z_portZ_store32(I, u32 address, u32 value) { *(volatile u32 *)device_register(address) = value; }

static wasm_rt_memory_t memory;
wasm_rt_memory_t *Z_envZ_memory(struct Z_env_instance_t *instance) { (void)instance; return &memory; }

#include "plane-module.c"
#include "plane-calls.h" /* plane_dispatch: a case for each export, in the names' order */

static Z_plane_instance_t plane;

void plane_init(void) {
  Z_plane_init_module();
  Z_plane_instantiate(&plane, PLANE_IMPORTS);
  Z_planeZ_planeReset(&plane);
}

u32 plane_call(u32 index, const u32 *a) { return plane_dispatch(&plane, index, a); }
void plane_interrupt(u32 line, u32 sample) { Z_planeZ_takeInterrupt(&plane, line, sample); }
void plane_tick(u32 sample) { Z_planeZ_takeTick(&plane, sample); }
u32 plane_work(u32 counts) { return Z_planeZ_work(&plane, counts); }
u32 plane_wanted(void) { return Z_planeZ_wanted(&plane); }
u32 plane_sum(u32 at, u32 bytes) { return Z_planeZ_crc32(&plane, 0, at - PLANE_BASE, bytes); }
