/* The engine: QuickJS as wasm2c's C, started from the snapshot and called from the idle loop. Crash-only:
 * whatever goes wrong in it, the snapshot is unpacked again and control starts anew; the plane's memory
 * lies in a hole of the engine's and is not touched. */
#include "floor.h"
#include "engine-module.h"
#include "engine-names.h" /* QTS_* and IMPORT_* by their names */

#define TAG_INT 0u
#define TAG_EXCEPTION 6u
#define ENOSYS 52u
#define ESPIPE 70u
#define HANG_TICKS (5 * TICKS_PER_SECOND)
#define DEATH_TICKS (CRASH_LASTING_SECONDS * TICKS_PER_SECOND)

void run_on_stack(u32 top, void (*function)(void));

struct Z_a_instance_t { u32 unused; };

static struct Z_a_instance_t imports;
static wasm_rt_memory_t memory;
static Z_engine_instance_t engine;
static u32 step_started, restarts, restart_reason, died_at, death_ticks[CRASH_DEATHS];
volatile u32 in_control;

/* --- what the engine imports ---------------------------------------------------------------------------- */

wasm_rt_memory_t *IMPORT_memory(struct Z_a_instance_t *instance) { (void)instance; return &memory; }

static _Noreturn void engine_died(const char *what) {
  crash_record(RESTART_TRAP, 0, (const u32 *)&what, what);
  control_restart(RESTART_TRAP);
}

#define I struct Z_a_instance_t *instance __attribute__((unused))
#define U(n) u32 a##n __attribute__((unused))
void IMPORT_assert_fail(I, U(1), U(2), U(3), U(4)) { engine_died("assertion of the engine"); }
void IMPORT_abort(I) { engine_died("abort of the engine"); }
void IMPORT_exit(I, U(1)) { engine_died("exit of the engine"); }
u32 IMPORT_fd_write(I, U(1), U(2), U(3), U(4)) { return ENOSYS; }
u32 IMPORT_fd_close(I, U(1)) { return ENOSYS; }
u32 IMPORT_fd_seek(I, U(1), u64 a2 __attribute__((unused)), U(3), U(4)) { return ESPIPE; }
u32 IMPORT_environ_get(I, U(1), U(2)) { return 0; }
u32 IMPORT_environ_sizes(I, U(1), U(2)) { return 0; }
u32 IMPORT_module_normalize(I, U(1), U(2), U(3), U(4)) { return 0; }
u32 IMPORT_module_load(I, U(1), U(2), U(3)) { return 0; }
u32 IMPORT_interrupt(I, U(1)) { return 0; }
void IMPORT_free_host_ref(I, U(1), U(2)) {}
/* Memory does not grow: what RAM there was, it has. */
u32 IMPORT_resize_heap(I, U(1)) { return 0; }
/* No clock and no time zone: time is the plane's ticks and control's own arithmetic. */
void IMPORT_localtime(I, u64 a1 __attribute__((unused)), U(2)) {}
void IMPORT_tzset(I, U(1), U(2), U(3), U(4)) {}
f64 IMPORT_date_now(I) { return 0; }
u32 IMPORT_set_timer(I, U(1), f64 a2 __attribute__((unused))) { return 0; }
void IMPORT_runtime_keepalive(I) {}

/* Between HOST_LOCK and HOST_UNLOCK interrupts stay off, through calls of the plane too. */
static u32 locked;

static void interrupts_as_before(void) {
  if (!locked) interrupts_on();
}

static u32 host_plane(const u32 *arguments) {
  interrupts_off();
  clock_off_from(clock_counts());
  in_control = 0;
  u32 result = plane_call(arguments[1], arguments + 2);
  in_control = 1;
  clock_off(OFF_CALL + arguments[1]);
  interrupts_as_before();
  return result;
}

/* What lies beyond the heap's end, and in it free: in a chunk of malloc's, the second word is its size, bit 1 its use. */
static u32 heap_free(void) {
  u32 bytes = heap_end - LINEAR_WORD(ENGINE_BREAK_AT), head;
  for (u32 at = ENGINE_HEAP_AT; (head = LINEAR_WORD(at + 4)) != ENGINE_HEAP_FOOT; at += head & ~7u)
    if (!(head & 2)) bytes += head & ~7u;
  return bytes;
}

static void host_string(const u32 *a) {
  u32 wide = a[0] == HOST_INS32 || a[0] == HOST_OUTS32;
  if (a[2] >= PLANE_BYTES || a[3] > (PLANE_BYTES - a[2]) >> (1 + wide)) engine_died("a port called with a bad address");
  void *at = (void *)(LINEAR_AT + PLANE_BASE + a[2]);
  if (a[0] == HOST_INS16) ins16(a[1], at, a[3]);
  else if (a[0] == HOST_OUTS16) outs16(a[1], at, a[3]);
  else if (a[0] == HOST_INS32) ins32(a[1], at, a[3]);
  else outs32(a[1], at, a[3]);
}

