/* Descriptor tables, faults and interrupts. Vectors: 0..31 the processor's, 32..47 the lines 0..15 (pic.c). */
#include "floor.h"

#define DOUBLE_FAULT 8u
#define PAGE_FAULT 14u
#define TASK_GATE 0x85u
#define INTERRUPT_GATE 0x8eu

/* What the stub leaves on the stack: PUSHA's registers, vector, error code, and the processor's frame. */
struct frame { u32 edi, esi, ebp, esp, ebx, edx, ecx, eax, vector, error, eip, cs, eflags; };

struct __attribute__((packed)) pointer { u16 limit; u32 base; };
struct tss { u32 back, esp0, ss0, unused1[4], cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt, io; };

extern u32 stubs[48];
extern u8 fault_stack_top[];
void fault_task_entry(void);
void descriptors_load(struct pointer *gdt, struct pointer *idt, u32 task);

/* A double fault means that the stack is gone: it gets a task of its own, with a stack of its own. */
static struct tss main_task, fault_task;
static u64 gdt[5] = {0, 0x00cf9a000000ffffull, 0x00cf92000000ffffull};
static u64 idt[48];

static void record(u32 kind, const struct frame *f, const u32 *stack, const char *text) {
  u32 registers[RECORD_REGISTERS];
  for (u32 i = 0; i < 13; i++) registers[i] = ((const u32 *)f)[i];
  __asm__ volatile("mov %%cr2,%0" : "=r"(registers[13]));
  crash_record(kind, registers, stack, text);
}

/* A fault of plane or floor: says so by polling, for who looks at the console, and resets the board. */
static _Noreturn void die(const struct frame *f, const u32 *stack, const char *what) {
  static const char names[] = "edi\0esi\0ebp\0esp\0ebx\0edx\0ecx\0eax\0vec\0err\0eip\0cs \0efl";
  record(CRASH_FAULT, f, stack, what);
  crash_end(0);
  print("\nFloor: ");
  print(what);
  print("\n");
  for (u32 i = 0; i < 13; i++) {
    print(names + 4 * i);
    print("=");
    print_hex(((const u32 *)f)[i]);
    print(i % 6 == 5 ? "\n" : " ");
  }
  print("\n");
  reset();
}

/* Called by start.S in the fault's own task. If it returns, the interrupted task goes on where its state says:
 * in a restart of control on a fresh stack, for JavaScript recursed deeper than the stack is long. */
void double_fault(void) {
  struct frame f = {main_task.edi, main_task.esi, main_task.ebp, main_task.esp, main_task.ebx, main_task.edx,
                    main_task.ecx, main_task.eax, DOUBLE_FAULT, 0, main_task.eip, main_task.cs, main_task.eflags};
  if (!in_control) die(&f, (const u32 *)f.esp, "double fault");
  record(RESTART_STACK, &f, (const u32 *)f.esp, "the stack ran out");
  main_task.eip = (u32)control_restart_stack;
  main_task.esp = stack_top - 4;
  main_task.eflags = 2;
}

static u64 task_descriptor(struct tss *task) {
  u32 base = (u32)task, limit = sizeof *task - 1;
  return (u64)(base & 0xff000000) << 32 | (u64)(base >> 16 & 0xff) << 32 | 0x0000890000000000ull |
         (u64)(base & 0xffff) << 16 | limit;
}

static u64 gate(u32 selector, u32 offset, u32 kind) {
  return (u64)(offset & 0xffff0000) << 32 | (u64)kind << 40 | selector << 16 | (offset & 0xffff);
}

/* The interrupt before this one. */
static u32 latest;

/* The tick looks after the cards too, and may just have served who asked. */
static int spurious(u32 line) {
  if ((line & 7) != 7 || !pic_spurious(line)) return 0;
  if (latest != TIMER) CELL(COUNTERS_AT + 4 * COUNT_IDLE_INTERRUPT)++;
  return 1;
}

static _Noreturn void fault(struct frame *f) {
  const char *what = f->vector == PAGE_FAULT ? "page fault" : "fault";
  if (!in_control) die(f, (const u32 *)(f + 1), what);
  record(RESTART_TRAP, f, (const u32 *)(f + 1), what);
  control_restart(RESTART_TRAP);
}

/* What an interrupt has left for the plane, piece by piece. Between two of them others are taken: they find `working`
 * set, leave theirs to this loop, and nothing of the plane is entered twice. */
static u32 working;

static void work(u32 line) {
  static u32 passed; /* that the plane has not been told of */
  working = 1;
  for (;;) {
    u32 is_age = CELL(WORK_AT) & WORK_AGE, more = plane_work(passed);
    passed = clock_off(line);
    if (!is_age) CELL(INTERRUPT_COUNTS_AT) += passed; /* whoever's interrupt it began with */
    if (!more) break;
    interrupts_window();
  }
  working = 0;
}

void trap(struct frame *f) {
  if (f->vector < FIRST_LINE) fault(f);
  u32 line = f->vector - FIRST_LINE;
  if (spurious(line)) return;
  latest = line;
  u32 interrupted_control = in_control, sample = clock_counts();
  in_control = 0; /* a fault from here on is the plane's */
  clock_woken(sample, line == TIMER);
  clock_off_from(sample);
  if (line == TIMER) {
    clock_ticked(sample, line);
    plane_tick(sample);
  } else plane_interrupt(line, sample);
  /* Behind the card's own acknowledgement, for then a PCI card's line has fallen. */
  pic_acknowledge(line);
  if (working) return;
  work(line);
  if (interrupted_control && control_hung()) {
    record(RESTART_HANG, f, (const u32 *)(f + 1), "no answer for 5 s");
    control_restart(RESTART_HANG);
  }
  in_control = interrupted_control;
}

void traps_init(void) {
  u32 directory;
  __asm__ volatile("mov %%cr3,%0" : "=r"(directory));
  for (u32 i = 0; i < 48; i++) idt[i] = gate(8, stubs[i], INTERRUPT_GATE);
  main_task.cr3 = fault_task.cr3 = directory; /* a task switch loads CR3 but never saves it */
  fault_task.eip = (u32)fault_task_entry;
  fault_task.eflags = 2;
  fault_task.esp = fault_task.esp0 = (u32)fault_stack_top;
  fault_task.cs = 8;
  fault_task.ss0 = fault_task.ss = fault_task.ds = fault_task.es = fault_task.fs = fault_task.gs = 16;
  main_task.io = fault_task.io = sizeof main_task;
  gdt[3] = task_descriptor(&main_task);
  gdt[4] = task_descriptor(&fault_task);
  idt[DOUBLE_FAULT] = gate(0x20, 0, TASK_GATE);
  struct pointer g = {sizeof gdt - 1, (u32)gdt}, i = {sizeof idt - 1, (u32)idt};
  descriptors_load(&g, &i, 0x18);
  pic_init();
}
