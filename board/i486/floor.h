/* The floor: what lies between the machine and the two programs in TypeScript. Everything that can be
 * written in TypeScript is; here are boot, paging, traps, interrupts and the engine's few needs. */
#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;

#include "config.h" /* made by image/kernel.ts from limits.ts, cells.ts, abi.ts, layout.ts and the snapshot */

#define PAGE 4096u
/* Linear memory (QuickJS's, the plane's in its hole) by its addresses: LINEAR_AT is where it is mapped. */
#define LINEAR_WORD(address) (*(volatile u32 *)(LINEAR_AT + (address)))
#define CELL(address) LINEAR_WORD(PLANE_BASE + (address))
#define FACT(index) CELL(BOOT_FACTS_AT + 4 * (index))

static inline void out8(u32 port, u32 value) { __asm__ volatile("outb %0,%w1" ::"a"((u8)value), "Nd"(port)); }
static inline void out16(u32 port, u32 value) { __asm__ volatile("outw %w0,%w1" ::"a"(value), "Nd"(port)); }
static inline void out32(u32 port, u32 value) { __asm__ volatile("outl %0,%w1" ::"a"(value), "Nd"(port)); }
static inline u32 in8(u32 port) { u8 value; __asm__ volatile("inb %w1,%0" : "=a"(value) : "Nd"(port)); return value; }
static inline u32 in16(u32 port) { u16 value; __asm__ volatile("inw %w1,%0" : "=a"(value) : "Nd"(port)); return value; }
static inline u32 in32(u32 port) { u32 value; __asm__ volatile("inl %w1,%0" : "=a"(value) : "Nd"(port)); return value; }
#define STRING(name, words, way, at) \
  static inline void name(u32 port, at, u32 count) { __asm__ volatile("rep " words : way, "+c"(count) : "d"(port) : "memory"); }
STRING(ins16, "insw", "+D"(to), void *to)
STRING(outs16, "outsw", "+S"(from), const void *from)
STRING(ins32, "insl", "+D"(to), void *to)
STRING(outs32, "outsl", "+S"(from), const void *from)
static inline void interrupts_off(void) { __asm__ volatile("cli" ::: "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("sti" ::: "memory"); }
/* Takes what interrupts wait. STI holds them off for one more instruction. */
static inline void interrupts_window(void) { __asm__ volatile("sti; nop; cli" ::: "memory"); }
/* STI holds interrupts off for one more instruction, so none can slip in between and be slept over. */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti; hlt" ::: "memory"); }

/* console.c: last words, by polling; the console itself is TypeScript. */
void put(u32 character);
void print(const char *text);
void print_hex(u32 value);
_Noreturn void reset(void);
/* Says what happened and where, records it, and resets the board. For what floor and plane must not find. */
_Noreturn void panic(const char *what, u32 detail);

/* crash.c: the page that survives a reset. */
/* The board starts: answers whether it has started too often in a row, so that only defaults are safe. */
u32 crash_start(void);
/* Adds a record; registers (RECORD_REGISTERS of them) and where a stack is to be traced, or 0. */
void crash_record(u32 kind, const u32 *registers, const u32 *stack, const char *text);
/* The board is about to be reset: by wish, or for what has been recorded. */
void crash_end(u32 orderly);

/* pages.c */
void pages_init(const u32 *loader_info);
/* Unpacks the snapshot over linear memory: control as it was when the image was built. */
void snapshot_restore(void);
/* Maps the page of a device's registers and answers where one is; with interrupts off, until the next call. */
volatile void *device_register(u32 physical);
/* The physical address of a linear one that is mapped. */
u32 physical_of(u32 linear);
/* Lends pages of the heap's end to linear addresses [from, to), and takes those of [to, end) back (HOST_LEND). */
u32 pages_lend(u32 from, u32 to, u32 end);
/* Gives the overlays' pages to the heap, on a small board (HOST_OVERLAYS_GIVE): [overlays_at, image_end). */
void pages_give(void);
extern u32 overlays_given;
extern const u8 overlays_at[], image_end[];
/* What RAM was left for the engine's heap, in bytes, and where in linear memory it ends. */
extern u32 heap_bytes, heap_end;
/* Top of the stack on which control and interrupts run; below it lies an unmapped one. */
extern u32 stack_top;
/* The loader's facts (src/base/layout.ts), copied before its memory is used for other things. */
extern u32 boot_info[BOOT_INFO_BYTES / 4];
#define BOOT(offset) boot_info[(offset) / 4]

/* traps.c */
void traps_init(void);
/* pic.c */
#define FIRST_LINE 32u
#define TIMER 0u
void pic_init(void);
void pic_unmask(u32 line);
int pic_spurious(u32 line);
void pic_acknowledge(u32 line);

/* clock.c: the PIT, 100 ticks a second from channel 0. */
void clock_init(void);
/* Counts since clock_init, before the ticks start; must be called more often than every 55 ms. */
u32 clock_poll(void);
void clock_start(void);
u32 clock_counts(void);
/* Interrupts are off since a reading. Then: how many counts since then or since the last call, which cell
 * LONGEST_OFF_AT remembers with whose they were. */
void clock_off_from(u32 sample);
u32 clock_off(u32 whose);
/* The timer's interrupt, with a reading. */
void clock_ticked(u32 sample, u32 whose);
/* A moment in PIT counts, for differences. */
u32 clock_moment(void);
/* Idle time: called before the processor sleeps, and first thing in each interrupt, with a reading. */
void clock_sleep(u32 worked);
void clock_woken(u32 sample, u32 by_tick);

/* plane.c: the compiled plane. */
void plane_init(void);
u32 plane_call(u32 index, const u32 *arguments);
void plane_interrupt(u32 line, u32 sample);
void plane_tick(u32 sample);
/* A piece of what interrupts have left; `counts` that the one before took. Answers whether there may be more. */
u32 plane_work(u32 counts);
u32 plane_wanted(void);
u32 plane_sum(u32 at, u32 bytes); /* CRC-32 of linear memory */
u32 unpack(u32 source, u32 source_bytes, u32 target, u32 target_bytes, u32 codes); /* codes of overlays, or 0: LZ4; 0 if it is damaged */

/* overlay.c: evaluates an overlay by number, and what else HOST_OVERLAY and those behind it do (src/base/abi.ts). */
struct Z_engine_instance_t;
u32 overlay_load(struct Z_engine_instance_t *engine, u32 number, u32 spare);
u32 overlay_read(struct Z_engine_instance_t *engine, u32 number, u32 at, u32 value);
u32 overlay_run(struct Z_engine_instance_t *engine, u32 module);
extern u32 overlay_yields; /* what the host call yields, or throws: a JSValue*, for the engine */

/* lean.c: before an overlay is read, and when it has been evaluated: frees what its functions need no more. */
void lean_before(void);
void lean_evaluated(struct Z_engine_instance_t *engine);

/* control.c: the engine and its restarts. */
_Noreturn void control_run(void);
/* True while JavaScript runs: a fault then costs control its life and not the board's. */
extern volatile u32 in_control;
/* From an interrupt or trap, once it is recorded: gives the running control up and starts the snapshot again. */
_Noreturn void control_restart(u32 reason);
/* The same after a double fault, as the place where the faulted task goes on. */
_Noreturn void control_restart_stack(void);
/* Called by the tick: has this step of control run too long? */
u32 control_hung(void);

#endif