/* The engine's malloc asks memory.size before it takes more: where RAM ends, it is out of memory. */
static void end_memory(void) {
  memory.pages = heap_end >> 16;
  memory.size = heap_end;
  FACT(FACT_HEAP_BYTES) = heap_bytes;
}

static u32 host_lend(u32 from, u32 to, u32 end) {
  if (from < LENT_AT || to < from || end < to || end > PLANE_BYTES || ((from | to | end) & (PAGE - 1)))
    engine_died("a bad place for lent memory");
  u32 lent = pages_lend(PLANE_BASE + from, PLANE_BASE + to, PLANE_BASE + end);
  end_memory();
  return lent;
}

/* __host(op, a, b, ...): src/base/abi.ts says what each does. Bad calls are control's bug and end it. */
static u32 host(const u32 *a) {
  switch (a[0]) {
    case HOST_PLANE: return host_plane(a);
    case HOST_IN8: return in8(a[1]);
    case HOST_IN16: return in16(a[1]);
    case HOST_IN32: return in32(a[1]);
    case HOST_OUT8: out8(a[1], a[2]); return 0;
    case HOST_OUT8S:
      for (u32 i = 0; i < a[3] && i < 4; i++) out8(a[1] + i, a[2] >> 8 * i);
      return 0;
    case HOST_OUT16: out16(a[1], a[2]); return 0;
    case HOST_OUT32: out32(a[1], a[2]); return 0;
    case HOST_INS16: case HOST_OUTS16: case HOST_INS32: case HOST_OUTS32: host_string(a); return 0;
    case HOST_LOCK: interrupts_off(); locked = 1; return 0;
    case HOST_UNLOCK: locked = 0; interrupts_on(); return 0;
    case HOST_RESET: crash_end(1); reset();
    case HOST_UNMASK: interrupts_off(); pic_unmask(a[1] & 15); interrupts_as_before(); return 0;
    case HOST_HEAP_FREE: return heap_free();
    case HOST_COLLECT: LINEAR_WORD(ENGINE_COLLECT_AT) = 0; return 0;
    case HOST_PUT: put(a[1]); return 0;
    case HOST_PHYSICAL:
      if (a[1] >= PLANE_BYTES) engine_died("a physical address asked for of no memory");
      return physical_of(PLANE_BASE + a[1]);
    case HOST_LEND: return host_lend(a[1], a[2], a[3]);
    case HOST_OVERLAY: return overlay_load(&engine, a[1], a[2]);
    case HOST_OVERLAY_READ: return overlay_read(&engine, a[1], a[2], a[3]);
    case HOST_OVERLAY_RUN: return overlay_run(&engine, a[1]);
    case HOST_OVERLAYS_GIVE: pages_give(); end_memory(); return 0;
    default: engine_died("unknown host call");
  }
}

/* JavaScript calls the machine. Arguments are JSValues: 8 bytes, an i32 in the low word, its tag in the
 * high one. The result goes into a cell, and the call yields undefined (a null pointer), what an overlay is read into, or throws. */
u32 IMPORT_host_call(I, U(1), U(2), u32 count, u32 argv, U(5)) {
  const u32 *value = (const u32 *)(LINEAR_AT + argv);
  u32 arguments[8] = {0};
  for (u32 i = 0; i < count && i < 8; i++) {
    arguments[i] = value[2 * i];
    if (value[2 * i + 1] == TAG_INT) continue;
    if (i != 3 || arguments[0] != HOST_OVERLAY_READ) engine_died("host call with an argument that is no i32");
    arguments[i] = argv + 8 * i; /* the value's place */
  }
  overlay_yields = 0;
  CELL(HOST_RESULT_AT) = host(arguments);
  return overlay_yields;
}

/* --- what the translated code needs --------------------------------------------------------------------- */

static wasm_rt_funcref_t functions[ENGINE_TABLE_SIZE];
static struct signature { u32 parameters, results; u8 types[24]; } signatures[160];
static u32 signature_count;

void wasm_rt_trap(wasm_rt_trap_t reason) {
  if (!in_control) panic("WebAssembly trap", reason);
  crash_record(RESTART_TRAP, 0, (const u32 *)&reason, "WebAssembly trap in the engine");
  control_restart(RESTART_TRAP);
}

int memcmp(const void *, const void *, size_t);

/* Numbers a function's type: equal types get equal numbers, from 1. */
u32 wasm_rt_register_func_type(u32 parameters, u32 results, ...) {
  u8 types[24] = {0};
  __builtin_va_list list;
  if (parameters + results > sizeof types) panic("function type too long:", parameters);
  __builtin_va_start(list, results);
  for (u32 i = 0; i < parameters + results; i++) types[i] = (u8) __builtin_va_arg(list, int);
  __builtin_va_end(list);
  for (u32 i = 0; i < signature_count; i++)
    if (signatures[i].parameters == parameters && signatures[i].results == results &&
        !memcmp(signatures[i].types, types, sizeof types))
      return i + 1;
  if (signature_count == sizeof signatures / sizeof *signatures) panic("too many function types", signature_count);
  signatures[signature_count] = (struct signature){parameters, results, {0}};
  __builtin_memcpy(signatures[signature_count].types, types, sizeof types);
  return ++signature_count;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, u32 elements, u32 most) {
  if (elements > ENGINE_TABLE_SIZE) panic("function table too long:", elements);
  *table = (wasm_rt_funcref_table_t){.data = functions, .size = elements, .max_size = most};
}
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) { (void)table; }
void wasm_rt_allocate_memory(wasm_rt_memory_t *m, u32 pages, u32 most) { (void)m, (void)pages, (void)most; }
void wasm_rt_free_memory(wasm_rt_memory_t *m) { (void)m; }
u32 wasm_rt_grow_memory(wasm_rt_memory_t *m, u32 pages) { (void)m, (void)pages; return 0xffffffff; }
bool wasm_rt_is_initialized(void) { return 1; }

/* --- running and restarting ----------------------------------------------------------------------------- */

static void fpu_init(void) {
  u16 precision_double = 0x27f; /* 53 bits, round to nearest, every exception masked */
  __asm__ volatile("clts; fninit; fldcw %0" ::"m"(precision_double));
}

/* One call of __step(). An exception that comes out is recorded and ends control. */
static void step(void) {
  step_started = CELL(NOW_AT);
  in_control = 1;
  u32 value = QTS_Call(&engine, ENGINE_CONTEXT, ENGINE_STEP, ENGINE_UNDEFINED, 0, ENGINE_ARGV);
  if (LINEAR_WORD(value + 4) == TAG_EXCEPTION) {
    u32 exception = QTS_ResolveException(&engine, ENGINE_CONTEXT, value);
    u32 text = QTS_Dump(&engine, ENGINE_CONTEXT, exception);
    crash_record(RESTART_EXCEPTION, 0, 0, text ? (const char *)(LINEAR_AT + text) : "");
    control_restart(RESTART_EXCEPTION);
  }
  QTS_FreeValuePointer(&engine, ENGINE_CONTEXT, value);
  in_control = 0;
}

static _Noreturn void start(void) {
  in_control = locked = 0;
  fpu_init();
  end_memory();
  Z_engine_instantiate(&engine, &imports);
  snapshot_restore();
  if (!restarts) {
    FACT(FACT_FLOOR_COUNTS) = clock_poll();
    clock_start();
  }
  FACT(FACT_RESTARTS) = restarts;
  FACT(FACT_RESTART_REASON) = restart_reason;
  CELL(WAKE_AT) = CELL(NOW_AT); /* control wants to start */
  if (restarts) FACT(FACT_RESTORE_COUNTS) = clock_moment() - died_at;
  for (u32 first = restarts, worked = 1;;) {
    interrupts_off();
    if (plane_wanted()) {
      interrupts_on();
      step();
      worked = 1;
      if (first) FACT(FACT_RESTART_COUNTS) = clock_moment() - died_at;
      first = first && CELL(STARTING_AT);
    } else {
      clock_sleep(worked);
      worked = 0;
      wait_for_interrupt();
    }
  }
}

_Noreturn void control_run(void) {
  Z_engine_init_module();
  run_on_stack(stack_top, start);
  __builtin_unreachable();
}

_Noreturn void control_restart(u32 reason) {
  interrupts_off();
  in_control = 0;
  died_at = clock_moment();
  death_ticks[restarts++ % CRASH_DEATHS] = CELL(NOW_AT);
  if (restarts >= CRASH_DEATHS && CELL(NOW_AT) - death_ticks[restarts % CRASH_DEATHS] < DEATH_TICKS) {
    crash_record(CRASH_GIVEN_UP, 0, 0, "");
    crash_end(0);
    reset();
  }
  restart_reason = reason;
  interrupts_on(); /* the plane goes on while the snapshot is unpacked */
  run_on_stack(stack_top, start);
  __builtin_unreachable();
}

_Noreturn void control_restart_stack(void) { control_restart(RESTART_STACK); }

u32 control_hung(void) { return CELL(NOW_AT) - step_started > HANG_TICKS; }
